"""What is refused at the door while too much waits or a pipeline is drained, and what workers tell of their pace."""

from uuid import UUID

import pytest

from mainspring.foundation.errors import InvalidInput
from mainspring.foundation.ids import TenantId
from mainspring.orchestration.pipelines import Pipeline, Pipelines, RunStatus, StepRun
from mainspring.orchestration.pipelines.backlog import (
    PACE_SECONDS,
    Gate,
    Share,
    count_lanes,
    find_share,
    read_pace,
    set_share,
)
from mainspring.orchestration.pipelines.errors import BacklogFull, PipelineDraining

from .conftest import Engine, wait_until
from .scenes import Number
from .test_claims import queue, release, single


async def drain(engine: Engine, tenant: TenantId | None, pipeline: str, step: str | None = None) -> UUID:
    """Refuse new runs; answers what to release."""
    async with engine.database.system() as transaction:
        row = await transaction.one(
            """insert into hold (id, tenant_id, pipeline, step, kind, reason, held_by)
               values (gen_random_uuid(), %(tenant)s, %(pipeline)s, %(step)s, 'drain', 'a deploy', 'a test')
               returning id""",
            tenant=tenant,
            pipeline=pipeline,
            step=step,
        )
    return row["id"]


async def test_a_tenant_with_a_full_backlog_is_told_when_to_come_back(
    engine: Engine, tenant: TenantId, other_tenant: TenantId
) -> None:
    pipeline, door = single("backlog.full"), Pipelines(engine.database, engine.valkey, backlog_limit=3)
    first = [await door.submit(tenant, pipeline, Number(n), idempotency_key=f"key{n}") for n in range(3)]
    with pytest.raises(BacklogFull, match="3 steps are ready to run; the limit is 3") as refused:
        await door.submit(tenant, pipeline, Number(4))
    assert (refused.value.status, refused.value.code) == (429, "backlog_full")
    assert refused.value.retry_after_seconds
    assert (await door.submit(other_tenant, pipeline, Number(1))).status is RunStatus.QUEUED
    again = await door.submit(tenant, pipeline, Number(0), idempotency_key="key0")
    assert again.id == first[0].id, "what was taken in before is answered all the same"
    with pytest.raises(BacklogFull):
        await door.submit(tenant, pipeline, Number(5), idempotency_key="key5")


async def test_the_door_opens_again_when_the_backlog_is_worked_off(engine: Engine, tenant: TenantId) -> None:
    pipeline, door = single("backlog.off"), Pipelines(engine.database, engine.valkey, backlog_limit=5)
    await queue(engine, tenant, pipeline, 5)
    with pytest.raises(BacklogFull):
        await door.submit(tenant, pipeline, Number(6))

    async def is_taken() -> bool:
        try:
            await door.submit(tenant, pipeline, Number(7))
        except BacklogFull:
            return False
        return True

    async with engine.worker(pipeline):
        await wait_until(is_taken)


async def test_a_drained_pipeline_finishes_what_it_has_and_takes_nothing_new(engine: Engine, tenant: TenantId) -> None:
    pipeline, other = single("backlog.drained"), single("backlog.open")
    door = Pipelines(engine.database, engine.valkey)
    run = await engine.pipelines.submit(tenant, pipeline, Number(1))
    hold = await drain(engine, None, pipeline.name)
    with pytest.raises(PipelineDraining, match=r"backlog\.drained takes no new runs .*a deploy") as refused:
        await door.submit(tenant, pipeline, Number(2))
    assert (refused.value.status, refused.value.code) == (409, "pipeline_draining")
    assert (await door.submit(tenant, other, Number(2))).status is RunStatus.QUEUED
    async with engine.worker(pipeline):
        assert (await engine.finished(tenant, run.id)).status is RunStatus.SUCCEEDED
    await release(engine.database, hold)
    assert (await Pipelines(engine.database, engine.valkey).submit(tenant, pipeline, Number(3))).id != run.id


async def test_a_drained_step_takes_no_new_runs_of_its_pipeline(engine: Engine, tenant: TenantId) -> None:
    pipeline = single("backlog.drainedstep")
    hold = await drain(engine, tenant, pipeline.name, "only")
    with pytest.raises(PipelineDraining, match="a deploy"):
        await engine.pipelines.submit(tenant, pipeline, Number(1))
    await release(engine.database, hold)


async def test_a_tenants_own_drain_refuses_nobody_else(
    engine: Engine, tenant: TenantId, other_tenant: TenantId
) -> None:
    pipeline, door = single("backlog.own"), Pipelines(engine.database, engine.valkey)
    hold = await drain(engine, tenant, pipeline.name)
    with pytest.raises(PipelineDraining):
        await door.submit(tenant, pipeline, Number(1))
    assert (await door.submit(other_tenant, pipeline, Number(1))).status is RunStatus.QUEUED
    await release(engine.database, hold)


async def test_a_gate_within_a_transaction_learns_of_drains_without_a_second_one(
    engine: Engine, tenant: TenantId
) -> None:
    gate = Gate(engine.database)
    hold = await drain(engine, None, "backlog.within")

    async def is_refused() -> bool:
        async with engine.database.tenant(tenant) as transaction:
            return isinstance(await gate.check(transaction, "backlog.within"), PipelineDraining)

    await wait_until(is_refused)
    await release(engine.database, hold)


async def test_workers_tell_how_fast_lanes_go_and_how_many_places_they_have(engine: Engine, tenant: TenantId) -> None:
    pipeline = Pipeline("backlog.pace", version=1)

    @pipeline.step("only", title="Only", retries=0)
    async def only(number: Number, run: StepRun) -> Number:
        if number.value < 0:
            raise ValueError("negative")
        return number

    lane = pipeline.lane("only")
    async with engine.worker(pipeline, concurrency=5):
        for value in (1, 2, -1):
            run = await engine.pipelines.submit(tenant, pipeline, Number(value))
            await engine.finished(tenant, run.id)

        async def is_told() -> bool:
            pace = await read_pace(engine.valkey)
            found = pace.lanes.get(lane)
            return found is not None and (found.succeeded, found.failed) == (2, 1) and pace.total >= 5

        await wait_until(is_told, seconds=PACE_SECONDS)
        told = (await read_pace(engine.valkey)).lanes[lane]
        assert told.mean_seconds is not None
        assert 0 < told.mean_seconds < 5


async def test_a_tenants_lanes_are_counted_for_the_operator(
    engine: Engine, tenant: TenantId, other_tenant: TenantId
) -> None:
    pipeline = single("backlog.counted")
    await queue(engine, tenant, pipeline, 3)
    await queue(engine, other_tenant, pipeline, 1)
    counted = await count_lanes(engine.database, [pipeline.lane("only")])
    assert {each.tenant: (each.ready, each.running) for each in counted} == {tenant: (3, 0), other_tenant: (1, 0)}


async def test_a_share_is_set_and_kept_within_its_bounds(engine: Engine, tenant: TenantId) -> None:
    assert await find_share(engine.database, tenant) == Share(1, None)
    await set_share(engine.database, tenant, Share(7, 20))
    assert await find_share(engine.database, tenant) == Share(7, 20)
    with pytest.raises(InvalidInput, match="weight is 101"):
        await set_share(engine.database, tenant, Share(101))
    with pytest.raises(InvalidInput, match="max_running is 0"):
        await set_share(engine.database, tenant, Share(1, 0))
