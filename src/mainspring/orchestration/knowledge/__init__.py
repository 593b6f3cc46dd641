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
    Upkeep,
    build_ingest,
    build_subscribers,
)
from .intake import Intake
from .overview import Overview
from .parsing import PARSER_VERSION, ParseLimits, parse, parse_bounded
from .ports import Concept, Concepts
from .promotion import Promotions
from .rebuilds import Rebuilds, build_rebuild
from .retrieval import Answer, Filters, GatewayModels, Question, Reason, Search
from .services import KnowledgeServices
from .setup import Setups
from .sources import (
    BUILT_IN,
    Buckets,
    Connector,
    Connectors,
    Content,
    EndOfListing,
    Fetched,
    Gone,
    GuardLimits,
    Item,
    Kinds,
    Removed,
    Sources,
    SyncSteps,
    Unchanged,
    Walk,
    WebGuard,
    build_remove_source,
    build_sync,
)
from .types import Block, BlockKind, Chunk, Definition, Document, Page, ParsedDocument, Reader
from .watching import Watch

__all__ = [
    "BUILT_IN",
    "KNOWN_DIMENSIONS",
    "PARSER_VERSION",
    "Answer",
    "Block",
    "BlockKind",
    "Buckets",
    "Chunk",
    "ClauseChunking",
    "Concept",
    "Concepts",
    "Connector",
    "Connectors",
    "Content",
    "Definition",
    "Document",
    "DocumentRef",
    "Documents",
    "Embedded",
    "EndOfListing",
    "Fetched",
    "Filters",
    "GatewayEmbedder",
    "GatewayModels",
    "Gone",
    "GuardLimits",
    "Homes",
    "Indexed",
    "Indexes",
    "IngestSteps",
    "Ingestion",
    "Intake",
    "Item",
    "Kinds",
    "KnowledgeServices",
    "NewDocument",
    "Overview",
    "Page",
    "ParseLimits",
    "Parsed",
    "ParsedDocument",
    "Promotions",
    "Question",
    "Reader",
    "Reason",
    "Rebuilds",
    "Removed",
    "Search",
    "Setups",
    "Sources",
    "Sweeper",
    "SyncSteps",
    "Unchanged",
    "Upkeep",
    "Walk",
    "Watch",
    "WebGuard",
    "build_ingest",
    "build_rebuild",
    "build_remove_source",
    "build_subscribers",
    "build_sync",
    "chunk_by_clause",
    "parse",
    "parse_bounded",
]
