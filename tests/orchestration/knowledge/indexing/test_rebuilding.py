"""A new index beside the active one: nothing gets stuck, nothing is lost, and the way back is open for a day."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from mainspring.foundation.db import Database, TenantTransaction
from mainspring.foundation.errors import InvalidInput, Unavailable
from mainspring.foundation.ids import TenantId, UserId, new_id
from mainspring.foundation.objects import ObjectStore
from mainspring.foundation.principal import Principal, PrincipalKind
from mainspring.orchestration.knowledge.chunking import SectionChunking
from mainspring.orchestration.knowledge.documents import NewDocument
from mainspring.orchestration.knowledge.documents import store as documents_store
from mainspring.orchestration.knowledge.errors import NoRebuild, NothingToUndo, RebuildIncomplete, RebuildRunning
from mainspring.orchestration.knowledge.indexing import Indexes, rebuild_store
from mainspring.orchestration.knowledge.indexing.comparing import compare, matched_ranks
from mainspring.orchestration.knowledge.indexing.rebuild_store import Place
from mainspring.orchestration.knowledge.setup import DEFAULT_CHUNKING, Setup
from mainspring.orchestration.knowledge.testing import HashEmbedder
from mainspring.orchestration.knowledge.types import DocumentStatus, Failure, IndexStatus
from mainspring.orchestration.pipelines.types import StepRun
from tests.orchestration.knowledge.workshop import Workshop, open_workshop, paragraphs

_OTHER_MODEL = "openai/text-embedding-3-small"


class _Day:
    """A clock that is moved on by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def day() -> _Day:
    return _Day()


@pytest.fixture
def workshop(database: Database, objects: ObjectStore, tenant: TenantId, day: _Day) -> Workshop:
    return open_workshop(database, objects, tenant, clock=day)


async def _save(workshop: Workshop, value: Setup) -> int:
    admin = Principal(workshop.tenant, PrincipalKind.USER, "Anna", frozenset({"knowledge.manage"}), UserId(new_id()))
    newest = await workshop.setups.current(workshop.tenant)
    return (await workshop.setups.save(admin, value, base_version=newest.version)).version


async def _status(workshop: Workshop) -> list[tuple[int, IndexStatus, str]]:
    found = await workshop.indexes.list_versions(workshop.tenant)
    return [(each.number, each.status, each.embedding_model.partition("/")[0]) for each in found]


async def test_a_new_model_gets_an_index_of_its_own_and_searches_change_over_at_once(workshop: Workshop):
    documents = [await workshop.bring_in(name, paragraphs(name)) for name in ("apple", "banana", "cherry")]
    version = await _save(workshop, Setup(embedding_model=_OTHER_MODEL, reindex_chunks_per_minute=60))
    building = await workshop.indexes.start_rebuild(workshop.tenant, version)
    assert await workshop.indexes.start_rebuild(workshop.tenant, version) == building
    with pytest.raises(RebuildRunning):
        await workshop.indexes.start_rebuild(workshop.tenant, 0)
    with pytest.raises(RebuildIncomplete, match="3 documents"):
        await workshop.indexes.switch(workshop.tenant)

    first = await workshop.indexes.rebuild_some(workshop.tenant, 2)
    assert (first.done, first.left, first.chunks, first.embedded, first.is_complete) == (2, 1, 2, 2, False)
    assert first.pause == timedelta(seconds=2)
    later = await workshop.bring_in("durian", paragraphs("durian"))
    second = await workshop.indexes.rebuild_some(workshop.tenant, 2)
    assert (second.done, second.left, second.failures, second.is_complete) == (1, 0, (), True)

    compared = await workshop.indexes.compare(workshop.tenant)
    assert (compared.queries, compared.overlap) == (4, 1.0)
    switched = await workshop.indexes.switch(workshop.tenant)
    assert (switched.id, switched.status) == (building.id, IndexStatus.ACTIVE)
    assert await _status(workshop) == [(2, IndexStatus.ACTIVE, "openai"), (1, IndexStatus.RETIRED, "local")]
    for document in (*documents, later):
        assert (await workshop.standing(document)).status is DocumentStatus.INDEXED
        assert len(await workshop.indexes.list_chunks(workshop.platform, document.id)) == 1
    assert await workshop.indexes.verify(workshop.tenant) == ()
    with pytest.raises(NoRebuild):
        await workshop.indexes.rebuild_some(workshop.tenant)


async def test_another_way_of_cutting_embeds_only_texts_that_are_new(workshop: Workshop):
    await workshop.bring_in("a", paragraphs("apple", "banana"))
    version = await _save(workshop, Setup(reindex_chunks_per_minute=100))
    await workshop.indexes.start_rebuild(workshop.tenant, version)
    progress = await workshop.indexes.rebuild_some(workshop.tenant)
    assert (progress.done, progress.embedded) == (1, 0)
    assert len(workshop.embedder.texts) == 2


async def test_a_document_that_fails_in_the_new_index_alone_blocks_the_switch_and_not_the_others(
    workshop: Workshop, database: Database, objects: ObjectStore, tenant: TenantId
):
    good = await workshop.bring_in("good", paragraphs("apple"))
    bad = await workshop.bring_in("bad", paragraphs("poison"))
    version = await _save(workshop, Setup(embedding_model=_OTHER_MODEL))
    await workshop.indexes.start_rebuild(tenant, version)
    picky = _with_embedder(workshop, _Picky())
    progress = await picky.rebuild_some(tenant)
    assert (progress.done, progress.left) == (1, 0)
    assert [failure.document_id for failure in progress.blocking] == [bad.id]
    assert progress.failures[0].code == "invalid_input"
    with pytest.raises(RebuildIncomplete):
        await workshop.indexes.switch(tenant)
    assert (await workshop.standing(bad)).status is DocumentStatus.INDEXED

    await workshop.indexes.switch(tenant, force=True)
    assert (await workshop.standing(good)).status is DocumentStatus.INDEXED
    assert (await workshop.standing(bad)).status is DocumentStatus.PENDING
    await workshop.ingest(bad)
    assert (await workshop.standing(bad)).status is DocumentStatus.INDEXED


async def test_failures_are_tried_again_when_told_and_when_the_document_changes(workshop: Workshop):
    bad = await workshop.bring_in("bad", paragraphs("poison"))
    await workshop.indexes.start_rebuild(workshop.tenant, await _save(workshop, Setup(embedding_model=_OTHER_MODEL)))
    picky = _with_embedder(workshop, _Picky())
    assert len((await picky.rebuild_some(workshop.tenant)).failures) == 1
    assert len((await picky.rebuild_some(workshop.tenant)).failures) == 1
    await picky.retry_failures(workshop.tenant)
    progress = await workshop.indexes.rebuild_some(workshop.tenant)
    assert (progress.done, progress.failures) == (1, ())
    assert bad.revision == 1


async def test_a_document_that_failed_for_the_active_index_too_blocks_nothing(workshop: Workshop):
    await workshop.bring_in("good", paragraphs("apple"))
    broken = await workshop.put("bad", paragraphs("poison"))
    await workshop.documents.fail(workshop.tenant, broken.id, 1, Failure("x", "It is broken."))
    await workshop.indexes.start_rebuild(workshop.tenant, await _save(workshop, Setup(embedding_model=_OTHER_MODEL)))
    progress = await _with_embedder(workshop, _Picky()).rebuild_some(workshop.tenant)
    assert (len(progress.failures), progress.blocking) == (1, ())
    await workshop.indexes.switch(workshop.tenant)
    assert (await workshop.standing(broken)).status is DocumentStatus.FAILED


async def test_what_is_found_of_a_document_whose_newest_revision_is_broken_is_found_after_a_switch_too(
    workshop: Workshop,
):
    document = await workshop.bring_in("a", paragraphs("apple"))
    broken = NewDocument("notes", "a", "a.pdf", b"%PDF-1.7 nothing more")
    await workshop.documents.put(workshop.tenant, broken)
    await workshop.documents.fail(workshop.tenant, document.id, 2, Failure("broken_pdf", "It is broken."))
    await workshop.indexes.start_rebuild(workshop.tenant, await _save(workshop, Setup(embedding_model=_OTHER_MODEL)))
    progress = await workshop.indexes.rebuild_some(workshop.tenant)
    assert (progress.done, progress.left, progress.blocking) == (1, 0, ())
    assert [failure.code for failure in progress.failures] == ["broken_pdf"]
    assert (await workshop.indexes.rebuild_some(workshop.tenant)).done == 0
    await workshop.indexes.switch(workshop.tenant)
    (chunk,) = await workshop.indexes.list_chunks(workshop.platform, document.id)
    assert chunk.text.startswith("Apple")
    assert (await workshop.standing(document)).status is DocumentStatus.FAILED
    assert await workshop.indexes.verify(workshop.tenant) == ()

    mended = await workshop.bring_in("a", paragraphs("banana"))
    assert (mended.revision, (await workshop.standing(mended)).status) == (3, DocumentStatus.INDEXED)


async def test_a_model_that_is_away_stops_the_rebuild_and_marks_no_document(workshop: Workshop):
    await workshop.bring_in("a", paragraphs("apple"))
    await workshop.indexes.start_rebuild(workshop.tenant, await _save(workshop, Setup(embedding_model=_OTHER_MODEL)))
    away = _with_embedder(workshop, _Away())
    with pytest.raises(Unavailable):
        await away.rebuild_some(workshop.tenant)
    progress = await workshop.indexes.rebuild_some(workshop.tenant)
    assert (progress.done, progress.left, progress.failures) == (1, 0, ())


async def test_undo_goes_back_within_a_day_and_what_changed_since_is_pending(workshop: Workshop, day: _Day):
    kept = await workshop.bring_in("a", paragraphs("apple"))
    await workshop.indexes.start_rebuild(workshop.tenant, await _save(workshop, Setup(embedding_model=_OTHER_MODEL)))
    await workshop.indexes.rebuild_some(workshop.tenant)
    await workshop.indexes.switch(workshop.tenant)
    later = await workshop.bring_in("b", paragraphs("banana"))
    day.now += timedelta(hours=23)
    assert await workshop.indexes.purge_retired(workshop.tenant) == 0
    assert (await workshop.indexes.undo(workshop.tenant)).number == 1
    assert (await workshop.standing(kept)).status is DocumentStatus.INDEXED
    assert (await workshop.standing(later)).status is DocumentStatus.PENDING
    await workshop.ingest(later)
    assert await workshop.indexes.verify(workshop.tenant) == ()
    assert (await workshop.indexes.undo(workshop.tenant)).number == 2
    day.now += timedelta(hours=25)
    with pytest.raises(NothingToUndo):
        await workshop.indexes.undo(workshop.tenant)


async def test_a_retired_index_is_removed_in_batches_after_a_day(workshop: Workshop, day: _Day):
    documents = [await workshop.bring_in(name, paragraphs(name)) for name in ("apple", "banana", "cherry")]
    await workshop.indexes.start_rebuild(workshop.tenant, await _save(workshop, Setup(embedding_model=_OTHER_MODEL)))
    await workshop.indexes.rebuild_some(workshop.tenant)
    await workshop.indexes.switch(workshop.tenant)
    day.now += timedelta(hours=25)
    lefts = [await workshop.indexes.purge_retired(workshop.tenant, 2)]
    while lefts[-1]:
        lefts.append(await workshop.indexes.purge_retired(workshop.tenant, 2))
    assert lefts[0] == 2
    assert await _status(workshop) == [(2, IndexStatus.ACTIVE, "openai")]
    assert await workshop.indexes.verify(workshop.tenant) == ()
    for document in documents:
        assert len(await workshop.rows("chunk_vector", document.id)) == 1


async def test_a_cut_outlives_its_index_as_reports_point_to_it(workshop: Workshop, day: _Day):
    document = await workshop.bring_in("a", paragraphs("apple"))
    cut = await workshop.indexes.cut(workshop.tenant, document.id, await workshop.indexes.active(workshop.tenant))
    finer = Setup(chunking={**DEFAULT_CHUNKING, "article": SectionChunking(max_chars=900)})
    await workshop.indexes.start_rebuild(workshop.tenant, await _save(workshop, finer))
    await workshop.indexes.rebuild_some(workshop.tenant)
    await workshop.indexes.switch(workshop.tenant)
    day.now += timedelta(days=2)
    while await workshop.indexes.purge_retired(workshop.tenant):
        pass
    assert [status for _, status, _ in await _status(workshop)] == [IndexStatus.ACTIVE]
    assert await workshop.indexes.read_cut(workshop.platform, document.id, cut.fingerprint) == cut


async def test_a_deletion_and_the_removal_of_an_index_never_wait_for_each_other(
    workshop: Workshop, day: _Day, monkeypatch: pytest.MonkeyPatch
):
    document = await workshop.bring_in("a", paragraphs("apple"))
    await workshop.indexes.start_rebuild(workshop.tenant, 0)
    await workshop.indexes.rebuild_some(workshop.tenant)
    await workshop.indexes.switch(workshop.tenant)
    day.now += timedelta(days=2)
    purged, released = asyncio.Event(), asyncio.Event()
    purge_documents, release_terms = rebuild_store.purge_documents, documents_store.release_terms

    async def purge_then_wait(transaction: TenantTransaction, index: UUID, limit: int) -> list[UUID]:
        found = await purge_documents(transaction, index, limit)
        purged.set()
        await asyncio.wait_for(released.wait(), 10)
        return found

    async def wait_then_release(transaction: TenantTransaction, document: UUID) -> None:
        await purged.wait()
        await release_terms(transaction, document)
        released.set()

    monkeypatch.setattr(rebuild_store, "purge_documents", purge_then_wait)
    monkeypatch.setattr(documents_store, "release_terms", wait_then_release)
    async with asyncio.TaskGroup() as both:
        both.create_task(workshop.indexes.purge_retired(workshop.tenant))
        both.create_task(workshop.documents.delete(workshop.tenant, document.id))
    assert await workshop.documents.find(workshop.platform, document.id) is None


async def test_an_abandoned_index_is_removed_without_delay_and_never_gone_back_to(workshop: Workshop):
    await workshop.bring_in("a", paragraphs("apple"))
    await workshop.indexes.start_rebuild(workshop.tenant, await _save(workshop, Setup(embedding_model=_OTHER_MODEL)))
    await workshop.indexes.rebuild_some(workshop.tenant)
    await workshop.indexes.abandon(workshop.tenant)
    await workshop.indexes.abandon(workshop.tenant)
    with pytest.raises(NothingToUndo):
        await workshop.indexes.undo(workshop.tenant)
    while await workshop.indexes.purge_retired(workshop.tenant):
        pass
    assert await _status(workshop) == [(1, IndexStatus.ACTIVE, "local")]
    assert await workshop.indexes.verify(workshop.tenant) == ()


def test_hits_are_the_same_where_their_places_overlap():
    one, other = new_id(), new_id()
    old = [Place(one, 0, 100), Place(one, 100, 200), Place(other, 0, 50)]
    new = [Place(other, 10, 60), Place(one, 0, 150), Place(one, 160, 200)]
    assert matched_ranks(old, new) == [(0, 1), (1, 2), (2, 0)]
    compared = compare([(old, new), (old, new[:1]), ([], [])])
    assert (compared.queries, compared.overlap) == (2, pytest.approx(2 / 3))
    assert compared.rank_correlation == pytest.approx(-0.5)


def _with_embedder(workshop: Workshop, embedder: HashEmbedder) -> Indexes:
    return Indexes(workshop.homes, workshop.objects, workshop.documents, workshop.setups, embedder)


class _Picky(HashEmbedder):
    """Refuses texts about poison."""

    async def embed(
        self, tenant: TenantId, texts: Sequence[str], *, model: str, run: StepRun | None = None
    ) -> Sequence[Sequence[float]]:
        if any("poison" in text for text in texts):
            raise InvalidInput("The model refuses this text.")
        return await super().embed(tenant, texts, model=model, run=run)


class _Away(HashEmbedder):
    """Never there."""

    async def embed(
        self, tenant: TenantId, texts: Sequence[str], *, model: str, run: StepRun | None = None
    ) -> Sequence[Sequence[float]]:
        raise Unavailable("The model is away.")
