"""All SQL of ingestion: which documents wait, which failed, and how many stand how."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from mainspring.foundation.db import Row, SystemTransaction, TenantTransaction
from mainspring.foundation.ids import TenantId


@dataclass(frozen=True, slots=True)
class Waiting:
    """A pending document, found across tenants; `updated_at` and `document` order them."""

    tenant: TenantId
    document: UUID
    revision: int
    run: UUID | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """Where a walk over waiting documents stands."""

    updated_at: datetime
    document: UUID


async def find_waiting(
    transaction: SystemTransaction, *, untouched_for: timedelta, after: Place | None, limit: int
) -> Sequence[Waiting]:
    """Pending documents that nothing touched for a while, longest first."""
    rows = await transaction.all(
        """select tenant_id, id, revision, run_id, updated_at from document
            where status = 'pending' and updated_at < now() - %(untouched_for)s
              and (%(updated_at)s::timestamptz is null or (updated_at, id) > (%(updated_at)s, %(document)s::uuid))
            order by updated_at, id limit %(limit)s""",
        untouched_for=untouched_for,
        updated_at=after.updated_at if after else None,
        document=after.document if after else None,
        limit=limit,
    )
    return [
        Waiting(TenantId(row["tenant_id"]), row["id"], row["revision"], row["run_id"], row["updated_at"])
        for row in rows
    ]


async def reopen(transaction: TenantTransaction, document: UUID, revision: int) -> bool:
    """The revision waits to be indexed (again); False when it is not the newest."""
    touched = await transaction.run(
        """update document set status = 'pending', error_code = null, error_detail = null,
                  updated_at = now(), changed = default
            where tenant_id = %(tenant)s and id = %(document)s and revision = %(revision)s""",
        tenant=transaction.tenant,
        document=document,
        revision=revision,
    )
    return touched == 1


async def list_failed(
    transaction: TenantTransaction, *, code: str | None, source: str | None, limit: int
) -> list[UUID]:
    """Documents that failed, for this cause and of this source where they are named."""
    rows = await transaction.all(
        """select id from document where tenant_id = %(tenant)s and status = 'failed'
              and (%(code)s::text is null or error_code = %(code)s)
              and (%(source)s::text is null or source = %(source)s)
            order by id limit %(limit)s""",
        tenant=transaction.tenant,
        code=code,
        source=source,
        limit=limit,
    )
    return [row["id"] for row in rows]


async def counts(transaction: TenantTransaction) -> list[Row]:
    """How many documents of each source stand how, by cause where they failed."""
    return await transaction.all(
        """select source, status, error_code, count(*) as documents from document
            where tenant_id = %(tenant)s group by source, status, error_code order by source, status, error_code""",
        tenant=transaction.tenant,
    )


async def find_indexes(transaction: SystemTransaction, *, statuses: Sequence[str]) -> Sequence[tuple[TenantId, UUID]]:
    """Tenants' indexes that stand so."""
    rows = await transaction.all(
        "select tenant_id, id from knowledge_index where status = any(%(statuses)s)", statuses=list(statuses)
    )
    return [(TenantId(row["tenant_id"]), row["id"]) for row in rows]
