"""The SQL of intake."""

from mainspring.foundation.db import Row, TenantTransaction


async def find_named(transaction: TenantTransaction, source: str, external_id: str) -> Row | None:
    """`id`, `name` and `readers` of the document that a source knows under this name."""
    return await transaction.first(
        """select id, name, readers from document
            where tenant_id = %(tenant)s and source = %(source)s and external_id = %(external_id)s""",
        tenant=transaction.tenant,
        source=source,
        external_id=external_id,
    )
