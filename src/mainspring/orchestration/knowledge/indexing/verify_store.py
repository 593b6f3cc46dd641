"""The SQL of verifying: what the record says, what the rows are, and making the one follow the other."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from mainspring.foundation.db import Row, TenantTransaction


async def unlike_their_record(transaction: TenantTransaction, index: UUID) -> list[Row]:
    """Documents whose rows are not as many as the record says, or not numbered through; without a record, 0 are said.

    Rows of `document_id`, `kind`, `said`, `there`.
    """
    return await transaction.planned(
        """with counted as (
               select 'chunks' as kind, document_id, count(*) as rows, max(ordinal) as last from chunk
                where tenant_id = %(tenant)s and index_id = %(index)s group by document_id
               union all
               select 'vectors', document_id, count(*), max(ordinal) from chunk_vector
                where tenant_id = %(tenant)s and index_id = %(index)s group by document_id
               union all
               select 'terms', document_id, count(*), max(ordinal) from chunk_terms
                where tenant_id = %(tenant)s and index_id = %(index)s group by document_id),
           said as (
               select kind, document_id, chunks
                 from indexed_document, unnest(array['chunks', 'vectors', 'terms']) as kind
                where tenant_id = %(tenant)s and index_id = %(index)s)
           select document_id, kind, coalesce(said.chunks, 0) as said, coalesce(counted.rows, 0) as there
             from said full join counted using (kind, document_id)
            where coalesce(said.chunks, 0) <> coalesce(counted.rows, 0)
               or coalesce(counted.last, -1) <> coalesce(counted.rows, 0) - 1
            order by document_id, kind""",
        tenant=transaction.tenant,
        index=index,
    )


async def unlike_their_status(transaction: TenantTransaction, index: UUID) -> list[Row]:
    """Documents that are said to be indexed, and the active index holds another revision, or none: `held`."""
    return await transaction.all(
        """select document.id as document_id, document.revision, held.revision as held from document
             left join indexed_document as held on held.tenant_id = %(tenant)s and held.index_id = %(index)s
              and held.document_id = document.id
            where document.tenant_id = %(tenant)s and document.status = 'indexed'
              and held.revision is distinct from document.revision order by document.id""",
        tenant=transaction.tenant,
        index=index,
    )


async def list_wrong_terms(transaction: TenantTransaction, index: UUID) -> dict[int, int]:
    """Terms that are not counted as the sum of what the documents' records say, with that sum."""
    rows = await transaction.planned(
        """with said as (
               select given.term, sum(given.chunks)::integer as chunks from indexed_document,
                      lateral unnest(terms, term_chunks) as given(term, chunks)
                where tenant_id = %(tenant)s and index_id = %(index)s group by given.term),
           counted as (select term, chunks from term_count where tenant_id = %(tenant)s and index_id = %(index)s)
           select term, coalesce(said.chunks, 0) as chunks from said full join counted using (term)
            where said.chunks is distinct from counted.chunks order by term""",
        tenant=transaction.tenant,
        index=index,
    )
    return {row["term"]: row["chunks"] for row in rows}


async def read_contents(transaction: TenantTransaction, index: UUID, documents: Sequence[UUID]) -> list[Row]:
    """Chunks with the hash that their vectors were made for: the columns of a chunk, `document_id`, `content_hash`."""
    return await transaction.all(
        """select chunk.*, placed.content_hash from chunk
             join chunk_vector as placed using (tenant_id, index_id, document_id, ordinal)
            where chunk.tenant_id = %(tenant)s and placed.tenant_id = %(tenant)s and chunk.index_id = %(index)s
              and chunk.document_id = any(%(documents)s::uuid[])""",
        tenant=transaction.tenant,
        index=index,
        documents=list(documents),
    )


async def list_held(transaction: TenantTransaction, index: UUID, after: UUID | None, limit: int) -> list[UUID]:
    """Documents that the index is said to hold, in order of id."""
    rows = await transaction.all(
        """select document_id from indexed_document where tenant_id = %(tenant)s and index_id = %(index)s
              and (%(after)s::uuid is null or document_id > %(after)s::uuid) order by document_id limit %(limit)s""",
        tenant=transaction.tenant,
        index=index,
        after=after,
        limit=limit,
    )
    return [row["document_id"] for row in rows]


async def hold_documents(transaction: TenantTransaction) -> None:
    """No document is deleted until the transaction ends; hold the indexes first."""
    await transaction.run(
        "select 1 from document where tenant_id = %(tenant)s order by id for share", tenant=transaction.tenant
    )


async def write_counts(transaction: TenantTransaction, index: UUID, counts: Mapping[int, int]) -> None:
    """Make these the counts of these terms, given in order of term; hold the index and the documents first."""
    await transaction.run(
        """insert into term_count (tenant_id, index_id, term, chunks)
           select %(tenant)s, %(index)s, given.term, given.chunks
             from unnest(%(terms)s::integer[], %(chunks)s::integer[]) as given(term, chunks)
           on conflict (tenant_id, index_id, term) do update set chunks = excluded.chunks""",
        tenant=transaction.tenant,
        index=index,
        terms=list(counts.keys()),
        chunks=list(counts.values()),
    )
    await transaction.run(
        "delete from term_count where tenant_id = %(tenant)s and index_id = %(index)s and chunks <= 0",
        tenant=transaction.tenant,
        index=index,
    )


async def forget_records(transaction: TenantTransaction, index: UUID, documents: Sequence[UUID]) -> None:
    """Take these documents out of an index, with their rows; the counts of terms are wrong after it."""
    await transaction.run(
        """delete from indexed_document where tenant_id = %(tenant)s and index_id = %(index)s
              and document_id = any(%(documents)s::uuid[])""",
        tenant=transaction.tenant,
        index=index,
        documents=list(documents),
    )


async def mark_pending(transaction: TenantTransaction, documents: Sequence[UUID]) -> int:
    """Have the documents indexed anew; those that are gone are not counted."""
    return await transaction.run(
        """update document set status = 'pending', error_code = null, error_detail = null,
                  updated_at = now(), changed = default
            where tenant_id = %(tenant)s and id = any(%(documents)s::uuid[])""",
        tenant=transaction.tenant,
        documents=list(documents),
    )
