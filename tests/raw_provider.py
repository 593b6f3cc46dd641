"""A provider of which a test decides every byte, and a swept pool of connections to it."""

import asyncio
import re
import ssl
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from mainspring.inference.gateway.upstream import (
    Exchange,
    Limits,
    Origin,
    Pool,
    Upstreams,
)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
REQUEST = (b"POST /v1?a=b HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\n", b"abc")

Act = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(slots=True)
class Provider:
    """Plays one line of its script for each request: bytes to send, or an act; then it answers `hi`."""

    port: int = 0
    script: deque[bytes | Act] = field(default_factory=deque[bytes | Act])
    heads: list[bytes] = field(default_factory=list[bytes])
    connections: int = 0
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while not writer.is_closing():
                self.heads.append(await reader.readuntil(b"\r\n\r\n"))
                length = re.search(rb"content-length: (\d+)", self.heads[-1])
                await reader.readexactly(int(length[1]) if length else 0)
                line = self.script.popleft() if self.script else OK
                if isinstance(line, bytes):
                    writer.write(line)
                else:
                    await line(reader, writer)
        writer.close()


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


def then_close(data: bytes) -> Act:
    async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        writer.close()

    return act


def endless(start: bytes, piece: bytes) -> Act:
    async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        while not writer.is_closing():
            writer.write(piece)
            await writer.drain()

    return act


def dribble(start: bytes, piece: bytes, seconds: float) -> Act:
    async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        while not reader.at_eof():
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(seconds)

    return act


@asynccontextmanager
async def provider(host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> AsyncGenerator[Provider]:
    """A provider on a free port."""
    playing = Provider()
    server = await asyncio.start_server(playing.serve, host, 0, ssl=tls)
    playing.port = server.sockets[0].getsockname()[1]
    try:
        yield playing
    finally:
        playing.go.set()
        server.close()


@asynccontextmanager
async def pooled(origin: Origin, limits: Limits | None = None) -> AsyncGenerator[Pool]:
    """A swept pool of the origin."""
    upstreams = Upstreams(limits or Limits(sweep=0.02))
    try:
        yield upstreams.pool(origin)
    finally:
        await upstreams.close()


async def begin(pool: Pool, *, seconds: float = 5.0, idle: float = 5.0, body: bytes = b"abc") -> Exchange:
    head = REQUEST[0].replace(b": 3", b": %d" % len(body))
    by = asyncio.get_running_loop().time() + seconds
    return await pool.begin((head, body), first_byte_by=by, idle_seconds=idle)


async def ask(pool: Pool, *, seconds: float = 5.0, idle: float = 5.0) -> bytes:
    return await (await begin(pool, seconds=seconds, idle=idle)).whole()


def plain(playing: Provider) -> Origin:
    return Origin("127.0.0.1", playing.port)


async def until(claim: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not claim():  # noqa: ASYNC110 - the claim is about sockets, which tell nobody
            await asyncio.sleep(0.005)
