"""From the spool to Postgres: within a second, in batches, any number of times.

Shipping is idempotent by record id, so a process that dies between the commit and the emptying
of its file does no harm. While Postgres is away the spool grows and nothing else happens. Files
of dead processes are looked for at the start and every 15 seconds.
"""

import asyncio
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import psycopg

from mainspring.foundation.db import Database, DatabaseGone
from mainspring.foundation.errors import Unavailable
from mainspring.foundation.telemetry import get_logger

from . import store
from .spool import Segment, SpooledCall
from .types import InferenceRecord

log = get_logger(__name__)

SHIP_SECONDS = 0.2
SYNC_SECONDS = 0.05
ADOPT_SECONDS = 15.0
BATCH = 500
FULL_BYTES = 8 * 1024 * 1024


class Shipper:
    """Owns the spool files of this process and empties them into Postgres."""

    def __init__(self, directory: Path, database: Database) -> None:
        self._directory = directory
        self._database = database
        self._current: Segment | None = None
        self._segments: list[Segment] = []
        self._refused: set[UUID] = set()
        self._waiting: dict[UUID, asyncio.Future[None]] = {}
        self._bell = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

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

    async def committed(self, record: InferenceRecord) -> None:
        """Wait until the call is in Postgres; Unavailable when the next try to ship it fails."""
        future = self._waiting[record.id] = asyncio.get_running_loop().create_future()
        self.ring()
        try:
            await future
        finally:
            self._waiting.pop(record.id, None)

    async def ship(self) -> int:
        """Move every closed call to Postgres and return how many; raises what DatabaseGone names."""
        shipped = 0
        for segment in list(self._segments):
            while calls := segment.closed(BATCH, besides=frozenset(self._refused)):
                stored = await self._store(calls)
                segment.forget(stored)
                shipped += len(stored)
            if segment.is_shipped and segment is not self._current:
                self._segments.remove(segment)
                segment.release()
        return shipped

    def adopt(self) -> None:
        """Take over the files of dead processes."""
        mine = {segment.path for segment in self._segments}
        for path in sorted(self._directory.glob("*.spool")):
            if path not in mine and (segment := Segment.adopt(path)):
                self._segments.append(segment)

    async def _store(self, calls: list[SpooledCall]) -> list[UUID]:
        try:
            async with self._database.system() as transaction:
                await store.insert_calls(transaction, calls)
        except (psycopg.DataError, psycopg.IntegrityError) as refusal:
            if len(calls) == 1:
                self._refused.add(calls[0].record.id)
                log.error("inference_record_refused", record=calls[0].record.id, sqlstate=refusal.sqlstate)
                return []
            return [stored for call in calls for stored in await self._store([call])]
        ids = [call.record.id for call in calls]
        for id_ in ids:
            if (future := self._waiting.get(id_)) and not future.done():
                future.set_result(None)
        return ids

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
