"""Ending a run: its status, what its thread shows, what it waits for, and the next run, in one transaction."""

from dataclasses import dataclass, field
from uuid import UUID

from mainspring.foundation.db import Database, TenantTransaction
from mainspring.foundation.ids import TenantId
from mainspring.foundation.outbox import publish
from mainspring.orchestration.agents.checkpoints import Fence
from mainspring.orchestration.agents.events import AgentRunFinished
from mainspring.orchestration.agents.types import AgentRun, AgentRunStatus, Json, JsonObject, OnCompletion, ThreadStatus
from mainspring.orchestration.pipelines.types import Failure, RunId
from mainspring.orchestration.pipelines.types import RunStatus as PipelineStatus

from . import store
from .leading import Leading
from .reading import as_json, read_run

STATELESS_MINUTES = 15.0
"""How long the thread of a stateless run stays for those who ask for its result."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a run.

    values       the state, None when it is not known and the one that the thread shows stays
    interrupts   task id -> interrupts that wait there
    has_next     whether nodes are left to be run
    approvals    approvals that are waited for, and the interrupt of each
    """

    status: AgentRunStatus
    failure: Failure | None = None
    values: Json = None
    interrupts: JsonObject = field(default_factory=dict[str, Json])
    has_next: bool = False
    approvals: tuple[tuple[UUID, str], ...] = ()

    @property
    def thread_status(self) -> ThreadStatus:
        """What the thread is then, if no other run waits."""
        if self.status in {AgentRunStatus.ERROR, AgentRunStatus.TIMEOUT}:
            return ThreadStatus.ERROR
        return ThreadStatus.INTERRUPTED if self.has_next else ThreadStatus.IDLE


@dataclass(frozen=True, slots=True)
class Ending:
    """Ends runs."""

    database: Database
    leading: Leading

    async def end(self, run: AgentRun, fence: Fence, outcome: Outcome) -> None:
        """End a run as its leading attempt; AgentFenced when it is that no more."""
        async with self.database.tenant(run.tenant) as transaction:
            await store.lock_thread(transaction, run.thread)
            await fence.check(transaction)
            is_led = await self._end_in(transaction, run, outcome)
        if is_led:
            await self.leading.ring()

    async def close(self, run: AgentRun, outcome: Outcome) -> None:
        """An interrupted run has stopped: show what it reached, unless another run is at work in the thread."""
        async with self.database.tenant(run.tenant) as transaction:
            await store.lock_thread(transaction, run.thread)
            if not await store.close_open(transaction, run.thread, run.id) or outcome.values is None:
                return
            await store.keep_state(
                transaction, run.thread, values=as_json(outcome.values), interrupts=as_json(outcome.interrupts)
            )
            await store.settle_thread(transaction, run.thread, status=outcome.thread_status)

    async def end_lost(
        self, tenant: TenantId, pipeline_run: RunId, status: PipelineStatus, failure: Failure | None = None
    ) -> bool:
        """End the run that an ended pipeline run led, if it did not end by itself; whether it was so.

        failure  of the pipeline run
        """
        async with self.database.tenant(tenant) as transaction:
            row = await store.find_by_pipeline_run(transaction, pipeline_run)
            if row is None:
                return False
            await store.lock_thread(transaction, row["thread_id"])
            row = await store.find_by_pipeline_run(transaction, pipeline_run)
            if row is None:
                return False
            is_led = await self._end_in(transaction, read_run(row), _lost(status, failure))
        if is_led:
            await self.leading.ring()
        return True

    async def _end_in(self, transaction: TenantTransaction, run: AgentRun, outcome: Outcome) -> bool:
        failure = outcome.failure
        await store.finish(
            transaction,
            run.id,
            status=outcome.status,
            code=failure.code if failure else None,
            detail=failure.detail if failure else None,
        )
        if outcome.values is not None:
            await store.keep_state(
                transaction, run.thread, values=as_json(outcome.values), interrupts=as_json(outcome.interrupts)
            )
            await store.await_approvals(transaction, run.thread, run.id, list(outcome.approvals))
        error = as_json({"error": failure.code, "message": failure.detail}) if failure else None
        goes = run.is_stateless and run.order.on_completion is OnCompletion.DELETE
        is_led = await self.leading.lead_next_in(transaction, run.thread)
        await store.settle_thread(
            transaction,
            run.thread,
            status=outcome.thread_status,
            error=error,
            expires_minutes=STATELESS_MINUTES if goes else None,
        )
        event = AgentRunFinished(run.id, run.thread, run.graph, outcome.status, run.order.webhook)
        await publish(transaction, topic=event.TOPIC, payload=event.payload())
        return is_led


def _lost(status: PipelineStatus, failure: Failure | None) -> Outcome:
    """What is known of a run whose pipeline run ended without it."""
    if status is PipelineStatus.CANCELLED:
        return Outcome(AgentRunStatus.INTERRUPTED)
    detail = "The run could not be brought to an end; see the pipeline run that led it."
    return Outcome(AgentRunStatus.ERROR, failure or Failure("agent_run_lost", detail))
