"""Knowledge: documents read, cut into clauses, stored with their vectors, and found again."""

from .chunking import CHUNKER_VERSION, ClauseChunking, chunk_by_clause
from .parsing import PARSER_VERSION, ParseLimits, parse, parse_bounded
from .types import Block, BlockKind, Chunk, Definition, Page, ParsedDocument

__all__ = [
    "CHUNKER_VERSION",
    "PARSER_VERSION",
    "Block",
    "BlockKind",
    "Chunk",
    "ClauseChunking",
    "Definition",
    "Page",
    "ParseLimits",
    "ParsedDocument",
    "chunk_by_clause",
    "parse",
    "parse_bounded",
]
