"""From the spool to Postgres: within a second, in batches, any number of times.

Shipping is idempotent by record id, so a process that dies between the commit and the emptying
of its file does no harm. While Postgres is away the spool grows and nothing else happens. Files
of dead processes are looked for at the start and every 15 seconds; what the limits still hold for
their calls is settled then.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import psycopg

from mainspring.foundation.db import Database, DatabaseGone
from mainspring.foundation.errors import Unavailable
from mainspring.foundation.telemetry import get_logger
from mainspring.foundation.valkey import ValkeyGone

from . import store
from .spool import Entry, Segment, SpooledCall

log = get_logger(__name__)

SHIP_SECONDS = 0.2
SYNC_SECONDS = 0.05
ADOPT_SECONDS = 15.0
BATCH = 3000
FULL_BYTES = 32 * 1024 * 1024

SettleOrphan = Callable[[Entry], Awaitable[None]]


class Shipper:
    """Owns the spool files of this process and empties them into Postgres."""

    def __init__(self, directory: Path, database: Database, settle_orphan: SettleOrphan | None = None) -> None:
        self._directory = directory
        self._database = database
        self._settle_orphan = settle_orphan
        self._current: Segment | None = None
        self._segments: list[Segment] = []
        self._waiting: dict[bytes, asyncio.Future[None]] = {}
        self._bell = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._is_unsure = False
        self._answered_at = -1.0

    def start(self) -> None:
        """Begin to work in the background; does nothing when already begun."""
        if not self._tasks:
            self._tasks = [asyncio.create_task(loop()) for loop in (self._keep_shipping, self._keep_syncing)]

    async def close(self) -> None:
        """Stop, ship once more for at most 2 seconds, and release the files."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with suppress(TimeoutError, *DatabaseGone):
            async with asyncio.timeout(2):
                await self.ship()
        for segment in self._segments:
            segment.release()
        self._tasks, self._segments, self._current = [], [], None

    def segment(self) -> Segment:
        """The file for a new call."""
        if self._current is None or self._current.size > FULL_BYTES:
            self._current = Segment.create(self._directory)
            self._segments.append(self._current)
        return self._current

    def ring(self) -> None:
        """There is something to ship."""
        self._bell.set()

    async def committed(self, record: bytes) -> None:
        """Wait until the call with this id is in Postgres; Unavailable when the next try to ship it fails."""
        future = self._waiting[record] = asyncio.get_running_loop().create_future()
        self.ring()
        try:
            await future
        finally:
            self._waiting.pop(record, None)

    async def ping(self) -> None:
        """Return when Postgres answered within the last second or answers now; raises what DatabaseGone names."""
        now = asyncio.get_running_loop().time()
        if now - self._answered_at > 1.0:
            await self._database.ping()
            self._answered_at = now

    async def ship(self) -> int:
        """Move every ended call to Postgres and return how many; raises what DatabaseGone names."""
        shipped = 0
        for segment in list(self._segments):
            try:
                shipped += await self._ship_segment(segment)
            except ValkeyGone as away:  # what dead processes hold of the limits waits; the living go on
                log.warning("inference_orphans_wait", error=type(away).__name__)
                continue
            segment.forget()
            if segment is not self._current and (segment.is_adopted or segment.is_shipped):
                self._segments.remove(segment)
                segment.release()
        self._is_unsure = False
        return shipped

    async def _ship_segment(self, segment: Segment) -> int:
        shipped = 0
        while calls := segment.unshipped(BATCH):
            try:
                if segment.is_adopted:  # first, so that counters seeded from Postgres meanwhile are not told twice
                    await self._settle(calls)
                await self._store(calls, may_be_known=segment.is_adopted or self._is_unsure)
            except BaseException as failure:
                segment.return_()
                if not isinstance(failure, ValkeyGone):
                    self._answered_at = -1.0
                    self._is_unsure = True
                raise
            segment.forget()
            shipped += len(calls)
        return shipped

    def adopt(self) -> None:
        """Take over the files of dead processes."""
        mine = {segment.path for segment in self._segments}
        for path in sorted(self._directory.glob("*.spool")):
            if path not in mine and (segment := Segment.adopt(path)):
                self._segments.append(segment)

    async def _store(self, calls: list[SpooledCall], *, may_be_known: bool) -> None:
        try:
            async with self._database.raw() as connection:
                await store.insert_calls(connection, calls, may_be_known=may_be_known)
        except (psycopg.DataError, psycopg.IntegrityError) as refusal:
            await self._store_apart(calls, refusal)
        self._answered_at = asyncio.get_running_loop().time()
        for call in calls:
            if self._waiting and (future := self._waiting.get(call.last.id)) and not future.done():
                future.set_result(None)

    async def _store_apart(self, calls: list[SpooledCall], refusal: psycopg.Error) -> None:
        """Something in the batch is refused: halve it until the refused one stands alone, and set that one aside."""
        if len(calls) == 1:
            with (self._directory / "refused.lines").open("ab") as aside:
                aside.write(calls[0].last.line + b"\n")
            log.error("inference_record_refused", record=calls[0].last.id.hex(), sqlstate=refusal.sqlstate)
            return
        middle = len(calls) // 2
        for half in (calls[:middle], calls[middle:]):
            await self._store(half, may_be_known=True)

    async def _settle(self, calls: list[SpooledCall]) -> None:
        if self._settle_orphan:
            for call in calls:
                await self._settle_orphan(call.last)

    async def _keep_shipping(self) -> None:
        loop = asyncio.get_running_loop()
        adopt_at = loop.time()
        while True:
            try:
                if loop.time() >= adopt_at:
                    self.adopt()
                    adopt_at = loop.time() + ADOPT_SECONDS
                await self.ship()
            except Exception as failure:  # noqa: BLE001 - the edge of a task: the records must leave in the end
                log.warning("inference_records_wait", error=type(failure).__name__)
                self._refuse_waiting()
                await asyncio.sleep(SHIP_SECONDS)
            await self._wait_for_work(adopt_at - loop.time())

    async def _wait_for_work(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._bell.wait()
        self._bell.clear()
        if not self._waiting:
            await asyncio.sleep(SHIP_SECONDS)

    def _refuse_waiting(self) -> None:
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(
                    Unavailable("The record of this call cannot be committed while the database is away; try again.")
                )

    async def _keep_syncing(self) -> None:
        while True:
            await asyncio.sleep(SYNC_SECONDS)
            for segment in [segment for segment in self._segments if segment.is_dirty]:
                await asyncio.to_thread(segment.sync)
