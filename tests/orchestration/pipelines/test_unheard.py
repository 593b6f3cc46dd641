"""Nothing is published for nobody, and whoever begins to follow misses nothing."""

import asyncio

from mainspring.foundation.ids import TenantId
from mainspring.orchestration.pipelines import EventType, LiveEvents, Pipeline, StepRun
from mainspring.orchestration.pipelines.stream import stream_keys

from .conftest import Engine, wait_until
from .scenes import Number
from .test_claims import single


async def test_a_quick_run_that_nobody_follows_leaves_nothing_in_valkey(engine: Engine, tenant: TenantId) -> None:
    pipeline = single("unheard.quick")
    async with engine.worker(pipeline):
        run = await engine.pipelines.submit(tenant, pipeline, Number(1))
        await engine.finished(tenant, run.id)
    assert await engine.valkey.exists(*stream_keys(tenant, run.id)) == 0


async def test_who_comes_after_the_end_of_a_quick_run_reads_its_whole_story(
    engine: Engine, live: LiveEvents, tenant: TenantId
) -> None:
    pipeline = single("unheard.late")
    async with engine.worker(pipeline):
        run = await engine.pipelines.submit(tenant, pipeline, Number(1))
        await engine.finished(tenant, run.id)
    told = [event.type async for event in live.iter_events(tenant, run.id)]
    assert told == [EventType.RUN_STARTED, EventType.STEP_STARTED, EventType.STEP_FINISHED, EventType.RUN_FINISHED]


async def test_who_begins_to_follow_a_quiet_run_gets_what_comes_at_once(
    engine: Engine, live: LiveEvents, tenant: TenantId
) -> None:
    pipeline, gates = Pipeline("unheard.joined", version=1), [asyncio.Event() for _ in range(2)]

    @pipeline.step("first", title="First")
    async def first(number: Number, run: StepRun) -> Number:
        await gates[0].wait()
        return number

    @pipeline.step("second", title="Second", after=("first",))
    async def second(number: Number, run: StepRun) -> Number:
        await gates[1].wait()
        return number

    seen: list[tuple[EventType, float]] = []
    loop = asyncio.get_running_loop()

    async def follow() -> None:
        async for event in live.iter_events(tenant, run.id):
            seen.append((event.type, loop.time()))  # noqa: PERF401 - others look while it grows

    async def has_seen(kind: EventType, times: int = 1) -> bool:
        return sum(1 for each, _ in seen if each is kind) == times

    async with engine.worker(pipeline):
        run = await engine.pipelines.submit(tenant, pipeline, Number(1))
        following = asyncio.create_task(follow())
        await wait_until(lambda: has_seen(EventType.STEP_STARTED))
        released_at = loop.time()
        gates[0].set()
        await wait_until(lambda: has_seen(EventType.STEP_STARTED, 2))
        assert seen[-1][1] - released_at < 0.5, "heard, not found by looking each second"
        gates[1].set()
        await asyncio.wait_for(following, 5)
    assert [kind for kind, _ in seen if kind is not EventType.SNAPSHOT] == [
        EventType.RUN_STARTED,
        EventType.STEP_STARTED,
        EventType.STEP_FINISHED,
        EventType.STEP_STARTED,
        EventType.STEP_FINISHED,
        EventType.RUN_FINISHED,
    ]


async def test_a_run_that_goes_on_for_a_while_gets_its_stream_although_nobody_follows(
    engine: Engine, tenant: TenantId
) -> None:
    pipeline, gate = Pipeline("unheard.long", version=1), asyncio.Event()

    @pipeline.step("only", title="Only")
    async def only(number: Number, run: StepRun) -> Number:
        await gate.wait()
        return number

    async with engine.worker(pipeline):
        run = await engine.pipelines.submit(tenant, pipeline, Number(1))

        async def has_stream() -> bool:
            return await engine.valkey.xlen(stream_keys(tenant, run.id)[0]) == 2

        await wait_until(has_stream, seconds=5)
        gate.set()
        await engine.finished(tenant, run.id)
