"""Knowledge: documents read, cut into clauses, stored with their vectors, and found again."""

from .chunking import CHUNKER_VERSION, ClauseChunking, chunk_by_clause
from .parsing import PARSER_VERSION, ParseLimits, parse, parse_bounded
from .service import EMBEDDING_DIMENSIONS, Knowledge
from .store import Match
from .types import Block, BlockKind, Chunk, Definition, Document, Page, ParsedDocument

__all__ = [
    "CHUNKER_VERSION",
    "EMBEDDING_DIMENSIONS",
    "PARSER_VERSION",
    "Block",
    "BlockKind",
    "Chunk",
    "ClauseChunking",
    "Definition",
    "Document",
    "Knowledge",
    "Match",
    "Page",
    "ParseLimits",
    "ParsedDocument",
    "chunk_by_clause",
    "parse",
    "parse_bounded",
]
