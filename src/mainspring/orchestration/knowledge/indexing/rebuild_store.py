"""The SQL of exchanging an index. Indexes are locked first and in order of their ids, then documents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

import msgspec

from mainspring.foundation.db import TenantTransaction
from mainspring.orchestration.knowledge.types import IndexVersion

from .store import index_of
from .types import RebuildFailure


@dataclass(frozen=True, slots=True)
class Place:
    """A span of a document's text, and the text where it was asked for."""

    document_id: UUID
    start: int
    end: int
    text: str = ""


async def hold_indexes(transaction: TenantTransaction) -> tuple[IndexVersion, ...]:
    """Every index of the tenant, none of which changes until the transaction ends; newest first."""
    rows = await transaction.all(
        "select * from knowledge_index where tenant_id = %(tenant)s order by id for update", tenant=transaction.tenant
    )
    return tuple(sorted(map(index_of, rows), key=lambda index: -index.number))


# The report is taken apart once: to look into it for each document takes minutes where thousands failed.
_FAILED: LiteralString = """
      with failed as materialized (
           select failure.key::uuid as id, (failure.value->>'revision')::integer as revision,
                  (failure.value->>'is_of_earlier')::boolean as is_of_earlier
             from knowledge_index, lateral jsonb_each(coalesce(comparison->'failures', '{}')) as failure
            where knowledge_index.tenant_id = %(tenant)s and knowledge_index.id = %(index)s) """
_MISSING: LiteralString = """
      from document left join indexed_document as held
           on held.tenant_id = document.tenant_id and held.index_id = %(index)s and held.document_id = document.id
     where document.tenant_id = %(tenant)s and held.revision is distinct from document.revision
       and not exists (select from failed where failed.id = document.id and failed.revision = document.revision)"""


async def list_missing(transaction: TenantTransaction, index: UUID, limit: int) -> list[UUID]:
    """Documents whose newest revision the index does not hold, without those that failed; oldest first."""
    rows = await transaction.all(
        _FAILED + "select document.id" + _MISSING + " order by document.id limit %(limit)s",
        tenant=transaction.tenant,
        index=index,
        limit=limit,
    )
    return [row["id"] for row in rows]


async def count_missing(transaction: TenantTransaction, index: UUID) -> int:
    """How many such documents there are."""
    row = await transaction.one(
        _FAILED + "select count(*) as documents" + _MISSING, tenant=transaction.tenant, index=index
    )
    return int(row["documents"])


_CARRIED: LiteralString = """
           select document.id, held.revision from document
             join indexed_document as held on held.tenant_id = %(tenant)s and held.index_id = %(active)s
              and held.document_id = document.id and held.revision < document.revision
             left join indexed_document as fresh on fresh.tenant_id = %(tenant)s and fresh.index_id = %(index)s
              and fresh.document_id = document.id
            where document.tenant_id = %(tenant)s and document.status = 'failed'
              and (fresh.revision is null or fresh.revision < held.revision)
              and not exists (select from failed where failed.id = document.id
                                 and failed.revision = document.revision and failed.is_of_earlier)
            order by document.id"""


async def list_carried(transaction: TenantTransaction, active: UUID, building: UUID) -> dict[UUID, int]:
    """Failed documents of which searches find an earlier revision, and the new index holds none as late: which one."""
    rows = await transaction.all(
        _FAILED + _CARRIED,
        tenant=transaction.tenant,
        active=active,
        index=building,
    )
    return {row["id"]: row["revision"] for row in rows}


async def note_failure(
    transaction: TenantTransaction, index: UUID, failure: RebuildFailure, revision: int, *, is_of_earlier: bool
) -> None:
    """Say in the index's report that the newest revision failed; hold the document first, so that it is still there.

    is_of_earlier  the one before failed as well
    """
    said = {
        "revision": revision,
        "code": failure.code,
        "detail": failure.detail,
        "is_of_earlier": is_of_earlier,
    }
    await transaction.run(
        """update knowledge_index
              set comparison = jsonb_set(
                      jsonb_build_object('failures', '{}'::jsonb) || coalesce(comparison, '{}'),
                      array['failures', %(document)s::text], %(said)s::jsonb)
            where tenant_id = %(tenant)s and id = %(index)s""",
        tenant=transaction.tenant,
        index=index,
        document=failure.document_id,
        said=msgspec.json.encode(said).decode(),
    )


async def forget_failures(transaction: TenantTransaction, index: UUID) -> None:
    """Every document is tried again."""
    await transaction.run(
        """update knowledge_index set comparison = comparison - 'failures'
            where tenant_id = %(tenant)s and id = %(index)s""",
        tenant=transaction.tenant,
        index=index,
    )


async def list_failures(transaction: TenantTransaction, index: UUID) -> tuple[RebuildFailure, ...]:
    """Documents that could not be brought into the index at their newest revision."""
    rows = await transaction.all(
        """select document.id, failure.value->>'code' as code, failure.value->>'detail' as detail
             from knowledge_index, lateral jsonb_each(coalesce(comparison->'failures', '{}')) as failure
                  join document on document.tenant_id = %(tenant)s and document.id = failure.key::uuid
                   and document.revision = (failure.value->>'revision')::integer
            where knowledge_index.tenant_id = %(tenant)s and knowledge_index.id = %(index)s order by document.id""",
        tenant=transaction.tenant,
        index=index,
    )
    return tuple(RebuildFailure(row["id"], row["code"], row["detail"]) for row in rows)


async def list_lost(transaction: TenantTransaction, active: UUID, building: UUID) -> list[UUID]:
    """Documents that searches find now and would not find after a switch; failed ones do not count.

    What failed to be indexed failed for the active index as well, which still holds an earlier revision at best.
    """
    rows = await transaction.all(
        """select document.id from document
             join indexed_document as held on held.tenant_id = %(tenant)s and held.index_id = %(active)s
              and held.document_id = document.id
             left join indexed_document as fresh on fresh.tenant_id = %(tenant)s and fresh.index_id = %(building)s
              and fresh.document_id = document.id
            where document.tenant_id = %(tenant)s and document.status <> 'failed'
              and (fresh.revision is null or fresh.revision < held.revision) order by document.id""",
        tenant=transaction.tenant,
        active=active,
        building=building,
    )
    return [row["id"] for row in rows]


async def retire(transaction: TenantTransaction, index: UUID, at: datetime) -> None:
    """Searches do not read it any more."""
    await transaction.run(
        """update knowledge_index set status = 'retired', retired_at = %(at)s
            where tenant_id = %(tenant)s and id = %(index)s""",
        tenant=transaction.tenant,
        index=index,
        at=at,
    )


async def activate(transaction: TenantTransaction, index: UUID, at: datetime) -> IndexVersion:
    """Searches read it from the commit on, and documents stand as they stand in it."""
    row = await transaction.one(
        """update knowledge_index set status = 'active', activated_at = %(at)s, retired_at = null
            where tenant_id = %(tenant)s and id = %(index)s returning *""",
        tenant=transaction.tenant,
        index=index,
        at=at,
    )
    await transaction.run(
        """update document
              set status = case when held.document_id is null then 'pending' else 'indexed' end,
                  error_code = null, error_detail = null, updated_at = now(), changed = default
             from document as standing left join indexed_document as held
                  on held.tenant_id = %(tenant)s and held.index_id = %(index)s
                 and held.document_id = standing.id and held.revision = standing.revision
            where standing.tenant_id = %(tenant)s and document.tenant_id = %(tenant)s and document.id = standing.id
              and document.revision = standing.revision
              and case when held.document_id is null then document.status = 'indexed'
                       else document.status <> 'indexed' end""",
        tenant=transaction.tenant,
        index=index,
    )
    return index_of(row)


async def purge_documents(transaction: TenantTransaction, index: UUID, limit: int) -> list[UUID]:
    """Remove up to `limit` documents from an index, by cascade with all their chunks."""
    rows = await transaction.all(
        """with picked as materialized (  -- a subquery with a limit may be run again, and would find others then
               select document_id from indexed_document where tenant_id = %(tenant)s and index_id = %(index)s
                order by document_id limit %(limit)s for update)
           delete from indexed_document as held using picked
            where held.tenant_id = %(tenant)s and held.index_id = %(index)s and held.document_id = picked.document_id
           returning held.document_id""",
        tenant=transaction.tenant,
        index=index,
        limit=limit,
    )
    return [row["document_id"] for row in rows]


async def purge_terms(transaction: TenantTransaction, index: UUID, limit: int) -> int:
    """Remove up to `limit` counts of terms of an index that holds no documents any more."""
    return await transaction.run(
        """with picked as materialized (
               select term from term_count where tenant_id = %(tenant)s and index_id = %(index)s
                order by term limit %(limit)s for update)
           delete from term_count as counted using picked
            where counted.tenant_id = %(tenant)s and counted.index_id = %(index)s and counted.term = picked.term""",
        tenant=transaction.tenant,
        index=index,
        limit=limit,
    )


async def remove_index(transaction: TenantTransaction, index: UUID) -> None:
    """The index is gone."""
    await transaction.run(
        "delete from knowledge_index where tenant_id = %(tenant)s and id = %(index)s and status = 'retired'",
        tenant=transaction.tenant,
        index=index,
    )


async def forget_useless_drafts(transaction: TenantTransaction) -> None:
    """Remove vectors of models that no index in use has."""
    await transaction.run(
        """delete from embedding_draft where tenant_id = %(tenant)s and model not in (
               select embedding_model from knowledge_index where tenant_id = %(tenant)s and status <> 'retired')""",
        tenant=transaction.tenant,
    )


async def count_documents(transaction: TenantTransaction, indexes: Sequence[UUID]) -> int:
    """How many documents these indexes hold together."""
    row = await transaction.one(
        """select count(*) as documents from indexed_document
            where tenant_id = %(tenant)s and index_id = any(%(indexes)s::uuid[])""",
        tenant=transaction.tenant,
        indexes=list(indexes),
    )
    return int(row["documents"])


async def sample_places(transaction: TenantTransaction, index: UUID, limit: int) -> list[Place]:
    """Chunks of the index, spread over its documents, the same ones each time."""
    rows = await transaction.all(
        """select document_id, start, "end", text from chunk
            where tenant_id = %(tenant)s and index_id = %(index)s
            order by hashtextextended(document_id::text, ordinal), document_id, ordinal limit %(limit)s""",
        tenant=transaction.tenant,
        index=index,
        limit=limit,
    )
    return [Place(row["document_id"], row["start"], row["end"], row["text"]) for row in rows]


async def nearest_places(
    transaction: TenantTransaction, index: UUID, vector: str, *, besides: Place, limit: int
) -> list[Place]:
    """The places of the chunks nearest to a vector, without those that overlap the one that asks."""
    rows = await transaction.planned(
        """select chunk.document_id, chunk.start, chunk."end" from chunk
             join chunk_vector as placed using (tenant_id, index_id, document_id, ordinal)
            where chunk.tenant_id = %(tenant)s and placed.tenant_id = %(tenant)s and chunk.index_id = %(index)s
              and not (chunk.document_id = %(document)s and chunk.start < %(end)s and chunk."end" > %(start)s)
            order by placed.embedding <=> %(vector)s::halfvec, chunk.document_id, chunk.ordinal limit %(limit)s""",
        tenant=transaction.tenant,
        index=index,
        vector=vector,
        document=besides.document_id,
        start=besides.start,
        end=besides.end,
        limit=limit,
    )
    return [Place(row["document_id"], row["start"], row["end"]) for row in rows]


async def note_comparison(transaction: TenantTransaction, index: UUID, figures: Mapping[str, object]) -> None:
    """Keep how the index compares, beside the failures of its building."""
    await transaction.run(
        """update knowledge_index
              set comparison = coalesce(comparison, '{}') || jsonb_build_object('figures', %(figures)s::jsonb)
            where tenant_id = %(tenant)s and id = %(index)s""",
        tenant=transaction.tenant,
        index=index,
        figures=msgspec.json.encode(figures).decode(),
    )
