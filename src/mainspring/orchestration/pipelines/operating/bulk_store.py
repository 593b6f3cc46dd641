"""The SQL of bulk actions: begun once, carried out in batches, each thing done counted where it is done."""

from collections.abc import Mapping
from typing import LiteralString
from uuid import UUID

from mainspring.foundation.db import Row, SystemTransaction, TenantTransaction

_COLUMNS: LiteralString = """id, tenant_id, kind, terms::text as terms, asker::text as asker, place, done, skipped,
               reason, last_problem, asked_by, asked_at, finished_at """


async def add_bulk(transaction: TenantTransaction, row: Mapping[str, object]) -> Row:
    """Begin one; `terms` and `asker` are JSON text. It works downwards from its own id: younger is not meant."""
    return await transaction.one(
        """
        insert into bulk_action (tenant_id, id, kind, terms, asker, place, reason, asked_by, asked_at)
        values (%(tenant)s, %(id)s, %(kind)s, %(terms)s::jsonb, %(asker)s::jsonb, %(id)s, %(reason)s, %(asked_by)s,
                mainspring_now())
        returning """  # noqa: S608 - constants
        + _COLUMNS,
        tenant=transaction.tenant,
        **row,
    )


async def find_bulk(transaction: TenantTransaction, bulk: UUID) -> Row | None:
    """One bulk action."""
    return await transaction.first(
        "select " + _COLUMNS + "from bulk_action where id = %(bulk)s and tenant_id = %(tenant)s",
        bulk=bulk,
        tenant=transaction.tenant,
    )


async def list_bulks(transaction: TenantTransaction, *, before: UUID | None, limit: int) -> list[Row]:
    """The tenant's bulk actions, newest first."""
    return await transaction.all(
        "select "
        + _COLUMNS
        + """from bulk_action
            where tenant_id = %(tenant)s and (%(before)s::uuid is null or id < %(before)s)
            order by id desc limit %(limit)s""",
        tenant=transaction.tenant,
        before=before,
        limit=limit,
    )


async def count_unfinished(transaction: TenantTransaction) -> int:
    """How many of the tenant's go on."""
    row = await transaction.one(
        "select count(*) as count from bulk_action where tenant_id = %(tenant)s and finished_at is null",
        tenant=transaction.tenant,
    )
    return int(row["count"])


async def find_unfinished(transaction: SystemTransaction, limit: int) -> list[Row]:
    """Bulk actions of any tenant that go on and that nobody is at, the oldest first. Index: bulk_action_unfinished."""
    return await transaction.all(
        """
        select id, tenant_id from bulk_action
         where finished_at is null and (claimed_until is null or claimed_until < now())
         order by id limit %(limit)s""",
        limit=limit,
    )


async def claim_bulk(transaction: TenantTransaction, bulk: UUID, seconds: float) -> Row | None:
    """Take one batch of the action in hand for so long; None when somebody else has, or it has ended."""
    return await transaction.first(
        """
        update bulk_action set claimed_until = now() + make_interval(secs => %(seconds)s)
         where id = %(bulk)s and tenant_id = %(tenant)s and finished_at is null
           and (claimed_until is null or claimed_until < now())
        returning """  # noqa: S608 - constants
        + _COLUMNS,
        bulk=bulk,
        tenant=transaction.tenant,
        seconds=seconds,
    )


async def count_bulk(
    transaction: TenantTransaction, bulk: UUID, *, done: int = 0, skipped: int = 0, problem: str | None = None
) -> None:
    """Count what this transaction did, or why something was left alone."""
    await transaction.run(
        """
        update bulk_action
           set done = done + %(done)s, skipped = skipped + %(skipped)s,
               last_problem = coalesce(%(problem)s, last_problem)
         where id = %(bulk)s and tenant_id = %(tenant)s""",
        bulk=bulk,
        tenant=transaction.tenant,
        done=done,
        skipped=skipped,
        problem=problem,
    )


async def move_bulk(transaction: TenantTransaction, bulk: UUID, place: UUID | None) -> Row:
    """A batch is through: go on below `place`, or with None it was the last."""
    return await transaction.one(
        """
        update bulk_action
           set place = coalesce(%(place)s, place), claimed_until = null,
               finished_at = case when %(place)s::uuid is null then mainspring_now() end
         where id = %(bulk)s and tenant_id = %(tenant)s
        returning """  # noqa: S608 - constants
        + _COLUMNS,
        bulk=bulk,
        tenant=transaction.tenant,
        place=place,
    )


async def put_off(transaction: TenantTransaction, bulk: UUID, seconds: float, problem: str) -> None:
    """Give the batch in hand back, to be taken up again after so long."""
    await transaction.run(
        """
        update bulk_action set claimed_until = now() + make_interval(secs => %(seconds)s), last_problem = %(problem)s
         where id = %(bulk)s and tenant_id = %(tenant)s""",
        bulk=bulk,
        tenant=transaction.tenant,
        seconds=seconds,
        problem=problem,
    )
