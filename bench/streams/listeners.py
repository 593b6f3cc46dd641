"""The clients: raw sockets, so that they cost little. Reads a JSON order on stdin, prints a JSON account.

Each client reads one run's stream; a delta carries the instant at which it was said, in nanoseconds. `idle` clients
send the request and never read: what they would have read must not pile up in the server.
"""

import asyncio
import gc
import re
import socket
import sys
import time
from array import array
from dataclasses import dataclass, field
from typing import cast

import msgspec
import uvloop

_SAID = re.compile(rb'"delta":"(\d{19})')
_SMALL = 4_096


class Order(msgspec.Struct, frozen=True):
    """Where to listen, and how many clients to each path."""

    host: str
    port: int
    key: str
    paths: list[str]
    clients: int
    idle: int


class Account(msgspec.Struct):
    """Delays in milliseconds of every event that every client read."""

    events: int
    p50: float
    p99: float
    most: float
    whole: int
    broken: int
    own_cpu_seconds: float


@dataclass(slots=True)
class Heard:
    """What all clients heard."""

    delays: "array[float]" = field(default_factory=lambda: array("f"))
    whole: int = 0
    broken: int = 0


class Listener(asyncio.Protocol):
    """One client, to the end of its stream."""

    def __init__(self, request: bytes, heard: Heard) -> None:
        self._request = request
        self._heard = heard
        self._rest = b""
        self._has_heard = self._has_ended = False
        self.is_over = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own is none by inheritance
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Note how old each delta is when its frame is whole."""
        now = time.time_ns()
        frames, _, self._rest = (self._rest + data).rpartition(b"\n\n")
        for match in _SAID.finditer(frames):
            self._heard.delays.append((now - int(match[1])) / 1e6)
            self._has_heard = True
        if b"event: run.finished" in frames:
            self._has_ended = True
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Whole, if it heard something and the end."""
        if self._has_ended and self._has_heard:
            self._heard.whole += 1
        else:
            self._heard.broken += 1
        self.is_over.set_result(None)


async def listen(order: Order, path: str, heard: Heard) -> None:
    """One client, to the end of its stream."""
    loop = asyncio.get_running_loop()
    _, listener = await loop.create_connection(lambda: Listener(_request(order, path), heard), order.host, order.port)
    await listener.is_over


async def sit_idle(order: Order, path: str, until: asyncio.Event) -> None:
    """A client that asks and does not read, over a socket that holds little."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL)
    connection.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(connection, (order.host, order.port))
    await loop.sock_sendall(connection, _request(order, path))
    await until.wait()
    connection.close()


async def listen_all(order: Order) -> Account:
    """Every client at once."""
    heard, until = Heard(), asyncio.Event()
    gc.freeze()
    async with asyncio.TaskGroup() as group:
        for number in range(order.idle):
            group.create_task(sit_idle(order, order.paths[number % len(order.paths)], until))
        listening = [
            group.create_task(listen(order, order.paths[number % len(order.paths)], heard))
            for number in range(order.clients)
        ]
        print("listening", flush=True)
        await asyncio.wait(listening)
        until.set()
    delays, own = sorted(heard.delays), round(time.process_time(), 1)
    return Account(len(delays), _at(delays, 0.5), _at(delays, 0.99), delays[-1], heard.whole, heard.broken, own)


def _request(order: Order, path: str) -> bytes:
    lines = [f"GET {path} HTTP/1.1", f"Host: {order.host}", f"Authorization: Bearer {order.key}", "Accept: */*"]
    return "\r\n".join([*lines, "", ""]).encode()


def _at(delays: list[float], share: float) -> float:
    return round(delays[min(len(delays) - 1, int(len(delays) * share))], 2)


if __name__ == "__main__":
    given = msgspec.json.decode(sys.stdin.buffer.readline(), type=Order)
    account = uvloop.run(listen_all(given))
    sys.stdout.buffer.write(msgspec.json.encode(account) + b"\n")
