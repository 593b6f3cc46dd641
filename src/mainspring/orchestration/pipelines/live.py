"""Following a run: its whole story once, in one order, from any point on, until `run.finished`.

A reader stands at an id. It reads on in one of two ways: it takes an event from its inbox, if that
event follows on directly, or it catches up: milestones from Postgres, live events from the stream,
merged by id. Whatever is out of the ordinary (a gap, a wipe, a slow client, an engine away) leads
to catching up, so there is one path to get right.

When the stream can not tell all that lies behind the reader's id, a `snapshot` follows the
milestones: the run as it stands and the whole text of each message, which a client puts in place of
what it has.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from mainspring.foundation.clock import now
from mainspring.foundation.db import Database, DatabaseGone
from mainspring.foundation.errors import BadRequest, NotFound
from mainspring.foundation.ids import TenantId
from mainspring.foundation.telemetry import get_logger
from mainspring.foundation.valkey import Valkey, ValkeyGone

from .hub import Hub, Inbox, Published
from .reading import Story, StoryReader
from .schemas import show_run
from .stream import Stream, Tail, read_event_id
from .types import EventId, EventType, RunEvent, RunId
from .wire import read_event

log = get_logger(__name__)

START = EventId()


class LiveEvents:
    """The streams of all runs, for any number of clients of this process."""

    def __init__(self, database: Database, valkey: Valkey) -> None:
        self._reader = StoryReader(database, Stream(valkey))
        self._hub = Hub(database, valkey)

    async def close(self) -> None:
        """End every stream; clients resume elsewhere with the id they hold."""
        await self._hub.close()

    async def is_over(self, tenant: TenantId, run: RunId, after: str | None) -> bool:
        """Whether nothing will ever follow `after`. NotFound as `Pipelines.get_run`."""
        place = read_place(after)
        story = await self._reader.read_story(tenant, run, after=place.milestone)
        return story.run.status.is_final and place.milestone == story.last

    async def iter_events(self, tenant: TenantId, run: RunId, after: str | None = None) -> AsyncGenerator[RunEvent]:
        """Every event after the id `after` (None: from the beginning), until the run has ended.

        raises   NotFound for an unknown or foreign run, BadRequest for an id that is none
        """
        async with self.follow(tenant, run, after) as following:
            while not following.is_over:
                for event in await following.batch(None):
                    yield event

    @asynccontextmanager
    async def follow(self, tenant: TenantId, run: RunId, after: str | None = None) -> AsyncGenerator["Following"]:
        """As `iter_events`, in batches and with patience: for servers that send keep-alives."""
        place = read_place(after)
        inbox = await self._hub.join(tenant, run)
        try:
            yield Following(self._reader, tenant, inbox, place)
        finally:
            await self._hub.leave(inbox)


class Following:
    """One client's reading of one run."""

    def __init__(self, reader: StoryReader, tenant: TenantId, inbox: Inbox, place: EventId) -> None:
        self._reader = reader
        self._tenant = tenant
        self._inbox = inbox
        self._place = place
        self._epoch: bytes | None = None
        self._has_read = False
        self._is_alone = False
        self._was_alone = False
        self._is_late = False
        self.is_over = False

    async def batch(self, patience: float | None) -> list[RunEvent]:
        """The next events, at least one unless `patience` seconds pass or the stream is over."""
        if events := await self._next():
            return events
        # A timer that wakes the reader costs a third of a timeout around each wait.
        self._is_late = False
        alarm = asyncio.get_running_loop().call_later(patience, self._ring) if patience is not None else None
        try:
            while not (self.is_over or self._is_late):
                await self._inbox.news.wait()
                if events := await self._next():
                    return events
        finally:
            if alarm:
                alarm.cancel()
        return []

    def end(self) -> None:
        """Tell nothing more."""
        self._inbox.close()

    def _ring(self) -> None:
        self._is_late = True
        self._inbox.news.set()

    async def _next(self) -> list[RunEvent]:
        self._inbox.news.clear()
        if self._inbox.is_closed:
            self.is_over = True
            return []
        events: list[RunEvent] = []
        while self._inbox.published and not self._inbox.is_nudged:
            published = self._inbox.published.popleft()
            if not self._follows_on(published):
                self._inbox.nudge()
            elif published.event.id > self._place:
                events.append(published.event)
                self._step_to(published.event.id)
                self.is_over = self.is_over or published.event.type is EventType.RUN_FINISHED
        if self._inbox.is_nudged:
            events += await self._catch_up()
        return events

    def _follows_on(self, published: Published) -> bool:
        """Whether nothing lies between this reader and the event, or the event is behind it."""
        if published.epoch != self._epoch:
            return False
        here, there = self._place, published.event.id
        if there <= here:
            return True
        reachable = here.milestone + 1 if there.live == 0 else here.milestone
        return published.previous <= here and there.milestone <= reachable

    async def _catch_up(self) -> list[RunEvent]:
        self._inbox.is_nudged = False
        self._inbox.published.clear()
        # Without a stream to compare with, live events behind this place may have been passed by.
        seen = START if self._has_read and self._epoch is None else self._place
        try:
            story, tail = await self._read(seen)
        except DatabaseGone as away:
            log.warning("live_story_away", error=type(away).__name__)
            self._inbox.is_nudged = True
            return []
        except NotFound:
            if not self._has_read:
                raise
            self.is_over = True  # the run was deleted while it was followed
            return []
        events = self._merge(story, tail)
        self._has_read = True
        self._epoch = tail.epoch if tail else None
        self._step_to(max([self._place, *(event.id for event in events), *([tail.top] if tail else [])]))
        self.is_over = story.run.status.is_final and self._place.milestone >= story.last
        if story.bound < story.last:
            self._inbox.nudge()
        return events

    async def _read(self, seen: EventId) -> tuple[Story, Tail | None]:
        """Story and stream, or the story alone while Valkey is away: the text follows when it is back."""
        try:
            story, tail = await self._reader.read_on(self._tenant, self._inbox.run, self._place, seen)
            self._is_alone = False
        except (*ValkeyGone, TimeoutError):
            story, tail = (
                await self._reader.read_story(self._tenant, self._inbox.run, after=self._place.milestone),
                None,
            )
            self._is_alone = self._was_alone = True
        if self._place.milestone > story.last:
            # An id of some other run: tell this one from its beginning.
            self._place = START
            return await self._read(START)
        return story, tail

    def _merge(self, story: Story, tail: Tail | None) -> list[RunEvent]:
        milestones = list(story.milestones)
        if tail is None:
            missed = self._place.live > 0 and not (self._has_read or self._is_alone or story.run.status.is_final)
            if missed:
                return [*milestones, self._snapshot(story, {}, EventId(story.bound))]
            return milestones or self._greeting(story)
        needs_snapshot, self._was_alone = self._needs_snapshot(tail), False
        if needs_snapshot:
            return self._with_snapshot(story, milestones, tail)
        live = [
            read_event(self._inbox.run, entry.id, entry.payload)
            for entry in tail.entries
            if entry.id.live > 0 and entry.id > self._place and not _is_after_end(entry.id, story)
        ]
        return sorted([*milestones, *live], key=lambda event: event.id) or self._greeting(story)

    def _needs_snapshot(self, tail: Tail) -> bool:
        if self._place < tail.since:
            return True
        if self._place == START or not self._has_read:
            return False
        passed_by = any(entry.id.live > 0 and entry.id <= self._place for entry in tail.entries)
        return self._was_alone or passed_by or self._epoch not in {None, tail.epoch}

    def _with_snapshot(self, story: Story, milestones: list[RunEvent], tail: Tail) -> list[RunEvent]:
        if not story.run.status.is_final:
            return [*milestones, self._snapshot(story, tail.messages, max(tail.top, EventId(story.bound)))]
        if not milestones or not tail.messages:
            return milestones
        before = milestones[-2].id if len(milestones) > 1 else self._place
        return [*milestones[:-1], self._snapshot(story, tail.messages, before), milestones[-1]]

    def _greeting(self, story: Story) -> list[RunEvent]:
        """Something at once for who comes before the run has started."""
        return [] if self._has_read or story.last else [self._snapshot(story, {}, START)]

    def _snapshot(self, story: Story, messages: dict[str, str], name: EventId) -> RunEvent:
        facts: dict[str, object] = {"run": show_run(story.run), "messages": messages}
        return RunEvent(max(name, self._place), EventType.SNAPSHOT, story.run.id, now(), facts)

    def _step_to(self, place: EventId) -> None:
        self._place = place
        self._inbox.milestone = place.milestone


def read_place(after: str | None) -> EventId:
    """The id a client holds; BadRequest when it is not one of ours."""
    if not after:
        return START
    try:
        return read_event_id(after)
    except ValueError:
        raise BadRequest(
            f"{after[:40]!r} is not the id of an event; send the last id you received, or none to start anew."
        ) from None


def _is_after_end(name: EventId, story: Story) -> bool:
    return story.run.status.is_final and name.milestone >= story.last
