"""Blobs that no document points to: what a process left that was killed between writing bytes and writing the row.

Such bytes are found by nobody, but they are there, and may be those of a document that was deleted meanwhile. The walk
over the object store is long for a large tenant, so it is for once a day.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from mainspring.foundation.clock import Clock, now
from mainspring.foundation.db import SystemTransaction
from mainspring.foundation.ids import TenantId
from mainspring.foundation.objects import ObjectStore
from mainspring.orchestration.knowledge.homes import Homes

from . import store

UNWRITTEN_FOR = timedelta(hours=6)
_FOLDER = "documents/"
_BATCH = 500


async def remove_orphans(
    homes: Homes, objects: ObjectStore, *, older_than: timedelta = UNWRITTEN_FOR, clock: Clock = now
) -> int:
    """Remove the blobs of documents that do not exist, of all tenants; how many there were.

    older_than  of a document's id, which is made just before its first bytes are written
    """

    async def find(transaction: SystemTransaction) -> Sequence[TenantId]:
        return await store.list_tenants(transaction)

    removed, before = 0, clock() - older_than
    for tenant in await homes.everywhere(find, tenant_of=lambda each: each):
        removed += await _remove_of(homes, objects, tenant, before)
    return removed


async def _remove_of(homes: Homes, objects: ObjectStore, tenant: TenantId, before: datetime) -> int:
    removed, keys = 0, dict[UUID, list[str]]()
    async for key in objects.iter_keys(tenant, _FOLDER):
        document = _document_of(key)
        if document is not None and _made_at(document) < before:
            keys.setdefault(document, []).append(key)
        if len(keys) >= _BATCH:
            removed += await _remove(homes, objects, tenant, keys)
            keys = {}
    return removed + await _remove(homes, objects, tenant, keys)


async def _remove(homes: Homes, objects: ObjectStore, tenant: TenantId, keys: dict[UUID, list[str]]) -> int:
    async with homes.reading(tenant) as transaction:
        known = await store.find_existing(transaction, list(keys))
    orphans = [key for document, found in keys.items() if document not in known for key in found]
    for key in orphans:
        await objects.delete(tenant, key)
    return len(orphans)


def _document_of(key: str) -> UUID | None:
    try:
        return UUID(key.removeprefix(_FOLDER).partition("/")[0])
    except ValueError:
        return None


def _made_at(document: UUID) -> datetime:
    """The time in a UUIDv7."""
    return datetime.fromtimestamp((document.int >> 80) / 1000, UTC)
