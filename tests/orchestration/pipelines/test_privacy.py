"""What runs tell of things that are closed to whoever asks: that they go on and how they end."""

import json
from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI

from mainspring.foundation.errors import InvalidInput
from mainspring.foundation.http import create_app
from mainspring.foundation.ids import TenantId, show_id
from mainspring.foundation.principal import Principal
from mainspring.orchestration.pipelines import (
    FindingAdded,
    LiveEvents,
    Pipeline,
    Run,
    StepRun,
    Undo,
    Wait,
    for_signal,
)
from mainspring.orchestration.pipelines.operating import Declared, build_operating
from mainspring.orchestration.pipelines.operating import build_router as build_operating_router
from mainspring.orchestration.pipelines.privacy import COVERED
from mainspring.orchestration.pipelines.routes import CANCEL, READ, build_router

from .conftest import Engine, wait_until
from .scenes import Number
from .test_routes import Doorman, key

SECRET = "merger with Initech"


class Closed:
    """Everything called secret is closed to everybody without the permission `secrets`."""

    async def closed_to(self, principal: Principal, subjects: Collection[str]) -> Collection[str]:
        return () if "secrets" in principal.permissions else {each for each in subjects if each == "doc_secret"}


def gossip() -> Pipeline:
    """Says, finds and fails of the secret."""
    pipeline = Pipeline("gossip", version=1)

    @pipeline.step("talk", title="Talk")
    async def talk(given: Number, run: StepRun) -> Number:
        await run.say(f"Reading about the {SECRET}")
        await run.delta("summary", f"Word by word the {SECRET}")
        await run.announce(FindingAdded("1", "high", SECRET, SECRET))
        raise InvalidInput(f"{SECRET}.pdf cannot be read.")

    return pipeline


@pytest.fixture
def app(engine: Engine, live: LiveEvents) -> FastAPI:
    app = create_app(Doorman(), title="Test", version="0")
    operating = build_operating(engine.database, engine.pipelines, Declared([]), privacy=Closed())
    app.include_router(build_operating_router(operating))
    app.include_router(build_router(engine.pipelines, live, privacy=Closed()))
    return app


@asynccontextmanager
async def browsing(app: FastAPI, tenant: TenantId, *permissions: str) -> AsyncGenerator[httpx.AsyncClient]:
    headers = key(tenant, READ, CANCEL, *permissions)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", headers=headers) as client:
        yield client


async def told(client: httpx.AsyncClient, run: Run) -> list[str]:
    """Everything that the routes tell of a run, before and after the answer was begun."""
    path, page = f"/v1/runs/{show_id('run', run.id)}", {"accept": "application/json"}
    answers = [
        await client.get("/v1/runs"),
        await client.get(path),
        await client.get(f"{path}/events"),
        await client.get(f"{path}/events", headers=page),
    ]
    assert {answer.status_code for answer in answers} == {200}
    return [answer.text for answer in answers]


async def test_a_run_about_what_is_closed_tells_how_it_goes_and_nothing_of_it(
    engine: Engine, app: FastAPI, live: LiveEvents, tenant: TenantId
) -> None:
    pipeline = gossip()
    secret = await engine.pipelines.submit(tenant, pipeline, Number(1), subject="doc_secret")
    common = await engine.pipelines.submit(tenant, pipeline, Number(1), subject="doc_common")
    async with engine.worker(pipeline):
        for run in (secret, common):
            assert [event async for event in live.iter_events(tenant, run.id)]
    async with browsing(app, tenant) as client, browsing(app, tenant, "secrets") as reader:
        covered, open_to_all, open_to_reader = (
            await told(client, secret), await told(client, common), await told(reader, secret)
        )  # fmt: skip
        events = json.loads(covered[3])["items"]
    assert all(SECRET not in text for text in covered[1:])
    assert all(SECRET in text for text in (*open_to_all, *open_to_reader))
    assert [event["type"] for event in events] == ["run.started", "step.started", "step.failed", "run.finished"]
    assert [event["text"] for event in events][1:] == ["Talk", COVERED, COVERED]
    assert events[-1]["error"]["detail"] == COVERED


async def test_nobody_cancels_a_run_about_what_is_closed_to_them(
    engine: Engine, app: FastAPI, tenant: TenantId
) -> None:
    run = await engine.pipelines.submit(tenant, gossip(), Number(1), subject="doc_secret")
    path = f"/v1/runs/{show_id('run', run.id)}"
    async with browsing(app, tenant) as client, browsing(app, tenant, "secrets") as reader:
        assert (await client.post(f"{path}/cancel")).status_code == 403
        greeting = (await client.get(f"{path}/events", headers={"accept": "application/json"})).json()
        assert [event["type"] for event in greeting["items"]] == ["snapshot"]
        assert (await reader.post(f"{path}/cancel")).status_code == 202


async def test_what_is_emitted_awaited_and_undone_is_closed_too(engine: Engine, app: FastAPI, tenant: TenantId) -> None:
    pipeline = Pipeline("gossip_later", version=1)

    @pipeline.step("talk", title="Talk")
    async def talk(given: Number, run: StepRun) -> Number:
        await run.emit("rumour", {"about": SECRET})
        return given

    @pipeline.compensation("talk")
    async def hush(undo: Undo[Number, Number], run: StepRun) -> None:
        return None

    @pipeline.step("wait", title="Wait", after=("talk",), retries=0)
    async def wait(given: Number, run: StepRun) -> Wait[Number]:
        if given.value:
            raise InvalidInput(f"{SECRET} again.")
        await run.say(f"Asking about the {SECRET}")
        return for_signal("approval:initech")

    async with engine.worker(pipeline):
        failing = await engine.pipelines.submit(tenant, pipeline, Number(1), subject="doc_secret")
        waiting = await engine.pipelines.submit(tenant, pipeline, Number(0), subject="doc_secret")
        await engine.finished(tenant, failing.id)

        async def is_suspended() -> bool:
            return (await engine.pipelines.get_run(tenant, waiting.id)).steps[1].awaited is not None

        await wait_until(is_suspended)
        for run in (failing, waiting):
            path = f"/v1/runs/{show_id('run', run.id)}"
            async with browsing(app, tenant) as client:
                shown = await client.get(path)
                story = await client.get(f"{path}/events", headers={"accept": "application/json"})
            async with browsing(app, tenant, "secrets") as client:
                open_story = await client.get(f"{path}/events", headers={"accept": "application/json"})
            covered = shown.text + story.text
            assert "initech" not in covered.lower()
            assert "step.emitted" not in story.text
            assert "initech" in open_story.text.lower(), "those who may know are told"
        assert shown.json()["steps"][1]["awaited"] == "signal"
        await engine.pipelines.cancel(tenant, waiting.id)
