"""HTTP/1.1 towards callers: a raw protocol that hands out whole requests, one at a time for each connection.

What the parser lets pass is checked again where it matters for a proxy: one Host, one length or
one chunked coding and never both, no folded lines, nothing after a head that is too long. What is
refused here is answered in plain JSON and the connection is closed, since where the next request
begins is then unknown.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, cast

import httptools

MAX_HEAD_BYTES = 64 * 1024
MAX_HEADERS = 128
MAX_WAITING = 8
HEAD_SECONDS = 15.0
BODY_IDLE_SECONDS = 30.0
KEEP_ALIVE_SECONDS = 75.0
WRITE_IDLE_SECONDS = 60.0

_REASONS = {
    200: b"OK",
    400: b"Bad Request",
    401: b"Unauthorized",
    403: b"Forbidden",
    404: b"Not Found",
    405: b"Method Not Allowed",
    408: b"Request Timeout",
    409: b"Conflict",
    413: b"Content Too Large",
    422: b"Unprocessable Content",
    429: b"Too Many Requests",
    431: b"Request Header Fields Too Large",
    500: b"Internal Server Error",
    502: b"Bad Gateway",
    503: b"Service Unavailable",
    504: b"Gateway Timeout",
    501: b"Not Implemented",
    529: b"Overloaded",
}


@dataclass(slots=True)
class Request:
    """A whole request; header names are in lower case."""

    method: bytes
    target: bytes
    headers: dict[bytes, bytes]
    body: bytes
    is_last: bool


Handle = Callable[[Request, "ClientConnection"], Coroutine[Any, Any, None]]


class Refused(Exception):
    """A request that cannot be read; the connection ends with this answer."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class ClientConnection(asyncio.Protocol):
    """One caller's connection. `reply`, or `begin`, `send` and `end`, answer the request being handled."""

    __slots__ = (
        "_body",
        "_body_bytes",
        "_handle",
        "_head_bytes",
        "_headers",
        "_headers_done",
        "_heard_at",
        "_is_broken",
        "_is_draining",
        "_is_in_request",
        "_is_last",
        "_is_paused",
        "_loop",
        "_max_body",
        "_on_pause",
        "_parser",
        "_server",
        "_stuck_since",
        "_target",
        "_task",
        "_transport",
        "_waiting",
        "is_closed",
    )

    def __init__(self, server: "Server") -> None:
        self._server = server
        self._loop = server.loop
        self._handle = server.handle
        self._max_body = server.max_body_bytes
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._waiting: deque[Request] = deque()
        self._on_pause: Callable[[bool], None] | None = None
        self._heard_at = self._loop.time()
        self._stuck_since = 0.0
        self._is_in_request = self._is_broken = self._is_paused = self._is_last = self._is_draining = False
        self.is_closed = False
        self._begin_message()

    # Answering.

    def reply(self, status: int, head: bytes, body: bytes) -> None:
        """A whole answer: `head` holds further header lines, each ended by CRLF."""
        if self._transport is None or self.is_closed:
            return
        last = b"connection: close\r\n" if self._is_last else b""
        self._transport.write(
            b"HTTP/1.1 %d %b\r\ncontent-length: %d\r\n%b%b\r\n%b"
            % (status, _REASONS.get(status, b"Status"), len(body), head, last, body)
        )

    def begin(self, head: bytes, first: bytes) -> None:
        """The head of a streamed answer, and its first piece."""
        if self._transport is None or self.is_closed:
            return
        last = b"connection: close\r\n" if self._is_last else b""
        self._transport.write(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n%b%b\r\n%x\r\n%b\r\n" % (head, last, len(first), first)
        )

    def send(self, piece: bytes) -> None:
        """A further piece of a streamed answer."""
        if self._transport is not None and not self.is_closed:
            self._transport.write(b"%x\r\n%b\r\n" % (len(piece), piece))

    def end(self, piece: bytes = b"") -> None:
        """The end of a streamed answer, after its last piece."""
        if self._transport is not None and not self.is_closed:
            last = b"%x\r\n%b\r\n" % (len(piece), piece) if piece else b""
            self._transport.write(last + b"0\r\n\r\n")

    def on_pause(self, told: Callable[[bool], None] | None) -> None:
        """Have `told` called with True when the caller reads too slowly, and with False when it has caught up."""
        self._on_pause = told
        if told and self._is_paused:
            told(True)

    def abort(self) -> None:
        """Cut the connection: the caller sees that the answer is not whole."""
        if self._transport is not None:
            self._transport.abort()

    # What the server asks.

    @property
    def is_idle(self) -> bool:
        """Whether no request is being read or answered."""
        return self._task is None and not self._is_in_request

    def drain(self) -> None:
        """Finish what was begun, then close."""
        self._is_draining = True
        if self.is_idle and self._transport:
            self._transport.close()

    def cancel(self) -> None:
        """Give up the request being handled."""
        if self._task:
            self._task.cancel()

    def sweep(self, at: float) -> None:
        """Close a connection whose caller is too slow: in sending a head or body, in reading, in coming back."""
        if self._stuck_since and at - self._stuck_since > WRITE_IDLE_SECONDS:
            self.abort()
        elif self._task is not None:
            return
        elif self._is_in_request:
            limit = HEAD_SECONDS if not self._headers_done else BODY_IDLE_SECONDS
            if at - self._heard_at > limit:
                self._refuse(Refused(408, "The request did not come in time; send it again."))
        elif at - self._heard_at > KEEP_ALIVE_SECONDS and self._transport:
            self._transport.close()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A caller is there."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are none by class
        self._server.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The caller is gone: what it asked for is given up."""
        self.is_closed = True
        self._server.leave(self)
        self._waiting.clear()
        if self._task:
            self._task.cancel()

    def eof_received(self) -> bool:
        """The caller sends no more; it counts as gone, so that no model goes on for nobody."""
        return False

    def data_received(self, data: bytes) -> None:
        """Bytes of a request."""
        if self._is_broken:
            return
        if not self._is_in_request:
            self._is_in_request = True
            self._heard_at = self._loop.time()
        elif self._headers_done:
            self._heard_at = self._loop.time()
        if not self._headers_done:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES + len(data):
                self._refuse(Refused(431, f"The request's head is longer than {MAX_HEAD_BYTES} bytes."))
                return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._refuse(Refused(400, "This server speaks HTTP/1.1 only; send no Upgrade and no CONNECT."))
        except httptools.HttpParserCallbackError as failure:
            cause = failure.__context__
            self._refuse(cause if isinstance(cause, Refused) else Refused(400, "The request is no valid HTTP."))
        except httptools.HttpParserError:
            self._refuse(Refused(400, "The request is no valid HTTP."))

    def pause_writing(self) -> None:
        """The caller reads too slowly."""
        self._is_paused = True
        self._stuck_since = self._loop.time()
        if self._on_pause:
            self._on_pause(True)

    def resume_writing(self) -> None:
        """The caller has caught up."""
        self._is_paused, self._stuck_since = False, 0.0
        if self._on_pause:
            self._on_pause(False)

    # What the parser calls.

    def on_message_begin(self) -> None:
        """A request begins."""
        self._begin_message()
        self._is_in_request = True

    def _begin_message(self) -> None:
        self._target = b""
        self._headers: dict[bytes, bytes] = {}
        self._body: list[bytes] = []
        self._body_bytes = self._head_bytes = 0
        self._headers_done = False

    def on_url(self, url: bytes) -> None:
        """The target, or a piece of it."""
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        name = name.lower()
        headers = self._headers
        if name in headers:
            if name in (b"host", b"content-length", b"transfer-encoding", b"authorization", b"x-api-key"):
                raise Refused(400, f"The request has more than one {name.decode('latin-1')}.")
            value = headers[name] + b", " + value
        elif len(headers) >= MAX_HEADERS:
            raise Refused(431, f"The request has more than {MAX_HEADERS} headers.")
        headers[name] = value

    def on_headers_complete(self) -> None:
        """The head is complete."""
        headers = self._headers
        self._headers_done = True
        length = headers.get(b"content-length")
        coding = headers.get(b"transfer-encoding")
        if coding is not None and (length is not None or coding.lower() != b"chunked"):
            raise Refused(400, "The request must give its length once: by Content-Length or by chunked coding.")
        if b"host" not in headers and self._parser.get_http_version() == "1.1":
            raise Refused(400, "The request has no Host.")
        if length is not None and (len(length) > 15 or int(length) > self._max_body):
            raise Refused(413, f"The request's body is longer than {self._max_body} bytes.")
        if headers.get(b"expect", b"").lower() == b"100-continue" and self._transport and self._task is None:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        self._body_bytes += len(data)
        if self._body_bytes > self._max_body:
            raise Refused(413, f"The request's body is longer than {self._max_body} bytes.")
        self._body.append(data)

    def on_message_complete(self) -> None:
        """A whole request is there."""
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        is_last = not self._parser.should_keep_alive()
        request = Request(self._parser.get_method(), self._target, self._headers, body, is_last)
        self._is_in_request = False
        self._begin_message()
        self._waiting.append(request)
        if self._task is None:
            self._next()
        elif len(self._waiting) >= MAX_WAITING and self._transport:
            self._transport.pause_reading()

    def _next(self) -> None:
        if not self._waiting or self.is_closed:
            return
        request = self._waiting.popleft()
        self._is_last = request.is_last or self._is_draining
        self._task = self._loop.create_task(self._serve(request))

    async def _serve(self, request: Request) -> None:
        try:
            await self._handle(request, self)
        finally:
            self._task, self._on_pause = None, None
            self._heard_at = self._loop.time()
            self._after()

    def _after(self) -> None:
        if self.is_closed or self._transport is None:
            return
        if self._is_last or self._is_draining:
            self._transport.close()
            return
        if len(self._waiting) == MAX_WAITING:
            self._transport.resume_reading()
        self._next()

    def _refuse(self, refused: Refused) -> None:
        self._is_broken = self._is_last = True
        if self._task is not None:  # an earlier request is being answered: nothing may come between
            self._is_draining = True
            return
        body = b'{"error":{"message":"%b","type":"invalid_request_error","code":"bad_http","param":null}}' % (
            refused.detail.encode()
        )
        self.reply(refused.status, b"content-type: application/json\r\n", body)
        if self._transport:
            self._transport.close()


class Server:
    """All connections of a process, and the timer that watches them."""

    def __init__(self, handle: Handle, *, max_body_bytes: int) -> None:
        self.loop = asyncio.get_running_loop()
        self.handle = handle
        self.max_body_bytes = max_body_bytes
        self.connections: set[ClientConnection] = set()
        self._server: asyncio.Server | None = None
        self._sweeper: asyncio.Task[None] | None = None
        self._emptied: asyncio.Future[None] | None = None

    def leave(self, connection: ClientConnection) -> None:
        """A connection is closed."""
        self.connections.discard(connection)
        if not self.connections and self._emptied and not self._emptied.done():
            self._emptied.set_result(None)

    async def listen(self, host: str, port: int, **options: Any) -> int:
        """Begin to accept; returns the port, which is chosen by the system when 0 was given."""
        self._server = await self.loop.create_server(
            lambda: ClientConnection(self), host, port, backlog=4096, **options
        )
        self._sweeper = asyncio.create_task(self._keep_sweeping())
        return self._server.sockets[0].getsockname()[1]

    async def drain(self, seconds: float) -> None:
        """Accept no more, finish what was begun within `seconds`, then cancel the rest."""
        if self._server:
            self._server.close()
        for connection in list(self.connections):
            connection.drain()
        if self.connections:
            self._emptied = self.loop.create_future()
            await asyncio.wait({self._emptied}, timeout=seconds)
        for connection in list(self.connections):
            connection.cancel()
            connection.abort()
        if self._sweeper:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)

    async def _keep_sweeping(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            at = self.loop.time()
            for connection in list(self.connections):
                connection.sweep(at)
