"""Runs are found by what is known of them, page by page, and looked into."""

from datetime import UTC, datetime, timedelta

import pytest

from mainspring.foundation.ids import TenantId, new_id, show_id
from mainspring.orchestration.pipelines.privacy import COVERED
from tests.orchestration.pipelines.conftest import Engine

from .conftest import Desk, path_of
from .pipelines import Counter, Order, inner, shop


async def test_runs_are_found_by_each_filter(engine: Engine, desk: Desk, tenant: TenantId) -> None:
    pipeline, other = shop(Counter()), inner(Counter())
    failed = await engine.pipelines.submit(tenant, pipeline, Order(-1), subject="ord_1")
    good = await engine.pipelines.submit(tenant, pipeline, Order(1), subject="ord_2")
    async with engine.worker(pipeline):
        for run in (failed, good):
            await engine.finished(tenant, run.id)
    waiting = await engine.pipelines.submit(tenant, other, Order(1))
    names = {
        show_id("run", failed.id): "failed",
        show_id("run", good.id): "good",
        show_id("run", waiting.id): "waiting",
    }

    async def found(**asked: object) -> list[str]:
        answer = await desk.get(tenant, "/runs", **asked)
        assert answer.status_code == 200, answer.text
        return [names[item["id"]] for item in answer.json()["items"]]

    past, future = datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC) + timedelta(hours=1)
    assert await found() == ["waiting", "good", "failed"]
    assert await found(status="failed") == ["failed"]
    assert await found(pipeline="tests.inner") == ["waiting"]
    assert await found(version=2) == []
    assert await found(step="ship") == ["failed"]
    assert await found(step="read") == ["waiting"]
    assert await found(error_code="amount_refused") == ["failed"]
    assert await found(subject="ord_2") == ["good"]
    assert await found(created_after=past.isoformat(), created_before=future.isoformat()) == [
        "waiting",
        "good",
        "failed",
    ]
    assert await found(created_before=past.isoformat()) == []
    assert await found(created_after=future.isoformat()) == []
    assert await found(parent=show_id("run", good.id)) == []
    assert await found(pipeline="tests.shop", status="succeeded") == ["good"]


async def test_runs_come_page_by_page(engine: Engine, desk: Desk, tenant: TenantId) -> None:
    pipeline = shop(Counter())
    runs = [await engine.pipelines.submit(tenant, pipeline, Order(1)) for _ in range(5)]
    seen: list[str] = []
    cursor = None
    while True:
        page = (await desk.get(tenant, "/runs", limit=2, **({"cursor": cursor} if cursor else {}))).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [show_id("run", run.id) for run in reversed(runs)]
    assert page["items"][0]["at_steps"] == ["price"]


async def test_a_step_shows_what_went_in_and_out_and_where_it_failed(
    engine: Engine, desk: Desk, tenant: TenantId
) -> None:
    pipeline = shop(Counter())
    run = await engine.pipelines.submit(tenant, pipeline, Order(-7, note="x" * 10))
    async with engine.worker(pipeline):
        await engine.finished(tenant, run.id)
    listed = (await desk.get(tenant, f"{path_of(run)}/steps")).json()["items"]
    assert [(step["name"], step["status"], step["lane"]) for step in listed] == [
        ("price", "succeeded", "tests.shop@1/price"),
        ("ship", "failed", "tests.shop@1/ship"),
    ]
    priced = (await desk.get(tenant, f"{path_of(run)}/steps/price")).json()
    assert priced["input"]["value"] == {"amount": -7, "note": "xxxxxxxxxx"}
    assert priced["output"]["value"] == {"amount": -7, "price": 700}
    shipped = (await desk.get(tenant, f"{path_of(run)}/steps/ship")).json()
    assert shipped["input"]["value"]["earlier"] == {"price": {"amount": -7, "price": 700}}
    assert shipped["error"]["code"] == "amount_refused"
    assert shipped["output"] is None
    assert (await desk.get(tenant, f"{path_of(run)}/steps/pack")).status_code == 404


async def test_a_large_input_is_cut_and_said_to_be(engine: Engine, desk: Desk, tenant: TenantId) -> None:
    run = await engine.pipelines.submit(tenant, shop(Counter()), Order(1, note="é" * 300_000))
    shown = (await desk.get(tenant, f"{path_of(run)}/steps/price")).json()["input"]
    assert shown["is_cut"] is True
    assert shown["size"] > 600_000
    assert shown["value"] is None
    assert len(shown["text"].encode()) <= 2 * 262_144


async def test_what_is_closed_shows_no_content(engine: Engine, desk: Desk, tenant: TenantId) -> None:
    pipeline = shop(Counter())
    run = await engine.pipelines.submit(tenant, pipeline, Order(-7), subject="doc_secret")
    async with engine.worker(pipeline):
        await engine.finished(tenant, run.id)
    for path in ("/runs", f"{path_of(run)}/steps", f"{path_of(run)}/steps/ship"):
        told, read = await desk.get(tenant, path), await desk.get(tenant, path, "ai.output.view", "secrets")
        assert "-7" not in told.text
        assert COVERED in told.text
        assert "The amount -7" in read.text
    for action, body in (("retry", None), ("replay", {"version": 2}), ("signal/paid", {"payload": 1})):
        assert (await desk.post(tenant, f"{path_of(run)}/{action}", body)).status_code == 403


@pytest.mark.parametrize("suffix", ["/steps", "/steps/price"])
async def test_another_tenants_run_does_not_exist(
    engine: Engine, desk: Desk, tenant: TenantId, other_tenant: TenantId, suffix: str
) -> None:
    run = await engine.pipelines.submit(tenant, shop(Counter()), Order(1))
    for wanted in (path_of(run), f"/runs/{show_id('run', new_id())}", "/runs/run_x", "/runs/%00"):
        answer = await desk.get(other_tenant, f"{wanted}{suffix}")
        assert answer.status_code == 404, answer.text
        assert "There is no run_" in answer.json()["detail"]
    assert (await desk.get(other_tenant, "/runs")).json()["items"] == []


@pytest.mark.parametrize(
    "asked",
    [
        {"limit": 0},
        {"limit": 10**9},
        {"cursor": "made-up"},
        {"cursor": "WyJ4Il0"},
        {"status": "done"},
        {"version": 10**12},
        {"version": -1},
        {"created_after": "yesterday"},
        {"step": "x" * 5000},
    ],
)
async def test_what_cannot_be_asked_is_explained(desk: Desk, tenant: TenantId, asked: dict[str, object]) -> None:
    answer = await desk.get(tenant, "/runs", **asked)
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] == "invalid_input"


@pytest.mark.parametrize("text", ["\0", "'; drop table run; --", "%", "x" * 200, "\u202e"])
async def test_hostile_words_find_nothing(engine: Engine, desk: Desk, tenant: TenantId, text: str) -> None:
    await engine.pipelines.submit(tenant, shop(Counter()), Order(1))
    for name in ("pipeline", "step", "error_code", "subject"):
        answer = await desk.get(tenant, "/runs", **{name: text})
        assert answer.status_code in (200, 422)
        assert answer.status_code == 422 or answer.json()["items"] == []
    assert (await desk.get(tenant, "/runs", created_before="0001-01-01T00:00:00Z")).json()["items"] == []
    assert (await desk.get(tenant, "/runs", created_after="9999-12-31T23:59:59")).json()["items"] == []
