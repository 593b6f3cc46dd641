"""What approvals hear from others: a run that has ended waits for nobody any more."""

from collections.abc import Mapping
from uuid import UUID

from mainspring.foundation.outbox import OutboxEvent, Subscriber
from mainspring.orchestration.pipelines.events import RunFinished
from mainspring.orchestration.pipelines.types import RunId

from .service import Approvals


def build_subscribers(approvals: Approvals) -> Mapping[str, tuple[Subscriber, ...]]:
    """Topic to subscribers; each is idempotent."""

    async def withdraw(event: OutboxEvent) -> None:
        await approvals.withdraw_waiting(event.tenant, RunId(UUID(str(event.payload["run"]))))

    return {RunFinished.TOPIC: (withdraw,)}
