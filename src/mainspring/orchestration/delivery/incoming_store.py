"""SQL of subscriptions: which events of others start which pipelines."""

from collections.abc import Mapping
from uuid import UUID

from mainspring.foundation.db import Row, TenantTransaction


async def list_subscriptions(transaction: TenantTransaction) -> list[Row]:
    """All of them, the oldest first."""
    return await transaction.all(
        "select * from delivery_subscription where tenant_id = %(tenant)s order by id", tenant=transaction.tenant
    )


async def insert_subscription(transaction: TenantTransaction, row: Mapping[str, object]) -> Row | None:
    """Store a subscription; None when there is the same already."""
    return await transaction.first(
        """
        insert into delivery_subscription (tenant_id, id, type, source, pipeline, created_by)
        values (%(tenant)s, %(id)s, %(type)s, %(source)s, %(pipeline)s, %(by)s)
        on conflict on constraint delivery_subscription_once do nothing returning *""",
        tenant=transaction.tenant,
        **row,
    )


async def delete_subscription(transaction: TenantTransaction, subscription: UUID) -> bool:
    """Whether there was one."""
    deleted = await transaction.run(
        "delete from delivery_subscription where tenant_id = %(tenant)s and id = %(id)s",
        tenant=transaction.tenant,
        id=subscription,
    )
    return deleted == 1
