"""All SQL of searching. Every statement names the tenant, and filters by readers and by the question in itself.

Statements run with plans made for their values (`TenantTransaction.planned`): a plan for any values would neither
leave out conditions that are not set nor use an index made for one tenant.

Readers, filters and ranked lists are conditions of one statement each, so a list is full even where most of the
tenant's documents are not for this reader.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID

import msgspec

from mainspring.foundation.db import Row, TenantTransaction
from mainspring.orchestration.knowledge.types import Reader

from .types import Filters

Key = tuple[UUID, int]
"""A chunk: its document and its place there."""

MOST_HELD_TO_PHRASES = 1_000
"""How many chunks, the likeliest first, are read to find a phrase in them."""

_OPEN: LiteralString = """d.tenant_id = %(tenant)s
   and (d.readers is null or %(subjects)s::text[] is null or d.readers && %(subjects)s::text[])"""

_MATCHING: LiteralString = """{open}
   and (%(sources)s::text[] is null or d.source = any(%(sources)s::text[]))
   and (%(document_ids)s::uuid[] is null or d.id = any(%(document_ids)s::uuid[]))
   and (%(document_types)s::text[] is null or d.document_type = any(%(document_types)s::text[]))
   and (%(metadata)s::jsonb is null or d.metadata @> %(metadata)s::jsonb)
   and (%(created_since)s::timestamptz is null or d.created_at >= %(created_since)s::timestamptz)
   and (%(created_until)s::timestamptz is null or d.created_at < %(created_until)s::timestamptz)
   and (%(updated_since)s::timestamptz is null or d.updated_at >= %(updated_since)s::timestamptz)
   and (%(updated_until)s::timestamptz is null or d.updated_at < %(updated_until)s::timestamptz)
   and (%(language)s::text is null or d.language = %(language)s::text)"""

_LABELLED: LiteralString = """
   and (%(labels)s::text[] is null or exists (
           select 1 from chunk as at join document_label as l
               on l.tenant_id = %(tenant)s and l.document_id = at.document_id and l.label = any(%(labels)s::text[])
              and l.start < at."end" and l."end" > at.start
            where at.tenant_id = %(tenant)s and at.index_id = %(index)s
              and at.document_id = k.document_id and at.ordinal = k.ordinal))"""

_OF_INDEX: LiteralString = "k.tenant_id = %(tenant)s and k.index_id = %(index)s"


_OF_DOCUMENTS: LiteralString = " join document as d on d.id = k.document_id"


def _whole(statement: LiteralString) -> LiteralString:
    """The statement with the conditions that it names in braces: `k` is a chunk's row, `d` its document's."""
    statement = statement.replace("{of_index}", _OF_INDEX).replace("{labelled}", _LABELLED)
    return statement.replace("{matching}", _MATCHING).replace("{open}", _OPEN)


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a search looks: an index, seen by a reader through filters.

    is_whole   nothing of the index was hidden from the reader, and no filter is set. Scans then leave the documents
               out, which saves a third of their time. A document that is closed meanwhile may still be ranked;
               its text is not read, for that asks for the readers in any case
    """

    index: UUID
    reader: Reader
    filters: Filters
    is_whole: bool = False

    def parameters(self) -> dict[str, object]:
        """Of every statement here; None is no condition."""
        filters, subjects = self.filters, self.reader.subjects
        return {
            "tenant": self.reader.tenant,
            "index": self.index,
            "subjects": None if subjects is None else sorted(subjects),
            "sources": list(filters.sources) or None,
            "document_ids": list(filters.document_ids) or None,
            "document_types": list(filters.document_types) or None,
            "labels": list(filters.labels) or None,
            "metadata": msgspec.json.encode(dict(filters.metadata)).decode() if filters.metadata else None,
            "created_since": filters.created.since,
            "created_until": filters.created.until,
            "updated_since": filters.updated.since,
            "updated_until": filters.updated.until,
            "language": filters.language,
        }


@dataclass(frozen=True, slots=True)
class _Scan:
    """A statement that ranks chunks, in two forms: with the documents to ask for readers and filters, and without."""

    through_documents: LiteralString
    whole: LiteralString

    def of(self, scope: Scope) -> LiteralString:
        """The one form that the scope needs: the only place where readers may be left out of a scan."""
        return self.whole if scope.is_whole and scope.filters.is_empty else self.through_documents


def _scan(statement: LiteralString) -> _Scan:
    """Both forms; `{of_documents}` stands behind the chunks' table, `{allowed}` behind the index' condition."""
    through = statement.replace("{of_documents}", _OF_DOCUMENTS).replace("{allowed}", " and {matching}{labelled}")
    return _Scan(_whole(through), _whole(statement.replace("{of_documents}", "").replace("{allowed}", "")))


@dataclass(frozen=True, slots=True)
class Extent:
    """What the reader may read of the index, and how much of it the filters let through.

    all_chunks of the index, whoever may read them; like `hidden` it chooses a plan and is told to nobody
    hidden     documents of the index that the reader may not read
    languages  of the documents that are let through
    """

    readable: int
    readable_chunks: int
    documents: int
    chunks: int
    all_chunks: int
    hidden: int
    languages: tuple[str, ...]


async def find_index(transaction: TenantTransaction, index: UUID | None) -> Row | None:
    """The index of that id, or the active one; None when there is none."""
    return await transaction.first(
        """select id, number, embedding_model, dimensions, promoted_at from knowledge_index
            where tenant_id = %(tenant)s
              and ((%(index)s::uuid is null and status = 'active') or id = %(index)s::uuid)""",
        tenant=transaction.tenant,
        index=index,
    )


async def measure(transaction: TenantTransaction, scope: Scope) -> Extent:
    """Count documents and chunks; one pass over the documents of the index, by its primary key."""
    rows = await transaction.planned(_MEASURE, **scope.parameters())
    readable, matching = [row for row in rows if row["open"]], [row for row in rows if row["matching"]]
    return Extent(
        readable=_sum(readable, "documents"),
        readable_chunks=_sum(readable, "chunks"),
        documents=_sum(matching, "documents"),
        chunks=_sum(matching, "chunks"),
        all_chunks=_sum(rows, "chunks"),
        hidden=_sum(rows, "documents") - _sum(readable, "documents"),
        languages=tuple(sorted({row["language"] for row in matching})),
    )


def _sum(rows: Sequence[Row], column: str) -> int:
    return sum(int(row[column]) for row in rows)


# Grouped by hashing: to collect the distinct languages would sort all documents by them.
_MEASURE: LiteralString = _whole("""
select open, matching, language, count(*) as documents, coalesce(sum(chunks), 0)::bigint as chunks
  from (select i.chunks, coalesce(d.language, 'und') as language, ({open}) as open, ({matching}) as matching
          from indexed_document as i join document as d on d.tenant_id = i.tenant_id and d.id = i.document_id
         where i.tenant_id = %(tenant)s and i.index_id = %(index)s) as seen
 group by open, matching, language""")


async def keep_to_rows(transaction: TenantTransaction) -> None:
    """For the rest of the transaction, pick the tenant's rows by index rather than read its whole partition.

    The planner takes them for fewer and dearer than they are: other tenants' pages cost a large tenant a third of its
    scan. A round trip, so not worth it for a small one.
    """
    await transaction.first("select set_config('enable_seqscan', 'off', true)")


async def count_terms(
    transaction: TenantTransaction, scope: Scope, terms: Sequence[int], *, all_readable: bool
) -> dict[int, int]:
    """How many chunks that the reader may read hold each term; terms that none holds are left out.

    Counted without the documents that are hidden, so that no score tells what stands in them.
    """
    statement = _COUNT_ALL if all_readable else _COUNT_READABLE
    rows = await transaction.planned(statement, **scope.parameters(), terms=list(terms))
    return {row["term"]: row["chunks"] for row in rows if row["chunks"] > 0}


_COUNT_ALL: LiteralString = """
select term, chunks from term_count
 where tenant_id = %(tenant)s and index_id = %(index)s and term = any(%(terms)s::integer[])"""

_COUNT_READABLE: LiteralString = _whole("""
with hidden as materialized (
    select i.terms, i.term_chunks from indexed_document as i
     where i.tenant_id = %(tenant)s and i.index_id = %(index)s and i.terms && %(terms)s::integer[]
       and not exists (select 1 from document as d where d.id = i.document_id and {open}))
select c.term, (c.chunks - coalesce((
           select sum(h.term_chunks[array_position(h.terms, c.term)]) from hidden as h where c.term = any(h.terms)
       ), 0))::integer as chunks
  from term_count as c
 where c.tenant_id = %(tenant)s and c.index_id = %(index)s and c.term = any(%(terms)s::integer[])""")


async def nearest(transaction: TenantTransaction, scope: Scope, vector: str, *, limit: int) -> list[tuple[Key, float]]:
    """Chunks by cosine, every vector compared: recall 1."""
    rows = await transaction.planned(_NEAREST.of(scope), **scope.parameters(), vector=vector, limit=limit)
    return _ranked(rows)


# The distance is computed once a row: as a column of its own, and not again for what is shown.
_NEAREST = _scan("""
select document_id, ordinal, 1 - distance as score from (
    select k.document_id, k.ordinal, k.embedding <=> %(vector)s::halfvec as distance
      from chunk_vector as k{of_documents}
     where {of_index}{allowed}
     order by distance, k.document_id, k.ordinal limit %(limit)s) as held""")


async def roughly_nearest(
    transaction: TenantTransaction, scope: Scope, vector: str, *, dimensions: int, limit: int
) -> list[tuple[Key, float]]:
    """Chunks by cosine from the index's own graph; the scan goes on until the filters have let enough through.

    The expression, and tenant and index as constants of the plan, are those of the partial index that promotion
    makes: `using hnsw ((embedding::halfvec(n)) halfvec_cosine_ops) where tenant_id = '...' and index_id = '...'`.
    """
    await transaction.first(_GRAPH_ON, ef=str(max(40, min(1_000, 4 * limit))))
    statement = APPROXIMATE[dimensions].of(scope)
    rows = await transaction.planned(statement, **scope.parameters(), vector=vector, limit=limit)
    await transaction.first(_GRAPH_OFF)
    return _ranked(rows)


# Left to itself the planner takes a tenant's rows for fewer than they are, and would rather compare and sort them all.
_GRAPH_ON: LiteralString = """
select set_config('hnsw.iterative_scan', 'relaxed_order', true), set_config('hnsw.ef_search', %(ef)s, true),
       set_config('enable_sort', 'off', true)"""
_GRAPH_OFF: LiteralString = "select set_config('enable_sort', 'on', true)"


_ROUGHLY_NEAREST: LiteralString = """
with held as materialized (
    select k.document_id, k.ordinal, (k.embedding::halfvec({n})) <=> %(vector)s::halfvec({n}) as distance
      from chunk_vector as k{of_documents}
     where {of_index}{allowed}
     order by (k.embedding::halfvec({n})) <=> %(vector)s::halfvec({n}) limit %(limit)s)
select document_id, ordinal, 1 - distance as score from held order by distance, document_id, ordinal"""

APPROXIMATE: Mapping[int, _Scan] = {
    256: _scan(_ROUGHLY_NEAREST.replace("{n}", "256")),
    384: _scan(_ROUGHLY_NEAREST.replace("{n}", "384")),
    512: _scan(_ROUGHLY_NEAREST.replace("{n}", "512")),
    768: _scan(_ROUGHLY_NEAREST.replace("{n}", "768")),
    1024: _scan(_ROUGHLY_NEAREST.replace("{n}", "1024")),
    1536: _scan(_ROUGHLY_NEAREST.replace("{n}", "1536")),
    2048: _scan(_ROUGHLY_NEAREST.replace("{n}", "2048")),
    3072: _scan(_ROUGHLY_NEAREST.replace("{n}", "3072")),
}
"""The statement by the vectors' size, which has to be a constant of it; indexes of other sizes are always scanned."""


async def best_by_terms(
    transaction: TenantTransaction, scope: Scope, terms: str, *, limit: int
) -> list[tuple[Key, float]]:
    """Chunks by BM25, those that share a term with the question."""
    rows = await transaction.planned(_BY_TERMS.of(scope), **scope.parameters(), terms=terms, limit=limit)
    return [ranked for ranked in _ranked(rows) if ranked[1] > 0]


# The question's few terms stand first: the loop over them is the outer one, which takes a tenth off.
_BY_TERMS = _scan("""
select document_id, ordinal, -distance as score from (
    select k.document_id, k.ordinal, %(terms)s::sparsevec <#> k.terms as distance
      from chunk_terms as k{of_documents}
     where {of_index}{allowed}
     order by distance, k.document_id, k.ordinal limit %(limit)s) as held""")


async def holding_phrases(
    transaction: TenantTransaction, scope: Scope, terms: str, patterns: Sequence[str], *, limit: int
) -> list[tuple[Key, float]]:
    """Chunks by how many of these phrases they hold, word for word; of the likeliest thousand by the phrases' terms."""
    rows = await transaction.planned(
        _HOLDING_PHRASES.of(scope),
        **scope.parameters(),
        terms=terms,
        patterns=list(patterns),
        held=MOST_HELD_TO_PHRASES,
        limit=limit,
    )
    return _ranked(rows)


_HOLDING_PHRASES = _scan("""
with held as materialized (select k.document_id, k.ordinal, %(terms)s::sparsevec <#> k.terms as distance
  from chunk_terms as k{of_documents}
 where {of_index}{allowed}
 order by distance limit %(held)s)
select document_id, ordinal, score from (
    select held.*, (select count(*) from unnest(%(patterns)s::text[]) as pattern where c.text ~* pattern)::float8
               as score
      from held join chunk as c on c.tenant_id = %(tenant)s and c.index_id = %(index)s
           and c.document_id = held.document_id and c.ordinal = held.ordinal
     where held.distance < 0) as counted
 where score > 0 order by score desc, distance, document_id, ordinal limit %(limit)s""")


async def labelled(
    transaction: TenantTransaction, scope: Scope, concepts: Mapping[str, float], *, limit: int
) -> list[tuple[Key, float, str]]:
    """Chunks that share half of the shorter of both with a place of one of these labels; the best label of each.

    concepts   labels with how surely the question means them
    """
    rows = await transaction.planned(
        _LABELS, **scope.parameters(), names=list(concepts), strengths=list(concepts.values()), limit=limit
    )
    return [((row["document_id"], row["ordinal"]), float(row["score"]), row["label"]) for row in rows]


_LABELS: LiteralString = _whole("""
select document_id, ordinal, label, score from (
    select distinct on (k.document_id, k.ordinal) k.document_id, k.ordinal, p.label, p.score,
           p.score * c.strength as worth
      from unnest(%(names)s::text[], %(strengths)s::float8[]) as c(label, strength)
      join document_label as p on p.tenant_id = %(tenant)s and p.label = c.label
      join document as d on d.id = p.document_id
      join chunk as k on k.document_id = p.document_id and k.start < p."end" and k."end" > p.start
     where {of_index} and {matching}{labelled}
       and 2 * (least(k."end", p."end") - greatest(k.start, p.start)) >= least(k."end" - k.start, p."end" - p.start)
     order by k.document_id, k.ordinal, worth desc, p.label) as best
 order by worth desc, document_id, ordinal limit %(limit)s""")


async def read_chunks(transaction: TenantTransaction, scope: Scope, keys: Sequence[Key]) -> list[Row]:
    """The texts of these chunks with their documents, as far as the reader may read them; in no order."""
    return await transaction.planned(
        _READ_CHUNKS,
        **scope.parameters(),
        documents=[document for document, _ in keys],
        ordinals=[ordinal for _, ordinal in keys],
    )


_READ_CHUNKS: LiteralString = _whole("""
select k.document_id, k.ordinal, k.start, k."end", k.number, k.heading_path, k.page, k.attributes, k.tokens, k.text,
       d.name, d.source, d.uri
  from unnest(%(documents)s::uuid[], %(ordinals)s::integer[]) as asked(document_id, ordinal)
  join chunk as k on k.document_id = asked.document_id and k.ordinal = asked.ordinal
  join document as d on d.id = k.document_id
 where {of_index} and {open}""")


async def read_scores(
    transaction: TenantTransaction, scope: Scope, keys: Sequence[Key], *, terms: Sequence[str], vector: str | None
) -> list[Row]:
    """For each of these chunks its cosine and what each term, a sparsevec of one, adds to its BM25."""
    return await transaction.planned(
        _READ_SCORES,
        **scope.parameters(),
        documents=[document for document, _ in keys],
        ordinals=[ordinal for _, ordinal in keys],
        terms=list(terms),
        vector=vector,
    )


_READ_SCORES: LiteralString = _whole("""
select k.document_id, k.ordinal,
       case when %(vector)s::text is not null then 1 - (v.embedding <=> %(vector)s::text::halfvec) end as cosine,
       array(select -(k.terms <#> term::sparsevec) from unnest(%(terms)s::text[]) with ordinality as t(term, place)
              order by place) as parts
  from unnest(%(documents)s::uuid[], %(ordinals)s::integer[]) as asked(document_id, ordinal)
  join chunk_terms as k on k.document_id = asked.document_id and k.ordinal = asked.ordinal
  join chunk_vector as v on v.tenant_id = %(tenant)s and v.index_id = %(index)s
       and v.document_id = k.document_id and v.ordinal = k.ordinal
  join document as d on d.id = k.document_id
 where {of_index} and {open}""")


async def read_labels(
    transaction: TenantTransaction, scope: Scope, keys: Sequence[Key], labels: Sequence[str]
) -> list[Row]:
    """Which of these labels lie over each of these chunks, the best score of each."""
    return await transaction.planned(
        _READ_LABELS,
        **scope.parameters(),
        documents=[document for document, _ in keys],
        ordinals=[ordinal for _, ordinal in keys],
        names=list(labels),
    )


_READ_LABELS: LiteralString = _whole("""
select k.document_id, k.ordinal, p.label, max(p.score) as score
  from unnest(%(documents)s::uuid[], %(ordinals)s::integer[]) as asked(document_id, ordinal)
  join chunk as k on k.document_id = asked.document_id and k.ordinal = asked.ordinal
  join document as d on d.id = k.document_id
  join document_label as p on p.tenant_id = %(tenant)s and p.document_id = k.document_id
       and p.label = any(%(names)s::text[]) and k.start < p."end" and k."end" > p.start
 where {of_index} and {open}
 group by k.document_id, k.ordinal, p.label""")


def _ranked(rows: Sequence[Row]) -> list[tuple[Key, float]]:
    """Rows in their order; a vector of zeros is near to nothing, and is left out."""
    scored = [((row["document_id"], row["ordinal"]), float(row["score"])) for row in rows]
    return [(key, score) for key, score in scored if score == score]
