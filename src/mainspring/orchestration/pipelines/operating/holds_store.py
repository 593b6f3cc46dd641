"""The SQL of holds. A claim reads the same table; what is held is so with the commit."""

from uuid import UUID

from mainspring.foundation.db import Row, SystemTransaction, TenantTransaction

Transaction = SystemTransaction | TenantTransaction


async def add_hold(
    transaction: Transaction,
    hold: UUID,
    *,
    tenant: UUID | None,
    held: tuple[str | None, str | None, str],
    reason: str,
    by: str,
) -> Row:
    """Hold in the way of `held` (pipeline, step, kind); the hold that is there already stays as it is."""
    pipeline, step, kind = held
    terms = {"tenant": tenant, "pipeline": pipeline, "step": step, "kind": kind}
    await transaction.run(
        """
        insert into hold (id, tenant_id, pipeline, step, kind, reason, held_by, held_at)
        values (%(id)s, %(tenant)s, %(pipeline)s, %(step)s, %(kind)s, %(reason)s, %(by)s, mainspring_now())
        on conflict on constraint hold_once do nothing""",
        id=hold,
        reason=reason,
        by=by,
        **terms,
    )
    return await transaction.one(
        """
        select id, tenant_id, pipeline, step, kind, reason, held_by, held_at from hold
         where tenant_id is not distinct from %(tenant)s::uuid and pipeline is not distinct from %(pipeline)s::text
           and step is not distinct from %(step)s::text and kind = %(kind)s""",
        **terms,
    )


async def list_holds(transaction: Transaction, tenant: UUID | None) -> list[Row]:
    """What the tenant holds, or with None every hold there is, for the operator; the newest first."""
    return await transaction.all(
        """
        select id, tenant_id, pipeline, step, kind, reason, held_by, held_at from hold
         where %(tenant)s::uuid is null or tenant_id = %(tenant)s order by id desc limit 1000""",
        tenant=tenant,
    )


async def release(transaction: Transaction, hold: UUID) -> Row | None:
    """End a hold; what was held, or None when there is none of that id that the caller may end."""
    return await transaction.first(
        """
        delete from hold where id = %(hold)s
        returning id, tenant_id, pipeline, step, kind, reason, held_by, held_at""",
        hold=hold,
    )


async def count_holds(transaction: Transaction, tenant: UUID | None) -> int:
    """How many holds one tenant has, or the operator's own."""
    row = await transaction.one(
        "select count(*) as count from hold where tenant_id is not distinct from %(tenant)s::uuid", tenant=tenant
    )
    return int(row["count"])


async def list_binding(transaction: SystemTransaction, tenant: UUID) -> list[Row]:
    """What is held of the tenant, by itself or by the operator. Rows: few."""
    return await transaction.all(
        "select kind, pipeline, step from hold where tenant_id is null or tenant_id = %(tenant)s", tenant=tenant
    )
