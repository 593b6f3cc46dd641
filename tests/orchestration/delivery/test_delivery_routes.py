"""Delivery over HTTP: who may, what is shown, and what another tenant meets."""

import asyncio
import json
from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import pytest
from standardwebhooks.webhooks import Webhook

from mainspring.foundation.db import Database
from mainspring.foundation.errors import Unauthenticated
from mainspring.foundation.http import create_app
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.principal import Principal, PrincipalKind
from mainspring.foundation.valkey import Valkey
from mainspring.foundation.vault import LocalKeyWrapper, Vault
from mainspring.orchestration.delivery import Beneath, Delivery, DeliverySettings, build_delivery
from mainspring.orchestration.delivery.routes import build_router
from mainspring.orchestration.pipelines import Pipelines

from .receiver import Receiver
from .scenes import Post
from .test_cloudevents import billing

KEEP, START = "delivery.manage", "ai.analysis.trigger"
WEBHOOK = {"url": "https://example.com/hook", "topics": ["run.finished"]}
TRIGGER = {"kind": "nats", "url": "nats://example.com", "address": "ORDERS/us", "pipeline": "billing.book"}
SINK = {"kind": "nats", "url": "nats://example.com", "address": "events.out", "topics": ["*"]}


class Doorman:
    """Lets in who names a tenant and permissions as the bearer."""

    async def authenticate(
        self, *, bearer: str | None, cookie: str | None, csrf: str | None, unsafe: bool
    ) -> Principal:
        if not bearer:
            raise Unauthenticated("Send a key.")
        tenant, _, permissions = bearer.partition(":")
        return Principal(TenantId(UUID(tenant)), PrincipalKind.API_KEY, "a key", frozenset(permissions.split(",")))


def key(tenant: TenantId, *permissions: str) -> dict[str, str]:
    """The headers of a caller."""
    return {"authorization": f"Bearer {tenant}:{','.join(permissions)}"}


@pytest.fixture
def delivery(database: Database, valkey: Valkey) -> Delivery:
    """The room as the platform builds it."""
    vault = Vault(database, LocalKeyWrapper([bytes(32)]))
    beneath = Beneath(database, vault, Pipelines(database, valkey), startable=[billing()])
    return build_delivery(beneath, DeliverySettings())


@pytest.fixture
async def api(delivery: Delivery) -> AsyncIterator[httpx.AsyncClient]:
    """Its routes."""
    app = create_app(Doorman(), title="Test", version="0")
    app.include_router(build_router(delivery))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def test_a_webhook_is_created_tried_changed_and_deleted(api: httpx.AsyncClient, tenant: TenantId):
    caller = key(tenant, KEEP)
    created = (await api.post("/v1/webhooks", json=WEBHOOK, headers=caller)).json()
    assert created["secret"].startswith("whsec_")
    path = f"/v1/webhooks/{created['id']}"
    shown = (await api.get(path, headers=caller)).json()
    assert "secret" not in shown
    assert (shown["state"], shown["health"]["success_rate"]) == ("on", None)
    assert [each["id"] for each in (await api.get("/v1/webhooks", headers=caller)).json()["items"]] == [created["id"]]
    tried = await api.post(f"{path}/test", headers=caller)
    assert (tried.status_code, tried.json()["topic"]) == (202, "webhook.test")
    deliveries = (await api.get(f"{path}/deliveries", headers=caller)).json()
    assert [each["id"] for each in deliveries["items"]] == [tried.json()["id"]]
    detail = (await api.get(f"{path}/deliveries/{tried.json()['id']}", headers=caller)).json()
    assert (detail["state"], detail["tries"]) == ("pending", [])
    off = (await api.patch(path, json={"is_on": False}, headers=caller)).json()
    assert (off["state"], off["state_reason"]) == ("off", "Turned off by a key.")
    refused = await api.post(f"{path}/test", headers=caller)
    assert (refused.status_code, refused.json()["code"]) == (409, "endpoint_off")
    rotated = (await api.post(f"{path}/rotate", json={"overlap_hours": 0}, headers=caller)).json()
    assert rotated["secret"] not in ("", created["secret"])
    assert (await api.delete(path, headers=caller)).status_code == 204
    assert (await api.get(path, headers=caller)).status_code == 404


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({**WEBHOOK, "url": "https://10.0.0.1/"}, "url_refused"),
        ({**WEBHOOK, "url": "http://example.com/"}, "endpoint_invalid"),
        ({**WEBHOOK, "topics": ["no topic!"]}, "endpoint_invalid"),
        ({**WEBHOOK, "topics": []}, "invalid_input"),
        ({**WEBHOOK, "format": "xml"}, "invalid_input"),
        ({**WEBHOOK, "description": "a\0b"}, "endpoint_invalid"),
    ],
)
async def test_what_cannot_be_a_webhook_is_refused(
    api: httpx.AsyncClient, tenant: TenantId, body: dict[str, object], code: str
):
    answer = await api.post("/v1/webhooks", json=body, headers=key(tenant, KEEP))
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_a_bridge_is_no_webhook_and_the_other_way_round(api: httpx.AsyncClient, tenant: TenantId):
    caller = key(tenant, KEEP)
    sink = (await api.post("/v1/bridges/sinks", json=SINK, headers=caller)).json()
    assert (sink["kind"], sink["format"], sink["secret"]) == ("nats", "cloudevents", None)
    assert (await api.get(f"/v1/webhooks/{sink['id']}", headers=caller)).status_code == 404
    assert (await api.get(f"/v1/bridges/sinks/{sink['id']}", headers=caller)).status_code == 200
    assert (await api.get("/v1/webhooks", headers=caller)).json()["items"] == []
    wrong = await api.post("/v1/bridges/sinks", json={**SINK, "kind": "webhook"}, headers=caller)
    assert wrong.json()["code"] == "endpoint_invalid"


async def test_events_start_runs_in_each_form(api: httpx.AsyncClient, tenant: TenantId):
    keeper, sender = key(tenant, KEEP), key(tenant, START)
    body = {"type": "invoice.paid", "pipeline": "billing.book"}
    made = await api.post("/v1/events/subscriptions", json=body, headers=keeper)
    assert made.status_code == 201
    event = {"specversion": "1.0", "id": "1", "source": "/s", "type": "invoice.paid", "data": {"invoice": 1}}
    structured = {**sender, "content-type": "application/cloudevents+json"}
    first = await api.post("/v1/events", content=json.dumps(event), headers=structured)
    assert first.status_code == 202
    binary = {**sender, "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "invoice.paid"}
    second = await api.post("/v1/events", content=b'{"invoice": 1}', headers=binary)
    assert second.json()["items"][0]["runs"] == first.json()["items"][0]["runs"]
    batch = {**sender, "content-type": "application/cloudevents-batch+json"}
    third = await api.post("/v1/events", content=json.dumps([event, {**event, "id": "2"}]), headers=batch)
    assert len({run for item in third.json()["items"] for run in item["runs"]}) == 2
    unknown = await api.post("/v1/events", content=json.dumps({**event, "type": "x"}), headers=structured)
    assert (unknown.status_code, unknown.json()["code"]) == (422, "event_unknown")
    assert "invoice.paid" in unknown.json()["detail"]
    reused = await api.post("/v1/events", content=json.dumps({**event, "data": {"invoice": 2}}), headers=structured)
    assert (reused.status_code, reused.json()["code"]) == (409, "idempotency_key_reused")
    path = f"/v1/events/subscriptions/{made.json()['id']}"
    assert (await api.delete(path, headers=keeper)).status_code == 204


async def test_a_trigger_is_created_turned_off_and_deleted(api: httpx.AsyncClient, tenant: TenantId):
    caller = key(tenant, KEEP)
    secret = json.dumps({"user": "u", "password": "very-secret-word"})
    made = await api.post("/v1/bridges/triggers", json={**TRIGGER, "secret": secret}, headers=caller)
    assert made.status_code == 201
    path = f"/v1/bridges/triggers/{made.json()['id']}"
    assert (await api.patch(path, json={"is_on": False}, headers=caller)).json()["is_on"] is False
    listed = await api.get("/v1/bridges/triggers", headers=caller)
    assert "very-secret-word" not in listed.text + made.text
    assert (await api.get(f"{path}/refusals", headers=caller)).json() == {"items": [], "next_cursor": None}
    assert (await api.delete(path, headers=caller)).status_code == 204
    bad = await api.post("/v1/bridges/triggers", json={**TRIGGER, "secret": "not json"}, headers=caller)
    assert bad.json()["code"] == "endpoint_invalid"


async def test_without_the_permission_nothing_is_told(api: httpx.AsyncClient, tenant: TenantId):
    caller = key(tenant, "ai.output.view")
    for method, path in (
        ("GET", "/v1/webhooks"),
        ("GET", f"/v1/webhooks/ep_{'0' * 26}"),
        ("GET", "/v1/bridges/sinks"),
        ("GET", "/v1/bridges/triggers"),
        ("GET", "/v1/events/subscriptions"),
        ("POST", "/v1/events"),
    ):
        assert (await api.request(method, path, headers=caller)).status_code == 403, path
        assert (await api.request(method, path)).status_code == 401, path


async def test_another_tenant_meets_what_is_not_there(api: httpx.AsyncClient, tenant: TenantId, other_tenant: TenantId):
    caller, stranger = key(tenant, KEEP), key(other_tenant, KEEP)
    webhook = (await api.post("/v1/webhooks", json=WEBHOOK, headers=caller)).json()["id"]
    trigger = (await api.post("/v1/bridges/triggers", json=TRIGGER, headers=caller)).json()["id"]
    for method, path, body in (
        ("GET", f"/v1/webhooks/{webhook}", None),
        ("PATCH", f"/v1/webhooks/{webhook}", {}),
        ("DELETE", f"/v1/webhooks/{webhook}", None),
        ("POST", f"/v1/webhooks/{webhook}/rotate", {}),
        ("POST", f"/v1/webhooks/{webhook}/test", None),
        ("GET", f"/v1/webhooks/{webhook}/deliveries", None),
        ("POST", f"/v1/webhooks/{webhook}/replay", {"since": "2026-01-01T00:00:00Z"}),
        ("GET", f"/v1/bridges/triggers/{trigger}", None),
        ("DELETE", f"/v1/bridges/triggers/{trigger}", None),
    ):
        assert (await api.request(method, path, json=body, headers=stranger)).status_code == 404, path


async def test_the_worker_s_loop_delivers_and_stops(post: Post, receiver: Receiver):
    created = await post.add(receiver.port)
    stop = asyncio.Event()
    running = asyncio.create_task(post.sender.run(stop))
    await post.tell("run.finished", run=str(new_id()))
    async with asyncio.timeout(10):
        while not receiver.got:  # noqa: ASYNC110 - the receiver is another party
            await asyncio.sleep(0.01)
    stop.set()
    await running
    assert created.secret
    Webhook(created.secret).verify(receiver.got[0].body, dict(receiver.got[0].headers))
