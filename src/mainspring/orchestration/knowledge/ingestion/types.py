"""The words of ingestion: which document a run is about, what its steps found, and how a tenant's documents stand.

A run's payloads hold ids and counts. Text stays in the object store and in the tenant's home.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from mainspring.orchestration.knowledge.types import Document, DocumentStatus
from mainspring.orchestration.pipelines.types import Run

DOCUMENT_PREFIX = "doc"


@dataclass(frozen=True, slots=True)
class DocumentRef:
    """One revision of a document."""

    document: UUID
    revision: int


@dataclass(frozen=True, slots=True)
class Parsed:
    """The revision was read.

    is_current  False: a newer revision took its place, or it was deleted; there is nothing left to do
    """

    is_current: bool
    pages: int | None = None
    characters: int = 0
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Chunked:
    """The revision was cut, for the active index."""

    is_current: bool
    chunks: int = 0


@dataclass(frozen=True, slots=True)
class Embedded:
    """Every chunk has its vector.

    computed  texts that a model was asked for; the others were known
    """

    is_current: bool
    chunks: int = 0
    computed: int = 0


@dataclass(frozen=True, slots=True)
class Indexed:
    """Searches find the revision, in so many indexes."""

    is_current: bool
    indexes: int = 0


@dataclass(frozen=True, slots=True)
class Submission:
    """What was handed in, and the run that brings it into the index; None when there is nothing to be done."""

    document: Document
    run: Run | None


@dataclass(frozen=True, slots=True)
class SourceCounts:
    """How the documents of a source stand, and how many of them failed for which cause."""

    source: str
    documents: Mapping[DocumentStatus, int]
    failures: Mapping[str, int]
