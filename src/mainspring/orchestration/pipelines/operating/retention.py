"""Letting go of old runs: in batches, so that no transaction is long; several workers doing so is harmless."""

from datetime import datetime
from uuid import UUID

from mainspring.foundation.db import Database

from . import retention_store

BATCH = 500
_PASSES = 5  # a child goes before its parent, so each pass frees one generation more


async def purge_runs(database: Database, before: datetime, *, batch: int = BATCH) -> int:
    """Delete runs that ended before then, with steps, stories, signals and dead letters; how many went.

    Runs stay while they have an open dead letter, a parent that goes on or is younger, or a child that stays.
    batch  runs in one transaction
    """
    gone = 0
    for _ in range(_PASSES):
        in_pass = await _pass(database, before, batch)
        gone += in_pass
        if not in_pass:
            break
    async with database.system() as transaction:
        await retention_store.delete_bulks(transaction, before)
    return gone


async def _pass(database: Database, before: datetime, batch: int) -> int:
    """Once over all old runs, from the oldest on."""
    gone, after = 0, UUID(int=0)
    while True:
        async with database.system() as transaction:
            row = await retention_store.delete_finished(transaction, before, after=after, limit=batch)
        gone += int(row["gone"])
        if row["seen"] < batch:
            return gone
        after = row["last"]
