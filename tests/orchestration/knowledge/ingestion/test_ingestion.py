"""Documents handed in, indexed by durable runs, tried again, and taken away, on the real engines."""

import asyncio
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest

from mainspring.foundation.db import Database
from mainspring.foundation.errors import Forbidden, NotFound, Unavailable
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.objects import ObjectStore
from mainspring.foundation.valkey import Valkey
from mainspring.orchestration.knowledge.documents import NewDocument
from mainspring.orchestration.knowledge.documents.blobs import original_key
from mainspring.orchestration.knowledge.ingestion import subject_of
from mainspring.orchestration.knowledge.testing import make_pdf
from mainspring.orchestration.knowledge.types import DocumentStatus
from mainspring.orchestration.pipelines import LiveEvents, RunStatus
from tests.orchestration.knowledge.workshop import paragraphs

from .works import Works, caller, open_works, wait_until

AT_ONCE = timedelta(seconds=-1)


@pytest.fixture
def works(database: Database, valkey: Valkey, objects: ObjectStore, tenant: TenantId) -> Works:
    return open_works(database, valkey, objects, tenant)


async def test_a_document_that_is_handed_in_is_indexed_and_its_run_says_so_in_words(works: Works) -> None:
    submission = await works.ingestion.add(works.anna, works.note(paragraphs("river", "stone", "cloud")))
    assert submission.run is not None
    assert submission.document.status is DocumentStatus.PENDING
    async with works.worker():
        ended = await works.finished(submission.run)
    assert (ended.status, ended.subject) == (RunStatus.SUCCEEDED, subject_of(submission.document.id))
    document = await works.workshop.standing(submission.document)
    assert (document.status, document.run_id, document.error) == (DocumentStatus.INDEXED, ended.id, None)
    assert len(await works.workshop.chunk_texts(document)) == 3
    assert await works.workshop.indexes.verify(works.tenant) == ()
    told = await works.story(ended)
    assert "Cut into 3 passages" in told
    assert "Ready to be searched" in told


async def test_progress_is_told_in_passages(works: Works) -> None:
    """Who watches sees how many of how many; the fake model waits until it was seen."""
    words = [f"word{number}" for number in range(40)]
    seen = asyncio.Event()

    async def hold_back() -> None:
        if len(works.embedder.texts) >= 16:
            await seen.wait()

    works.embedder.mood = hold_back
    submission = await works.ingestion.add(works.anna, works.note(paragraphs(*words)))
    assert submission.run
    live = LiveEvents(works.workshop.database, works.valkey)
    async with works.worker(), asyncio.timeout(20):
        async for event in live.iter_events(works.tenant, submission.run.id):
            if event.facts.get("text") == "Embedded 16 of 40 passages":
                assert (event.facts["done"], event.facts["total"]) == (16, 40)
                break
        seen.set()
        await works.finished(submission.run)
    await live.close()


async def test_no_text_of_the_document_is_in_the_payloads_of_its_run(works: Works) -> None:
    submission = await works.ingestion.add(works.anna, works.note(paragraphs("xylophone")))
    async with works.worker():
        await works.finished(submission.run)
    async with works.workshop.database.tenant(works.tenant) as transaction:
        rows = await transaction.all(
            """select run.input::text as given, step.output::text as output, step.input::text as input
                 from run join step on step.run_id = run.id"""
        )
    assert len(rows) == 4
    assert "ylophone" not in msgspec.json.encode(rows).decode()


async def test_the_same_bytes_again_start_nothing(works: Works) -> None:
    first = await works.ingestion.add(works.anna, works.note(paragraphs("river")))
    again = await works.ingestion.add(works.anna, works.note(paragraphs("river")))
    assert first.run
    assert again.run
    assert again.run.id == first.run.id
    async with works.worker():
        await works.finished(first.run)
        embedded = len(works.workshop.embedder.texts)
        third = await works.ingestion.add(works.anna, works.note(paragraphs("river")))
    assert (third.document.id, third.run) == (first.document.id, None)
    assert len(works.workshop.embedder.texts) == embedded


async def test_however_many_hand_the_same_in_at_once_there_is_one_run(works: Works) -> None:
    note = works.note(paragraphs("river"))
    submissions = await asyncio.gather(*(works.ingestion.add(works.anna, note) for _ in range(8)))
    assert len({each.run.id for each in submissions if each.run}) == 1
    assert len({each.document.id for each in submissions}) == 1


async def test_a_changed_paragraph_embeds_only_its_own_chunk(works: Works) -> None:
    async with works.worker():
        first = await works.ingestion.add(works.anna, works.note(paragraphs("river", "stone", "cloud")))
        await works.finished(first.run)
        before = len(works.workshop.embedder.texts)
        second = await works.ingestion.add(works.anna, works.note(paragraphs("river", "glass", "cloud")))
        await works.finished(second.run)
    assert (second.document.id, second.document.revision) == (first.document.id, 2)
    assert len(works.workshop.embedder.texts) == before + 1
    assert [text[:5] for text in await works.workshop.chunk_texts(first.document)] == ["River", "Glass", "Cloud"]


async def test_a_revision_that_was_overtaken_ends_quietly_and_the_newest_is_found(works: Works) -> None:
    first = await works.ingestion.add(works.anna, works.note(paragraphs("river")))
    second = await works.ingestion.add(works.anna, works.note(paragraphs("stone")))
    async with works.worker():
        old, new = await works.finished(first.run), await works.finished(second.run)
    assert (old.status, new.status) == (RunStatus.SUCCEEDED, RunStatus.SUCCEEDED)
    assert old.id != new.id
    assert "Nothing to do: the document was changed or deleted meanwhile" in await works.story(old)
    document = await works.workshop.standing(second.document)
    assert (document.status, document.run_id) == (DocumentStatus.INDEXED, new.id)
    assert [text[:5] for text in await works.workshop.chunk_texts(document)] == ["Stone"]


async def test_a_document_deleted_before_its_run_is_gone_with_the_run(works: Works) -> None:
    submission = await works.ingestion.add(works.anna, works.note(paragraphs("river")))
    await works.ingestion.delete(works.anna, submission.document.id)
    assert submission.run
    assert await works.pipelines.find_run(works.tenant, submission.run.id) is None
    assert await works.workshop.keys() == []
    with pytest.raises(NotFound):
        await works.ingestion.delete(works.anna, submission.document.id)
    await works.sweeper.submit_pending(untouched_for=AT_ONCE)
    assert await works.pipelines.latest_runs(works.tenant, [subject_of(submission.document.id)]) == {}


async def test_a_document_deleted_in_mid_ingest_leaves_nothing(works: Works) -> None:
    is_asked, goes_on = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        is_asked.set()
        await goes_on.wait()

    works.embedder.mood = wait
    submission = await works.ingestion.add(works.anna, works.note(paragraphs("river")))
    async with works.worker():
        await is_asked.wait()
        await works.ingestion.delete(works.anna, submission.document.id)
        goes_on.set()
        ended = await works.finished(submission.run)
    assert ended.status is RunStatus.SUCCEEDED
    await works.deliver()
    assert await works.pipelines.find_run(works.tenant, ended.id) is None
    assert await works.workshop.keys() == []
    for table in ("document_tombstone", "embedding_draft", "indexed_document", "chunk", "chunk_vector"):
        assert await works.workshop.rows(table, submission.document.id) == []
    assert await works.workshop.indexes.verify(works.tenant) == ()


async def test_what_cannot_be_read_fails_at_once_by_its_code_and_may_be_tried_again(works: Works) -> None:
    scanned = NewDocument("uploads", "scan", "scan.pdf", make_pdf([[]]))
    async with works.worker():
        submission = await works.ingestion.add(works.anna, scanned)
        ended = await works.finished(submission.run)
        assert (ended.status, ended.steps[0].attempt) == (RunStatus.FAILED, 1)
        document = await works.workshop.standing(submission.document)
        assert document.status is DocumentStatus.FAILED
        assert document.error
        assert ended.error
        assert document.error.code == ended.error.code
        again = await works.ingestion.retry(works.anna, document.id)
        assert again.document.status is DocumentStatus.PENDING
        assert again.run
        assert again.run.id != ended.id
        assert (await works.finished(again.run)).status is RunStatus.FAILED
        third = await works.ingestion.add(works.anna, scanned)  # who uploads it again wants it tried again
        assert third.run
        await works.finished(third.run)
    (counts,) = await works.ingestion.status(works.anna)
    assert (counts.source, counts.documents[DocumentStatus.FAILED]) == ("uploads", 1)
    assert counts.failures == {document.error.code: 1}


async def test_a_model_that_is_away_is_asked_again_and_the_document_is_not_failed(works: Works) -> None:
    calls = [0]

    async def stumble() -> None:
        calls[0] += 1
        if calls[0] <= 2:
            raise Unavailable("The model is away.")

    works.embedder.mood = stumble
    submission = await works.ingestion.add(works.anna, works.note(paragraphs("river")))
    async with works.worker():
        ended = await works.finished(submission.run)
    assert ended.status is RunStatus.SUCCEEDED
    assert {step.name: step.attempt for step in ended.steps} == {"parse": 1, "chunk": 1, "embed": 3, "index": 1}


async def test_a_run_that_failed_fails_its_document_and_all_of_a_cause_are_tried_again(works: Works) -> None:
    notes = [works.note(paragraphs(word), word) for word in ("river", "stone")]
    submissions = [await works.ingestion.add(works.anna, note) for note in notes]
    for submission in submissions:
        assert submission.run
        await works.pipelines.cancel(works.tenant, submission.run.id)
    await works.deliver()
    for submission in submissions:
        document = await works.workshop.standing(submission.document)
        assert document.error
        assert (document.status, document.error.code) == (DocumentStatus.FAILED, "cancelled")
    assert await works.ingestion.retry_failed(works.anna, code="scanned_pdf") == 0
    assert await works.ingestion.retry_failed(works.anna, code="cancelled", source="uploads") == 2

    async def are_indexed() -> bool:
        found = [await works.workshop.standing(each.document) for each in submissions]
        return all(each.status is DocumentStatus.INDEXED for each in found)

    async with works.worker():
        await wait_until(are_indexed)
    await works.deliver()
    assert await are_indexed(), "an end that was heard twice, or late, changes nothing"


async def test_a_failure_that_nobody_heard_of_is_found_by_the_sweeper(works: Works) -> None:
    submission = await works.ingestion.add(works.anna, works.note(paragraphs("river")))
    assert submission.run
    await works.pipelines.cancel(works.tenant, submission.run.id)
    await works.sweeper.submit_pending(untouched_for=AT_ONCE)
    document = await works.workshop.standing(submission.document)
    assert document.error
    assert (document.status, document.error.code) == (DocumentStatus.FAILED, "cancelled")


async def test_a_document_whose_submitter_died_gets_one_run_however_many_look(works: Works) -> None:
    document = await works.workshop.put("a", paragraphs("river"))
    assert document.run_id is None
    await works.sweeper.submit_pending(untouched_for=timedelta(minutes=5))
    assert (await works.workshop.standing(document)).run_id is None
    others = [open_works(works.workshop.database, works.valkey, works.workshop.objects, works.tenant) for _ in range(3)]
    await asyncio.gather(*(each.sweeper.submit_pending(untouched_for=AT_ONCE) for each in (works, *others)))
    runs = await works.pipelines.latest_runs(works.tenant, [subject_of(document.id)])
    async with works.workshop.database.tenant(works.tenant) as transaction:
        assert (await transaction.one("select count(*) as runs from run"))["runs"] == 1
    async with works.worker():
        assert (await works.finished(runs[subject_of(document.id)])).status is RunStatus.SUCCEEDED
    assert (await works.workshop.standing(document)).status is DocumentStatus.INDEXED
    await works.sweeper.submit_pending(untouched_for=AT_ONCE)
    assert await works.pipelines.latest_runs(works.tenant, [subject_of(document.id)]) == {
        subject_of(document.id): await works.pipelines.get_run(works.tenant, runs[subject_of(document.id)].id)
    }


async def test_a_run_that_goes_on_is_left_alone_by_the_sweeper(works: Works) -> None:
    submission = await works.ingestion.add(works.anna, works.note(paragraphs("river")))
    await works.sweeper.submit_pending(untouched_for=AT_ONCE)
    document = await works.workshop.standing(submission.document)
    assert submission.run
    assert (document.status, document.run_id) == (DocumentStatus.PENDING, submission.run.id)


async def test_bytes_that_vanished_are_a_failure_and_no_quiet_end(works: Works) -> None:
    submission = await works.ingestion.add(works.anna, works.note(paragraphs("river")))
    document = submission.document
    await works.workshop.objects.delete(works.tenant, original_key(document.id, 1, document.sha256))
    async with works.worker():
        assert (await works.finished(submission.run)).status is RunStatus.FAILED
    assert (await works.workshop.standing(document)).status is DocumentStatus.FAILED


async def test_each_use_case_asks_for_its_permission_and_for_the_right_to_read(works: Works) -> None:
    viewer = caller(works.tenant, "knowledge.view")
    with pytest.raises(Forbidden):
        await works.ingestion.add(viewer, works.note("text"))
    private = NewDocument("uploads", "mine", "mine.txt", b"mine", readers=("user:usr_bob",))
    document = (await works.ingestion.add(works.anna, private)).document
    editor = caller(works.tenant, "knowledge.edit")
    for use in (works.ingestion.delete, works.ingestion.retry):
        with pytest.raises(Forbidden):
            await use(viewer, document.id)
        with pytest.raises(NotFound):
            await use(editor, document.id)
    with pytest.raises(Forbidden):
        await works.ingestion.retry_failed(editor)
    bob = caller(works.tenant, "knowledge.edit", subjects=frozenset({"user:usr_bob"}))
    await works.ingestion.delete(bob, document.id)


async def test_another_tenant_reaches_nothing(works: Works, other_tenant: TenantId) -> None:
    document = (await works.ingestion.add(works.anna, works.note(paragraphs("river")))).document
    stranger = caller(other_tenant)
    for use in (works.ingestion.delete, works.ingestion.retry):
        with pytest.raises(NotFound):
            await use(stranger, document.id)
    assert await works.ingestion.status(stranger) == []
    assert await works.ingestion.retry_failed(stranger) == 0


async def test_blobs_that_no_document_points_to_are_removed_once_they_are_old(works: Works) -> None:
    submission = await works.ingestion.add(works.anna, works.note(paragraphs("river")))
    async with works.worker():
        await works.finished(submission.run)
    kept = await works.workshop.keys()
    hours_ago = UUID(int=new_id().int - (7_200_000 << 80))  # the first bits of an id are its time in milliseconds
    strays = [f"documents/{document}/original-1-0" for document in (hours_ago, new_id())]
    for stray in strays:
        await works.workshop.objects.put(works.tenant, stray, b"killed before the row was written")
    await works.upkeep.sweep_strays()
    assert await works.workshop.keys() == sorted([*kept, strays[1]]), "the row of a young one may be written now"
