"""Webhooks as a receiver meets them: signed, once or more under one id, tried again, and given up at last."""

import asyncio
import json
from datetime import datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from mainspring.foundation.clock import now
from mainspring.foundation.db import Database
from mainspring.foundation.errors import Forbidden, NotFound
from mainspring.foundation.ids import TenantId, new_id, show_id
from mainspring.foundation.outbox import publish, relay
from mainspring.orchestration.delivery import (
    DeliveryState,
    EndpointInvalid,
    EndpointKind,
    EndpointOff,
    Endpoints,
    EndpointState,
    EndpointUpdate,
    NewEndpoint,
    Places,
)
from mainspring.orchestration.delivery.schedule import PAUSES
from mainspring.orchestration.delivery.types import EndpointId

from .receiver import Answer, Receiver, receiving
from .scenes import Post, admin, gate, post_office


async def test_an_event_is_posted_once_and_the_reference_library_verifies_it(post: Post, receiver: Receiver):
    created = await post.add(receiver.port, "run.finished")
    run = new_id()
    event = await post.tell("run.finished", run=str(run), status="succeeded")
    assert await post.sender.deliver_due() == 1
    (got,) = receiver.got
    assert created.secret
    body = Webhook(created.secret).verify(got.body, dict(got.headers))
    assert body["type"] == "run.finished"
    assert body["data"] == {"run": show_id("run", run), "status": "succeeded"}
    assert datetime.fromisoformat(body["timestamp"]) == event.created_at
    assert got.headers["webhook-id"] == show_id("evt", event.id)
    assert await post.sender.deliver_due() == 0


async def test_a_changed_body_or_another_secret_does_not_verify(post: Post, receiver: Receiver):
    created = await post.add(receiver.port)
    other = await post.add(receiver.port, path="/other")
    await post.tell("run.finished", run=str(new_id()))
    await post.sender.deliver_due()
    got = next(each for each in receiver.got if each.path == "/hook")
    assert created.secret
    assert other.secret
    with pytest.raises(WebhookVerificationError):
        Webhook(created.secret).verify(got.body + b" ", dict(got.headers))
    with pytest.raises(WebhookVerificationError):
        Webhook(other.secret).verify(got.body, dict(got.headers))


async def test_after_a_rotation_both_secrets_verify_until_the_overlap_is_over(post: Post, receiver: Receiver):
    created = await post.add(receiver.port)
    second = await post.endpoints.rotate(post.principal, created.endpoint.id, overlap=timedelta(hours=24))
    await post.tell("a.b")
    await post.sender.deliver_due()
    assert created.secret
    for secret in (created.secret, second):
        Webhook(secret).verify(receiver.got[-1].body, dict(receiver.got[-1].headers))
    third = await post.endpoints.rotate(post.principal, created.endpoint.id, overlap=timedelta())
    await post.tell("a.b")
    await post.sender.deliver_due()
    Webhook(third).verify(receiver.got[-1].body, dict(receiver.got[-1].headers))
    assert receiver.got[-1].headers["webhook-signature"].count("v1,") == 1
    with pytest.raises(WebhookVerificationError):
        Webhook(second).verify(receiver.got[-1].body, dict(receiver.got[-1].headers))


async def test_an_event_goes_to_those_that_asked_for_it_or_its_group(post: Post, receiver: Receiver):
    for path, topics in (("/one", "approval.requested"), ("/group", "approval.*"), ("/all", "*"), ("/none", "run.*")):
        await post.add(receiver.port, topics, path=path)
    await post.tell("approval.requested")
    await post.sender.deliver_due()
    assert sorted(got.path for got in receiver.got) == ["/all", "/group", "/one"]


async def test_the_same_fact_relayed_twice_is_delivered_once(post: Post, receiver: Receiver):
    created = await post.add(receiver.port)
    event = await post.tell("a.b")
    await post.announcer.announce(event)
    assert await post.sender.deliver_due() == 1
    assert len(await post.deliveries(created.endpoint.id)) == 1


async def test_a_fact_of_the_outbox_becomes_a_webhook(post: Post, receiver: Receiver, database: Database):
    await post.add(receiver.port, "thing.made")
    async with database.tenant(post.tenant) as transaction:
        event = await publish(transaction, topic="thing.made", payload={"thing": 1})
    while await relay(database, {"thing.made": (post.announcer.announce,)}):
        pass
    await post.sender.deliver_due()
    assert receiver.ids == [show_id("evt", event)]


async def test_a_failed_delivery_comes_again_by_the_schedule_under_the_same_id(post: Post, receiver: Receiver):
    receiver.answer = lambda got: Answer(status=500, body=b"x" * 5_000) if len(receiver.got) < 3 else Answer()
    created = await post.add(receiver.port)
    await post.tell("a.b")
    for pause in PAUSES[:2]:
        before = now()
        assert await post.sender.deliver_due() == 1
        (delivery,) = await post.deliveries(created.endpoint.id)
        assert delivery.state is DeliveryState.PENDING
        assert delivery.due_at
        assert abs(delivery.due_at - before - pause) < timedelta(seconds=3)
        assert await post.sender.deliver_due() == 0
        await post.make_due()
    await post.sender.deliver_due()
    (delivery,) = await post.deliveries(created.endpoint.id)
    shown, attempts = await post.endpoints.get_delivery(post.principal, created.endpoint.id, delivery.id)
    assert (shown.state, shown.attempts) == (DeliveryState.DELIVERED, 3)
    assert [(each.number, each.status) for each in attempts] == [(1, 500), (2, 500), (3, 200)]
    assert attempts[0].response == "x" * 1_024
    assert len(set(receiver.ids)) == 1
    assert len({got.headers["webhook-timestamp"] for got in receiver.got}) >= 1


async def test_after_the_last_try_a_delivery_has_failed_and_can_be_replayed(post: Post, receiver: Receiver):
    receiver.answer = lambda got: Answer(status=503)
    created = await post.add(receiver.port)
    await post.tell("a.b")
    for _ in range(len(PAUSES) + 1):
        assert await post.sender.deliver_due() == 1
        await post.make_due()
    (delivery,) = await post.deliveries(created.endpoint.id)
    assert delivery.state is DeliveryState.FAILED
    assert await post.sender.deliver_due() == 0
    receiver.answer = lambda got: Answer()
    await post.endpoints.replay(post.principal, created.endpoint.id, delivery.id)
    await post.sender.deliver_due()
    (delivery,) = await post.deliveries(created.endpoint.id)
    assert (delivery.state, delivery.attempts) == (DeliveryState.DELIVERED, len(PAUSES) + 2)
    assert len(set(receiver.ids)) == 1


async def test_a_receiver_may_ask_for_a_longer_pause(post: Post, receiver: Receiver):
    receiver.answer = lambda got: Answer(status=429, headers={"retry-after": "3600"})
    created = await post.add(receiver.port)
    await post.tell("a.b")
    await post.sender.deliver_due()
    (delivery,) = await post.deliveries(created.endpoint.id)
    assert delivery.due_at
    assert timedelta(minutes=59) < delivery.due_at - now() < timedelta(minutes=61)


async def test_all_that_failed_since_an_instant_is_sent_again_and_nothing_else(post: Post, receiver: Receiver):
    receiver.answer = lambda got: Answer(status=400 if got.path == "/hook" else 200)
    created = await post.add(receiver.port)
    first, since = await post.tell("a.b"), now()
    second = await post.tell("a.b")
    for _ in range(len(PAUSES) + 1):
        await post.sender.deliver_due()
        await post.make_due()
    receiver.answer = lambda got: Answer()
    receiver.got.clear()
    assert await post.endpoints.replay_span(post.principal, created.endpoint.id, since=since) == 1
    await post.sender.deliver_due()
    assert receiver.ids == [show_id("evt", second.id)]
    replayed = await post.endpoints.replay_span(
        post.principal, created.endpoint.id, since=first.created_at, until=now(), failed_only=False
    )
    assert replayed == 2


async def test_a_redirect_is_a_failure_and_is_not_followed(post: Post, receiver: Receiver):
    receiver.answer = lambda got: Answer(status=302, headers={"location": "/elsewhere"})
    created = await post.add(receiver.port)
    await post.tell("a.b")
    await post.sender.deliver_due()
    assert [got.path for got in receiver.got] == ["/hook"]
    assert (await post.deliveries(created.endpoint.id))[0].state is DeliveryState.PENDING


async def test_an_endpoint_that_does_not_answer_is_left_after_its_time(
    database: Database, tenant: TenantId, receiver: Receiver
):
    post = post_office(database, tenant, gate(receiver.port), seconds=0.2)
    receiver.answer = lambda got: Answer(hang=True)
    created = await post.add(receiver.port)
    await post.tell("a.b")
    await post.sender.deliver_due()
    (delivery,) = await post.deliveries(created.endpoint.id)
    _, (attempt,) = await post.endpoints.get_delivery(post.principal, created.endpoint.id, delivery.id)
    assert attempt.error == "No answer within 0.2 s."


async def test_410_turns_the_endpoint_off_and_says_so_to_others(post: Post, receiver: Receiver, database: Database):
    receiver.answer = lambda got: Answer(status=410 if got.path == "/hook" else 200)
    created = await post.add(receiver.port, "a.b")
    await post.add(receiver.port, "webhook.disabled", path="/watch")
    await post.tell("a.b")
    await post.sender.deliver_due()
    assert (await post.endpoints.get(post.principal, created.endpoint.id)).state is EndpointState.GONE
    await post.tell("a.b")
    assert await post.sender.deliver_due() == 0
    while await relay(database, {"webhook.disabled": (post.announcer.announce,)}):
        pass
    await post.sender.deliver_due()
    told = json.loads(receiver.got[-1].body)
    assert (receiver.got[-1].path, told["type"]) == ("/watch", "webhook.disabled")
    assert told["data"]["endpoint"] == show_id("ep", created.endpoint.id)


async def test_days_of_failure_turn_the_endpoint_off_and_nothing_is_lost(post: Post, receiver: Receiver):
    receiver.answer = lambda got: Answer(status=500)
    created = await post.add(receiver.port)
    endpoint = created.endpoint.id
    await post.tell("a.b")
    await post.sender.deliver_due()
    await post.set(endpoint, failing_since=now() - timedelta(days=6))
    await post.make_due()
    await post.sender.deliver_due()
    found = await post.endpoints.get(post.principal, endpoint)
    assert found.state is EndpointState.FAILED
    assert found.state_reason
    assert "5 days" in found.state_reason
    await post.tell("a.b")
    assert {each.state for each in await post.deliveries(endpoint)} == {DeliveryState.HELD}
    with pytest.raises(EndpointOff):
        await post.endpoints.send_test(post.principal, endpoint)
    receiver.answer = lambda got: Answer()
    found = await post.endpoints.update(post.principal, endpoint, EndpointUpdate(is_on=True))
    assert found.health.failures == 0
    await post.sender.deliver_due()
    assert {each.state for each in await post.deliveries(endpoint)} == {DeliveryState.DELIVERED}


async def test_health_tells_the_share_that_succeeded(post: Post, receiver: Receiver):
    receiver.answer = lambda got: Answer(status=200 if len(receiver.got) % 2 else 500)
    created = await post.add(receiver.port)
    assert created.endpoint.health.success_rate is None
    for _ in range(4):
        await post.tell("a.b")
        await post.sender.deliver_due()
    health = (await post.endpoints.get(post.principal, created.endpoint.id)).health
    assert (health.attempts, health.success_rate, health.failures) == (4, 0.5, 1)
    assert health.last_failure == "The endpoint answered 500."


async def test_a_test_event_arrives_whatever_was_asked_for(post: Post, receiver: Receiver):
    created = await post.add(receiver.port, "run.finished")
    await post.endpoints.send_test(post.principal, created.endpoint.id)
    await post.sender.deliver_due()
    assert json.loads(receiver.got[0].body)["type"] == "webhook.test"


async def test_a_slow_endpoint_delays_no_other_and_has_few_calls_open(
    database: Database, tenant: TenantId, receiver: Receiver
):
    async with receiving() as slow:
        slow.answer = lambda got: Answer(hang=True)
        post = post_office(
            database, tenant, gate(receiver.port, slow.port), seconds=3, places=Places(total=8, per_endpoint=3)
        )
        await post.add(slow.port, "a.b")
        await post.add(receiver.port, "a.b")
        for _ in range(6):
            await post.tell("a.b")
        stop = asyncio.Event()
        sending = asyncio.create_task(post.sender.run(stop))
        async with asyncio.timeout(2.5):
            while len(receiver.got) < 6:  # noqa: ASYNC110 - the receiver is another party
                await asyncio.sleep(0.01)
        assert 1 <= slow.most_at_once <= 3
        stop.set()
        await sending


async def test_a_quick_endpoint_gets_many_events_in_a_second(post: Post, receiver: Receiver):
    await post.add(receiver.port)
    for _ in range(60):
        await post.tell("a.b")
    stop = asyncio.Event()
    sending = asyncio.create_task(post.sender.run(stop))
    async with asyncio.timeout(10):  # four at once and a look each second would take fifteen
        while len(receiver.got) < 60:  # noqa: ASYNC110 - the receiver is another party
            await asyncio.sleep(0.01)
    stop.set()
    await sending
    assert len(set(receiver.ids)) == 60


async def test_a_delivery_whose_worker_died_is_sent_by_another_under_the_same_id(
    post: Post, receiver: Receiver, database: Database
):
    receiver.answer = lambda got: Answer(hang=True) if len(receiver.got) == 1 else Answer()
    created = await post.add(receiver.port)
    await post.tell("a.b")
    dying = asyncio.create_task(post.sender.deliver_due())
    async with asyncio.timeout(5):
        while not receiver.got:  # noqa: ASYNC110 - the receiver is another party
            await asyncio.sleep(0.01)
    async with database.system() as transaction:  # as after `kill -9`: the lease runs out
        await transaction.run("update delivery set lease_until = now() where token is not null")
    other = post_office(database, post.tenant, gate(receiver.port))
    assert await other.sender.deliver_due() == 1
    (delivery,) = await post.deliveries(created.endpoint.id)
    assert (delivery.state, delivery.attempts) == (DeliveryState.DELIVERED, 1)
    assert len(receiver.ids) == 2
    assert len(set(receiver.ids)) == 1
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)


async def test_two_workers_send_each_delivery_once(post: Post, receiver: Receiver, database: Database):
    await post.add(receiver.port)
    for _ in range(20):
        await post.tell("a.b")
    other = post_office(database, post.tenant, gate(receiver.port))
    await asyncio.gather(post.sender.deliver_due(), other.sender.deliver_due())
    await post.sender.deliver_due()
    assert len(receiver.ids) == len(set(receiver.ids)) == 20
    assert receiver.most_at_once <= 8


async def test_old_events_are_forgotten_with_their_attempts(post: Post, receiver: Receiver):
    created = await post.add(receiver.port)
    await post.tell("a.b")
    await post.sender.deliver_due()
    assert await post.sender.purge(older_than=timedelta(days=1)) == 0
    assert await post.sender.purge(older_than=timedelta(seconds=-1)) >= 1
    assert await post.deliveries(created.endpoint.id) == ()


async def test_another_tenant_sees_and_touches_nothing(post: Post, receiver: Receiver, other_tenant: TenantId):
    created = await post.add(receiver.port)
    await post.tell("a.b")
    endpoint, stranger = created.endpoint.id, admin(other_tenant)
    (delivery,) = await post.deliveries(endpoint)
    assert await post.endpoints.list(stranger) == []
    for use in (
        post.endpoints.get(stranger, endpoint),
        post.endpoints.delete(stranger, endpoint),
        post.endpoints.send_test(stranger, endpoint),
        post.endpoints.rotate(stranger, endpoint, overlap=timedelta()),
        post.endpoints.update(stranger, endpoint, EndpointUpdate(is_on=False)),
        post.endpoints.get_delivery(stranger, endpoint, delivery.id),
        post.endpoints.replay(stranger, endpoint, delivery.id),
    ):
        with pytest.raises(NotFound):
            await use
    with pytest.raises(Forbidden):
        await post.endpoints.list(admin(post.tenant, "ai.output.view"))


async def test_the_secret_is_stored_sealed_and_never_shown_again(post: Post, receiver: Receiver, database: Database):
    created = await post.add(receiver.port)
    assert created.secret
    async with database.tenant(post.tenant) as transaction:
        rows = await transaction.all("select sealed from delivery_secret")
    assert created.secret.encode() not in rows[0]["sealed"]
    assert created.secret not in repr(await post.endpoints.get(post.principal, created.endpoint.id))


@pytest.mark.parametrize("topics", [(), ("run finished",), ("*.finished",), ("run.*.x",), ("a" * 101,)])
async def test_what_is_no_topic_is_refused(post: Post, receiver: Receiver, topics: tuple[str, ...]):
    with pytest.raises(EndpointInvalid):
        await post.endpoints.create(post.principal, NewEndpoint(f"http://hooks.corp:{receiver.port}/", topics))


@pytest.mark.parametrize(
    ("topic", "is_told"),
    [
        ("run.finished", True),
        ("run.*", True),
        ("*", True),
        ("letter.sent", True),
        ("run.finish", False),
        ("nope.x", False),
        ("runs.*", False),
        ("run.finished.*", False),
    ],
)
async def test_a_topic_that_nothing_tells_is_refused_with_those_that_exist(post: Post, topic: str, is_told: bool):
    known = frozenset({"run.finished", "approval.decided", "letter.sent"})
    endpoints = Endpoints(post.database, post.vault, {EndpointKind.WEBHOOK: lambda new: None}, topics=known)
    new = NewEndpoint("https://example.com/", (topic,))
    if is_told:
        assert (await endpoints.create(post.principal, new)).endpoint.topics == (topic,)
        return
    with pytest.raises(EndpointInvalid) as refused:
        await endpoints.create(post.principal, new)
    assert all(name in refused.value.detail for name in (topic, *known))
    kept = await endpoints.create(post.principal, NewEndpoint("https://example.com/", ("*",)))
    with pytest.raises(EndpointInvalid):
        await endpoints.update(post.principal, kept.endpoint.id, EndpointUpdate(topics=(topic,)))


async def test_an_unknown_endpoint_is_not_found(post: Post):
    with pytest.raises(NotFound):
        await post.endpoints.get(post.principal, EndpointId(new_id()))
