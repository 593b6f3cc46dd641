"""Running a step for every item of a list, and gathering what came of it."""

import asyncio
from dataclasses import dataclass

import pytest

from mainspring.foundation.ids import TenantId
from mainspring.orchestration.pipelines import (
    Abandon,
    EventType,
    Gathered,
    Items,
    LiveEvents,
    Pipeline,
    PipelineInvalid,
    Retry,
    Run,
    RunEvent,
    RunStatus,
    StepRun,
    StepStatus,
)

from .conftest import Engine
from .scenes import Number


@dataclass(frozen=True, slots=True)
class Numbers:
    values: tuple[Number, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    total: int
    outputs: tuple[int, ...]
    failed: tuple[int, ...]
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Both:
    square: Gathered[Number]
    submitted: Number


def squares(*, tolerance: float = 0.0, bad: frozenset[int] = frozenset(), retries: int = 3) -> Pipeline:
    """Counts up to the number, squares each, and joins what came of it."""
    pipeline = Pipeline("tests.squares", version=1)

    @pipeline.step("count", title="Count")
    async def count(upto: Number, run: StepRun) -> Numbers:
        return Numbers(tuple(Number(value) for value in range(upto.value)))

    @pipeline.step(
        "square", title="Square", after=("count",), each="count.values", tolerance=tolerance, retries=retries
    )
    async def square(number: Number, run: StepRun) -> Number:
        assert run.item == number.value
        assert run.idempotency_key == f"{run.run_id}/square/{number.value:05}"
        if number.value in bad:
            raise Abandon(f"Number {number.value} is bad.", code="bad_number")
        return Number(number.value**2)

    @pipeline.step("join", title="Join", after=("square",))
    async def join(both: Both, run: StepRun) -> Summary:
        gathered = both.square
        return Summary(
            gathered.total,
            tuple(each.value for each in gathered.outputs),
            tuple(each.index for each in gathered.failures),
            tuple(each.failure.code for each in gathered.failures),
        )

    return pipeline


async def run_through(engine: Engine, tenant: TenantId, pipeline: Pipeline, upto: int, *, seconds: float = 10) -> Run:
    async with engine.worker(pipeline, concurrency=16):
        run = await engine.pipelines.submit(tenant, pipeline, Number(upto))
        return await engine.finished(tenant, run.id, seconds=seconds)


async def story(live: LiveEvents, run: Run) -> list[RunEvent]:
    return [event async for event in live.iter_events(run.tenant, run.id, after=None)]


async def test_a_step_runs_for_every_item_and_what_follows_receives_all_in_order(
    engine: Engine, tenant: TenantId, live: LiveEvents
) -> None:
    ended = await run_through(engine, tenant, squares(), 12)
    assert ended.status is RunStatus.SUCCEEDED
    assert [step.name for step in ended.steps] == ["count", "square", "join"]
    assert ended.steps[1].items == Items(total=12, done=12, failed=0)
    summary = await engine.pipelines.get_output(tenant, ended.id, "join", Summary)
    assert summary == Summary(12, tuple(value**2 for value in range(12)), (), ())
    events = await story(live, ended)
    told = [event.type for event in events if event.facts.get("step") == "square" and event.id.live == 0]
    assert told == [EventType.STEP_STARTED, EventType.STEP_GATHERED, EventType.STEP_FINISHED]
    assert next(each for each in events if each.type is EventType.STEP_GATHERED).facts["total"] == 12


async def test_an_empty_list_is_gathered_at_once(engine: Engine, tenant: TenantId) -> None:
    ended = await run_through(engine, tenant, squares(), 0)
    assert ended.status is RunStatus.SUCCEEDED
    assert await engine.pipelines.get_output(tenant, ended.id, "join", Summary) == Summary(0, (), (), ())


async def test_items_may_fail_within_the_tolerance_and_are_named(
    engine: Engine, tenant: TenantId, live: LiveEvents
) -> None:
    ended = await run_through(engine, tenant, squares(tolerance=0.2, bad=frozenset({3, 7})), 10)
    assert ended.status is RunStatus.SUCCEEDED
    summary = await engine.pipelines.get_output(tenant, ended.id, "join", Summary)
    assert summary.failed == (3, 7)
    assert summary.codes == ("bad_number", "bad_number")
    assert len(summary.outputs) == 8
    assert ended.steps[1].items == Items(total=10, done=10, failed=2)
    failed = [event.facts for event in await story(live, ended) if event.type is EventType.STEP_FAILED]
    assert sorted(facts["item"] for facts in failed) == [3, 7]  # type: ignore[type-var]
    async with engine.database.tenant(tenant) as transaction:
        letters = await transaction.all(
            "select map_key, step, error_code, fingerprint, state from dead_letter where run_id = %(run)s", run=ended.id
        )
    assert {(row["map_key"], row["error_code"], row["state"]) for row in letters} == {
        ("00003", "bad_number", "open"),
        ("00007", "bad_number", "open"),
    }
    assert len({row["fingerprint"] for row in letters}) == 1, "letters that differ in numbers only are alike"


async def test_more_failures_than_tolerated_fail_the_run(engine: Engine, tenant: TenantId) -> None:
    ended = await run_through(engine, tenant, squares(tolerance=0.1, bad=frozenset({3, 7})), 10)
    assert ended.status is RunStatus.FAILED
    assert ended.error is not None
    assert ended.error.code == "items_failed"
    assert "2 of 10 items failed, 1 may" in ended.error.detail
    assert [step.status for step in ended.steps] == [StepStatus.SUCCEEDED, StepStatus.FAILED, StepStatus.CANCELLED]


async def test_an_item_is_retried_alone(engine: Engine, tenant: TenantId) -> None:
    pipeline = Pipeline("tests.fan_retry", version=1)
    seen: list[tuple[int, int]] = []

    @pipeline.step("count", title="Count")
    async def count(upto: Number, run: StepRun) -> list[Number]:
        return [Number(value) for value in range(upto.value)]

    @pipeline.step("try_it", title="Try", after=("count",), each="count")
    async def try_it(number: Number, run: StepRun) -> Number:
        seen.append((number.value, run.attempt))
        if number.value == 1 and run.attempt == 1:
            raise Retry("Not yet")
        return number

    ended = await run_through(engine, tenant, pipeline, 3)
    assert ended.status is RunStatus.SUCCEEDED
    assert sorted(seen) == [(0, 1), (1, 1), (1, 2), (2, 1)]


async def test_a_list_in_the_runs_input_can_be_fanned_out_over(engine: Engine, tenant: TenantId) -> None:
    pipeline = Pipeline("tests.fan_submitted", version=1)

    @pipeline.step("double", title="Double", each="submitted.values")
    async def double(number: Number, run: StepRun) -> Number:
        return Number(number.value * 2)

    @pipeline.step("again", title="Again", after=("double",), each="double.outputs")
    async def again(number: Number, run: StepRun) -> Number:
        return Number(number.value * 2)

    @pipeline.step("add", title="Add", after=("again",))
    async def add(numbers: Gathered[Number], run: StepRun) -> Number:
        return Number(sum(number.value for number in numbers.outputs))

    async with engine.worker(pipeline):
        run = await engine.pipelines.submit(tenant, pipeline, Numbers((Number(1), Number(2))))
        ended = await engine.finished(tenant, run.id)
    assert ended.status is RunStatus.SUCCEEDED
    assert await engine.pipelines.get_output(tenant, run.id, "add", Number) == Number(12)


async def test_too_many_items_fail_the_step_and_say_so(engine: Engine, tenant: TenantId) -> None:
    ended = await run_through(engine, tenant, squares(), 10_001)
    assert (ended.status, ended.error and ended.error.code) == (RunStatus.FAILED, "too_many_items")


async def test_cancelling_stops_every_item(engine: Engine, tenant: TenantId) -> None:
    pipeline = Pipeline("tests.fan_cancel", version=1)
    started = asyncio.Event()

    @pipeline.step("hang", title="Hang", each="submitted.values")
    async def hang(number: Number, run: StepRun) -> Number:
        started.set()
        await asyncio.sleep(60)
        return number

    async with engine.worker(pipeline):
        run = await engine.pipelines.submit(tenant, pipeline, Numbers(tuple(Number(each) for each in range(20))))
        await started.wait()
        cancelled = await engine.pipelines.cancel(tenant, run.id)
    assert cancelled.status is RunStatus.CANCELLED
    async with engine.database.tenant(tenant) as transaction:
        rows = await transaction.all("select distinct status from step where run_id = %(run)s", run=run.id)
    assert [row["status"] for row in rows] == ["cancelled"]


async def test_two_thousand_items_are_gathered_and_each_is_counted_once(engine: Engine, tenant: TenantId) -> None:
    """No time is asserted; were an item to look at all others, this would take minutes."""
    ended = await run_through(
        engine, tenant, squares(tolerance=0.5, bad=frozenset(range(0, 2000, 4))), 2_000, seconds=60
    )
    assert ended.status is RunStatus.SUCCEEDED
    assert ended.steps[1].items == Items(total=2_000, done=2_000, failed=500)
    async with engine.database.tenant(tenant) as transaction:
        row = await transaction.one("select event_seq from run where id = %(run)s", run=ended.id)
    assert row["event_seq"] < 520, "only items that fail write to the story"


@pytest.mark.parametrize(
    ("each", "tolerance", "message"),
    [
        ("count.missing", 0.0, "does not have"),
        ("other.values", 0.0, "must start with one of count, submitted"),
        ("count.values", 1.5, "a share from 0 to 1"),
        ("count", 0.0, "one item of 'count'"),
    ],
)
def test_a_fan_out_over_what_is_no_list_of_its_input_is_refused(each: str, tolerance: float, message: str) -> None:
    pipeline = Pipeline("tests.fan_wrong", version=1)

    @pipeline.step("count", title="Count")
    async def count(upto: Number, run: StepRun) -> Numbers:
        return Numbers(())

    with pytest.raises(PipelineInvalid, match=message):

        @pipeline.step("square", title="Square", after=("count",), each=each, tolerance=tolerance)
        async def square(number: Number, run: StepRun) -> Number:
            return number


def test_what_follows_a_fan_out_must_take_all_of_it() -> None:
    pipeline = squares()
    with pytest.raises(PipelineInvalid, match="Gathered"):

        @pipeline.step("wrong", title="Wrong", after=("square",))
        async def wrong(number: Number, run: StepRun) -> Number:
            return number
