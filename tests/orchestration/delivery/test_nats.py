"""The bridge to NATS JetStream, against the real server: messages start runs once, and events arrive once."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_structured_event
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import StreamConfig

from mainspring.foundation.clock import now
from mainspring.foundation.db import Database
from mainspring.foundation.errors import NotFound, RateLimited
from mainspring.foundation.ids import TenantId, new_id, show_id
from mainspring.foundation.outbox import OutboxEvent
from mainspring.foundation.pagination import PageRequest
from mainspring.foundation.valkey import Valkey
from mainspring.foundation.vault import LocalKeyWrapper, Vault
from mainspring.foundation.webguard import Gate, UrlRefused
from mainspring.orchestration.delivery import (
    Announcer,
    DeliveryState,
    Describer,
    EndpointInvalid,
    EndpointKind,
    Endpoints,
    Format,
    NewEndpoint,
    Sender,
    WebhookTransport,
)
from mainspring.orchestration.delivery.bridges import (
    Consumer,
    Installed,
    NewTrigger,
    QueueTransport,
    Trigger,
    Triggers,
    broker_reach,
)
from mainspring.orchestration.delivery.bridges.nats import CREDENTIALS, Nats
from mainspring.orchestration.delivery.parts import build_checks
from mainspring.orchestration.delivery.starting import Starter
from mainspring.orchestration.pipelines import Pipeline, Pipelines, Run, StepRun

from .broker import PASSWORD, USER, Broker, running_broker
from .scenes import SOURCE, Names, admin, gate

HOST = "nats.corp"
SECRET = json.dumps({"user": USER, "password": PASSWORD})


@dataclass(frozen=True, slots=True)
class Order:
    number: int


def orders() -> Pipeline:
    """What messages start."""
    pipeline = Pipeline("orders.take", version=1)

    @pipeline.step("take", title="Take it")
    async def take(order: Order, run: StepRun) -> Order:
        return order

    return pipeline


class Reluctant(Pipelines):
    """Refuses the first submissions, as a full backlog does."""

    refusals = 0

    async def submit(self, *arguments: object, **keywords: object) -> Run:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The run, unless the backlog is said to be full."""
        if self.refusals > 0:
            self.refusals -= 1
            raise RateLimited("The backlog is full.", retry_after_seconds=1)
        return await super().submit(*arguments, **keywords)  # pyright: ignore[reportArgumentType]


@dataclass(frozen=True, slots=True)
class Bridge:
    """Both directions of a bridge of one tenant."""

    database: Database
    tenant: TenantId
    broker: Broker
    pipelines: Reluctant
    triggers: Triggers
    endpoints: Endpoints
    announcer: Announcer
    sender: Sender
    make_consumer: Callable[[], Consumer]

    @property
    def url(self) -> str:
        return f"nats://{HOST}:{self.broker.port}"

    async def listen(self) -> Trigger:
        """A trigger on the stream of orders."""
        new = NewTrigger(EndpointKind.NATS, self.url, "ORDERS/bridge", "orders.take", secret=SECRET)
        return await self.triggers.create(admin(self.tenant), new)

    @asynccontextmanager
    async def consuming(self) -> AsyncGenerator[None]:
        """A consumer in the background."""
        stop = asyncio.Event()
        running = asyncio.create_task(self.make_consumer().run(stop))
        try:
            yield
        finally:
            stop.set()
            await running

    async def numbers(self) -> list[int]:
        """The orders that runs were started for."""
        async with self.database.tenant(self.tenant) as transaction:
            rows = await transaction.all("select input from run order by id")
        return [row["input"]["number"] for row in rows]

    async def tell(self, topic: str) -> OutboxEvent:
        event = OutboxEvent(new_id(), self.tenant, topic, {"thing": 1}, now())
        await self.announcer.announce(event)
        return event


async def until(claim: Callable[[], Awaitable[bool]], seconds: float = 20) -> None:
    """Return as soon as it holds."""
    async with asyncio.timeout(seconds):
        while not await claim():  # noqa: ASYNC110 - the claim is about other processes
            await asyncio.sleep(0.05)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A server of this test."""
    with running_broker(tmp_path) as running:
        yield running


@pytest.fixture
async def client(broker: Broker) -> AsyncIterator[Client]:
    """A client of the test, with a stream of orders and one of events."""
    connected = await broker.connect()
    stream = connected.jetstream()
    await stream.add_stream(StreamConfig(name="ORDERS", subjects=["orders.>"]))
    await stream.add_stream(StreamConfig(name="EVENTS", subjects=["events.>"]))
    yield connected
    await connected.close()


@pytest.fixture
async def bridge(
    database: Database, valkey: Valkey, tenant: TenantId, broker: Broker, client: Client
) -> AsyncIterator[Bridge]:
    """All parts put together as the platform does."""
    vault, pipelines = Vault(database, LocalKeyWrapper([bytes(32)])), Reluctant(database, valkey)
    reach = broker_reach("MAINSPRING_DELIVERY_HOSTS", frozenset({f"{HOST}:{broker.port}"}))
    installed = {EndpointKind.NATS: Installed(Nats(Gate(reach, resolver=Names())), CREDENTIALS)}
    starter, describer = Starter(pipelines, [orders()]), Describer(SOURCE)
    transport = QueueTransport(installed[EndpointKind.NATS].kind, CREDENTIALS, describer)
    checks = build_checks(WebhookTransport(gate(), describer), installed)
    yield Bridge(
        database=database,
        tenant=tenant,
        broker=broker,
        pipelines=pipelines,
        triggers=Triggers(database, vault, starter, installed),
        endpoints=Endpoints(database, vault, checks),
        announcer=Announcer(database),
        sender=Sender(database, vault, {EndpointKind.NATS: transport}, sample=lambda: 0.5),
        make_consumer=lambda: Consumer(database, vault, starter, installed),
    )
    await transport.close()


async def send(stream: JetStreamContext, number: object, **headers: str) -> None:
    """An order."""
    await stream.publish("orders.new", json.dumps({"number": number}).encode(), headers=headers or None)


async def test_each_message_starts_one_run(bridge: Bridge, client: Client):
    stream = client.jetstream()
    for number in range(5):
        await send(stream, number)
    trigger = await bridge.listen()

    async def all_taken() -> bool:
        return (await bridge.triggers.get(admin(bridge.tenant), trigger.id)).taken == 5

    async with bridge.consuming():
        await until(all_taken)
    assert sorted(await bridge.numbers()) == list(range(5))
    left = await stream.consumer_info("ORDERS", "bridge")
    assert (left.num_pending, left.num_ack_pending) == (0, 0)


async def test_a_message_that_was_stored_but_not_acknowledged_starts_nothing_again(bridge: Bridge, client: Client):
    await send(client.jetstream(), 1)
    trigger = await bridge.listen()
    async with bridge.consuming():
        await until(lambda: _has_taken(bridge, trigger, 1))
    await client.jetstream().delete_consumer("ORDERS", "bridge")  # as if no acknowledgement had arrived
    async with bridge.consuming():
        await until(lambda: _has_taken(bridge, trigger, 2))
    assert await bridge.numbers() == [1]


async def _has_taken(bridge: Bridge, trigger: Trigger, count: int) -> bool:
    return (await bridge.triggers.get(admin(bridge.tenant), trigger.id)).taken >= count


async def test_a_cloudevent_in_a_message_is_named_by_its_source_and_id(bridge: Bridge, client: Client):
    event = {"specversion": "1.0", "id": "1", "source": "/shop", "type": "order.made", "data": {"number": 7}}
    kind = {"Content-Type": "application/cloudevents+json"}
    binary = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/shop", "ce-type": "order.made"}
    trigger = await bridge.listen()
    await client.jetstream().publish("orders.new", json.dumps(event).encode(), headers=kind)
    await client.jetstream().publish("orders.new", b'{"number": 7}', headers=binary)
    async with bridge.consuming():
        await until(lambda: _has_taken(bridge, trigger, 2))
    assert await bridge.numbers() == [7]


async def test_a_message_of_no_use_is_written_down_and_never_comes_again(bridge: Bridge, client: Client):
    stream = client.jetstream()
    await send(stream, "seven")
    await stream.publish("orders.new", b"not json")
    await send(stream, 7)
    trigger = await bridge.listen()
    async with bridge.consuming():
        await until(lambda: _has_taken(bridge, trigger, 1))
    page = await bridge.triggers.list_refusals(admin(bridge.tenant), trigger.id, PageRequest())
    assert [each.excerpt for each in page.items] == ["not json", '{"number": "seven"}']
    assert "does not fit" in page.items[1].reason
    left = await stream.consumer_info("ORDERS", "bridge")
    assert (left.num_pending, left.num_ack_pending) == (0, 0)


async def test_a_full_backlog_gives_the_message_back_and_takes_it_later(bridge: Bridge, client: Client):
    bridge.pipelines.refusals = 1
    await send(client.jetstream(), 1)
    trigger = await bridge.listen()
    async with bridge.consuming():
        await until(lambda: _has_taken(bridge, trigger, 1))
    assert await bridge.numbers() == [1]
    assert (await bridge.triggers.get(admin(bridge.tenant), trigger.id)).refused == 0


async def test_a_broker_that_is_killed_and_comes_back_loses_nothing(bridge: Bridge, client: Client):
    stream, caller = client.jetstream(), admin(bridge.tenant)
    await send(stream, 1)
    trigger = await bridge.listen()
    sink = NewEndpoint(bridge.url, ("*",), EndpointKind.NATS, Format.CLOUDEVENTS, "events.out", secret=SECRET)
    created = await bridge.endpoints.create(caller, sink)
    async with bridge.consuming():
        await until(lambda: _has_taken(bridge, trigger, 1))
        bridge.broker.kill()
        event = await bridge.tell("thing.made")
        await bridge.sender.deliver_due()
        (delivery,) = (await bridge.endpoints.list_deliveries(caller, created.endpoint.id, PageRequest())).items
        assert delivery.state is DeliveryState.PENDING

        async def has_trouble() -> bool:
            return (await bridge.triggers.get(caller, trigger.id)).trouble is not None

        await until(has_trouble)
        bridge.broker.start()
        again = await bridge.broker.connect()
        await send(again.jetstream(), 2)
        await until(lambda: _has_taken(bridge, trigger, 2), 60)
        assert (await bridge.triggers.get(caller, trigger.id)).trouble is None
    await bridge.endpoints.replay(caller, created.endpoint.id, delivery.id)
    await bridge.sender.deliver_due()
    (message,) = await _drain(again)
    assert from_structured_event(HTTPMessage(headers=message[0], body=message[1])).get_id() == show_id("evt", event.id)
    assert sorted(await bridge.numbers()) == [1, 2]
    with suppress(Exception):
        await client.close()
    await again.close()


async def _drain(client: Client) -> list[tuple[dict[str, str], bytes]]:
    consumer = await client.jetstream().pull_subscribe("events.>", durable="drain")
    return [(dict(each.headers or {}), each.data) for each in await consumer.fetch(10, timeout=2)]


async def test_an_event_is_published_once_however_often_it_is_sent(bridge: Bridge, client: Client):
    caller = admin(bridge.tenant)
    sink = NewEndpoint(
        bridge.url, ("thing.*",), EndpointKind.NATS, Format.CLOUDEVENTS_BINARY, "events.out", secret=SECRET
    )
    created = await bridge.endpoints.create(caller, sink)
    assert created.secret is None
    event = await bridge.tell("thing.made")
    assert await bridge.sender.deliver_due() == 1
    (delivery,) = (await bridge.endpoints.list_deliveries(caller, created.endpoint.id, PageRequest())).items
    assert delivery.state is DeliveryState.DELIVERED
    await bridge.endpoints.replay(caller, created.endpoint.id, delivery.id)
    assert await bridge.sender.deliver_due() == 1
    ((headers, body),) = await _drain(client)
    assert (headers["ce-type"], headers["ce-id"], json.loads(body)) == (
        "thing.made",
        show_id("evt", event.id),
        {"thing": 1},
    )


async def test_a_subject_without_a_stream_is_a_failure_that_is_told(bridge: Bridge):
    caller = admin(bridge.tenant)
    sink = NewEndpoint(bridge.url, ("*",), EndpointKind.NATS, Format.CLOUDEVENTS, "nowhere", secret=SECRET)
    created = await bridge.endpoints.create(caller, sink)
    await bridge.tell("thing.made")
    await bridge.sender.deliver_due()
    health = (await bridge.endpoints.get(caller, created.endpoint.id)).health
    assert health.last_failure
    assert "nowhere" in health.last_failure


async def test_wrong_credentials_are_told_and_not_repeated_in_words(bridge: Bridge):
    wrong = json.dumps({"user": "bridge", "password": "guessed-word"})
    new = NewTrigger(EndpointKind.NATS, bridge.url, "ORDERS/bridge", "orders.take", secret=wrong)
    trigger = await bridge.triggers.create(admin(bridge.tenant), new)
    told: list[str] = []

    async def has_trouble() -> bool:
        told[:] = [(await bridge.triggers.get(admin(bridge.tenant), trigger.id)).trouble or ""]
        return bool(told[0])

    async with bridge.consuming():
        await until(has_trouble)
    assert "cannot be reached" in told[0]
    assert "guessed-word" not in told[0]


async def test_two_consumers_share_the_triggers_and_start_each_run_once(bridge: Bridge, client: Client):
    trigger = await bridge.listen()
    for number in range(30):
        await send(client.jetstream(), number)
    async with bridge.consuming(), bridge.consuming():
        await until(lambda: _has_taken(bridge, trigger, 30))
    assert sorted(await bridge.numbers()) == list(range(30))


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("nats://127.0.0.1:4222", "ORDERS/bridge"),
        ("nats://169.254.169.254:4222", "ORDERS/bridge"),
        ("nats://example.com:22", "ORDERS/bridge"),
        ("http://example.com", "ORDERS/bridge"),
        ("nats://a:b@example.com", "ORDERS/bridge"),
        ("nats://example.com", "ORDERS"),
        ("nats://example.com", "OR DERS/x"),
    ],
)
async def test_a_bridge_may_not_lead_inside_or_nowhere(bridge: Bridge, url: str, address: str):
    with pytest.raises((UrlRefused, EndpointInvalid)):
        await bridge.triggers.create(
            admin(bridge.tenant), NewTrigger(EndpointKind.NATS, url, address, "orders.take", secret=SECRET)
        )


async def test_another_tenant_sees_and_touches_no_trigger(bridge: Bridge, other_tenant: TenantId):
    trigger, stranger = await bridge.listen(), admin(other_tenant)
    assert await bridge.triggers.list(stranger) == []
    for use in (
        bridge.triggers.get(stranger, trigger.id),
        bridge.triggers.turn(stranger, trigger.id, is_on=False),
        bridge.triggers.delete(stranger, trigger.id),
        bridge.triggers.list_refusals(stranger, trigger.id, PageRequest()),
    ):
        with pytest.raises(NotFound):
            await use
