"""RabbitMQ over AMQP 0-9-1: a queue to receive from, an exchange and routing key to publish to.

Publishing waits for the broker's confirmation and asks for a queue to be there; a refused message goes to the queue's
dead-letter exchange, if it has one. RabbitMQ recognizes no repetitions: consumers see the same `message_id` again.
Needs the extra `mainspring[rabbitmq]`.
"""

import asyncio
import hashlib
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, cast
from urllib.parse import quote

import aiormq
import aiormq.exceptions
from aiormq.abc import DeliveredMessage
from aiormq.connection import TransportFactory
from yarl import URL

from mainspring.foundation.webguard import Gate, HostUnreachable
from mainspring.orchestration.delivery.errors import EndpointInvalid

from .queue import Queue, QueueAddress, QueueGone, Received, check_place, read_broker

CREDENTIALS = frozenset({"user", "password"})
_PORTS = {"amqp": 5672, "amqps": 5671}
_SECONDS = 10
_LOOK_EVERY_SECONDS = 0.5
_GONE = (aiormq.exceptions.AMQPError, aiormq.exceptions.DeliveryError, OSError, TimeoutError)


class RabbitMq:
    """Opens queues of RabbitMQ. An address is a queue to receive, and `exchange/routing.key` or a queue to publish."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def check(self, address: QueueAddress, *, receives: bool) -> None:
        """The URL, whose path is the virtual host, and the place; see `QueueKind`."""
        read_broker(self._gate, address.url, _PORTS)
        check_place(address.place, "a queue" if receives else "an exchange and routing key, such as events/runs")
        if receives and "/" in address.place:
            raise EndpointInvalid("The address is the name of a queue, without a slash.")

    async def open(self, address: QueueAddress) -> Queue:
        """A connection to a judged address, and a channel that confirms."""
        broker = read_broker(self._gate, address.url, _PORTS)
        user, password = address.credentials.get("user", "guest"), address.credentials.get("password", "guest")
        login = f"{quote(user, safe='')}:{quote(password, safe='')}"
        host = f"[{broker.host}]" if ":" in broker.host else broker.host
        url = f"{broker.scheme}://{login}@{host}:{broker.port}{broker.path or '/'}"
        try:
            async with asyncio.timeout(_SECONDS):
                connection = aiormq.Connection(url, transport_factory=_JudgedTransport(self._gate))
                await connection.connect()
                channel = await connection.channel(publisher_confirms=True)
        except HostUnreachable as unreachable:
            raise QueueGone(unreachable.detail) from None
        except _GONE as failure:
            raise QueueGone(f"RabbitMQ at {broker.host} cannot be reached ({type(failure).__name__}).") from None
        return _RabbitQueue(connection, channel, address.place)


class _JudgedTransport(TransportFactory):
    """Connects to an address that the guard judged, with the certificate checked against the name."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def create(self, url: URL, **kwargs: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The streams that the protocol runs on."""
        host, port = url.host or "", url.port or _PORTS[url.scheme]
        found = await self._gate.find(host, port)
        tls: ssl.SSLContext | None = self._gate.tls_context() if url.scheme == "amqps" else None
        try:
            return await asyncio.open_connection(found[0], port, ssl=tls, server_hostname=host if tls else None)
        except OSError as failure:
            raise aiormq.exceptions.AMQPConnectionError(*failure.args) from failure


class _RabbitQueue:
    def __init__(self, connection: Any, channel: Any, place: str) -> None:
        self._connection = connection
        self._channel = channel
        self._place = place

    async def receive(self, limit: int, *, patience: timedelta) -> Sequence[Received]:
        """Ask for message after message; RabbitMQ answers at once whether there is one."""
        until = asyncio.get_running_loop().time() + patience.total_seconds()
        found: list[Received] = []
        try:
            while len(found) < limit:
                message = await self._channel.basic_get(self._place, timeout=_SECONDS)
                if message.delivery_tag is not None:
                    found.append(RabbitMessage(self._channel, message))
                elif found or asyncio.get_running_loop().time() >= until:
                    break
                else:
                    await asyncio.sleep(_LOOK_EVERY_SECONDS)
        except _GONE as failure:
            raise QueueGone(f"RabbitMQ gave no messages of {self._place} ({type(failure).__name__}).") from None
        return found

    async def publish(self, body: bytes, headers: Mapping[str, str], *, once: str) -> None:
        """Publish and wait for the broker's confirmation."""
        exchange, _, key = self._place.rpartition("/")
        try:
            await self._channel.basic_publish(
                body,
                exchange=exchange,
                routing_key=key,
                properties=write_properties(headers, once),
                mandatory=True,
                timeout=_SECONDS,
            )
        except _GONE as failure:
            raise QueueGone(f"RabbitMQ did not take the message at {self._place} ({type(failure).__name__}).") from None

    async def close(self) -> None:
        """Close the connection."""
        with suppress(*_GONE):
            await self._connection.close()


class RabbitMessage:
    """A message of RabbitMQ, named by its `message_id`, or by its content where its sender gave none."""

    def __init__(self, channel: Any, message: DeliveredMessage) -> None:
        properties = message.header.properties
        named = cast(Mapping[str, object], properties.headers or {})
        self._channel = channel
        self._tag = message.delivery_tag
        self.body = bytes(message.body)
        self.id = properties.message_id or hashlib.sha256(self.body).hexdigest()
        # AMQP's CloudEvents binding writes attributes as `cloudEvents:id` and `cloudEvents_id`.
        self.headers: Mapping[str, str] = {
            name.lower().replace("cloudevents:", "ce-").replace("cloudevents_", "ce-"): str(value)
            for name, value in named.items()
        }
        if properties.content_type:
            self.headers = {**self.headers, "content-type": str(properties.content_type)}

    async def done(self) -> None:
        """Acknowledge."""
        await self._tell(self._channel.basic_ack(self._tag))

    async def later(self, pause: timedelta) -> None:
        """Give it back; RabbitMQ gives it again at once."""
        await self._tell(self._channel.basic_nack(self._tag, requeue=True))

    async def refuse(self) -> None:
        """To the dead-letter exchange."""
        await self._tell(self._channel.basic_reject(self._tag, requeue=False))

    async def hold(self) -> None:
        """RabbitMQ holds it as long as the connection lasts."""

    async def _tell(self, word: Any) -> None:
        try:
            await word
        except _GONE as failure:
            raise QueueGone(f"The connection to RabbitMQ was lost ({type(failure).__name__}).") from None


def write_properties(headers: Mapping[str, str], once: str) -> aiormq.spec.Basic.Properties:
    """Headers as AMQP's CloudEvents binding names them; durable, and named by `once`."""
    named = {f"cloudEvents_{name[3:]}": value for name, value in headers.items() if name.startswith("ce-")}
    return aiormq.spec.Basic.Properties(
        content_type=headers.get("content-type"), headers=dict(named), delivery_mode=2, message_id=once
    )
