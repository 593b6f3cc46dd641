"""Kept replies as a tenant's people deal with them: what they gave, and forgetting them."""

from mainspring.foundation.db import Database
from mainspring.foundation.errors import Unavailable
from mainspring.foundation.ids import TenantId
from mainspring.foundation.outbox import publish
from mainspring.foundation.principal import Principal
from mainspring.foundation.valkey import Valkey, ValkeyGone
from mainspring.inference.gateway.policies.types import show_actor

from . import store
from .events import RepliesPurged
from .exact import ExactCache
from .stores import ValkeyStore
from .types import SemanticFigures


class KeptReplies:
    """Use cases on the kept replies of the principal's tenant."""

    def __init__(self, database: Database, valkey: Valkey) -> None:
        self._database = database
        self._exact = ExactCache(ValkeyStore(valkey))

    async def figures(self, principal: Principal) -> list[SemanticFigures]:
        """What was given by meaning, and how often it was wrong, by feature; needs `gateway.view`."""
        principal.require("gateway.view")
        async with self._database.tenant(principal.tenant) as transaction:
            return [SemanticFigures(**row) for row in await store.figures(transaction)]

    async def purge(self, principal: Principal, feature: str | None = None) -> int:
        """Forget what is kept, of one feature or all; how many entries by meaning there were. Needs `gateway.manage`.

        raises   Unavailable when Valkey is away; nothing is forgotten then
        """
        principal.require("gateway.manage")
        await self._purge_exact(principal.tenant, feature)
        event = RepliesPurged(show_actor(principal), feature)
        async with self._database.tenant(principal.tenant) as transaction:
            forgotten = await store.delete_entries(transaction, feature)
            await publish(transaction, topic=event.topic, payload=event.payload())
        return forgotten

    async def forget_all(self, tenant: TenantId) -> None:
        """Forget all that is kept for the tenant, because what it may quote is gone; for the platform's own jobs.

        raises   Unavailable when Valkey is away; what it holds is not forgotten then
        """
        async with self._database.tenant(tenant) as transaction:
            await store.delete_entries(transaction, None)
        await self._purge_exact(tenant, None)

    async def _purge_exact(self, tenant: TenantId, feature: str | None) -> None:
        try:
            await self._exact.purge(tenant, feature)
        except ValkeyGone:
            raise Unavailable("Kept replies cannot be forgotten now; try again.", retry_after_seconds=1) from None
