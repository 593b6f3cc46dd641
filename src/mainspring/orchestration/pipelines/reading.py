"""Reading a run from both places at once: milestones from Postgres, live events from the stream.

Before a milestone is shown, the stream learns of it: the script raises the stream to the last
milestone that was read, so that every live event to come is ordered behind what clients have seen.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from mainspring.foundation.clock import now
from mainspring.foundation.db import Database, Row
from mainspring.foundation.ids import TenantId

from . import store
from .run_rows import read_run, run_not_found
from .stream import Stream, Tail
from .types import EventId, EventType, Run, RunEvent, RunId

_JUST = timedelta(seconds=5)
_LAST_WORDS_SECONDS = 0.5
_LOOK_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Story:
    """What Postgres tells: the run, the number of its last milestone, and the milestones asked for.

    bound  number of the last milestone that may be shown: live events to come are ordered after it
    """

    run: Run
    last: int
    bound: int
    milestones: tuple[RunEvent, ...]


class StoryReader:
    """Reads stories of any tenant's runs."""

    def __init__(self, database: Database, stream: Stream) -> None:
        self._database = database
        self._stream = stream

    async def read_on(self, tenant: TenantId, run: RunId, place: EventId, seen: EventId) -> tuple[Story, Tail | None]:
        """Story and stream as of one moment; raises one of `ValkeyGone` or TimeoutError without the stream.

        place  milestones are read after it
        seen   live events are read after it
        """
        story = await self.read_story(tenant, run, after=place.milestone)
        if _has_just_ended(story.run):
            await self._await_end(tenant, run, story.last)
        tail = await self._stream.read(tenant, run, floor=story.last, after=seen)
        if tail and tail.top.milestone > story.last:
            story = await self.read_story(tenant, run, after=place.milestone, bound=tail.top.milestone)
        return story, tail

    async def _await_end(self, tenant: TenantId, run: RunId, last: int) -> None:
        """Let the worker bring its last words into the stream: after the end nothing is taken any more.

        A worker that was killed between its commit and these words costs this wait once.
        """
        until = asyncio.get_running_loop().time() + _LAST_WORDS_SECONDS
        while asyncio.get_running_loop().time() < until:
            tail = await self._stream.read(tenant, run, floor=0, after=EventId(last))
            if tail is None or tail.top.milestone >= last:
                return
            await asyncio.sleep(_LOOK_SECONDS)

    async def read_story(self, tenant: TenantId, run: RunId, *, after: int, bound: int | None = None) -> Story:
        """The story without the stream."""
        async with self._database.tenant(tenant) as transaction:
            row = await store.find_run(transaction, run)
            if row is None:
                raise run_not_found(run)
            rows = await store.read_story(transaction, run, after) if row["event_seq"] > after else []
        last = int(row["event_seq"])
        limit = last if bound is None else bound
        milestones = tuple(_milestone(run, each) for each in rows if each["seq"] <= limit)
        return Story(read_run(row), last, limit, milestones)


def _has_just_ended(run: Run) -> bool:
    """Whether its worker may still be telling of it; the clocks of two machines may differ a little."""
    return run.finished_at is not None and abs(now() - run.finished_at) < _JUST


def _milestone(run: RunId, row: Row) -> RunEvent:
    return RunEvent(EventId(row["seq"], 0), EventType(row["type"]), run, row["at"], row["facts"])
