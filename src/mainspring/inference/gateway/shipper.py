"""From the spool to Postgres: within a second, in batches, any number of times.

Shipping is idempotent by record id, so a process that dies between the commit and the emptying
of its file does no harm. While Postgres is away the spool grows and nothing else happens. Files
of dead processes are looked for at the start and every 15 seconds; what the limits still hold for
their calls is settled then.

What can never be stored is set aside, a record in `refused.lines`, a file that cannot be read under its
name with `.refused`: neither may hold up the others.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import msgspec
import psycopg

from mainspring.foundation.db import Database, DatabaseGone
from mainspring.foundation.errors import Unavailable
from mainspring.foundation.stopping import stop_all
from mainspring.foundation.telemetry import get_logger
from mainspring.foundation.valkey import ValkeyGone

from . import store
from .spool import Entry, Segment, SpooledCall

log = get_logger(__name__)

SHIP_SECONDS = 0.2
SYNC_SECONDS = 0.05
ADOPT_SECONDS = 15.0
STORE_SECONDS = 5.0
COMMIT_SECONDS = 10.0
_SETTLE_SECONDS = 1.0
BATCH = 3000
FULL_BYTES = 32 * 1024 * 1024

_REFUSALS = ("22", "23", "54")
"""Classes of SQLSTATE that say what is wrong with a record, not with the database: data, integrity, size."""

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
        self._batch = BATCH

    def start(self) -> None:
        """Begin to work in the background; does nothing when already begun."""
        if not self._tasks:
            self._tasks = [asyncio.create_task(loop()) for loop in (self._keep_shipping, self._keep_syncing)]

    async def close(self) -> None:
        """Stop, ship once more for at most 2 seconds, and release the files."""
        await stop_all(self._tasks, patience=2 * _SETTLE_SECONDS)
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
        """Wait until the call with this id is in Postgres; Unavailable when the next try fails, or takes too long."""
        future = self._waiting[record] = asyncio.get_running_loop().create_future()
        self.ring()
        try:
            async with asyncio.timeout(COMMIT_SECONDS):
                await future
        except TimeoutError:
            raise Unavailable("The record of this call could not be committed in time; try again.") from None
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
            except (msgspec.MsgspecError, UnicodeError) as odd:
                if not segment.is_adopted:
                    raise
                aside = segment.set_aside()
                self._segments.remove(segment)
                log.error("inference_spool_refused", file=aside.name, error=str(odd))
                continue
            segment.forget()
            if segment is not self._current and (segment.is_adopted or segment.is_shipped):
                self._segments.remove(segment)
                segment.release()
        self._is_unsure = False
        return shipped

    async def _ship_segment(self, segment: Segment) -> int:
        shipped = 0
        while calls := segment.unshipped(self._batch):
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
            await self._insert(calls, may_be_known=may_be_known)
        except (psycopg.Error, ValueError, OverflowError) as refusal:
            if isinstance(refusal, psycopg.Error) and (refusal.sqlstate or "")[:2] not in _REFUSALS:
                raise
            await self._store_apart(calls, refusal)
        self._answered_at = asyncio.get_running_loop().time()
        for call in calls:
            if self._waiting and (future := self._waiting.get(call.last.id)) and not future.done():
                future.set_result(None)

    async def _insert(self, calls: list[SpooledCall], *, may_be_known: bool) -> None:
        """In a task of its own: a cancelled statement waits for a server that says nothing, and nobody here may.

        raises   TimeoutError after STORE_SECONDS; the next batches are smaller, in case it was only large
        """
        storing = asyncio.create_task(self._insert_now(calls, may_be_known=may_be_known))
        try:
            await asyncio.wait({storing}, timeout=STORE_SECONDS)
        except asyncio.CancelledError:
            storing.cancel()
            await asyncio.wait({storing}, timeout=_SETTLE_SECONDS)
            raise
        if not storing.done():
            storing.cancel()
            self._batch = max(1, self._batch // 2)
            raise TimeoutError("Postgres did not take the records in time")
        storing.result()
        self._batch = min(BATCH, self._batch * 2)

    async def _insert_now(self, calls: list[SpooledCall], *, may_be_known: bool) -> None:
        async with self._database.raw() as connection:
            await store.insert_calls(connection, calls, may_be_known=may_be_known)

    async def _store_apart(self, calls: list[SpooledCall], refusal: Exception) -> None:
        """Something in the batch is refused: halve it until the refused one stands alone, and set that one aside."""
        if len(calls) == 1:
            await self._set_aside(calls[0], refusal)
            return
        middle = len(calls) // 2
        for half in (calls[:middle], calls[middle:]):
            await self._store(half, may_be_known=True)

    async def _set_aside(self, call: SpooledCall, refusal: Exception) -> None:
        """Keep a refused record's line, once, and book what it cost its tenant."""
        record, path, line = call.last.id, self._directory / "refused.lines", call.last.line + b"\n"
        if not (path.exists() and line in path.read_bytes()):
            with path.open("ab") as aside:
                aside.write(line)
            await self._book_tenant(call)
        told = refusal.sqlstate if isinstance(refusal, psycopg.Error) else type(refusal).__name__
        log.error("inference_record_refused", record=record.hex(), reason=told)
        if (future := self._waiting.get(record)) and not future.done():
            future.set_exception(Unavailable("The record of this call is refused by the database; the log says why."))

    async def _book_tenant(self, call: SpooledCall) -> None:
        spend = call.last.spend
        if spend is None:
            return
        scopes = tuple(each for each in spend.scopes if each[0] == "tenant")
        last = msgspec.structs.replace(call.last, spend=msgspec.structs.replace(spend, scopes=scopes))
        try:
            async with asyncio.timeout(STORE_SECONDS), self._database.raw() as connection:
                await store.add_spend(connection, [msgspec.structs.replace(call, last=last)])
        except (psycopg.Error, ValueError, OverflowError, TimeoutError, Unavailable) as failure:
            log.error("inference_spend_not_booked", record=last.id.hex(), error=type(failure).__name__)

    async def _settle(self, calls: list[SpooledCall]) -> None:
        if self._settle_orphan is None:
            return
        for call in calls:
            try:
                await self._settle_orphan(call.last)
            except (ValueError, msgspec.MsgspecError) as odd:  # the hold ends by itself; the record is shipped
                log.error("inference_orphan_unreadable", record=call.last.id.hex(), error=str(odd))

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
