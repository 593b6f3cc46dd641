"""`Homes`: a transaction in the place where a tenant's knowledge lives. No store of the room opens one otherwise.

The home is looked up inside the transaction, in one round trip, so there is nothing that could be out of date. For a
tenant with a database of its own the look-up is a transaction of the platform's database; who writes keeps that one
open until the other has committed, so that one lock, in one database, guards every cut-over.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

from mainspring.foundation.db import Database, DatabaseGone, SystemTransaction, TenantTransaction
from mainspring.foundation.errors import Unavailable
from mainspring.foundation.ids import TenantId

from . import store
from .places import SHARED, Home, Place

logger = logging.getLogger(__name__)
Found = TypeVar("Found")


class Homes:
    """The doors to knowledge: one for reading, one for writing, one for what looks across tenants.

    databases    URLs of the databases that tenants may have for their own, by the operator's name, for the
                 application's login; pools are opened when they are first needed
    connections  of each such pool
    """

    def __init__(
        self, database: Database, databases: Mapping[str, str] | None = None, *, connections: int = 10
    ) -> None:
        self._database = database
        self._urls = dict(databases or {})
        self._connections = connections
        self._opened: dict[str, Database] = {}
        self._opening = asyncio.Lock()
        self._away: set[TenantId] = set()  # were in a database of their own when last seen; always checked

    async def close(self) -> None:
        """Close the pools of the tenants' own databases; the platform's own stays as it is."""
        for database in self._opened.values():
            await database.close()
        self._opened.clear()

    @asynccontextmanager
    async def reading(self, tenant: TenantId) -> AsyncGenerator[TenantTransaction]:
        """A transaction of the tenant that changes nothing; raises Unavailable while its database is away."""
        async with self._database.tenant(tenant) as transaction:
            row = await store.enter_to_read(transaction)
            if row is None or row["database_name"] is None:
                yield transaction
                return
        async with (await self._own(row["database_name"])).tenant(tenant) as transaction:
            yield transaction

    @asynccontextmanager
    async def writing(self, tenant: TenantId) -> AsyncGenerator[TenantTransaction]:
        """A transaction of the tenant that may change its knowledge; it waits while a move is finished."""
        while True:
            if tenant not in self._away:
                async with self._database.tenant(tenant) as transaction:
                    row = await store.enter_to_write(transaction)
                    if row["database_name"] is None:
                        yield transaction
                        return
                self._away.add(tenant)
            async with self._held(tenant) as name:
                if name is not None:
                    async with (await self._own(name)).tenant(tenant) as transaction:
                        yield transaction
                    return
            self._away.discard(tenant)

    @asynccontextmanager
    async def platform(self, tenant: TenantId) -> AsyncGenerator[TenantTransaction]:
        """A transaction of the tenant in the platform's own tables, for what never moves: runs and the outbox."""
        async with self._database.tenant(tenant) as transaction:
            yield transaction

    async def everywhere(
        self,
        find: Callable[[SystemTransaction], Awaitable[Sequence[Found]]],
        *,
        tenant_of: Callable[[Found], TenantId],
    ) -> list[Found]:
        """What `find` finds in a system transaction at each place, for jobs that look across tenants.

        Rows that a move left behind are dropped: a tenant is only found at home. `find` may select from the tables
        that were opened to the system; its limit counts for each place. A database
        that is away is left out, and logged.
        """
        homes = await self.list_homes()
        at_home = {home.tenant: home.place for home in homes}
        found: list[Found] = []
        for place in (SHARED, *sorted({home.place for home in homes} - {SHARED}, key=str)):
            try:
                there = await self._find_at(place, find)
            except DatabaseGone as gone:
                logger.warning("Knowledge in %s is out of reach: %s", place, type(gone).__name__)
                continue
            found.extend(item for item in there if at_home.get(tenant_of(item), SHARED) == place)
        return found

    async def list_homes(self) -> list[Home]:
        """Every tenant that has moved or is moving; the others live in the shared tables."""
        async with self._database.system() as transaction:
            return [Home.from_row(row) for row in await store.list_homes(transaction)]

    async def _find_at(
        self, place: Place, find: Callable[[SystemTransaction], Awaitable[Sequence[Found]]]
    ) -> Sequence[Found]:
        database = await self._own(place.database) if place.database else self._database
        async with database.system() as transaction:
            if place.schema:
                await store.turn_to(transaction, place.search_path)
            return await find(transaction)

    @asynccontextmanager
    async def _held(self, tenant: TenantId) -> AsyncGenerator[str | None]:
        """The name of the tenant's own database, None when it has none; until the end it stays its home.

        A task of its own holds the lock: to this task, the transaction in the other database is the open one.
        """
        home: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        is_done = asyncio.Event()

        async def hold() -> None:
            async with self._database.tenant(tenant) as transaction:
                home.set_result((await store.enter_to_write(transaction))["database_name"])
                await is_done.wait()

        holding = asyncio.create_task(hold())
        try:
            await asyncio.wait((home, holding), return_when=asyncio.FIRST_COMPLETED)
            if home.done():
                yield home.result()
        finally:
            is_done.set()
            await holding

    async def _own(self, name: str) -> Database:
        async with self._opening:
            if name not in self._opened:
                if name not in self._urls:
                    raise Unavailable(
                        f"A tenant's knowledge lives in the database {name!r}, which MAINSPRING_KNOWLEDGE_DATABASES "
                        "does not name; the operator has to add it."
                    )
                self._opened[name] = await Database.open(self._urls[name], connections=self._connections)
            return self._opened[name]
