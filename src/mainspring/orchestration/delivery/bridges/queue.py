"""The one shape of a queue: messages come with a way to say what became of them, and events are published.

A queue is opened for a short life: whatever goes wrong with it is a `QueueGone`, after which it is closed and opened
anew. Its address is judged by the guard each time, and the connection goes to the address that was judged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol
from urllib.parse import urlsplit

import msgspec

from mainspring.foundation.webguard import Gate, UrlRefused
from mainspring.orchestration.delivery.errors import EndpointInvalid

_MAX_ADDRESS = 500


class QueueGone(Exception):
    """The queue cannot be reached or used now; the text is safe to show to the tenant."""


@dataclass(frozen=True, slots=True)
class QueueAddress:
    """Where a queue is and what is needed to use it.

    place        the subject, stream and consumer, queue name or routing key, as the kind has it
    credentials  as the kind has them, such as user and password
    """

    url: str
    place: str
    credentials: Mapping[str, str] = field(default_factory=dict[str, str])


class Received(Protocol):
    """A message, of which nothing is lost until `done` or `refuse` was called."""

    @property
    def id(self) -> str:
        """Names the message: the same when it comes again."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """With names in lower case."""
        ...

    @property
    def body(self) -> bytes:
        """What was sent."""
        ...

    async def done(self) -> None:
        """It needs never to come again."""
        ...

    async def later(self, pause: timedelta) -> None:
        """Let it come again, not before the pause is over where the queue can wait."""
        ...

    async def refuse(self) -> None:
        """It is of no use however often it comes: to the queue's dead letters, where there are any."""
        ...

    async def hold(self) -> None:
        """It is being worked on: do not give it to others yet."""
        ...


class Queue(Protocol):
    """An open queue. Every method raises QueueGone."""

    async def receive(self, limit: int, *, patience: timedelta) -> Sequence[Received]:
        """Up to `limit` messages; none when `patience` is over."""
        ...

    async def publish(self, body: bytes, headers: Mapping[str, str], *, once: str) -> None:
        """Hand a message over for good; a queue that can recognizes `once` and keeps one of several."""
        ...

    async def close(self) -> None:
        """Let go of the connection; never raises."""
        ...


class QueueKind(Protocol):
    """A kind of queue that is installed here."""

    def check(self, address: QueueAddress, *, receives: bool) -> None:
        """EndpointInvalid or UrlRefused for what can be known to be wrong; asks nobody outside."""
        ...

    async def open(self, address: QueueAddress) -> Queue:
        """The queue; QueueGone, UrlRefused."""
        ...


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker's URL, read once."""

    scheme: str
    host: str
    port: int
    path: str


def read_broker(gate: Gate, url: str, ports: Mapping[str, int]) -> Broker:
    """The broker behind a URL of one of the schemes in `ports`; EndpointInvalid, UrlRefused."""
    shown = url[:80]
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        parts, port, host = None, None, None
    if parts is None or not host or parts.scheme not in ports or not url.isascii() or not url.isprintable():
        raise EndpointInvalid(f"The URL {shown!r} is not one of {', '.join(f'{each}://host' for each in ports)}.")
    if "@" in parts.netloc or parts.query:
        raise EndpointInvalid("The URL holds credentials or a query; give credentials as the secret.")
    port = ports[parts.scheme] if port is None else port
    if port not in ports.values() and not gate.is_internal(host, port):
        raise UrlRefused(f"{shown} uses port {port}; ports {sorted(set(ports.values()))} are open to bridges.")
    gate.check_host(host, port)
    return Broker(parts.scheme, host, port, parts.path)


def check_place(place: str, what: str) -> None:
    """EndpointInvalid unless it can be the name of a place in a queue."""
    if not 1 <= len(place) <= _MAX_ADDRESS or not place.isprintable() or " " in place:
        raise EndpointInvalid(f"The address {place[:40]!r} is not {what}.")


def read_credentials(secret: str | None, known: frozenset[str]) -> Mapping[str, str]:
    """The credentials in a secret's JSON; EndpointInvalid, without any of it, for what is none."""
    if secret is None or secret == "":
        return {}
    try:
        read = msgspec.json.decode(secret, type=dict[str, str])
    except msgspec.MsgspecError:
        read = {"": ""}
    if not read.keys() <= known:
        raise EndpointInvalid(f"The secret is no JSON object of texts named {', '.join(sorted(known))}.")
    return read
