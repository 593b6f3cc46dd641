"""The SQL of remembered items, as graphs read and write them."""

from collections.abc import Sequence

from mainspring.foundation.db import Row, TenantTransaction


async def find_item(transaction: TenantTransaction, namespace: Sequence[str], key: str) -> Row | None:
    """One item that is not past its time; reading it prolongs it. Primary key."""
    return await transaction.first(
        """
        with found as (
            select value, created_at, updated_at from agent_store_item
             where tenant_id = %(tenant)s and namespace = %(namespace)s and key = %(key)s
               and (expires_at is null or expires_at > now())),
        prolonged as (
            update agent_store_item set expires_at = now() + ttl_minutes * interval '1 minute'
             where tenant_id = %(tenant)s and namespace = %(namespace)s and key = %(key)s
               and ttl_minutes is not null and expires_at > now())
        select * from found""",
        tenant=transaction.tenant,
        namespace=list(namespace),
        key=key,
    )


async def put_item(
    transaction: TenantTransaction, namespace: Sequence[str], key: str, *, value: str, ttl_minutes: float | None
) -> None:
    """Write or replace an item; `value` is JSON."""
    await transaction.run(
        """
        insert into agent_store_item (tenant_id, namespace, key, value, ttl_minutes, expires_at)
        values (%(tenant)s, %(namespace)s, %(key)s, %(value)s::text::jsonb, %(ttl)s,
                now() + %(ttl)s::real * interval '1 minute')
        on conflict (tenant_id, namespace, key)
           do update set value = excluded.value, ttl_minutes = excluded.ttl_minutes,
                         expires_at = excluded.expires_at, updated_at = now()""",
        tenant=transaction.tenant,
        namespace=list(namespace),
        key=key,
        value=value,
        ttl=ttl_minutes,
    )


async def delete_item(transaction: TenantTransaction, namespace: Sequence[str], key: str) -> None:
    """Forget an item."""
    await transaction.run(
        """
        delete from agent_store_item
         where tenant_id = %(tenant)s and namespace = %(namespace)s and key = %(key)s""",
        tenant=transaction.tenant,
        namespace=list(namespace),
        key=key,
    )


async def search_items(
    transaction: TenantTransaction, prefix: Sequence[str], *, equal: str | None, limit: int, offset: int
) -> list[Row]:
    """Items under a namespace, newest first. `equal` is a JSON object that an item's value must contain."""
    return await transaction.all(
        """
        select namespace, key, value, created_at, updated_at from agent_store_item
         where tenant_id = %(tenant)s and namespace[:%(depth)s] = %(prefix)s
           and (expires_at is null or expires_at > now())
           and (%(equal)s::text is null or value @> %(equal)s::text::jsonb)
         order by updated_at desc, namespace, key
         limit %(limit)s offset %(offset)s""",
        tenant=transaction.tenant,
        prefix=list(prefix),
        depth=len(prefix),
        equal=equal,
        limit=limit,
        offset=offset,
    )


async def list_namespaces(transaction: TenantTransaction) -> list[Row]:
    """Every namespace that holds an item."""
    return await transaction.all(
        """
        select distinct namespace from agent_store_item
         where tenant_id = %(tenant)s and (expires_at is null or expires_at > now())
         order by namespace""",
        tenant=transaction.tenant,
    )
