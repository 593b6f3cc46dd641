"""Old runs go with all that belongs to them; what is open, young or still needed stays."""

from datetime import UTC, datetime, timedelta

from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId
from mainspring.foundation.pagination import PageRequest
from mainspring.orchestration.pipelines import Run
from mainspring.orchestration.pipelines.operating import LetterFilter, purge_runs
from tests.orchestration.pipelines.conftest import Engine

from .conftest import Desk
from .pipelines import Counter, Order, shop


async def age(database: Database, tenant: TenantId, *runs: Run) -> None:
    """Let the runs be a year older."""
    async with database.tenant(tenant) as transaction:
        await transaction.run(
            """
            update run set created_at = created_at - interval '1 year', finished_at = finished_at - interval '1 year'
             where id = any (%(runs)s)""",
            runs=[run.id for run in runs],
        )


async def left(database: Database, tenant: TenantId) -> set[object]:
    async with database.tenant(tenant) as transaction:
        return {row["id"] for row in await transaction.all("select id from run where tenant_id = %(t)s", t=tenant)}


async def test_old_runs_go_and_open_letters_keep_theirs(engine: Engine, desk: Desk, tenant: TenantId) -> None:
    pipeline = shop(Counter())
    good, bad, young = [await engine.pipelines.submit(tenant, pipeline, Order(amount)) for amount in (1, -2, 3)]
    async with engine.worker(pipeline):
        for run in (good, bad, young):
            await engine.finished(tenant, run.id)
    waiting = await engine.pipelines.submit(tenant, pipeline, Order(4))
    await age(engine.database, tenant, good, bad, waiting)
    before = datetime.now(UTC) - timedelta(days=90)
    assert await purge_runs(engine.database, before) >= 1
    assert await left(engine.database, tenant) == {bad.id, young.id, waiting.id}
    (letter,) = (await desk.operating.letters.list(tenant, PageRequest(), LetterFilter())).items
    assert (await desk.post(tenant, "/dead-letters:discard", {"reason": "Old."})).json()["done"] == 1
    await purge_runs(engine.database, before)
    assert await left(engine.database, tenant) == {young.id, waiting.id}
    async with engine.database.tenant(tenant) as transaction:
        rows = await transaction.all("select id from dead_letter where id = %(letter)s", letter=letter.id)
        steps = await transaction.all("select 1 from step where run_id = %(run)s", run=good.id)
        events = await transaction.all("select 1 from run_event where run_id = %(run)s", run=good.id)
    assert (rows, steps, events) == ([], [], [])
    await engine.pipelines.cancel(tenant, waiting.id)


async def test_a_child_stays_while_its_parent_matters_and_both_go_together(
    engine: Engine, desk: Desk, tenant: TenantId
) -> None:
    pipeline = shop(Counter())
    parent, child = [await engine.pipelines.submit(tenant, pipeline, Order(1)) for _ in range(2)]
    async with engine.worker(pipeline):
        for run in (parent, child):
            await engine.finished(tenant, run.id)
    async with engine.database.tenant(tenant) as transaction:
        await transaction.run(
            "update run set parent_run = %(parent)s, parent_step = 'ship', parent_map_key = '' where id = %(child)s",
            parent=parent.id,
            child=child.id,
        )
    before = datetime.now(UTC) - timedelta(days=90)
    await age(engine.database, tenant, child)
    await purge_runs(engine.database, before)
    assert await left(engine.database, tenant) == {parent.id, child.id}
    await age(engine.database, tenant, parent)
    await purge_runs(engine.database, before)
    assert await left(engine.database, tenant) == set()


async def test_more_runs_than_a_batch_go_in_several(engine: Engine, tenant: TenantId) -> None:
    pipeline = shop(Counter())
    runs = [await engine.pipelines.submit(tenant, pipeline, Order(1)) for _ in range(60)]
    for run in runs:
        await engine.pipelines.cancel(tenant, run.id)
    await age(engine.database, tenant, *runs)
    assert await purge_runs(engine.database, datetime.now(UTC) - timedelta(days=90), batch=25) >= 60
    assert await left(engine.database, tenant) == set()
