"""Frontend libraries, unchanged, follow real runs: AG-UI's client with its verifier, the AI SDK's reader and hook."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import uvicorn

from mainspring.foundation.db import Database
from mainspring.foundation.errors import Unauthenticated
from mainspring.foundation.http import create_app
from mainspring.foundation.ids import TenantId, show_id
from mainspring.foundation.principal import Principal, PrincipalKind
from mainspring.foundation.valkey import Valkey
from mainspring.orchestration.pipelines import (
    Abandon,
    FindingAdded,
    LiveEvents,
    Pipeline,
    Pipelines,
    Retry,
    Run,
    StepRun,
    Worker,
)
from mainspring.orchestration.pipelines.dialects import build_dialect_router

from .packages import skip_or_fail

FOLDER = Path(__file__).parent / "node"
TASKS = {"ag-ui": "ag-ui", "ui-message-stream": "ai-sdk", "use-chat": "ai-sdk"}

pytestmark = pytest.mark.slow
if shutil.which("node") is None or not (FOLDER / "node_modules" / "@ag-ui").is_dir():
    skip_or_fail("the frontend libraries are not installed here")


@dataclass(frozen=True, slots=True)
class Question:
    """`is_hopeless`: the run is to fail."""

    text: str
    is_hopeless: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    text: str


@dataclass(frozen=True, slots=True)
class Answered:
    text: str


class Scene:
    """A pipeline whose second step speaks, fails, and speaks again; `go_on` lets it finish."""

    def __init__(self) -> None:
        self.has_spoken = asyncio.Event()
        self.go_on = asyncio.Event()

    def build(self) -> Pipeline:
        """The pipeline over this scene."""
        pipeline = Pipeline("tests.frontends", version=1)

        @pipeline.step("search", title="Search the clauses")
        async def search(question: Question, run: StepRun) -> Found:
            await run.progress(1, 2, "1 of 2")
            await run.announce(FindingAdded("f", "high", "A finding", "Found it"))
            return Found("clause 4")

        @pipeline.step("answer", title="Answer", after=("search",), retries=2)
        async def answer(found: Found, run: StepRun) -> Answered:
            if run.attempt == 1:
                await run.delta("answer", "Sixty days, as")
                raise Retry("The model was away.", after=timedelta(milliseconds=50))
            await run.delta("answer", "Thirty days, ")
            self.has_spoken.set()
            await self.go_on.wait()
            await run.emit("tool_called", {"id": "call", "name": "read_clause", "arguments": {"clause": 4}})
            await run.emit("tool_answered", {"id": "call", "output": {"days": 30}})
            await run.delta("answer", "as clause 4 says.")
            return Answered("Thirty days")

        @pipeline.step("judge", title="Judge", after=("search",))
        async def judge(given: "Judged", run: StepRun) -> Answered:
            await self.go_on.wait()
            if given.submitted.is_hopeless:
                raise Abandon("Nobody can say.", code="unknowable")
            return Answered("Fine")

        return pipeline


@dataclass(frozen=True, slots=True)
class Judged:
    search: Found
    submitted: Question


class Doorman:
    """Lets in whoever names a tenant."""

    async def authenticate(
        self, *, bearer: str | None, cookie: str | None, csrf: str | None, unsafe: bool
    ) -> Principal:
        if not bearer:
            raise Unauthenticated("Send a key.")
        return Principal(TenantId(UUID(bearer)), PrincipalKind.API_KEY, "a page", frozenset({"ai.output.view"}))


@dataclass(frozen=True, slots=True)
class Stage:
    """A worker, an API, and a way to let a library follow a run."""

    url: str
    tenant: TenantId
    scene: Scene
    pipelines: Pipelines
    pipeline: Pipeline

    async def submit(self, *, is_hopeless: bool = False) -> Run:
        return await self.pipelines.submit(self.tenant, self.pipeline, Question("How long?", is_hopeless))

    async def ended(self, run: Run) -> Run:
        async with asyncio.timeout(20):  # the worker is another task, and tells nobody here
            while not (found := await self.pipelines.get_run(self.tenant, run.id)).status.is_final:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return found

    async def follow(self, task: str, run: Run) -> Any:
        """What a library made of the run."""
        process = await asyncio.create_subprocess_exec(
            "node",
            "frontends.mjs",
            cwd=FOLDER,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        url = f"{self.url}/v1/runs/{show_id('run', run.id)}/{TASKS[task]}"
        asked = json.dumps({"task": task, "url": url, "key": str(self.tenant)})
        told, _ = await asyncio.wait_for(process.communicate(f"{asked}\n".encode()), 60)
        answer = json.loads(told)
        assert "thrown" not in answer, answer["thrown"]
        return answer


@pytest.fixture
async def stage(database: Database, valkey: Valkey, tenant: TenantId) -> AsyncIterator[Stage]:
    """All of it in this process, as the libraries are in their own."""
    scene = Scene()
    pipeline, pipelines, live = scene.build(), Pipelines(database, valkey), LiveEvents(database, valkey)
    app = create_app(Doorman(), title="Test", version="0")
    app.include_router(build_dialect_router(pipelines, live))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - the server has no event for it
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    stop = asyncio.Event()
    working = asyncio.create_task(Worker(database, valkey, pipelines=[pipeline], concurrency=4).run(stop))
    yield Stage(f"http://127.0.0.1:{port}", tenant, scene, pipelines, pipeline)
    scene.go_on.set()
    stop.set()
    server.should_exit = True
    await asyncio.gather(working, serving)
    await live.close()


def check_success(task: str, told: Any, run: Run) -> None:
    """Whatever the library: the answer once, nothing of the failed attempt, and every step at its end."""
    if task == "ag-ui":
        assert [each["content"] for each in told["messages"] if each["role"] == "assistant" and "content" in each] == [
            "Thirty days, as clause 4 says."
        ]
        assert [each["content"] for each in told["messages"] if each["role"] == "tool"] == ['{"days":30}']
        steps = {each["name"]: each["status"] for each in told["state"]["run"]["steps"]}
        assert (told["types"][0], told["types"][-1], told["failed"]) == ("RUN_STARTED", "RUN_FINISHED", None)
    else:
        assert told["texts"] == ["Thirty days, as clause 4 says."]
        assert (told["isOpen"], told["findings"]) == (False, ["A finding"])
        assert told["tools"] == [["read_clause", "output-available"]]
        steps = told["steps"]
        if task == "ui-message-stream":
            assert (told["protocol"], told["id"], told["errors"]) == ("v1", show_id("run", run.id), [])
        else:
            assert (told["isAbort"], told["isError"], told["errors"]) == (False, False, [])
    assert steps == {"search": "succeeded", "answer": "succeeded", "judge": "succeeded"}


@pytest.mark.parametrize("task", TASKS)
async def test_a_run_followed_from_its_beginning(stage: Stage, task: str):
    stage.scene.go_on.set()
    run = await stage.submit()
    check_success(task, await stage.follow(task, run), run)


@pytest.mark.parametrize("task", TASKS)
async def test_a_run_joined_while_it_speaks(stage: Stage, task: str):
    run = await stage.submit()
    await asyncio.wait_for(stage.scene.has_spoken.wait(), 20)
    following = asyncio.create_task(stage.follow(task, run))
    await asyncio.wait((following,), timeout=1.5)  # long enough for the process to be connected, mostly
    stage.scene.go_on.set()
    check_success(task, await following, run)


@pytest.mark.parametrize("task", TASKS)
async def test_a_run_that_is_over_is_told_in_full(stage: Stage, task: str):
    stage.scene.go_on.set()
    run = await stage.submit()
    await stage.ended(run)
    check_success(task, await stage.follow(task, run), run)


@pytest.mark.parametrize("task", TASKS)
async def test_a_run_that_is_over_is_told_when_valkey_forgot_it(stage: Stage, task: str, valkey: Valkey):
    stage.scene.go_on.set()
    run = await stage.submit()
    await stage.ended(run)
    await stage.pipelines.forget_live(stage.tenant, [run.id])
    told = await stage.follow(task, run)
    steps = told["state"]["run"]["steps"] if task == "ag-ui" else told["steps"]
    assert len(steps) == 3


@pytest.mark.parametrize("task", TASKS)
async def test_a_run_that_fails_is_an_error_in_every_library(stage: Stage, task: str):
    stage.scene.go_on.set()
    run = await stage.submit(is_hopeless=True)
    told = await stage.follow(task, run)
    if task == "ag-ui":
        assert told["failed"]["code"] == "unknowable"
        assert told["types"][-1] == "RUN_ERROR"
    else:
        assert len(told["errors"]) == 1
        assert told["steps"]["judge"] == "failed"
