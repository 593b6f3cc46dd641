"""The SQL of the overview. It counts one tenant's documents, never chunks: those are summed up by document."""

from uuid import UUID

from mainspring.foundation.db import Row, TenantTransaction


async def count_documents(transaction: TenantTransaction) -> list[Row]:
    """`status`, how many `documents` have it, and `oldest_at`, when the first of them came to it."""
    return await transaction.all(
        """select status, count(*) as documents, min(updated_at) as oldest_at
             from document where tenant_id = %(tenant)s group by status""",
        tenant=transaction.tenant,
    )


async def list_failures(transaction: TenantTransaction, *, subjects: frozenset[str] | None, limit: int) -> list[Row]:
    """Each cause of failures with how many `documents` have it, most first, and the last of them that is visible.

    subjects   who asks; None sees the name of every document
    """
    return await transaction.all(
        """with failed as (
             select id, name, error_code, error_detail, updated_at,
                    %(sees_all)s or readers is null or readers && %(subjects)s::text[] as is_visible
               from document where tenant_id = %(tenant)s and status = 'failed'),
           ranked as (
             select *, count(*) over (partition by error_code) as documents,
                    row_number() over (partition by error_code order by is_visible desc, updated_at desc, id) as place
               from failed)
           select * from ranked where place = 1 order by documents desc, error_code limit %(limit)s""",
        tenant=transaction.tenant,
        sees_all=subjects is None,
        subjects=sorted(subjects or ()),
        limit=limit,
    )


async def sum_indexes(transaction: TenantTransaction) -> list[Row]:
    """What each index version holds: `documents`, `current` ones among them, `chunks` and `tokens`."""
    return await transaction.all(
        """select i.index_id, count(*) as documents, count(*) filter (where i.revision = d.revision) as current,
                  sum(i.chunks) as chunks, sum(i.tokens) as tokens
             from indexed_document i join document d on d.tenant_id = i.tenant_id and d.id = i.document_id
            where i.tenant_id = %(tenant)s and d.tenant_id = %(tenant)s group by i.index_id""",
        tenant=transaction.tenant,
    )


async def find_searched_revision(transaction: TenantTransaction, document_id: UUID) -> int | None:
    """The revision of the document that the active index holds."""
    row = await transaction.first(
        """select i.revision from knowledge_index k
             join indexed_document i on i.tenant_id = k.tenant_id and i.index_id = k.id
            where k.tenant_id = %(tenant)s and k.status = 'active' and i.document_id = %(document)s""",
        tenant=transaction.tenant,
        document=document_id,
    )
    return row["revision"] if row else None
