"""`Homes`: a transaction in the place where a tenant's knowledge lives. No store of the room opens one otherwise."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from mainspring.foundation.db import Database, TenantTransaction
from mainspring.foundation.ids import TenantId


class Homes:
    """The doors to knowledge, one for reading and one for writing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def reading(self, tenant: TenantId) -> AsyncGenerator[TenantTransaction]:
        """A transaction of the tenant that changes nothing."""
        async with self._database.tenant(tenant) as transaction:
            yield transaction

    @asynccontextmanager
    async def writing(self, tenant: TenantId) -> AsyncGenerator[TenantTransaction]:
        """A transaction of the tenant that may change its knowledge; it waits while a move is finished."""
        async with self._database.tenant(tenant) as transaction:
            yield transaction
