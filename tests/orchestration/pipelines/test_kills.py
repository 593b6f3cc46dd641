"""The engine's whole point: kill anything at any instant, and no run is lost, none is finished twice.

Every test has throwaway engines of its own, starts runs, kills something while steps run and
speak, and then looks at the rows, at the outbox, and at what a client saw that never let go.
"""

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from mainspring.foundation.db import Database
from mainspring.foundation.engines import ChildProcess, EmbeddedEngines, EngineUrls
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.valkey import open_valkey
from mainspring.migrations import migrate
from mainspring.orchestration.pipelines import LiveEvents, Pipeline, Pipelines, Run, RunStatus
from mainspring.orchestration.pipelines.sweep import MAX_LOSSES
from mainspring.orchestration.pipelines.types import RunId

from .conftest import Engine, wait_until
from .scenes import Client, Number, poisonous, spoken, talkative

WORDS = 20
RUNS = 4


@dataclass(frozen=True, slots=True)
class Stage:
    """Engines that may be killed, and the platform on them."""

    urls: EngineUrls
    postgres: ChildProcess
    valkey: ChildProcess
    engine: Engine
    live: LiveEvents
    tenant: TenantId
    pipeline: Pipeline


@pytest.fixture(scope="module")
def mortal_engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[EmbeddedEngines, EngineUrls]]:
    """A cluster of this module's own; durable, as it is killed."""
    embedded = EmbeddedEngines(tmp_path_factory.mktemp("mortal"))
    try:
        urls = embedded.start()
        migrate(urls.database_admin_url, login=urls.login)
        yield embedded, urls
    finally:
        embedded.stop()


@pytest.fixture
async def stage(mortal_engines: tuple[EmbeddedEngines, EngineUrls]) -> AsyncIterator[Stage]:
    """The engines with handles of this test's own; what a test killed is running again for the next."""
    embedded, urls = mortal_engines
    postgres, valkey_process = embedded.children
    database, valkey = await Database.open(urls.database_url), open_valkey(urls.valkey_url)
    engine = Engine(database, valkey, Pipelines(database, valkey))
    live = LiveEvents(database, valkey)
    name = f"tests.kill{new_id().hex}"
    pipeline = talkative(words=WORDS, pause=0.01, name=name)
    yield Stage(urls, postgres, valkey_process, engine, live, TenantId(new_id()), pipeline)
    await live.close()
    await valkey.aclose()
    await database.close()
    for child in embedded.children:
        if not child.is_running:
            child.start()


@contextmanager
def worker_process(stage: Stage, *kind: str) -> Generator[subprocess.Popen[bytes]]:
    """A worker in a process of its own."""
    script = Path(__file__).with_name("mortal.py")
    command = [sys.executable, str(script), stage.urls.database_url, stage.urls.valkey_url, stage.pipeline.name, *kind]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait(10)


async def submit(stage: Stage) -> list[Run]:
    """The runs of a test."""
    return [await stage.engine.pipelines.submit(stage.tenant, stage.pipeline, Number(n)) for n in range(RUNS)]


async def is_speaking(stage: Stage) -> bool:
    """Whether steps of the test run at this moment."""
    async with stage.engine.database.tenant(stage.tenant) as transaction:
        return await transaction.first("select 1 from step where status = 'running'") is not None


async def watch(live: LiveEvents, tenant: TenantId, run: RunId) -> Client:
    """A client that stays on the line throughout."""
    client = Client()
    async for event in live.iter_events(tenant, run):
        client.take(event)
    return client


async def assert_all_finished_once(stage: Stage, runs: list[Run]) -> None:
    """Every run succeeded, every step was finished once, the outbox tells of every end once."""
    for run in runs:
        ended = await stage.engine.finished(stage.tenant, run.id, seconds=40)
        assert ended.status is RunStatus.SUCCEEDED, ended
    async with stage.engine.database.tenant(stage.tenant) as transaction:
        story = await transaction.all("select run_id, seq, type, facts->>'step' as step from run_event")
        outbox = await transaction.all("select payload->>'run' as run from outbox where topic = 'run.finished'")
    ends = Counter((row["run_id"], row["type"], row["step"]) for row in story)
    for run in runs:
        assert sorted(row["seq"] for row in story if row["run_id"] == run.id) == list(
            range(1, 1 + sum(row["run_id"] == run.id for row in story))
        )
        assert ends[run.id, "run.started", None] == ends[run.id, "run.finished", None] == 1
        for step in ("left", "right", "join"):
            assert ends[run.id, "step.finished", step] == 1
        for step in ("left", "right"):
            assert ends[run.id, "finding.added", step] == 1
    assert sorted(row["run"] for row in outbox) == sorted(str(run.id) for run in runs)


def assert_saw_everything(stage: Stage, clients: list[Client], *, text: bool = True) -> None:
    """No gap, no repeat (`Client.take` checks the order), and the right text at the end."""
    for client in clients:
        assert client.has_ended
        numbers = [event.id.milestone for event in client.events if event.id.live == 0 and event.type != "snapshot"]
        assert numbers == list(range(1, len(numbers) + 1))
        if text:
            assert client.texts == {name: spoken(name, WORDS) for name in ("left_text", "right_text")}


async def test_a_worker_killed_in_the_middle_loses_nothing(stage: Stage) -> None:
    runs = await submit(stage)
    watching = [asyncio.create_task(watch(stage.live, stage.tenant, run.id)) for run in runs]
    for _ in range(2):
        with worker_process(stage) as worker:
            await wait_until(lambda: is_speaking(stage))
            await asyncio.sleep(0.1)
            worker.kill()
            worker.wait()
    async with stage.engine.worker(stage.pipeline, lease=2):
        await assert_all_finished_once(stage, runs)
        clients = await asyncio.gather(*watching)
    assert_saw_everything(stage, clients)
    attempts = [step.attempt for run in runs for step in (await stage.engine.finished(stage.tenant, run.id)).steps]
    assert max(attempts) > 1, "the kills hit no step"


async def test_a_wiped_valkey_loses_no_story(stage: Stage) -> None:
    runs = await submit(stage)
    watching = [asyncio.create_task(watch(stage.live, stage.tenant, run.id)) for run in runs]
    async with stage.engine.worker(stage.pipeline):
        for _ in range(3):
            await asyncio.sleep(0.1)
            await stage.engine.valkey.flushall()
        await assert_all_finished_once(stage, runs)
        clients = await asyncio.gather(*watching)
    assert_saw_everything(stage, clients)


async def test_runs_go_on_while_valkey_is_away(stage: Stage) -> None:
    async with stage.engine.worker(stage.pipeline):
        runs = await submit(stage)
        watching = [asyncio.create_task(watch(stage.live, stage.tenant, run.id)) for run in runs]
        await wait_until(lambda: is_speaking(stage))
        stage.valkey.kill()
        runs.append(await stage.engine.pipelines.submit(stage.tenant, stage.pipeline, Number(9)))
        await assert_all_finished_once(stage, runs)
        async with asyncio.timeout(10):
            clients = await asyncio.gather(*watching)
        assert_saw_everything(stage, clients, text=False)
        stage.valkey.start()
        late = await stage.engine.pipelines.submit(stage.tenant, stage.pipeline, Number(10))
        client = await watch(stage.live, stage.tenant, late.id)
    assert_saw_everything(stage, [client])


async def test_valkey_restarting_in_the_middle_costs_only_time(stage: Stage) -> None:
    async with stage.engine.worker(stage.pipeline):
        runs = await submit(stage)
        watching = [asyncio.create_task(watch(stage.live, stage.tenant, run.id)) for run in runs]
        await wait_until(lambda: is_speaking(stage))
        stage.valkey.kill()
        stage.valkey.start()
        await assert_all_finished_once(stage, runs)
        clients = await asyncio.gather(*watching)
    assert_saw_everything(stage, clients, text=False)


@pytest.mark.parametrize("ending", ["in good order", "by force"])
async def test_postgres_restarting_in_the_middle_costs_only_time(stage: Stage, ending: str) -> None:
    runs = await submit(stage)
    watching = [asyncio.create_task(watch(stage.live, stage.tenant, run.id)) for run in runs]
    async with stage.engine.worker(stage.pipeline, lease=2):
        await wait_until(lambda: is_speaking(stage))
        await asyncio.to_thread(stage.postgres.kill if ending == "by force" else stage.postgres.stop)
        await asyncio.sleep(0.3)
        await asyncio.to_thread(stage.postgres.start)
        await assert_all_finished_once(stage, runs)
        clients = await asyncio.gather(*watching)
    assert_saw_everything(stage, clients)


async def test_a_poisonous_step_fails_its_own_run_and_none_of_its_neighbours(stage: Stage) -> None:
    """The neighbours take longer than the workers live that they share with it."""
    pipelines, neighbour = stage.engine.pipelines, TenantId(new_id())
    pipeline = poisonous(stage.pipeline.name)
    poison = await pipelines.submit(stage.tenant, pipeline, Number(-1))
    beside = [await pipelines.submit(neighbour, pipeline, Number(10)) for _ in range(2)]

    async def is_going_on() -> bool:
        async with stage.engine.database.system() as transaction:
            count = "select count(*) as count from run where id = any (%(runs)s) and status in ('queued', 'running')"
            return (await transaction.one(count, runs=[poison.id, *(run.id for run in beside)]))["count"] > 0

    async def is_over(process: subprocess.Popen[bytes]) -> bool:
        return process.poll() is not None or not await is_going_on()

    deaths = 0
    async with asyncio.timeout(90):
        while await is_going_on():
            with worker_process(stage, "poison") as process:
                await wait_until(lambda process=process: is_over(process), seconds=30)
                deaths += process.poll() == 3
    failed = await pipelines.get_run(stage.tenant, poison.id)
    assert (failed.status, failed.error and failed.error.code) == (RunStatus.FAILED, "worker_lost")
    assert deaths == MAX_LOSSES + 1
    for run in beside:
        assert (await pipelines.get_run(neighbour, run.id)).status is RunStatus.SUCCEEDED
