"""Dead letters: grouped by cause, looked into, replayed once, discarded for a reason, one or a thousand."""

import asyncio
from typing import Any

import psycopg
import pytest

from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId, new_id, read_id, show_id
from mainspring.foundation.pagination import PageRequest
from mainspring.foundation.principal import Principal, PrincipalKind
from mainspring.orchestration.pipelines import Pipelines, Run, RunId, RunStatus
from mainspring.orchestration.pipelines.errors import BacklogFull, PipelineDraining
from mainspring.orchestration.pipelines.operating import Declared, LetterFilter, RunFilter, build_operating, bulk_store
from mainspring.orchestration.pipelines.operating.run_routes import OPERATE, READ
from mainspring.orchestration.pipelines.operating.runs import RunDesk
from mainspring.orchestration.pipelines.privacy import COVERED
from tests.orchestration.pipelines.conftest import Engine
from tests.orchestration.pipelines.scenes import Number
from tests.orchestration.pipelines.test_fan_out import squares

from .conftest import Desk
from .pipelines import Counter, Order, shop


async def fail(engine: Engine, tenant: TenantId, counter: Counter, *amounts: int, subject: str | None = None) -> None:
    """Runs of the shop that failed to ship."""
    pipeline = shop(counter)
    runs = [await engine.pipelines.submit(tenant, pipeline, Order(-each), subject=subject) for each in amounts]
    async with engine.worker(pipeline, concurrency=32):
        for run in runs:
            await engine.finished(tenant, run.id, seconds=60)


async def letters(desk: Desk, tenant: TenantId, **asked: object) -> list[dict[str, object]]:
    answer = await desk.get(tenant, "/dead-letters", **asked)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_letters_of_one_cause_are_one_group(engine: Engine, desk: Desk, tenant: TenantId) -> None:
    await fail(engine, tenant, Counter(), 1, 22, 333)
    (group,) = (await desk.get(tenant, "/dead-letters/groups")).json()["items"]
    assert (group["pipeline"], group["step"], group["error_code"]) == ("tests.shop", "ship", "amount_refused")
    assert group["count"] == 3
    assert group["first_at"] <= group["last_at"]
    assert group["example"]["fingerprint"] == group["fingerprint"]
    assert len(await letters(desk, tenant, fingerprint=group["fingerprint"])) == 3
    assert await letters(desk, tenant, fingerprint="other") == []
    assert len(await letters(desk, tenant, step="ship", pipeline="tests.shop", error_code="amount_refused")) == 3
    assert await letters(desk, tenant, state="discarded") == []


async def test_a_letter_shows_input_and_trace(engine: Engine, desk: Desk, tenant: TenantId) -> None:
    await fail(engine, tenant, Counter(), 5)
    (listed,) = await letters(desk, tenant)
    shown = (await desk.get(tenant, f"/dead-letters/{listed['id']}")).json()
    assert shown["input"]["value"]["earlier"] == {"price": {"amount": -5, "price": 500}}
    assert "Abandon" in shown["trace"]
    assert shown["error"]["detail"] == "The amount -5 cannot be shipped."
    assert "input" not in listed


async def test_a_letter_is_replayed_once(engine: Engine, desk: Desk, tenant: TenantId) -> None:
    counter = Counter(tenant)
    await fail(engine, tenant, counter, 5)
    (letter,) = await letters(desk, tenant)
    counter.is_mended = True
    answers = await asyncio.gather(*(desk.post(tenant, f"/dead-letters/{letter['id']}/replay") for _ in range(4)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["replayed_as"] for answer in answers}) == 1
    assert answers[0].json()["state"] == "replayed"
    late = await desk.post(tenant, f"/dead-letters/{letter['id']}/discard", {"reason": "too late"})
    assert (late.status_code, late.json()["code"]) == (409, "dead_letter_decided")
    assert len((await desk.get(tenant, "/runs")).json()["items"]) == 2
    assert await letters(desk, tenant, state="open") == []


async def test_a_letter_is_discarded_for_a_reason_and_taken_back(engine: Engine, desk: Desk, tenant: TenantId) -> None:
    await fail(engine, tenant, Counter(), 5)
    (letter,) = await letters(desk, tenant)
    path = f"/dead-letters/{letter['id']}"
    for bad in ({}, {"reason": ""}, {"reason": "  "}, {"reason": "x" * 501}, {"reason": "a\0"}):
        assert (await desk.post(tenant, f"{path}/discard", bad)).status_code == 422
    first = (await desk.post(tenant, f"{path}/discard", {"reason": "The order was cancelled."})).json()
    again = (await desk.post(tenant, f"{path}/discard", {"reason": "Another."})).json()
    assert (first["state"], first["reason"], first["decided_by"]) == ("discarded", "The order was cancelled.", "a key")
    assert again == first
    assert (await desk.post(tenant, f"{path}/replay")).status_code == 409
    restored = (await desk.post(tenant, f"{path}/restore")).json()
    assert (restored["state"], restored["reason"], restored["decided_by"]) == ("open", None, None)
    assert (await desk.post(tenant, f"{path}/restore")).json()["state"] == "open"


async def test_a_thousand_letters_are_replayed_each_once(
    engine: Engine, desk: Desk, database: Database, tenant: TenantId
) -> None:
    counter = Counter(tenant)
    await fail(engine, tenant, counter, *range(1, 1001))
    counter.is_mended, counter.priced = True, 0
    first = await desk.post(tenant, "/dead-letters:replay", {})
    assert first.status_code == 202, first.text
    assert 0 < first.json()["done"] < 1000
    second = await desk.post(tenant, "/dead-letters:replay", {"pipeline": "tests.shop"})
    carrying = [desk.operating.bulk.carry_on(batches=40) for _ in range(3)]  # as three workers would
    await asyncio.gather(*carrying)
    while await desk.operating.bulk.carry_on():
        pass
    ended = [(await desk.get(tenant, f"/bulk-actions/{each.json()['id']}")).json() for each in (first, second)]
    assert {each["state"] for each in ended} == {"finished"}
    assert sum(each["done"] for each in ended) == 1000
    async with database.tenant(tenant) as transaction:
        counts = await transaction.one(
            """
            select (select count(*) from run where tenant_id = %(tenant)s) as runs,
                   (select count(distinct retry_of) from run where tenant_id = %(tenant)s) as retried,
                   (select count(*) from dead_letter where tenant_id = %(tenant)s and state = 'replayed') as letters""",
            tenant=tenant,
        )
    assert counts == {"runs": 2000, "retried": 1000, "letters": 1000}
    assert (await desk.post(tenant, "/dead-letters:replay", {})).json()["done"] == 0
    assert counter.priced == 0


async def test_what_cannot_be_looked_for_is_refused_and_not_kept(desk: Desk, tenant: TenantId) -> None:
    for path in ("/dead-letters:replay", "/runs:cancel"):
        refused = await desk.post(tenant, path, {"version": 2**31})
        assert refused.status_code == 422, refused.text
    with pytest.raises(psycopg.DataError):
        await desk.operating.bulk.cancel_runs(
            Principal(tenant, PrincipalKind.API_KEY, "acme", frozenset({OPERATE})), RunFilter(version=2**31)
        )
    assert (await desk.get(tenant, "/bulk-actions")).json()["items"] == []


async def test_one_action_that_fails_leaves_the_others_going_on(
    engine: Engine,
    desk: Desk,
    database: Database,
    tenant: TenantId,
    other_tenant: TenantId,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Terms that no statement takes, as an older release may have kept them."""
    counter = Counter(tenant)
    await fail(engine, tenant, counter, *range(1, 301))
    asked = await desk.post(tenant, "/dead-letters:discard", {"reason": "acme"})
    assert asked.json()["state"] == "running", asked.text
    async with database.tenant(other_tenant) as transaction:
        row = {"id": new_id(), "kind": "cancel", "terms": '{"version": 3000000000}', "asker": "{}"}
        await bulk_store.add_bulk(transaction, row | {"reason": None, "asked_by": "acme"})
    await desk.operating.bulk.carry_on()
    assert "bulk_action_failed" in caplog.text
    assert (await desk.get(tenant, f"/bulk-actions/{asked.json()['id']}")).json()["state"] == "finished"
    async with database.tenant(other_tenant) as transaction:
        await transaction.run("delete from bulk_action where id = %(id)s", id=row["id"])


async def test_what_was_discarded_while_many_are_replayed_starts_nothing(
    engine: Engine, desk: Desk, tenant: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fail(engine, tenant, Counter(), 1)
    (letter,) = await letters(desk, tenant)
    retry = RunDesk.retry

    async def retry_too_late(self: RunDesk, principal: Principal, run: RunId, **more: Any) -> Run:
        assert (await desk.post(tenant, f"/dead-letters/{letter['id']}/discard", {"reason": "acme"})).status_code == 200
        return await retry(self, principal, run, **more)

    monkeypatch.setattr(RunDesk, "retry", retry_too_late)
    action = (await desk.post(tenant, "/dead-letters:replay", {})).json()
    assert (action["done"], action["skipped"]) == (0, 1)
    assert len((await desk.get(tenant, "/runs")).json()["items"]) == 1


async def test_items_that_their_step_tolerates_are_passed_over_without_a_problem(
    engine: Engine, desk: Desk, tenant: TenantId
) -> None:
    pipeline = squares(tolerance=0.2, bad=frozenset({3, 7}))
    run = await engine.pipelines.submit(tenant, pipeline, Number(10))
    async with engine.worker(pipeline):
        assert (await engine.finished(tenant, run.id)).status is RunStatus.SUCCEEDED
    await fail(engine, tenant, Counter(), 1)
    action = (await desk.post(tenant, "/dead-letters:replay", {})).json()
    assert (action["done"], action["skipped"], action["last_problem"]) == (1, 2, None)
    assert {each["item"] for each in await letters(desk, tenant, state="open")} == {3, 7}
    discarded = (await desk.post(tenant, "/dead-letters:discard", {"reason": "Known."})).json()
    assert (discarded["done"], discarded["skipped"]) == (2, 0)


async def test_items_of_a_run_that_failed_are_replayed_with_it(engine: Engine, desk: Desk, tenant: TenantId) -> None:
    pipeline = squares(tolerance=0.1, bad=frozenset({3, 7}))
    run = await engine.pipelines.submit(tenant, pipeline, Number(10))
    async with engine.worker(pipeline):
        assert (await engine.finished(tenant, run.id)).status is RunStatus.FAILED
    operating = build_operating(engine.database, engine.pipelines, Declared((pipeline,)))
    operator = Principal(tenant, PrincipalKind.API_KEY, "acme", frozenset({OPERATE}))
    action = await operating.bulk.replay_letters(operator, LetterFilter())
    assert (action.skipped, action.last_problem) == (0, None)
    assert await letters(desk, tenant, state="open") == []


async def test_a_group_is_discarded_for_a_reason(engine: Engine, desk: Desk, tenant: TenantId) -> None:
    await fail(engine, tenant, Counter(), 1, 2, 3)
    (group,) = (await desk.get(tenant, "/dead-letters/groups")).json()["items"]
    assert (await desk.post(tenant, "/dead-letters:discard", {"fingerprint": group["fingerprint"]})).status_code == 422
    body = {"fingerprint": group["fingerprint"], "reason": "Known; mended in version 2."}
    done = await desk.post(tenant, "/dead-letters:discard", body)
    assert (done.status_code, done.json()["done"], done.json()["state"]) == (200, 3, "finished")
    assert {each["reason"] for each in await letters(desk, tenant)} == {"Known; mended in version 2."}
    assert (await desk.get(tenant, "/dead-letters/groups")).json()["items"] == []


async def test_what_is_closed_to_the_asker_is_covered_and_left_alone(
    engine: Engine, desk: Desk, tenant: TenantId
) -> None:
    await fail(engine, tenant, Counter(), 77, subject="doc_secret")
    (letter,) = await letters(desk, tenant)
    path = f"/dead-letters/{letter['id']}"
    for place in ("/dead-letters", "/dead-letters/groups", path):
        told = await desk.get(tenant, place)
        assert COVERED in told.text
        assert "-77" not in told.text
    assert "-77" in (await desk.get(tenant, path, READ, "secrets")).text
    for action in ("replay", "discard", "restore"):
        assert (await desk.post(tenant, f"{path}/{action}", {"reason": "r"})).status_code == 403
    every = (await desk.post(tenant, "/dead-letters:replay")).json()
    assert (every["done"], every["skipped"]) == (0, 1)
    assert "closed" in every["last_problem"]
    reader = await desk.post(tenant, "/dead-letters:replay", None, "run.operate", "secrets")
    assert reader.json()["done"] == 1


async def test_many_runs_are_cancelled_and_others_go_on(engine: Engine, desk: Desk, tenant: TenantId) -> None:
    old, new = shop(Counter()), shop(Counter(), version=2)
    doomed = [await engine.pipelines.submit(tenant, old, Order(1)) for _ in range(120)]
    kept = await engine.pipelines.submit(tenant, new, Order(1))
    for empty in ({}, {"reason": "r"}):
        assert (await desk.post(tenant, "/runs:cancel", empty)).status_code == 422
    assert (await desk.post(tenant, "/runs:cancel", {"status": "failed"})).status_code == 422
    asked = await desk.post(tenant, "/runs:cancel", {"pipeline": "tests.shop", "version": 1})
    assert asked.status_code == 202
    while await desk.operating.bulk.carry_on():
        pass
    ended = (await desk.get(tenant, f"/bulk-actions/{asked.json()['id']}")).json()
    assert (ended["state"], ended["done"], ended["skipped"]) == ("finished", 120, 0)
    assert (await engine.pipelines.get_run(tenant, doomed[0].id)).status == "cancelled"
    assert (await engine.pipelines.get_run(tenant, kept.id)).status == "queued"
    every = await desk.post(tenant, "/runs:cancel", {"all": True})
    assert every.json()["done"] == 1


async def test_another_tenants_letters_and_actions_do_not_exist(
    engine: Engine, desk: Desk, tenant: TenantId, other_tenant: TenantId
) -> None:
    await fail(engine, tenant, Counter(), 5)
    (letter,) = await letters(desk, tenant)
    bulk = (await desk.post(tenant, "/dead-letters:discard", {"pipeline": "tests.other", "reason": "r"})).json()
    unknown = (letter["id"], show_id("dead", new_id()), "dead_x", "run_x", "%00")
    for wanted in unknown:
        assert (await desk.get(other_tenant, f"/dead-letters/{wanted}")).status_code == 404
        for action in ("replay", "discard", "restore"):
            answer = await desk.post(other_tenant, f"/dead-letters/{wanted}/{action}", {"reason": "r"})
            assert answer.status_code == 404, answer.text
    assert (await desk.get(other_tenant, f"/bulk-actions/{bulk['id']}")).status_code == 404
    assert (await desk.get(other_tenant, "/bulk-actions")).json()["items"] == []
    assert await letters(desk, other_tenant) == []
    assert (await desk.get(other_tenant, "/dead-letters/groups")).json()["items"] == []
    assert (await desk.post(other_tenant, "/dead-letters:replay")).json()["done"] == 0
    assert (await letters(desk, tenant))[0]["state"] == "open"


@pytest.mark.parametrize("path", ["/dead-letters:replay", "/dead-letters:discard", "/runs:cancel"])
async def test_many_are_decided_by_who_may(desk: Desk, tenant: TenantId, path: str) -> None:
    body = {"pipeline": "tests.shop"} | ({"reason": "r"} if path.endswith("discard") else {})
    refused = await desk.post(tenant, path, body, READ)
    assert refused.status_code == 403
    for hostile in (
        {"pipeline": "\0"},
        {"run": "run_x"},
        {"version": 10**30},
        {"pipeline": ["a"]},
        {"tenant": "other"},
    ):
        body = {**hostile, "reason": "r"}
        assert (await desk.post(tenant, path, body)).status_code in (404, 422)


async def test_the_operator_sees_codes_of_every_tenant_and_no_words(
    engine: Engine, desk: Desk, tenant: TenantId
) -> None:
    await fail(engine, tenant, Counter(), 4711)
    (letter,) = await letters(desk, tenant)
    page = await desk.operating.letters.list(None, PageRequest(200), LetterFilter())
    (seen,) = [each for each in page.items if each.tenant == tenant]
    assert (seen.error.code, seen.error.detail) == ("amount_refused", "")
    assert await desk.operating.letters.get_tenant_of(seen.id) == tenant
    assert "4711" in str(letter["error"])
    groups = await desk.operating.letters.list_groups(None)
    assert {each.example.error.detail for each in groups} == {""}
    runs = (await desk.operating.runs.list(None, PageRequest(), RunFilter())).items
    assert {run.error.detail for run in runs if run.error} <= {""}


async def test_a_full_backlog_puts_a_bulk_replay_off_and_loses_nothing(
    engine: Engine, desk: Desk, database: Database, tenant: TenantId
) -> None:
    counter = Counter(tenant)
    await fail(engine, tenant, counter, 1, 2, 3)
    counter.is_mended = True
    narrow = Pipelines(database, engine.valkey, backlog_limit=2)
    operating = build_operating(database, narrow, desk.operating.declared)
    asker = Principal(tenant, PrincipalKind.USER, "Ada", frozenset({OPERATE}))
    begun = await operating.bulk.replay_letters(asker, LetterFilter())
    assert (begun.state, begun.done, begun.skipped) == ("running", 2, 0)
    assert "the limit is 2" in str(begun.last_problem)
    (left,) = await letters(desk, tenant, state="open")
    with pytest.raises(BacklogFull) as refused:
        await operating.runs.retry(asker, RunId(read_id("run", str(left["run"]))))
    assert refused.value.retry_after_seconds
    assert await operating.bulk.carry_on() == 0
    await make_claims_expire(database, tenant)
    while await desk.operating.bulk.carry_on():
        pass
    ended = await desk.operating.bulk.get(tenant, begun.id)
    assert (ended.state, ended.done, ended.skipped) == ("finished", 3, 0)


async def make_claims_expire(database: Database, tenant: TenantId) -> None:
    async with database.tenant(tenant) as transaction:
        await transaction.run("update bulk_action set claimed_until = now() where claimed_until is not null")


async def test_what_is_drained_is_neither_retried_nor_replayed(
    engine: Engine, desk: Desk, database: Database, tenant: TenantId
) -> None:
    counter = Counter(tenant)
    await fail(engine, tenant, counter, 1, 2)
    newer, older = (await desk.get(tenant, "/runs")).json()["items"]
    counter.is_mended = True
    taken = (await desk.post(tenant, f"/runs/{older['id']}/retry")).json()
    hold = (await desk.post(tenant, "/holds", {"kind": "drain", "pipeline": "tests.shop", "reason": "a deploy"})).json()
    operating = build_operating(database, Pipelines(database, engine.valkey), desk.operating.declared)
    asker = Principal(tenant, PrincipalKind.USER, "Ada", frozenset({OPERATE}))
    for again in (operating.runs.retry, operating.runs.replay):
        with pytest.raises(PipelineDraining, match="a deploy"):
            await again(asker, RunId(read_id("run", newer["id"])))
    assert show_id("run", (await operating.runs.retry(asker, RunId(read_id("run", older["id"])))).id) == taken["id"]
    action = await operating.bulk.replay_letters(asker, LetterFilter())
    assert (action.state, action.done, action.skipped) == ("finished", 0, 1)
    await desk.send("DELETE", tenant, f"/holds/{hold['id']}")
    assert len(await letters(desk, tenant, state="open")) == 1
