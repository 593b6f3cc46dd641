"""What the engine promises while nothing dies: order, fan-in, retries, idempotence, cancel, deadlines."""

from mainspring.foundation.ids import TenantId
from mainspring.orchestration.pipelines import RunStatus, StepStatus

from .conftest import Engine
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
