"""A tenant's choices for its knowledge: validated, versioned, tried on a document before use."""

from .document_types import document_type_of
from .fingerprints import fingerprint, needs_rebuild
from .setup import DEFAULT_CHUNKING, OTHER_TYPE, RetrievalSetup, RetrievalWeights, Setup

__all__ = [
    "DEFAULT_CHUNKING",
    "OTHER_TYPE",
    "RetrievalSetup",
    "RetrievalWeights",
    "Setup",
    "document_type_of",
    "fingerprint",
    "needs_rebuild",
]
