"""When a key was last used, noted beside the request and not in it: at most one write a minute and key."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

from mainspring.foundation.db import Database, DatabaseGone
from mainspring.foundation.telemetry import get_logger

from . import store

log = get_logger(__name__)

_MINUTE = timedelta(minutes=1)
_MOST_NOTED = 10_000


class LastUses:
    """Writes uses in the background; `close` waits for those under way."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._noted: dict[UUID, datetime] = {}
        self._writes: set[asyncio.Task[None]] = set()

    def note(self, key: UUID, at: datetime) -> None:
        """Remember that `key` was used; returns at once."""
        last = self._noted.get(key)
        if last is not None and at - last < _MINUTE:
            return
        if len(self._noted) >= _MOST_NOTED:
            self._noted.clear()
        self._noted[key] = at
        write = asyncio.create_task(self._write(key, at))
        self._writes.add(write)
        write.add_done_callback(self._writes.discard)

    async def close(self) -> None:
        """Finish the writes under way."""
        await asyncio.gather(*self._writes)

    async def _write(self, key: UUID, at: datetime) -> None:
        try:
            async with self._database.system() as transaction:
                await store.touch_key(transaction, key, at)
        except DatabaseGone as gone:
            self._noted.pop(key, None)
            log.warning("key_use_not_noted", error=type(gone).__name__)
