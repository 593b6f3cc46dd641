"""Steps in processes of their own: what they do there costs an attempt at most, and nobody else anything."""

import asyncio
import os
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mainspring.foundation.ids import TenantId
from mainspring.orchestration.pipelines import Pipeline, PipelineInvalid, Run, RunStatus, StepRun
from mainspring.orchestration.pipelines.types import ProcessPool

from . import pooled
from .conftest import Engine, wait_until
from .scenes import Number

SMALL = ProcessPool(memory_mb=128)


def pipeline_of(
    function: Callable[..., Any], *, retries: int = 0, timeout: float = 60, pool: ProcessPool = SMALL
) -> Pipeline:
    """One step in a process of its own."""
    pipeline = Pipeline(f"pools.{function.__name__}", version=1)
    pipeline.step("only", title="Only", retries=retries, timeout=timedelta(seconds=timeout), pool=pool)(function)
    return pipeline


def is_running(process: int) -> bool:
    """Whether a process is more than an entry that nobody has asked about yet."""
    stat = Path(f"/proc/{process}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


async def run_of(engine: Engine, tenant: TenantId, pipeline: Pipeline, value: int = 7) -> Run:
    """A run of it that has ended."""
    async with engine.worker(pipeline):
        run = await engine.pipelines.submit(tenant, pipeline, Number(value))
        return await engine.finished(tenant, run.id, seconds=60)


async def test_a_plain_function_runs_in_a_process_of_its_own_and_its_output_comes_back(
    engine: Engine, tenant: TenantId
) -> None:
    pipeline = pipeline_of(pooled.square)
    ended = await run_of(engine, tenant, pipeline)
    assert ended.status is RunStatus.SUCCEEDED, ended.error
    assert await engine.pipelines.get_output(tenant, ended.id, "only", Number) == Number(49)


async def test_a_process_is_kept_for_the_next_step_and_ends_with_the_worker(engine: Engine, tenant: TenantId) -> None:
    pipeline, seen = pipeline_of(pooled.name_process), set[int]()
    async with engine.worker(pipeline):
        for _ in range(3):
            run = await engine.pipelines.submit(tenant, pipeline, Number(0))
            await engine.finished(tenant, run.id, seconds=60)
            seen.add((await engine.pipelines.get_output(tenant, run.id, "only", Number)).value)
    (process,) = seen
    assert process != os.getpid()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the kernel does not end a child with its parent")
async def test_a_killed_worker_leaves_no_process_behind_even_one_in_which_no_thread_runs() -> None:
    script = Path(__file__).with_name("pool_holder.py")
    holder = await asyncio.create_subprocess_exec(sys.executable, str(script), stdout=asyncio.subprocess.PIPE)
    assert holder.stdout
    process = int(await holder.stdout.readline())
    holder.kill()
    await holder.wait()

    async def has_gone() -> bool:
        return not is_running(process)

    await wait_until(has_gone, seconds=30)


async def test_a_process_is_told_no_secret_of_the_workers_environment(
    engine: Engine, tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAINSPRING_DATABASE_URL", "postgresql://login:secret@host/base")
    monkeypatch.setenv("PROVIDER_SECRET", "sk-secret")
    pipeline = pipeline_of(pooled.count_secrets)
    ended = await run_of(engine, tenant, pipeline)
    assert await engine.pipelines.get_output(tenant, ended.id, "only", Number) == Number(0)


@pytest.mark.parametrize(
    ("function", "code", "detail"),
    [
        (pooled.hog, "step_crashed", "It took more than 128 MB"),
        (pooled.crash, "step_crashed", "was ended by SIGABRT"),
        (pooled.leave, "step_crashed", "ended with exit code 3"),
        (pooled.refuse, "odd_number", "7 is odd"),
        (pooled.stumble, "internal_error", "ZeroDivisionError"),
    ],
)
async def test_what_goes_wrong_in_a_process_fails_that_step_and_says_how(
    engine: Engine, tenant: TenantId, function: Callable[[Number], Number], code: str, detail: str
) -> None:
    ended = await run_of(engine, tenant, pipeline_of(function))
    assert ended.status is RunStatus.FAILED
    assert ended.error
    assert ended.error.code == code
    assert detail in ended.error.detail


async def test_a_step_that_computes_for_ever_is_killed_when_it_times_out(engine: Engine, tenant: TenantId) -> None:
    ended = await run_of(engine, tenant, pipeline_of(pooled.spin, timeout=3))
    assert ended.error
    assert ended.error.code == "step_timed_out"


async def test_a_step_that_crashed_is_run_again_and_can_tell_how_it_goes(engine: Engine, tenant: TenantId) -> None:
    pipeline = pipeline_of(pooled.crash_once, retries=1)
    ended = await run_of(engine, tenant, pipeline)
    assert (ended.status, ended.steps[0].attempt) == (RunStatus.SUCCEEDED, 2), ended.error
    async with engine.database.tenant(tenant) as transaction:
        rows = await transaction.all(
            "select facts ->> 'text' as text from run_event where run_id = %(run)s and type = 'step.finished'",
            run=ended.id,
        )
    assert [row["text"] for row in rows] == ["Survived"]


async def test_other_steps_go_on_while_processes_crash_and_compute(engine: Engine, tenant: TenantId) -> None:
    bad, busy, good = pipeline_of(pooled.crash, retries=2), pipeline_of(pooled.spin), Pipeline("pools.good", version=1)

    @good.step("only", title="Only")
    async def only(number: Number, run: StepRun) -> Number:
        return number

    async with engine.worker(bad, busy, good, concurrency=4, grace=0):
        spinning = await engine.pipelines.submit(tenant, busy, Number(1))
        crashing = await engine.pipelines.submit(tenant, bad, Number(1))
        for number in range(20):
            run = await engine.pipelines.submit(tenant, good, Number(number))
            assert (await engine.finished(tenant, run.id)).status is RunStatus.SUCCEEDED
        assert (await engine.finished(tenant, crashing.id, seconds=60)).status is RunStatus.FAILED
        cancelled = await engine.pipelines.cancel(tenant, spinning.id)
        assert cancelled.status is RunStatus.CANCELLED


async def test_a_worker_takes_no_more_of_these_steps_than_it_has_processes_for(
    engine: Engine, tenant: TenantId
) -> None:
    pipeline = pipeline_of(pooled.spin, pool=ProcessPool(memory_mb=128, processes=2))
    runs = [await engine.pipelines.submit(tenant, pipeline, Number(n)) for n in range(4)]

    async def count(status: str) -> int:
        async with engine.database.tenant(tenant) as transaction:
            row = await transaction.one("select count(*) as steps from step where status = %(status)s", status=status)
        return row["steps"]

    async def two_run() -> bool:
        return await count("running") == 2

    async def next_runs() -> bool:
        return await count("running") == 2 and await count("ready") == 1

    async with engine.worker(pipeline, grace=0):
        await wait_until(two_run)
        assert await count("ready") == 2
        async with engine.database.tenant(tenant) as transaction:
            row = await transaction.one("select run_id from step where status = 'running' limit 1")
        await engine.pipelines.cancel(tenant, row["run_id"])
        await wait_until(next_runs)
        for run in runs:
            if run.id != row["run_id"]:
                await engine.pipelines.cancel(tenant, run.id)


def test_a_function_that_another_process_cannot_import_is_refused_where_it_is_declared() -> None:
    def within(number: Number) -> Number:
        return number

    with pytest.raises(PipelineInvalid, match="must be a function of a module"):
        pipeline_of(within)


def test_an_async_function_and_a_pool_without_room_are_refused_where_they_are_declared() -> None:
    with pytest.raises(PipelineInvalid, match="without async"):
        pipeline_of(pooled.too_modern)
    with pytest.raises(PipelineInvalid, match="0 processes"):
        pipeline_of(pooled.square, pool=ProcessPool(processes=0))
    with pytest.raises(PipelineInvalid, match="8 MB"):
        pipeline_of(pooled.square, pool=ProcessPool(memory_mb=8))
