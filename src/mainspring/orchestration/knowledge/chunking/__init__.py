"""Cutting a parsed document into chunks: by clause, message, section, rows, or size."""

from .clauses import CHUNKER_VERSION, chunk_by_clause
from .cutting import CHUNKERS, chunker_version, cut
from .protocol import Chunker
from .settings import (
    Chunking,
    ClauseChunking,
    FixedChunking,
    MessageChunking,
    RowChunking,
    SectionChunking,
    check_between,
)
from .tokens import estimate_tokens

__all__ = [
    "CHUNKERS",
    "CHUNKER_VERSION",
    "Chunker",
    "Chunking",
    "ClauseChunking",
    "FixedChunking",
    "MessageChunking",
    "RowChunking",
    "SectionChunking",
    "check_between",
    "chunk_by_clause",
    "chunker_version",
    "cut",
    "estimate_tokens",
]
