"""Bring your own key: a tenant's keys at providers, which go in and never come out again.

A key is sealed in the tenant's vault before it is stored. Reading shows its last four characters
and whether it can still be opened; one that cannot is said to be so and breaks nothing else.
"""

from collections.abc import Collection

from mainspring.foundation.changes import announce
from mainspring.foundation.db import Database
from mainspring.foundation.errors import InvalidInput, NotFound
from mainspring.foundation.outbox import publish
from mainspring.foundation.principal import Principal
from mainspring.foundation.valkey import Valkey
from mainspring.foundation.vault import Vault

from . import store
from .errors import ProviderKeyUnreadable
from .events import ProviderKeyDeleted, ProviderKeyStored
from .reading import KIND, open_provider_key
from .types import ProviderKeyFacts, show_actor

MIN_KEY = 8
MAX_KEY = 8_192
KNOWN_PROVIDERS = frozenset(
    {"anthropic", "azure", "bedrock", "deepseek", "gemini", "groq", "mistral", "openai", "together"}
)
"""Providers that take a key, where the caller names no others."""


class ProviderKeys:
    """Use cases on the provider keys of the principal's tenant."""

    def __init__(
        self, database: Database, valkey: Valkey, vault: Vault, *, providers: Collection[str] = KNOWN_PROVIDERS
    ) -> None:
        self._database = database
        self._valkey = valkey
        self._vault = vault
        self._providers = frozenset(providers)

    async def list(self, principal: Principal) -> list[ProviderKeyFacts]:
        """All keys by provider, never what they are; needs `gateway.view`."""
        principal.require("gateway.view")
        async with self._database.tenant(principal.tenant) as transaction:
            rows = await store.list_provider_keys(transaction)
        if not rows:
            return []
        opened = (await self._vault.open_tenants([principal.tenant])).get(principal.tenant)
        facts: list[ProviderKeyFacts] = []
        for row in rows:
            key = open_provider_key(opened, row["provider"], row["sealed"])
            trouble = key.detail if isinstance(key, ProviderKeyUnreadable) else None
            facts.append(
                ProviderKeyFacts(row["provider"], row["last_four"], row["created_at"], row["created_by"], trouble)
            )
        return facts

    async def put(self, principal: Principal, provider: str, key: str) -> ProviderKeyFacts:
        """Store a key, in the place of an older one; calls use it within a second. Needs `gateway.manage`.

        raises   InvalidInput, without the key, for an unknown provider or what cannot be a key
        """
        principal.require("gateway.manage")
        self._check_provider(provider)
        _check_key(key)
        vault = await self._vault.open_tenant(principal.tenant)
        sealed, by = vault.seal(KIND, provider, key.encode()), show_actor(principal)
        async with self._database.tenant(principal.tenant) as transaction:
            row = await store.upsert_provider_key(transaction, provider, sealed=sealed, last_four=_end(key), by=by)
            event = ProviderKeyStored(by, provider, row["is_replaced"])
            await publish(transaction, topic=event.topic, payload=event.payload())
        await announce(self._valkey, principal.tenant)
        return ProviderKeyFacts(provider, row["last_four"], row["created_at"], row["created_by"])

    async def delete(self, principal: Principal, provider: str) -> None:
        """Forget a key; calls go back to the platform's own. Needs `gateway.manage`; raises NotFound."""
        principal.require("gateway.manage")
        async with self._database.tenant(principal.tenant) as transaction:
            if "\0" in provider or not await store.delete_provider_key(transaction, provider):
                raise NotFound(f"There is no key for the provider {provider[:40]!r}.")
            event = ProviderKeyDeleted(show_actor(principal), provider)
            await publish(transaction, topic=event.topic, payload=event.payload())
        await announce(self._valkey, principal.tenant)

    def _check_provider(self, provider: str) -> None:
        if provider not in self._providers:
            known = ", ".join(sorted(self._providers))
            raise InvalidInput(f"There is no provider {provider[:40]!r} that takes a key; choose from {known}.")


def _check_key(key: str) -> None:
    if not MIN_KEY <= len(key) <= MAX_KEY:
        raise InvalidInput(f"The key has {len(key)} characters; it needs {MIN_KEY} to {MAX_KEY:,}.")
    if not all("!" <= letter <= "~" for letter in key):
        raise InvalidInput(
            "The key holds blanks, line ends or characters that no provider's key has; "
            "copy it again, without what is before or after it."
        )


def _end(key: str) -> str:
    """At most four characters, and at most a quarter of the key."""
    return key[-min(4, len(key) // 4) :]
