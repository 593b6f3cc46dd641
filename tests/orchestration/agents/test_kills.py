"""kill -9 in mid-run: the run goes on where it was, and nothing that had finished is done twice."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from mainspring.foundation.db import Database
from mainspring.foundation.engines import EngineUrls
from mainspring.foundation.ids import TenantId
from mainspring.foundation.valkey import Valkey
from mainspring.orchestration.agents.types import AgentRunStatus, Durability, IfNotExists, Multitask, RunOrder, ThreadId
from mainspring.orchestration.pipelines import LiveEvents
from tests.orchestration.agents.acting import House, emitted, new_thread, open_house, principal_of, wait_until
from tests.orchestration.agents.errand import errand

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def house(database: Database, valkey: Valkey, tmp_path: Path) -> House:
    """Submits only; workers are processes."""
    return open_house(database, valkey, errand(tmp_path))


@pytest.fixture
async def live(database: Database, valkey: Valkey) -> AsyncIterator[LiveEvents]:
    opened = LiveEvents(database, valkey)
    yield opened
    await opened.close()


@contextmanager
def worker(engines: EngineUrls, folder: Path) -> Generator[subprocess.Popen[bytes]]:
    """A worker's process; killed on exit, if it was not before."""
    command = [sys.executable, "-m", "tests.orchestration.agents.errand"]
    with subprocess.Popen([*command, engines.database_url, engines.valkey_url, str(folder)]) as process:
        try:
            yield process
        finally:
            process.kill()


def log_of(folder: Path) -> list[str]:
    file = folder / "log"
    return file.read_text().splitlines() if file.exists() else []


async def wait_for_line(folder: Path, line: str, count: int = 1) -> None:
    async def is_there() -> bool:
        return log_of(folder).count(line) >= count

    await wait_until(is_there, seconds=60)


async def wait_for_stored(house: House, tenant: TenantId, thread: ThreadId, *, step: int, writes: bool = False) -> None:
    """Until the checkpoint of a step is stored, or what a node that began there wrote: `async` lags a little."""

    async def is_stored() -> bool:
        async with house.database.tenant(tenant) as transaction:
            rows = await transaction.all(
                """
                select 1 from checkpoints c
                 where c.thread_id = %(thread)s and c.metadata ->> 'step' = %(step)s::text
                   and (not %(writes)s or exists (
                       select from checkpoint_writes w where w.thread_id = c.thread_id
                          and w.checkpoint_id = c.checkpoint_id and w.channel = 'trail'))""",
                thread=str(thread),
                step=step,
                writes=writes,
            )
        return bool(rows)

    await wait_until(is_stored, seconds=60)


async def count_checkpoints(house: House, tenant: TenantId, thread: ThreadId) -> int:
    async with house.database.tenant(tenant) as transaction:
        row = await transaction.one(
            "select count(*) as n from checkpoints where thread_id = %(thread)s", thread=str(thread)
        )
    return row["n"]


def order(thread: ThreadId, durability: Durability = Durability.ASYNC, **more: Multitask) -> RunOrder:
    return RunOrder(
        "errand",
        thread=thread,
        input={"trail": ["go"]},
        if_not_exists=IfNotExists.CREATE,
        durability=durability,
        **more,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("durability", [Durability.ASYNC, Durability.SYNC])
async def test_a_killed_worker_costs_nothing_that_had_finished(
    house: House, engines: EngineUrls, tenant: TenantId, tmp_path: Path, durability: Durability, live: LiveEvents
):
    thread = new_thread()
    run = await house.runtime.runs.submit(principal_of(tenant), order(thread, durability))
    following = asyncio.create_task(house.story(live, run))
    with worker(engines, tmp_path) as process:
        await wait_for_stored(house, tenant, thread, step=1, writes=True)
        process.kill()
    (tmp_path / "go-right").touch()
    with worker(engines, tmp_path) as process:
        await wait_for_line(tmp_path, "last begins")
        await wait_for_stored(house, tenant, thread, step=2)
        process.kill()
    (tmp_path / "go-last").touch()
    with worker(engines, tmp_path):
        ended = await house.runtime.runs.wait(tenant, run.id, timeout=timedelta(seconds=60))
    assert ended.status is AgentRunStatus.SUCCESS, ended.error
    log = log_of(tmp_path)
    assert [log.count(each) for each in ("first", "left", "right", "last")] == [1, 1, 1, 1]
    row = await house.thread(tenant, thread)
    assert row["values"]["trail"] == ["go", "first", "left", "right", "last"]
    story = await following
    told = [data["attempt"] for data in emitted(story, "metadata")]  # a killed worker's last words may die with it
    assert (told, told[-1]) == (sorted(set(told)), 3)
    assert emitted(story, "end") == [{"status": "success"}]


async def test_a_run_that_waits_is_led_after_its_worker_was_killed(
    house: House, engines: EngineUrls, tenant: TenantId, tmp_path: Path
):
    thread, me = new_thread(), principal_of(tenant)
    (tmp_path / "go-last").touch()
    first = await house.runtime.runs.submit(me, order(thread))
    second = await house.runtime.runs.submit(me, order(thread))
    with worker(engines, tmp_path) as process:
        await wait_for_line(tmp_path, "right begins")
        process.kill()
    (tmp_path / "go-right").touch()
    with worker(engines, tmp_path):
        for run in (first, second):
            assert (await house.runtime.runs.wait(tenant, run.id, timeout=timedelta(seconds=60))).error is None
    assert (await house.thread(tenant, thread))["values"]["trail"][::5] == ["go", "go"]


async def test_a_new_run_takes_the_thread_of_a_dead_worker(
    house: House, engines: EngineUrls, tenant: TenantId, tmp_path: Path
):
    thread, me = new_thread(), principal_of(tenant)
    (tmp_path / "go-last").touch()
    first = await house.runtime.runs.submit(me, order(thread))
    with worker(engines, tmp_path) as process:
        await wait_for_stored(house, tenant, thread, step=1, writes=True)
        process.kill()
    second = await house.runtime.runs.submit(me, order(thread, multitask=Multitask.ROLLBACK))
    (tmp_path / "go-right").touch()
    with worker(engines, tmp_path):
        await house.runtime.runs.wait(tenant, second.id, timeout=timedelta(seconds=60))
    assert (await house.thread(tenant, thread))["values"]["trail"] == ["go", "first", "left", "right", "last"]
    assert first.id not in {each.id for each in await house.runtime.runs.list_of_thread(tenant, thread)}


async def test_a_worker_that_was_frozen_and_comes_back_changes_nothing(
    house: House, engines: EngineUrls, tenant: TenantId, tmp_path: Path
):
    thread = new_thread()
    run = await house.runtime.runs.submit(principal_of(tenant), order(thread))
    with worker(engines, tmp_path) as frozen:
        await wait_for_stored(house, tenant, thread, step=1, writes=True)
        frozen.send_signal(signal.SIGSTOP)
        (tmp_path / "go-right").touch()
        with worker(engines, tmp_path):
            await wait_for_line(tmp_path, "last begins")
            frozen.send_signal(signal.SIGCONT)
            await wait_for_line(tmp_path, "right", 2)  # what it was doing when it froze
            (tmp_path / "go-last").touch()
            ended = await house.runtime.runs.wait(tenant, run.id, timeout=timedelta(seconds=60))
    assert ended.status is AgentRunStatus.SUCCESS, ended.error
    row = await house.thread(tenant, thread)
    assert row["values"]["trail"] == ["go", "first", "left", "right", "last"]
    assert await count_checkpoints(house, tenant, thread) == 5
