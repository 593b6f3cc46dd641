"""NATS JetStream: a durable consumer of a stream to receive from, a subject to publish to.

Publishing waits for the stream's word that it has the message, and names it by `Nats-Msg-Id`, so that the stream keeps
one of several within its window. The client's own reconnecting is off: it would go to servers that the broker names,
past the guard. Needs the extra `mainspring[nats]`.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig

from mainspring.foundation.webguard import Gate, HostUnreachable
from mainspring.orchestration.delivery.errors import EndpointInvalid

from .queue import Broker, Queue, QueueAddress, QueueGone, Received, check_place, read_broker

CREDENTIALS = frozenset({"user", "password", "token"})
_PORTS = {"nats": 4222, "tls": 4222}
_SECONDS = 5
_ACK_WAIT_SECONDS = 60
_MESSAGE_ID = "Nats-Msg-Id"
_GONE = (nats.errors.Error, OSError, TimeoutError)


class Nats:
    """Opens streams of NATS JetStream. An address reads `STREAM/consumer` to receive, and is a subject to publish."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def check(self, address: QueueAddress, *, receives: bool) -> None:
        """The URL and the place; see `QueueKind`."""
        read_broker(self._gate, address.url, _PORTS)
        check_place(address.place, "a stream and a consumer, such as ORDERS/mainspring" if receives else "a subject")
        if receives and address.place.count("/") != 1:
            raise EndpointInvalid("The address needs a stream and a durable consumer, such as ORDERS/mainspring.")
        if not receives and ("*" in address.place or ">" in address.place):
            raise EndpointInvalid("The subject to publish to has no wildcards.")

    async def open(self, address: QueueAddress) -> Queue:
        """A connection to a judged address."""
        broker = read_broker(self._gate, address.url, _PORTS)
        try:
            found = await self._gate.find(broker.host, broker.port)
            client = await self._connect(broker, found[0], address.credentials)
        except HostUnreachable as unreachable:
            raise QueueGone(unreachable.detail) from None
        except _GONE as failure:
            raise QueueGone(f"NATS at {broker.host} cannot be reached ({type(failure).__name__}).") from None
        return _NatsQueue(client, address.place)

    async def _connect(self, broker: Broker, host: str, credentials: Mapping[str, str]) -> Client:
        shown = f"[{host}]" if ":" in host else host
        options: dict[str, Any] = dict(credentials)
        if broker.scheme == "tls":
            options |= {"tls": self._gate.tls_context(), "tls_hostname": broker.host}
        client = Client()
        try:
            # Though reconnecting is off, the first connection is tried sixty times with pauses unless told not to.
            await client.connect(
                f"nats://{shown}:{broker.port}",
                name="mainspring",
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                connect_timeout=_SECONDS,
                error_cb=_ignore,
                **options,
            )
        except BaseException:
            await client.close()  # it keeps the socket of a greeting that failed
            raise
        return client


class _NatsQueue:
    def __init__(self, client: Client, place: str) -> None:
        self._client = client
        self._place = place
        self._jetstream = client.jetstream(timeout=_SECONDS)
        self._consumer: JetStreamContext.PullSubscription | None = None

    async def receive(self, limit: int, *, patience: timedelta) -> Sequence[Received]:
        """Fetch from the durable consumer, which is made when it is not there."""
        stream, _, consumer = self._place.partition("/")
        try:
            if self._consumer is None:
                wanted = ConsumerConfig(ack_policy=AckPolicy.EXPLICIT, ack_wait=_ACK_WAIT_SECONDS)
                self._consumer = await self._jetstream.pull_subscribe(
                    "", durable=consumer, stream=stream, config=wanted
                )
            found = await self._consumer.fetch(limit, timeout=patience.total_seconds())
        except nats.errors.TimeoutError:
            if not self._client.is_connected:
                raise QueueGone("The connection to NATS was lost.") from None
            return ()
        except _GONE as failure:
            raise QueueGone(f"NATS gave no messages of {self._place} ({type(failure).__name__}).") from None
        return [_NatsMessage(each) for each in found]

    async def publish(self, body: bytes, headers: Mapping[str, str], *, once: str) -> None:
        """Publish and wait for the stream's word."""
        try:
            await self._jetstream.publish(self._place, body, timeout=_SECONDS, headers={**headers, _MESSAGE_ID: once})
        except _GONE as failure:
            raise QueueGone(f"No stream took the message at {self._place} ({type(failure).__name__}).") from None

    async def close(self) -> None:
        """Close the connection."""
        with suppress(*_GONE):
            await self._client.close()


class _NatsMessage:
    def __init__(self, message: Msg) -> None:
        self._message = message
        self.headers: Mapping[str, str] = {name.lower(): value for name, value in (message.headers or {}).items()}
        self.body = message.data
        place = message.metadata
        named = self.headers.get(_MESSAGE_ID.lower())
        self.id = named or f"{place.stream}:{place.sequence.stream}"

    async def done(self) -> None:
        """Acknowledge, and wait until the server has it."""
        try:
            await self._message.ack_sync(timeout=_SECONDS)
        except _GONE as failure:
            raise QueueGone(f"NATS did not take the acknowledgement ({type(failure).__name__}).") from None

    async def later(self, pause: timedelta) -> None:
        """Give it back."""
        await self._tell(self._message.nak(delay=pause.total_seconds()))

    async def refuse(self) -> None:
        """Terminate it: the server never gives it again, and tells its advisories so."""
        await self._tell(self._message.term())

    async def hold(self) -> None:
        """Begin the time to acknowledge anew."""
        await self._tell(self._message.in_progress())

    async def _tell(self, word: Any) -> None:
        try:
            await word
        except _GONE as failure:
            raise QueueGone(f"The connection to NATS was lost ({type(failure).__name__}).") from None


async def _ignore(failure: Exception) -> None:
    """What goes wrong in the background shows at the next call."""
