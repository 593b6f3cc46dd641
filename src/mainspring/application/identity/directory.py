"""Tenants and keys as the gateway needs them (its port `Directory`): read whole, held in memory there.

Only a key's hash leaves identity. A key whose maker left the tenant, that was revoked or that has
expired is not in it; whether a key may call models is its scopes and its maker's present role.
"""

from collections.abc import Sequence
from uuid import UUID

from mainspring.foundation.db import Database, Row
from mainspring.foundation.ids import TenantId
from mainspring.inference.gateway import CallerFacts, TenantFacts

from . import directory_store
from .types import ROLE_PERMISSIONS, Permission

_PAGE = 500
_CALL = Permission.AI_MODEL_CALL.value
_CALLING_ROLES = frozenset(role.value for role, held in ROLE_PERMISSIONS.items() if _CALL in held)


class KeyDirectory:
    """Reads across tenants; what it tells is never shown to a caller."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load_tenants(self) -> Sequence[TenantFacts]:
        """All tenants."""
        async with self._database.system() as transaction:
            rows = await directory_store.list_switches(transaction)
        return [_tenant(row) for row in rows]

    async def find_tenant_facts(self, tenant: TenantId) -> TenantFacts | None:
        """One tenant; None when there is none."""
        async with self._database.system() as transaction:
            row = await directory_store.find_switch(transaction, tenant)
        return _tenant(row) if row else None

    async def load_callers(self, tenant: TenantId | None = None) -> Sequence[CallerFacts]:
        """Every live key, of one tenant or of all; keys of one tenant share one id object, to be lean in memory.

        They are read a page at a time, so that a process which serves calls meanwhile is never held up for long.
        """
        tenants: dict[TenantId, TenantId] = {}
        callers: list[CallerFacts] = []
        after: tuple[UUID, UUID] | None = None
        async with self._database.system() as transaction:
            while True:
                rows = await directory_store.list_live_keys(transaction, tenant, _CALL, after=after, limit=_PAGE)
                callers += [_caller(row, tenants) for row in rows]
                if len(rows) < _PAGE:
                    return callers
                after = rows[-1]["tenant_id"], rows[-1]["id"]

    async def find_caller(self, secret_hash: bytes) -> CallerFacts | None:
        """The live key with this SHA-256."""
        async with self._database.system() as transaction:
            row = await directory_store.find_live_key(transaction, secret_hash, _CALL)
        return _caller(row, {}) if row else None


def _tenant(row: Row) -> TenantFacts:
    return TenantFacts(TenantId(row["id"]), row["ai_enabled"])


def _caller(row: Row, tenants: dict[TenantId, TenantId]) -> CallerFacts:
    tenant = TenantId(row["tenant_id"])
    return CallerFacts(
        secret_hash=row["secret_hash"],
        key=row["id"],
        tenant=tenants.setdefault(tenant, tenant),
        name=row["name"],
        may_call=row["has_scope"] and (row["is_operators"] or row["role"] in _CALLING_ROLES),
        expires_at=row["expires_at"],
    )
