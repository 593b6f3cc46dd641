"""Reading the inference records of a tenant, and letting old payloads go."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from mainspring.foundation.db import Database, TenantTransaction
from mainspring.foundation.ids import TenantId, read_id, show_id
from mainspring.foundation.pagination import Page, PageRequest, cut_page, make_cursor
from mainspring.foundation.principal import Principal

from . import store
from .types import InferenceRecord

PREFIX = "inf"
_PURGE_BATCH = 1000


async def list_records(
    transaction: TenantTransaction, *, run: UUID | None = None, page: PageRequest
) -> Page[InferenceRecord]:
    """A page of the tenant's records, newest first; those of one run when `run` is given."""
    before = read_id(PREFIX, page.after[0]) if page.after else None
    found = await store.select_records(transaction, run=run, before=before, limit=page.limit + 1)
    records, has_more = cut_page(found, page)
    return Page(tuple(records), make_cursor(show_id(PREFIX, records[-1].id)) if has_more else None)


@dataclass(frozen=True, slots=True)
class Records:
    """The records as people read them."""

    database: Database

    async def list_records(
        self, principal: Principal, *, run: UUID | None = None, page: PageRequest
    ) -> Page[InferenceRecord]:
        """A page of the principal's tenant; Forbidden without `ai.output.view`."""
        principal.require("ai.output.view")
        async with self.database.tenant(principal.tenant) as transaction:
            return await list_records(transaction, run=run, page=page)


async def purge_payloads(database: Database, *, before: datetime) -> int:
    """Delete the inputs and outputs of all calls made before an instant, and return how many; records stay."""
    purged = 0
    while True:
        async with database.system() as transaction:
            count = await store.delete_payloads(transaction, before=before, limit=_PURGE_BATCH)
        purged += count
        if count < _PURGE_BATCH:
            return purged


async def forget_payloads(database: Database, tenant: TenantId, runs: Sequence[UUID]) -> int:
    """Delete what was said in the calls of a tenant's runs, and return how many; records stay."""
    async with database.tenant(tenant) as transaction:
        return await store.delete_payloads_of(transaction, runs)
