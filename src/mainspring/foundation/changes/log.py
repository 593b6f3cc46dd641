"""The log: which tenants changed since the last look, without missing one and without a clock.

Triggers on every configured table note the transaction that touched a tenant. A look asks for the
transactions at or above the last look's horizon (the oldest one that was still open then), so that a
transaction which began long before and committed late is found too. What the last look saw is not told again.
"""

from dataclasses import dataclass
from datetime import timedelta

from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId

from . import store

KEPT = timedelta(hours=1)
"""Rows of the log live so long; a process that could not look for longer reads everything."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What a look found; `is_everything` when the log cannot tell, as after a database was restored."""

    tenants: frozenset[TenantId] = frozenset()
    is_everything: bool = False


class ChangeLog:
    """One reader's place in the log."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._horizon: int | None = None
        self._seen = frozenset[tuple[int, TenantId]]()

    async def mark(self) -> None:
        """Start here: call it before reading everything."""
        async with self._database.system() as transaction:
            self._horizon = await store.find_horizon(transaction)

    async def look(self) -> Changes:
        """The tenants that changed since the last look; raises one of `DatabaseGone` and keeps its place."""
        if self._horizon is None:
            await self.mark()
            return Changes(is_everything=True)
        async with self._database.system() as transaction:
            horizon, found = await store.find_changes(transaction, since=self._horizon)
        went_back, news = horizon < self._horizon, found - self._seen
        self._horizon, self._seen = horizon, found
        return Changes(is_everything=True) if went_back else Changes(frozenset(tenant for _, tenant in news))

    async def forget(self) -> int:
        """Delete rows older than `KEPT`."""
        async with self._database.system() as transaction:
            return await store.forget_changes(transaction, KEPT)
