"""The vaults of all tenants: one data key each, made when it is first needed and held opened in this process.

The data key is made and wrapped before a transaction opens, and unwrapped after it has closed: a key
service may be on another host. Whoever stores its key first gives the tenant its key; the others,
in whichever process, find that one and drop theirs.
"""

import asyncio
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from weakref import WeakValueDictionary

from mainspring.foundation.db import Database, Row, forbid_open_transaction
from mainspring.foundation.ids import TenantId

from . import store
from .errors import Unreadable
from .master import KEY_BYTES
from .sealing import TenantVault
from .wrapping import KeyWrapper


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """How many data keys were under an older key-encryption key, and whose no known one opens."""

    done: int
    unreadable: tuple[TenantId, ...]


class Vault:
    """Opens the vaults of tenants.

    most_open  vaults kept opened in the process; beyond, the one opened longest ago is dropped
    """

    def __init__(self, database: Database, wrapper: KeyWrapper, *, most_open: int = 10_000) -> None:
        self._database = database
        self._wrapper = wrapper
        self._most_open = most_open
        self._opened: dict[TenantId, TenantVault] = {}
        self._locks: WeakValueDictionary[TenantId, asyncio.Lock] = WeakValueDictionary()

    def find_open(self, tenant: TenantId) -> TenantVault | None:
        """The tenant's vault if this process has opened it already."""
        return self._opened.get(tenant)

    async def open_tenant(self, tenant: TenantId) -> TenantVault:
        """The tenant's vault, with a new data key if it has none; from memory after the first time.

        raises   Unreadable when its data key cannot be unwrapped; RuntimeError inside a transaction
        """
        opened = self._opened.get(tenant)
        if opened is not None:
            return opened
        forbid_open_transaction("a data key")
        lock = self._locks.setdefault(tenant, asyncio.Lock())
        async with lock:
            return self._opened.get(tenant) or self._keep(tenant, await self._unwrap(tenant, await self._find(tenant)))

    async def open_tenants(self, tenants: Iterable[TenantId]) -> Mapping[TenantId, TenantVault | Unreadable]:
        """The vaults of those tenants that have a data key, read with one query; none is made."""
        forbid_open_transaction("data keys")
        wanted = tuple(tenants)
        missing = [tenant for tenant in wanted if tenant not in self._opened]
        rows: dict[TenantId, list[Row]] = {}
        if missing:
            async with self._database.system() as transaction:
                for row in await store.find_data_keys_of(transaction, missing):
                    rows.setdefault(TenantId(row["tenant_id"]), []).append(row)
        found: dict[TenantId, TenantVault | Unreadable] = {
            tenant: self._opened[tenant] for tenant in wanted if tenant in self._opened
        }
        for tenant, keys in rows.items():
            try:
                found[tenant] = self._keep(tenant, await self._unwrap(tenant, keys))
            except Unreadable as unreadable:
                found[tenant] = unreadable
        return found

    async def rewrap(self) -> Rewrapped:
        """Wrap every data key under the present key-encryption key; what is sealed stays as it is.

        When nothing is left unreadable, the older key-encryption keys may be taken away.
        """
        async with self._database.system() as transaction:
            rows = await store.list_data_keys(transaction)
        done, unreadable = 0, list[TenantId]()
        for row in rows:
            if self._wrapper.is_current(row["wrapped"]):
                continue
            try:
                done += await self._rewrap(TenantId(row["tenant_id"]), row["version"], row["wrapped"])
            except Unreadable:
                unreadable.append(TenantId(row["tenant_id"]))
        return Rewrapped(done, tuple(unreadable))

    async def _rewrap(self, tenant: TenantId, version: int, before: bytes) -> bool:
        data_key = await self._wrapper.unwrap(before, _bind(tenant, version))
        after = await self._wrapper.wrap(data_key, _bind(tenant, version))
        async with self._database.tenant(tenant) as transaction:
            return await store.replace_wrapping(transaction, version, before=before, after=after)

    async def _find(self, tenant: TenantId) -> Sequence[Row]:
        async with self._database.tenant(tenant) as transaction:
            rows = await store.find_data_keys(transaction)
        if rows:
            return rows
        wrapped = await self._wrapper.wrap(secrets.token_bytes(KEY_BYTES), _bind(tenant, 1))
        async with self._database.tenant(tenant) as transaction:
            return await store.insert_first_key(transaction, wrapped)

    async def _unwrap(self, tenant: TenantId, rows: Sequence[Row]) -> TenantVault:
        keys = {
            row["version"]: await self._wrapper.unwrap(row["wrapped"], _bind(tenant, row["version"])) for row in rows
        }
        return TenantVault(tenant, keys)

    def _keep(self, tenant: TenantId, vault: TenantVault) -> TenantVault:
        while len(self._opened) >= self._most_open:
            del self._opened[next(iter(self._opened))]
        self._opened[tenant] = vault
        return vault


def _bind(tenant: TenantId, version: int) -> bytes:
    return b"mainspring data key" + tenant.bytes + version.to_bytes(2, "big")
