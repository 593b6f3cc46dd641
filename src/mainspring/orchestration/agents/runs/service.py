"""`AgentRuns`: the door to runs of agents. What becomes of a second run is decided in one transaction.

The lock of the thread's row orders whoever submits, stops and finishes, so that a thread is led by one run at most
and runs that wait are taken in order, whichever process frees the thread.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from mainspring.foundation.db import Database, Row, TenantTransaction
from mainspring.foundation.errors import NotFound
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.outbox import publish
from mainspring.foundation.principal import Principal
from mainspring.orchestration.agents import checkpoints
from mainspring.orchestration.agents.assistants import Chosen, choose_assistant_in
from mainspring.orchestration.agents.errors import (
    AgentInputInvalid,
    AgentKeyReused,
    AgentRunNotCancellable,
    AgentUnknown,
    ThreadBusy,
)
from mainspring.orchestration.agents.events import AgentRunFinished
from mainspring.orchestration.agents.ownership import owner_of
from mainspring.orchestration.agents.types import (
    AgentRun,
    AgentRunId,
    AgentRunStatus,
    Cancellation,
    IfNotExists,
    JsonObject,
    Multitask,
    RunOrder,
    ThreadId,
)
from mainspring.orchestration.pipelines.errors import RunNotCancellable
from mainspring.orchestration.pipelines.types import RunId

from . import store
from .leading import Leading
from .reading import as_json, maybe_json, read_run

_FIRST_LOOK, _LONGEST_LOOK = 0.02, 0.5


class AgentRuns:
    """Submits, stops and finds runs. Every method works for one tenant and sees no other."""

    def __init__(self, database: Database, leading: Leading) -> None:
        self._database = database
        self._leading = leading

    async def submit(self, principal: Principal, order: RunOrder) -> AgentRun:
        """Store a run and start it, or let it wait in its thread; it is durable when this returns.

        raises   AgentUnknown for an assistant or thread that is not there, ThreadBusy by `reject`, AgentInputInvalid,
                 AgentKeyReused
        """
        _check(order)
        async with self._database.tenant(principal.tenant) as transaction:
            if order.key and (row := await store.find_by_key(transaction, order.key)):
                return read_run(row)
            chosen = await choose_assistant_in(transaction, self._leading.agents, order.assistant)
            thread, config = await self._thread_in(transaction, principal, order, chosen)
            stopped = await self._make_room_in(transaction, order.multitask, thread)
            identifier = await store.insert_run(transaction, _row(principal, order, chosen, thread, config))
            if identifier is None:
                raise AgentKeyReused(f"The key {order.key!r} is being used for another run at this moment; ask again.")
            is_led = await self._leading.lead_next_in(transaction, thread)
            found = await store.find_run(transaction, identifier)
        assert found is not None
        await self._after(principal.tenant, stopped, is_led=is_led)
        return read_run(found)

    async def cancel(
        self, tenant: TenantId, run: AgentRunId, action: Cancellation = Cancellation.INTERRUPT
    ) -> AgentRun | None:
        """Stop a run at once: `interrupt` keeps what it reached, `rollback` undoes it and answers None.

        What it does at this moment is stopped within seconds; from now on it stores nothing more.
        raises   AgentUnknown, AgentRunNotCancellable when it is over
        """
        async with self._database.tenant(tenant) as transaction:
            row = await self._get_in(transaction, run)
            await store.lock_thread(transaction, row["thread_id"])
            row = await self._get_in(transaction, run)
            if AgentRunStatus(row["status"]).is_final:
                raise AgentRunNotCancellable(
                    f"The run {run} is over ({row['status']}); only an unfinished one can stop."
                )
            stopped = await self._stop_in(transaction, row, action, reason="cancelled")
            thread = ThreadId(row["thread_id"])
            is_led = await self._leading.lead_next_in(transaction, thread)
            await store.settle_thread(transaction, thread, status=None)
            found = await store.find_run(transaction, run)
        await self._after(tenant, [stopped], is_led=is_led)
        return read_run(found) if found else None

    async def get(self, tenant: TenantId, run: AgentRunId) -> AgentRun:
        """The run; AgentUnknown in the same words whether it never was or is another tenant's."""
        async with self._database.tenant(tenant) as transaction:
            return read_run(await self._get_in(transaction, run))

    async def list_of_thread(
        self,
        tenant: TenantId,
        thread: ThreadId,
        *,
        status: AgentRunStatus | None = None,
        limit: int = 10,
        offset: int = 0,
    ) -> tuple[AgentRun, ...]:
        """A thread's runs, newest first; none for a thread that is not there."""
        async with self._database.tenant(tenant) as transaction:
            rows = await store.list_runs(transaction, thread, status=status, limit=limit, offset=offset)
        return tuple(read_run(row) for row in rows)

    async def wait(self, tenant: TenantId, run: AgentRunId, *, timeout: timedelta | None = None) -> AgentRun:
        """The run once it is over; TimeoutError when it is not in time."""
        look = _FIRST_LOOK
        async with asyncio.timeout(None if timeout is None else timeout.total_seconds()):
            while not (found := await self.get(tenant, run)).status.is_final:
                await asyncio.sleep(look)
                look = min(look * 1.5, _LONGEST_LOOK)
        return found

    async def drain_thread(self, tenant: TenantId, thread: ThreadId) -> bool:
        """Lead the thread's next run if it is free; whether one was."""
        async with self._database.tenant(tenant) as transaction:
            if await store.lock_thread(transaction, thread) is None:
                return False
            is_led = await self._leading.lead_next_in(transaction, thread)
        if is_led:
            await self._leading.ring()
        return is_led

    async def finish_stopping(self, tenant: TenantId, run: AgentRunId, pipeline_run: RunId) -> None:
        """Cancel the pipeline run of a stopped run; repeating it changes nothing."""
        with suppress(RunNotCancellable, NotFound):  # it has ended, or was deleted with age
            await self._leading.pipelines.cancel(tenant, pipeline_run)
        async with self._database.tenant(tenant) as transaction:
            await store.stopped(transaction, run)

    # Within the transaction

    async def _thread_in(
        self, transaction: TenantTransaction, principal: Principal, order: RunOrder, chosen: Chosen
    ) -> tuple[ThreadId, JsonObject]:
        """The run's thread, locked, and its configuration."""
        thread = order.thread or ThreadId(new_id())
        if order.thread is None or order.if_not_exists is IfNotExists.CREATE:
            await store.insert_thread(
                transaction,
                thread,
                is_stateless=order.thread is None,
                created_by=principal.name,
                owner=owner_of(principal),
                graph=chosen.agent.name,
            )
        row = await store.lock_thread(transaction, thread)
        if row is None:
            raise AgentUnknown(f"There is no thread {thread}; make it first, or send if_not_exists 'create'.")
        return thread, row["config"]

    async def _make_room_in(
        self, transaction: TenantTransaction, multitask: Multitask, thread: ThreadId
    ) -> Sequence[tuple[AgentRunId, RunId | None]]:
        """Apply the policy for a busy thread; what has to be cancelled after the commit."""
        before = await store.unfinished(transaction, thread)
        match multitask:
            case Multitask.ENQUEUE:
                return []
            case Multitask.REJECT:
                if before:
                    raise ThreadBusy(
                        f"The thread {thread} has an unfinished run and 'reject' was asked for. "
                        "Wait for it, or send multitask_strategy 'enqueue', 'interrupt' or 'rollback'."
                    )
                return []
            case Multitask.INTERRUPT | Multitask.ROLLBACK:
                action = Cancellation.INTERRUPT if multitask is Multitask.INTERRUPT else Cancellation.ROLLBACK
                return [await self._stop_in(transaction, row, action, reason="replaced") for row in before]

    async def _stop_in(
        self, transaction: TenantTransaction, row: Row, action: Cancellation, *, reason: str
    ) -> tuple[AgentRunId, RunId | None]:
        run, led = AgentRunId(row["id"]), row["pipeline_run"]
        if action is Cancellation.ROLLBACK:
            await store.delete_run(transaction, run)  # first: it waits for checkpoints under way
            await checkpoints.undo_run_in(transaction, str(run))
        else:
            await store.finish(transaction, run, status=AgentRunStatus.INTERRUPTED, reason=reason, stops=True)
            await _announce_stop(transaction, run)
        return run, RunId(led) if led else None

    async def _get_in(self, transaction: TenantTransaction, run: UUID) -> Row:
        row = await store.find_run(transaction, run)
        if row is None:
            raise AgentUnknown(f"There is no agent run {run}.")
        return row

    async def _after(
        self, tenant: TenantId, stopped: Sequence[tuple[AgentRunId, RunId | None]], *, is_led: bool
    ) -> None:
        """What the commit allows; a crash before it is made up for by the sweep."""
        if is_led:
            await self._leading.ring()
        for run, pipeline_run in stopped:
            if pipeline_run is not None:
                await self.finish_stopping(tenant, run, pipeline_run)


async def _announce_stop(transaction: TenantTransaction, identifier: AgentRunId) -> None:
    row = await store.find_run(transaction, identifier)
    assert row is not None
    run = read_run(row)
    event = AgentRunFinished(run.id, run.thread, run.graph, run.status, run.order.webhook)
    await publish(transaction, topic=event.TOPIC, payload=event.payload())


def _check(order: RunOrder) -> None:
    if order.command is not None and not set(order.command) <= {"resume", "update", "goto"}:
        raise AgentInputInvalid(f"command has {', '.join(order.command)}; it takes resume, update and goto.")
    if order.key is not None and not 1 <= len(order.key) <= 200:
        raise AgentInputInvalid(f"The key has {len(order.key)} characters; use 1 to 200.")
    if not 0 <= order.delay_seconds <= 366 * 86_400:
        raise AgentInputInvalid(f"after_seconds is {order.delay_seconds}; it must be 0 to a year.")


def join_configs(*configs: JsonObject) -> JsonObject:
    """Configurations, each over those before it; what is in `configurable` is joined one by one."""
    joined: JsonObject = {}
    configurable: JsonObject = {}
    for config in configs:
        joined |= config
        each = config.get("configurable")
        configurable |= each if isinstance(each, dict) else {}
    if configurable:
        joined["configurable"] = configurable
    return joined


def _row(
    principal: Principal, order: RunOrder, chosen: Chosen, thread: ThreadId, config: JsonObject
) -> dict[str, object]:
    return {
        "id": new_id(),
        "thread": thread,
        "assistant": chosen.id,
        "graph": chosen.agent.name,
        "multitask": order.multitask,
        "input": maybe_json(order.input),
        "command": maybe_json(order.command),
        "checkpoint": maybe_json(order.checkpoint),
        "config": as_json(join_configs(chosen.config, config, order.config)),
        "context": as_json({**chosen.context, **order.context}),
        "metadata": as_json(order.metadata),
        "kwargs": as_json(order.kwargs),
        "caller": as_json(principal),
        "stream_modes": [mode.value for mode in order.stream.modes],
        "stream_subgraphs": order.stream.subgraphs,
        "interrupt_before": list(order.interrupt_before),
        "interrupt_after": list(order.interrupt_after),
        "durability": order.durability,
        "on_completion": order.on_completion,
        "webhook": order.webhook,
        "delay": order.delay_seconds,
        "key": order.key,
    }
