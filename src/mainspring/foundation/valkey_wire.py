"""A pipelined Valkey client for paths that run thousands of times a second; all else uses `valkey`.

One connection, one FIFO of replies: whatever is called in one turn of the event loop leaves in one
write, replies are matched by order, and no call has a task, a lock or a timer of its own. A sweep
looks at the oldest unanswered write only: when it is late, so is everything behind it, and the
connection is given up. While there is none, every call fails at once with one of `ValkeyGone`.
"""

import asyncio
import hashlib
import random
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from logging import getLogger
from typing import Any, Self, cast
from urllib.parse import parse_qs, unquote, urlsplit

import hiredis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from mainspring.foundation.stopping import stop_all

logger = getLogger(__name__)

Reply = bytes | int | list["Reply"] | None
"""What a command answers; errors are raised instead."""

OnLoss = Callable[[bytes], None]
"""Is given a message whose reply never came; it may or may not have been executed."""

MAX_WAITING = 50_000
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 1.0
_CONNECT_SECONDS = 2.0


def encode(*arguments: bytes) -> bytes:
    """A command in the wire format."""
    return b"*%d\r\n%b" % (len(arguments), b"".join([b"$%d\r\n%b\r\n" % (len(part), part) for part in arguments]))


class Script:
    """A Lua script, called by its hash; it is loaded by itself wherever it is missing."""

    __slots__ = ("load", "sha")

    def __init__(self, source: str) -> None:
        text = source.encode()
        self.sha = hashlib.sha1(text, usedforsecurity=False).hexdigest().encode()
        self.load = encode(b"SCRIPT", b"LOAD", text)

    def prepare(self, keys: Sequence[bytes], *arguments: bytes, last_size: int) -> bytes:
        """What is the same in every call: all of it up to the last argument, `last_size` bytes, and `\\r\\n`."""
        fixed = (b"EVALSHA", self.sha, b"%d" % len(keys), *keys, *arguments)
        parts = b"".join([b"$%d\r\n%b\r\n" % (len(part), part) for part in fixed])
        return b"*%d\r\n%b$%d\r\n" % (len(fixed) + 1, parts, last_size)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is and how to enter; `greeting` holds the commands to begin with."""

    host: str
    port: int
    path: str | None
    tls: ssl.SSLContext | None
    greeting: tuple[bytes, ...]


def read_url(url: str) -> Address:
    """Understand `redis://`, `rediss://` and `unix://`, with user, password and number of the database.

    `rediss://` verifies the server; `?ssl_ca_certs=file` names other roots. ValueError for any other scheme.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("redis", "rediss", "unix"):
        raise ValueError(f"{parts.scheme}:// is not known; use redis://, rediss:// or unix://")
    options = parse_qs(parts.query)
    is_unix = parts.scheme == "unix"
    number = options.get("db", [""])[0] or ("" if is_unix else parts.path.strip("/"))
    greeting: list[bytes] = []
    if parts.password:
        user = [unquote(parts.username).encode()] if parts.username else []
        greeting.append(encode(b"AUTH", *user, unquote(parts.password).encode()))
    if number and int(number):
        greeting.append(encode(b"SELECT", b"%d" % int(number)))
    roots = options.get("ssl_ca_certs", [None])[0]
    tls = ssl.create_default_context(cafile=roots) if parts.scheme == "rediss" else None
    path = unquote(parts.path) if is_unix else None
    return Address(parts.hostname or "localhost", parts.port or 6379, path, tls, tuple(greeting))


_Waiting = tuple[asyncio.Future[Reply] | None, bytes, Script | None, OnLoss | None]


class _Connection(asyncio.Protocol):
    """One connection: messages out, replies in, in order."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, reply_seconds: float, on_lost: Callable[["_Connection"], None]
    ) -> None:
        self._loop = loop
        self._on_lost = on_lost
        self._reply_seconds = reply_seconds
        self._reader = hiredis.Reader(protocolError=RedisConnectionError, replyError=ResponseError)
        self._waiting: deque[_Waiting] = deque()
        self._out: list[bytes] = []
        self._marks: deque[tuple[float, int]] = deque()
        self._sent = self._answered = 0
        self._loading: set[bytes] = set()
        self._transport: asyncio.Transport | None = None
        self._reason: RedisError = RedisConnectionError("the connection to Valkey was lost")
        self._sweep_at = 0.0
        self.lost: asyncio.Future[None] = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but its bases
        self._plan_sweep()

    def push(self, waiting: _Waiting) -> None:
        """Send a message at the end of this turn of the loop, or once what is under way was answered.

        So the busier it gets, the more messages share a write; alone, none of them waits.
        """
        if not self._out and self._sent == self._answered:
            self._loop.call_soon(self._flush)
        self._out.append(waiting[1])
        self._waiting.append(waiting)

    def is_full(self) -> bool:
        """Whether so many replies are awaited that more calls would only wait in vain."""
        return len(self._waiting) >= MAX_WAITING

    def _flush(self) -> None:
        out, self._out = self._out, []
        if not out or self._transport is None or self._transport.is_closing():
            return
        self._sent += len(out)
        self._marks.append((self._loop.time(), self._sent))
        self._transport.write(out[0] if len(out) == 1 else b"".join(out))

    def data_received(self, data: bytes) -> None:
        try:
            self._reader.feed(data)
            while (reply := self._reader.gets()) is not False:
                self._answered += 1
                self._take(self._waiting.popleft(), reply)
            if self._out and self._sent == self._answered:
                self._loop.call_soon(self._flush)
        except (RedisConnectionError, IndexError):  # not the protocol, or more replies than calls
            self.give_up(RedisConnectionError("Valkey sent what is no reply"))

    def _take(self, waiting: _Waiting, reply: Any) -> None:
        if isinstance(reply, ResponseError):
            self._refuse(waiting, reply)
        elif (future := waiting[0]) is not None and not future.done():
            future.set_result(reply)

    def _refuse(self, waiting: _Waiting, error: ResponseError) -> None:
        future, message, script, on_loss = waiting
        if script is not None and str(error).startswith("NOSCRIPT"):
            if script.sha not in self._loading:
                self._loading.add(script.sha)
                loaded: asyncio.Future[Reply] = self._loop.create_future()
                loaded.add_done_callback(lambda done: self._loaded(script.sha, done))
                self.push((loaded, script.load, None, None))
            self.push((future, message, None, on_loss))  # without its script: asked once more only
        elif future is None:
            logger.warning("valkey refused a call nobody waits for: %s", error)
            if on_loss is not None:
                on_loss(message)
        elif not future.done():
            future.set_exception(error)

    def _loaded(self, sha: bytes, done: asyncio.Future[Reply]) -> None:
        self._loading.discard(sha)
        if not done.cancelled() and (error := done.exception()) is not None:
            logger.warning("valkey did not take a script: %s", error)

    def _plan_sweep(self) -> None:
        self._sweep_at = self._loop.time() + self._reply_seconds / 4
        self._loop.call_at(self._sweep_at, self._sweep)

    def _sweep(self) -> None:
        """Give up when the oldest write is unanswered for too long, unless it is this process that was late."""
        if self.lost.done():
            return
        now = self._loop.time()
        while self._marks and self._marks[0][1] <= self._answered:
            self._marks.popleft()
        was_late = now - self._sweep_at > self._reply_seconds / 4
        if self._marks and now - self._marks[0][0] > self._reply_seconds and not was_late:
            self.give_up(RedisTimeoutError(f"Valkey did not answer within {self._reply_seconds * 1000:.0f} ms"))
        else:
            self._plan_sweep()

    def give_up(self, reason: RedisError) -> None:
        """Close at once; everything that waits fails with `reason`."""
        self._reason = reason
        if self._transport is not None:
            self._transport.abort()
        self._fail_all()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail_all()

    def _fail_all(self) -> None:
        self._on_lost(self)  # first of all: nothing may be pushed on what is lost
        if not self.lost.done():
            self.lost.set_result(None)
        waiting, self._waiting, self._out = self._waiting, deque(), []
        for future, message, _, on_loss in waiting:
            if future is not None and not future.done():
                future.set_exception(self._reason)
            if on_loss is not None:
                on_loss(message)


class ValkeyWire:
    """The hot client. Open it with `start`; it comes back by itself for as long as it is open."""

    def __init__(self, url: str, *, reply_timeout: timedelta = timedelta(milliseconds=250)) -> None:
        self._address = read_url(url)
        self._reply_seconds = reply_timeout.total_seconds()
        self._connection: _Connection | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._attempted: asyncio.Future[None] | None = None
        self._on_connect: list[Callable[[], None]] = []
        self._is_closed = False

    @property
    def is_connected(self) -> bool:
        """Whether calls reach a server now, as far as is known."""
        return self._connection is not None

    def on_connect(self, hook: Callable[[], None]) -> None:
        """Call `hook` each time a connection is ready, before any other call goes out on it; now if there is one."""
        self._on_connect.append(hook)
        if self._connection is not None:
            hook()

    async def start(self) -> Self:
        """Begin to connect, and wait for the first attempt to succeed or fail; never raises for an absent server."""
        loop = asyncio.get_running_loop()
        self._loop = loop
        self._attempted = loop.create_future()
        self._keeper = loop.create_task(self._keep())
        await asyncio.wait([self._attempted], timeout=2 * _CONNECT_SECONDS)
        return self

    async def close(self) -> None:
        """Wait for the replies that are due, within the reply timeout, then close."""
        self._is_closed = True
        if self._keeper is not None:
            with suppress(RedisError):
                await self.call(b"PING")
            await stop_all([self._keeper])

    def call(self, *arguments: bytes) -> asyncio.Future[Reply]:
        """Send a command; the future fails with one of `ValkeyGone`, also for an error reply."""
        return self._ask(encode(*arguments), None)

    def send(self, *arguments: bytes) -> None:
        """Send a command whose reply does not matter; nothing happens while Valkey is away."""
        if self._connection is not None:
            self._connection.push((None, encode(*arguments), None, None))

    def load(self, script: Script) -> None:
        """Load it now, so that its first calls need not be sent twice (and then behind later ones)."""
        if self._connection is not None:
            self._connection.push((None, script.load, None, None))

    def run(self, script: Script, message: bytes) -> asyncio.Future[Reply]:
        """Send a call made from `Script.prepare`; as `call`."""
        return self._ask(message, script)

    def run_unheard(self, script: Script, message: bytes, on_loss: OnLoss) -> None:
        """As `run`, with nobody waiting; `on_loss` gets the message back when no reply comes."""
        connection = self._connection
        if connection is None or connection.is_full():
            on_loss(message)
        else:
            connection.push((None, message, script, on_loss))

    def _ask(self, message: bytes, script: Script | None) -> asyncio.Future[Reply]:
        connection = self._connection
        future: asyncio.Future[Reply] = self._loop.create_future()
        if connection is None:
            future.set_exception(RedisConnectionError("there is no connection to Valkey now"))
        elif connection.is_full():
            future.set_exception(RedisConnectionError("too many calls wait for Valkey already"))
        else:
            connection.push((future, message, script, None))
        return future

    async def _keep(self) -> None:
        """Connect, serve until the connection is lost, pause a little longer after each failure, again."""
        pause, connection = _FIRST_PAUSE, None
        try:
            while not self._is_closed:
                try:
                    async with asyncio.timeout(_CONNECT_SECONDS):  # wait_for can lose the cancelling of `close`
                        connection = await self._connect()
                except (OSError, RedisError, TimeoutError) as away:
                    logger.warning("valkey is away: %s", away)
                else:
                    pause = _FIRST_PAUSE
                    await connection.lost
                self._mark_attempted()
                await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - spreads reconnects
                pause = min(pause * 2, _LONGEST_PAUSE)
        finally:
            self._connection = None
            if connection is not None:
                connection.give_up(RedisConnectionError("the Valkey client is closed"))

    async def _connect(self) -> _Connection:
        loop, address = self._loop, self._address
        made = _Connection(loop, self._reply_seconds, self._forget)
        if address.path is not None:
            await loop.create_unix_connection(lambda: made, address.path)
        else:
            await loop.create_connection(lambda: made, address.host, address.port, ssl=address.tls)
        try:
            for message in (*address.greeting, encode(b"PING")):
                greeted: asyncio.Future[Reply] = loop.create_future()
                made.push((greeted, message, None, None))
                await greeted
        except BaseException:
            made.give_up(RedisConnectionError("Valkey did not let us in"))
            raise
        if made.lost.done():
            raise RedisConnectionError("the connection to Valkey was lost at once")
        self._connection = made
        for hook in self._on_connect:
            hook()
        self._mark_attempted()
        return made

    def _forget(self, lost: _Connection) -> None:
        if self._connection is lost:
            self._connection = None

    def _mark_attempted(self) -> None:
        if self._attempted is not None and not self._attempted.done():
            self._attempted.set_result(None)
