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


@dataclass(slots=True)
class Heard:
    """What all clients heard."""

    delays: "array[float]" = field(default_factory=lambda: array("f"))
    whole: int = 0
    broken: int = 0


async def listen(order: Order, path: str, heard: Heard) -> None:
    """One client, to the end of its stream."""
    reader, writer = await asyncio.open_connection(order.host, order.port)
    writer.write(_request(order, path))
    said = 0
    has_ended = False
    try:
        while not has_ended and (chunk := await reader.read(65_536)):
            now = time.time_ns()
            for match in _SAID.finditer(chunk):
                heard.delays.append((now - int(match[1])) / 1e6)
                said += 1
            has_ended = has_ended or b"event: run.finished" in chunk
    except ConnectionError:
        has_ended = False
    finally:
        writer.close()
    if has_ended and said:
        heard.whole += 1
    else:
        heard.broken += 1


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
    delays = sorted(heard.delays)
    return Account(len(delays), _at(delays, 0.5), _at(delays, 0.99), delays[-1], heard.whole, heard.broken)


def _request(order: Order, path: str) -> bytes:
    lines = [f"GET {path} HTTP/1.1", f"Host: {order.host}", f"Authorization: Bearer {order.key}", "Accept: */*"]
    return "\r\n".join([*lines, "", ""]).encode()


def _at(delays: list[float], share: float) -> float:
    return round(delays[min(len(delays) - 1, int(len(delays) * share))], 2)


if __name__ == "__main__":
    given = msgspec.json.decode(sys.stdin.buffer.readline(), type=Order)
    account = uvloop.run(listen_all(given))
    sys.stdout.buffer.write(msgspec.json.encode(account) + b"\n")
