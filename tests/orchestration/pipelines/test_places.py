"""One tenant's slow steps do not hold up the others."""

import asyncio
from dataclasses import dataclass

from mainspring.foundation.ids import TenantId
from mainspring.orchestration.pipelines import Pipeline, StepRun
from tests.orchestration.pipelines.conftest import Engine, wait_until


@dataclass(frozen=True, slots=True)
class Work:
    """What the step gets."""

    is_slow: bool


@dataclass(frozen=True, slots=True)
class Done:
    """What it answers."""

    was_slow: bool


async def test_a_tenant_whose_steps_hang_leaves_a_quarter_of_the_places_to_others(
    engine: Engine, tenant: TenantId, other_tenant: TenantId
) -> None:
    pipeline, gate, hanging = Pipeline("places", version=1), asyncio.Event(), list[int]()

    @pipeline.step("work", title="Work")
    async def work(given: Work, run: StepRun) -> Done:
        if given.is_slow:
            hanging.append(1)
            await gate.wait()
        return Done(given.is_slow)

    slow = [await engine.pipelines.submit(tenant, pipeline, Work(True)) for _ in range(20)]

    async def six_hang() -> bool:
        return len(hanging) == 6

    async with engine.worker(pipeline, concurrency=8):
        await wait_until(six_hang)
        quick = await engine.pipelines.submit(other_tenant, pipeline, Work(False))
        assert (await engine.finished(other_tenant, quick.id, seconds=5)).status == "succeeded"
        assert len(hanging) == 6
        gate.set()
        for run in slow:
            assert (await engine.finished(tenant, run.id)).status == "succeeded"
