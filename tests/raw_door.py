"""The gateway's door for programs with a handle that echoes, and callers of whom a test decides every byte."""

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from mainspring.inference.gateway.server.http import ClientConnection, Server
from mainspring.inference.gateway.server.request import Patience, Request

JSON = b"content-type: application/json\r\n"
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@dataclass(slots=True)
class Echo:
    """Answers with what it was asked; `/slow` waits for `go`, `/stream` sends pieces, `/big` a lot."""

    go: asyncio.Event = field(default_factory=asyncio.Event)
    seen: list[Request] = field(default_factory=list[Request])
    cancelled: int = 0
    pauses: list[bool] = field(default_factory=list[bool])
    sent: int = 0

    async def handle(self, request: Request, connection: ClientConnection) -> None:
        self.seen.append(request)
        try:
            await self._answer(request, connection)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    async def _answer(self, request: Request, connection: ClientConnection) -> None:
        target = request.target.partition(b"?")[0]
        if target == b"/slow":
            await self.go.wait()
        if target == b"/stream":
            connection.begin(JSON, b"first")
            await self.go.wait()
            connection.send(b"second")
            connection.end(b"third")
        elif target == b"/flood":
            await self._flood(connection)
        elif target == b"/big":
            connection.reply(200, JSON, b"x" * 8_000_000)
        elif target == b"/half":
            connection.begin(JSON, b"first")
        elif target == b"/twice":
            connection.begin(JSON, b"first")
            connection.reply(500, JSON, b"{}")
        elif target != b"/nothing":
            shown = {"method": request.method.decode(), "target": request.target.decode(), "body": len(request.body)}
            connection.reply(200, JSON, json.dumps(shown).encode())

    async def _flood(self, connection: ClientConnection) -> None:
        may_send = asyncio.Event()
        may_send.set()

        def told(is_paused: bool) -> None:
            self.pauses.append(is_paused)
            (may_send.clear if is_paused else may_send.set)()

        connection.on_pause(told)
        connection.begin(JSON, b"x")
        while self.sent < 20_000_000:
            await may_send.wait()
            connection.send(b"x" * 10_000)
            self.sent += 10_000
            await asyncio.sleep(0)
        connection.end()


@dataclass(slots=True)
class Answer:
    """One answer as it was read; `status` 0 when there was none before the end."""

    status: int
    headers: dict[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""

    @property
    def error(self) -> dict[str, str]:
        return json.loads(self.body)["error"]

    @property
    def target(self) -> str:
        return json.loads(self.body)["target"]


@dataclass(slots=True)
class Caller:
    """A raw connection to the door."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def answer(self) -> Answer:
        async with asyncio.timeout(10):
            return await read_answer(self.reader)

    async def rest(self) -> bytes:
        """Everything until the end of the connection, which may be a reset."""
        read = b""
        async with asyncio.timeout(10):
            with suppress(ConnectionError):
                while piece := await self.reader.read(65536):
                    read += piece
        return read

    def close(self) -> None:
        self.writer.transport.abort()


async def read_answer(reader: asyncio.StreamReader) -> Answer:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return Answer(0)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:-2])}
    answer = Answer(int(head[0].split(" ")[1]), headers)
    if answer.status < 200:
        return answer
    if "content-length" in headers:
        answer.body = await reader.readexactly(int(headers["content-length"]))
    elif headers.get("transfer-encoding") == "chunked":
        while size := int(await reader.readuntil(b"\r\n"), 16):
            answer.body += (await reader.readexactly(size + 2))[:-2]
        await reader.readexactly(2)
    else:
        answer.body = await reader.read()
    return answer


@dataclass(slots=True)
class Door:
    """A server on a free port, and what it was asked."""

    server: Server
    echo: Echo
    port: int
    host: str = "127.0.0.1"

    @asynccontextmanager
    async def caller(self, tls: ssl.SSLContext | None = None) -> AsyncGenerator[Caller]:
        name = "localhost" if tls else None
        reader, writer = await asyncio.open_connection(self.host, self.port, ssl=tls, server_hostname=name)
        caller = Caller(reader, writer)
        try:
            yield caller
        finally:
            caller.close()

    async def ask(self, data: bytes) -> tuple[Answer, bytes]:
        """The answer to these bytes, and whatever comes after it until the connection's end."""
        async with self.caller() as caller:
            caller.send(data)
            return await caller.answer(), await caller.rest()


async def until(claim: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait until the claim holds."""
    async with asyncio.timeout(seconds):
        while not claim():  # noqa: ASYNC110 - the claim is about sockets, which tell nobody
            await asyncio.sleep(0.005)


@asynccontextmanager
async def open_door(
    *, patience: Patience | None = None, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None, body: int = 100_000
) -> AsyncGenerator[Door]:
    """A door for the time of a test; whatever it still does at the end is cut."""
    echo = Echo()
    server = Server(echo.handle, max_body_bytes=body, patience=patience)
    port = await server.listen(host, 0, tls=tls)
    try:
        yield Door(server, echo, port, host)
    finally:
        await server.drain(0)
        assert not server.connections
