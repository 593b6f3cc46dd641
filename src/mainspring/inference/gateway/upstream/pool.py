"""Kept-alive connections to one origin, and the sweep over all of them.

The connection used last is used first, so that spare ones grow old and are closed. A reused
connection that the provider closed just as we wrote to it is the one case that is tried again
here, once, on a fresh connection: not a byte of an answer had come.
"""

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from ssl import SSLCertVerificationError, SSLContext

from .connection import Connection, UpstreamGone
from .exchange import Exchange
from .proxies import Proxy, forward, open_tunnel, show_place


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds to connect, to keep a spare connection, between two looks at deadlines; connections to one origin."""

    connect: float = 5.0
    spare: float = 30.0
    sweep: float = 0.1
    connections: int = 4096


@dataclass(frozen=True, slots=True)
class Origin:
    """Where to connect: `tls` None speaks plain text; `proxy` is an HTTP proxy to go through."""

    host: str
    port: int
    tls: SSLContext | None = None
    proxy: Proxy | None = None


class Pool:
    """Connections to one origin."""

    def __init__(self, origin: Origin, limits: Limits | None = None) -> None:
        self.origin = origin
        self._limits = limits or Limits()
        self._forwards_to = None if origin.tls else origin.proxy
        self._opening = 0
        self._loop = asyncio.get_running_loop()
        self._spare: deque[tuple[Connection, float]] = deque()
        self._all: set[Connection] = set()
        self.begin = self._begin  # one object: who retries tells it from `begin_fresh` by identity

    async def _begin(self, request: tuple[bytes, bytes], *, first_byte_by: float, idle_seconds: float) -> Exchange:
        """An exchange on which the request (head, body) was sent; raises UpstreamGone when none can be opened."""
        if self._forwards_to:
            request = forward(request, show_place(self.origin.host, self.origin.port), self._forwards_to)
        connection = self._find_spare() or await self._open(first_byte_by)
        connection.exchange(request, first_byte_by=first_byte_by, idle_seconds=idle_seconds)
        return Exchange(connection)

    async def begin_fresh(self, request: tuple[bytes, bytes], *, first_byte_by: float, idle_seconds: float) -> Exchange:
        """As `begin`, on a connection that was never used."""
        if self._forwards_to:
            request = forward(request, show_place(self.origin.host, self.origin.port), self._forwards_to)
        connection = await self._open(first_byte_by)
        connection.exchange(request, first_byte_by=first_byte_by, idle_seconds=idle_seconds)
        return Exchange(connection)

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._all)

    def take_back(self, connection: Connection) -> None:
        """The connection's exchange is over."""
        if connection.is_usable:
            self._spare.append((connection, self._loop.time()))

    def forget(self, connection: Connection) -> None:
        """The connection is closed."""
        self._all.discard(connection)

    def sweep(self, at: float) -> None:
        """Give up exchanges that are late, and close connections that were spare for long."""
        for connection in [each for each in self._all if not each.is_usable and each.is_late(at)]:
            connection.abort("the provider gave no answer in time", is_timeout=True)
        while self._spare and at - self._spare[0][1] > self._limits.spare:
            self._spare.popleft()[0].abort("spare for long")

    def close(self) -> None:
        """Close every connection, the busy ones too."""
        for connection in list(self._all):
            connection.abort("closed")
        self._spare.clear()

    def _find_spare(self) -> Connection | None:
        while self._spare:
            connection, _ = self._spare.pop()
            if connection.is_usable:
                return connection
        return None

    async def _open(self, by: float) -> Connection:
        if len(self._all) + self._opening >= self._limits.connections:
            raise UpstreamGone(f"{self._limits.connections} connections to this provider are busy")
        self._opening += 1
        try:
            async with asyncio.timeout_at(min(by, self._loop.time() + self._limits.connect)):
                connection = await self._connect()
        except TimeoutError:
            raise UpstreamGone("no connection in time", is_timeout=True) from None
        except SSLCertVerificationError as failure:
            raise UpstreamGone(f"the provider's certificate is refused: {failure.verify_message}") from None
        except (OSError, UnicodeError) as failure:  # the latter for a host that is no name
            shown = getattr(failure, "strerror", None) or type(failure).__name__
            raise UpstreamGone(f"no connection: {shown}") from None
        finally:
            self._opening -= 1
        if connection.is_closed:
            raise UpstreamGone("the provider closed the connection at once")
        self._all.add(connection)
        return connection

    async def _connect(self) -> Connection:
        origin, loop = self.origin, self._loop
        if origin.proxy and origin.tls:
            return await open_tunnel(origin.proxy, (origin.host, origin.port), origin.tls, self)
        host, port = (origin.proxy.host, origin.proxy.port) if origin.proxy else (origin.host, origin.port)
        name = origin.host if origin.tls else None
        _, connection = await loop.create_connection(
            lambda: Connection(loop, self), host, port, ssl=origin.tls, server_hostname=name
        )
        return connection


class Upstreams:
    """All pools of a process, and the one timer that watches them."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._pools: dict[Origin, Pool] = {}
        self._sweeper: asyncio.Task[None] | None = None

    def pool(self, origin: Origin) -> Pool:
        """The pool of an origin."""
        if origin not in self._pools:
            self._pools[origin] = Pool(origin, self._limits)
        if self._sweeper is None:
            self._sweeper = asyncio.create_task(self._keep_sweeping())
        return self._pools[origin]

    async def close(self) -> None:
        """Close everything."""
        if self._sweeper:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)
        for pool in self._pools.values():
            pool.close()
        self._pools, self._sweeper = {}, None

    def _each(self) -> Iterable[Pool]:
        return list(self._pools.values())

    async def _keep_sweeping(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._limits.sweep)
            at = loop.time()
            for pool in self._each():
                pool.sweep(at)
