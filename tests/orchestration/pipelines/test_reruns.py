"""Retrying a run from where it failed, and replaying it: always as a new run."""

import asyncio
from dataclasses import dataclass, field

import pytest

from mainspring.foundation.errors import InvalidInput, NotFound
from mainspring.foundation.ids import TenantId
from mainspring.foundation.principal import Principal, PrincipalKind
from mainspring.orchestration.pipelines import (
    Abandon,
    Gathered,
    IdempotencyKeyReused,
    Items,
    PayloadRefused,
    Pipeline,
    Run,
    RunStatus,
    RunUnfinished,
    StepRun,
)

from .conftest import Engine
from .scenes import Number
from .test_fan_out import Numbers


@dataclass(slots=True)
class World:
    """What steps did, by idempotency key, and what is broken."""

    calls: list[str] = field(default_factory=list[str])
    broken: set[str] = field(default_factory=lambda: {"last"})


def fragile(world: World, *, version: int = 1) -> Pipeline:
    """first -> many (fan-out) -> last; what is broken fails."""
    pipeline = Pipeline("tests.fragile", version=version)

    def work(run: StepRun) -> None:
        world.calls.append(run.idempotency_key)
        name = run.step if run.item is None else f"{run.step}{run.item}"
        if name in world.broken:
            raise Abandon(f"{name} is broken.", code="broken")

    @pipeline.step("first", title="First")
    async def first(number: Number, run: StepRun) -> Numbers:
        work(run)
        return Numbers(tuple(Number(each) for each in range(number.value)))

    @pipeline.step("many", title="Many", after=("first",), each="first.values", tolerance=0.3)
    async def many(number: Number, run: StepRun) -> Number:
        work(run)
        return Number(number.value * 2)

    @pipeline.step("last", title="Last", after=("many",))
    async def last(numbers: Gathered[Number], run: StepRun) -> Number:
        work(run)
        return Number(sum(each.value for each in numbers.outputs))

    return pipeline


async def first_run(engine: Engine, tenant: TenantId, world: World, *, upto: int = 4) -> Run:
    pipeline = fragile(world)
    async with engine.worker(pipeline):
        run = await engine.pipelines.submit(
            tenant, pipeline, Number(upto), subject="doc_1", by=principal(tenant, "ann")
        )
        return await engine.finished(tenant, run.id)


def principal(tenant: TenantId, name: str) -> Principal:
    return Principal(tenant, PrincipalKind.USER, name, frozenset(), hands=frozenset({f"user:usr_{name}"}))


async def retried(engine: Engine, tenant: TenantId, run: Run, world: World, *, version: int = 1) -> Run:
    pipeline = fragile(world, version=version)
    async with engine.worker(pipeline):
        again = await engine.pipelines.rerun(
            tenant, run.id, from_failed=True, pipeline=pipeline, by=principal(tenant, "bob")
        )
        return await engine.finished(tenant, again.id)


async def test_a_retry_goes_on_where_the_run_failed_and_repeats_nothing(engine: Engine, tenant: TenantId) -> None:
    world = World()
    failed = await first_run(engine, tenant, world)
    assert failed.status is RunStatus.FAILED
    world.broken, before = set(), len(world.calls)
    ended = await retried(engine, tenant, failed, world)
    assert ended.status is RunStatus.SUCCEEDED
    assert world.calls[before:] == [f"{failed.id}/last"], "only the failed step, under its first key"
    assert (ended.retry_of, ended.origin, ended.subject) == (failed.id, failed.id, "doc_1")
    assert await engine.pipelines.get_output(tenant, ended.id, "last", Number) == Number(12)
    assert (await engine.pipelines.get_run(tenant, failed.id)).status is RunStatus.FAILED, "it ended once, for ever"
    async with engine.database.tenant(tenant) as transaction:
        row = await transaction.one("select initiator, initiated_by from run where id = %(run)s", run=ended.id)
    assert row == {"initiator": ["user:usr_ann", "user:usr_bob"], "initiated_by": "bob"}


async def test_items_that_succeeded_are_kept_and_those_that_failed_run_again(engine: Engine, tenant: TenantId) -> None:
    world = World(broken={"many1", "many2"})
    failed = await first_run(engine, tenant, world)
    assert (failed.status, failed.error and failed.error.code) == (RunStatus.FAILED, "items_failed")
    async with engine.database.tenant(tenant) as transaction:
        rows = await transaction.all(
            "select map_key from step where run_id = %(run)s and name = 'many' and status = 'succeeded'", run=failed.id
        )
    world.broken, before = set(), len(world.calls)
    ended = await retried(engine, tenant, failed, world)
    assert ended.status is RunStatus.SUCCEEDED
    expected = {f"{failed.id}/many/{index:05}" for index in range(4)} - {
        f"{failed.id}/many/{row['map_key']}" for row in rows if row["map_key"]
    }
    assert set(world.calls[before:]) == {*expected, f"{failed.id}/last"}
    assert ended.steps[1].items == Items(total=4, done=4, failed=0)


async def test_items_that_failed_within_the_tolerance_stay_as_they_are(engine: Engine, tenant: TenantId) -> None:
    world = World(broken={"many1", "last"})
    failed = await first_run(engine, tenant, world)
    world.broken, before = set(), len(world.calls)
    ended = await retried(engine, tenant, failed, world)
    assert world.calls[before:] == [f"{failed.id}/last"]
    assert await engine.pipelines.get_output(tenant, ended.id, "last", Number) == Number(10)


async def test_the_same_retry_twice_at_once_is_one_run(engine: Engine, tenant: TenantId) -> None:
    world = World()
    failed = await first_run(engine, tenant, world)
    again = await asyncio.gather(
        *(engine.pipelines.rerun(tenant, failed.id, from_failed=True, pipeline=fragile(world)) for _ in range(4))
    )
    assert len({run.id for run in again}) == 1
    await engine.pipelines.cancel(tenant, again[0].id)


async def test_a_retry_that_fails_is_retried_in_its_turn(engine: Engine, tenant: TenantId) -> None:
    world = World()
    failed = await first_run(engine, tenant, world)
    second = await retried(engine, tenant, failed, world)
    assert second.status is RunStatus.FAILED
    world.broken = set()
    third = await retried(engine, tenant, second, world)
    assert (third.status, third.retry_of, third.origin) == (RunStatus.SUCCEEDED, second.id, failed.id)
    places = ("first", "last", *(f"many/{index:05}" for index in range(4)))
    assert set(world.calls) == {f"{failed.id}/{place}" for place in places}


async def test_a_retry_may_be_of_a_mended_version(engine: Engine, tenant: TenantId) -> None:
    world = World()
    failed = await first_run(engine, tenant, world)
    world.broken = set()
    ended = await retried(engine, tenant, failed, world, version=2)
    assert (ended.status, ended.version) == (RunStatus.SUCCEEDED, 2)


async def test_a_replay_does_all_of_it_again_with_another_input(engine: Engine, tenant: TenantId) -> None:
    world = World(broken=set())
    done = await first_run(engine, tenant, world)
    pipeline = fragile(world)
    async with engine.worker(pipeline):
        replayed = [
            await engine.pipelines.rerun(
                tenant, done.id, from_failed=False, pipeline=pipeline, submitted=Number(2), idempotency_key="once"
            )
            for _ in range(2)
        ]
        ended = await engine.finished(tenant, replayed[0].id)
    assert replayed[0].id == replayed[1].id
    assert (ended.replay_of, ended.retry_of, ended.origin) == (done.id, None, ended.id)
    assert await engine.pipelines.get_output(tenant, ended.id, "last", Number) == Number(2)
    assert f"{ended.id}/first" in world.calls


async def test_what_cannot_be_repeated_is_refused(engine: Engine, tenant: TenantId, other_tenant: TenantId) -> None:
    world = World(broken=set())
    done = await first_run(engine, tenant, world)
    pipeline, rerun = fragile(world), engine.pipelines.rerun
    with pytest.raises(RunUnfinished, match="Replay it"):
        await rerun(tenant, done.id, from_failed=True, pipeline=pipeline)
    with pytest.raises(NotFound):
        await rerun(other_tenant, done.id, from_failed=False, pipeline=pipeline)
    with pytest.raises(InvalidInput, match="replay the run"):
        await rerun(tenant, done.id, from_failed=True, pipeline=pipeline, submitted=Number(1))
    with pytest.raises(PayloadRefused, match="does not fit"):
        await rerun(tenant, done.id, from_failed=False, pipeline=pipeline, submitted="seven")
    await rerun(tenant, done.id, from_failed=False, pipeline=pipeline, submitted=Number(1), idempotency_key="taken")
    with pytest.raises(IdempotencyKeyReused):
        await rerun(tenant, done.id, from_failed=False, pipeline=pipeline, submitted=Number(2), idempotency_key="taken")


async def test_a_step_that_another_version_runs_for_each_item_is_not_taken_over_as_one(
    engine: Engine, tenant: TenantId
) -> None:
    def declare(version: int) -> Pipeline:
        pipeline = Pipeline("tests.spreadlater", version=version)

        @pipeline.step("first", title="First")
        async def first(number: Number, run: StepRun) -> Numbers:
            return Numbers((Number(1), Number(2)))

        if version == 1:

            @pipeline.step("many", title="Many", after=("first",))
            async def whole(numbers: Numbers, run: StepRun) -> Number:
                return Number(0)

            @pipeline.step("last", title="Last", after=("many",))
            async def broken(number: Number, run: StepRun) -> Number:
                raise Abandon("It is broken.")

        else:

            @pipeline.step("many", title="Many", after=("first",), each="first.values")
            async def many(number: Number, run: StepRun) -> Number:
                return Number(number.value * 10)

            @pipeline.step("last", title="Last", after=("many",))
            async def last(numbers: Gathered[Number], run: StepRun) -> Number:
                return Number(sum(each.value for each in numbers.outputs))

        return pipeline

    before, after = declare(1), declare(2)
    async with engine.worker(before):
        run = await engine.finished(tenant, (await engine.pipelines.submit(tenant, before, Number(1))).id)
    async with engine.worker(after):
        again = await engine.pipelines.rerun(tenant, run.id, from_failed=True, pipeline=after)
        ended = await engine.finished(tenant, again.id)
    assert ended.status is RunStatus.SUCCEEDED
    assert await engine.pipelines.get_output(tenant, again.id, "last", Number) == Number(30)


async def test_one_cost_ceiling_holds_for_a_run_and_all_that_retry_it(engine: Engine, tenant: TenantId) -> None:
    pipeline = Pipeline("tests.costly", version=1, cost_ceiling_micros=100)
    begun: list[int | None] = []

    @pipeline.step("first", title="First")
    async def first(number: Number, run: StepRun) -> Number:
        await run.spend(60)
        return number

    @pipeline.step("last", title="Last", after=("first",))
    async def last(number: Number, run: StepRun) -> Number:
        begun.append(run.cost_left)
        await run.spend(30)
        raise Abandon("It is broken.", code="broken")

    async with engine.worker(pipeline):
        failed = await engine.pipelines.submit(tenant, pipeline, Number(1))
        for cost, code in ((90, "broken"), (120, "cost_ceiling_reached"), (120, "cost_ceiling_reached")):
            ended = await engine.finished(tenant, failed.id)
            assert (ended.cost_micros, ended.error and ended.error.code) == (cost, code)
            failed = await engine.pipelines.rerun(tenant, failed.id, from_failed=True, pipeline=pipeline)
        await engine.finished(tenant, failed.id)
        replayed = await engine.pipelines.rerun(tenant, failed.id, from_failed=False, pipeline=pipeline)
        assert (await engine.finished(tenant, replayed.id)).cost_micros == 90
    assert begun == [40, 10, 40]
