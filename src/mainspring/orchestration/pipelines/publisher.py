"""Brings a worker's events into the live streams: in order, in batches, and never in the way of the work.

Milestones are in Postgres already, so one that Valkey does not take is dropped. Text is kept until
the step ends: what was not taken is sent again with what came since, whole if need be. The steps
themselves never wait for Valkey.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import msgspec

from mainspring.foundation.db import DatabaseGone
from mainspring.foundation.ids import TenantId
from mainspring.foundation.telemetry import get_logger
from mainspring.foundation.valkey import Valkey, ValkeyGone

from .backoff import Backoff
from .consequences import FanProgress
from .outcomes import Lease
from .story import Milestone
from .stream import Entry, Kind, Stream, Verdict
from .types import EventType, RunId
from .unheard import Unheard

log = get_logger(__name__)

COALESCE_SECONDS = 0.02
MAX_BATCH = 256
MAX_QUEUE = 20_000
_NO_TOKEN = UUID(int=0)

FindFloor = Callable[[TenantId, RunId], Awaitable[int]]
"""Reads the number of a run's last milestone from Postgres."""


@dataclass(slots=True, eq=False)
class MessageBuffer:
    """The text of one streamed message: what the stream has, and what it does not have yet.

    floor  number of the milestone that started this attempt
    """

    lease: Lease
    message: str
    floor: int
    sent: str = ""
    pending: str = ""
    is_queued: bool = False
    is_refused: bool = False
    is_floor_known: bool = False

    def entry(self, at: datetime) -> Entry:
        """The next delta: what is pending, or the whole text when the stream has lost the start."""
        facts: dict[str, object] = {
            "type": EventType.MESSAGE_DELTA.value,
            "at": at,
            **self.lease.facts,
            "message": self.message,
            "delta": self.pending,
        }
        if not self.sent:
            facts["reset"] = True
        return Entry(
            tenant=self.lease.tenant,
            run=self.lease.run,
            kind=Kind.DELTA,
            floor=self.floor,
            payload=msgspec.json.encode(facts).decode(),
            step=self.lease.place,
            attempt=self.lease.attempt,
            message=self.message,
            offset=len(self.sent.encode()),
            text=self.pending,
            is_floor_known=self.is_floor_known,
        )

    @property
    def has_news(self) -> bool:
        """Whether there is something to send, and anybody to take it."""
        return bool(self.pending) and not self.is_refused

    def start_over(self) -> None:
        """Send the whole text next time."""
        self.pending = self.sent + self.pending
        self.sent = ""


@dataclass(slots=True, eq=False)
class Emitted:
    """One event that a step emitted: sent in its turn, and once."""

    lease: Lease
    floor: int
    facts: dict[str, object]

    def entry(self, at: datetime) -> Entry:
        """The live event."""
        return _live(self.lease, self.floor, EventType.STEP_EMITTED, at, self.facts)


@dataclass(slots=True, eq=False)
class Progress:
    """The latest progress of one step; older ones that were not sent yet are overwritten."""

    lease: Lease
    floor: int
    facts: dict[str, object] = field(default_factory=dict[str, object])
    is_queued: bool = False

    def entry(self, at: datetime) -> Entry:
        """The progress as a live event."""
        return _live(self.lease, self.floor, EventType.STEP_PROGRESS, at, self.facts)


def _live(lease: Lease, floor: int, kind: EventType, at: datetime, facts: Mapping[str, object]) -> Entry:
    told = {"type": kind.value, "at": at, **lease.facts, **facts}
    return Entry(
        tenant=lease.tenant,
        run=lease.run,
        kind=Kind.LIVE,
        floor=floor,
        payload=msgspec.json.encode(told).decode(),
        step=lease.place,
        attempt=lease.attempt,
    )


Item = Milestone | MessageBuffer | Progress | Emitted | Entry


class Publisher:
    """One queue, emptied by `run`. Putting something in never waits."""

    def __init__(self, valkey: Valkey, *, find_floor: FindFloor, clock: Callable[[], datetime]) -> None:
        self._stream = Stream(valkey)
        self._unheard = Unheard(valkey)
        self._find_floor = find_floor
        self._clock = clock
        self._queue: deque[Item] = deque()
        self._fans: dict[tuple[RunId, str], Progress] = {}
        self._wake = asyncio.Event()
        self._urgent = asyncio.Event()
        self._backoff = Backoff()
        self._is_sending = False

    @property
    def kept(self) -> int:
        """How many things it holds in memory: what is to be sent, and nothing once that was done."""
        return len(self._queue) + len(self._fans)

    def tell(self, milestones: Sequence[Milestone]) -> None:
        """Publish what was committed."""
        if not milestones:
            return
        self._queue.extend(milestones)
        self._trim()
        self._wake.set()
        self._urgent.set()

    def put(self, item: MessageBuffer | Progress) -> None:
        """Publish what is in the buffer, together with what comes within the next milliseconds."""
        if not item.is_queued:
            item.is_queued = True
            self._queue.append(item)
            self._wake.set()

    def emit(self, item: Emitted) -> None:
        """Publish it after what was put in before."""
        self._queue.append(item)
        self._trim()
        self._wake.set()

    def tell_fans(self, fans: Sequence[FanProgress]) -> None:
        """Publish how far fan-outs are, the latest of each."""
        for fan in fans:
            key = (fan.run, fan.step)
            if key not in self._fans:
                lease = Lease(fan.tenant, fan.run, fan.step, "", _NO_TOKEN, fan.attempt)
                self._fans[key] = Progress(lease, fan.floor)
            progress = self._fans[key]
            progress.facts = {"text": f"{fan.done} of {fan.total}", "done": fan.done, "total": fan.total}
            self.put(progress)

    def touch(self, leases: Sequence[Lease]) -> None:
        """Renew the expiry of the streams of these steps."""
        for lease in leases:
            self._queue.append(Entry(lease.tenant, lease.run, Kind.TOUCH, 0, ""))
        self._wake.set()

    async def run(self) -> None:
        """Publish until cancelled."""
        loop = asyncio.get_running_loop()
        last_sent = 0.0
        while True:
            if not self._queue:
                self._wake.clear()
                await self._wake.wait()
            rest = last_sent + COALESCE_SECONDS - loop.time()
            if rest > 0 and not self._urgent.is_set():
                await _wait(self._urgent, rest)
            self._urgent.clear()
            await self._send_batch()
            last_sent = loop.time()
            if any(isinstance(item, Milestone) for item in self._queue):
                self._urgent.set()

    async def drain(self, patience: float) -> None:
        """Wait until everything was published, at most `patience` seconds."""
        until = asyncio.get_running_loop().time() + patience
        while (self._queue or self._is_sending) and asyncio.get_running_loop().time() < until:
            self._urgent.set()
            self._wake.set()
            await asyncio.sleep(0.005)

    async def _send_batch(self) -> None:
        self._is_sending = True
        try:
            items: list[Item] = await self._unheard.sift(self._take_batch(), _run_of)
            at = self._clock()
            entries = [_entry(item, at) for item in items]
            if entries:
                await self._send(items, entries)
        finally:
            self._is_sending = False

    def _trim(self) -> None:
        """Forget the oldest of what Valkey did not take while it was away."""
        while len(self._queue) > MAX_QUEUE:
            dropped = self._queue.popleft()
            if isinstance(dropped, MessageBuffer | Progress):
                self._lower(dropped)

    def _lower(self, item: MessageBuffer | Progress) -> None:
        """It is in the queue no more. How far a fan-out is, is known until then only: others may see it end."""
        item.is_queued = False
        if isinstance(item, Progress) and item.lease.token == _NO_TOKEN:
            self._fans.pop((item.lease.run, item.lease.name), None)

    def _take_batch(self) -> list[Item]:
        """The next items, their flags lowered: what is written from now on queues them again, in its place."""
        items = [self._queue.popleft() for _ in range(min(MAX_BATCH, len(self._queue)))]
        taken: dict[int, Item] = {}
        for item in items:
            if isinstance(item, MessageBuffer | Progress):
                self._lower(item)
                if id(item) in taken or (isinstance(item, MessageBuffer) and not item.has_news):
                    continue  # a buffer that was put back may have been queued again meanwhile
            taken[id(item)] = item
        return list(taken.values())

    async def _send(self, items: Sequence[Item], entries: Sequence[Entry]) -> None:
        try:
            verdicts = await self._stream.append(entries)
        except (*ValkeyGone, TimeoutError) as away:
            log.warning("stream_away", error=type(away).__name__)
            self._put_back([item for item in items if isinstance(item, MessageBuffer)])
            await self._backoff.wait()
            return
        self._backoff.reset()
        again = [
            item
            for item, entry, verdict in zip(items, entries, verdicts, strict=True)
            if isinstance(item, MessageBuffer) and await self._judge(item, entry, verdict)
        ]
        self._put_back(again)
        if again:
            self._urgent.set()

    def _put_back(self, buffers: Sequence[MessageBuffer]) -> None:
        for buffer in reversed(buffers):
            buffer.is_queued = True
            self._queue.appendleft(buffer)

    async def _judge(self, buffer: MessageBuffer, entry: Entry, verdict: Verdict) -> bool:
        """Act on the script's verdict about a delta; True to send the whole text at once."""
        buffer.is_floor_known = False
        match verdict:
            case Verdict.TAKEN:
                buffer.sent += entry.text
                buffer.pending = buffer.pending[len(entry.text) :]
                return False
            case Verdict.GAP:
                buffer.start_over()
                return True
            case Verdict.UNKNOWN:
                buffer.start_over()
                return await self._learn_floor(buffer)
            case _:
                buffer.is_refused = True
                return False

    async def _learn_floor(self, buffer: MessageBuffer) -> bool:
        try:
            buffer.floor = await self._find_floor(buffer.lease.tenant, buffer.lease.run)
        except DatabaseGone:
            await self._backoff.wait()
            return True
        buffer.is_floor_known = True
        return True


async def publish_now(valkey: Valkey, milestones: Sequence[Milestone]) -> None:
    """Publish milestones from outside a worker; they are in Postgres, so failing is no loss."""
    try:
        await Stream(valkey).append([_milestone_entry(milestone) for milestone in milestones])
    except (*ValkeyGone, TimeoutError) as away:
        log.debug("stream_away", error=type(away).__name__)


def _run_of(item: Item) -> RunId | None:
    """The run in which something live is said."""
    return None if isinstance(item, Milestone | Entry) else item.lease.run


def _entry(item: Item, at: datetime) -> Entry:
    match item:
        case Milestone():
            return _milestone_entry(item)
        case Entry():
            return item
        case _:
            return item.entry(at)


def _milestone_entry(milestone: Milestone) -> Entry:
    payload = {"type": milestone.type.value, "at": milestone.at, **milestone.facts}
    kinds = {EventType.STEP_STARTED: Kind.START, EventType.RUN_FINISHED: Kind.END}
    return Entry(
        tenant=milestone.tenant,
        run=milestone.run,
        kind=kinds.get(milestone.type, Kind.MILESTONE),
        floor=milestone.seq,
        payload=msgspec.json.encode(payload).decode(),
        step=str(milestone.facts.get("step", "")),
        attempt=milestone.attempt or 0,
    )


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
