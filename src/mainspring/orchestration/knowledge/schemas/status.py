"""How a tenant's knowledge stands, as the HTTP API shows it."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from mainspring.foundation.ids import show_id
from mainspring.orchestration.knowledge.overview import FailureCause, Standing
from mainspring.orchestration.knowledge.types import DocumentStatus, IndexStatus, IndexVersion

from .indexes import IndexShape, show_index
from .shape import Shape
from .sources import SourceShape


class FailureExampleShape(Shape):
    """The document that failed last for this cause."""

    document: str
    name: str
    detail: str
    failed_at: datetime


class FailureShape(Shape):
    """Documents that cannot be indexed for one cause."""

    code: str
    documents: int
    example: Annotated[FailureExampleShape | None, Field(description="null when the caller may see none of them")]


class QueueShape(Shape):
    """Documents that wait to be indexed."""

    documents: int
    oldest_at: datetime | None


class DocumentCounts(Shape):
    """Documents by status."""

    pending: int
    indexed: int
    failed: int


class StatusShape(Shape):
    """How the tenant's knowledge stands. It counts all documents, and names those that the caller may see."""

    documents: DocumentCounts
    failures: list[FailureShape]
    chunks: Annotated[int, Field(description="in the index that is searched")]
    indexes: list[IndexShape]
    sources: list[SourceShape]
    queue: QueueShape


def show_status(standing: Standing, indexes: tuple[IndexVersion, ...], sources: list[SourceShape]) -> StatusShape:
    """The whole for the wire."""
    counts = {status.value: standing.documents.get(status, 0) for status in DocumentStatus}
    shown = [show_index(each, standing.filling.get(each.id)) for each in indexes]
    return StatusShape(
        documents=DocumentCounts(**counts),
        failures=[_failure(each) for each in standing.failures],
        chunks=sum(each.chunks for each in shown if each.status is IndexStatus.ACTIVE),
        indexes=shown,
        sources=sources,
        queue=QueueShape.model_validate(standing.queue),
    )


def _failure(cause: FailureCause) -> FailureShape:
    example = cause.example
    return FailureShape(
        code=cause.code,
        documents=cause.documents,
        example=FailureExampleShape(
            document=show_id("doc", example.document_id),
            name=example.name,
            detail=example.detail,
            failed_at=example.failed_at,
        )
        if example
        else None,
    )
