"""Documents from upload to search, against the real database and object store; every use case may be repeated."""

import asyncio
from uuid import uuid4

import pytest

from mainspring.foundation.db import Database
from mainspring.foundation.errors import InvalidInput, MainspringError, NotFound
from mainspring.foundation.ids import TenantId
from mainspring.foundation.objects import ObjectStore
from mainspring.orchestration.knowledge import (
    EMBEDDING_DIMENSIONS,
    Chunk,
    Document,
    Knowledge,
    ParseLimits,
    chunk_by_clause,
)

_TEXT = "\n\n".join(
    f"{number}. Clause {number}. " + f"The supplier owes duty number {number}. " * 6 for number in range(1, 5)
)


@pytest.fixture
def knowledge(database: Database, objects: ObjectStore) -> Knowledge:
    return Knowledge(database, objects)


def _vector(*values: float) -> list[float]:
    return [*values, *[0.0] * (EMBEDDING_DIMENSIONS - len(values))]


def _chunks(*texts: str) -> tuple[Chunk, ...]:
    return tuple(
        Chunk(index, index * 10, index * 10 + 5, text, f"{index}", ("Terms",), 1) for index, text in enumerate(texts)
    )


async def _stored(knowledge: Knowledge, tenant: TenantId, text: str = _TEXT) -> Document:
    return await knowledge.store_original(tenant, "supply.txt", text.encode())


async def _keys(objects: ObjectStore, tenant: TenantId) -> list[str]:
    return [key async for key in objects.iter_keys(tenant)]


async def test_the_same_bytes_are_one_document_under_its_first_name(
    knowledge: Knowledge, tenant: TenantId, objects: ObjectStore
):
    first = await _stored(knowledge, tenant)
    second = await knowledge.store_original(tenant, "copy.txt", _TEXT.encode())
    assert second == first
    assert first.name == "supply.txt"
    assert first.media_type == "text/plain"
    assert await knowledge.read_original(tenant, first.id) == _TEXT.encode()
    assert len(await _keys(objects, tenant)) == 1


async def test_the_same_bytes_sent_at_once_are_one_document(
    knowledge: Knowledge, tenant: TenantId, objects: ObjectStore
):
    documents = await asyncio.gather(*(_stored(knowledge, tenant) for _ in range(5)))
    assert len({document.id for document in documents}) == 1
    assert await _keys(objects, tenant) == [f"documents/{documents[0].id}/original"]


async def test_what_cannot_be_a_document_leaves_nothing_behind(
    knowledge: Knowledge, tenant: TenantId, objects: ObjectStore
):
    for content in (b"", b"\x89PNG\r\n\x1a\n....", b"PK\x05\x06" + bytes(18), bytes(range(256)) * 9):
        with pytest.raises(MainspringError):
            await knowledge.store_original(tenant, "supply.docx", content)
    assert await _keys(objects, tenant) == []


async def test_parsing_twice_gives_the_same_and_describes_the_document(knowledge: Knowledge, tenant: TenantId):
    document = await _stored(knowledge, tenant)
    with pytest.raises(MainspringError) as caught:
        await knowledge.get_parsed(tenant, document.id)
    assert caught.value.code == "document_not_parsed"
    parsed = await knowledge.parse_document(tenant, document.id)
    assert parsed.text == _TEXT
    assert await knowledge.parse_document(tenant, document.id) == parsed
    assert await knowledge.get_parsed(tenant, document.id) == parsed
    found = await knowledge.find_document(tenant, document.id)
    assert found is not None
    assert (found.language, found.pages, found.parser_version) == ("en", None, "1")


async def test_a_parse_that_was_stopped_half_way_can_be_repeated(
    knowledge: Knowledge, tenant: TenantId, objects: ObjectStore
):
    document = await _stored(knowledge, tenant)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await knowledge.parse_document(tenant, document.id)
    await knowledge.parse_document(tenant, document.id)
    assert sorted(await _keys(objects, tenant)) == [
        f"documents/{document.id}/original",
        f"documents/{document.id}/parsed-1.json",
    ]


async def test_a_search_reads_one_partition(database: Database, tenant: TenantId):
    async with database.tenant(tenant) as transaction:
        rows = await transaction.all(
            "explain (costs off) select * from chunk where tenant_id = %(tenant)s order by index", tenant=tenant
        )
    plan = "\n".join(row["QUERY PLAN"] for row in rows)
    assert plan.count("chunk_p") in (1, 2)
    assert "Append" not in plan


async def test_a_document_that_cannot_be_parsed_says_why_each_time(knowledge: Knowledge, tenant: TenantId):
    document = await knowledge.store_original(tenant, "a.pdf", b"%PDF-1.7 nothing more")
    for _ in range(2):
        with pytest.raises(MainspringError) as caught:
            await knowledge.parse_document(tenant, document.id)
        assert caught.value.code == "broken_pdf"


async def test_limits_reach_upload_and_parse(database: Database, objects: ObjectStore, tenant: TenantId):
    knowledge = Knowledge(database, objects, limits=ParseLimits(max_bytes=5000, max_characters=100))
    with pytest.raises(MainspringError) as caught:
        await knowledge.store_original(tenant, "long.txt", b"a" * 5001)
    assert caught.value.code == "too_large"
    document = await knowledge.store_original(tenant, "supply.txt", b"word " * 30)
    with pytest.raises(MainspringError) as caught:
        await knowledge.parse_document(tenant, document.id)
    assert caught.value.code == "too_large"


async def test_chunks_come_back_as_they_were_given(knowledge: Knowledge, tenant: TenantId):
    document = await _stored(knowledge, tenant)
    parsed = await knowledge.parse_document(tenant, document.id)
    chunks = chunk_by_clause(parsed)
    await knowledge.replace_chunks(tenant, document.id, chunks)
    await knowledge.replace_chunks(tenant, document.id, chunks)
    assert await knowledge.list_chunks(tenant, document.id) == chunks
    assert len(chunks) == 4


async def test_replacing_chunks_keeps_vectors_of_unchanged_text_and_drops_the_rest(
    knowledge: Knowledge, tenant: TenantId
):
    document = await _stored(knowledge, tenant)
    await knowledge.replace_chunks(tenant, document.id, _chunks("same", "old", "gone"))
    await knowledge.store_embeddings(
        tenant, document.id, {index: _vector(1.0, index) for index in range(3)}, model="m1"
    )
    await knowledge.replace_chunks(tenant, document.id, _chunks("same", "new"))
    assert [chunk.text for chunk in await knowledge.list_chunks(tenant, document.id)] == ["same", "new"]
    assert [chunk.index for chunk in await knowledge.chunks_without_embedding(tenant, document.id)] == [1]


async def test_embedding_goes_on_where_it_stopped(knowledge: Knowledge, tenant: TenantId):
    document = await _stored(knowledge, tenant)
    await knowledge.replace_chunks(tenant, document.id, _chunks("a", "b", "c"))
    await knowledge.store_embeddings(tenant, document.id, {0: _vector(1.0), 1: _vector(0.0, 1.0)}, model="m1")
    await knowledge.store_embeddings(tenant, document.id, {1: _vector(0.0, 1.0)}, model="m1")
    assert [chunk.text for chunk in await knowledge.chunks_without_embedding(tenant, document.id, model="m1")] == ["c"]
    assert len(await knowledge.chunks_without_embedding(tenant, document.id, model="m2")) == 3
    await knowledge.store_embeddings(tenant, document.id, {2: _vector(0.5), 99: _vector(1.0)}, model="m1")
    assert await knowledge.chunks_without_embedding(tenant, document.id) == ()


async def test_chunks_and_vectors_can_be_written_as_one(knowledge: Knowledge, tenant: TenantId):
    document = await _stored(knowledge, tenant)
    with pytest.raises(InvalidInput):
        await knowledge.replace_chunks(tenant, document.id, _chunks("a"), vectors={0: [1.0]}, model="m1")
    assert await knowledge.list_chunks(tenant, document.id) == ()
    await knowledge.replace_chunks(tenant, document.id, _chunks("a"), vectors={0: _vector(1.0)}, model="m1")
    assert await knowledge.chunks_without_embedding(tenant, document.id) == ()


async def test_search_finds_the_nearest_first(knowledge: Knowledge, tenant: TenantId):
    first, second = await _stored(knowledge, tenant), await _stored(knowledge, tenant, "Another text.")
    await knowledge.replace_chunks(tenant, first.id, _chunks("east", "north"))
    await knowledge.replace_chunks(tenant, second.id, _chunks("north-east"))
    await knowledge.store_embeddings(tenant, first.id, {0: _vector(1.0), 1: _vector(0.0, 1.0)}, model="m1")
    await knowledge.store_embeddings(tenant, second.id, {0: _vector(0.8, 0.6)}, model="m2")
    found = await knowledge.search_similar(tenant, _vector(2.0), limit=3)
    assert [match.chunk.text for match in found] == ["east", "north-east", "north"]
    assert [match.score for match in found] == pytest.approx([1.0, 0.8, 0.0], abs=1e-3)
    assert len(await knowledge.search_similar(tenant, _vector(1.0), limit=1)) == 1
    within = await knowledge.search_similar(tenant, _vector(1.0), document_id=second.id)
    assert [match.document_id for match in within] == [second.id]
    assert len(await knowledge.search_similar(tenant, _vector(1.0), model="m1")) == 2


@pytest.mark.parametrize("vector", [[1.0], _vector(float("nan")), _vector(float("inf")), _vector(), _vector(1e9)])
async def test_vectors_that_cannot_be_stored_are_refused(knowledge: Knowledge, tenant: TenantId, vector: list[float]):
    with pytest.raises(InvalidInput):
        await knowledge.search_similar(tenant, vector)


@pytest.mark.parametrize("limit", [0, -1, 1_000_000])
async def test_a_search_for_too_many_names_the_range(knowledge: Knowledge, tenant: TenantId, limit: int):
    with pytest.raises(InvalidInput, match="between 1 and 200"):
        await knowledge.search_similar(tenant, _vector(1.0), limit=limit)


async def test_another_tenant_finds_nothing_of_it(knowledge: Knowledge, tenant: TenantId, other_tenant: TenantId):
    document = await _stored(knowledge, tenant)
    await knowledge.parse_document(tenant, document.id)
    await knowledge.replace_chunks(tenant, document.id, _chunks("secret"), vectors={0: _vector(1.0)}, model="m1")
    assert await knowledge.find_document(other_tenant, document.id) is None
    assert await knowledge.search_similar(other_tenant, _vector(1.0)) == ()
    assert await knowledge.chunks_without_embedding(other_tenant, document.id) == ()
    for refused in (
        knowledge.get_parsed(other_tenant, document.id),
        knowledge.parse_document(other_tenant, document.id),
        knowledge.read_original(other_tenant, document.id),
        knowledge.list_chunks(other_tenant, document.id),
        knowledge.replace_chunks(other_tenant, document.id, _chunks("mine")),
        knowledge.store_embeddings(other_tenant, document.id, {0: _vector(1.0)}, model="m1"),
    ):
        with pytest.raises(NotFound):
            await refused
    await knowledge.delete_document(other_tenant, document.id)
    assert len(await knowledge.list_chunks(tenant, document.id)) == 1


async def test_two_tenants_keep_the_same_bytes_apart(knowledge: Knowledge, tenant: TenantId, other_tenant: TenantId):
    mine, theirs = await _stored(knowledge, tenant), await _stored(knowledge, other_tenant)
    assert mine.id != theirs.id
    await knowledge.delete_document(tenant, mine.id)
    assert await knowledge.read_original(other_tenant, theirs.id) == _TEXT.encode()


async def test_deleting_removes_rows_and_bytes_and_may_be_repeated(
    knowledge: Knowledge, tenant: TenantId, objects: ObjectStore
):
    document = await _stored(knowledge, tenant)
    await knowledge.parse_document(tenant, document.id)
    await knowledge.replace_chunks(tenant, document.id, _chunks("a"), vectors={0: _vector(1.0)}, model="m1")
    for _ in range(2):
        await knowledge.delete_document(tenant, document.id)
    assert await _keys(objects, tenant) == []
    assert await knowledge.search_similar(tenant, _vector(1.0)) == ()
    again = await _stored(knowledge, tenant)
    assert again.id != document.id
    assert (await knowledge.parse_document(tenant, again.id)).text == _TEXT


async def test_documents_that_never_were_are_not_found(knowledge: Knowledge, tenant: TenantId):
    for call in (knowledge.get_parsed, knowledge.list_chunks, knowledge.parse_document, knowledge.read_original):
        with pytest.raises(NotFound):
            await call(tenant, uuid4())


async def test_chunks_out_of_order_are_a_mistake_of_the_caller(knowledge: Knowledge, tenant: TenantId):
    with pytest.raises(ValueError, match="numbered"):
        await knowledge.replace_chunks(tenant, uuid4(), _chunks("a", "b")[::-1])
    with pytest.raises(ValueError, match="model"):
        await knowledge.replace_chunks(tenant, uuid4(), _chunks("a"), vectors={0: _vector(1.0)})
