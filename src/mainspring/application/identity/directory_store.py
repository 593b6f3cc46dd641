"""The SQL that reads tenants and live API keys across the platform, for processes that hold them in memory."""

from uuid import UUID

from mainspring.foundation.db import Row, SystemTransaction
from mainspring.foundation.ids import TenantId


async def list_switches(transaction: SystemTransaction) -> list[Row]:
    """`id` and `ai_enabled` of every tenant."""
    return await transaction.all("select id, ai_enabled from tenant")


async def find_switch(transaction: SystemTransaction, tenant: TenantId) -> Row | None:
    """`id` and `ai_enabled` of one tenant."""
    return await transaction.first("select id, ai_enabled from tenant where id = %(tenant)s", tenant=tenant)


async def list_live_keys(
    transaction: SystemTransaction,
    tenant: TenantId | None,
    scope: str,
    *,
    after: tuple[UUID, UUID] | None,
    limit: int,
) -> list[Row]:
    """Keys that are neither revoked nor expired nor orphaned, and whether they hold `scope`; of one tenant or all.

    after  `tenant_id` and `id` of the last one of the page before
    """
    return await transaction.all(
        "select k.tenant_id, k.id, k.name, k.secret_hash, k.created_by is null as is_operators, m.role,"
        " %(scope)s = any(k.scopes) as has_scope, extract(epoch from k.expires_at)::float8 as expires_at"
        " from api_key k left join membership m on m.tenant_id = k.tenant_id and m.user_id = k.created_by"
        " where k.revoked_at is null and (k.expires_at is null or k.expires_at > now())"
        " and (k.created_by is null or m.role is not null)"
        " and (%(tenant)s::uuid is null or k.tenant_id = %(tenant)s::uuid)"
        " and (k.tenant_id, k.id) > (%(after_tenant)s::uuid, %(after_id)s::uuid)"
        " order by k.tenant_id, k.id limit %(limit)s",
        tenant=tenant,
        scope=scope,
        after_tenant=after[0] if after else UUID(int=0),
        after_id=after[1] if after else UUID(int=0),
        limit=limit,
    )


async def find_live_key(transaction: SystemTransaction, secret_hash: bytes, scope: str) -> Row | None:
    """As `list_live_keys`, the one key with this hash."""
    return await transaction.first(
        "select k.tenant_id, k.id, k.name, k.secret_hash, k.created_by is null as is_operators, m.role,"
        " %(scope)s = any(k.scopes) as has_scope, extract(epoch from k.expires_at)::float8 as expires_at"
        " from api_key k left join membership m on m.tenant_id = k.tenant_id and m.user_id = k.created_by"
        " where k.secret_hash = %(secret_hash)s"
        " and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())"
        " and (k.created_by is null or m.role is not null)",
        secret_hash=secret_hash,
        scope=scope,
    )
