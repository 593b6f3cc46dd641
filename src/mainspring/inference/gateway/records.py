"""Reading the inference records of a tenant, and letting old payloads go."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from mainspring.foundation.db import Database, TenantTransaction
from mainspring.foundation.errors import NotFound
from mainspring.foundation.ids import TenantId, read_id, show_id
from mainspring.foundation.pagination import Page, PageRequest, cut_page, make_cursor
from mainspring.foundation.principal import Principal
from mainspring.foundation.vault import Unreadable, Vault

from . import store
from .engine.tenants import PAYLOAD_KIND
from .ports import Contents
from .said import SaidOutput, read_input, read_output
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


_CLOSED = "What was said in this call is about what is closed to you; ask one of those who may read it."


@dataclass(frozen=True, slots=True)
class ShownRecord:
    """One call with what was said in it.

    dialect   of `input`, and of the caller; None for a call of a worker, which is in the normal form
    input     JSON; None where it was not kept, or is gone
    output    None likewise
    trouble   why what was said cannot be shown, and what to do; None when it can
    """

    record: InferenceRecord
    dialect: str | None = None
    input: Any = None
    output: SaidOutput | None = None
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class Records:
    """The records as people read them.

    vault     opens what was recorded sealed
    contents  knows whose contents are closed to whom; None: to nobody who sees records
    """

    database: Database
    vault: Vault | None = None
    contents: Contents | None = None

    async def get(self, principal: Principal, record: UUID) -> ShownRecord:
        """One record of the principal's tenant with its contents; needs `ai.output.view`.

        raises   NotFound, also for another tenant's
        """
        principal.require("ai.output.view")
        async with self.database.tenant(principal.tenant) as transaction:
            found = await store.find_record(transaction, record)
            payload = await store.find_payload(transaction, record) if found else None
        if found is None:
            raise NotFound(f"There is no record {show_id(PREFIX, record)}.")
        if payload is None:
            return ShownRecord(found)
        if self.contents is not None and not await self.contents.may_read(principal, found):
            return ShownRecord(found, payload["dialect"], trouble=_CLOSED)
        try:
            asked = await self._open(found, payload["input"])
            replied = await self._open(found, payload["output"])
        except Unreadable as unreadable:
            return ShownRecord(found, payload["dialect"], trouble=unreadable.detail)
        return ShownRecord(
            found,
            payload["dialect"],
            None if asked is None else read_input(asked),
            None if replied is None else read_output(replied, payload["dialect"]),
        )

    async def _open(self, record: InferenceRecord, sealed: bytes | None) -> bytes | None:
        if sealed is None or self.vault is None:
            return sealed
        vault = await self.vault.open_tenant(TenantId(record.tenant_id))
        return vault.unseal(PAYLOAD_KIND, record.id, bytes(sealed))

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
