"""Indexing: chunks cut, embedded and published as one, in index versions beside each other."""

from .embedder import KNOWN_DIMENSIONS, GatewayEmbedder
from .indexes import Indexes
from .publishing import Progress
from .store import chunk_of, index_of
from .terms import configuration_of, identifiers, term_id, terms_of, terms_text
from .texts import content_hash, embedded_text
from .types import Comparison, Cut, Difference, RebuildFailure, RebuildProgress
from .vectors import vector_text

__all__ = [
    "KNOWN_DIMENSIONS",
    "Comparison",
    "Cut",
    "Difference",
    "GatewayEmbedder",
    "Indexes",
    "Progress",
    "RebuildFailure",
    "RebuildProgress",
    "chunk_of",
    "configuration_of",
    "content_hash",
    "embedded_text",
    "identifiers",
    "index_of",
    "term_id",
    "terms_of",
    "terms_text",
    "vector_text",
]
