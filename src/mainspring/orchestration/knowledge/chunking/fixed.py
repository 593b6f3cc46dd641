"""To come: until then, one way to cut serves them all."""

from mainspring.orchestration.knowledge.types import Chunk, ParsedDocument

from .clauses import chunk_by_clause
from .protocol import Chunker, Cutter
from .settings import FixedChunking


def _cut(document: ParsedDocument, settings: FixedChunking) -> tuple[Chunk, ...]:
    del settings
    return chunk_by_clause(document)


FIXED: Chunker[FixedChunking] = Cutter("fixed", "0", _cut)
