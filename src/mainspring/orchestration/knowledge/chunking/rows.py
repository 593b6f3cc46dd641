"""To come: until then, one way to cut serves them all."""

from mainspring.orchestration.knowledge.types import Chunk, ParsedDocument

from .clauses import chunk_by_clause
from .protocol import Chunker, Cutter
from .settings import RowChunking


def _cut(document: ParsedDocument, settings: RowChunking) -> tuple[Chunk, ...]:
    del settings
    return chunk_by_clause(document)


ROWS: Chunker[RowChunking] = Cutter("rows", "0", _cut)
