"""What contract intelligence hears from others: that an analysis has ended."""

from collections.abc import Mapping
from uuid import UUID

from mainspring.foundation.outbox import OutboxEvent, Subscriber
from mainspring.orchestration.pipelines import RunFinished

from .pipeline import PIPELINE
from .service import Contracts


def build_subscribers(contracts: Contracts) -> Mapping[str, tuple[Subscriber, ...]]:
    """Topic to subscribers; each may hear an event twice."""

    async def note_finished(event: OutboxEvent) -> None:
        if event.payload["pipeline"] == PIPELINE:
            await contracts.note_run(event.tenant, UUID(event.payload["run"]), event.payload["status"])

    return {RunFinished.TOPIC: (note_finished,)}
