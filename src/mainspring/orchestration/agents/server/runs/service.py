"""Runs as clients ask for them: on a thread or without one, many at once, stopped, waited for, forgotten."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from mainspring.foundation.db import Database
from mainspring.foundation.errors import Conflict
from mainspring.foundation.ids import TenantId
from mainspring.foundation.principal import Principal
from mainspring.orchestration.agents.errors import AgentRunNotCancellable, AgentUnknown
from mainspring.orchestration.agents.ownership import Ownership, seeing_hands
from mainspring.orchestration.agents.runs import AgentRuns
from mainspring.orchestration.agents.server.posts import Posts
from mainspring.orchestration.agents.server.streams.watch import ThreadWatch
from mainspring.orchestration.agents.server.threads.service import Threads
from mainspring.orchestration.agents.types import (
    AgentRun,
    AgentRunId,
    AgentRunStatus,
    Cancellation,
    Json,
    JsonObject,
    RunOrder,
    ThreadId,
)

from . import store

MOST_AT_ONCE = 200


class RunDesk:
    """Takes orders for runs and answers for them."""

    def __init__(self, database: Database, runs: AgentRuns, threads: Threads, watch: ThreadWatch, posts: Posts) -> None:
        self._posts = posts
        self._ownership = Ownership(database)
        self._database = database
        self._runs = runs
        self._threads = threads
        self._watch = watch

    async def submit(self, principal: Principal, order: RunOrder) -> AgentRun:
        """Start the run, or let it wait its turn; its thread's watchers are told. AgentUnknown for another's thread."""
        if order.thread is not None:
            await self._ownership.require(principal, [order.thread])
        if order.webhook is not None:
            await self._posts.prepare(principal, order.webhook)
        run = await self._runs.submit(principal, order)
        await self._watch.ring(principal.tenant, run.thread)
        return run

    async def submit_batch(self, principal: Principal, orders: Sequence[RunOrder]) -> list[AgentRun]:
        """Start one after the other; the first that is refused ends it, those before it stay."""
        return [await self.submit(principal, order) for order in orders]

    async def get(self, tenant: TenantId, thread: ThreadId | None, run: AgentRunId) -> AgentRun:
        """The run, which must be of the thread if one is named. AgentUnknown."""
        found = await self._runs.get(tenant, run)
        if thread is not None and found.thread != thread:
            raise AgentUnknown(f"There is no agent run {run}.")
        return found

    async def list_of_thread(
        self, tenant: TenantId, thread: ThreadId, *, status: AgentRunStatus | None, limit: int, offset: int
    ) -> Sequence[AgentRun]:
        """The thread's runs, newest first. AgentUnknown for a thread that is not there."""
        await self._threads.get(tenant, thread)
        return await self._runs.list_of_thread(tenant, thread, status=status, limit=limit, offset=offset)

    async def cancel(self, run: AgentRun, action: Cancellation) -> None:
        """Stop the run; one that is over stays as it is."""
        try:
            await self._runs.cancel(run.tenant, run.id, action)
        except AgentRunNotCancellable:
            if action is Cancellation.ROLLBACK:
                raise
        await self._watch.ring(run.tenant, run.thread)

    async def cancel_many(
        self, principal: Principal, runs: Sequence[AgentRunId], thread: ThreadId | None, action: Cancellation
    ) -> int:
        """Stop these runs; how many were stopped. AgentUnknown when one of them is not there for the caller."""
        found = [await self.get(principal.tenant, thread, each) for each in runs]
        await self._ownership.require(principal, {each.thread for each in found})
        unfinished = [each for each in found if not each.status.is_final]
        for each in unfinished:
            await self.cancel(each, action)
        return len(unfinished)

    async def list_unfinished(self, principal: Principal, thread: ThreadId | None, status: str) -> list[AgentRunId]:
        """Unfinished runs of the caller's threads or of one of them, 200 at most."""
        hands = seeing_hands(principal)
        async with self._database.tenant(principal.tenant) as transaction:
            found = await store.list_unfinished(
                transaction, thread=thread, status=status, hands=hands, limit=MOST_AT_ONCE
            )
        return [AgentRunId(each) for each in found]

    async def delete(self, tenant: TenantId, thread: ThreadId, run: AgentRunId) -> None:
        """Forget a finished run; what it did to the thread stays. Conflict for one that is not over."""
        found = await self.get(tenant, thread, run)
        if not found.status.is_final:
            raise Conflict(f"The run {run} is {found.status}; cancel it before it is deleted.")
        async with self._database.tenant(tenant) as transaction:
            await store.delete_finished(transaction, [run])

    async def wait(self, run: AgentRun, seconds: float) -> AgentRun | None:
        """The run once it is over; None when it is not by then, or its rollback left nothing of it."""
        deadline = asyncio.get_running_loop().time() + seconds
        with self._watch.watching(run.tenant, run.thread) as bell:
            while not run.status.is_final:
                rest = deadline - asyncio.get_running_loop().time()
                if rest <= 0 or self._watch.is_closed:
                    return None
                bell.clear()
                run = await self._runs.get(run.tenant, run.id)
                if not run.status.is_final:
                    await _pause(bell, min(rest, 0.1))
        return run

    async def result(self, run: AgentRun) -> Json:
        """What a finished run came to: its thread's values, with what waits for a person, or its error."""
        if run.error is not None:
            return {"__error__": {"error": run.error.code, "message": run.error.detail}}
        thread = await self._threads.find(run.tenant, run.thread)
        if thread is None:
            return {}
        waiting = gather_interrupts(thread.interrupts)
        values = thread.values if thread.values is not None else {}
        if waiting and isinstance(values, dict):
            return {**values, "__interrupt__": [*waiting]}
        return values

    async def find_last_ordinal(self, tenant: TenantId, thread: UUID) -> int:
        """How many runs the thread had."""
        async with self._database.tenant(tenant) as transaction:
            return await store.find_last_ordinal(transaction, thread)


def gather_interrupts(interrupts: Mapping[str, Json]) -> list[JsonObject]:
    """What waits in a thread, whichever task it waits in."""
    return [
        each
        for waiting in interrupts.values()
        if isinstance(waiting, list)
        for each in waiting
        if isinstance(each, dict)
    ]


def on_thread(order: RunOrder, thread: ThreadId) -> RunOrder:
    """The same order on a thread."""
    return replace(order, thread=thread)


async def _pause(bell: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await bell.wait()
    except TimeoutError:
        return
