"""What the engine promises while nothing dies: order, fan-in, retries, idempotence, cancel, deadlines."""

from dataclasses import dataclass
from datetime import timedelta

from mainspring.foundation.ids import TenantId
from mainspring.orchestration.pipelines import Pipeline, RunStatus, StepRun, StepStatus

from .conftest import Engine, Number


@dataclass(frozen=True, slots=True)
class Pair:
    """Both branches and what was submitted."""

    left: Number
    right: Number
    submitted: Number


def diamond(name: str = "tests.diamond") -> Pipeline:
    """root -> left, right -> join."""
    pipeline = Pipeline(name, version=1)

    @pipeline.step("root", title="Start")
    async def root(number: Number, run: StepRun) -> Number:
        return Number(number.value + 1)

    @pipeline.step("left", title="Double", after=("root",))
    async def left(number: Number, run: StepRun) -> Number:
        return Number(number.value * 2)

    @pipeline.step("right", title="Square", after=("root",))
    async def right(number: Number, run: StepRun) -> Number:
        return Number(number.value**2)

    @pipeline.step("join", title="Add", after=("left", "right"))
    async def join(pair: Pair, run: StepRun) -> Number:
        return Number(pair.left.value + pair.right.value + pair.submitted.value * 1000)

    return pipeline


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
