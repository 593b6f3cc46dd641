"""The client's webhooks, against the routes as a server has them."""

import asyncio
from datetime import timedelta

import pytest
import uvicorn
from standardwebhooks.webhooks import Webhook as Verifier

from mainspring.entry.client import ApiError, MainspringClient
from mainspring.foundation.clock import now
from mainspring.foundation.db import Database
from mainspring.foundation.http import create_app
from mainspring.foundation.ids import TenantId
from mainspring.foundation.valkey import Valkey
from mainspring.orchestration.delivery import Beneath, DeliverySettings, build_delivery
from mainspring.orchestration.delivery.routes import build_router
from mainspring.orchestration.pipelines import Pipelines

from .receiver import Receiver
from .scenes import Post
from .test_cloudevents import billing
from .test_delivery_routes import Doorman


def use(client: MainspringClient) -> tuple[str, str]:
    """Everything that the client can do with a webhook, but following what was sent; its id and first secret."""
    made = client.webhooks.create("https://example.com/hook", ["run.finished"], description="ours")
    assert (made.state, made.health.success_rate, made.format) == ("on", None, "standard-webhooks")
    assert [each.id for each in client.webhooks.list()] == [made.id]
    assert client.webhooks.rotate(made.id) != made.secret
    assert client.webhooks.change(made.id, is_on=False).state == "off"
    with pytest.raises(ApiError) as refused:
        client.webhooks.send_test(made.id)
    assert refused.value.code == "endpoint_off"
    client.webhooks.change(made.id, is_on=True)
    sent = client.webhooks.send_test(made.id)
    assert [each.id for each in client.webhooks.deliveries(made.id, state="pending")] == [sent.id]
    assert client.webhooks.get_delivery(made.id, sent.id).tries == ()
    assert client.webhooks.replay(made.id, sent.id).event == sent.event
    assert client.webhooks.replay_since(made.id, now() - timedelta(hours=1)) == 0
    client.webhooks.delete(made.id)
    with pytest.raises(ApiError) as gone:
        client.webhooks.get(made.id)
    assert gone.value.status == 404
    with pytest.raises(ApiError) as unknown:
        client.send_event("invoice.paid", "/billing", {"invoice": 1})
    assert unknown.value.code == "event_unknown"
    return made.id, made.secret


async def test_the_client_keeps_webhooks_and_sends_events(
    database: Database, valkey: Valkey, tenant: TenantId, post: Post, receiver: Receiver
):
    delivery = build_delivery(
        Beneath(database, post.vault, Pipelines(database, valkey), startable=[billing()]), DeliverySettings()
    )
    app = create_app(Doorman(), title="Test", version="0")
    app.include_router(build_router(delivery))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - the server has no event for it
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    bearer = f"{tenant}:delivery.manage,ai.analysis.trigger"
    with MainspringClient(f"http://127.0.0.1:{port}", bearer) as client:
        _, secret = await asyncio.to_thread(use, client)
    assert Verifier(secret)
    server.should_exit = True
    await serving
