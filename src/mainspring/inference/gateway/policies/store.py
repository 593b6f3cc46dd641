"""SQL of policies, provider keys and spend."""

from datetime import date

from mainspring.foundation.db import Row, SystemTransaction, TenantTransaction
from mainspring.foundation.ids import TenantId

from .types import SpendDay, SpendQuery


async def find_policy(transaction: TenantTransaction) -> Row | None:
    """The tenant's policy, its document as text."""
    return await transaction.first(
        "select version, document::text, updated_at, updated_by from gateway_policy where tenant_id = %(tenant)s",
        tenant=transaction.tenant,
    )


async def replace_policy(transaction: TenantTransaction, *, over: int, document: str, by: str) -> Row | None:
    """Store a document in the place of version `over` (0: of none); None when that is not the present version."""
    if over == 0:
        return await transaction.first(
            "insert into gateway_policy (tenant_id, version, document, updated_by)"
            " values (%(tenant)s, 1, %(document)s::jsonb, %(by)s)"
            " on conflict do nothing returning version, document::text, updated_at, updated_by",
            tenant=transaction.tenant,
            document=document,
            by=by,
        )
    return await transaction.first(
        "update gateway_policy set version = version + 1, document = %(document)s::jsonb, updated_at = now(),"
        " updated_by = %(by)s where tenant_id = %(tenant)s and version = %(over)s"
        " returning version, document::text, updated_at, updated_by",
        tenant=transaction.tenant,
        document=document,
        by=by,
        over=over,
    )


async def load_policies(transaction: SystemTransaction, tenant: TenantId | None) -> list[Row]:
    """`tenant_id`, `version` and `document` as text, of one tenant or of all."""
    return await transaction.all(
        "select tenant_id, version, document::text from gateway_policy"
        " where %(tenant)s::uuid is null or tenant_id = %(tenant)s::uuid",
        tenant=tenant,
    )


async def list_provider_keys(transaction: TenantTransaction) -> list[Row]:
    """The tenant's keys by provider."""
    return await transaction.all(
        "select provider, sealed, last_four, created_at, created_by from provider_key"
        " where tenant_id = %(tenant)s order by provider",
        tenant=transaction.tenant,
    )


async def upsert_provider_key(
    transaction: TenantTransaction, provider: str, *, sealed: bytes, last_four: str, by: str
) -> Row:
    """Store the key, in the place of an older one; `is_replaced` says whether there was one."""
    return await transaction.one(
        "with before as (select 1 from provider_key where tenant_id = %(tenant)s and provider = %(provider)s)"
        " insert into provider_key (tenant_id, provider, sealed, last_four, created_by)"
        " values (%(tenant)s, %(provider)s, %(sealed)s, %(last_four)s, %(by)s)"
        " on conflict (tenant_id, provider) do update set sealed = excluded.sealed,"
        "  last_four = excluded.last_four, created_at = now(), created_by = excluded.created_by"
        " returning provider, last_four, created_at, created_by, exists (select 1 from before) as is_replaced",
        tenant=transaction.tenant,
        provider=provider,
        sealed=sealed,
        last_four=last_four,
        by=by,
    )


async def delete_provider_key(transaction: TenantTransaction, provider: str) -> bool:
    """Whether there was one."""
    deleted = await transaction.run(
        "delete from provider_key where tenant_id = %(tenant)s and provider = %(provider)s",
        tenant=transaction.tenant,
        provider=provider,
    )
    return deleted == 1


async def load_provider_keys(transaction: SystemTransaction, tenant: TenantId | None) -> list[Row]:
    """`tenant_id`, `provider` and `sealed`, of one tenant or of all."""
    return await transaction.all(
        "select tenant_id, provider, sealed from provider_key"
        " where %(tenant)s::uuid is null or tenant_id = %(tenant)s::uuid",
        tenant=tenant,
    )


async def list_spend(
    transaction: TenantTransaction,
    query: SpendQuery,
    *,
    after: tuple[date | None, str | None, str | None],
    limit: int,
) -> list[SpendDay]:
    """Days of the tenant, newest first, each by scope and value."""
    day, scope, value = after
    rows = await transaction.all(
        "select spent_on, scope, value, cost_micros, tokens, calls from gateway_spend"
        " where tenant_id = %(tenant)s and spent_on between %(first)s and %(last)s"
        " and (%(of)s::text is null or scope = %(of)s)"
        " and (%(day)s::date is null or spent_on < %(day)s"
        "  or (spent_on = %(day)s and (scope, value) > (%(scope)s::text, %(value)s::text)))"
        " order by spent_on desc, scope, value limit %(limit)s",
        tenant=transaction.tenant,
        first=query.first,
        last=query.last,
        of=query.scope,
        day=day,
        scope=scope,
        value=value,
        limit=limit,
    )
    return [SpendDay(**row) for row in rows]
