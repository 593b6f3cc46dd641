"""SQL of triggers: queues whose messages start runs, who consumes them now, and which messages were of no use."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from mainspring.foundation.db import Row, SystemTransaction, TenantTransaction


async def list_triggers(transaction: TenantTransaction, *, trigger: UUID | None = None) -> list[Row]:
    """All of the tenant's triggers, or one, the oldest first."""
    return await transaction.all(
        "select * from delivery_trigger where tenant_id = %(tenant)s and (%(id)s::uuid is null or id = %(id)s::uuid)"
        " order by id",
        tenant=transaction.tenant,
        id=trigger,
    )


async def insert_trigger(transaction: TenantTransaction, row: Mapping[str, object]) -> Row:
    """Store a trigger."""
    return await transaction.one(
        """
        insert into delivery_trigger (tenant_id, id, kind, url, address, pipeline, description, sealed, created_by)
        values (%(tenant)s, %(id)s, %(kind)s, %(url)s, %(address)s, %(pipeline)s, %(description)s, %(sealed)s, %(by)s)
        returning *""",
        tenant=transaction.tenant,
        **row,
    )


async def set_on(transaction: TenantTransaction, trigger: UUID, *, is_on: bool) -> bool:
    """Let it be consumed or not; whether there is such a one. Its consumer notices when it renews its hold."""
    changed = await transaction.run(
        "update delivery_trigger set is_on = %(is_on)s, trouble = null where tenant_id = %(tenant)s and id = %(id)s",
        tenant=transaction.tenant,
        id=trigger,
        is_on=is_on,
    )
    return changed == 1


async def delete_trigger(transaction: TenantTransaction, trigger: UUID) -> bool:
    """Whether there was one."""
    deleted = await transaction.run(
        "delete from delivery_trigger where tenant_id = %(tenant)s and id = %(id)s",
        tenant=transaction.tenant,
        id=trigger,
    )
    return deleted == 1


async def hold_triggers(transaction: SystemTransaction, holder: UUID, *, lease: timedelta, limit: int) -> list[Row]:
    """Renew what the holder holds and take what nobody does; all that it holds then."""
    await transaction.run(
        "update delivery_trigger set lease_until = now() + %(lease)s"
        " where holder = %(holder)s and is_on and lease_until > now()",
        holder=holder,
        lease=lease,
    )
    await transaction.run(
        """
        update delivery_trigger t set holder = %(holder)s, lease_until = now() + %(lease)s
          from (
            select tenant_id, id from delivery_trigger
             where is_on and (holder is null or lease_until <= now())
             order by id limit greatest(0, %(limit)s - (
               select count(*) from delivery_trigger where holder = %(holder)s and is_on and lease_until > now()))
               for update skip locked
          ) free
         where t.tenant_id = free.tenant_id and t.id = free.id""",
        holder=holder,
        lease=lease,
        limit=limit,
    )
    return await transaction.all(
        "select * from delivery_trigger where holder = %(holder)s and is_on and lease_until > now()", holder=holder
    )


async def release_triggers(transaction: SystemTransaction, holder: UUID) -> None:
    """Let go of all that the holder holds."""
    await transaction.run(
        "update delivery_trigger set holder = null, lease_until = null where holder = %(holder)s", holder=holder
    )


async def record_taken(transaction: TenantTransaction, trigger: UUID) -> None:
    """One more message started a run."""
    await transaction.run(
        "update delivery_trigger set taken = taken + 1, last_message_at = now(), trouble = null"
        " where tenant_id = %(tenant)s and id = %(id)s",
        tenant=transaction.tenant,
        id=trigger,
    )


async def record_trouble(transaction: TenantTransaction, trigger: UUID, trouble: str | None) -> None:
    """What keeps the trigger from consuming; written only when it is news."""
    await transaction.run(
        "update delivery_trigger set trouble = %(trouble)s"
        " where tenant_id = %(tenant)s and id = %(id)s and trouble is distinct from %(trouble)s",
        tenant=transaction.tenant,
        id=trigger,
        trouble=trouble,
    )


async def insert_refusal(transaction: TenantTransaction, row: Mapping[str, object]) -> None:
    """Write down a message that was of no use, and why."""
    await transaction.run(
        "insert into delivery_refusal (tenant_id, id, trigger_id, message, reason, excerpt)"
        " values (%(tenant)s, %(id)s, %(trigger)s, %(message)s, %(reason)s, %(excerpt)s)",
        tenant=transaction.tenant,
        **row,
    )
    await transaction.run(
        "update delivery_trigger set refused = refused + 1, last_message_at = now()"
        " where tenant_id = %(tenant)s and id = %(trigger)s",
        tenant=transaction.tenant,
        trigger=row["trigger"],
    )


async def list_refusals(transaction: TenantTransaction, trigger: UUID, *, limit: int, before: UUID | None) -> list[Row]:
    """Messages that were of no use, the newest first."""
    return await transaction.all(
        "select * from delivery_refusal where tenant_id = %(tenant)s and trigger_id = %(trigger)s"
        " and (%(before)s::uuid is null or id < %(before)s::uuid) order by id desc limit %(limit)s",
        tenant=transaction.tenant,
        trigger=trigger,
        limit=limit,
        before=before,
    )
