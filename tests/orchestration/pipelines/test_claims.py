"""Who gets the free places: tenants by their weight, within every cap, and nothing that is paused."""

import time
from collections import Counter
from uuid import UUID

from mainspring.foundation.db import Database, Row
from mainspring.foundation.ids import TenantId, new_id
from mainspring.orchestration.pipelines import Pipeline, RunStatus, StepRun
from mainspring.orchestration.pipelines.claiming import Claiming, Lane, Shares, Turn, claim_steps

from .conftest import Engine
from .scenes import Number

SEVERAL = 40


def single(name: str) -> Pipeline:
    """One step, in a lane of its own for each test."""
    pipeline = Pipeline(name, version=1)

    @pipeline.step("only", title="Only")
    async def only(number: Number, run: StepRun) -> Number:
        return number

    return pipeline


async def queue(engine: Engine, tenant: TenantId, pipeline: Pipeline, runs: int) -> None:
    """Many runs at once."""
    async with engine.database.tenant(tenant) as transaction:
        for number in range(runs):
            await engine.pipelines.submit_in(transaction, pipeline, Number(number))


class Claimer:
    """Claims as a worker does, and keeps what it got."""

    def __init__(self, engine: Engine, pipeline: Pipeline, lane: Lane | None = None) -> None:
        self._database = engine.database
        self._lanes = {pipeline.lane("only"): lane or Lane()}
        self._turn = Turn(UUID(int=0))
        self.got: Counter[UUID] = Counter()

    async def claim(self, free: int, *, each: int = 1_000) -> list[Row]:
        """The rows of one claim."""
        asked = Claiming(self._lanes, free, 60.0, self._turn, Shares(each, dict(self.got)))
        async with self._database.system() as transaction:
            claimed = await claim_steps(transaction, asked)
        self._turn = claimed.turn or self._turn
        self.got.update(row["tenant_id"] for row in claimed.rows)
        return claimed.rows


async def weigh(database: Database, tenant: TenantId, weight: int, max_running: int | None = None) -> None:
    """Give a tenant its share."""
    async with database.system() as transaction:
        await transaction.run(
            "insert into tenant_share (tenant_id, weight, max_running) values (%(tenant)s, %(weight)s, %(most)s)",
            tenant=tenant,
            weight=weight,
            most=max_running,
        )


async def pause(database: Database, tenant: TenantId | None, pipeline: str | None, step: str | None = None) -> UUID:
    """Hold something; answers the id to release it by."""
    hold = new_id()
    async with database.system() as transaction:
        await transaction.run(
            """insert into hold (id, tenant_id, pipeline, step, kind, reason, held_by)
               values (%(hold)s, %(tenant)s, %(pipeline)s, %(step)s, 'pause', 'a test', 'a test')""",
            hold=hold,
            tenant=tenant,
            pipeline=pipeline,
            step=step,
        )
    return hold


async def release(database: Database, hold: UUID) -> None:
    """Let go."""
    async with database.system() as transaction:
        await transaction.run("delete from hold where id = %(hold)s", hold=hold)


async def test_tenants_of_equal_weight_get_equal_shares_of_a_batch(
    engine: Engine, tenant: TenantId, other_tenant: TenantId
) -> None:
    pipeline = single("claims.equal")
    for each in (tenant, other_tenant):
        await queue(engine, each, pipeline, SEVERAL)
    claimer = Claimer(engine, pipeline)
    await claimer.claim(20)
    assert claimer.got == {tenant: 10, other_tenant: 10}


async def test_a_tenant_of_triple_weight_gets_three_of_four_places_in_a_batch(
    engine: Engine, tenant: TenantId, other_tenant: TenantId
) -> None:
    pipeline = single("claims.weighted")
    await weigh(engine.database, tenant, 3)
    for each in (tenant, other_tenant):
        await queue(engine, each, pipeline, SEVERAL)
    claimer = Claimer(engine, pipeline)
    await claimer.claim(20)
    assert claimer.got == {tenant: 15, other_tenant: 5}


async def test_weights_hold_also_when_places_fall_free_one_by_one(
    engine: Engine, tenant: TenantId, other_tenant: TenantId
) -> None:
    pipeline = single("claims.onebyone")
    await weigh(engine.database, tenant, 3)
    for each in (tenant, other_tenant):
        await queue(engine, each, pipeline, SEVERAL)
    claimer = Claimer(engine, pipeline)
    for _ in range(20):
        assert len(await claimer.claim(1)) == 1
    assert claimer.got == {tenant: 15, other_tenant: 5}


async def test_a_lone_tenant_gets_every_place_whatever_its_weight(engine: Engine, tenant: TenantId) -> None:
    pipeline = single("claims.lone")
    await queue(engine, tenant, pipeline, SEVERAL)
    claimer = Claimer(engine, pipeline)
    assert len(await claimer.claim(30)) == 30


async def test_a_lane_lets_each_tenant_run_only_so_many_at_once(
    engine: Engine, tenant: TenantId, other_tenant: TenantId
) -> None:
    pipeline = single("claims.percap")
    for each in (tenant, other_tenant):
        await queue(engine, each, pipeline, SEVERAL)
    first, second = (Claimer(engine, pipeline, Lane(cap_per_tenant=3)) for _ in range(2))
    await first.claim(20)
    assert first.got == {tenant: 3, other_tenant: 3}
    assert await second.claim(20) == [], "the cap is over all workers"


async def test_a_tenant_runs_no_more_at_once_than_its_share_allows(
    engine: Engine, tenant: TenantId, other_tenant: TenantId
) -> None:
    pipeline = single("claims.mostrunning")
    await weigh(engine.database, tenant, 1, max_running=4)
    for each in (tenant, other_tenant):
        await queue(engine, each, pipeline, SEVERAL)
    claimer = Claimer(engine, pipeline)
    await claimer.claim(20)
    await claimer.claim(20)
    assert claimer.got[tenant] == 4
    assert claimer.got[other_tenant] >= 20


async def test_a_paused_pipeline_gives_nothing_until_it_is_released(engine: Engine, tenant: TenantId) -> None:
    pipeline, other = single("claims.paused"), single("claims.unpaused")
    for each in (pipeline, other):
        await queue(engine, tenant, each, 2)
    hold = await pause(engine.database, None, pipeline.name)
    try:
        assert await Claimer(engine, pipeline).claim(5) == []
        assert len(await Claimer(engine, other).claim(5)) == 2
    finally:
        await release(engine.database, hold)
    assert len(await Claimer(engine, pipeline).claim(5)) == 2


async def test_a_tenants_own_pause_holds_back_nobody_else(
    engine: Engine, tenant: TenantId, other_tenant: TenantId
) -> None:
    pipeline = single("claims.owner")
    for each in (tenant, other_tenant):
        await queue(engine, each, pipeline, 5)
    for step in ("only", None):
        hold = await pause(engine.database, tenant, pipeline.name, step)
        claimer = Claimer(engine, pipeline)
        assert {row["tenant_id"] for row in await claimer.claim(1)} == {other_tenant}
        await release(engine.database, hold)


async def test_a_tenant_that_is_paused_altogether_is_passed_by(
    engine: Engine, tenant: TenantId, other_tenant: TenantId
) -> None:
    pipeline = single("claims.tenantpaused")
    for each in (tenant, other_tenant):
        await queue(engine, each, pipeline, 5)
    hold = await pause(engine.database, tenant, None)
    claimer = Claimer(engine, pipeline)
    assert {row["tenant_id"] for row in await claimer.claim(8)} == {other_tenant}
    await release(engine.database, hold)
    assert {row["tenant_id"] for row in await claimer.claim(8)} == {tenant}


async def test_a_worker_honours_a_pause_and_goes_on_when_it_is_released(engine: Engine, tenant: TenantId) -> None:
    pipeline = single("claims.goeson")
    hold = await pause(engine.database, tenant, pipeline.name)
    run = await engine.pipelines.submit(tenant, pipeline, Number(1))
    later = single("claims.later")
    async with engine.worker(pipeline, later):
        witness = await engine.pipelines.submit(tenant, later, Number(1))
        await engine.finished(tenant, witness.id)
        assert (await engine.pipelines.get_run(tenant, run.id)).status is RunStatus.QUEUED
        await release(engine.database, hold)
        assert (await engine.finished(tenant, run.id)).status is RunStatus.SUCCEEDED


async def test_a_tenant_behind_thousands_of_queued_steps_starts_at_once(
    engine: Engine, tenant: TenantId, other_tenant: TenantId
) -> None:
    pipeline = single("claims.skew")
    for _ in range(5):
        await queue(engine, tenant, pipeline, 1_000)
    async with engine.worker(pipeline, concurrency=8):
        began = time.monotonic()
        run = await engine.pipelines.submit(other_tenant, pipeline, Number(1))
        ended = await engine.finished(other_tenant, run.id, seconds=5)
        waited = time.monotonic() - began
        async with engine.database.tenant(tenant) as transaction:
            left = await transaction.one("select count(*) as steps from step where status = 'ready'")
    assert ended.status is RunStatus.SUCCEEDED
    assert left["steps"] > 1_000, "the test means something only while the backlog stands"
    assert waited < 0.5
