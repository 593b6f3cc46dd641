"""What ingestion hears: that a run about a document has ended."""

from collections.abc import Mapping
from uuid import UUID

from mainspring.foundation.errors import NotFound
from mainspring.foundation.ids import read_id
from mainspring.foundation.outbox import OutboxEvent, Subscriber
from mainspring.orchestration.pipelines import RunFinished

from .pipeline import INGEST
from .service import Ingestion
from .types import DOCUMENT_PREFIX


def build_subscribers(ingestion: Ingestion) -> Mapping[str, tuple[Subscriber, ...]]:
    """Topic to subscribers; each may hear an event twice."""

    async def note_end(event: OutboxEvent) -> None:
        if event.payload["pipeline"] != INGEST:
            return
        try:
            document = read_id(DOCUMENT_PREFIX, event.payload["subject"] or "")
        except NotFound:
            return
        await ingestion.note_end(event.tenant, document, UUID(event.payload["run"]))

    return {RunFinished.TOPIC: (note_end,)}
