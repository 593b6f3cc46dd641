"""What the engine promises while nothing dies: order, fan-in, retries, idempotence, cancel, deadlines."""

import asyncio
from datetime import timedelta

import pytest

from mainspring.foundation.clock import now
from mainspring.foundation.errors import InvalidInput, NotFound, RateLimited, UnsupportedMedia
from mainspring.foundation.ids import TenantId
from mainspring.orchestration.pipelines import (
    Abandon,
    Failure,
    FindingAdded,
    IdempotencyKeyReused,
    PayloadRefused,
    Pipeline,
    PipelineInvalid,
    Retry,
    RunNotCancellable,
    RunStatus,
    StepRun,
    StepStatus,
    Urgency,
)

from .conftest import Engine, wait_until
from .scenes import Number, diamond


async def test_a_run_goes_through_its_steps_and_joins_their_outputs(engine: Engine, tenant: TenantId) -> None:
    pipeline = diamond()
    async with engine.worker(pipeline):
        run = await engine.pipelines.submit(tenant, pipeline, Number(4), subject="ctr_x")
        assert run.status is RunStatus.QUEUED
        ended = await engine.finished(tenant, run.id)
    assert ended.status is RunStatus.SUCCEEDED
    assert [(step.name, step.status, step.attempt) for step in ended.steps] == [
        (name, StepStatus.SUCCEEDED, 1) for name in ("root", "left", "right", "join")
    ]
    assert await engine.pipelines.get_output(tenant, run.id, "join", Number) == Number(10 + 25 + 4000)
    assert (await engine.pipelines.latest_runs(tenant, ["ctr_x", "ctr_y"])).keys() == {"ctr_x"}


async def test_what_submit_answers_is_what_is_stored(engine: Engine, tenant: TenantId) -> None:
    run = await engine.pipelines.submit(tenant, diamond(), Number(1), subject="ctr_x")
    assert await engine.pipelines.get_run(tenant, run.id) == run


async def test_a_rolled_back_transaction_leaves_no_run(engine: Engine, tenant: TenantId) -> None:
    async def submit_and_fail() -> None:
        async with engine.database.tenant(tenant) as transaction:
            await engine.pipelines.submit_in(transaction, diamond(), Number(1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await submit_and_fail()
    assert await engine.list_runs(tenant) == []


def flaky(error: BaseException, *, times: int, retries: int = 3) -> Pipeline:
    """One step that raises `error` so many times before it succeeds."""
    pipeline = Pipeline("tests.flaky", version=1)

    @pipeline.step("flaky", title="Try", retries=retries)
    async def attempt(number: Number, run: StepRun) -> Number:
        if run.attempt <= times:
            raise error
        return number

    @pipeline.step("after", title="After", after=("flaky",))
    async def after(number: Number, run: StepRun) -> Number:
        return number

    return pipeline


@pytest.mark.parametrize(
    "error",
    [
        Retry("Not there yet", after=timedelta(milliseconds=20)),
        RateLimited("Too many requests.", retry_after_seconds=0.01),
        ValueError("unforeseen"),
        OSError("gone"),
        asyncio.CancelledError(),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_step_that_may_yet_succeed_is_run_again(engine: Engine, tenant: TenantId, error: BaseException) -> None:
    pipeline = flaky(error, times=1)
    async with engine.worker(pipeline):
        run = await engine.pipelines.submit(tenant, pipeline, Number(1))
        ended = await engine.finished(tenant, run.id)
    assert ended.status is RunStatus.SUCCEEDED
    assert [step.attempt for step in ended.steps] == [2, 1]
    assert ended.steps[0].error is None


@pytest.mark.parametrize(
    ("error", "retries", "failure", "attempts"),
    [
        (Abandon("No text in it.", code="no_text"), 3, Failure("no_text", "No text in it."), 1),
        (UnsupportedMedia("A picture."), 3, Failure("unsupported_media", "A picture."), 1),
        (Retry("Busy.", after=timedelta(0)), 2, Failure("retries_exhausted", "Busy."), 3),
        (KeyError("secret"), 0, Failure("internal_error", "Try: failed unexpectedly (KeyError)."), 1),
    ],
    ids=["abandoned", "not retryable", "exhausted", "unforeseen"],
)
async def test_a_step_that_cannot_succeed_ends_the_run(
    engine: Engine, tenant: TenantId, error: Exception, retries: int, failure: Failure, attempts: int
) -> None:
    pipeline = flaky(error, times=99, retries=retries)
    async with engine.worker(pipeline):
        run = await engine.pipelines.submit(tenant, pipeline, Number(7))
        ended = await engine.finished(tenant, run.id)
    assert (ended.status, ended.error) == (RunStatus.FAILED, failure)
    assert [(step.status, step.attempt) for step in ended.steps] == [
        (StepStatus.FAILED, attempts),
        (StepStatus.CANCELLED, 0),
    ]
    async with engine.database.tenant(tenant) as transaction:
        letter = await transaction.one(
            "select input, error_trace from step where run_id = %(run)s and name = 'flaky'", run=run.id
        )
    assert letter["input"] == {"submitted": {"value": 7}, "earlier": {}}
    assert type(error).__name__ in letter["error_trace"]


async def test_a_step_out_of_time_fails_as_such(engine: Engine, tenant: TenantId) -> None:
    pipeline = Pipeline("tests.slow", version=1)

    @pipeline.step("slow", title="Take long", retries=0, timeout=timedelta(milliseconds=30))
    async def slow(number: Number, run: StepRun) -> Number:
        await asyncio.sleep(30)
        return number

    async with engine.worker(pipeline):
        run = await engine.pipelines.submit(tenant, pipeline, Number(1))
        ended = await engine.finished(tenant, run.id)
    assert ended.error == Failure("step_timed_out", "Take long: not done within 0.03 s.")


async def test_the_same_key_and_work_starts_nothing_new(engine: Engine, tenant: TenantId) -> None:
    pipeline = diamond()
    first, *others = await asyncio.gather(
        *(engine.pipelines.submit(tenant, pipeline, Number(1), idempotency_key="upload-1") for _ in range(5))
    )
    assert {run.id for run in others} == {first.id}
    assert await engine.list_runs(tenant) == [first.id]


async def test_the_same_key_for_other_work_is_refused(engine: Engine, tenant: TenantId) -> None:
    await engine.pipelines.submit(tenant, diamond(), Number(1), idempotency_key="upload-1")
    with pytest.raises(IdempotencyKeyReused):
        await engine.pipelines.submit(tenant, diamond(), Number(2), idempotency_key="upload-1")
    with pytest.raises(IdempotencyKeyReused):
        await engine.pipelines.submit(tenant, diamond("tests.other"), Number(1), idempotency_key="upload-1")


async def test_the_same_key_of_another_tenant_is_another_run(
    engine: Engine, tenant: TenantId, other_tenant: TenantId
) -> None:
    ours = await engine.pipelines.submit(tenant, diamond(), Number(1), idempotency_key="k")
    theirs = await engine.pipelines.submit(other_tenant, diamond(), Number(1), idempotency_key="k")
    assert ours.id != theirs.id


@pytest.mark.parametrize("key", ["", "x" * 300, "a\0b", "a\nb"])
async def test_an_unusable_key_is_refused(engine: Engine, tenant: TenantId, key: str) -> None:
    with pytest.raises(InvalidInput, match="idempotency key"):
        await engine.pipelines.submit(tenant, diamond(), Number(1), idempotency_key=key)


async def test_a_foreign_run_is_as_unknown_as_none(engine: Engine, tenant: TenantId, other_tenant: TenantId) -> None:
    run = await engine.pipelines.submit(tenant, diamond(), Number(1))
    assert await engine.pipelines.find_run(other_tenant, run.id) is None
    for attempt in (engine.pipelines.get_run(other_tenant, run.id), engine.pipelines.cancel(other_tenant, run.id)):
        with pytest.raises(NotFound, match=r"There is no run_\.\.\. with the id"):
            await attempt
    assert (await engine.pipelines.get_run(tenant, run.id)).status is RunStatus.QUEUED


async def test_a_queued_run_is_cancelled_at_once_and_never_starts(engine: Engine, tenant: TenantId) -> None:
    pipeline = diamond()
    run = await engine.pipelines.submit(tenant, pipeline, Number(1))
    cancelled = await engine.pipelines.cancel(tenant, run.id)
    assert cancelled.status is RunStatus.CANCELLED
    assert {step.status for step in cancelled.steps} == {StepStatus.CANCELLED}
    assert (await engine.pipelines.cancel(tenant, run.id)) == cancelled
    async with engine.worker(pipeline):
        other = await engine.pipelines.submit(tenant, pipeline, Number(1))
        await engine.finished(tenant, other.id)
    assert (await engine.pipelines.get_run(tenant, run.id)) == cancelled


async def test_cancelling_stops_a_running_step(engine: Engine, tenant: TenantId) -> None:
    pipeline = Pipeline("tests.endless", version=1)
    started, stopped = asyncio.Event(), asyncio.Event()

    @pipeline.step("endless", title="Go on")
    async def endless(number: Number, run: StepRun) -> Number:
        started.set()
        try:
            await asyncio.sleep(60)
        finally:
            stopped.set()
        return number

    async with engine.worker(pipeline, lease=30):
        run = await engine.pipelines.submit(tenant, pipeline, Number(1))
        await started.wait()
        await engine.pipelines.cancel(tenant, run.id)
        async with asyncio.timeout(3):
            await stopped.wait()
    assert (await engine.pipelines.get_run(tenant, run.id)).status is RunStatus.CANCELLED


async def test_a_finished_run_cannot_be_cancelled(engine: Engine, tenant: TenantId) -> None:
    pipeline = diamond()
    async with engine.worker(pipeline):
        run = await engine.pipelines.submit(tenant, pipeline, Number(1))
        await engine.finished(tenant, run.id)
    with pytest.raises(RunNotCancellable, match="has succeeded"):
        await engine.pipelines.cancel(tenant, run.id)


async def test_a_run_past_its_deadline_fails(engine: Engine, tenant: TenantId) -> None:
    late = Urgency(deadline=now() - timedelta(seconds=1))
    run = await engine.pipelines.submit(tenant, diamond(), Number(1), urgency=late)
    async with engine.worker(diamond("tests.other")):
        ended = await engine.finished(tenant, run.id)
    assert ended.error is not None
    assert ended.error.code == "deadline_exceeded"


async def test_a_worker_claims_only_versions_and_steps_it_holds(engine: Engine, tenant: TenantId) -> None:
    old, new = diamond(), Pipeline("tests.diamond", version=2)

    @new.step("root", title="Start")
    async def root(number: Number, run: StepRun) -> Number:
        return number

    run = await engine.pipelines.submit(tenant, old, Number(1))
    async with engine.worker(new):
        other = await engine.pipelines.submit(tenant, new, Number(1))
        await engine.finished(tenant, other.id)
    assert (await engine.pipelines.get_run(tenant, run.id)).status is RunStatus.QUEUED

    async def reached_left() -> bool:
        steps = (await engine.pipelines.get_run(tenant, run.id)).steps
        return steps[1].status is StepStatus.SUCCEEDED

    async with engine.worker(old, steps=frozenset({"root", "left"})):
        await wait_until(reached_left)
    stuck = await engine.pipelines.get_run(tenant, run.id)
    assert [step.status.value for step in stuck.steps] == ["succeeded", "succeeded", "ready", "waiting"]
    async with engine.worker(old, steps=frozenset({"right", "join"})):
        assert (await engine.finished(tenant, run.id)).status is RunStatus.SUCCEEDED


async def test_a_worker_refuses_step_names_that_no_pipeline_has(engine: Engine) -> None:
    with pytest.raises(PipelineInvalid, match="No pipeline has a step named embde"):
        async with engine.worker(diamond(), steps=frozenset({"root", "embde"})):
            pass


async def test_a_capped_step_never_runs_more_often_at_once(engine: Engine, tenant: TenantId) -> None:
    pipeline = Pipeline("tests.capped", version=1)
    running, most = 0, 0

    @pipeline.step("capped", title="One or two", concurrency=2)
    async def capped(number: Number, run: StepRun) -> Number:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.02)
        running -= 1
        return number

    async with engine.worker(pipeline, concurrency=8), engine.worker(pipeline, concurrency=8):
        runs = [await engine.pipelines.submit(tenant, pipeline, Number(number)) for number in range(12)]
        for run in runs:
            await engine.finished(tenant, run.id)
    assert most == 2


async def test_higher_priority_goes_first(engine: Engine, tenant: TenantId) -> None:
    pipeline = Pipeline("tests.ordered", version=1)
    order: list[int] = []

    @pipeline.step("only", title="Note it")
    async def only(number: Number, run: StepRun) -> Number:
        order.append(number.value)
        return number

    for value, priority in ((1, 0), (2, -5), (3, 7), (4, 0)):
        await engine.pipelines.submit(tenant, pipeline, Number(value), urgency=Urgency(priority=priority))
    async with engine.worker(pipeline, concurrency=1):

        async def all_done() -> bool:
            return len(order) == 4

        await wait_until(all_done)
    assert order == [3, 1, 4, 2]


@pytest.mark.parametrize("value", ["a\0b", "lone \ud800", "x" * 1_100_000], ids=["nul", "surrogate", "huge"])
async def test_what_cannot_be_stored_is_refused_and_harms_nobody(engine: Engine, tenant: TenantId, value: str) -> None:
    pipeline = Pipeline("tests.text", version=1)

    @pipeline.step("speak", title="Speak")
    async def speak(number: int, run: StepRun) -> str:
        await run.say(value[:100])
        await run.delta("text", value[:100])
        await run.announce(FindingAdded("k\0", "low", value[:50], value[:50]))
        return value if number else r"fine \u0000"

    with pytest.raises(PayloadRefused):
        await engine.pipelines.submit(tenant, pipeline, value)
    async with engine.worker(pipeline):
        bad = await engine.pipelines.submit(tenant, pipeline, 1)
        good = await engine.pipelines.submit(tenant, pipeline, 0)
        refused = await engine.finished(tenant, bad.id)
        assert (await engine.finished(tenant, good.id)).status is RunStatus.SUCCEEDED
    assert refused.error is not None
    assert refused.error.code == "payload_refused"
    assert await engine.pipelines.get_output(tenant, good.id, "speak", str) == r"fine \u0000"


class Panic(BaseException):
    """What extensions in native code raise when they panic: it is no `Exception`."""


@pytest.mark.parametrize("raised", [Panic, SystemExit])
async def test_a_step_that_raises_what_is_no_exception_fails_and_takes_nobody_with_it(
    engine: Engine, tenant: TenantId, raised: type[BaseException]
) -> None:
    poison = Pipeline(f"tests.{raised.__name__.lower()}", version=1)

    @poison.step("only", title="Only", retries=0)
    async def only(number: Number, run: StepRun) -> Number:
        raise raised

    good = diamond("tests.besidepanic")
    async with engine.worker(poison, good) as worker:
        bad_run = await engine.pipelines.submit(tenant, poison, Number(1))
        good_run = await engine.pipelines.submit(tenant, good, Number(1))
        bad = await engine.finished(tenant, bad_run.id)
        assert (await engine.finished(tenant, good_run.id)).status is RunStatus.SUCCEEDED
        assert bad.error == Failure("internal_error", f"Only: failed unexpectedly ({raised.__name__}).")
        assert worker.held == 0
