"""Pipelines, steps and tenants are paused and drained, for a reason, and let go again."""

import pytest

from mainspring.foundation.ids import TenantId, new_id, show_id
from mainspring.orchestration.pipelines.operating import HoldKind
from mainspring.orchestration.pipelines.operating.run_routes import READ

from .conftest import Desk


async def test_a_hold_is_made_once_seen_and_released(desk: Desk, tenant: TenantId) -> None:
    body = {"kind": "pause", "pipeline": "tests.shop", "step": "ship", "reason": "The carrier is away."}
    made = await desk.post(tenant, "/holds", body)
    again = await desk.post(tenant, "/holds", {**body, "reason": "Another reason."})
    assert (made.status_code, again.status_code) == (201, 201)
    assert again.json() == made.json()
    listed = (await desk.get(tenant, "/holds")).json()["items"]
    assert [hold["id"] for hold in listed] == [made.json()["id"]]
    assert made.json()["reason"] == "The carrier is away."
    released = await desk.send("DELETE", tenant, f"/holds/{made.json()['id']}")
    assert released.status_code == 200
    assert (await desk.send("DELETE", tenant, f"/holds/{made.json()['id']}")).status_code == 404


async def test_the_whole_tenant_and_one_pipeline_are_held_apart(desk: Desk, tenant: TenantId) -> None:
    for body in ({"kind": "drain"}, {"kind": "pause"}, {"kind": "pause", "pipeline": "tests.shop"}):
        assert (await desk.post(tenant, "/holds", {**body, "reason": "Upgrade."})).status_code == 201
    mine = (await desk.get(tenant, "/holds")).json()["items"]
    assert [(hold["kind"], hold["pipeline"]) for hold in mine] == [
        ("pause", "tests.shop"),
        ("pause", None),
        ("drain", None),
    ]


async def test_another_tenant_neither_sees_nor_releases_a_hold(
    desk: Desk, tenant: TenantId, other_tenant: TenantId
) -> None:
    made = (await desk.post(tenant, "/holds", {"reason": "Upgrade."})).json()
    seen = (await desk.get(other_tenant, "/holds")).json()["items"]
    assert made["id"] not in [hold["id"] for hold in seen]
    for wanted in (made["id"], show_id("hold", new_id()), "hold_x", "run_x", "%00"):
        assert (await desk.send("DELETE", other_tenant, f"/holds/{wanted}")).status_code == 404
    assert (await desk.send("DELETE", tenant, f"/holds/{made['id']}")).status_code == 200


async def test_the_operators_hold_is_the_operators_to_release(desk: Desk, tenant: TenantId) -> None:
    held = await desk.operating.holds.hold(
        None, HoldKind.PAUSE, ("tests.nobodys_pipeline", None), reason="Incident 7.", by="root@host"
    )
    try:
        assert (await desk.get(tenant, "/holds")).json()["items"] == []
        assert (await desk.send("DELETE", tenant, f"/holds/{show_id('hold', held.id)}")).status_code == 404
        assert held.id in {each.id for each in await desk.operating.holds.list(None)}
    finally:
        await desk.operating.holds.release(None, held.id)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"reason": ""},
        {"reason": " "},
        {"reason": "x" * 501},
        {"reason": "r", "step": "ship"},
        {"reason": "r", "pipeline": "Not A Name"},
        {"reason": "r", "pipeline": "\0"},
        {"reason": "a\0b"},
        {"reason": "r", "pipeline": "a" * 5000},
        {"reason": "r", "kind": "stop"},
        {"reason": "r", "tenant_id": "another"},
        {"reason": {"a": 1}},
    ],
)
async def test_a_hold_that_makes_no_sense_is_refused(desk: Desk, tenant: TenantId, body: object) -> None:
    answer = await desk.post(tenant, "/holds", body)
    assert answer.status_code == 422, answer.text


async def test_who_may_only_look_holds_nothing(desk: Desk, tenant: TenantId) -> None:
    refused = await desk.post(tenant, "/holds", {"reason": "r"}, READ)
    assert refused.status_code == 403
    assert "run.operate" in refused.json()["detail"]
