"""Keeps a process's snapshot right; see `snapshot`.

One loop applies changes one after the other, so that an older reading never overwrites a newer one:
whoever reads for the snapshot holds its lock from before the reading until it is applied.
"""

import asyncio
import time
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from mainspring.foundation.changes import ChangeLog, listen
from mainspring.foundation.db import Database, DatabaseGone
from mainspring.foundation.errors import Unavailable
from mainspring.foundation.ids import TenantId
from mainspring.foundation.stopping import stop_all
from mainspring.foundation.telemetry import get_logger
from mainspring.foundation.valkey import Valkey
from mainspring.foundation.vault import TenantVault

from .lookups import FreshLookups
from .policies import Configuration, ConfigurationReader
from .ports import CallerFacts, Directory
from .snapshot import Snapshot, TenantSnapshot

Read = TypeVar("Read")

log = get_logger(__name__)

LOOK_SECONDS = 0.4
"""How often the log of changes is looked at: what the bell did not tell is known within half a second."""

EVERYTHING_SECONDS = 60.0
_PATIENCE_SECONDS = 5.0
_LATE_SECONDS = 3.0
_MANY_TENANTS = 200
_Gone = (*DatabaseGone, TimeoutError)


class SnapshotKeeper:
    """Reads, listens and looks until it is closed.

    snapshot     what to ask on the hot path; the same object for the life of the process
    """

    def __init__(self, database: Database, valkey: Valkey, directory: Directory, reader: ConfigurationReader) -> None:
        self.snapshot = Snapshot()
        self._valkey = valkey
        self._directory = directory
        self._reader = reader
        self._log = ChangeLog(database)
        self._lookups = FreshLookups(directory)
        self._changed: dict[TenantId, None] = {}  # in order: one that cannot be read goes behind the others
        self._wants_everything = False
        self._news = asyncio.Event()
        self._applying = asyncio.Lock()
        self._right_at = 0.0
        self._is_away = False
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def stale_since(self) -> float | None:
        """Unix seconds of the last moment at which the snapshot was known to be right; None while it is."""
        is_late = self._is_away or time.time() - self._right_at > _LATE_SECONDS
        return self._right_at if is_late else None

    async def start(self) -> None:
        """Read everything, then keep it right; raises one of `DatabaseGone` when it cannot be read."""
        await self._log.mark()
        await self._load_everything()
        self._right_at = time.time()
        self._tasks = [
            asyncio.create_task(listen(self._valkey, self._hear)),
            asyncio.create_task(self._keep()),
        ]

    async def close(self) -> None:
        """Stop; the snapshot stays as it is."""
        await stop_all(self._tasks)
        self._tasks = []

    async def find_caller_fresh(self, secret: bytes) -> CallerFacts | None:
        """For a key that the snapshot does not have: look whether it was made a moment ago.

        Guessing cannot load Postgres: one look at a time for a key, few a second for all of them, and
        none again for one that was just looked for in vain.

        raises   Unavailable when Postgres is away, so that nobody can tell
        """
        known = self.snapshot.find_caller(secret)
        if known is not None:
            return known
        try:
            found = await self._lookups.find(secret)
            if found is None:
                return None
            await _in_time(self._load_one(found.tenant))
        except _Gone as away:
            raise Unavailable("The key is not known here, and the database is away.", retry_after_seconds=1) from away
        return self.snapshot.find_caller(secret)

    async def load_tenant(self, tenant: TenantId) -> TenantSnapshot | None:
        """Read a tenant anew and open its vault; None when there is none.

        raises   Unavailable when Postgres is away; Unreadable when its data key cannot be opened
        """
        try:
            await _in_time(self._load_one(tenant))
            if self.snapshot.tenant(tenant) is not None:
                await self.open_vault(tenant)
        except _Gone as away:
            raise Unavailable("The database is away; try again.", retry_after_seconds=1) from away
        return self.snapshot.tenant(tenant)

    async def open_vault(self, tenant: TenantId) -> TenantVault:
        """The tenant's vault, which its snapshot then has too; raises Unreadable, or one of `DatabaseGone`."""
        vault = await _in_time(self._reader.open_vault(tenant))
        known = self.snapshot.tenant(tenant)
        if known is not None:
            known.keep_vault(vault)
        return vault

    def _hear(self, tenant: TenantId | None) -> None:
        if tenant is None:
            self._wants_everything = True
        else:
            self._changed[tenant] = None
        self._news.set()

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        everything_at = loop.time() + EVERYTHING_SECONDS
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), LOOK_SECONDS)
            self._news.clear()
            self._wants_everything |= loop.time() >= everything_at
            was_everything = self._wants_everything
            try:
                await self._catch_up()
            except Exception as failure:  # noqa: BLE001 - the edge of a task: whatever it was, revocations must go on
                self._note_away(failure)
                await asyncio.sleep(LOOK_SECONDS)
                continue
            self._note_right()
            if was_everything:
                everything_at = loop.time() + EVERYTHING_SECONDS

    async def _catch_up(self) -> None:
        changes = await _in_time(self._log.look())
        self._changed.update(dict.fromkeys(changes.tenants))
        if changes.is_everything or self._wants_everything or len(self._changed) > _MANY_TENANTS:
            await self._renew_everything()
            return
        for tenant in tuple(self._changed):
            del self._changed[tenant]  # before it is read: a change that is heard meanwhile is read again
            is_read = False
            try:
                await _in_time(self._load_one(tenant))
                is_read = True
            finally:
                if not is_read:
                    self._changed[tenant] = None

    async def _renew_everything(self) -> None:
        heard, self._changed, self._wants_everything = self._changed, {}, False
        is_read = False
        try:
            await _in_time(self._load_everything())
            is_read = True
        finally:
            if not is_read:
                self._changed, self._wants_everything = heard | self._changed, True
        await _in_time(self._log.forget())

    async def _load_everything(self) -> None:
        async with self._applying:
            tenants = await self._directory.load_tenants()
            callers = await self._directory.load_callers()
            configurations = await self._reader.load()
            self.snapshot.replace_all(tenants, callers, configurations)

    async def _load_one(self, tenant: TenantId) -> None:
        async with self._applying:
            facts = await self._directory.find_tenant_facts(tenant)
            callers = await self._directory.load_callers(tenant) if facts else ()
            configuration = (await self._reader.load(tenant)).get(tenant, Configuration()) if facts else Configuration()
            self.snapshot.replace(tenant, facts, callers, configuration)

    def _note_away(self, failure: Exception) -> None:
        if not isinstance(failure, _Gone):
            log.exception("snapshot_not_renewed", error=type(failure).__name__)
        elif not self._is_away:
            log.warning("snapshot_stale", error=type(failure).__name__)
        self._is_away = True

    def _note_right(self) -> None:
        if self._is_away:
            log.info("snapshot_right_again", seconds=round(time.time() - self._right_at, 1))
        self._right_at, self._is_away = time.time(), False


async def _in_time(reading: Coroutine[Any, Any, Read]) -> Read:
    async with asyncio.timeout(_PATIENCE_SECONDS):
        return await reading
