"""What every process knows of tenants, keys and policies, in memory: a call asks no database.

`Snapshot` answers at once, from dictionaries. `SnapshotKeeper` keeps it right: it reads everything at
the start, then only the tenants that changed, which it hears from a bell in Valkey and, should the
bell be away, from a log in Postgres that it looks at twice a second. With Postgres away the last
known state holds, and `stale_since` says from when it is.

A tenant that did not change keeps its `TenantSnapshot` object, and an unchanged policy its
`TenantPolicy` object, so that what is derived from them can be kept beside them.
"""

import hashlib
import time
from collections.abc import Iterable, Mapping, Sequence

from mainspring.foundation.ids import TenantId
from mainspring.foundation.vault import TenantVault

from .policies import Configuration, PolicyUnreadable, ProviderKeyUnreadable, open_provider_key
from .policy import TenantPolicy
from .ports import CallerFacts, TenantFacts

_NOTHING_CONFIGURED = Configuration()


class TenantSnapshot:
    """One tenant as it stands. Provider keys are opened when first asked for; no repr shows them.

    policy_version  counts the changes of its policy; 0 while the defaults hold
    """

    __slots__ = ("_keys", "_policy", "_sealed", "_vault", "is_ai_enabled", "policy_version", "tenant")

    def __init__(self, facts: TenantFacts, configuration: Configuration) -> None:
        self.tenant = facts.tenant
        self.is_ai_enabled = facts.is_ai_enabled
        self.policy_version = configuration.version
        self._policy = configuration.policy
        self._sealed = configuration.provider_keys
        self._vault = configuration.vault
        self._keys: dict[str, str | ProviderKeyUnreadable] | None = None

    def __repr__(self) -> str:
        return f"TenantSnapshot({self.tenant}, policy {self.policy_version}, {len(self._sealed)} provider keys)"

    @property
    def policy(self) -> TenantPolicy:
        """The tenant's policy; raises PolicyUnreadable when it is from a newer version of the platform."""
        if isinstance(self._policy, PolicyUnreadable):
            raise self._policy
        return self._policy

    @property
    def vault(self) -> TenantVault | None:
        """The tenant's vault; None before it was needed: `await snapshot.open_vault(tenant)` opens it."""
        return self._vault if isinstance(self._vault, TenantVault) else None

    def provider_key(self, provider: str) -> str | ProviderKeyUnreadable | None:
        """The tenant's own key at a provider; None for ours.

        An error is for the caller to raise: using our key in its place would send the tenant's text
        under an account that it did not choose.
        """
        sealed = self._sealed.get(provider)
        if sealed is None:
            return None
        if self._keys is None:
            self._keys = {}
        key = self._keys.get(provider)
        if key is None:
            key = self._keys[provider] = open_provider_key(self._vault, provider, sealed)
        return key

    def keep_vault(self, vault: TenantVault) -> None:
        """From now on `vault` is this one."""
        self._vault = vault

    def is_same(self, facts: TenantFacts, configuration: Configuration) -> bool:
        """Whether nothing is different from what this was made of."""
        return (
            self.is_ai_enabled == facts.is_ai_enabled
            and self.policy_version == configuration.version
            and self._policy == configuration.policy
            and self._sealed == configuration.provider_keys
            and (self.vault is not None or not self._sealed)
        )

    def with_policy_of(self, configuration: Configuration) -> TenantPolicy | PolicyUnreadable:
        """This tenant's policy object if it is what `configuration` has too, else the new one."""
        return self._policy if self._policy == configuration.policy else configuration.policy


class Snapshot:
    """Lookups for the hot path. They neither wait nor fail; about a microsecond each."""

    __slots__ = ("_callers", "_hashes", "_tenants")

    def __init__(self) -> None:
        self._callers: dict[bytes, CallerFacts] = {}
        self._hashes: dict[TenantId, tuple[bytes, ...]] = {}
        self._tenants: dict[TenantId, TenantSnapshot] = {}

    def __repr__(self) -> str:
        return f"Snapshot({len(self._tenants)} tenants, {len(self._callers)} keys)"

    def find_caller(self, secret: bytes) -> CallerFacts | None:
        """Who sent this API key; None when it is unknown, revoked or expired."""
        caller = self._callers.get(hashlib.sha256(secret).digest())
        if caller is None or (caller.expires_at is not None and caller.expires_at <= time.time()):
            return None
        return caller

    def tenant(self, tenant: TenantId) -> TenantSnapshot | None:
        """A tenant as it stands; None when there is none."""
        return self._tenants.get(tenant)

    def replace_all(
        self,
        tenants: Iterable[TenantFacts],
        callers: Iterable[CallerFacts],
        configurations: Mapping[TenantId, Configuration],
    ) -> None:
        """Hold exactly these."""
        grouped: dict[TenantId, list[bytes]] = {}
        by_hash = dict[bytes, CallerFacts]()
        for caller in callers:
            by_hash[caller.secret_hash] = caller
            grouped.setdefault(caller.tenant, []).append(caller.secret_hash)
        self._tenants = {
            each.tenant: self._renew(each, configurations.get(each.tenant, _NOTHING_CONFIGURED)) for each in tenants
        }
        self._callers = by_hash
        self._hashes = {tenant: tuple(hashes) for tenant, hashes in grouped.items()}

    def replace(
        self,
        tenant: TenantId,
        facts: TenantFacts | None,
        callers: Sequence[CallerFacts],
        configuration: Configuration = _NOTHING_CONFIGURED,
    ) -> None:
        """Hold these of one tenant and nothing older; with `facts` None it is gone."""
        for secret_hash in self._hashes.pop(tenant, ()):
            self._callers.pop(secret_hash, None)
        if facts is None:
            self._tenants.pop(tenant, None)
            return
        self._tenants[tenant] = self._renew(facts, configuration)
        if callers:
            self._hashes[tenant] = tuple(caller.secret_hash for caller in callers)
            self._callers.update((caller.secret_hash, caller) for caller in callers)

    def _renew(self, facts: TenantFacts, configuration: Configuration) -> TenantSnapshot:
        known = self._tenants.get(facts.tenant)
        if known is None:
            return TenantSnapshot(facts, configuration)
        if known.is_same(facts, configuration):
            return known
        policy, vault = known.with_policy_of(configuration), configuration.vault or known.vault
        return TenantSnapshot(facts, Configuration(configuration.version, policy, configuration.provider_keys, vault))
