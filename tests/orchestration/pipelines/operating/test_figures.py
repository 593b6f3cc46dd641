"""What is watched: counted right, told to those with the token, in words that Prometheus reads."""

import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest

from mainspring.foundation.db import Database
from mainspring.foundation.http import create_app
from mainspring.foundation.ids import TenantId
from mainspring.foundation.valkey import Valkey
from mainspring.orchestration.pipelines.operating import (
    Figures,
    HoldKind,
    LaneRates,
    build_metrics_router,
    build_operating,
    demands,
    read_figures,
)
from mainspring.orchestration.pipelines.operating.declared import Declared
from mainspring.orchestration.pipelines.operating.exposition import expose
from tests.orchestration.pipelines.conftest import Engine, wait_until
from tests.orchestration.pipelines.test_routes import Doorman

from .pipelines import Counter, Order, shop

_LINE = re.compile(r'[a-z_]+(\{[a-z_]+="(\\.|[^"\\])*"(,[a-z_]+="(\\.|[^"\\])*")*\})? -?[0-9.e+-]+')


@asynccontextmanager
async def watching(
    database: Database, valkey: Valkey, *, token: str | None = None, client: str = "127.0.0.1"
) -> AsyncGenerator[httpx.AsyncClient]:
    app = create_app(Doorman(), title="Test", version="0")
    app.include_router(build_metrics_router(database, valkey, token=token, places_per_worker=4))
    transport = httpx.ASGITransport(app, client=(client, 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as opened:
        yield opened


async def test_a_lane_is_counted_with_the_age_of_its_oldest(engine: Engine, tenant: TenantId) -> None:
    pipeline = shop(Counter(), version=77)
    for amount in range(3):
        await engine.pipelines.submit(tenant, pipeline, Order(amount))
    figures = await read_figures(engine.database, engine.valkey)
    (lane,) = [each for each in figures.lanes if each.lane == "tests.shop@77/price"]
    assert (lane.pipeline, lane.version, lane.step) == ("tests.shop", 77, "price")
    assert (lane.ready, lane.running, lane.suspended) == (3, 0, 0)
    assert lane.oldest_seconds is not None
    assert 0 <= lane.oldest_seconds < 60
    text = expose(figures)
    assert 'mainspring_steps_ready{pipeline="tests.shop",version="77",step="price"} 3\n' in text
    assert all(line.startswith("# ") or _LINE.fullmatch(line) for line in text.splitlines()), text


async def test_workers_are_asked_for_by_what_waits(engine: Engine, tenant: TenantId) -> None:
    pipeline = shop(Counter(), version=78)
    for amount in range(10):
        await engine.pipelines.submit(tenant, pipeline, Order(amount))

    async def more() -> Mapping[str, float]:
        return {"webhook_backlog": 12}

    figures = await read_figures(engine.database, engine.valkey, more=more)
    (lane,) = [each for each in figures.lanes if each.lane == "tests.shop@78/price"]
    blind = replace(figures, lanes=(lane,))
    quick = replace(figures, lanes=(replace(lane, rates=LaneRates(2.0, 0.0, mean_seconds=3.0)),))
    assert [each.desired_workers for each in demands(quick, places_per_worker=4)] == [1]  # 10 of 3 s in 30 s: 1 place
    assert [each.desired_workers for each in demands(blind, places_per_worker=4)] == [3]  # 10 places, 4 a worker
    text = expose(quick)
    assert "mainspring_webhook_backlog 12\n" in text
    assert 'mainspring_step_mean_seconds{pipeline="tests.shop",version="78",step="price"} 3\n' in text


async def test_workers_tell_their_places_and_pace(engine: Engine, tenant: TenantId) -> None:
    pipeline = shop(Counter(), version=81)
    seen: list[Figures] = []

    async def has_told() -> bool:
        seen[:] = [await read_figures(engine.database, engine.valkey)]
        return any(lane.lane == "tests.shop@81/ship" and lane.rates for lane in seen[0].lanes)

    async with engine.worker(pipeline, concurrency=3):
        for amount in (1, -1):
            run = await engine.pipelines.submit(tenant, pipeline, Order(amount))
            await engine.finished(tenant, run.id)
        await wait_until(has_told)
    (lane,) = [each for each in seen[0].lanes if each.lane == "tests.shop@81/ship"]
    assert (lane.ready, lane.running) == (0, 0)
    assert seen[0].places.workers >= 1
    assert seen[0].places.total >= 3
    assert 'mainspring_steps_failed_per_second{pipeline="tests.shop",version="81",step="ship"}' in expose(seen[0])


async def test_a_held_lane_asks_for_no_worker(engine: Engine, tenant: TenantId) -> None:
    pipeline = shop(Counter(), version=79)
    await engine.pipelines.submit(tenant, pipeline, Order(1))
    holds = build_operating(engine.database, engine.pipelines, Declared([])).holds
    hold = await holds.hold(None, HoldKind.PAUSE, ("tests.shop", "price"), reason="Incident.", by="op")
    try:
        figures = await read_figures(engine.database, engine.valkey)
        lanes = [each for each in figures.lanes if each.lane == "tests.shop@79/price"]
        assert [each.is_held for each in lanes] == [True]
        held = replace(figures, lanes=tuple(lanes))
        assert [each.desired_workers for each in demands(held, places_per_worker=4)] == [0]
    finally:
        await holds.release(None, hold.id)


async def test_the_pages_answer_the_token_only(database: Database, valkey: Valkey) -> None:
    async with watching(database, valkey, token="s3cret", client="203.0.113.9") as client:
        for path in ("/metrics", "/metrics/autoscaling"):
            assert (await client.get(path)).status_code == 401
            for wrong in ("Bearer nope", "Bearer ", "s3cret", "Basic s3cret", "Bearer s3cret\u00e9"):
                refused = await client.get(path, headers=[(b"authorization", wrong.encode())])
                assert refused.status_code == 401
            assert (await client.get(path, headers={"authorization": "Bearer s3cret"})).status_code == 200


@pytest.mark.parametrize(
    ("client", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("203.0.113.9", {}, 403),
        ("10.0.0.1", {}, 403),
        ("127.0.0.1", {"x-forwarded-for": "203.0.113.9"}, 403),
        ("127.0.0.1", {"forwarded": "for=203.0.113.9"}, 403),
    ],
)
async def test_without_a_token_only_this_machine_is_answered(
    database: Database, valkey: Valkey, client: str, headers: dict[str, str], status: int
) -> None:
    async with watching(database, valkey, client=client) as opened:
        assert (await opened.get("/metrics", headers=headers)).status_code == status


async def test_the_autoscaling_signal_is_one_number_for_a_step(engine: Engine, tenant: TenantId) -> None:
    async with watching(engine.database, engine.valkey) as client:
        pipeline = shop(Counter(), version=80)
        for amount in range(9):
            await engine.pipelines.submit(tenant, pipeline, Order(amount))
        one = (await client.get("/metrics/autoscaling", params={"step": "price"})).json()
        every = (await client.get("/metrics/autoscaling")).json()
        none = (await client.get("/metrics/autoscaling", params={"step": "no_such_step"})).json()
        page = await client.get("/metrics")
    assert one["desired_workers"] >= 3
    assert one in every["steps"]
    assert every["desired_workers"] >= one["desired_workers"]
    assert none["desired_workers"] == 0
    assert page.headers["content-type"].startswith("text/plain; version=0.0.4")
