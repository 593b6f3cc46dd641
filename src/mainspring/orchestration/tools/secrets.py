"""Secrets of tools: stored sealed, opened for the tool that declared them, and struck out of all that it says.

A model, a policy and a record only ever name a secret. Its value exists in the memory of one call; what the tool
returns or raises is searched for it, also in base64 and percent-encoded, before anybody sees or stores that.
"""

import base64
from collections.abc import Callable, Collection, Mapping
from urllib.parse import quote

import msgspec

from mainspring.foundation.db import Database
from mainspring.foundation.errors import InvalidInput, NotFound
from mainspring.foundation.ids import TenantId
from mainspring.foundation.principal import Principal
from mainspring.foundation.vault import Vault

from . import store
from .declaring import SECRET_NAME
from .errors import SecretUnknown
from .types import Json, SecretFacts

MANAGE = "tool.manage"
_KIND = "tool_secret"
_LEAST, _MOST = 8, 8_192


class ToolSecrets:
    """Use cases on the secrets of a tenant's tools."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def list(self, principal: Principal) -> list[SecretFacts]:
        """All by name, never what they are; needs `tool.manage`."""
        principal.require(MANAGE)
        async with self._database.tenant(principal.tenant) as transaction:
            rows = await store.list_secrets(transaction)
        return [SecretFacts(row["name"], row["created_at"], row["created_by"]) for row in rows]

    async def put(self, principal: Principal, name: str, value: str) -> SecretFacts:
        """Store a value, in the place of an older one; needs `tool.manage`. InvalidInput, without the value."""
        principal.require(MANAGE)
        if not SECRET_NAME.fullmatch(name):
            raise InvalidInput(f"The name {name[:80]!r} must be 1 to 64 of a-z, 0-9, _ . and -, the first a letter.")
        if not _LEAST <= len(value) <= _MOST or not value.isprintable():
            raise InvalidInput(
                f"The secret has {len(value)} characters; it needs {_LEAST} to {_MOST:,}, all of them printable."
            )
        vault = await self._vault.open_tenant(principal.tenant)
        sealed = vault.seal(_KIND, name, value.encode())
        async with self._database.tenant(principal.tenant) as transaction:
            row = await store.upsert_secret(transaction, name, sealed=sealed, by=principal.name)
        return SecretFacts(row["name"], row["created_at"], row["created_by"])

    async def delete(self, principal: Principal, name: str) -> None:
        """Forget a secret; tools that need it fail from now on. Needs `tool.manage`; raises NotFound."""
        principal.require(MANAGE)
        async with self._database.tenant(principal.tenant) as transaction:
            if "\0" in name or not await store.delete_secret(transaction, name):
                raise NotFound(f"There is no tool secret {name[:80]!r}.")

    async def open(self, tenant: TenantId, name: str) -> str:
        """The value; SecretUnknown when there is none, Unreadable when it cannot be opened."""
        vault = await self._vault.open_tenant(tenant)
        async with self._database.tenant(tenant) as transaction:
            sealed = (await store.find_secrets(transaction, [name])).get(name)
        if sealed is None:
            raise SecretUnknown(f"The secret {name!r} is not stored; store it with PUT /v1/tool-secrets/{name}.")
        return vault.unseal(_KIND, name, sealed).decode()


class Revealed:
    """The secrets that one call has opened."""

    def __init__(self, secrets: ToolSecrets, tenant: TenantId, declared: Collection[str]) -> None:
        self._secrets = secrets
        self._tenant = tenant
        self._declared = declared
        self._values: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"Revealed({sorted(self._values)})"

    async def __call__(self, name: str) -> str:
        """The value; SecretUnknown for one that the tool did not declare or the tenant has not stored."""
        if name not in self._declared:
            raise SecretUnknown(f"The tool did not declare the secret {name!r}; add it to `secrets`.")
        if name not in self._values:
            self._values[name] = await self._secrets.open(self._tenant, name)
        return self._values[name]

    def strike(self, text: str) -> str:
        """The text without any value that was opened, in whichever usual spelling."""
        return _strike(text, self._values, _as_said)

    def strike_json(self, content: Json) -> Json:
        """The JSON value without any value that was opened."""
        if not self._values:
            return content
        written = msgspec.json.encode(content).decode()
        struck = _strike(written, self._values, _as_written)
        return content if struck == written else msgspec.json.decode(struck)


def _strike(text: str, values: Mapping[str, str], spell: Callable[[str], tuple[str, ...]]) -> str:
    for name, value in values.items():
        for spelling in spell(value):
            text = text.replace(spelling, f"[secret {name}]")
    return text


def _as_said(value: str) -> tuple[str, ...]:
    encoded = base64.b64encode(value.encode()).decode()
    url_safe = base64.urlsafe_b64encode(value.encode()).decode()
    spellings = (value, encoded, encoded.rstrip("="), url_safe, url_safe.rstrip("="), quote(value, safe=""))
    return tuple(dict.fromkeys(spellings))


def _as_written(value: str) -> tuple[str, ...]:
    """Inside of JSON text, where quotation marks and backslashes stand escaped."""
    return tuple(msgspec.json.encode(each).decode()[1:-1] for each in _as_said(value))
