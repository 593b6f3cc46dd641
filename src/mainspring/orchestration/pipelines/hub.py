"""One subscription for the whole process, and a bounded inbox for each client that follows a run.

The hub brings two things to an inbox: events as they are published, and nudges. A nudge says
"look for yourself": a subscription was (re)made, events did not fit into the inbox, or Postgres
holds milestones that no one published, as after a worker was killed between commit and publish.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field

from redis.asyncio.client import PubSub

from mainspring.foundation.db import Database, DatabaseGone
from mainspring.foundation.ids import TenantId
from mainspring.foundation.stopping import stop_all
from mainspring.foundation.telemetry import get_logger
from mainspring.foundation.valkey import Valkey, ValkeyGone

from . import store
from .backoff import Backoff
from .stream import PATIENCE_SECONDS, read_event_id, stream_keys
from .types import EventId, RunEvent, RunId
from .wire import read_event

log = get_logger(__name__)

MAX_INBOX = 1_000
WATCH_SECONDS = 1.0
WATCH_ALONE_SECONDS = 0.2
_IDLE_CHANNEL = "pipelines:idle"


@dataclass(frozen=True, slots=True)
class Published:
    """An event as it was published.

    epoch     names the stream it is in
    previous  the id given before: whoever stands below it has missed something
    """

    epoch: bytes
    previous: EventId
    event: RunEvent


@dataclass(slots=True, eq=False)
class Inbox:
    """What one client has not read yet. `milestone` is how far its reader has come."""

    run: RunId
    channel: str
    published: deque[Published] = field(default_factory=deque[Published])
    milestone: int = 0
    is_nudged: bool = True
    is_closed: bool = False
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, published: Published) -> None:
        """Add an event; a client too slow for its inbox is nudged instead and reads the stream."""
        if len(self.published) >= MAX_INBOX:
            self.nudge()
        elif not self.is_nudged:
            self.published.append(published)
            self.news.set()

    def nudge(self) -> None:
        """Have the client read for itself; what waits in the inbox is part of that."""
        self.published.clear()
        self.is_nudged = True
        self.news.set()

    def close(self) -> None:
        """The server goes down, or the client may be told no more."""
        self.is_closed = True
        self.news.set()


class Hub:
    """Inboxes by channel. Its two tasks start with the first inbox."""

    def __init__(self, database: Database, valkey: Valkey) -> None:
        self._database = database
        self._valkey = valkey
        self._inboxes: dict[str, set[Inbox]] = {}
        self._subscription: PubSub | None = None
        self._changing = asyncio.Lock()
        self._is_heard = False
        self._tasks: list[asyncio.Task[None]] = []
        self._watch_bell = asyncio.Event()

    async def join(self, tenant: TenantId, run: RunId) -> Inbox:
        """Open an inbox, nudged to begin with."""
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._watch())]
        inbox = Inbox(run, stream_keys(tenant, run)[0])
        others = self._inboxes.setdefault(inbox.channel, set())
        others.add(inbox)
        if len(others) == 1:
            await self._match(inbox.channel)
        return inbox

    async def leave(self, inbox: Inbox) -> None:
        """Close an inbox."""
        others = self._inboxes.get(inbox.channel, set())
        others.discard(inbox)
        if not others and self._inboxes.pop(inbox.channel, None) is not None:
            await self._match(inbox.channel)

    async def close(self) -> None:
        """End every client's stream and both tasks."""
        for inboxes in self._inboxes.values():
            for inbox in inboxes:
                inbox.close()
        await stop_all(self._tasks)
        self._tasks = []

    async def _match(self, channel: str) -> None:
        """Subscribe or unsubscribe, as the inboxes are by now; one change at a time, so that the last one counts.

        When that fails, the listener makes a new subscription to every channel.
        """
        async with self._changing:
            subscription = self._subscription
            if subscription is None:
                return
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    if channel in self._inboxes:
                        await subscription.subscribe(channel)
                    else:
                        await subscription.unsubscribe(channel)
            except (*ValkeyGone, TimeoutError, RuntimeError) as away:
                log.debug("subscription_not_changed", error=type(away).__name__)

    async def _listen(self) -> None:
        backoff = Backoff()
        while True:
            try:
                async with self._valkey.pubsub() as subscription:
                    await subscription.subscribe(_IDLE_CHANNEL, *self._inboxes)
                    self._subscription = subscription
                    await self._hear(subscription, backoff)
            except (*ValkeyGone, RuntimeError) as away:
                log.warning("live_events_away", error=type(away).__name__)
            finally:
                self._subscription = None
                self._is_heard = False
            self._watch_bell.set()
            await backoff.wait()

    async def _hear(self, subscription: PubSub, backoff: Backoff) -> None:
        # What came between listing the channels and being ready to change them.
        await subscription.subscribe(_IDLE_CHANNEL, *self._inboxes)
        while True:
            message = await subscription.get_message(timeout=5.0)
            if message is None:
                continue
            name, data = message["channel"], message["data"]
            channel = name.decode() if isinstance(name, bytes) else ""
            if message["type"] == "subscribe":
                backoff.reset()
                self._is_heard = True
                for inbox in self._inboxes.get(channel, ()):
                    inbox.nudge()
            elif isinstance(data, bytes):
                self._deliver(channel, data)

    def _deliver(self, channel: str, data: bytes) -> None:
        inboxes = self._inboxes.get(channel)
        if not inboxes:
            return
        run = next(iter(inboxes)).run
        epoch, previous, name, payload = data.split(b" ", 3)
        published = Published(epoch, read_event_id(previous), read_event(run, read_event_id(name), payload))
        for inbox in inboxes:
            inbox.put(published)

    async def _watch(self) -> None:
        """Nudge clients that are behind Postgres; often, when nothing can be heard from Valkey."""
        while True:
            try:
                async with asyncio.timeout(WATCH_SECONDS if self._is_heard else WATCH_ALONE_SECONDS):
                    await self._watch_bell.wait()
            except TimeoutError:
                pass
            self._watch_bell.clear()
            if not self._inboxes:
                continue
            try:
                await self._compare()
            except DatabaseGone as away:
                log.warning("live_watch_failed", error=type(away).__name__)

    async def _compare(self) -> None:
        runs = {inbox.run for inboxes in self._inboxes.values() for inbox in inboxes}
        async with self._database.system() as transaction:
            rows = await store.find_positions(transaction, list(runs))
        last = {row["id"]: int(row["event_seq"]) for row in rows}
        for inboxes in self._inboxes.values():
            for inbox in inboxes:
                if inbox.is_nudged or inbox.milestone < last.get(inbox.run, 0):
                    inbox.nudge()
