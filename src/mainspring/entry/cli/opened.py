"""What the operator's commands work on: a migrated database, Valkey and identity, opened for one use case."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from mainspring.application.identity import Identity, Tenant
from mainspring.entry.engines import borrowed_engines
from mainspring.foundation.db import Database
from mainspring.foundation.engines import EngineUrls
from mainspring.foundation.errors import NotFound
from mainspring.foundation.settings import Settings, load_settings
from mainspring.foundation.valkey import Valkey, open_valkey
from mainspring.migrations import migrate

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Opened:
    """Open engines."""

    settings: Settings
    database: Database
    valkey: Valkey
    identity: Identity

    async def get_tenant(self, slug: str) -> Tenant:
        """The tenant of a short name; NotFound says how to see them all."""
        found = await self.identity.find_tenant(slug)
        if found is None:
            raise NotFound(f"There is no tenant {slug!r}; see `mainspring tenant list`.")
        return found


def with_opened(use: Callable[[Opened], Awaitable[Result]]) -> Result:
    """Run one use case on a migrated database, starting embedded engines for it when none run."""
    settings = load_settings()

    async def run(urls: EngineUrls) -> Result:
        async with _open(settings, urls) as opened:
            return await use(opened)

    with borrowed_engines(settings) as urls:
        migrate(urls.database_admin_url, login=urls.login)
        return asyncio.run(run(urls))


@asynccontextmanager
async def _open(settings: Settings, urls: EngineUrls) -> AsyncGenerator[Opened]:
    database, valkey = await Database.open(urls.database_url, connections=2), open_valkey(urls.valkey_url)
    identity = Identity(database, valkey)
    try:
        yield Opened(settings, database, valkey, identity)
    finally:
        await identity.close()
        await valkey.aclose()
        await database.close()
