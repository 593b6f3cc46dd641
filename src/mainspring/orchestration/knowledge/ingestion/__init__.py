"""How documents come into a tenant's indexes: durable steps, and what keeps them going."""

from .housekeeping import Sweeper
from .orphans import remove_orphans
from .pipeline import INGEST, build_ingest
from .rebuild import REBUILD, Rebuilds, build_rebuild, subject_of_index
from .service import Ingestion, subject_of
from .steps import IngestSteps
from .tasks import build_subscribers
from .types import Chunked, DocumentRef, Embedded, Indexed, Parsed, SourceCounts, Submission

__all__ = [
    "INGEST",
    "REBUILD",
    "Chunked",
    "DocumentRef",
    "Embedded",
    "Indexed",
    "IngestSteps",
    "Ingestion",
    "Parsed",
    "Rebuilds",
    "SourceCounts",
    "Submission",
    "Sweeper",
    "build_ingest",
    "build_rebuild",
    "build_subscribers",
    "remove_orphans",
    "subject_of",
    "subject_of_index",
]
