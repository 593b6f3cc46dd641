"""All SQL of documents. Every statement names the tenant too, so that only its partition is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec

from mainspring.foundation.db import Row, SystemTransaction, TenantTransaction
from mainspring.foundation.ids import TenantId
from mainspring.foundation.pagination import Page, PageRequest, make_cursor
from mainspring.orchestration.knowledge.types import Document, DocumentStatus, Failure, Label

Subjects = Sequence[str] | None
"""Whom a reader is; None sees every document."""

_TOMBSTONES_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Record:
    """A document with where its bytes are kept."""

    document: Document
    original_key: str
    parsed_key: str | None = None


async def find(transaction: TenantTransaction, document: UUID, subjects: Subjects) -> Record | None:
    """The document, None when there is none that these subjects may see."""
    row = await transaction.first(
        """select * from document where tenant_id = %(tenant)s and id = %(id)s
              and (readers is null or %(subjects)s::text[] is null or readers && %(subjects)s::text[])""",
        tenant=transaction.tenant,
        id=document,
        subjects=subjects,
    )
    return _record(row) if row else None


async def find_named(transaction: TenantTransaction, source: str, external_id: str) -> Record | None:
    """The document that the source knows under this name."""
    row = await transaction.first(
        """select * from document
            where tenant_id = %(tenant)s and source = %(source)s and external_id = %(external_id)s""",
        tenant=transaction.tenant,
        source=source,
        external_id=external_id,
    )
    return _record(row) if row else None


async def which_exist(transaction: TenantTransaction, documents: Sequence[UUID]) -> set[UUID]:
    """Those of the ids that are documents."""
    rows = await transaction.all(
        "select id from document where tenant_id = %(tenant)s and id = any(%(documents)s::uuid[])",
        tenant=transaction.tenant,
        documents=list(documents),
    )
    return {row["id"] for row in rows}


async def which_are_closed(transaction: TenantTransaction, documents: Sequence[UUID], subjects: Subjects) -> set[UUID]:
    """Those of the ids that are documents which these subjects may not see."""
    rows = await transaction.all(
        """select id from document where tenant_id = %(tenant)s and id = any(%(documents)s::uuid[])
              and not (readers is null or %(subjects)s::text[] is null or readers && %(subjects)s::text[])""",
        tenant=transaction.tenant,
        documents=list(documents),
        subjects=subjects,
    )
    return {row["id"] for row in rows}


async def list_page(
    transaction: TenantTransaction, request: PageRequest, filters: Mapping[str, str | None], subjects: Subjects
) -> Page[Document]:
    """Newest first. filters: `source`, `status`, and `name`, a part of the name or title."""
    (before,) = request.key(UUID)
    rows = await transaction.all(
        """select * from document where tenant_id = %(tenant)s
              and (%(source)s::text is null or source = %(source)s)
              and (%(status)s::text is null or status = %(status)s)
              and (%(name)s::text is null or strpos(lower(name || ' ' || coalesce(title, '')), lower(%(name)s)) > 0)
              and (readers is null or %(subjects)s::text[] is null or readers && %(subjects)s::text[])
              and (%(before)s::uuid is null or id < %(before)s::uuid)
            order by id desc limit %(limit)s""",
        tenant=transaction.tenant,
        before=before,
        limit=request.limit + 1,
        subjects=subjects,
        **filters,
    )
    items = tuple(_record(row).document for row in rows[: request.limit])
    return Page(items, make_cursor(str(items[-1].id)) if len(rows) > request.limit else None)


async def counts_by_status(transaction: TenantTransaction) -> dict[DocumentStatus, int]:
    """How many documents stand how."""
    rows = await transaction.all(
        "select status, count(*) as documents from document where tenant_id = %(tenant)s group by status",
        tenant=transaction.tenant,
    )
    found = {DocumentStatus(row["status"]): int(row["documents"]) for row in rows}
    return {status: found.get(status, 0) for status in DocumentStatus}


async def add(transaction: TenantTransaction, record: Record) -> Record | None:
    """The new row; None when the source has a document of this name."""
    row = await transaction.first(
        """insert into document (tenant_id, id, source, external_id, sha256, name, media_type, size_bytes,
                                 original_key, document_type, uri, metadata, readers)
           values (%(tenant)s, %(id)s, %(source)s, %(external_id)s, %(sha256)s, %(name)s, %(media_type)s, %(size)s,
                   %(original_key)s, %(document_type)s, %(uri)s, %(metadata)s::jsonb, %(readers)s::text[])
           on conflict (tenant_id, source, external_id) do nothing returning *""",
        tenant=transaction.tenant,
        source=record.document.source,
        external_id=record.document.external_id,
        **_written(record),
    )
    return _record(row) if row else None


async def change(transaction: TenantTransaction, record: Record) -> Record | None:
    """Make these the newest bytes; None when the document is gone, or its revision is not the one before this.

    Readers of None leave them as they are in this very moment, so that a change never opens a document.
    """
    row = await transaction.first(
        """update document set sha256 = %(sha256)s, name = %(name)s, media_type = %(media_type)s,
                  size_bytes = %(size)s, original_key = %(original_key)s, document_type = %(document_type)s,
                  uri = %(uri)s, metadata = %(metadata)s::jsonb,
                  readers = coalesce(%(readers)s::text[], readers),
                  revision = %(revision)s, parsed_key = null, parser_version = null, pages = null, language = null,
                  title = null, status = 'pending', error_code = null, error_detail = null,
                  updated_at = now(), changed = default
            where tenant_id = %(tenant)s and id = %(id)s and revision = %(revision)s - 1 returning *""",
        tenant=transaction.tenant,
        revision=record.document.revision,
        **_written(record),
    )
    return _record(row) if row else None


async def describe(transaction: TenantTransaction, document: Document, *, parsed_key: str) -> bool:
    """Write what parsing found in the revision; False when it is no longer the newest."""
    touched = await transaction.run(
        """update document set parsed_key = %(parsed_key)s, parser_version = %(parser_version)s, pages = %(pages)s,
                  language = %(language)s, title = %(title)s, updated_at = now(), changed = default
            where tenant_id = %(tenant)s and id = %(id)s and revision = %(revision)s""",
        tenant=transaction.tenant,
        id=document.id,
        revision=document.revision,
        parsed_key=parsed_key,
        parser_version=document.parser_version,
        pages=document.pages,
        language=document.language,
        title=document.title,
    )
    return touched == 1


async def point_at_run(transaction: TenantTransaction, document: UUID, run: UUID) -> None:
    """The newest run about the document."""
    await transaction.run(
        """update document set run_id = %(run)s, updated_at = now(), changed = default
            where tenant_id = %(tenant)s and id = %(id)s""",
        tenant=transaction.tenant,
        id=document,
        run=run,
    )


async def mark_failed(transaction: TenantTransaction, document: UUID, revision: int, failure: Failure) -> bool:
    """The revision failed; False when it is no longer the newest, or somebody indexed it meanwhile."""
    touched = await transaction.run(
        """update document set status = 'failed', error_code = %(code)s, error_detail = %(detail)s,
                  updated_at = now(), changed = default
            where tenant_id = %(tenant)s and id = %(id)s and revision = %(revision)s and status <> 'indexed'""",
        tenant=transaction.tenant,
        id=document,
        revision=revision,
        code=failure.code,
        detail=failure.detail,
    )
    return touched == 1


async def set_readers(transaction: TenantTransaction, document: UUID, readers: Sequence[str] | None) -> Record | None:
    """Who may read it; None when there is no such document."""
    row = await transaction.first(
        """update document set readers = %(readers)s::text[], updated_at = now(), changed = default
            where tenant_id = %(tenant)s and id = %(id)s returning *""",
        tenant=transaction.tenant,
        id=document,
        readers=readers,
    )
    return _record(row) if row else None


async def replace_labels(transaction: TenantTransaction, document: UUID, labels: Sequence[Label]) -> None:
    """Make these the document's labels; hold the document first."""
    await transaction.run(
        "delete from document_label where tenant_id = %(tenant)s and document_id = %(id)s",
        tenant=transaction.tenant,
        id=document,
    )
    await transaction.run(
        """insert into document_label (tenant_id, document_id, label, start, "end", score)
           select %(tenant)s, %(id)s, given.label, given.start, given."end", max(given.score)
             from jsonb_to_recordset(%(labels)s::jsonb) as given(label text, start integer, "end" integer, score real)
            group by given.label, given.start, given."end" """,
        tenant=transaction.tenant,
        id=document,
        labels=msgspec.json.encode(list(labels)).decode(),
    )


async def hold(transaction: TenantTransaction, document: UUID) -> bool:
    """Keep the document from being deleted or changed by others until the transaction ends; False without it."""
    row = await transaction.first(
        "select 1 as held from document where tenant_id = %(tenant)s and id = %(id)s for update",
        tenant=transaction.tenant,
        id=document,
    )
    return row is not None


async def release_terms(transaction: TenantTransaction, document: UUID) -> None:
    """Take the document's terms out of the counts of every index; terms that nothing else holds are gone.

    Counts are locked by index and term, as everybody does, so that two transactions never wait for each other.
    """
    parameters = {"tenant": transaction.tenant, "document": document}
    await transaction.run(
        """select 1 from term_count as counted
             join (select index_id, unnest(terms) as term from indexed_document
                    where tenant_id = %(tenant)s and document_id = %(document)s) as held using (index_id, term)
            where counted.tenant_id = %(tenant)s order by index_id, term for update of counted""",
        **parameters,
    )
    await transaction.run(
        """update term_count as counted set chunks = counted.chunks - held.chunks
             from (select index_id, unnest(terms) as term, unnest(term_chunks) as chunks from indexed_document
                    where tenant_id = %(tenant)s and document_id = %(document)s) as held
            where counted.tenant_id = %(tenant)s
              and counted.index_id = held.index_id and counted.term = held.term""",
        **parameters,
    )
    await transaction.run(
        """delete from term_count as counted
            using (select index_id, unnest(terms) as term from indexed_document
                    where tenant_id = %(tenant)s and document_id = %(document)s) as held
            where counted.tenant_id = %(tenant)s and counted.chunks <= 0
              and counted.index_id = held.index_id and counted.term = held.term""",
        **parameters,
    )


async def bury(transaction: TenantTransaction, document: UUID) -> None:
    """Remove the row and, by cascade, all that hangs on it; a tombstone is left."""
    parameters = {"tenant": transaction.tenant, "document": document}
    await transaction.run(
        """insert into document_tombstone (tenant_id, document_id) values (%(tenant)s, %(document)s)
           on conflict do nothing""",
        **parameters,
    )
    await transaction.run("delete from document where tenant_id = %(tenant)s and id = %(document)s", **parameters)


async def forget_failures(transaction: TenantTransaction, document: UUID) -> None:
    """Take the document out of the reports on new indexes.

    In a transaction of its own: publishing locks an index before a document, and this must not do the opposite.
    """
    await transaction.run(
        """update knowledge_index set comparison = comparison #- array['failures', %(document)s::text]
            where tenant_id = %(tenant)s and comparison->'failures' ? %(document)s::text""",
        tenant=transaction.tenant,
        document=document,
    )


async def has_tombstone(transaction: TenantTransaction, document: UUID) -> bool:
    """Whether the document was deleted, and something of it may be left."""
    row = await transaction.first(
        "select 1 as there from document_tombstone where tenant_id = %(tenant)s and document_id = %(document)s",
        tenant=transaction.tenant,
        document=document,
    )
    return row is not None


async def remove_tombstone(transaction: TenantTransaction, document: UUID) -> None:
    """Nothing is left of the document."""
    await transaction.run(
        "delete from document_tombstone where tenant_id = %(tenant)s and document_id = %(document)s",
        tenant=transaction.tenant,
        document=document,
    )


async def list_tombstones(transaction: TenantTransaction) -> list[UUID]:
    """Deleted documents of which something may be left."""
    rows = await transaction.all(
        """select document_id from document_tombstone where tenant_id = %(tenant)s
            order by document_id limit %(limit)s""",
        tenant=transaction.tenant,
        limit=_TOMBSTONES_AT_ONCE,
    )
    return [row["document_id"] for row in rows]


async def tenants_with_tombstones(transaction: SystemTransaction) -> list[TenantId]:
    """Whose deletions are not finished."""
    rows = await transaction.all("select distinct tenant_id from document_tombstone")
    return [TenantId(row["tenant_id"]) for row in rows]


def _written(record: Record) -> dict[str, object]:
    document = record.document
    return {
        "id": document.id,
        "sha256": document.sha256,
        "name": document.name,
        "media_type": document.media_type,
        "size": document.size_bytes,
        "original_key": record.original_key,
        "document_type": document.document_type,
        "uri": document.uri,
        "metadata": msgspec.json.encode(document.metadata).decode(),
        "readers": list(document.readers) if document.readers is not None else None,
    }


def _record(row: Row) -> Record:
    document = Document(
        id=row["id"],
        source=row["source"],
        external_id=row["external_id"],
        revision=row["revision"],
        sha256=row["sha256"],
        name=row["name"],
        media_type=row["media_type"],
        size_bytes=row["size_bytes"],
        document_type=row["document_type"],
        status=DocumentStatus(row["status"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        uri=row["uri"],
        metadata=row["metadata"],
        readers=tuple(row["readers"]) if row["readers"] is not None else None,
        error=Failure(row["error_code"], row["error_detail"] or "") if row["error_code"] else None,
        run_id=row["run_id"],
        pages=row["pages"],
        language=row["language"],
        title=row["title"],
        parser_version=row["parser_version"],
    )
    return Record(document, row["original_key"], row["parsed_key"])
