"""What holds when workers die or stall: a step is never lost, and only the present holder decides about it."""

import asyncio
import threading
import time
from typing import LiteralString
from uuid import UUID

import psycopg
import pytest

from mainspring.foundation.db import Database
from mainspring.foundation.engines import EngineUrls
from mainspring.foundation.ids import TenantId
from mainspring.orchestration.pipelines import EventType, Pipeline, Run, RunStatus, StepRun, StepStatus
from mainspring.orchestration.pipelines.claiming import Claiming, Lane, Shares, Turn, claim_steps
from mainspring.orchestration.pipelines.outcomes import Lease, succeeded
from mainspring.orchestration.pipelines.queue_store import mark_alone
from mainspring.orchestration.pipelines.settle import settle
from mainspring.orchestration.pipelines.stream import Entry, Kind, Stream, Verdict
from mainspring.orchestration.pipelines.sweep import MAX_LOSSES, sweep
from mainspring.orchestration.pipelines.types import RunId

from .conftest import Engine, wait_until
from .scenes import Number, talkative

NOBODY = UUID(int=0)


def single(name: str = "tests.single") -> Pipeline:
    """One step that returns what it gets."""
    pipeline = Pipeline(name, version=1)

    @pipeline.step("only", title="Only")
    async def only(number: Number, run: StepRun) -> Number:
        return number

    return pipeline


async def claim(engine: Engine, pipeline: Pipeline, step: str, *, lease: float) -> Lease:
    """Take a step as a worker does that will never be heard of again."""
    async with engine.database.system() as transaction:
        lanes = {pipeline.lane(step): Lane()}
        claimed = await claim_steps(transaction, Claiming(lanes, 1, lease, Turn(NOBODY), Shares(1, {})))
    (row,) = claimed.rows
    return Lease(row["tenant_id"], RunId(row["run_id"]), row["name"], row["map_key"], row["token"], row["attempt"])


async def test_another_worker_takes_over_and_the_zombie_is_refused(engine: Engine, tenant: TenantId) -> None:
    pipeline = single("tests.takeover")
    run = await engine.pipelines.submit(tenant, pipeline, Number(1))
    dead = await claim(engine, pipeline, "only", lease=0.05)
    async with engine.worker(pipeline):
        ended = await engine.finished(tenant, run.id)
    assert (ended.status, ended.steps[0].attempt) == (RunStatus.SUCCEEDED, 2)
    async with engine.database.system() as transaction:
        settled = await settle(transaction, [succeeded(dead, '{"value": 666}', "Too late")])
    assert [outcome.lease for outcome in settled.refused] == [dead]
    assert settled.milestones == ()
    assert await engine.pipelines.get_output(tenant, run.id, "only", Number) == Number(1)
    assert await engine.pipelines.get_run(tenant, run.id) == ended


async def test_a_lease_that_was_renewed_meanwhile_is_not_taken_away(engine: Engine, tenant: TenantId) -> None:
    pipeline = single("tests.renewed")
    run = await engine.pipelines.submit(tenant, pipeline, Number(1))
    await claim(engine, pipeline, "only", lease=60)
    await sweep(engine.database)
    assert (await engine.pipelines.get_run(tenant, run.id)).steps[0].status is StepStatus.RUNNING


async def test_a_zombie_cannot_speak_in_the_stream(engine: Engine, tenant: TenantId) -> None:
    pipeline = talkative(words=3, name="tests.zombie")
    run = await engine.pipelines.submit(tenant, pipeline, Number(1))
    dead = await claim(engine, pipeline, "left", lease=0.05)
    stream = Stream(engine.valkey)

    def word(offset: int, *, attempt: int) -> Entry:
        return Entry(
            tenant, run.id, Kind.DELTA, 2, "{}", "left", attempt, "left_text", offset, "boo", is_floor_known=True
        )

    assert await stream.append([word(0, attempt=1)]) == [Verdict.TAKEN]
    async with engine.worker(pipeline):

        async def has_spoken() -> bool:
            return await stream.append([word(3, attempt=dead.attempt)]) == [Verdict.STALE]

        await wait_until(has_spoken)
        await engine.finished(tenant, run.id)
    assert await stream.append([word(0, attempt=1)]) == [Verdict.STALE]


async def test_a_step_that_keeps_losing_workers_fails_the_run(engine: Engine, tenant: TenantId) -> None:
    pipeline = single("tests.poison")
    run = await engine.pipelines.submit(tenant, pipeline, Number(1))
    for attempt in range(MAX_LOSSES + 1):
        lease = await claim(engine, pipeline, "only", lease=-1)
        assert lease.attempt == attempt + 1
        async with engine.database.system() as transaction:
            assert await mark_alone(transaction, lease)
        await sweep(engine.database)
    ended = await engine.pipelines.get_run(tenant, run.id)
    assert ended.status is RunStatus.FAILED
    assert ended.error is not None
    assert ended.error.code == "worker_lost"


async def test_a_step_that_never_ran_alone_is_not_held_to_be_the_cause(engine: Engine, tenant: TenantId) -> None:
    pipeline = single("tests.bystander")
    run = await engine.pipelines.submit(tenant, pipeline, Number(1))
    for _ in range(MAX_LOSSES * 3):
        await claim(engine, pipeline, "only", lease=-1)
        await sweep(engine.database)
    async with engine.worker(pipeline):
        ended = await engine.finished(tenant, run.id)
    assert ended.status is RunStatus.SUCCEEDED


async def test_a_lease_that_cannot_be_taken_back_keeps_no_other_from_it(engine: Engine, tenant: TenantId) -> None:
    pipeline = single("tests.spoiltstory")
    spoilt = await engine.pipelines.submit(tenant, pipeline, Number(1))
    await claim(engine, pipeline, "only", lease=0.01)
    sound = await engine.pipelines.submit(tenant, pipeline, Number(2))
    await claim(engine, pipeline, "only", lease=0.01)
    async with engine.database.tenant(tenant) as transaction:
        await transaction.run(
            """
            insert into run_event (run_id, seq, tenant_id, type, facts)
            select id, event_seq + 1, tenant_id, 'step.progress', '{}' from run where id = %(run)s""",
            run=spoilt.id,
        )

    async def is_back() -> bool:
        await sweep(engine.database)
        (step,) = (await engine.pipelines.get_run(tenant, sound.id)).steps
        return step.status is StepStatus.READY

    try:
        await wait_until(is_back)
    finally:
        async with engine.database.system() as transaction:
            await transaction.run("delete from run where id = any (%(runs)s)", runs=[spoilt.id, sound.id])


async def test_a_blocked_event_loop_loses_no_lease(engine: Engine, tenant: TenantId, engines: EngineUrls) -> None:
    pipeline = Pipeline("tests.blocking", version=1)

    @pipeline.step("block", title="Block")
    async def block(number: Number, run: StepRun) -> Number:
        time.sleep(1.2)  # noqa: ASYNC251 - blocking the loop is what is tested
        return number

    async def sweep_elsewhere() -> None:
        database = await Database.open(engines.database_url)
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            await sweep(database)
            await asyncio.sleep(0.05)
        await database.close()

    elsewhere = threading.Thread(target=lambda: asyncio.run(sweep_elsewhere()))
    elsewhere.start()
    async with engine.worker(pipeline, lease=0.45):
        run = await engine.pipelines.submit(tenant, pipeline, Number(1))
        ended = await engine.finished(tenant, run.id)
    await asyncio.to_thread(elsewhere.join)
    assert (ended.status, ended.steps[0].attempt) == (RunStatus.SUCCEEDED, 1)


async def test_a_worker_that_goes_down_hands_its_steps_back_uncounted(engine: Engine, tenant: TenantId) -> None:
    pipeline = Pipeline("tests.drained", version=1)
    started = asyncio.Event()

    @pipeline.step("slow", title="Slow at first", retries=0)
    async def slow(number: Number, run: StepRun) -> Number:
        started.set()
        await asyncio.sleep(60 if run.attempt == 1 else 0)
        return number

    run = await engine.pipelines.submit(tenant, pipeline, Number(1))
    async with engine.worker(pipeline, lease=60, grace=0.05) as worker:
        await started.wait()
    assert worker.held == 0
    assert (await engine.pipelines.get_run(tenant, run.id)).steps[0].status is StepStatus.READY
    async with engine.worker(pipeline):
        ended = await engine.finished(tenant, run.id)
    assert (ended.status, ended.steps[0].attempt) == (RunStatus.SUCCEEDED, 2)


async def test_a_worker_finishes_what_it_can_before_it_goes(engine: Engine, tenant: TenantId) -> None:
    pipeline = Pipeline("tests.finishing", version=1)
    started = asyncio.Event()

    @pipeline.step("short", title="Short")
    async def short(number: Number, run: StepRun) -> Number:
        started.set()
        await asyncio.sleep(0.1)
        return number

    run = await engine.pipelines.submit(tenant, pipeline, Number(1))
    async with engine.worker(pipeline, grace=5):
        await started.wait()
    assert (await engine.pipelines.get_run(tenant, run.id)).status is RunStatus.SUCCEEDED


async def test_a_tenant_does_not_wait_behind_another_ones_queue(
    engine: Engine, tenant: TenantId, other_tenant: TenantId
) -> None:
    pipeline = Pipeline("tests.fair", version=1)
    started: dict[RunId, float] = {}

    @pipeline.step("wait", title="Wait")
    async def wait(number: Number, run: StepRun) -> Number:
        started[run.run_id] = time.perf_counter()
        await asyncio.sleep(0.02)
        return number

    async with engine.database.tenant(tenant) as transaction:
        for number in range(400):
            await engine.pipelines.submit_in(transaction, pipeline, Number(number))
    async with engine.worker(pipeline, concurrency=4):

        async def is_busy() -> bool:
            return len(started) > 20

        await wait_until(is_busy)
        before = len(started)
        run = await engine.pipelines.submit(other_tenant, pipeline, Number(0))

        async def has_started() -> bool:
            return run.id in started

        await wait_until(has_started)
        ahead = sum(at < started[run.id] for at in started.values()) - before
        async with engine.database.tenant(tenant) as transaction:
            await transaction.run("update step set status = 'cancelled' where status = 'ready'")
    assert ahead <= 40, "the other tenant's 400 queued runs went first"


async def test_work_of_other_pipelines_does_not_hold_up_a_tenant(
    engine: Engine, tenant: TenantId, other_tenant: TenantId
) -> None:
    foreign, ours = single("tests.foreign"), single("tests.ours")
    for owner in (tenant, other_tenant):
        await engine.pipelines.submit(owner, foreign, Number(1))
    async with engine.worker(ours, concurrency=1):
        for owner in (tenant, other_tenant):
            run = await engine.pipelines.submit(owner, ours, Number(1))
            assert (await engine.finished(owner, run.id)).status is RunStatus.SUCCEEDED


async def test_the_outbox_tells_of_each_end_once(engine: Engine, tenant: TenantId) -> None:
    pipeline = single("tests.told")
    async with engine.worker(pipeline):
        runs = [await engine.pipelines.submit(tenant, pipeline, Number(n), subject=f"ctr_{n}") for n in range(3)]
        for run in runs:
            await engine.finished(tenant, run.id)
    other = await engine.pipelines.submit(tenant, pipeline, Number(9))
    await engine.pipelines.cancel(tenant, other.id)
    async with engine.database.tenant(tenant) as transaction:
        rows = await transaction.all("select payload from outbox where topic = 'run.finished' order by id")
    told = {row["payload"]["run"]: (row["payload"]["status"], row["payload"]["subject"]) for row in rows}
    assert len(rows) == 4
    assert told == {
        **{str(run.id): ("succeeded", f"ctr_{n}") for n, run in enumerate(runs)},
        str(other.id): ("cancelled", None),
    }


async def _finished_run(engine: Engine, tenant: TenantId) -> Run:
    pipeline = single("tests.legal")
    async with engine.worker(pipeline):
        run = await engine.pipelines.submit(tenant, pipeline, Number(1))
        return await engine.finished(tenant, run.id)


@pytest.mark.parametrize(
    "statement",
    [
        "update run set status = 'running', finished_at = null where id = %(run)s",
        "update run set status = 'failed' where id = %(run)s",
        "update step set status = 'ready', output = null where run_id = %(run)s",
        "update step set status = 'failed', output = null where run_id = %(run)s",
        "update step set status = 'dreaming' where run_id = %(run)s",
        "update step set output = null where run_id = %(run)s",
    ],
)
async def test_the_database_refuses_transitions_that_are_not_legal(
    engine: Engine, tenant: TenantId, statement: LiteralString
) -> None:
    run = await _finished_run(engine, tenant)
    with pytest.raises(psycopg.errors.CheckViolation):
        async with engine.database.raw() as connection:
            await connection.execute(statement, {"run": run.id})
    assert await engine.pipelines.get_run(tenant, run.id) == run


async def test_a_tenant_cannot_rewrite_a_story(engine: Engine, tenant: TenantId) -> None:
    run = await _finished_run(engine, tenant)
    for statement in ("update run_event set facts = '{}'", "delete from run_event"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with engine.database.tenant(tenant) as transaction:
                await transaction.run(statement)
    async with engine.database.tenant(tenant) as transaction:
        rows = await transaction.all("select type from run_event where run_id = %(run)s order by seq", run=run.id)
    assert [row["type"] for row in rows] == [
        EventType.RUN_STARTED,
        EventType.STEP_STARTED,
        EventType.STEP_FINISHED,
        EventType.RUN_FINISHED,
    ]
