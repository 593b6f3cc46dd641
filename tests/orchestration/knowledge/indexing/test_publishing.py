"""The way of a document into an index; the mistakes that incremental indexes are known for, each made impossible."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any, LiteralString

import pytest

from mainspring.foundation.db import Database, TenantTransaction
from mainspring.foundation.errors import NotFound, Unavailable
from mainspring.foundation.ids import TenantId
from mainspring.foundation.objects import ObjectStore
from mainspring.orchestration.knowledge.errors import NotParsedYet, Superseded, UnusableVector
from mainspring.orchestration.knowledge.homes import Homes
from mainspring.orchestration.knowledge.indexing import embedded_text, identifiers, term_id, terms_text
from mainspring.orchestration.knowledge.indexing.terms import ALL_CHUNKS
from mainspring.orchestration.knowledge.types import Chunk, Document, DocumentStatus
from mainspring.orchestration.pipelines.types import StepRun
from tests.orchestration.knowledge.workshop import Workshop, open_workshop, paragraphs

_TABLES = ("indexed_document", "chunk", "chunk_vector", "chunk_terms", "embedding_draft")


async def test_the_first_index_is_made_once_however_many_ask_at_once(workshop: Workshop):
    found = await asyncio.gather(*(workshop.indexes.active(workshop.tenant) for _ in range(20)))
    assert len({index.id for index in found}) == 1
    assert (found[0].number, found[0].dimensions, found[0].settings_version) == (1, 384, 0)
    assert await workshop.indexes.targets(workshop.tenant) == (found[0],)


async def test_a_cut_is_made_once_and_read_again(workshop: Workshop):
    document = await workshop.put("a", paragraphs("apple", "banana"))
    index = await workshop.indexes.active(workshop.tenant)
    with pytest.raises(NotParsedYet):
        await workshop.indexes.cut(workshop.tenant, document.id, index)
    await workshop.documents.parse(workshop.tenant, document.id)
    first = await workshop.indexes.cut(workshop.tenant, document.id, index)
    assert await workshop.indexes.cut(workshop.tenant, document.id, index) == first
    assert await workshop.indexes.list_chunks(workshop.platform, document.id) == first.chunks
    assert len([key for key in await workshop.keys() if "/cut-" in key]) == 1


async def test_a_published_document_is_indexed_and_leaves_no_drafts(workshop: Workshop):
    document = await workshop.bring_in("a", paragraphs("apple", "banana", "cherry"))
    standing = await workshop.standing(document)
    chunks = await workshop.indexes.list_chunks(workshop.platform, document.id)
    assert standing.status is DocumentStatus.INDEXED
    assert len(chunks) == 3
    assert chunks == (await workshop.indexes.cut(workshop.tenant, document.id, await _index(workshop))).chunks
    assert await workshop.rows("embedding_draft", document.id) == []
    assert await workshop.indexes.verify(workshop.tenant) == ()


async def test_publishing_twice_changes_nothing(workshop: Workshop):
    document = await workshop.bring_in("a", paragraphs("apple", "banana"))
    before = await _everything(workshop, document)
    await workshop.indexes.publish(workshop.tenant, document.id, await _index(workshop), revision=1)
    assert await _everything(workshop, document) == before


async def test_every_chunk_survives_an_upsert_not_only_the_last(workshop: Workshop):
    document = await workshop.bring_in("a", paragraphs("apple", "banana", "cherry", "durian"))
    assert len(await workshop.chunk_texts(document)) == 4
    await workshop.bring_in("a", paragraphs("apple", "banana", "cherry", "elderberry"))
    assert [text.split()[0] for text in await workshop.chunk_texts(document)] == [
        "Apple",
        "Banana",
        "Cherry",
        "Elderberry",
    ]
    assert len(await workshop.rows("chunk_vector", document.id)) == 4


async def test_a_shorter_revision_leaves_no_chunk_of_the_longer_one(workshop: Workshop):
    document = await workshop.bring_in("a", paragraphs("apple", "banana", "cherry"))
    await workshop.bring_in("a", paragraphs("banana"))
    for table in ("chunk", "chunk_vector", "chunk_terms"):
        assert len(await workshop.rows(table, document.id)) == 1
    assert await workshop.indexes.verify(workshop.tenant) == ()


async def test_old_chunks_are_found_until_the_new_embedding_succeeded(workshop: Workshop):
    document = await workshop.bring_in("a", paragraphs("apple", "banana"))
    before = await workshop.chunk_texts(document)
    changed = await workshop.put("a", paragraphs("apple", "cherry"))
    failing = _Failing(workshop)
    with pytest.raises(Unavailable):
        await failing.ingest(changed)
    assert await workshop.chunk_texts(document) == before
    await workshop.ingest(changed)
    assert [text.split()[0] for text in await workshop.chunk_texts(document)] == ["Apple", "Cherry"]


async def test_of_two_documents_with_equal_bytes_deleting_one_leaves_the_other_whole(workshop: Workshop):
    text = paragraphs("apple", "banana")
    first, second = await workshop.bring_in("a", text), await workshop.bring_in("b", text)
    assert len(workshop.embedder.texts) == 2
    kept = await _everything(workshop, second)
    await workshop.documents.delete(workshop.tenant, first.id)
    for table in _TABLES:
        assert await workshop.rows(table, first.id) == []
    assert await _everything(workshop, second) == kept
    assert await workshop.indexes.verify(workshop.tenant) == ()


async def test_a_changed_paragraph_embeds_its_own_chunk_and_an_unchanged_document_none(workshop: Workshop):
    words = [f"w{number}" for number in range(40)]
    await workshop.bring_in("a", paragraphs(*words))
    assert len(workshop.embedder.texts) == 40
    workshop.embedder.texts.clear()
    await workshop.bring_in("a", paragraphs(*words))
    assert workshop.embedder.texts == []
    await workshop.bring_in("a", paragraphs(*words[:20], "changed", *words[21:]))
    assert [text.split()[0] for text in workshop.embedder.texts] == ["Changed"]
    workshop.embedder.texts.clear()
    await workshop.bring_in("a", paragraphs("new", *words[:20], "changed", *words[21:]))
    assert [text.split()[0] for text in workshop.embedder.texts] == ["New"]


async def test_a_text_that_comes_in_several_batches_is_embedded_once(workshop: Workshop):
    words = [f"w{number}" for number in range(30)]
    document = await workshop.bring_in("a", paragraphs(*words, *words, *words))
    assert max(Counter(workshop.embedder.texts).values()) == 1
    assert len(workshop.embedder.texts) == 30
    assert len(await workshop.chunk_texts(document)) == 90


async def test_embedding_goes_on_where_it_stopped(workshop: Workshop):
    document = await workshop.put("a", paragraphs(*(f"w{number}" for number in range(40))))
    failing = _Failing(workshop, after=2)
    with pytest.raises(Unavailable):
        await failing.ingest(document)
    assert len(await workshop.rows("embedding_draft", document.id)) == 32
    told: list[tuple[int, int]] = []

    async def tell(done: int, total: int) -> None:
        told.append((done, total))

    index = await _index(workshop)
    assert await workshop.indexes.embed(workshop.tenant, document.id, index, progress=tell) == 8
    assert told == [(32, 40), (40, 40)]


async def test_nothing_is_published_of_a_revision_that_was_replaced(workshop: Workshop):
    document = await workshop.bring_in("a", paragraphs("apple"))
    await workshop.put("a", paragraphs("banana"))
    index = await _index(workshop)
    with pytest.raises(NotParsedYet):
        await workshop.indexes.publish(workshop.tenant, document.id, index, revision=1)
    await workshop.documents.parse(workshop.tenant, document.id)
    with pytest.raises(Superseded):
        await workshop.indexes.publish(workshop.tenant, document.id, index, revision=1)
    assert (await workshop.chunk_texts(document))[0].startswith("Apple")


async def test_older_blobs_go_when_a_newer_revision_is_published(workshop: Workshop):
    document = await workshop.bring_in("a", paragraphs("apple"))
    changed = await workshop.put("a", paragraphs("banana"))
    assert len([key for key in await workshop.keys() if "-1-" in key]) == 3
    await workshop.ingest(changed)
    assert len(await workshop.keys()) == 3
    assert all(f"documents/{document.id}/" in key and "-2-" in key for key in await workshop.keys())


async def test_publishing_is_all_or_nothing_wherever_it_breaks(
    workshop: Workshop, database: Database, objects: ObjectStore, tenant: TenantId
):
    document = await workshop.bring_in("a", paragraphs("apple", "banana", "cherry"))
    changed = await workshop.put("a", paragraphs("apple", "durian"))
    await workshop.documents.parse(tenant, document.id)
    index = await _index(workshop)
    await workshop.indexes.embed(tenant, document.id, index)
    before = await _everything(workshop, document)
    breaks = 0
    while True:
        breaking = open_workshop(database, objects, tenant, homes=_BreakingHomes(database, breaks))
        try:
            await breaking.indexes.publish(tenant, document.id, index, revision=changed.revision)
            break
        except ConnectionResetError:
            breaks += 1
        assert await _everything(workshop, document) == before
        assert (await workshop.standing(document)).status is DocumentStatus.PENDING
        assert await workshop.indexes.verify(tenant) == ()
    assert breaks >= 12
    assert [text.split()[0] for text in await workshop.chunk_texts(document)] == ["Apple", "Durian"]
    assert await workshop.indexes.verify(tenant) == ()


async def test_deleting_is_all_or_nothing_wherever_it_breaks(
    workshop: Workshop, database: Database, objects: ObjectStore, tenant: TenantId
):
    document = await workshop.bring_in("a", paragraphs("apple", "banana"))
    before = await _everything(workshop, document)
    breaks = 0
    while True:
        breaking = open_workshop(database, objects, tenant, homes=_BreakingHomes(database, breaks))
        try:
            await breaking.documents.delete(tenant, document.id)
            break
        except ConnectionResetError:
            breaks += 1
        if await workshop.documents.find(workshop.platform, document.id) is not None:
            assert await _everything(workshop, document) == before
        else:
            assert len(await workshop.rows("document_tombstone", document.id)) == 1
        assert await workshop.indexes.verify(tenant) == ()
    assert breaks >= 6
    assert await workshop.rows("document_tombstone", document.id) == []


async def test_a_vector_that_went_with_the_document_it_was_shared_with_is_made_again(workshop: Workshop):
    text = paragraphs("apple", "banana")
    first = await workshop.bring_in("a", text)
    second = await workshop.put("b", text)
    index = await _index(workshop)
    await workshop.documents.parse(workshop.tenant, second.id)
    assert await workshop.indexes.embed(workshop.tenant, second.id, index) == 0
    await workshop.documents.delete(workshop.tenant, first.id)
    await workshop.indexes.publish(workshop.tenant, second.id, index, revision=1)
    assert len(workshop.embedder.texts) == 4
    assert await workshop.indexes.verify(workshop.tenant) == ()


async def test_documents_that_share_words_are_published_and_deleted_at_once(workshop: Workshop):
    documents = [await workshop.put(f"{number}", paragraphs("apple", f"w{number}")) for number in range(8)]
    await asyncio.gather(*(workshop.ingest(document) for document in documents))
    assert await workshop.indexes.verify(workshop.tenant) == ()
    changed = [await workshop.put(f"{number}", paragraphs("banana", f"w{number}")) for number in range(4)]
    deleted = (workshop.documents.delete(workshop.tenant, document.id) for document in documents[4:])
    await asyncio.gather(*(workshop.ingest(document) for document in changed), *deleted)
    assert await workshop.indexes.verify(workshop.tenant) == ()


async def test_a_document_that_is_deleted_while_it_is_brought_in_stays_deleted(workshop: Workshop):
    for _ in range(2):
        document = await workshop.put("a", paragraphs("apple", "banana"))
        bringing, _ = await asyncio.gather(
            workshop.ingest(document), workshop.documents.delete(workshop.tenant, document.id), return_exceptions=True
        )
        assert bringing is None or isinstance(bringing, NotFound)
        assert await workshop.documents.find(workshop.platform, document.id) is None
        assert await workshop.keys() == []


@pytest.mark.parametrize("vector", [[1.0], [float("nan")] * 384, [float("inf")] * 384, [0.0] * 384, [1e9] * 384])
async def test_vectors_that_cannot_be_stored_are_refused(workshop: Workshop, vector: list[float]):
    document = await workshop.put("a", paragraphs("apple"))
    workshop.indexes = open_workshop(workshop.database, workshop.objects, workshop.tenant).indexes
    failing = _Answering(workshop, vector)
    with pytest.raises(UnusableVector):
        await failing.ingest(document)
    assert await workshop.rows("embedding_draft", document.id) == []


async def test_chunks_are_scored_by_bm25_with_one_inner_product(workshop: Workshop):
    await workshop.bring_in("a", paragraphs("apple", "banana"))
    document = await workshop.bring_in("b", "Norm ISO-27001 and/or rule holds in section 4.2(b) for apples. Apples!")
    length = 8  # norm, iso, 27001, rule, hold, section, 4.2, b, and twice appl; `and`, `or`, `in`, `for` say nothing
    async with workshop.homes.reading(workshop.tenant) as transaction:
        scored = {
            term: (
                await transaction.one(
                    "select max(-(terms <#> %(query)s::sparsevec)) as score from chunk_terms"
                    " where tenant_id = %(tenant)s and document_id = %(document)s",
                    tenant=workshop.tenant,
                    document=document.id,
                    query=terms_text({term_id(namespace, term): 1.0}),
                )
            )["score"]
            for namespace, term in (
                ("word", "appl"),
                ("word", "iso"),
                ("word", "27001"),
                ("exact", "iso-27001"),
                ("exact", "4.2(b)"),
                ("word", "durian"),
            )
        }
    damping = 1.2 * (0.25 + 0.75 * (length + 2) / 85)
    assert scored["appl"] == pytest.approx(2 * 2.2 / (2 + damping), rel=1e-3)
    assert scored["iso"] == scored["27001"] == scored["iso-27001"] == scored["4.2(b)"]
    assert scored["iso"] == pytest.approx(2.2 / (1 + damping), rel=1e-3)
    assert scored["durian"] == 0


async def test_counts_say_how_many_chunks_hold_a_term_and_how_many_there_are(workshop: Workshop):
    await workshop.bring_in("a", paragraphs("apple", "banana"))
    await workshop.bring_in("b", paragraphs("apple"))
    async with workshop.homes.reading(workshop.tenant) as transaction:
        rows = await transaction.all(
            "select term, chunks from term_count where tenant_id = %(tenant)s", tenant=workshop.tenant
        )
    counts = {row["term"]: row["chunks"] for row in rows}
    found = [counts[term] for term in (term_id("word", "appl"), term_id("word", "banana"), ALL_CHUNKS)]
    assert found == [2, 1, 3]


def test_identifiers_are_what_means_something_only_as_a_whole():
    text = "Per ISO-27001, section 4.2(b) of foo_bar and/or the long-term AC-1234/B, 12 or A."
    assert identifiers(text) == ["iso-27001", "4.2(b)", "foo_bar", "and/or", "long-term", "ac-1234/b", "12"]


def test_the_embedded_text_names_the_headings_above_once():
    above = Chunk(0, 0, 9, "4.1 Notice. Either party may.", heading_path=("Term", "Notice"))
    assert embedded_text(above) == "Term\n4.1 Notice. Either party may."
    assert embedded_text(Chunk(0, 0, 9, "Either party may.", heading_path=("Term", "Notice"))) == (
        "Term > Notice\nEither party may."
    )
    assert embedded_text(Chunk(0, 0, 9, "Term\nEither party may.", heading_path=("Term",))) == (
        "Term\nEither party may."
    )


async def _index(workshop: Workshop):
    return await workshop.indexes.active(workshop.tenant)


async def _everything(workshop: Workshop, document: Document) -> dict[str, Any]:
    """All that is indexed of a document, the time aside, and how often terms are counted."""
    found: dict[str, Any] = {}
    for table in _TABLES:
        rows = await workshop.rows(table, document.id)
        found[table] = sorted(str({key: row[key] for key in row if key != "indexed_at"}) for row in rows)
    return found


class _Answering:
    """A workshop whose model answers with this vector."""

    def __init__(self, workshop: Workshop, vector: Sequence[float] | None) -> None:
        self._vector = vector
        self.workshop = open_workshop(workshop.database, workshop.objects, workshop.tenant)
        self.workshop.embedder.embed = self._embed

    async def ingest(self, document: Document) -> None:
        await self.workshop.ingest(document)

    async def _embed(
        self, tenant: TenantId, texts: Sequence[str], *, model: str, run: StepRun | None = None
    ) -> Sequence[Sequence[float]]:
        if self._vector is None:
            raise Unavailable("The model is away.")
        return [self._vector for _ in texts]


class _Failing(_Answering):
    """A workshop whose model is away after so many calls."""

    def __init__(self, workshop: Workshop, *, after: int = 0) -> None:
        super().__init__(workshop, None)
        self._left = after
        self._inner = workshop.embedder

    async def _embed(
        self, tenant: TenantId, texts: Sequence[str], *, model: str, run: StepRun | None = None
    ) -> Sequence[Sequence[float]]:
        if self._left == 0:
            raise Unavailable("The model is away.")
        self._left -= 1
        return await self._inner.embed(tenant, texts, model=model, run=run)


class _BreakingTransaction(TenantTransaction):
    """A transaction whose connection breaks before one of its statements."""

    statements_left = 0

    async def all(self, sql: LiteralString, **parameters: object) -> list[dict[str, Any]]:
        self._count()
        return await super().all(sql, **parameters)

    async def first(self, sql: LiteralString, **parameters: object) -> dict[str, Any] | None:
        self._count()
        return await super().first(sql, **parameters)

    async def run(self, sql: LiteralString, **parameters: object) -> int:
        self._count()
        return await super().run(sql, **parameters)

    def _count(self) -> None:
        if self.statements_left == 0:
            raise ConnectionResetError("broken by the test")
        self.statements_left -= 1


class _BreakingHomes(Homes):
    """Homes in which the n-th statement of all writing, and a commit, breaks."""

    def __init__(self, database: Database, statements: int) -> None:
        super().__init__(database)
        self._left = statements

    @asynccontextmanager
    async def writing(self, tenant: TenantId) -> AsyncGenerator[TenantTransaction]:
        async with super().writing(tenant) as transaction:
            breaking = _BreakingTransaction(transaction._connection, tenant)  # pyright: ignore[reportPrivateUsage]
            breaking.statements_left = self._left
            try:
                yield breaking
            finally:
                self._left = breaking.statements_left
            breaking._count()  # pyright: ignore[reportPrivateUsage]
            self._left = breaking.statements_left
