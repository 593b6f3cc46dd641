"""One kept-alive HTTP/1.1 connection to a provider; one exchange on it at a time.

There is no task and no stream reader behind it: bytes go from the socket through the parser to
whoever waits, in one call. The owner sweeps over busy connections for deadlines, so that an
exchange costs no timer of its own.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Protocol, cast

import httptools

MAX_HEAD_BYTES = 64 * 1024
MAX_BODY_BYTES = 64 * 1024 * 1024
HELD_PARTS = 64

Sink = Callable[[bytes], None]
Opening = Callable[[bytes], bool]


class UpstreamGone(Exception):
    """The connection failed; `is_stale` when it had been used before and nothing of this answer had come."""

    def __init__(self, reason: str, *, is_stale: bool = False, is_timeout: bool = False) -> None:
        super().__init__(reason)
        self.is_stale = is_stale
        self.is_timeout = is_timeout


class Home(Protocol):
    """Where a connection goes when its exchange is over."""

    def take_back(self, connection: "Connection") -> None:
        """It can be used again."""
        ...

    def forget(self, connection: "Connection") -> None:
        """It is closed."""
        ...


class Connection(asyncio.Protocol):
    """A connection; `exchange` begins one request, `head`, `whole` and `pump` wait for its answer."""

    __slots__ = (
        "_awaited",
        "_home",
        "_is_closed",
        "_is_complete",
        "_is_full",
        "_is_head_complete",
        "_is_held",
        "_is_until_close",
        "_loop",
        "_opening",
        "_parser",
        "_parts",
        "_received",
        "_sink",
        "_transport",
        "_uses",
        "_waiter",
        "failure",
        "first_byte_by",
        "headers",
        "heard_at",
        "idle_seconds",
        "status",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, home: Home) -> None:
        self._loop = loop
        self._home = home
        self._transport: asyncio.Transport | None = None
        self._is_closed = False
        self._uses = 0
        self._reset()
        self._is_complete = True
        self.first_byte_by = self.idle_seconds = self.heard_at = 0.0

    def _reset(self) -> None:
        self._waiter: asyncio.Future[None] | None = None
        self._awaited = ""
        self._sink: Sink | None = None
        self._opening: Opening | None = None
        self._parts: list[bytes] = []
        self._received = 0
        self._is_head_complete = self._is_complete = self._is_until_close = False
        self._is_held = self._is_full = False
        self.status = 0
        self.headers: dict[str, str] = {}
        self.failure: Exception | None = None

    @property
    def is_closed(self) -> bool:
        """Whether nothing more can go over it."""
        return self._is_closed

    @property
    def is_usable(self) -> bool:
        """Whether another exchange can begin on it."""
        return self._is_complete and not self._is_closed and self._transport is not None

    def exchange(self, request: tuple[bytes, bytes], *, first_byte_by: float, idle_seconds: float) -> None:
        """Send a request, head and body; on the loop's clock, its answer must begin by `first_byte_by`."""
        assert self._transport is not None
        self._reset()
        self._uses += 1
        self._parser = httptools.HttpResponseParser(self)
        self.first_byte_by, self.idle_seconds, self.heard_at = first_byte_by, idle_seconds, 0.0
        self._transport.writelines(request)

    async def head(self) -> None:
        """Wait for status and headers; raises UpstreamGone."""
        if not self._is_head_complete:
            await self._wait("head")
        if self.failure and not self._is_head_complete:
            raise self.failure

    async def whole(self) -> bytes:
        """Wait for the whole body; raises UpstreamGone."""
        if not self._is_complete:
            await self._wait("end")
        if self.failure:
            raise self.failure
        parts, self._parts = self._parts, []
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def pump(self, sink: Sink) -> None:
        """Give `sink` every piece of the body as it comes, until the end; raises UpstreamGone.

        The sink is called again for pieces that came before; it may call `abort`, and what it raises is raised here.
        """
        self._sink = sink
        parts, self._parts = self._parts, []
        for part in parts:
            sink(part)
        if not self._is_complete:
            await self._wait("end")
        self._sink = None
        if self.failure:
            raise self.failure

    async def until(self, sink: Opening) -> None:
        """Give `sink` the first pieces of the body until it returns True, or the body ends; raises UpstreamGone.

        Pieces that come afterwards are kept for `pump`.
        """
        parts, self._parts = self._parts, []
        for place, part in enumerate(parts):
            if sink(part):
                self._parts = parts[place + 1 :]
                return
        if not self._is_complete:
            self._opening = sink
            await self._wait("opening")
            self._opening = None
        if self.failure:
            raise self.failure

    async def parts(self) -> AsyncGenerator[bytes]:
        """The pieces of the body as they come; the provider is held back while nobody asks. Raises UpstreamGone."""
        while True:
            if self._parts:
                parts, self._parts = self._parts, []
                yield b"".join(parts)
            elif self._is_complete:
                break
            else:
                if self._is_full:
                    self._is_full = False
                    self._resume()
                await self._wait("part")
        if self.failure:
            raise self.failure

    def hold_back(self) -> None:
        """Read no more for now: whoever receives is slower. The deadlines wait too."""
        if not self._is_complete:
            self._is_held = True
            self._pause()

    def go_on(self) -> None:
        """Read again."""
        if self._is_held:
            self._is_held = False
            self._resume()

    def _pause(self) -> None:
        if self._transport and not self._is_closed:
            self._transport.pause_reading()

    def _resume(self) -> None:
        if self._transport and not self._is_closed and not self._is_held and not self._is_full:
            self.heard_at = self.heard_at and self._loop.time()  # the silence was ours
            self._transport.resume_reading()

    def abort(self, reason: str = "cancelled", *, is_timeout: bool = False) -> None:
        """Close at once; who waits gets UpstreamGone."""
        self._fail(UpstreamGone(reason, is_timeout=is_timeout))

    def is_late(self, at: float) -> bool:
        """Whether its answer is overdue, or has been silent for too long. A part of a head is no answer yet."""
        if self._is_held or self._is_full:
            return False
        if self._is_head_complete and at - self.heard_at > self.idle_seconds:
            return True
        is_waited_for = self._waiter is not None and self._sink is None and self._awaited in ("opening", "end")
        return at > self.first_byte_by and (not self._is_head_complete or is_waited_for)

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are none by class

    def data_received(self, data: bytes) -> None:
        """Bytes of an answer; bytes without a question end the connection."""
        if self._is_complete:
            self._fail(UpstreamGone("bytes without a request"))
            return
        self.heard_at = self._loop.time()
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError as broken:
            cause = broken.__context__  # what the sink has raised, or one of the callbacks below
            self._fail(cause if isinstance(cause, Exception) else UpstreamGone("no HTTP: callback"))
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as broken:
            self._fail(UpstreamGone(f"no HTTP: {type(broken).__name__}"))
        if self._received > MAX_HEAD_BYTES:
            self._check_size()

    def _check_size(self) -> None:
        if self._is_complete:
            return
        if not self._is_head_complete:
            self._fail(UpstreamGone("the answer's head is too long"))
        elif self._received > MAX_BODY_BYTES:
            self._fail(UpstreamGone("the answer is too long"))

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed; a body that ends with its connection is complete now."""
        if self._is_until_close and self._is_head_complete and exc is None and not self._is_complete:
            self._is_closed = True
            self._complete()
            self._home.forget(self)
            return
        is_stale = self._uses > 1 and not self.heard_at
        self._fail(UpstreamGone(f"connection lost: {exc or 'closed by the provider'}", is_stale=is_stale))

    # What the parser calls.

    def on_message_begin(self) -> None:
        """An answer begins; a second one to the same request would be given to the next."""
        if self._is_complete:
            raise UpstreamGone("bytes after the answer")

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header of the answer; those after its body say nothing."""
        if self._is_head_complete:
            return
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Status and headers are there."""
        self.status = self._parser.get_status_code()
        if self.status < 200:
            self.headers = {}
            return
        headers = self.headers
        self._is_until_close = "content-length" not in headers and "chunked" not in headers.get("transfer-encoding", "")
        self._is_head_complete = True
        if self._awaited == "head":
            self._wake()

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        if self._sink is not None:
            self._sink(data)
            return
        if self._opening is not None:
            if self._opening(data):
                self._opening = None
                self._wake()
            return
        self._parts.append(data)
        if self._awaited == "part":
            self._wake()
        if len(self._parts) > HELD_PARTS and self._awaited == "part":
            self._is_full = True
            self._pause()

    def on_message_complete(self) -> None:
        """The answer has ended."""
        if self.status >= 200 and not self._is_complete:
            self._complete()

    def _complete(self) -> None:
        self._is_complete = True
        if self._is_held or self._is_full:
            self._is_held = self._is_full = False
            self._resume()
        if not self._may_be_kept() and self._transport:
            self._is_closed = True
            self._transport.close()
        self._wake()

    def release(self) -> None:
        """Its answer was taken: it may serve the next request."""
        if self.is_usable:
            self._home.take_back(self)

    def give_up(self, reason: str, *, is_timeout: bool = False) -> None:
        """Nobody wants its answer: what came whole is dropped, what did not is cut off."""
        if self.is_usable:
            self._parts = []
            self.release()
        else:
            self.abort(reason, is_timeout=is_timeout)

    def _may_be_kept(self) -> bool:
        """Not after an answer that came before the request was sent: who answers so may not read the rest."""
        return (
            not self._is_closed
            and not self._is_until_close
            and self._parser.should_keep_alive()
            and self._transport is not None
            and not self._transport.get_write_buffer_size()
        )

    def _fail(self, failure: Exception) -> None:
        if not self._is_complete and self.failure is None:
            self.failure = failure
        self._is_complete = self._is_closed = True
        self._is_held = self._is_full = False
        if self._transport:
            self._transport.abort()
        self._home.forget(self)
        self._wake()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter and not waiter.done():
            waiter.set_result(None)

    async def _wait(self, awaited: str) -> None:
        self._waiter, self._awaited = self._loop.create_future(), awaited
        await self._waiter
