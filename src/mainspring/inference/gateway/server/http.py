"""HTTP/1.1 towards callers: a raw protocol that hands out whole requests, one at a time for each connection.

What the parser lets pass is checked again where it matters for a proxy: one Host, one length or
one chunked coding and never both, no folded lines, nothing after a head that is too long. What is
refused here is answered in plain JSON and the connection is closed, since where the next request
begins is then unknown. Answers keep the order of the requests, and so does the refusal. An answer
that was not finished, for whatever reason, ends the connection: nothing can follow it.

Slow callers are found by one sweep over all connections, so that a request costs no timer.
"""

import asyncio
import json
import ssl
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, cast

from .parser import RequestParser
from .request import Patience, Refused, Request, reason_of

MAX_WAITING = 8
MAX_AHEAD_BYTES = 1_000_000
_SETTLE_SECONDS = 5.0  # for what was cancelled to write its records

_NONE, _BEGUN, _WHOLE = 0, 1, 2

Handle = Callable[[Request, "ClientConnection"], Coroutine[Any, Any, None]]


class ClientConnection(asyncio.Protocol):
    """One caller's connection. `reply`, or `begin`, `send` and `end`, answer the request being handled."""

    __slots__ = (
        "_ahead_bytes",
        "_answer",
        "_began_at",
        "_close_by",
        "_eof_at",
        "_handle",
        "_heard_at",
        "_is_bodiless",
        "_is_broken",
        "_is_draining",
        "_is_last",
        "_is_old",
        "_is_paused",
        "_loop",
        "_on_pause",
        "_owes_continue",
        "_parser",
        "_refusal",
        "_rest",
        "_server",
        "_stuck_since",
        "_task",
        "_transport",
        "_waiting",
        "is_closed",
    )

    def __init__(self, server: "Server") -> None:
        self._server = server
        self._loop = server.loop
        self._handle = server.handle
        self._parser = RequestParser(server.max_body_bytes, self._take, self._ask)
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._waiting: deque[Request] = deque()
        self._on_pause: Callable[[bool], None] | None = None
        self._refusal: Refused | None = None
        self._rest = b""
        self._heard_at = self._began_at = self._loop.time()
        self._stuck_since = self._close_by = self._eof_at = 0.0
        self._ahead_bytes = 0
        self._answer = _NONE
        self._is_broken = self._is_paused = self._owes_continue = False
        self._is_last = self._is_draining = self._is_old = self._is_bodiless = False
        self.is_closed = False

    # Answering.

    def reply(self, status: int, head: bytes, body: bytes) -> None:
        """A whole answer: `head` holds further header lines, each ended by CRLF."""
        if self._transport is None or self.is_closed:
            return
        if self._answer is not _NONE:  # a second head would be read as part of the first body
            self._transport.abort()
            return
        self._answer = _WHOLE
        last = b"connection: close\r\n" if self._is_last else b""
        self._transport.write(
            b"HTTP/1.1 %d %b\r\ncontent-length: %d\r\n%b%b\r\n%b"
            % (status, reason_of(status), len(body), head, last, b"" if self._is_bodiless else body)
        )

    def begin(self, head: bytes, first: bytes) -> None:
        """The head of a streamed answer, and its first piece."""
        if self._transport is None or self.is_closed:
            return
        self._answer = _BEGUN
        if self._is_old:  # HTTP/1.0 knows no chunks: the answer ends with its connection
            self._transport.write(b"HTTP/1.1 200 OK\r\n%bconnection: close\r\n\r\n%b" % (head, first))
            return
        last = b"connection: close\r\n" if self._is_last else b""
        piece = b"%x\r\n%b\r\n" % (len(first), first) if first else b""
        self._transport.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n%b%b\r\n%b" % (head, last, piece))

    def send(self, piece: bytes) -> None:
        """A further piece of a streamed answer."""
        if self._transport is not None and not self.is_closed and piece:
            self._transport.write(piece if self._is_old else b"%x\r\n%b\r\n" % (len(piece), piece))

    def end(self, piece: bytes = b"") -> None:
        """The end of a streamed answer, after its last piece."""
        if self._transport is None or self.is_closed or self._answer is not _BEGUN:
            return
        self._answer = _WHOLE
        if self._is_old:
            self._transport.write(piece)
            return
        last = b"%x\r\n%b\r\n" % (len(piece), piece) if piece else b""
        self._transport.write(last + b"0\r\n\r\n")

    def on_pause(self, told: Callable[[bool], None] | None) -> None:
        """Have `told` called with True when the caller reads too slowly, and with False when it has caught up."""
        before, self._on_pause = self._on_pause, told
        if self._is_paused and before:
            before(False)  # what was held back for this answer may serve another by now
        if self._is_paused and told:
            told(True)

    def abort(self) -> None:
        """Cut the connection: the caller sees that the answer is not whole."""
        if self._transport is not None:
            self._transport.abort()

    # What the server asks.

    @property
    def has_begun(self) -> bool:
        """Whether anything of the answer to this request was sent."""
        return self._answer is not _NONE

    @property
    def is_idle(self) -> bool:
        """Whether no request is being read, waiting or answered."""
        return self._task is None and not self._parser.is_in_request and not self._waiting

    @property
    def waiting(self) -> int:
        """How many requests were read ahead of the one that is answered."""
        return len(self._waiting)

    @property
    def is_held(self) -> bool:
        """Whether so many wait that no more is read."""
        return self._parser.is_stopped

    def drain(self) -> None:
        """Finish the answer that was begun, say that it is the last, then close."""
        self._is_draining = self._is_last = True
        if self.is_idle:
            self._close()

    def cancel(self) -> None:
        """Give up the request being handled, and the connection."""
        if self._task:
            self._task.cancel()
        self.abort()

    def sweep(self, at: float) -> None:
        """Close a connection whose caller is too slow: in sending a head or body, in reading, in coming back."""
        patience = self._server.patience
        if self._close_by:
            if at > self._close_by:
                self.abort()
        elif self._stuck_since and at - self._stuck_since > patience.write_idle:
            self.abort()
        elif self._task is not None or self._is_paused:
            if self._eof_at and self._answer is _NONE and at - self._eof_at > patience.half_closed:
                self.abort()
        elif self._parser.is_in_request:
            limit = patience.body_idle if self._parser.is_head_done else patience.head
            if at - self._heard_at > limit or at - self._began_at > patience.request:
                self._refuse(Refused(408, "The request did not come in time; send it again."))
        elif at - self._heard_at > patience.keep_alive:
            self._close()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A caller is there."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are none by class
        self._server.connections.add(self)
        if self._server.is_draining:  # it was accepted, or ended its handshake, just as the door closed
            self.drain()

    def connection_lost(self, exc: Exception | None) -> None:
        """The caller is gone: what it asked for is given up."""
        self.is_closed = True
        self._waiting.clear()
        self._rest = b""
        if self._task:
            self._task.cancel()  # the connection leaves once what it began has been settled
        else:
            self._server.leave(self)

    def eof_received(self) -> bool:
        """The caller sends no more: it is gone, or has shut down its side only, as `nc -N` and old tools do.

        The two look alike until something is written. So an answer that is on its way goes on, as writing
        to nobody soon fails; one that has not begun gets a moment (`Patience.half_closed`), enough for a
        list or a cached reply. After that it is given up, so that no model works long for nobody: callers
        who hang up are many, and those who half-close and then wait for a model are few. TLS has no half.
        """
        if self._task is None or self._server.is_tls:
            return False
        self._eof_at = self._loop.time()
        return True

    def data_received(self, data: bytes) -> None:
        """Bytes of a request."""
        if self._is_broken:
            return
        if not self._parser.is_in_request:
            self._parser.is_in_request = True
            self._heard_at = self._began_at = self._loop.time()
        elif self._parser.is_head_done:
            self._heard_at = self._loop.time()
        self._feed(data)

    def _feed(self, data: bytes) -> None:
        if self._rest or self._parser.is_stopped:
            self._rest += data  # reading is paused; this was under way
            return
        try:
            self._rest = self._parser.feed(data)
        except Refused as refused:
            self._refuse(refused)

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
        self._go_on()

    # What the parser calls.

    def _take(self, request: Request) -> None:
        """A whole request is there."""
        if self._task is None and not self._is_paused and not self._waiting:
            self._start(request)
            return
        self._owes_continue = False
        self._waiting.append(request)
        self._ahead_bytes += len(request.body)
        if len(self._waiting) >= MAX_WAITING or self._ahead_bytes > MAX_AHEAD_BYTES:
            self._hold()

    def _ask(self) -> None:
        """Ask for a body at once, or as soon as the answers before it have been given."""
        self._owes_continue = True
        if self._task is None and not self._waiting:
            self._give_continue()

    def _give_continue(self) -> None:
        if self._owes_continue and self._transport:
            self._owes_continue = False
            if self._parser.is_in_request:  # else the body came unasked
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    # One request after the other.

    def _start(self, request: Request) -> None:
        self._is_last = request.is_last or self._is_draining
        self._is_old = request.is_old
        self._is_bodiless = request.method == b"HEAD"
        self._answer = _NONE
        self._task = self._loop.create_task(self._serve(request))

    async def _serve(self, request: Request) -> None:
        try:
            await self._handle(request, self)
        finally:
            self.on_pause(None)
            self._task = None
            self._heard_at = self._began_at = self._loop.time()
            self._after()

    def _after(self) -> None:
        if self.is_closed:
            self._server.leave(self)
        elif self._answer is not _WHOLE:
            self.abort()
        elif self._is_last:
            self._close()
        elif self._waiting or self._refusal or self._eof_at or self._owes_continue:
            self._go_on()

    def _go_on(self) -> None:
        """What comes after an answer, once the caller has read enough of those before."""
        if self._task is not None or self._is_paused or self._close_by or self.is_closed:
            return
        if self._waiting:
            request = self._waiting.popleft()
            self._ahead_bytes -= len(request.body)
            self._start(request)
            if self._parser.is_stopped:
                self._let_go()
        elif self._refusal:
            self._tell_refusal(self._refusal)
        elif self._eof_at:
            self._close()
        else:
            self._give_continue()

    def _hold(self) -> None:
        if not self._parser.is_stopped and self._transport:
            self._parser.is_stopped = True
            self._transport.pause_reading()

    def _let_go(self) -> None:
        """Read again; what was kept may fill the queue anew."""
        self._parser.is_stopped = False
        rest, self._rest = self._rest, b""
        if rest and not self._is_broken:
            self._feed(rest)
        if not self._parser.is_stopped and self._transport and not self.is_closed:
            self._transport.resume_reading()

    def _refuse(self, refused: Refused) -> None:
        """Read no more; say why when the requests before have their answers."""
        self._is_broken = True
        self._refusal = refused
        self._parser.is_in_request = False
        if self._task is None and not self._waiting:
            self._tell_refusal(refused)

    def _tell_refusal(self, refused: Refused) -> None:
        """Answer, then read and drop for a moment: closing on unread bytes would reset the answer away."""
        error = {"message": refused.detail, "type": "invalid_request_error", "code": "bad_http", "param": None}
        self._is_last, self._answer = True, _NONE
        self._is_bodiless = False
        self.reply(refused.status, b"content-type: application/json\r\n", json.dumps({"error": error}).encode())
        if self._transport is None or self._transport.is_closing():
            return
        self._close_by = self._loop.time() + self._server.patience.linger
        if self._parser.is_stopped:
            self._let_go()
        if self._transport.can_write_eof():
            self._transport.write_eof()

    def _close(self) -> None:
        """Close once all is written, for which the caller has a time too."""
        if self._transport and not self._close_by:
            self._close_by = self._loop.time() + self._server.patience.write_idle
            self._transport.close()


class Server:
    """All connections of a process, and the timer that watches them."""

    def __init__(self, handle: Handle, *, max_body_bytes: int, patience: Patience | None = None) -> None:
        self.loop = asyncio.get_running_loop()
        self.handle = handle
        self.max_body_bytes = max_body_bytes
        self.patience = patience or Patience()
        self.connections: set[ClientConnection] = set()
        self.is_tls = self.is_draining = False
        self._server: asyncio.Server | None = None
        self._sweeper: asyncio.Task[None] | None = None
        self._emptied: asyncio.Future[None] | None = None

    def leave(self, connection: ClientConnection) -> None:
        """A connection is closed, and what it began has ended."""
        self.connections.discard(connection)
        if not self.connections and self._emptied and not self._emptied.done():
            self._emptied.set_result(None)

    async def listen(self, host: str, port: int, *, tls: ssl.SSLContext | None = None, reuse_port: bool = False) -> int:
        """Begin to accept; returns the port, which is chosen by the system when 0 was given."""
        self.is_tls = tls is not None
        self._server = server = await self.loop.create_server(
            lambda: ClientConnection(self),
            host,
            port,
            backlog=4096,
            ssl=tls,
            reuse_port=reuse_port,
            ssl_handshake_timeout=10.0 if tls else None,
            ssl_shutdown_timeout=5.0 if tls else None,
        )
        self._sweeper = asyncio.create_task(self._keep_sweeping())
        return server.sockets[0].getsockname()[1]

    async def drain(self, seconds: float) -> None:
        """Accept no more, finish what was begun within `seconds`, then cancel the rest and wait until it is settled."""
        self.is_draining = True
        if self._server:
            self._server.close()
        for connection in list(self.connections):
            connection.drain()
        await self._empty(seconds)
        for connection in list(self.connections):
            connection.cancel()
        await self._empty(_SETTLE_SECONDS)
        if self._sweeper:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)

    async def _empty(self, seconds: float) -> None:
        if self.connections:
            self._emptied = self.loop.create_future()
            await asyncio.wait({self._emptied}, timeout=seconds)

    async def _keep_sweeping(self) -> None:
        while True:
            await asyncio.sleep(self.patience.sweep)
            at = self.loop.time()
            for connection in list(self.connections):
                connection.sweep(at)
