"""Following runs: one run's story as parts, or a thread's runs one after the other as protocol events.

Both read the pipeline run's story from its beginning, so that everybody is told the same; what a client has already is
passed over by its number. Bounded memory, catching up, wipes and restarts are `LiveEvents`' concern.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId
from mainspring.orchestration.agents.errors import AgentUnknown
from mainspring.orchestration.agents.runs import AgentRuns
from mainspring.orchestration.agents.server.runs import store
from mainspring.orchestration.agents.server.runs.service import gather_interrupts
from mainspring.orchestration.agents.server.threads.service import Threads
from mainspring.orchestration.agents.types import (
    AgentRun,
    AgentRunId,
    AgentRunStatus,
    JsonObject,
    ThreadId,
    ThreadStatus,
)
from mainspring.orchestration.pipelines import LiveEvents
from mainspring.orchestration.pipelines.types import RunEvent

from .protocol import Ending, ProtocolEvent, RunStory, seq_at
from .watch import ThreadWatch, wait_for

_LOOK_SECONDS = 0.25
_IDLE_SECONDS = 1.0
_SETTLING_SECONDS = 5.0
_HELD_SECONDS = 0.5
"""How long after its submission a run's question is held back, if the run came to it sooner.

LangGraph's clients subscribe after they were told that the run has started, and stop reading when they are told of a
question. A run that asks within milliseconds would be over for them before they have read anything.
"""
_SLACK = timedelta(minutes=1)
"""How far the clocks of Postgres, Valkey and workers may be apart."""


@dataclass(frozen=True, slots=True)
class Followed:
    """What a feed needs."""

    database: Database
    runs: AgentRuns
    threads: Threads
    live: LiveEvents
    watch: ThreadWatch


class Feed:
    """Follows runs for any number of clients."""

    def __init__(self, followed: Followed) -> None:
        self._from = followed

    async def iter_story(self, run: AgentRun) -> AsyncGenerator[list[RunEvent]]:
        """The run's story in batches, from its beginning to its end; an empty batch when nothing came for a while."""
        with self._from.watch.watching(run.tenant, run.thread) as bell:
            while run.pipeline_run is None and not run.status.is_final and not self._from.watch.is_closed:
                bell.clear()
                run = await self._from.runs.get(run.tenant, run.id)
                if run.pipeline_run is None:
                    yield []
                    await wait_for(bell, _LOOK_SECONDS)
        if run.pipeline_run is None:
            return
        async with self._from.live.follow(run.tenant, run.pipeline_run) as following:
            while not following.is_over:
                yield await following.batch(_IDLE_SECONDS)

    async def end_of(self, run: AgentRun) -> tuple[AgentRun, Ending]:
        """The run as it ended; called when its story is over."""
        until = asyncio.get_running_loop().time() + _SETTLING_SECONDS
        while not run.status.is_final:
            try:
                run = await self._from.runs.get(run.tenant, run.id)
            except AgentUnknown:  # rolled back: nothing is left of it
                return run, Ending(AgentRunStatus.INTERRUPTED, None, datetime.now(UTC))
            if not run.status.is_final:
                if asyncio.get_running_loop().time() > until:
                    break
                await asyncio.sleep(0.02)
        waiting = await self._waiting(run) if run.status is AgentRunStatus.SUCCESS else ()
        error = run.error.detail if run.error else None
        status = run.status if run.status.is_final else AgentRunStatus.INTERRUPTED
        return run, Ending(status, error, run.finished_at or datetime.now(UTC), waiting)

    async def iter_runs(
        self, tenant: TenantId, thread: ThreadId, *, after: int = 0, since: int | None = None
    ) -> AsyncGenerator[AgentRun | None]:
        """The thread's runs after an ordinal in order, those to come as well; None while there is none. Never ends.

        since  passes over runs that ended before this number of the event protocol
        """
        with self._from.watch.watching(tenant, thread) as bell:
            while not self._from.watch.is_closed:
                bell.clear()
                row = await self._find_next(tenant, thread, after)
                if row is None:
                    yield None
                    await wait_for(bell, _IDLE_SECONDS)
                    continue
                after = row.ordinal
                if since is not None and row.finished_at and seq_at(row.finished_at + _SLACK) < since:
                    continue
                try:
                    run = await self._from.runs.get(tenant, row.id)
                except AgentUnknown:
                    continue
                yield run

    async def iter_thread(
        self, tenant: TenantId, thread: ThreadId, *, since: int | None = None
    ) -> AsyncGenerator[list[ProtocolEvent]]:
        """Protocol events of all runs of the thread, those to come as well; it need not exist yet. Never ends.

        since  only events numbered above
        """
        async with aclosing(self.iter_runs(tenant, thread, since=since)) as runs:
            async for run in runs:
                if run is None:
                    yield []
                    continue
                async with aclosing(self._iter_run(run)) as batches:
                    async for events in batches:
                        yield [each for each in events if since is None or each.seq > since]

    async def _iter_run(self, run: AgentRun) -> AsyncGenerator[list[ProtocolEvent]]:
        story = RunStory(run.id, run.graph)
        try:
            async with aclosing(self.iter_story(run)) as batches:
                async for batch in batches:
                    yield [event for each in batch for event in story.feed(each)]
        except AgentUnknown:
            pass  # rolled back before it began
        if not self._from.watch.is_closed:
            _, ending = await self.end_of(run)
            if story.asks(ending):
                await self._hold_back(run)
            yield story.finish(ending)

    async def _hold_back(self, run: AgentRun) -> None:
        passed = (datetime.now(UTC) - run.created_at).total_seconds()
        await asyncio.sleep(min(_HELD_SECONDS, max(0.0, _HELD_SECONDS - passed)))

    async def _waiting(self, run: AgentRun) -> tuple[JsonObject, ...]:
        """What waits for somebody since the run, if no other came after it."""
        thread = await self._from.threads.find(run.tenant, run.thread)
        if thread is None or thread.status is not ThreadStatus.INTERRUPTED:
            return ()
        is_last = await self._find_next(run.tenant, run.thread, run.ordinal) is None
        return tuple(gather_interrupts(thread.interrupts)) if is_last else ()

    async def _find_next(self, tenant: TenantId, thread: ThreadId, after: int) -> "_Next | None":
        async with self._from.database.tenant(tenant) as transaction:
            row = await store.find_next(transaction, thread, after=after)
        return _Next(AgentRunId(row["id"]), row["ordinal"], row["finished_at"]) if row else None


@dataclass(frozen=True, slots=True)
class _Next:
    id: AgentRunId
    ordinal: int
    finished_at: datetime | None
