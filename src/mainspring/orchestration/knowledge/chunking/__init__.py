"""Cutting a parsed document into clauses."""

from .clauses import CHUNKER_VERSION, ClauseChunking, chunk_by_clause

__all__ = ["CHUNKER_VERSION", "ClauseChunking", "chunk_by_clause"]
