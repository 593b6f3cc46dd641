"""What was done is undone when a run fails or is cancelled: the last first, each once."""

import asyncio
from dataclasses import dataclass, field

import pytest

from mainspring.foundation.ids import TenantId
from mainspring.orchestration.pipelines import (
    Abandon,
    EventType,
    LiveEvents,
    Pipeline,
    PipelineInvalid,
    Retry,
    Run,
    RunStatus,
    StepRun,
    StepStatus,
    Undo,
)

from .conftest import Engine, wait_until
from .scenes import Number
from .test_fan_out import Numbers


@dataclass(slots=True)
class Ledger:
    """Effects on the outside, done once per key, as an idempotent service would."""

    done: dict[str, int] = field(default_factory=dict[str, int])
    undone: dict[str, int] = field(default_factory=dict[str, int])

    def do(self, run: StepRun, value: int) -> None:
        self.done.setdefault(run.idempotency_key, value)

    def undo(self, run: StepRun, value: int) -> None:
        self.undone.setdefault(run.idempotency_key, value)

    @property
    def places(self) -> list[str]:
        """What was undone, in order, without the run's id."""
        return [key.partition("/")[2] for key in self.undone]


def booking(
    ledger: Ledger, *, fails: bool = True, stubborn: bool = False, compensate: bool = True, version: int = 1
) -> Pipeline:
    """reserve -> charge -> ship; the first two can be undone, and shipping fails."""
    pipeline = Pipeline("tests.booking", version=version, compensate=compensate)

    @pipeline.step("reserve", title="Reserve")
    async def reserve(number: Number, run: StepRun) -> Number:
        ledger.do(run, number.value)
        return Number(number.value + 1)

    @pipeline.step("charge", title="Charge", after=("reserve",))
    async def charge(number: Number, run: StepRun) -> Number:
        ledger.do(run, number.value)
        return Number(number.value + 1)

    @pipeline.step("ship", title="Ship", after=("charge",), retries=0)
    async def ship(number: Number, run: StepRun) -> Number:
        if fails:
            raise Abandon("No trucks.", code="no_trucks")
        return number

    @pipeline.compensation("reserve")
    async def unreserve(undo: Undo[Number, Number], run: StepRun) -> None:
        assert undo.output.value == undo.input.value + 1
        ledger.undo(run, undo.output.value)

    @pipeline.compensation("charge", retries=1)
    async def refund(undo: Undo[Number, Number], run: StepRun) -> None:
        if stubborn:
            raise Abandon("The bank is closed.")
        if run.attempt == 1:
            raise Retry("Once more")
        ledger.undo(run, undo.output.value)

    return pipeline


async def run_through(engine: Engine, tenant: TenantId, pipeline: Pipeline) -> Run:
    async with engine.worker(pipeline):
        run = await engine.pipelines.submit(tenant, pipeline, Number(1))
        return await engine.finished(tenant, run.id)


async def test_what_succeeded_is_undone_in_reverse_before_the_run_fails(
    engine: Engine, tenant: TenantId, live: LiveEvents
) -> None:
    ledger = Ledger()
    ended = await run_through(engine, tenant, booking(ledger))
    assert (ended.status, ended.error and ended.error.code) == (RunStatus.FAILED, "no_trucks")
    assert ledger.places == ["undo:charge", "undo:reserve"]
    assert list(ledger.undone.values()) == [3, 2]
    assert [(step.name, step.status) for step in ended.steps if step.is_compensation] == [
        ("undo:charge", StepStatus.SUCCEEDED),
        ("undo:reserve", StepStatus.SUCCEEDED),
    ]
    told = [event.type async for event in live.iter_events(tenant, ended.id, after=None)]
    assert told.count(EventType.RUN_COMPENSATING) == 1
    assert told[-1] is EventType.RUN_FINISHED


async def test_a_cancelled_run_is_undone_and_then_cancelled(engine: Engine, tenant: TenantId) -> None:
    ledger, started = Ledger(), asyncio.Event()
    pipeline = booking(ledger)

    @pipeline.step("hang", title="Hang", after=("charge",))
    async def hang(number: Number, run: StepRun) -> Number:
        started.set()
        await asyncio.sleep(60)
        return number

    async with engine.worker(pipeline, steps=frozenset({"reserve", "charge", "hang"})):
        run = await engine.pipelines.submit(tenant, pipeline, Number(1))
        await started.wait()
        assert (await engine.pipelines.cancel(tenant, run.id)).status is RunStatus.COMPENSATING
        assert (await engine.pipelines.cancel(tenant, run.id)).status in {
            RunStatus.COMPENSATING,
            RunStatus.CANCELLED,
        }
        ended = await engine.finished(tenant, run.id)
    assert (ended.status, ended.error) == (RunStatus.CANCELLED, None)
    assert ledger.places == ["undo:charge", "undo:reserve"]


async def test_a_compensation_that_fails_is_a_dead_letter_and_the_run_says_so(engine: Engine, tenant: TenantId) -> None:
    ledger = Ledger()
    ended = await run_through(engine, tenant, booking(ledger, stubborn=True))
    assert ended.status is RunStatus.FAILED
    assert ended.error is not None
    assert ended.error.code == "no_trucks"
    assert ended.error.detail == "No trucks. Not undone: Charge; see the dead letters."
    assert ledger.places == ["undo:reserve"], "the others are undone all the same"
    async with engine.database.tenant(tenant) as transaction:
        letters = await transaction.all(
            "select step from dead_letter where run_id = %(run)s order by step", run=ended.id
        )
    assert [row["step"] for row in letters] == ["ship", "undo:charge"]


async def test_a_run_that_succeeds_undoes_nothing_and_neither_does_one_that_shall_not(
    engine: Engine, tenant: TenantId
) -> None:
    ledger = Ledger()
    assert (await run_through(engine, tenant, booking(ledger, fails=False))).status is RunStatus.SUCCEEDED
    assert (await run_through(engine, tenant, booking(ledger, compensate=False))).status is RunStatus.FAILED
    assert ledger.undone == {}


async def test_each_item_that_succeeded_is_undone(engine: Engine, tenant: TenantId) -> None:
    ledger = Ledger()
    pipeline = Pipeline("tests.fan_undo", version=1)

    @pipeline.step("book", title="Book", each="submitted.values", retries=0)
    async def book(number: Number, run: StepRun) -> Number:
        if number.value == 2:

            async def others_are_done() -> bool:
                return len(ledger.done) == 4

            await wait_until(others_are_done)
            raise Abandon("Full.")
        ledger.do(run, number.value)
        return Number(-number.value)

    @pipeline.compensation("book")
    async def unbook(undo: Undo[Number, Number], run: StepRun) -> None:
        assert undo.output.value == -undo.input.value
        ledger.undo(run, undo.input.value)

    async with engine.worker(pipeline):
        run = await engine.pipelines.submit(tenant, pipeline, Numbers(tuple(Number(each) for each in range(5))))
        ended = await engine.finished(tenant, run.id)
    assert ended.status is RunStatus.FAILED
    assert sorted(ledger.undone.values()) == [0, 1, 3, 4]


async def test_a_retry_does_again_what_was_undone_and_undoes_it_again(engine: Engine, tenant: TenantId) -> None:
    """The second time under keys of its own: a service that knows the first ones would do nothing."""
    ledger = Ledger()
    first = await run_through(engine, tenant, booking(ledger))
    async with engine.worker(booking(ledger)):
        again = await engine.pipelines.rerun(tenant, first.id, from_failed=True, pipeline=booking(ledger))
        ended = await engine.finished(tenant, again.id)
    assert ended.status is RunStatus.FAILED
    assert {key.partition("/")[0] for key in ledger.done} == {str(first.id), str(again.id)}
    assert len(ledger.done) == len(ledger.undone) == 4


def test_a_compensation_must_take_what_its_step_had_and_gave() -> None:
    pipeline = booking(Ledger())
    with pytest.raises(PipelineInvalid, match="must take Undo"):

        @pipeline.compensation("ship")
        async def wrong(undo: Undo[Number, str], run: StepRun) -> None: ...

    with pytest.raises(PipelineInvalid, match="declared once"):

        @pipeline.compensation("reserve")
        async def twice(undo: Undo[Number, Number], run: StepRun) -> None: ...
