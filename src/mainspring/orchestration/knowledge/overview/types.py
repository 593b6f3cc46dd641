"""The words of the overview: documents by status, causes of failures, how full an index is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from mainspring.orchestration.knowledge.types import DocumentStatus


@dataclass(frozen=True, slots=True)
class FailureExample:
    """The document that failed last of those with one cause."""

    document_id: UUID
    name: str
    detail: str
    failed_at: datetime


@dataclass(frozen=True, slots=True)
class FailureCause:
    """How many documents cannot be indexed for one cause.

    example   None when the caller may see none of them
    """

    code: str
    documents: int
    example: FailureExample | None


@dataclass(frozen=True, slots=True)
class IndexFilling:
    """What one index version holds.

    documents   that are in it
    current     of these, in their newest revision
    """

    documents: int = 0
    current: int = 0
    chunks: int = 0
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Queue:
    """Documents that wait to be indexed, and since when the one that has waited longest does."""

    documents: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a tenant's documents stand; `filling` is by index version."""

    documents: Mapping[DocumentStatus, int]
    failures: tuple[FailureCause, ...]
    filling: Mapping[UUID, IndexFilling]
    queue: Queue
