"""Steps that wait: for time, for signals and for other runs; nothing is held meanwhile."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from mainspring.foundation.clock import now
from mainspring.foundation.db import Database
from mainspring.foundation.engines import EngineUrls
from mainspring.foundation.errors import InvalidInput, NotFound
from mainspring.foundation.ids import TenantId
from mainspring.orchestration.pipelines import (
    Abandon,
    Elapsed,
    EventType,
    Failure,
    Gathered,
    LiveEvents,
    PayloadRefused,
    Pipeline,
    PipelineInvalid,
    Pipelines,
    RunEnded,
    RunId,
    RunStatus,
    StepRun,
    StepStatus,
    Undo,
    Urgency,
    Wait,
    for_run,
    for_signal,
    for_time,
)
from mainspring.orchestration.pipelines.sweep import MAX_SWEPT, sweep

from .conftest import Engine, wait_until
from .scenes import Number
from .test_fan_out import Numbers


@dataclass(slots=True)
class Clock:
    """How far ahead the people's clock is."""

    shift: timedelta = field(default_factory=timedelta)


@asynccontextmanager
async def shifted(engines: EngineUrls, engine: Engine) -> AsyncGenerator[tuple[Engine, Clock]]:
    """The engine with a clock that the test moves."""
    clock = Clock()
    database = await Database.open(engines.database_url, clock_shift=lambda: clock.shift)
    try:
        yield Engine(database, engine.valkey, Pipelines(database, engine.valkey)), clock
    finally:
        await database.close()


def waiting(name: str, wait: Callable[[], Wait[Number]]) -> Pipeline:
    """One step that waits, and one after it."""
    pipeline = Pipeline(f"tests.{name}", version=1)

    @pipeline.step("ask", title="Ask", retries=0)
    async def ask(number: Number, run: StepRun) -> Wait[Number]:
        return wait()

    @pipeline.step("after", title="After", after=("ask",))
    async def after(number: Number, run: StepRun) -> Number:
        return Number(number.value + 1)

    return pipeline


async def suspended(engine: Engine, tenant: TenantId, run: RunId, count: int = 1) -> None:
    async def is_suspended() -> bool:
        async with engine.database.tenant(tenant) as transaction:
            rows = await transaction.all("select 1 from step where run_id = %(run)s and status = 'suspended'", run=run)
        return len(rows) == count

    await wait_until(is_suspended)


async def test_a_signal_becomes_the_output_of_the_step_that_waits_for_it(
    engine: Engine, tenant: TenantId, live: LiveEvents
) -> None:
    pipeline = waiting("signed", lambda: for_signal("signed"))
    async with engine.worker(pipeline) as worker:
        run = await engine.pipelines.submit(tenant, pipeline, Number(1))
        await suspended(engine, tenant, run.id)

        async def is_idle() -> bool:
            return worker.held == 0

        await wait_until(is_idle)
        shown = await engine.pipelines.get_run(tenant, run.id)
        assert (shown.steps[0].status, shown.steps[0].awaited) == (StepStatus.SUSPENDED, "signal:signed")
        await engine.pipelines.signal(tenant, run.id, "signed", {"value": 41}, key="one")
        await engine.pipelines.signal(tenant, run.id, "signed", {"value": 41}, key="one")
        ended = await engine.finished(tenant, run.id)
        await engine.pipelines.signal(tenant, run.id, "signed", {"value": 41}, key="one")
    assert ended.status is RunStatus.SUCCEEDED
    assert await engine.pipelines.get_output(tenant, run.id, "after", Number) == Number(42)
    told = [event.type async for event in live.iter_events(tenant, run.id, after=None)]
    assert told[2:5] == [EventType.STEP_SUSPENDED, EventType.STEP_RESUMED, EventType.STEP_FINISHED]
    with pytest.raises(RunEnded, match="succeeded"):
        await engine.pipelines.signal(tenant, run.id, "signed", {"value": 41}, key="two")


async def test_a_signal_that_came_early_is_kept_and_the_first_counts(engine: Engine, tenant: TenantId) -> None:
    pipeline = waiting("early", lambda: for_signal("signed"))
    run = await engine.pipelines.submit(tenant, pipeline, Number(1))
    await engine.pipelines.signal(tenant, run.id, "signed", {"value": 1}, key="first")
    await engine.pipelines.signal(tenant, run.id, "signed", {"value": 2}, key="second")
    async with engine.worker(pipeline):
        await engine.finished(tenant, run.id)
    assert await engine.pipelines.get_output(tenant, run.id, "ask", Number) == Number(1)


async def test_the_first_signal_is_the_one_that_was_kept_first_not_the_one_whose_transaction_is_older(
    engine: Engine, tenant: TenantId
) -> None:
    pipeline = waiting("signal_order", lambda: for_signal("signed"))
    run = await engine.pipelines.submit(tenant, pipeline, Number(1))
    async with engine.database.tenant(tenant) as transaction:
        await transaction.one("select now()")
        early = engine.pipelines.signal(tenant, run.id, "signed", {"value": 1}, key="early")
        await asyncio.create_task(early, context=Context())
        await engine.pipelines.signal_in(transaction, run.id, "signed", {"value": 2}, key="late")
    async with engine.worker(pipeline):
        await engine.finished(tenant, run.id)
    assert await engine.pipelines.get_output(tenant, run.id, "ask", Number) == Number(1)


async def test_a_signal_that_is_not_what_the_step_waits_for_is_refused_and_the_step_waits_on(
    engine: Engine, tenant: TenantId
) -> None:
    pipeline = waiting("unfit", lambda: for_signal("signed"))
    engine.pipelines.know([pipeline])
    async with engine.worker(pipeline):
        run = await engine.pipelines.submit(tenant, pipeline, Number(1))
        await suspended(engine, tenant, run.id)
        with pytest.raises(PayloadRefused, match=r"'ask' of tests.unfit@1 waits for: Expected `int`.*\$\.value"):
            await engine.pipelines.signal(tenant, run.id, "signed", {"value": "many"}, key="one")
        await engine.pipelines.signal(tenant, run.id, "signed", {"value": 3}, key="one")
        assert (await engine.finished(tenant, run.id)).status is RunStatus.SUCCEEDED
    assert await engine.pipelines.get_output(tenant, run.id, "after", Number) == Number(4)


async def test_a_signal_that_came_early_and_does_not_fit_is_passed_over(engine: Engine, tenant: TenantId) -> None:
    pipeline = waiting("unfit_early", lambda: for_signal("signed"))
    run, other = [await engine.pipelines.submit(tenant, pipeline, Number(1)) for _ in range(2)]
    await engine.pipelines.signal(tenant, run.id, "signed", {"value": "many"}, key="first")
    await engine.pipelines.signal(tenant, run.id, "signed", None, key="second")
    await engine.pipelines.signal(tenant, run.id, "signed", {"value": 7}, key="third")
    await engine.pipelines.signal(tenant, other.id, "signed", {"value": "many"}, key="first")
    async with engine.worker(pipeline):
        await engine.finished(tenant, run.id)
        await suspended(engine, tenant, other.id)
        await engine.pipelines.signal(tenant, other.id, "signed", {"value": 8}, key="second")
        await engine.finished(tenant, other.id)
    assert await engine.pipelines.get_output(tenant, run.id, "ask", Number) == Number(7)
    assert await engine.pipelines.get_output(tenant, other.id, "ask", Number) == Number(8)


async def test_signals_are_refused_for_foreign_runs_and_bad_names(
    engine: Engine, tenant: TenantId, other_tenant: TenantId
) -> None:
    run = await engine.pipelines.submit(tenant, waiting("foreign", lambda: for_signal("signed")), Number(1))
    with pytest.raises(NotFound):
        await engine.pipelines.signal(other_tenant, run.id, "signed", 1, key="one")
    with pytest.raises(InvalidInput, match="must start with a letter"):
        await engine.pipelines.signal(tenant, run.id, "Not A Name", 1, key="one")


async def test_a_signal_within_a_transaction_that_rolls_back_never_came(engine: Engine, tenant: TenantId) -> None:
    pipeline = waiting("rolled_back", lambda: for_signal("signed"))
    async with engine.worker(pipeline):
        run = await engine.pipelines.submit(tenant, pipeline, Number(1))
        await suspended(engine, tenant, run.id)

        async def signal_and_fail() -> None:
            async with engine.database.tenant(tenant) as transaction:
                await engine.pipelines.signal_in(transaction, run.id, "signed", {"value": 1}, key="one")
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await signal_and_fail()
        assert (await engine.pipelines.get_run(tenant, run.id)).steps[0].status is StepStatus.SUSPENDED
        await engine.pipelines.signal(tenant, run.id, "signed", {"value": 5}, key="one")
        await engine.finished(tenant, run.id)
    assert await engine.pipelines.get_output(tenant, run.id, "ask", Number) == Number(5)


async def test_weeks_of_waiting_pass_when_the_clock_is_moved(
    engine: Engine, engines: EngineUrls, tenant: TenantId
) -> None:
    pipeline = Pipeline("tests.weeks", version=1)

    @pipeline.step("rest", title="Rest")
    async def rest(number: Number, run: StepRun) -> Wait[Elapsed]:
        return for_time(timedelta(days=14))

    async with shifted(engines, engine) as (moved, clock), moved.worker(pipeline):
        run = await moved.pipelines.submit(tenant, pipeline, Number(1))
        await suspended(engine, tenant, run.id)
        clock.shift = timedelta(days=13)
        await asyncio.sleep(1.5)  # more than one sweep: it must not wake a day early
        assert (await moved.pipelines.get_run(tenant, run.id)).status is RunStatus.RUNNING
        clock.shift = timedelta(days=14, seconds=1)
        ended = await moved.finished(tenant, run.id)
        assert ended.status is RunStatus.SUCCEEDED
        elapsed = await moved.pipelines.get_output(tenant, run.id, "rest", Elapsed)
    assert timedelta(days=13, hours=23) < elapsed.until - datetime.now(UTC) < timedelta(days=14)


async def test_a_short_wait_is_short(engine: Engine, tenant: TenantId) -> None:
    pipeline = Pipeline("tests.nap", version=1)

    @pipeline.step("nap", title="Nap")
    async def nap(number: Number, run: StepRun) -> Wait[Elapsed]:
        return for_time(datetime.now(UTC) - timedelta(days=1) if number.value else timedelta(milliseconds=50))

    async with engine.worker(pipeline):
        for value in (0, 1):
            run = await engine.pipelines.submit(tenant, pipeline, Number(value))
            assert (await engine.finished(tenant, run.id)).status is RunStatus.SUCCEEDED


async def test_a_wait_that_expires_fails_the_step_or_gives_its_default(
    engine: Engine, engines: EngineUrls, tenant: TenantId
) -> None:
    month = timedelta(days=30)
    strict = waiting("strict", lambda: for_signal("signed", expires=month))
    lenient = waiting("lenient", lambda: for_signal("signed", expires=month, default=Number(7)))
    async with shifted(engines, engine) as (moved, clock), moved.worker(strict, lenient):
        runs = [await moved.pipelines.submit(tenant, each, Number(1)) for each in (strict, lenient)]
        for run in runs:
            await suspended(engine, tenant, run.id)
        clock.shift = month + timedelta(seconds=5)
        failed, succeeded = [await moved.finished(tenant, run.id) for run in runs]
        assert failed.error is not None
        assert (failed.status, failed.error.code) == (RunStatus.FAILED, "wait_expired")
        assert succeeded.status is RunStatus.SUCCEEDED
        assert await moved.pipelines.get_output(tenant, runs[1].id, "ask", Number) == Number(7)


async def test_a_step_may_answer_at_once_or_wait(engine: Engine, tenant: TenantId) -> None:
    pipeline = Pipeline("tests.maybe", version=1)

    @pipeline.step("ask", title="Ask")
    async def ask(number: Number, run: StepRun) -> Number | Wait[Number]:
        return number if number.value else for_signal("signed")

    async with engine.worker(pipeline):
        run = await engine.pipelines.submit(tenant, pipeline, Number(3))
        await engine.finished(tenant, run.id)
    assert await engine.pipelines.get_output(tenant, run.id, "ask", Number) == Number(3)


async def test_more_waits_than_one_sweep_takes_end_without_a_pause(engine: Engine, tenant: TenantId) -> None:
    pipeline = Pipeline("tests.manywaits", version=1)

    @pipeline.step("list", title="List")
    async def listed(number: Number, run: StepRun) -> Numbers:
        return Numbers(tuple(Number(each) for each in range(number.value)))

    @pipeline.step("rest", title="Rest", after=("list",), each="list.values")
    async def rest(number: Number, run: StepRun) -> Wait[Elapsed]:
        return for_time(now() + timedelta(days=1))

    async with engine.worker(pipeline, concurrency=100):
        run = await engine.pipelines.submit(tenant, pipeline, Number(MAX_SWEPT + 1))
        await suspended(engine, tenant, run.id, MAX_SWEPT + 1)
    async with engine.database.tenant(tenant) as transaction:
        await transaction.run(
            "update step set wake_at = now() where run_id = %(run)s and status = 'suspended'", run=run.id
        )
    assert (await sweep(engine.database)).has_more, "a worker sweeps again at once"
    await sweep(engine.database)
    assert (await engine.pipelines.get_run(tenant, run.id)).status is RunStatus.SUCCEEDED


async def test_cancelling_ends_a_wait(engine: Engine, tenant: TenantId) -> None:
    pipeline = waiting("cancelled", lambda: for_signal("signed"))
    async with engine.worker(pipeline):
        run = await engine.pipelines.submit(tenant, pipeline, Number(1))
        await suspended(engine, tenant, run.id)
        cancelled = await engine.pipelines.cancel(tenant, run.id)
    assert cancelled.status is RunStatus.CANCELLED
    assert {step.status for step in cancelled.steps} == {StepStatus.CANCELLED}


async def test_each_item_may_wait_for_a_signal_of_its_own(engine: Engine, tenant: TenantId) -> None:
    pipeline = Pipeline("tests.fan_wait", version=1)

    @pipeline.step("approve", title="Approve", each="submitted.values")
    async def approve(number: Number, run: StepRun) -> Wait[Number]:
        return for_signal(f"approval:{number.value}")

    @pipeline.step("add", title="Add", after=("approve",))
    async def add(numbers: Gathered[Number], run: StepRun) -> Number:
        return Number(sum(number.value for number in numbers.outputs))

    async with engine.worker(pipeline):
        run = await engine.pipelines.submit(tenant, pipeline, Numbers((Number(1), Number(2))))
        await suspended(engine, tenant, run.id, 2)
        for value in (1, 2):
            await engine.pipelines.signal(tenant, run.id, f"approval:{value}", {"value": value * 10}, key="x")
        await engine.finished(tenant, run.id)
    assert await engine.pipelines.get_output(tenant, run.id, "add", Number) == Number(30)


# Runs that start others


def child(name: str, *, fails: bool = False, waits: bool = False) -> Pipeline:
    """Doubles, fails or waits."""
    pipeline = Pipeline(f"tests.child_{name}", version=1, cost_ceiling_micros=50)

    @pipeline.step("double", title="Double")
    async def double(number: Number, run: StepRun) -> Number | Wait[Number]:
        await run.spend(10)
        if fails:
            raise Abandon("The child is unhappy.", code="unhappy")
        return for_signal("never") if waits else Number(number.value * 2)

    return pipeline


async def test_a_run_waits_for_another_and_goes_on_with_its_output(engine: Engine, tenant: TenantId) -> None:
    inner = child("good")
    outer = waiting("parent", lambda: for_run(inner, Number(21)))
    async with engine.worker(outer, inner):
        run = await engine.pipelines.submit(
            tenant, outer, Number(1), subject="ctr_x", urgency=Urgency(cost_ceiling_micros=100)
        )
        ended = await engine.finished(tenant, run.id)
    assert ended.status is RunStatus.SUCCEEDED
    assert await engine.pipelines.get_output(tenant, run.id, "after", Number) == Number(43)
    assert ended.cost_micros == 10, "what a child spends, its parent spends"
    latest = (await engine.pipelines.latest_runs(tenant, ["ctr_x"]))["ctr_x"]
    assert (latest.pipeline, latest.parent, latest.cost_ceiling_micros) == ("tests.child_good", run.id, 50)


async def test_a_child_that_fails_fails_the_step_with_its_error(engine: Engine, tenant: TenantId) -> None:
    inner = child("bad", fails=True)
    strict = waiting("strict_parent", lambda: for_run(inner, Number(21)))
    lenient = waiting("lenient_parent", lambda: for_run(inner, Number(21), default=Number(0)))
    async with engine.worker(strict, lenient, inner):
        failed = await engine.pipelines.submit(tenant, strict, Number(1))
        succeeded = await engine.pipelines.submit(tenant, lenient, Number(1))
        ended = await engine.finished(tenant, failed.id)
        assert (ended.status, ended.error) == (RunStatus.FAILED, Failure("unhappy", "The child is unhappy."))
        assert (await engine.finished(tenant, succeeded.id)).status is RunStatus.SUCCEEDED


@pytest.mark.parametrize("undoes", [False, True])
async def test_the_child_of_a_retried_run_repeats_no_effect_but_what_was_undone(
    engine: Engine, tenant: TenantId, *, undoes: bool
) -> None:
    inner, keys, broken = Pipeline(f"tests.child_again{undoes}".lower(), version=1), list[str](), {"last"}

    @inner.step("first", title="First")
    async def first(number: Number, run: StepRun) -> Number:
        keys.append(run.idempotency_key)
        return number

    if undoes:

        @inner.compensation("first")
        async def undo_first(undo: Undo[Number, Number], run: StepRun) -> None:
            assert undo.output == Number(21)

    @inner.step("last", title="Last", after=("first",))
    async def last(number: Number, run: StepRun) -> Number:
        if broken:
            raise Abandon("It is broken.")
        return number

    outer = waiting(f"again_parent{undoes}".lower(), lambda: for_run(inner, Number(21)))
    async with engine.worker(outer, inner):
        run = await engine.pipelines.submit(tenant, outer, Number(1))
        for _ in range(3):
            assert (await engine.finished(tenant, run.id)).status is RunStatus.FAILED
            run = await engine.pipelines.rerun(tenant, run.id, from_failed=True, pipeline=outer)
        assert (await engine.finished(tenant, run.id)).status is RunStatus.FAILED
        broken.clear()
        run = await engine.pipelines.rerun(tenant, run.id, from_failed=True, pipeline=outer)
        assert (await engine.finished(tenant, run.id)).status is RunStatus.SUCCEEDED
    assert len(keys) == 5
    assert len(set(keys)) == (5 if undoes else 1)


async def test_cancelling_a_parent_cancels_its_children(engine: Engine, tenant: TenantId) -> None:
    inner = child("waiting", waits=True)
    outer = waiting("cancelled_parent", lambda: for_run(inner, Number(21), subject="doc_child"))
    async with engine.worker(outer, inner):
        run = await engine.pipelines.submit(tenant, outer, Number(1))
        await suspended(engine, tenant, run.id)
        inner_run = (await engine.pipelines.latest_runs(tenant, ["doc_child"]))["doc_child"]
        await suspended(engine, tenant, inner_run.id)
        await engine.pipelines.cancel(tenant, run.id)
        assert (await engine.pipelines.get_run(tenant, inner_run.id)).status is RunStatus.CANCELLED


async def test_a_child_that_was_waited_for_long_enough_is_cancelled(engine: Engine, tenant: TenantId) -> None:
    inner = child("late", waits=True)
    expires = timedelta(seconds=0.3)
    outer = waiting(
        "impatient_parent",
        lambda: for_run(inner, Number(21), subject="doc_late", expires=expires, default=Number(5)),
    )
    async with engine.worker(outer, inner):
        run = await engine.pipelines.submit(tenant, outer, Number(1))
        assert (await engine.finished(tenant, run.id)).status is RunStatus.SUCCEEDED
        inner_run = (await engine.pipelines.latest_runs(tenant, ["doc_late"]))["doc_late"]
        assert (await engine.finished(tenant, inner_run.id)).status is RunStatus.CANCELLED


async def test_a_parent_that_fails_takes_its_children_with_it(engine: Engine, tenant: TenantId) -> None:
    inner = child("orphan", waits=True)
    outer = Pipeline("tests.failing_parent", version=1)

    @outer.step("ask", title="Ask")
    async def ask(number: Number, run: StepRun) -> Wait[Number]:
        return for_run(inner, Number(21), subject="doc_orphan")

    @outer.step("fail", title="Fail", retries=0)
    async def fail(number: Number, run: StepRun) -> Number:
        raise Abandon("No.")

    async with engine.worker(outer, inner, steps=frozenset({"ask", "double"})):
        run = await engine.pipelines.submit(tenant, outer, Number(1))
        await suspended(engine, tenant, run.id)
    inner_run = (await engine.pipelines.latest_runs(tenant, ["doc_orphan"]))["doc_orphan"]
    async with engine.worker(outer, inner):
        assert (await engine.finished(tenant, run.id)).status is RunStatus.FAILED
        assert (await engine.finished(tenant, inner_run.id)).status is RunStatus.CANCELLED


def test_waits_that_cannot_work_are_refused() -> None:
    with pytest.raises(PipelineInvalid, match="no time zone"):
        for_time(datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point
    with pytest.raises(PipelineInvalid, match="signal name"):
        for_signal("Not A Name")


def test_a_step_gives_one_type_whether_or_not_it_waits() -> None:
    pipeline = Pipeline("tests.two_waits", version=1)
    with pytest.raises(PipelineInvalid, match="may return"):

        @pipeline.step("ask", title="Ask")
        async def ask(number: Number, run: StepRun) -> int | Wait[Number]:
            return 1
