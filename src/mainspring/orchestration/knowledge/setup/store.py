"""All SQL of setups: one row for each version that a tenant saved."""

from collections.abc import Mapping, Sequence

from psycopg.types.json import Jsonb

from mainspring.foundation.db import Row, TenantTransaction


async def find_newest(transaction: TenantTransaction) -> Row | None:
    """The newest version's row."""
    return await transaction.first(
        """select version, body, note, created_by, created_at from knowledge_settings
            where tenant_id = %(tenant)s order by version desc limit 1""",
        tenant=transaction.tenant,
    )


async def find_version(transaction: TenantTransaction, version: int) -> Row | None:
    """One version's row."""
    return await transaction.first(
        """select version, body, note, created_by, created_at from knowledge_settings
            where tenant_id = %(tenant)s and version = %(version)s""",
        tenant=transaction.tenant,
        version=version,
    )


async def list_versions(transaction: TenantTransaction, *, before: int, limit: int) -> Sequence[Row]:
    """Versions below `before`, newest first."""
    return await transaction.all(
        """select version, body, note, created_by, created_at from knowledge_settings
            where tenant_id = %(tenant)s and version < %(before)s order by version desc limit %(limit)s""",
        tenant=transaction.tenant,
        before=before,
        limit=limit,
    )


async def add_version(
    transaction: TenantTransaction, version: int, body: Mapping[str, object], *, note: str | None, created_by: str
) -> bool:
    """Insert a version; False when someone saved that version a moment ago."""
    added = await transaction.run(
        """insert into knowledge_settings (tenant_id, version, body, note, created_by)
           values (%(tenant)s, %(version)s, %(body)s, %(note)s, %(created_by)s)
           on conflict do nothing""",
        tenant=transaction.tenant,
        version=version,
        body=Jsonb(dict(body)),
        note=note,
        created_by=created_by,
    )
    return added == 1
