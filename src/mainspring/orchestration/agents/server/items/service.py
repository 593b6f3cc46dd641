"""The store: what agents remember across threads, as JSON under namespaces of the tenant."""

import msgspec

from mainspring.foundation.db import Database
from mainspring.foundation.errors import TooLarge
from mainspring.foundation.ids import TenantId
from mainspring.orchestration.agents.types import StoreItem

from . import store
from .schemas import ItemName, ItemPut, ItemSearchBody, NamespaceSearchBody, read_conditions
from .store import Found, ItemSearch, NamespaceSearch

MAX_ITEM_BYTES = 1_048_576


class Items:
    """The items of every tenant."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, tenant: TenantId, item: ItemPut) -> None:
        """Store the item, in place of what was there. TooLarge past 1 MiB."""
        size = len(msgspec.json.encode(item.value))
        if size > MAX_ITEM_BYTES:
            raise TooLarge(f"The value takes {size} bytes; {MAX_ITEM_BYTES} at most. Keep large things as documents.")
        async with self._database.tenant(tenant) as transaction:
            await store.put_item(transaction, item.namespace, item.key, item.value, item.ttl)

    async def find(self, tenant: TenantId, name: ItemName, *, refresh: bool) -> StoreItem | None:
        """The item, or None. Reading puts its end off, with `refresh`."""
        async with self._database.tenant(tenant) as transaction:
            return await store.find_item(transaction, name.namespace, name.key, refresh=refresh)

    async def delete(self, tenant: TenantId, name: ItemName) -> None:
        """Forget the item; one that is not there is no error."""
        async with self._database.tenant(tenant) as transaction:
            await store.delete_item(transaction, name.namespace, name.key)

    async def search(self, tenant: TenantId, wanted: ItemSearchBody) -> list[Found]:
        """Items below a namespace that fit the filter, those that hold the query's words first."""
        search = ItemSearch(
            prefix=tuple(wanted.namespace_prefix),
            conditions=read_conditions(wanted.filter),
            words=wanted.query,
            limit=wanted.limit,
            offset=wanted.offset,
        )
        async with self._database.tenant(tenant) as transaction:
            found = await store.search_items(transaction, search)
            if found and wanted.refresh_ttl is not False:
                await store.refresh_items(transaction, [each.item for each in found])
        return found

    async def list_namespaces(self, tenant: TenantId, wanted: NamespaceSearchBody) -> list[list[str]]:
        """Namespaces that hold something."""
        search = NamespaceSearch(
            tuple(wanted.prefix or ()), tuple(wanted.suffix or ()), wanted.max_depth, wanted.limit, wanted.offset
        )
        async with self._database.tenant(tenant) as transaction:
            return await store.list_namespaces(transaction, search)
