"""Through an HTTP proxy: a CONNECT tunnel with TLS inside it for https; whole addresses for plain http.

Proxies often allow CONNECT to port 443 only, so a plain http request is handed to the proxy as its
own, with the whole address in its first line. That is also how every other client does it.
"""

import asyncio
from dataclasses import dataclass, field
from ssl import SSLContext
from typing import cast

from .connection import Connection, Home, UpstreamGone

_MAX_ANSWER = 16 * 1024


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy; `authorization` is the value of Proxy-Authorization."""

    host: str
    port: int
    authorization: str | None = field(default=None, repr=False)

    @property
    def lines(self) -> bytes:
        """The header lines that it wants."""
        return f"Proxy-Authorization: {self.authorization}\r\n".encode() if self.authorization else b""


def show_place(host: str, port: int) -> str:
    """host:port as it stands in an address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def forward(request: tuple[bytes, bytes], place: str, proxy: Proxy) -> tuple[bytes, bytes]:
    """A request to a plain http origin, for its proxy."""
    method, _, rest = request[0].partition(b" ")
    line, _, headers = rest.partition(b"\r\n")
    return b"%b http://%b%b\r\n%b%b" % (method, place.encode(), line, proxy.lines, headers), request[1]


class _Tunnel(asyncio.Protocol):
    """Waits for the proxy's answer to CONNECT."""

    def __init__(self, answered: asyncio.Future[None]) -> None:
        self._answered = answered
        self._read = b""

    def data_received(self, data: bytes) -> None:
        if self._answered.done():
            return
        self._read += data
        head, end, more = self._read.partition(b"\r\n\r\n")
        if not end:
            if len(self._read) > _MAX_ANSWER:
                self._answered.set_exception(UpstreamGone("the proxy's answer is too long"))
            return
        status = (head.split(b" ", 2)[1:2] or [b"?"])[0]
        if not head.startswith(b"HTTP/1.") or len(status) != 3 or not status.startswith(b"2"):
            self._answered.set_exception(UpstreamGone(f"the proxy answered {status[:20].decode('latin-1')!r}"))
        elif more:  # the origin speaks only after TLS has begun
            self._answered.set_exception(UpstreamGone("bytes before TLS"))
        else:
            self._answered.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._answered.done():
            self._answered.set_exception(UpstreamGone("the proxy closed the connection"))


async def open_tunnel(proxy: Proxy, place: tuple[str, int], tls: SSLContext, home: Home) -> Connection:
    """A connection to `place` (host, port) through the proxy; raises OSError or UpstreamGone."""
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[None] = loop.create_future()
    transport, _ = await loop.create_connection(lambda: _Tunnel(answered), proxy.host, proxy.port)
    shown = show_place(*place)
    connection = Connection(loop, home)
    try:
        transport.write(f"CONNECT {shown} HTTP/1.1\r\nHost: {shown}\r\n".encode() + proxy.lines + b"\r\n")
        await answered
        secured = await loop.start_tls(transport, connection, tls, server_hostname=place[0])
    except BaseException:
        transport.abort()
        raise
    connection.connection_made(cast(asyncio.Transport, secured))
    return connection
