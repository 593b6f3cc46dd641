"""The bridges to SQS and RabbitMQ as far as they go without those servers: what is sent, read, signed and refused.

SQS is answered by a stand-in that checks each signature; RabbitMQ is held to the frames of its protocol only.
"""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from aiormq import spec
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from mainspring.foundation.webguard import Gate, Reach, UrlRefused
from mainspring.orchestration.delivery import CloudEvent, EndpointInvalid
from mainspring.orchestration.delivery.bridges import QueueAddress, QueueGone, Received, read_credentials
from mainspring.orchestration.delivery.bridges.consuming import read_message
from mainspring.orchestration.delivery.bridges.rabbitmq import RabbitMessage, RabbitMq, write_properties
from mainspring.orchestration.delivery.bridges.sqs import CREDENTIALS, Sqs, sign_request
from mainspring.orchestration.delivery.cloudevents import write_binary

from .receiver import Answer, Got, Receiver, receiving
from .scenes import HOST, Names

KEYS = {"access_key": "AKIATEST", "secret_key": "very-secret", "region": "eu-central-1"}


def is_signed(got: Got, origin: str) -> bool:
    """Whether the signature is the one that AWS's own signer makes of what arrived, at the instant it names."""
    sent = {name: got.headers[name] for name in ("content-type", "x-amz-target")}
    request = AWSRequest("POST", f"{origin}/", sent, got.body)
    request.context["timestamp"] = got.headers["x-amz-date"]
    request.headers["X-Amz-Date"] = got.headers["x-amz-date"]
    signer = SigV4Auth(Credentials(KEYS["access_key"], KEYS["secret_key"]), "sqs", KEYS["region"])
    signature = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    return got.headers["authorization"].endswith(f"Signature={signature}")


class Amazon:
    """A stand-in for SQS: it knows one queue, remembers what it was asked, and refuses what is not signed."""

    def __init__(self, receiver: Receiver) -> None:
        self.origin = f"http://{HOST}:{receiver.port}"
        self.asked: list[tuple[str, Mapping[str, Any]]] = []
        self.messages: list[Mapping[str, Any]] = []
        receiver.answer = self._answer

    def _answer(self, got: Got) -> Answer:
        if not is_signed(got, self.origin):
            return Answer(403, body=b'{"__type": "com.amazon.coral.service#InvalidSignatureException"}')
        action = got.headers["x-amz-target"].removeprefix("AmazonSQS.")
        self.asked.append((action, json.loads(got.body)))
        return Answer(body=json.dumps({"Messages": self.messages} if action == "ReceiveMessage" else {}).encode())


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as running:
        yield running


def opener(receiver: Receiver) -> Callable[..., QueueAddress]:
    """Addresses of queues at the stand-in."""

    def address(name: str = "orders", **changed: str) -> QueueAddress:
        return QueueAddress(f"http://{HOST}:{receiver.port}/1/{name}", name, {**KEYS, **changed})

    return address


def sqs(receiver: Receiver) -> Sqs:
    """The kind, with the stand-in within reach."""
    reach = Reach("SETTING", "bridges", internal_hosts=frozenset({f"{HOST}:{receiver.port}"}))
    return Sqs(Gate(reach, resolver=Names()))


async def test_messages_of_sqs_are_received_held_given_back_and_deleted(receiver: Receiver):
    amazon, address = Amazon(receiver), opener(receiver)()
    kind = {"content-type": {"DataType": "String", "StringValue": "application/json"}}
    amazon.messages = [{"MessageId": "m-1", "ReceiptHandle": "r-1", "Body": '{"a": 1}', "MessageAttributes": kind}]
    queue = await sqs(receiver).open(address)
    (message,) = await queue.receive(50, patience=timedelta(seconds=2))
    assert (message.id, message.body, message.headers) == ("m-1", b'{"a": 1}', {"content-type": "application/json"})
    await message.hold()
    await message.later(timedelta(seconds=30))
    await message.refuse()
    await message.done()
    url = {"QueueUrl": address.url, "ReceiptHandle": "r-1"}
    assert amazon.asked[0][1]["MaxNumberOfMessages"] == 10
    assert amazon.asked[1:] == [
        ("ChangeMessageVisibility", {**url, "VisibilityTimeout": 60}),
        ("ChangeMessageVisibility", {**url, "VisibilityTimeout": 30}),
        ("ChangeMessageVisibility", {**url, "VisibilityTimeout": 0}),
        ("DeleteMessage", url),
    ]


@pytest.mark.parametrize("name", ["events", "events.fifo"])
async def test_an_event_is_sent_to_sqs_with_its_attributes(receiver: Receiver, name: str):
    amazon = Amazon(receiver)
    queue = await sqs(receiver).open(opener(receiver)(name))
    headers, body = write_binary(CloudEvent("1", "/s", "t", {"a": 1}))
    await queue.publish(body, headers, once="evt_1")
    ((action, sent),) = amazon.asked
    assert (action, sent["MessageBody"]) == ("SendMessage", '{"a":1}')
    assert sent["MessageAttributes"]["ce-type"] == {"DataType": "String", "StringValue": "t"}
    assert sent.get("MessageDeduplicationId") == ("evt_1" if name.endswith(".fifo") else None)


async def test_a_wrong_key_is_told_without_it(receiver: Receiver):
    Amazon(receiver)
    queue = await sqs(receiver).open(opener(receiver)(secret_key="wrong-one"))
    with pytest.raises(QueueGone, match="403 to ReceiveMessage: InvalidSignatureException") as told:
        await queue.receive(1, patience=timedelta())
    assert "wrong-one" not in str(told.value)


def test_a_session_token_is_signed_too():
    headers = sign_request(QueueAddress("https://x/q", "q", {**KEYS, "session_token": "s"}), "https://x/", "A", b"{}")
    assert headers["x-amz-security-token"] == "s"
    assert "x-amz-security-token" in headers["authorization"]


@pytest.mark.parametrize(
    ("url", "credentials"),
    [
        ("https://sqs.eu-central-1.amazonaws.com/1/q", {}),
        ("http://sqs.eu-central-1.amazonaws.com/1/q", KEYS),
        ("https://169.254.169.254/1/q", KEYS),
    ],
)
def test_a_queue_of_sqs_needs_keys_encryption_and_a_public_host(url: str, credentials: Mapping[str, str]):
    with pytest.raises((EndpointInvalid, UrlRefused)):
        Sqs(Gate(Reach("SETTING", "bridges"))).check(QueueAddress(url, "q", credentials), receives=True)


def delivered(body: bytes, properties: spec.Basic.Properties) -> Any:
    """A message as the client hands it over."""
    return SimpleNamespace(body=body, delivery_tag=7, header=SimpleNamespace(properties=properties))


class Channel:
    """Remembers what was said of messages."""

    def __init__(self) -> None:
        self.said: list[tuple[str, int, bool]] = []

    async def basic_ack(self, tag: int) -> None:
        self.said.append(("ack", tag, False))

    async def basic_nack(self, tag: int, *, requeue: bool) -> None:
        self.said.append(("nack", tag, requeue))

    async def basic_reject(self, tag: int, *, requeue: bool) -> None:
        self.said.append(("reject", tag, requeue))


def test_an_event_keeps_its_name_on_the_way_through_rabbitmq():
    headers, body = write_binary(CloudEvent("1", "/s", "t", {"a": 1}))
    properties = write_properties(headers, "evt_1")
    assert (properties.message_id, properties.delivery_mode) == ("evt_1", 2)
    message: Received = RabbitMessage(Channel(), delivered(body, properties))
    assert read_message(message) == (("/s", "1"), {"a": 1})


async def test_what_becomes_of_a_message_of_rabbitmq():
    channel = Channel()
    message = RabbitMessage(channel, delivered(b"{}", spec.Basic.Properties()))
    await message.later(timedelta(seconds=1))
    await message.refuse()
    await message.done()
    assert channel.said == [("nack", 7, True), ("reject", 7, False), ("ack", 7, False)]
    same = RabbitMessage(channel, delivered(b"{}", spec.Basic.Properties()))
    assert message.id == same.id != RabbitMessage(channel, delivered(b"[]", spec.Basic.Properties())).id


@pytest.mark.parametrize("url", ["amqp://127.0.0.1", "amqps://[::1]/v", "amqp://a:b@example.com", "http://example.com"])
def test_a_queue_of_rabbitmq_needs_a_public_host_and_no_credentials_in_its_url(url: str):
    with pytest.raises((EndpointInvalid, UrlRefused)):
        RabbitMq(Gate(Reach("SETTING", "bridges"))).check(QueueAddress(url, "q"), receives=True)


async def test_rabbitmq_that_leads_inside_is_not_connected_to():
    names = Names(rabbit_example=[["10.0.0.1"]])
    kind = RabbitMq(Gate(Reach("SETTING", "bridges"), resolver=names))
    with pytest.raises((QueueGone, UrlRefused)):
        await kind.open(QueueAddress("amqp://rabbit.example", "q"))


@pytest.mark.parametrize("secret", ["[]", '{"access_key": 1}', '{"password": "x"}', "very-secret"])
def test_a_secret_that_is_none_is_refused_without_being_repeated(secret: str):
    with pytest.raises(EndpointInvalid) as told:
        read_credentials(secret, CREDENTIALS)
    assert "very-secret" not in told.value.detail
