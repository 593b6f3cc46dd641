"""What ended is settled beside what has to wait."""

import asyncio

from mainspring.foundation.ids import TenantId
from mainspring.orchestration.pipelines import Pipeline, RunStatus, StepRun
from mainspring.orchestration.pipelines.queue_store import lock_runs
from mainspring.orchestration.pipelines.types import RunId

from .conftest import Engine, wait_until
from .scenes import Number


async def test_a_run_that_somebody_else_has_locked_holds_up_no_other(engine: Engine, tenant: TenantId) -> None:
    pipeline, gates, started = Pipeline("settler.beside", version=1), [asyncio.Event(), asyncio.Event()], set[int]()

    @pipeline.step("only", title="Only")
    async def only(number: Number, run: StepRun) -> Number:
        started.add(number.value)
        await gates[number.value].wait()
        return number

    async def have_started() -> bool:
        return len(started) == 2

    async def is_waited_for() -> bool:
        async with engine.database.system() as transaction:
            return bool(
                await transaction.all("""
                    select from pg_locks join pg_database on pg_database.oid = pg_locks.database
                     where datname = current_database() and locktype = 'tuple' and relation = 'run'::regclass""")
            )

    async def hold(run: RunId, has_locked: asyncio.Event, is_over: asyncio.Event) -> None:
        async with engine.database.tenant(tenant) as transaction:
            await lock_runs(transaction, [run])
            has_locked.set()
            await is_over.wait()

    async with engine.worker(pipeline):
        locked, free = [await engine.pipelines.submit(tenant, pipeline, Number(value)) for value in range(2)]
        await wait_until(have_started)
        has_locked, is_over = asyncio.Event(), asyncio.Event()
        holding = asyncio.create_task(hold(locked.id, has_locked, is_over))
        await has_locked.wait()
        gates[0].set()
        await wait_until(is_waited_for)
        gates[1].set()
        assert (await engine.finished(tenant, free.id)).status is RunStatus.SUCCEEDED
        assert (await engine.pipelines.get_run(tenant, locked.id)).status is RunStatus.RUNNING
        is_over.set()
        await holding
        assert (await engine.finished(tenant, locked.id)).status is RunStatus.SUCCEEDED
