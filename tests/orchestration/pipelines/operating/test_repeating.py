"""Runs are retried from where they failed and replayed as a whole, once each, and started by name."""

import asyncio

import pytest

from mainspring.foundation.ids import TenantId, new_id, show_id
from mainspring.foundation.pagination import PageRequest
from mainspring.orchestration.pipelines import Run
from mainspring.orchestration.pipelines.operating import RunFilter
from mainspring.orchestration.pipelines.operating.run_routes import OPERATE, READ
from tests.orchestration.pipelines.conftest import Engine
from tests.orchestration.pipelines.test_routes import key

from .conftest import Desk, path_of
from .pipelines import Counter, Order, inner, shop


async def fail(engine: Engine, tenant: TenantId, counter: Counter) -> Run:
    """A run of the shop that failed to ship."""
    pipeline = shop(counter)
    run = await engine.pipelines.submit(tenant, pipeline, Order(-3), subject="ord_1")
    async with engine.worker(pipeline):
        return await engine.finished(tenant, run.id)


async def test_a_retry_goes_on_from_the_failed_step_and_happens_once(
    engine: Engine, desk: Desk, tenant: TenantId
) -> None:
    counter = Counter(tenant)
    run = await fail(engine, tenant, counter)
    counter.is_mended = True
    answers = await asyncio.gather(*(desk.post(tenant, f"{path_of(run)}/retry") for _ in range(5)))
    assert {answer.status_code for answer in answers} == {202}
    (taken,) = {answer.json()["id"] for answer in answers}
    assert taken != show_id("run", run.id)
    async with engine.worker(shop(counter)):
        pages = {item["id"]: item for item in (await desk.get(tenant, "/runs")).json()["items"]}
        again = await engine.finished(
            tenant, (await desk.operating.runs.list(tenant, PageRequest(), RunFilter())).items[0].id
        )
    assert again.status == "succeeded"
    assert pages[taken]["retry_of"] == show_id("run", run.id)
    assert (counter.priced, counter.shipped) == (1, 1)


async def test_a_replay_takes_another_input_or_version(engine: Engine, desk: Desk, tenant: TenantId) -> None:
    counter = Counter(tenant)
    run = await fail(engine, tenant, counter)
    changed = await desk.post(tenant, f"{path_of(run)}/replay", {"input": {"amount": 4}}, idempotency_key="one")
    again = await desk.post(tenant, f"{path_of(run)}/replay", {"input": {"amount": 4}}, idempotency_key="one")
    other = await desk.post(tenant, f"{path_of(run)}/replay", {"input": {"amount": 4}, "version": 2})
    assert (changed.status_code, other.status_code) == (202, 202), changed.text
    assert again.json()["id"] == changed.json()["id"]
    assert changed.json()["replay_of"] == show_id("run", run.id)
    assert changed.json()["subject"] == "ord_1"
    assert other.json()["version"] == 2
    async with engine.worker(shop(counter), shop(counter, version=2)):
        for each in (await desk.operating.runs.list(tenant, PageRequest(), RunFilter())).items:
            await engine.finished(tenant, each.id)
    assert sorted(counter.seen) == [400, 800]


@pytest.mark.parametrize(
    ("action", "body", "status"),
    [
        ("replay", {"version": 9}, 404),
        ("replay", {"version": 0}, 422),
        ("replay", {"version": 2**40}, 422),
        ("replay", {"input": {"amount": "many"}}, 422),
        ("replay", {"input": None}, 422),
        ("replay", {"input": {"amount": 1, "note": "\0"}}, 422),
        ("replay", {"input": {"amount": 1}, "by": "root"}, 422),
        ("retry", {"version": 9}, 404),
        ("signal/Not a name!", {"payload": 1}, 422),
        ("signal/" + "x" * 500, {"payload": 1}, 422),
        ("signal/paid", {"payload": "x" * 70_000}, 422),
        ("signal/paid", {"payload": 1}, 409),
    ],
)
async def test_what_cannot_be_done_about_a_run_is_explained(
    engine: Engine, desk: Desk, tenant: TenantId, action: str, body: object, status: int
) -> None:
    run = await fail(engine, tenant, Counter())
    answer = await desk.post(tenant, f"{path_of(run)}/{action}", body)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_what_goes_on_or_went_well_is_not_retried(engine: Engine, desk: Desk, tenant: TenantId) -> None:
    pipeline = shop(Counter())
    run = await engine.pipelines.submit(tenant, pipeline, Order(1))
    assert (await desk.post(tenant, f"{path_of(run)}/retry")).status_code == 409
    async with engine.worker(pipeline):
        await engine.finished(tenant, run.id)
    answer = await desk.post(tenant, f"{path_of(run)}/retry")
    assert (answer.status_code, answer.json()["code"]) == (409, "run_unfinished")


async def test_a_waiting_run_is_told_what_it_waits_for(engine: Engine, desk: Desk, tenant: TenantId) -> None:
    run = await engine.pipelines.submit(tenant, shop(Counter()), Order(1))
    for _ in range(2):
        told = await desk.post(tenant, f"{path_of(run)}/signal/paid", {"payload": {"amount": 1}})
        assert told.status_code == 202, told.text
    async with engine.database.tenant(tenant) as transaction:
        rows = await transaction.all("select name, key from signal where run_id = %(run)s", run=run.id)
    assert rows == [{"name": "paid", "key": "api"}]


async def test_a_pipeline_is_started_by_name_once_for_a_key(engine: Engine, desk: Desk, tenant: TenantId) -> None:
    counter = Counter(tenant)
    first = await desk.post(tenant, "/pipelines/tests.shop/runs", {"input": {"amount": 2}}, idempotency_key="k1")
    again = await desk.post(tenant, "/pipelines/tests.shop/runs", {"input": {"amount": 2}}, idempotency_key="k1")
    other = await desk.post(tenant, "/pipelines/tests.shop/runs", {"input": {"amount": 3}}, idempotency_key="k1")
    assert (first.status_code, again.json()["id"]) == (202, first.json()["id"])
    assert first.json()["version"] == 2
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    async with engine.worker(shop(counter, version=2)):
        await engine.finished(tenant, (await desk.operating.runs.list(tenant, PageRequest(), RunFilter())).items[0].id)
    assert counter.seen == [400]


async def test_half_a_character_in_an_input_is_named_for_what_it_is(desk: Desk, tenant: TenantId) -> None:
    headers = {**key(tenant, OPERATE), "content-type": "application/json"}
    body = rb'{"input": {"amount": 2, "note": "\ud800"}}'
    answer = await desk.client.post("/v1/pipelines/tests.shop/runs", content=body, headers=headers)
    assert answer.status_code == 422, answer.text
    assert "half of a surrogate pair" in answer.json()["detail"]


async def test_what_the_platform_starts_is_not_started_from_outside(
    engine: Engine, desk: Desk, tenant: TenantId
) -> None:
    answer = await desk.post(tenant, "/pipelines/tests.inner/runs", {"input": {"amount": 2}})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    run = await engine.pipelines.submit(tenant, inner(Counter()), Order(1))
    changed = await desk.post(tenant, f"{path_of(run)}/replay", {"input": {"amount": 2}})
    assert changed.status_code == 403
    assert (await desk.post(tenant, f"{path_of(run)}/replay")).status_code == 202


@pytest.mark.parametrize("name", ["nope", "tests.shop@1", "%00", "x" * 3000, "../runs"])
async def test_a_pipeline_that_nobody_knows_is_not_found(desk: Desk, tenant: TenantId, name: str) -> None:
    answer = await desk.post(tenant, f"/pipelines/{name}/runs", {"input": {}})
    assert answer.status_code in (404, 405), answer.text


async def test_pipelines_are_listed_with_the_schemas_of_their_steps(desk: Desk, tenant: TenantId) -> None:
    items = (await desk.get(tenant, "/pipelines")).json()["items"]
    found = {(item["name"], item["version"]): item for item in items}
    assert {("tests.shop", 1), ("tests.shop", 2), ("tests.inner", 1)} <= found.keys()
    shown = found["tests.shop", 2]
    assert shown["can_start"] is True
    assert found["tests.inner", 1]["can_start"] is False
    assert [(step["name"], step["after"]) for step in shown["steps"]] == [("price", []), ("ship", ["price"])]
    assert "amount" in str(shown["input_schema"])


@pytest.mark.parametrize("action", ["retry", "replay", "signal/paid"])
async def test_another_tenant_and_who_may_only_look_do_nothing(
    engine: Engine, desk: Desk, tenant: TenantId, other_tenant: TenantId, action: str
) -> None:
    run = await fail(engine, tenant, Counter())
    assert (await desk.post(other_tenant, f"{path_of(run)}/{action}")).status_code == 404
    assert (await desk.post(tenant, f"/runs/{show_id('run', new_id())}/{action}")).status_code == 404
    assert (await desk.post(tenant, f"{path_of(run)}/{action}", None, READ)).status_code == 403
