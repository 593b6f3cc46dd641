"""A tenant's choices for its knowledge: validated, versioned, tried on a document before use."""

from .document_types import document_type_of
from .fingerprints import fingerprint, needs_rebuild
from .reading import DimensionsOf, check_setup, read_setup
from .setup import DEFAULT_CHUNKING, OTHER_TYPE, RetrievalSetup, RetrievalWeights, Setup
from .setups import Setups, StoredSetup

__all__ = [
    "DEFAULT_CHUNKING",
    "OTHER_TYPE",
    "DimensionsOf",
    "RetrievalSetup",
    "RetrievalWeights",
    "Setup",
    "Setups",
    "StoredSetup",
    "check_setup",
    "document_type_of",
    "fingerprint",
    "needs_rebuild",
    "read_setup",
]
