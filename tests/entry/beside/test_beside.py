"""Mainspring mounted beside applications of three frameworks: the examples of the how-to page, served and called."""

import asyncio
import importlib.util
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import uvicorn

from mainspring.entry.beside import Beside
from mainspring.foundation.engines import EngineUrls
from mainspring.foundation.errors import Unavailable
from mainspring.orchestration.pipelines import Worker

EXAMPLES = Path(__file__).parents[3] / "docs" / "howto" / "beside"


def _load(name: str) -> Beside:
    spec = importlib.util.spec_from_file_location(f"beside_{name}", EXAMPLES / f"{name}_app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    import sys  # the example's classes are looked up by the name of their module

    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.app


@asynccontextmanager
async def _served(app: Beside) -> AsyncGenerator[httpx.AsyncClient]:
    """The application under a real server on a free port, with a worker beside it."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="on", timeout_graceful_shutdown=2))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        assert not serving.done(), "the server did not start"
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    platform, stop = app.platform, asyncio.Event()
    worker = Worker(platform.database, platform.valkey, pipelines=platform.orchestration.brought.pipelines)
    working = asyncio.create_task(worker.run(stop, grace=timedelta(seconds=1)))
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
            yield client
    finally:
        stop.set()
        await working
        server.should_exit = True
        await serving


@pytest.fixture(autouse=True)
def _on_these_engines(engines: EngineUrls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAINSPRING_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("MAINSPRING_DATABASE_URL", engines.database_url)
    monkeypatch.setenv("MAINSPRING_VALKEY_URL", engines.valkey_url)
    monkeypatch.setenv("MAINSPRING_MODELS_URL", "http://127.0.0.1:1/v1")


@pytest.mark.parametrize("framework", ["fastapi", "flask", "django"])
async def test_an_endpoint_that_made_callers_wait_answers_at_once_and_its_run_is_followed(framework: str):
    body, ada = {"text": "First. Second."}, {"x-user": "ada"}
    async with _served(_load(framework)) as client:
        assert (await client.post("/summaries", json=body)).json() == {"summary": "First."}
        answer = await client.post("/v2/summaries", json=body)
        assert answer.status_code == 202
        run = answer.json()["id"]
        story = (await client.get(f"/ai/v1/runs/{run}/events", headers=ada)).text
        assert story.rstrip().splitlines()[-1].count('"status":"succeeded"') == 1
        assert (await client.get(f"/ai/v1/runs/{run}")).status_code == 401
        assert (await client.get("/nowhere")).status_code == 404


async def test_another_sites_page_cannot_use_the_applications_session():
    async with _served(_load("fastapi")) as client:
        run = (await client.post("/v2/summaries", json={"text": "One."})).json()["id"]
        cancel, ada = f"/ai/v1/runs/{run}/cancel", {"x-user": "ada"}
        elsewhere = await client.post(cancel, headers=ada | {"origin": "https://evil.example"})
        assert (elsewhere.status_code, elsewhere.json()["code"]) == (403, "forbidden")
        own = await client.post(cancel, headers=ada | {"origin": str(client.base_url).rstrip("/")})
        assert own.status_code in {202, 409}


async def test_what_is_not_open_yet_says_so():
    with pytest.raises(Unavailable, match="opens when the server starts"):
        _ = _load("fastapi").platform


def test_the_path_must_be_one():
    with pytest.raises(ValueError, match="must begin with a slash"):
        Beside(_load, at="ai/")
