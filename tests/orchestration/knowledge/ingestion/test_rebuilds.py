"""A tenant's index exchanged by a durable run: filled beside the active one, compared, and cleared up after."""

import asyncio

import msgspec
import pytest

from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId, show_id
from mainspring.foundation.objects import ObjectStore
from mainspring.foundation.valkey import Valkey
from mainspring.orchestration.knowledge.types import IndexStatus
from mainspring.orchestration.pipelines import Run, RunStatus
from tests.orchestration.knowledge.workshop import paragraphs

from .works import Works, open_works, wait_until

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


async def start(works: Works, **changes: object) -> Run:
    return (await works.rebuilds.start(works.anna, await change_the_model(works, **changes))).run


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


async def test_what_comes_in_while_an_index_is_built_is_in_both(works: Works) -> None:
    run = await start(works)
    submission = await works.ingestion.add(works.anna, works.note(paragraphs("flower"), "new"))
    async with works.worker():
        await works.finished(submission.run)
        assert (await works.finished(run)).status is RunStatus.SUCCEEDED
    assert len(await works.workshop.rows("indexed_document", submission.document.id)) == 2
    assert (await works.workshop.indexes.switch(works.tenant)).number == 2
    assert await works.workshop.indexes.verify(works.tenant) == ()


async def test_a_model_that_fails_for_the_new_index_alone_fails_no_document(works: Works) -> None:
    run = await start(works)
    await works.pipelines.cancel(works.tenant, run.id)
    works.embedder.refused = OTHER
    async with works.worker():
        submission = await works.ingestion.add(works.anna, works.note(paragraphs("flower"), "new"))
        assert (await works.finished(submission.run)).status is RunStatus.SUCCEEDED
    assert len(await works.workshop.rows("indexed_document", submission.document.id)) == 1


async def test_an_abandoned_index_ends_its_run_quietly_and_is_cleared_away(works: Works) -> None:
    is_asked, goes_on = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        is_asked.set()
        await goes_on.wait()

    works.embedder.mood = wait
    run = await start(works)
    async with works.worker():
        await is_asked.wait()
        await works.workshop.indexes.abandon(works.tenant)
        goes_on.set()
        assert (await works.finished(run, seconds=60)).status is RunStatus.SUCCEEDED
    await works.upkeep.purge_retired()
    assert await versions(works) == [(1, IndexStatus.ACTIVE)]
    assert await works.workshop.indexes.verify(works.tenant) == ()


async def test_an_index_whose_starter_died_gets_its_run_and_one_that_has_it_gets_none(works: Works) -> None:
    index = await works.workshop.indexes.start_rebuild(works.tenant, await change_the_model(works))
    await asyncio.gather(*(works.upkeep.submit_orphaned() for _ in range(3)))
    async with works.workshop.database.tenant(works.tenant) as transaction:
        assert (await transaction.one("select count(*) as runs from run"))["runs"] == 1
    subject = show_id("idx", index.id)
    run = (await works.pipelines.latest_runs(works.tenant, [subject]))[subject]
    assert await works.upkeep.submit_orphaned() == 0
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
