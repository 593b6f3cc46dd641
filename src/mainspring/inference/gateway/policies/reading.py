"""Configurations read for the snapshot: of all tenants in three queries, or of one, with their vaults opened."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId
from mainspring.foundation.vault import TenantVault, Unreadable, Vault
from mainspring.inference.gateway.policy import DEFAULT_POLICY, TenantPolicy

from . import store
from .errors import PolicyUnreadable, ProviderKeyUnreadable
from .service import decode_policy

KIND = "provider_key"
"""What provider keys are sealed as; the id is the provider's name."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """What one tenant has configured.

    provider_keys  provider -> sealed key
    vault          opened for tenants with provider keys; None where it was not needed yet
    """

    version: int = 0
    policy: TenantPolicy | PolicyUnreadable = DEFAULT_POLICY
    provider_keys: Mapping[str, bytes] = field(default_factory=dict[str, bytes], repr=False)
    vault: TenantVault | Unreadable | None = None


class ConfigurationReader:
    """Reads configurations across tenants."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def load(self, tenant: TenantId | None = None) -> dict[TenantId, Configuration]:
        """The configurations of those tenants that have one, or of the one tenant."""
        async with self._database.system() as transaction:
            policies = await store.load_policies(transaction, tenant)
            key_rows = await store.load_provider_keys(transaction, tenant)
        keys: dict[TenantId, dict[str, bytes]] = {}
        for row in key_rows:
            keys.setdefault(TenantId(row["tenant_id"]), {})[row["provider"]] = row["sealed"]
        vaults = await self._vault.open_tenants(keys)
        found: dict[TenantId, Configuration] = {}
        for row in policies:
            of = TenantId(row["tenant_id"])
            policy = _decode(row["document"])
            found[of] = Configuration(row["version"], policy, keys.get(of, {}), vaults.get(of))
        for of, sealed in keys.items():
            if of not in found:
                found[of] = Configuration(provider_keys=sealed, vault=vaults.get(of))
        return found

    async def open_vault(self, tenant: TenantId) -> TenantVault:
        """The tenant's vault, made if need be; raises Unreadable."""
        return await self._vault.open_tenant(tenant)


def open_provider_key(
    vault: TenantVault | Unreadable | None, provider: str, sealed: bytes
) -> str | ProviderKeyUnreadable:
    """The key, or the error for whoever calls that provider."""
    if isinstance(vault, TenantVault):
        try:
            return vault.unseal(KIND, provider, sealed).decode()
        except Unreadable as unreadable:
            reason = unreadable.detail
    else:
        reason = vault.detail if vault else "The tenant's data key is gone; restore tenant_data_key from a backup."
    return ProviderKeyUnreadable(
        f"Your own key for {provider} cannot be decrypted, so nothing is sent to {provider}: store it again with "
        f"PUT /v1/gateway/provider-keys/{provider}, or delete it to use the platform's. For the operator: {reason}"
    )


def _decode(document: str) -> TenantPolicy | PolicyUnreadable:
    try:
        return decode_policy(document)
    except PolicyUnreadable as unreadable:
        return unreadable
