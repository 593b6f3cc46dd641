"""To come: until then, one way to cut serves them all."""

from mainspring.orchestration.knowledge.types import Chunk, ParsedDocument

from .clauses import chunk_by_clause
from .protocol import Chunker, Cutter
from .settings import SectionChunking


def _cut(document: ParsedDocument, settings: SectionChunking) -> tuple[Chunk, ...]:
    del settings
    return chunk_by_clause(document)


SECTIONS: Chunker[SectionChunking] = Cutter("section", "0", _cut)
