"""How documents come into a tenant's indexes: durable steps, and what keeps them going."""

from .housekeeping import Sweeper
from .pipeline import INGEST, build_ingest
from .service import Ingestion, subject_of
from .steps import IngestSteps
from .tasks import build_subscribers
from .types import Chunked, DocumentRef, Embedded, Indexed, Parsed, SourceCounts, Submission
from .upkeep import Upkeep

__all__ = [
    "INGEST",
    "Chunked",
    "DocumentRef",
    "Embedded",
    "Indexed",
    "IngestSteps",
    "Ingestion",
    "Parsed",
    "SourceCounts",
    "Submission",
    "Sweeper",
    "Upkeep",
    "build_ingest",
    "build_subscribers",
    "subject_of",
]
