"""All SQL of the room. Every statement names the tenant too, so that only its partition is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from .chunking import CHUNKER_VERSION
from .types import Chunk, Document

if TYPE_CHECKING:
    from mainspring.foundation.db import Row, TenantTransaction


@dataclass(frozen=True, slots=True)
class Match:
    """A chunk that a search found."""

    document_id: UUID
    chunk: Chunk
    score: float


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """A document with where its bytes are kept."""

    document: Document
    original_key: str
    parsed_key: str | None


async def add_document(transaction: "TenantTransaction", record: DocumentRecord) -> DocumentRecord | None:
    """The new row, or None when the tenant has a document of the same bytes."""
    document = record.document
    row = await transaction.first(
        "insert into document (tenant_id, id, sha256, name, media_type, size_bytes, original_key, created_at)"
        " values (%(tenant)s, %(id)s, %(sha256)s, %(name)s, %(media_type)s, %(size)s, %(original_key)s, %(created_at)s)"
        " on conflict (tenant_id, sha256) do nothing returning *",
        tenant=transaction.tenant,
        id=document.id,
        sha256=document.sha256,
        name=document.name,
        media_type=document.media_type,
        size=document.size_bytes,
        original_key=record.original_key,
        created_at=document.created_at,
    )
    return _document(row) if row else None


async def find_document(transaction: "TenantTransaction", document: UUID) -> DocumentRecord | None:
    """The document, None when the tenant has no such one."""
    row = await transaction.first(
        "select * from document where tenant_id = %(tenant)s and id = %(id)s", tenant=transaction.tenant, id=document
    )
    return _document(row) if row else None


async def find_document_by_hash(transaction: "TenantTransaction", digest: str) -> DocumentRecord | None:
    """The tenant's document of these bytes."""
    row = await transaction.first(
        "select * from document where tenant_id = %(tenant)s and sha256 = %(sha256)s",
        tenant=transaction.tenant,
        sha256=digest,
    )
    return _document(row) if row else None


async def describe_document(transaction: "TenantTransaction", document: Document, *, parsed_key: str) -> bool:
    """Write what parsing found; False when the document was deleted meanwhile."""
    touched = await transaction.run(
        "update document set parsed_key = %(parsed_key)s, parser_version = %(parser_version)s, pages = %(pages)s,"
        " language = %(language)s, title = %(title)s where tenant_id = %(tenant)s and id = %(id)s",
        tenant=transaction.tenant,
        id=document.id,
        parsed_key=parsed_key,
        parser_version=document.parser_version,
        pages=document.pages,
        language=document.language,
        title=document.title,
    )
    return touched == 1


async def delete_document(transaction: "TenantTransaction", document: UUID) -> None:
    """Remove the row and, by cascade, its chunks."""
    await transaction.run(
        "delete from document where tenant_id = %(tenant)s and id = %(id)s", tenant=transaction.tenant, id=document
    )


async def lock_document(transaction: "TenantTransaction", document: UUID) -> bool:
    """Hold the document until the transaction ends, so that its chunks are replaced by one at a time."""
    row = await transaction.first(
        "select 1 as held from document where tenant_id = %(tenant)s and id = %(id)s for update",
        tenant=transaction.tenant,
        id=document,
    )
    return row is not None


async def write_chunks(transaction: "TenantTransaction", document: UUID, chunks: Sequence[Chunk]) -> None:
    """Make these the document's chunks. A chunk whose text is unchanged keeps its vector."""
    await transaction.run(
        'insert into chunk (tenant_id, document_id, index, start, "end", number, heading_path, page, text,'
        " content_hash, chunker_version)"
        ' select %(tenant)s, %(document)s, new.index, new.start, new."end", new.number, new.heading_path, new.page,'
        " new.text, new.content_hash, %(version)s from jsonb_to_recordset(%(chunks)s::jsonb) as new(index integer,"
        ' start integer, "end" integer, number text, heading_path text[], page integer, text text, content_hash text)'
        " on conflict (tenant_id, document_id, index) do update set start = excluded.start,"
        ' "end" = excluded."end", number = excluded.number, heading_path = excluded.heading_path,'
        " page = excluded.page, text = excluded.text, content_hash = excluded.content_hash,"
        " chunker_version = excluded.chunker_version,"
        " embedding = case when chunk.content_hash = excluded.content_hash then chunk.embedding end,"
        " embedding_model = case when chunk.content_hash = excluded.content_hash then chunk.embedding_model end",
        tenant=transaction.tenant,
        document=document,
        version=CHUNKER_VERSION,
        chunks=msgspec.json.encode([_as_json(chunk) for chunk in chunks]).decode(),
    )
    await transaction.run(
        "delete from chunk where tenant_id = %(tenant)s and document_id = %(document)s and index >= %(count)s",
        tenant=transaction.tenant,
        document=document,
        count=len(chunks),
    )


async def list_chunks(transaction: "TenantTransaction", document: UUID) -> tuple[Chunk, ...]:
    """The document's chunks in order."""
    rows = await transaction.all(
        'select index, start, "end", number, heading_path, page, text from chunk'
        " where tenant_id = %(tenant)s and document_id = %(document)s order by index",
        tenant=transaction.tenant,
        document=document,
    )
    return tuple(_chunk(row) for row in rows)


async def chunks_without_embedding(
    transaction: "TenantTransaction", document: UUID, *, model: str | None
) -> tuple[Chunk, ...]:
    """Chunks without a vector, or, when `model` is named, without one of that model; in order."""
    rows = await transaction.all(
        'select index, start, "end", number, heading_path, page, text from chunk'
        " where tenant_id = %(tenant)s and document_id = %(document)s"
        " and (embedding is null or (%(model)s::text is not null and embedding_model <> %(model)s::text))"
        " order by index",
        tenant=transaction.tenant,
        document=document,
        model=model,
    )
    return tuple(_chunk(row) for row in rows)


async def write_embeddings(
    transaction: "TenantTransaction", document: UUID, vectors: Mapping[int, str], *, model: str
) -> None:
    """Give chunks their vectors (as text, by index), replacing others."""
    await transaction.run(
        "update chunk set embedding = given.vector::halfvec, embedding_model = %(model)s"
        " from unnest(%(indexes)s::integer[], %(vectors)s::text[]) as given(index, vector)"
        " where chunk.tenant_id = %(tenant)s and chunk.document_id = %(document)s and chunk.index = given.index",
        tenant=transaction.tenant,
        document=document,
        model=model,
        indexes=list(vectors.keys()),
        vectors=list(vectors.values()),
    )


async def search_similar(
    transaction: "TenantTransaction", vector: str, *, limit: int, document: UUID | None, model: str | None
) -> tuple[Match, ...]:
    """The nearest chunks by cosine, all of the tenant's vectors compared."""
    rows = await transaction.all(
        'select document_id, index, start, "end", number, heading_path, page, text,'
        " 1 - (embedding <=> %(vector)s::halfvec) as score from chunk"
        " where tenant_id = %(tenant)s and embedding is not null"
        " and (%(document)s::uuid is null or document_id = %(document)s::uuid)"
        " and (%(model)s::text is null or embedding_model = %(model)s::text)"
        " order by embedding <=> %(vector)s::halfvec, document_id, index limit %(limit)s",
        tenant=transaction.tenant,
        vector=vector,
        document=document,
        model=model,
        limit=limit,
    )
    return tuple(Match(row["document_id"], _chunk(row), float(row["score"])) for row in rows)


def _as_json(chunk: Chunk) -> dict[str, object]:
    return {
        "index": chunk.index,
        "start": chunk.start,
        "end": chunk.end,
        "number": chunk.number,
        "heading_path": list(chunk.heading_path),
        "page": chunk.page,
        "text": chunk.text,
        "content_hash": sha256(chunk.text.encode()).hexdigest(),
    }


def _chunk(row: "Row") -> Chunk:
    return Chunk(
        index=row["index"],
        start=row["start"],
        end=row["end"],
        text=row["text"],
        number=row["number"],
        heading_path=tuple(row["heading_path"]),
        page=row["page"],
    )


def _document(row: "Row") -> DocumentRecord:
    document = Document(
        id=row["id"],
        sha256=row["sha256"],
        name=row["name"],
        media_type=row["media_type"],
        size_bytes=row["size_bytes"],
        created_at=row["created_at"],
        pages=row["pages"],
        language=row["language"],
        title=row["title"],
        parser_version=row["parser_version"],
    )
    return DocumentRecord(document, row["original_key"], row["parsed_key"])
