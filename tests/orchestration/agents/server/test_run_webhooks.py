"""The webhook of a run: posted when it ends, whichever way, through the guard and under a signature."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from langgraph_sdk.errors import ConflictError, UnprocessableEntityError
from standardwebhooks.webhooks import Webhook

from mainspring.foundation.ids import TenantId
from mainspring.foundation.outbox import relay
from mainspring.foundation.pagination import PageRequest
from mainspring.orchestration.delivery import Endpoint, EndpointUpdate
from tests.orchestration.delivery.receiver import Answer, Receiver, receiving
from tests.orchestration.delivery.scenes import HOST, admin

from .conftest import GIVEN, Client
from .serve import Served
from .test_runs import new_thread, started


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as running:
        yield running


async def deliver(served: Served) -> None:
    """Bring the news of ended runs to the delivery room, and send what is due."""
    while await relay(served.house.database, served.server.build_subscribers()):
        pass  # other tests' runs have ended too
    await served.hooks.sender.deliver_due()


async def tenant_of(served: Served, run: str) -> TenantId:
    async with served.house.database.system() as transaction:
        row = await transaction.one("select tenant_id from agent_run where id = %(id)s", id=run)
    return TenantId(row["tenant_id"])


async def endpoint_of(served: Served, run: str) -> Endpoint:
    (found,) = await served.hooks.endpoints.list(admin(await tenant_of(served, run)))
    return found


async def test_the_end_of_a_run_is_posted_to_its_webhook_with_what_it_came_to(
    served: Served, client: Client, receiver: Receiver
):
    thread, url = await new_thread(client), f"http://{HOST}:{receiver.port}/hook?mine=1"
    run: Any = await client.runs.create(thread, "factory_agent", input={"text": "hi"}, webhook=url)
    values = await client.runs.join(thread, run["run_id"])
    await deliver(served)
    await deliver(served)
    (got,) = receiver.got
    body = msgspec.json.decode(got.body)
    assert got.path == "/hook?mine=1"
    assert (body["run_id"], body["thread_id"], body["status"]) == (run["run_id"], thread, "success")
    assert body["values"] == values
    assert body["run_started_at"] <= body["run_ended_at"]
    endpoint = await endpoint_of(served, run["run_id"])
    owner = admin(await tenant_of(served, run["run_id"]))
    secret = await served.hooks.endpoints.rotate(owner, endpoint.id, overlap=timedelta(0))
    (delivery,) = (await served.hooks.endpoints.list_deliveries(owner, endpoint.id, PageRequest(10))).items
    await served.hooks.endpoints.replay(owner, endpoint.id, delivery.id)
    await served.hooks.sender.deliver_due()
    assert Webhook(secret).verify(receiver.got[1].body, dict(receiver.got[1].headers))["run_id"] == run["run_id"]
    assert receiver.got[1].path == got.path


async def test_a_failed_run_and_a_stopped_one_are_posted_too(served: Served, client: Client, receiver: Receiver):
    thread, url = await new_thread(client), f"http://{HOST}:{receiver.port}/hook"
    failed: Any = await client.runs.create(thread, "faulty_agent", input={"text": "lift"}, webhook=url)
    assert "__error__" in await client.runs.join(thread, failed["run_id"])
    other = await new_thread(client)
    stopped = await started(client, other, webhook=url)
    await client.runs.cancel(other, stopped)
    await deliver(served)
    told = {body["run_id"]: body for body in (msgspec.json.decode(got.body) for got in receiver.got)}
    assert told[failed["run_id"]]["error"]["error"] == "agent_failed"
    assert told[stopped]["status"] == "interrupted"


@pytest.mark.parametrize("url", ["http://127.0.0.1/hook", "https://169.254.169.254/", "/hook", "http://example.com/"])
async def test_an_address_that_no_webhook_may_be_is_refused_with_the_run(client: Client, url: str):
    thread = await new_thread(client)
    with pytest.raises(UnprocessableEntityError):
        await client.runs.create(thread, "factory_agent", input={"text": "hi"}, webhook=url)
    assert await client.runs.list(thread) == []
    with pytest.raises(UnprocessableEntityError):
        await client.crons.create("factory_agent", schedule="0 0 1 1 *", webhook=url)


async def test_the_hosts_of_webhooks_are_endpoints_that_are_turned_off(
    served: Served, client: Client, receiver: Receiver
):
    receiver.answer = lambda got: Answer(410 if got.path == "/gone" else 200)
    thread, host = await new_thread(client), f"http://{HOST}:{receiver.port}"
    for path in ("gone", "hook"):
        run: Any = await client.runs.create(thread, "factory_agent", input=GIVEN, webhook=f"{host}/{path}")
        await client.runs.join(thread, run["run_id"])
        await deliver(served)
    assert [got.path for got in receiver.got] == ["/gone", "/hook"]
    owner, endpoint = admin(await tenant_of(served, run["run_id"])), await endpoint_of(served, run["run_id"])
    assert (endpoint.state, endpoint.topics) == ("on", ())
    await served.hooks.endpoints.update(owner, endpoint.id, EndpointUpdate(is_on=False))
    with pytest.raises(ConflictError):
        await client.runs.create(thread, "factory_agent", input=GIVEN, webhook=f"{host}/third")
