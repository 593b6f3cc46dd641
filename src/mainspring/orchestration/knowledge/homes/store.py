"""All SQL that finds a tenant's home, inside the transaction that is to use it.

Who writes holds a shared lock until it commits; a cut-over takes the same lock alone. The lock is fair: writers that
come after a waiting cut-over wait behind it. A statement sees what was committed before it began, so one that waited
for the lock would read the home of before the cut-over: `for share` makes it read the row as it is now instead.
"""

from mainspring.foundation.db import Row, SystemTransaction, TenantTransaction


async def enter_to_read(transaction: TenantTransaction) -> Row | None:
    """Turn the transaction to the tenant's schema, if it has one; the row of its home, None for the shared tables."""
    return await transaction.first(
        """select database_name,
                  set_config('search_path', case tier when 'schema' then quote_ident(schema_name) || ', ' else '' end
                             || 'public, pg_temp', true) as search_path
             from knowledge_home where tenant_id = %(tenant)s and tier <> 'shared'""",
        tenant=transaction.tenant,
    )


async def enter_to_write(transaction: TenantTransaction) -> Row:
    """As for reading, and no cut-over of this tenant happens until the transaction ends."""
    return await transaction.one(
        """select home.database_name,
                  set_config('search_path', case home.tier when 'schema' then quote_ident(home.schema_name) || ', '
                             else '' end || 'public, pg_temp', true) as search_path
             from (select pg_advisory_xact_lock_shared(hashtextextended(%(tenant)s::text, 4))::text as lock) held
             left join lateral (
                  select tier, schema_name, case tier when 'database' then database_name end as database_name
                    from knowledge_home
                   where tenant_id = %(tenant)s and held.lock is not null
                     for share) home on true""",
        tenant=transaction.tenant,
    )


async def list_homes(transaction: SystemTransaction) -> list[Row]:
    """Every tenant that has a row: those that moved, and those on their way."""
    return await transaction.all(
        "select tenant_id, tier, schema_name, database_name, status from knowledge_home order by tenant_id"
    )


async def turn_to(transaction: SystemTransaction, search_path: str) -> None:
    """Let a system transaction use the tables of one place."""
    await transaction.run("select set_config('search_path', %(path)s, true)", path=search_path)
