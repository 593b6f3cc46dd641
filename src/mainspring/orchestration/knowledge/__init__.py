"""Knowledge: documents taken in, cut, embedded, and found again, each tenant's apart from every other's."""

from .chunking import ClauseChunking, chunk_by_clause
from .documents import Documents, NewDocument
from .homes import Homes
from .indexing import KNOWN_DIMENSIONS, GatewayEmbedder, Indexes
from .ingestion import (
    DocumentRef,
    Embedded,
    Indexed,
    Ingestion,
    IngestSteps,
    Parsed,
    Sweeper,
    build_ingest,
    build_subscribers,
)
from .parsing import PARSER_VERSION, ParseLimits, parse, parse_bounded
from .ports import Concept, Concepts
from .retrieval import Search
from .setup import Setups
from .types import Block, BlockKind, Chunk, Definition, Document, Page, ParsedDocument, Reader

__all__ = [
    "KNOWN_DIMENSIONS",
    "PARSER_VERSION",
    "Block",
    "BlockKind",
    "Chunk",
    "ClauseChunking",
    "Concept",
    "Concepts",
    "Definition",
    "Document",
    "DocumentRef",
    "Documents",
    "Embedded",
    "GatewayEmbedder",
    "Homes",
    "Indexed",
    "Indexes",
    "IngestSteps",
    "Ingestion",
    "NewDocument",
    "Page",
    "ParseLimits",
    "Parsed",
    "ParsedDocument",
    "Reader",
    "Search",
    "Setups",
    "Sweeper",
    "build_ingest",
    "build_subscribers",
    "chunk_by_clause",
    "parse",
    "parse_bounded",
]
