"""Runs over HTTP: lists, one run, cancel, and the stream as a browser reads it."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import uvicorn

from mainspring.foundation.errors import Unauthenticated
from mainspring.foundation.http import create_app
from mainspring.foundation.ids import TenantId, new_id, show_id
from mainspring.foundation.principal import Principal, PrincipalKind
from mainspring.orchestration.pipelines import LiveEvents, Run
from mainspring.orchestration.pipelines.operating import Declared, build_operating
from mainspring.orchestration.pipelines.operating import build_router as build_operating_router
from mainspring.orchestration.pipelines.routes import CANCEL, READ, build_router

from .conftest import Engine
from .scenes import Number, talkative


class Doorman:
    """Lets in who names a tenant and permissions as the bearer: `TENANT:permission,permission`."""

    def __init__(self) -> None:
        self.revoked: set[str] = set()

    async def authenticate(
        self, *, bearer: str | None, cookie: str | None, csrf: str | None, unsafe: bool
    ) -> Principal:
        """The principal that the bearer spells out."""
        if not bearer or bearer in self.revoked:
            raise Unauthenticated("Send a key.")
        tenant, _, permissions = bearer.partition(":")
        granted = frozenset(permissions.split(","))
        return Principal(TenantId(type(new_id())(tenant)), PrincipalKind.API_KEY, "a key", granted)


def key(tenant: TenantId, *permissions: str) -> dict[str, str]:
    """The headers of a caller."""
    return {"authorization": f"Bearer {tenant}:{','.join(permissions)}"}


@pytest.fixture
def doorman() -> Doorman:
    """Who lets callers in."""
    return Doorman()


@pytest.fixture
async def api(engine: Engine, live: LiveEvents, doorman: Doorman) -> AsyncIterator[httpx.AsyncClient]:
    """A real server on a free port, since streams need one, and a client of it."""
    app = create_app(doorman, title="Test", version="0")
    app.include_router(build_operating_router(build_operating(engine.database, engine.pipelines, Declared([]))))
    app.include_router(build_router(engine.pipelines, live, recheck_seconds=0.2))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - the server has no event for it
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
        yield client
    server.should_exit = True
    await serving


def path(run: Run) -> str:
    """Where the run is."""
    return f"/v1/runs/{show_id('run', run.id)}"


@asynccontextmanager
async def stream(
    api: httpx.AsyncClient, run: Run, headers: dict[str, str], **parameters: str
) -> AsyncGenerator[tuple[httpx.Response, AsyncIterator[dict[str, str]]]]:
    """An open stream and its frames."""
    async with api.stream("GET", f"{path(run)}/events", headers=headers, params=parameters) as response:
        yield response, _frames(response)


async def _frames(response: httpx.Response) -> AsyncIterator[dict[str, str]]:
    frame: dict[str, str] = {}
    async for line in response.aiter_lines():
        name, _, value = line.partition(": ")
        if line.startswith(":"):
            continue  # a keep-alive
        if line:
            frame[name] = value
        elif frame:
            yield frame
            frame = {}


async def test_a_run_is_streamed_to_its_end_and_resumed(
    engine: Engine, api: httpx.AsyncClient, tenant: TenantId
) -> None:
    pipeline = talkative(words=4)
    run = await engine.pipelines.submit(tenant, pipeline, Number(1), subject="ctr_1")
    async with stream(api, run, key(tenant, READ)) as (response, frames):
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-cache"
        assert response.headers["x-accel-buffering"] == "no"
        assert await anext(frames) == {"retry": "1000"}
        greeting = await anext(frames)
        assert (greeting["event"], greeting["id"]) == ("snapshot", "0-0")
        async with engine.worker(pipeline):
            seen = [frame async for frame in frames]
    shown = [json.loads(frame["data"]) for frame in seen]
    assert [(frame["id"], frame["event"]) for frame in seen] == [(data["id"], data["type"]) for data in shown]
    assert {data["run"] for data in shown if data["type"] != "snapshot"} == {show_id("run", run.id)}
    assert shown[-1]["type"] == "run.finished"
    assert shown[-1]["status"] == "succeeded"
    middle = len(seen) // 2
    headers = {**key(tenant, READ), "last-event-id": seen[middle]["id"]}
    async with stream(api, run, headers) as (_, frames):
        rest = [json.loads(frame["data"]) async for frame in frames if "data" in frame]
    assert rest == shown[middle + 1 :]
    async with stream(api, run, key(tenant, READ), after=seen[-1]["id"]) as (response, _):
        assert response.status_code == 204


async def test_events_can_be_polled(engine: Engine, api: httpx.AsyncClient, tenant: TenantId) -> None:
    pipeline = talkative(words=4)
    run = await engine.pipelines.submit(tenant, pipeline, Number(1))
    headers = {**key(tenant, READ), "accept": "application/json"}
    after, kinds, is_over = "", list[str](), False
    async with engine.worker(pipeline):
        while not is_over:
            answer = await api.get(f"{path(run)}/events", headers=headers, params={"after": after, "wait": "5"})
            page = answer.json()
            kinds += [item["type"] for item in page["items"] if item["type"] != "snapshot"]
            after, is_over = page["next"], page["is_over"]
    assert (kinds[0], kinds[-1], kinds.count("run.finished")) == ("run.started", "run.finished", 1)


async def test_the_first_event_comes_at_once(engine: Engine, api: httpx.AsyncClient, tenant: TenantId) -> None:
    run = await engine.pipelines.submit(tenant, talkative(), Number(1))
    began = asyncio.get_running_loop().time()
    async with stream(api, run, key(tenant, READ)) as (_, frames):
        await anext(frames)
        await anext(frames)
        assert asyncio.get_running_loop().time() - began < 1


async def test_runs_are_shown_listed_and_cancelled(engine: Engine, api: httpx.AsyncClient, tenant: TenantId) -> None:
    run = await engine.pipelines.submit(tenant, talkative(), Number(1), subject="ctr_1")
    await engine.pipelines.submit(tenant, talkative(), Number(2))
    mine = key(tenant, READ, CANCEL)
    shown = (await api.get(path(run), headers=mine)).json()
    assert shown["status"] == "queued"
    assert shown["subject"] == "ctr_1"
    assert shown["steps"][2] == {
        "name": "join",
        "title": "Join",
        "status": "waiting",
        "attempt": 0,
        "started_at": None,
        "finished_at": None,
        "error": None,
        "is_compensation": False,
        "awaited": None,
        "wake_at": None,
        "items": None,
    }
    cancelled = await api.post(f"{path(run)}/cancel", headers=mine)
    assert (cancelled.status_code, cancelled.json()["status"]) == (202, "cancelled")
    first = (await api.get("/v1/runs", headers=mine, params={"limit": 1})).json()
    second = (await api.get("/v1/runs", headers=mine, params={"limit": 1, "cursor": first["next_cursor"]})).json()
    assert second["items"][0]["id"] == shown["id"]
    assert second["next_cursor"] is None
    only = (await api.get("/v1/runs", headers=mine, params={"status": "cancelled"})).json()
    assert [item["id"] for item in only["items"]] == [shown["id"]]


async def test_foreign_unknown_and_malformed_ids_get_one_answer(
    engine: Engine, api: httpx.AsyncClient, tenant: TenantId, other_tenant: TenantId
) -> None:
    run = await engine.pipelines.submit(tenant, talkative(), Number(1))
    theirs = key(other_tenant, READ, CANCEL)
    shapes: set[str] = set()
    for wanted in (show_id("run", run.id), show_id("run", new_id()), "run_x", "ctr_1", "%00"):
        for method, suffix in (("GET", ""), ("GET", "/events"), ("POST", "/cancel")):
            answer = await api.request(method, f"/v1/runs/{wanted}{suffix}", headers=theirs)
            assert answer.status_code == 404, (method, suffix, wanted)
            body = answer.json()
            shapes.add(body["detail"].partition("the id")[0] + body["code"])
    assert shapes == {"There is no run_... with not_found"}
    assert (await api.get("/v1/runs", headers=theirs)).json()["items"] == []


@pytest.mark.parametrize(
    ("method", "suffix", "lacking"),
    [("GET", "", CANCEL), ("GET", "/events", CANCEL), ("POST", "/cancel", READ)],
)
async def test_each_route_asks_for_its_permission(
    engine: Engine, api: httpx.AsyncClient, tenant: TenantId, *, method: str, suffix: str, lacking: str
) -> None:
    run = await engine.pipelines.submit(tenant, talkative(), Number(1))
    refused = await api.request(method, path(run) + suffix, headers=key(tenant, lacking))
    assert refused.status_code == 403
    assert (await api.request(method, path(run) + suffix)).status_code == 401


@pytest.mark.parametrize(
    ("parameters", "status"),
    [({"after": "nonsense"}, 400), ({"wait": "61"}, 422), ({"after": "1-1", "wait": "x"}, 422)],
)
async def test_bad_parameters_are_explained(
    engine: Engine, api: httpx.AsyncClient, tenant: TenantId, parameters: dict[str, str], status: int
) -> None:
    run = await engine.pipelines.submit(tenant, talkative(), Number(1))
    answer = await api.get(f"{path(run)}/events", headers=key(tenant, READ), params=parameters)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_closing_server_ends_its_streams(
    engine: Engine, api: httpx.AsyncClient, live: LiveEvents, tenant: TenantId
) -> None:
    run = await engine.pipelines.submit(tenant, talkative(), Number(1))
    async with stream(api, run, key(tenant, READ)) as (_, frames):
        await anext(frames)
        await anext(frames)
        await live.close()
        assert [frame async for frame in frames] == []


async def test_an_open_stream_ends_soon_after_its_key_was_revoked(
    engine: Engine, api: httpx.AsyncClient, doorman: Doorman, tenant: TenantId
) -> None:
    run = await engine.pipelines.submit(tenant, talkative(words=1), Number(1))
    headers = key(tenant, READ)
    async with stream(api, run, headers) as (_, frames):
        assert await anext(frames) == {"retry": "1000"}
        doorman.revoked.add(headers["authorization"].removeprefix("Bearer "))
        rest = [frame async for frame in frames]
    assert "run.finished" not in {frame.get("event") for frame in rest}
    assert (await api.get(f"{path(run)}/events", headers=headers)).status_code == 401
