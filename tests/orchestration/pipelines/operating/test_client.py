"""The Python client operates through a real server: what it sends is understood, what it gets is read."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import uvicorn

from mainspring.entry.client import ApiError, Patience
from mainspring.entry.client.operating import DeadLettersClient, HoldsClient, RunsClient, SchedulesClient
from mainspring.entry.client.transport import Transport
from mainspring.foundation.http import create_app
from mainspring.foundation.ids import TenantId
from mainspring.orchestration.pipelines import LiveEvents
from mainspring.orchestration.pipelines import routes as run_routes
from mainspring.orchestration.pipelines.operating import build_router
from mainspring.orchestration.pipelines.operating.run_routes import OPERATE, READ
from tests.orchestration.pipelines.conftest import Engine
from tests.orchestration.pipelines.test_routes import Doorman

from .conftest import Desk
from .pipelines import Counter, shop


@pytest.fixture
async def transport(desk: Desk, live: LiveEvents, engine: Engine, tenant: TenantId) -> AsyncIterator[Transport]:
    """The client's connection to a server on a free port."""
    app = create_app(Doorman(), title="Test", version="0")
    app.include_router(build_router(desk.operating))
    app.include_router(run_routes.build_router(engine.pipelines, live))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - the server has no event for it
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    opened = Transport(f"http://127.0.0.1:{port}", f"{tenant}:{READ},{OPERATE}", Patience())
    yield opened
    opened.http.close()
    server.should_exit = True
    await serving


async def test_runs_and_dead_letters_are_operated(engine: Engine, transport: Transport, tenant: TenantId) -> None:
    counter = Counter(tenant)
    runs, letters = RunsClient(transport), DeadLettersClient(transport)

    def start() -> str:
        started = runs.start("tests.shop", {"amount": -4}, version=1, idempotency_key="mine")
        assert runs.start("tests.shop", {"amount": -4}, version=1, idempotency_key="mine").id == started.id
        assert any(each.can_start and each.name == "tests.shop" for each in runs.list_pipelines())
        return started.id

    def mend(run: str) -> str:
        (group,) = letters.groups()
        assert (group.count, group.example.run) == (1, run)
        (letter,) = letters.iter(step="ship")
        assert letters.get(letter.id).trace
        assert letters.restore(letters.discard(letter.id, "A try.").id).state == "open"
        assert [step.status for step in runs.iter_steps(run)] == ["succeeded", "failed"]
        content = runs.get_step(run, "price")
        assert content.output is not None
        assert content.output.value == {"amount": -4, "price": 400}
        (found,) = runs.iter(status="failed", pipeline="tests.shop")
        assert (found.id, found.at_steps) == (run, ("ship",))
        done = letters.wait(letters.replay_many(fingerprint=group.fingerprint))
        assert (done.state, done.done) == ("finished", 1)
        retried = runs.retry(run)
        assert retried.retry_of == run
        assert runs.replay(run, submitted={"amount": 1}).replay_of == run
        assert runs.signal(retried.id, "paid", {"amount": 1}).id == retried.id
        ended = runs.wait(runs.cancel_many(version=1))
        assert ended.done == 2
        with pytest.raises(ApiError) as refused:
            runs.retry(runs.start("tests.shop", {"amount": 1}).id)
        assert refused.value.code == "run_unfinished"
        return retried.id

    run = await asyncio.to_thread(start)
    async with engine.worker(shop(counter)):
        (found,) = await engine.list_runs(tenant)
        await engine.finished(tenant, found)
    await asyncio.to_thread(mend, run)


async def test_holds_and_schedules_are_made_and_ended(transport: Transport) -> None:
    holds, schedules = HoldsClient(transport), SchedulesClient(transport)

    def use() -> None:
        held = holds.pause("Incident 7.", pipeline="tests.shop", step="ship")
        drained = holds.drain("Upgrade.")
        assert [each.id for each in holds.list()] == [drained.id, held.id]
        assert holds.release(held.id).reason == "Incident 7."
        holds.release(drained.id)
        made = schedules.create("daily", "tests.shop", "0 7 * * *", {"amount": 1}, timezone="Europe/Berlin")
        assert len(made.upcoming) == 5
        assert schedules.change(made.id, is_paused=True).upcoming == ()
        assert [each.id for each in schedules.iter()] == [schedules.get(made.id).id]
        schedules.delete(made.id)
        assert list(schedules.iter()) == []

    await asyncio.to_thread(use)
