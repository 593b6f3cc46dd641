"""Tenants as the engine asks for them: from the snapshot, with their vaults open."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from mainspring.foundation.db import DatabaseGone
from mainspring.foundation.errors import Unavailable
from mainspring.foundation.ids import TenantId
from mainspring.inference.gateway.errors import AiDisabled
from mainspring.inference.gateway.keeper import SnapshotKeeper
from mainspring.inference.gateway.snapshot import TenantSnapshot

PAYLOAD_KIND = "inference_payload"
"""What a payload is sealed as, under its record's id."""


def unsealed(tenant: TenantSnapshot, record: UUID, content: bytes) -> bytes:
    """What was said in a call of the tenant; in clear where payloads are not sealed. Raises Unreadable."""
    return tenant.vault.unseal(PAYLOAD_KIND, record, content) if tenant.vault else content


@dataclass(frozen=True, slots=True)
class KeptTenants:
    """Those that a keeper knows."""

    keeper: SnapshotKeeper

    def find(self, tenant: TenantId) -> TenantSnapshot | None:
        """The tenant, once its vault is open: what is said in its calls is recorded sealed."""
        found = self.keeper.snapshot.tenant(tenant)
        return found if found is not None and found.vault is not None else None

    async def get(self, tenant: TenantId) -> TenantSnapshot:
        """The tenant, read if need be; raises AiDisabled for one that does not exist, Unavailable, Unreadable."""
        found = self.keeper.snapshot.tenant(tenant)
        if found is None:
            found = await self.keeper.load_tenant(tenant)
        if found is None:
            raise AiDisabled("There is no such tenant, so no model is called for it.")
        if found.vault is None:
            try:
                await self.keeper.open_vault(tenant)
            except (*DatabaseGone, TimeoutError) as away:
                raise Unavailable("The database is away; try again.", retry_after_seconds=1) from away
            found = self.keeper.snapshot.tenant(tenant) or found
        return found

    def sealer(self, tenant: TenantId) -> Callable[[UUID, bytes], bytes]:
        """What seals under the tenant's own key, for as long as a call runs; Unavailable if it was just taken away."""
        found = self.keeper.snapshot.tenant(tenant)
        vault = found.vault if found else None
        if vault is None:
            raise Unavailable("The tenant has just changed; try again.", retry_after_seconds=1)
        return partial(vault.seal, PAYLOAD_KIND)
