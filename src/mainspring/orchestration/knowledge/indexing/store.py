"""The SQL of index versions and of what they hold. Every statement names the tenant too.

Locks are taken in one order everywhere: index, document, counts of terms by index and term.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec

from mainspring.foundation.db import Row, TenantTransaction
from mainspring.orchestration.knowledge.types import Chunk, IndexStatus, IndexVersion


@dataclass(frozen=True, slots=True)
class Content:
    """What a document is in an index: chunks in order, and for each the hash of its embedded text and its terms.

    hashes       32 bytes each
    terms        a sparsevec as text each
    term_counts  how many of the chunks hold a term, by term
    """

    chunks: Sequence[Chunk]
    hashes: Sequence[bytes]
    terms: Sequence[str]
    term_counts: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Held:
    """The revision of a document that is in an index, and what it counts for, by term."""

    revision: int
    term_counts: Mapping[int, int]


async def analyse(transaction: TenantTransaction, texts: Sequence[str], configuration: str) -> list[dict[str, int]]:
    """For each text how often each of its stemmed words occurs.

    Postgres takes words joined by a slash for a path, and the number in `ISO-27001` for a negative one; they are
    taken apart before, in documents and in questions alike.
    """
    rows = await transaction.all(
        r"""select given.place, array_agg(word.lexeme) as words, array_agg(cardinality(word.positions)) as times
             from unnest(%(texts)s::text[]) with ordinality as given(text, place)
                  cross join lateral unnest(to_tsvector(
                      %(configuration)s::text::regconfig,
                      regexp_replace(replace(given.text, '/', ' '), '(\w)-(?=\d)', '\1 ', 'g'))) as word
            group by given.place""",
        texts=list(texts),
        configuration=configuration,
    )
    found = {row["place"]: dict(zip(row["words"], row["times"], strict=True)) for row in rows}
    return [found.get(place, {}) for place in range(1, len(texts) + 1)]


async def list_indexes(transaction: TenantTransaction) -> tuple[IndexVersion, ...]:
    """Every index, newest first."""
    rows = await transaction.all(
        "select * from knowledge_index where tenant_id = %(tenant)s order by number desc", tenant=transaction.tenant
    )
    return tuple(index_of(row) for row in rows)


async def find_with_status(transaction: TenantTransaction, status: IndexStatus) -> IndexVersion | None:
    """The active or the building index."""
    row = await transaction.first(
        "select * from knowledge_index where tenant_id = %(tenant)s and status = %(status)s",
        tenant=transaction.tenant,
        status=status.value,
    )
    return index_of(row) if row else None


async def add_index(
    transaction: TenantTransaction, identifier: UUID, status: IndexStatus, *, model: str, dimensions: int, settings: int
) -> bool:
    """Add the next index; False when there is one of this status."""
    added = await transaction.run(
        """insert into knowledge_index
               (tenant_id, id, number, status, embedding_model, dimensions, settings_version, activated_at)
           select %(tenant)s, %(id)s, coalesce(max(number), 0) + 1, %(status)s, %(model)s, %(dimensions)s,
                  %(settings)s, case when %(status)s = 'active' then now() end
             from knowledge_index where tenant_id = %(tenant)s
           on conflict do nothing""",
        tenant=transaction.tenant,
        id=identifier,
        status=status.value,
        model=model,
        dimensions=dimensions,
        settings=settings,
    )
    return added == 1


async def hold_for_writing(transaction: TenantTransaction, index: UUID) -> IndexStatus | None:
    """Keep the index's status as it is until the transaction ends."""
    row = await transaction.first(
        "select status from knowledge_index where tenant_id = %(tenant)s and id = %(index)s for share",
        tenant=transaction.tenant,
        index=index,
    )
    return IndexStatus(row["status"]) if row else None


async def hold_document(transaction: TenantTransaction, document: UUID) -> int | None:
    """The newest revision, kept so until the transaction ends; None when the document is gone."""
    row = await transaction.first(
        "select revision from document where tenant_id = %(tenant)s and id = %(document)s for no key update",
        tenant=transaction.tenant,
        document=document,
    )
    return row["revision"] if row else None


async def known_hashes(transaction: TenantTransaction, index: IndexVersion, hashes: Sequence[bytes]) -> set[bytes]:
    """Which of these texts have a vector of the index's model, in whatever document or draft."""
    rows = await transaction.all(
        """with same_model as materialized (
               select id from knowledge_index where tenant_id = %(tenant)s
                  and embedding_model = %(model)s and dimensions = %(dimensions)s)
           select given.hash from unnest(%(hashes)s::bytea[]) as given(hash)
            where exists (select 1 from chunk_vector as kept join same_model on same_model.id = kept.index_id
                           where kept.tenant_id = %(tenant)s and kept.content_hash = given.hash)
           union
           select content_hash from embedding_draft
            where tenant_id = %(tenant)s and model = %(model)s and content_hash = any(%(hashes)s::bytea[])
              and vector_dims(embedding) = %(dimensions)s""",
        tenant=transaction.tenant,
        model=index.embedding_model,
        dimensions=index.dimensions,
        hashes=list(hashes),
    )
    return {bytes(row["hash"]) for row in rows}


async def add_drafts(transaction: TenantTransaction, document: UUID, model: str, vectors: Mapping[bytes, str]) -> None:
    """Keep vectors (as text, by hash) until they are published; hold the document first."""
    await transaction.run(
        """insert into embedding_draft (tenant_id, document_id, model, content_hash, embedding)
           select %(tenant)s, %(document)s, %(model)s, given.hash, given.vector::halfvec
             from unnest(%(hashes)s::bytea[], %(vectors)s::text[]) as given(hash, vector) order by given.hash
           on conflict (tenant_id, document_id, model, content_hash) do update set embedding = excluded.embedding""",
        tenant=transaction.tenant,
        document=document,
        model=model,
        hashes=list(vectors.keys()),
        vectors=list(vectors.values()),
    )


async def find_held(transaction: TenantTransaction, index: UUID, document: UUID) -> Held:
    """What the index is said to hold of the document as it is now; revision 0 when nothing."""
    row = await transaction.first(
        """select revision, terms, term_chunks from indexed_document
            where tenant_id = %(tenant)s and index_id = %(index)s and document_id = %(document)s""",
        tenant=transaction.tenant,
        index=index,
        document=document,
    )
    return Held(row["revision"], dict(zip(row["terms"], row["term_chunks"], strict=True))) if row else Held(0, {})


async def write_content(
    transaction: TenantTransaction, index: IndexVersion, document: UUID, revision: int, content: Content
) -> bool:
    """Make this what the index holds of the document; False when a chunk has no vector: roll back then."""
    place: dict[str, object] = {"tenant": transaction.tenant, "index": index.id, "document": document}
    await _write_record(transaction, place, revision, content)
    await _write_chunks(transaction, place, content)
    await _write_vectors(transaction, place, index, content)
    await transaction.run(
        """insert into chunk_terms (tenant_id, index_id, document_id, ordinal, terms)
           select %(tenant)s, %(index)s, %(document)s, given.place - 1, given.terms::sparsevec
             from unnest(%(terms)s::text[]) with ordinality as given(terms, place)
           on conflict (tenant_id, index_id, document_id, ordinal) do update set terms = excluded.terms
            where chunk_terms.terms <> excluded.terms""",
        **place,
        terms=list(content.terms),
    )
    await _cut_tails(transaction, place, len(content.chunks))
    row = await transaction.one(
        """select count(*) as vectors from chunk_vector
            where tenant_id = %(tenant)s and index_id = %(index)s and document_id = %(document)s""",
        **place,
    )
    return row["vectors"] == len(content.chunks)


async def _write_record(
    transaction: TenantTransaction, place: Mapping[str, object], revision: int, content: Content
) -> None:
    await transaction.run(
        """insert into indexed_document
               (tenant_id, index_id, document_id, revision, chunks, tokens, terms, term_chunks)
           values (%(tenant)s, %(index)s, %(document)s, %(revision)s, %(chunks)s, %(tokens)s,
                   %(terms)s::integer[], %(term_chunks)s::integer[])
           on conflict (tenant_id, index_id, document_id) do update
              set revision = excluded.revision, chunks = excluded.chunks, tokens = excluded.tokens,
                  terms = excluded.terms, term_chunks = excluded.term_chunks, indexed_at = now()""",
        **place,
        revision=revision,
        chunks=len(content.chunks),
        tokens=sum(chunk.tokens for chunk in content.chunks),
        terms=list(content.term_counts.keys()),
        term_chunks=list(content.term_counts.values()),
    )


async def _write_chunks(transaction: TenantTransaction, place: Mapping[str, object], content: Content) -> None:
    """Every chunk is written by its place, so that rows that did not change are not touched."""
    await transaction.run(
        """insert into chunk (tenant_id, index_id, document_id, ordinal, start, "end", number, heading_path, page,
                              attributes, tokens, text)
           select %(tenant)s, %(index)s, %(document)s, given.index, given.start, given."end", given.number,
                  given.heading_path, given.page, given.attributes, given.tokens, given.text
             from jsonb_to_recordset(%(chunks)s::jsonb) as given(index integer, start integer, "end" integer,
                  number text, heading_path text[], page integer, attributes jsonb, tokens integer, text text)
           on conflict (tenant_id, index_id, document_id, ordinal) do update
              set start = excluded.start, "end" = excluded."end", number = excluded.number,
                  heading_path = excluded.heading_path, page = excluded.page, attributes = excluded.attributes,
                  tokens = excluded.tokens, text = excluded.text
            where (chunk.start, chunk."end", chunk.number, chunk.heading_path, chunk.page, chunk.attributes,
                   chunk.tokens, chunk.text)
                  is distinct from
                  (excluded.start, excluded."end", excluded.number, excluded.heading_path, excluded.page,
                   excluded.attributes, excluded.tokens, excluded.text)""",
        **place,
        chunks=msgspec.json.encode(list(content.chunks)).decode(),
    )


async def _write_vectors(
    transaction: TenantTransaction, place: Mapping[str, object], index: IndexVersion, content: Content
) -> None:
    """From the document's drafts, else from wherever an index of the same model has the same text."""
    await transaction.run(
        """with drafts as materialized (
               select distinct on (content_hash) content_hash, embedding from embedding_draft
                where tenant_id = %(tenant)s and model = %(model)s and content_hash = any(%(hashes)s::bytea[])
                  and vector_dims(embedding) = %(dimensions)s),
           same_model as materialized (
               select id from knowledge_index where tenant_id = %(tenant)s
                  and embedding_model = %(model)s and dimensions = %(dimensions)s),
           found as materialized (
               select given.place - 1 as ordinal, given.hash,
                      coalesce(drafts.embedding, (
                          select kept.embedding from chunk_vector as kept
                                 join same_model on same_model.id = kept.index_id
                           where kept.tenant_id = %(tenant)s and kept.content_hash = given.hash limit 1)) as embedding
                 from unnest(%(hashes)s::bytea[]) with ordinality as given(hash, place)
                      left join drafts on drafts.content_hash = given.hash)
           insert into chunk_vector (tenant_id, index_id, document_id, ordinal, content_hash, embedding)
           select %(tenant)s, %(index)s, %(document)s, ordinal, hash, embedding from found where embedding is not null
           on conflict (tenant_id, index_id, document_id, ordinal) do update
              set content_hash = excluded.content_hash, embedding = excluded.embedding
            where chunk_vector.content_hash <> excluded.content_hash""",
        **place,
        model=index.embedding_model,
        dimensions=index.dimensions,
        hashes=list(content.hashes),
    )


async def _cut_tails(transaction: TenantTransaction, place: Mapping[str, object], chunks: int) -> None:
    """Remove what an earlier, longer revision had more."""
    await transaction.run(
        """delete from chunk where tenant_id = %(tenant)s and index_id = %(index)s
              and document_id = %(document)s and ordinal >= %(chunks)s""",
        **place,
        chunks=chunks,
    )
    await transaction.run(
        """delete from chunk_vector where tenant_id = %(tenant)s and index_id = %(index)s
              and document_id = %(document)s and ordinal >= %(chunks)s""",
        **place,
        chunks=chunks,
    )
    await transaction.run(
        """delete from chunk_terms where tenant_id = %(tenant)s and index_id = %(index)s
              and document_id = %(document)s and ordinal >= %(chunks)s""",
        **place,
        chunks=chunks,
    )


async def add_to_counts(transaction: TenantTransaction, index: UUID, delta: Mapping[int, int]) -> None:
    """Add to how many chunks hold each term, locked in order of term; counts that reach zero are gone."""
    terms = sorted(term for term, chunks in delta.items() if chunks)
    if not terms:
        return
    await transaction.run(
        """insert into term_count (tenant_id, index_id, term, chunks)
           select %(tenant)s, %(index)s, given.term, given.chunks
             from unnest(%(terms)s::integer[], %(chunks)s::integer[]) as given(term, chunks) order by given.term
           on conflict (tenant_id, index_id, term) do update set chunks = term_count.chunks + excluded.chunks""",
        tenant=transaction.tenant,
        index=index,
        terms=terms,
        chunks=[delta[term] for term in terms],
    )
    fallen = [term for term in terms if delta[term] < 0]
    if fallen:
        await transaction.run(
            """delete from term_count where tenant_id = %(tenant)s and index_id = %(index)s
                  and term = any(%(terms)s::integer[]) and chunks <= 0""",
            tenant=transaction.tenant,
            index=index,
            terms=fallen,
        )


async def forget_drafts(transaction: TenantTransaction, document: UUID, model: str) -> None:
    """The vectors are published."""
    await transaction.run(
        """delete from embedding_draft
            where tenant_id = %(tenant)s and document_id = %(document)s and model = %(model)s""",
        tenant=transaction.tenant,
        document=document,
        model=model,
    )


async def mark_indexed(transaction: TenantTransaction, document: UUID) -> None:
    """Searches find the newest revision."""
    await transaction.run(
        """update document set status = 'indexed', error_code = null, error_detail = null,
                  updated_at = now(), changed = default
            where tenant_id = %(tenant)s and id = %(document)s""",
        tenant=transaction.tenant,
        document=document,
    )


async def list_chunks(transaction: TenantTransaction, document: UUID) -> tuple[Chunk, ...]:
    """The document's chunks in the active index, in order."""
    rows = await transaction.all(
        """select ordinal, start, "end", number, heading_path, page, attributes, tokens, text from chunk
            where tenant_id = %(tenant)s and document_id = %(document)s and index_id = (
                  select id from knowledge_index where tenant_id = %(tenant)s and status = 'active')
            order by ordinal""",
        tenant=transaction.tenant,
        document=document,
    )
    return tuple(chunk_of(row) for row in rows)


def chunk_of(row: Row) -> Chunk:
    """A chunk from the columns of its row, whatever else is in it."""
    return Chunk(
        index=row["ordinal"],
        start=row["start"],
        end=row["end"],
        text=row["text"],
        number=row["number"],
        heading_path=tuple(row["heading_path"]),
        page=row["page"],
        tokens=row["tokens"],
        attributes=row["attributes"],
    )


def index_of(row: Row) -> IndexVersion:
    """An index from its row."""
    return IndexVersion(
        id=row["id"],
        number=row["number"],
        status=IndexStatus(row["status"]),
        embedding_model=row["embedding_model"],
        dimensions=row["dimensions"],
        settings_version=row["settings_version"],
        created_at=row["created_at"],
        activated_at=row["activated_at"],
        retired_at=row["retired_at"],
        promoted_at=row["promoted_at"],
    )
