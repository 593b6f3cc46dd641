"""A tenant's index exchanged by a durable run: filled beside the active one, compared, and cleared up after."""

import asyncio

import msgspec
import pytest

from mainspring.foundation.db import Database
from mainspring.foundation.errors import Forbidden
from mainspring.foundation.ids import TenantId
from mainspring.foundation.objects import ObjectStore
from mainspring.foundation.valkey import Valkey
from mainspring.orchestration.knowledge.ingestion import subject_of_index
from mainspring.orchestration.knowledge.types import IndexStatus
from mainspring.orchestration.pipelines import Run, RunStatus
from tests.orchestration.knowledge.workshop import paragraphs

from .works import Works, caller, open_works, wait_until

WORDS = ("river", "stone", "cloud", "glass")
OTHER = "another-model"


@pytest.fixture
async def works(database: Database, valkey: Valkey, objects: ObjectStore, tenant: TenantId) -> Works:
    works = open_works(database, valkey, objects, tenant)
    for word in WORDS:
        await works.workshop.bring_in(word, paragraphs(word, f"{word}s"))
    return works


async def change_the_model(works: Works, **changes: object) -> int:
    """The version of a setup under which everything has to be embedded anew."""
    stored = await works.workshop.setups.current(works.tenant)
    value = msgspec.structs.replace(stored.value, embedding_model=OTHER, **changes)
    return (await works.workshop.setups.save(works.anna, value, base_version=stored.version, note=None)).version


async def start(works: Works, *, switches: bool = False, **changes: object) -> Run:
    await change_the_model(works, **changes)
    return await works.rebuilds.start(works.anna, switches=switches)


async def versions(works: Works) -> list[tuple[int, IndexStatus]]:
    found = await works.workshop.indexes.list_versions(works.tenant)
    return [(each.number, each.status) for each in found]


async def count_built(works: Works) -> int:
    """Documents that the index being built holds."""
    async with works.workshop.database.tenant(works.tenant) as transaction:
        row = await transaction.one(
            """select count(*) as documents from indexed_document as indexed join knowledge_index as index
                   on index.tenant_id = indexed.tenant_id and index.id = indexed.index_id
                where index.status = 'building'"""
        )
    return row["documents"]


async def test_a_rebuild_fills_compares_and_switches_and_can_be_undone(works: Works) -> None:
    run = await start(works, switches=True)
    assert (await works.rebuilds.start(works.anna, switches=True)).id == run.id
    async with works.worker():
        ended = await works.finished(run)
    assert ended.status is RunStatus.SUCCEEDED
    assert await versions(works) == [(2, IndexStatus.ACTIVE), (1, IndexStatus.RETIRED)]
    told = await works.story(ended)
    assert "Brought in 4 documents" in told
    assert "Searches read index 2" in told
    assert await works.workshop.indexes.verify(works.tenant) == ()
    assert (await works.rebuilds.undo(works.anna)).number == 1


async def test_a_person_may_decide_about_the_switch(works: Works) -> None:
    run = await start(works)
    async with works.worker():
        await works.finished(run)
    assert await versions(works) == [(2, IndexStatus.BUILDING), (1, IndexStatus.ACTIVE)]
    assert (await works.rebuilds.switch(works.anna)).embedding_model == OTHER


async def test_only_who_manages_knowledge_exchanges_its_index(works: Works) -> None:
    editor = caller(works.tenant, "knowledge.view", "knowledge.edit")
    for use in (works.rebuilds.start, works.rebuilds.switch, works.rebuilds.undo, works.rebuilds.abandon):
        with pytest.raises(Forbidden):
            await use(editor)


async def test_what_comes_in_while_an_index_is_built_is_in_both(works: Works) -> None:
    run = await start(works)
    submission = await works.ingestion.add(works.anna, works.note(paragraphs("flower"), "new"))
    async with works.worker():
        await works.finished(submission.run)
        assert (await works.finished(run)).status is RunStatus.SUCCEEDED
    assert len(await works.workshop.rows("indexed_document", submission.document.id)) == 2
    assert (await works.rebuilds.switch(works.anna)).number == 2
    assert await works.workshop.indexes.verify(works.tenant) == ()


async def test_a_model_that_fails_for_the_new_index_alone_fails_no_document(works: Works) -> None:
    run = await start(works)
    await works.pipelines.cancel(works.tenant, run.id)
    works.embedder.refused = OTHER
    async with works.worker():
        submission = await works.ingestion.add(works.anna, works.note(paragraphs("flower"), "new"))
        assert (await works.finished(submission.run)).status is RunStatus.SUCCEEDED
    assert len(await works.workshop.rows("indexed_document", submission.document.id)) == 1


async def test_an_abandoned_index_ends_its_run_and_is_cleared_away(works: Works) -> None:
    is_asked, goes_on = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        is_asked.set()
        await goes_on.wait()

    works.embedder.mood = wait
    run = await start(works)
    async with works.worker():
        await is_asked.wait()
        await works.rebuilds.abandon(works.anna)
        goes_on.set()
        assert (await works.finished(run)).status is RunStatus.CANCELLED
    await works.rebuilds.purge_retired()
    assert await versions(works) == [(1, IndexStatus.ACTIVE)]
    assert await works.workshop.indexes.verify(works.tenant) == ()


async def test_an_index_whose_starter_died_gets_its_run_and_one_that_has_it_gets_none(works: Works) -> None:
    index = await works.workshop.indexes.start_rebuild(works.tenant, await change_the_model(works))
    await asyncio.gather(*(works.rebuilds.submit_orphaned() for _ in range(3)))
    async with works.workshop.database.tenant(works.tenant) as transaction:
        assert (await transaction.one("select count(*) as runs from run"))["runs"] == 1
    subject = subject_of_index(index.id)
    run = (await works.pipelines.latest_runs(works.tenant, [subject]))[subject]
    assert await works.rebuilds.submit_orphaned() == 0
    async with works.worker():
        assert (await works.finished(run)).status is RunStatus.SUCCEEDED
    assert await count_built(works) == len(WORDS)


async def test_a_rebuild_keeps_to_the_tenants_pace(works: Works) -> None:
    """After ten documents at twelve chunks a minute it pauses for longer than anybody waits here."""
    for number in range(10):
        await works.workshop.bring_in(f"more{number}", paragraphs(f"more{number}"))
    run = await start(works, reindex_chunks_per_minute=12)

    async def is_pausing() -> bool:
        return await count_built(works) == 10

    async with works.worker():
        await wait_until(is_pausing)
        assert not (await works.pipelines.get_run(works.tenant, run.id)).status.is_final
        await works.pipelines.cancel(works.tenant, run.id)
    assert await count_built(works) == 10
