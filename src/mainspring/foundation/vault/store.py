"""SQL of the wrapped data keys."""

from collections.abc import Sequence

from mainspring.foundation.db import Row, SystemTransaction, TenantTransaction
from mainspring.foundation.ids import TenantId


async def find_data_keys(transaction: TenantTransaction) -> list[Row]:
    """`version` and `wrapped` of the tenant's keys."""
    return await transaction.all(
        "select version, wrapped from tenant_data_key where tenant_id = %(tenant)s order by version",
        tenant=transaction.tenant,
    )


async def insert_first_key(transaction: TenantTransaction, wrapped: bytes) -> list[Row]:
    """Store the tenant's first key unless another process has done so; returns what is there then.

    Of two processes at once the second waits for the first one's commit and changes nothing.
    """
    await transaction.run(
        "insert into tenant_data_key (tenant_id, version, wrapped) values (%(tenant)s, 1, %(wrapped)s)"
        " on conflict do nothing",
        tenant=transaction.tenant,
        wrapped=wrapped,
    )
    return await find_data_keys(transaction)


async def find_data_keys_of(transaction: SystemTransaction, tenants: Sequence[TenantId]) -> list[Row]:
    """`tenant_id`, `version` and `wrapped` of the keys of several tenants."""
    return await transaction.all(
        "select tenant_id, version, wrapped from tenant_data_key where tenant_id = any(%(tenants)s)",
        tenants=list(tenants),
    )


async def list_data_keys(transaction: SystemTransaction) -> list[Row]:
    """`tenant_id`, `version` and `wrapped` of every key on the platform."""
    return await transaction.all("select tenant_id, version, wrapped from tenant_data_key order by tenant_id, version")


async def replace_wrapping(transaction: TenantTransaction, version: int, *, before: bytes, after: bytes) -> bool:
    """Exchange the wrapped form of a key, unless someone else did."""
    changed = await transaction.run(
        "update tenant_data_key set wrapped = %(after)s"
        " where tenant_id = %(tenant)s and version = %(version)s and wrapped = %(before)s",
        tenant=transaction.tenant,
        version=version,
        before=before,
        after=after,
    )
    return changed == 1
