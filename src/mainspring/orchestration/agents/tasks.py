"""What a worker does for agents besides running them: hears of decisions and of ended pipeline runs, and sweeps."""

from collections.abc import Mapping
from uuid import UUID

from mainspring.foundation.errors import NotFound
from mainspring.foundation.ids import read_id
from mainspring.foundation.outbox import OutboxEvent, Subscriber
from mainspring.orchestration.pipelines.events import RunFinished
from mainspring.orchestration.pipelines.types import RunId, RunStatus
from mainspring.orchestration.tools.types import APPROVAL_PREFIX

from .runs import sweep_agents
from .runs.resuming import resume_decided
from .runtime.act import AgentRuntime
from .types import PIPELINE

DECIDED = ("approval.decided", "approval.expired", "approval.withdrawn", "approval.voided")
"""After any of these a thread that waits for the approval goes on, and learns from the toolbox what was decided."""


def build_subscribers(runtime: AgentRuntime) -> Mapping[str, tuple[Subscriber, ...]]:
    """What is done when an approval was decided, and when a pipeline run ended."""

    async def resume(event: OutboxEvent) -> None:
        try:
            approval: UUID = read_id(APPROVAL_PREFIX, str(event.payload["approval"]))
        except (NotFound, KeyError):
            return
        await resume_decided(runtime.sweeping.database, runtime.runs, event.tenant, approval)

    async def settle(event: OutboxEvent) -> None:
        if event.payload.get("pipeline") == PIPELINE:
            run, status = RunId(UUID(str(event.payload["run"]))), RunStatus(event.payload["status"])
            ended = await runtime.sweeping.pipelines.find_run(event.tenant, run)
            await runtime.ending.end_lost(event.tenant, run, status, ended.error if ended else None)

    return {RunFinished.TOPIC: (settle,), **dict.fromkeys(DECIDED, (resume,))}


async def sweep(runtime: AgentRuntime) -> int:
    """Sweep once, and return how many things were put right; call it every few seconds."""
    return await sweep_agents(runtime.sweeping)
