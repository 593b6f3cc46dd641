"""Through an HTTP proxy: a CONNECT tunnel, then TLS inside it when the origin speaks TLS."""

import asyncio
from ssl import SSLContext
from typing import cast

from .connection import Connection, Home, UpstreamGone

_MAX_ANSWER = 16 * 1024


class _Tunnel(asyncio.Protocol):
    """Waits for the proxy's answer to CONNECT."""

    def __init__(self, answered: asyncio.Future[None]) -> None:
        self.transport: asyncio.Transport | None = None
        self._answered = answered
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's are none by class

    def data_received(self, data: bytes) -> None:
        self._read += data
        if self._answered.done():
            return
        if b"\r\n\r\n" in self._read:
            status = self._read.split(b" ", 2)[1:2]
            if status == [b"200"]:
                self._answered.set_result(None)
            else:
                shown = (status or [b"?"])[0].decode("latin-1")
                self._answered.set_exception(UpstreamGone(f"the proxy answered {shown}"))
        elif len(self._read) > _MAX_ANSWER:
            self._answered.set_exception(UpstreamGone("the proxy's answer is too long"))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._answered.done():
            self._answered.set_exception(UpstreamGone("the proxy closed the connection"))


async def open_tunnel(
    loop: asyncio.AbstractEventLoop,
    proxy: tuple[str, int],
    host: str,
    port: int,
    tls: SSLContext | None,
    home: Home,
) -> Connection:
    """A connection to host:port through the proxy; raises OSError or UpstreamGone."""
    answered: asyncio.Future[None] = loop.create_future()
    transport, tunnel = await loop.create_connection(lambda: _Tunnel(answered), *proxy)
    shown = f"[{host}]" if ":" in host else host
    transport.write(f"CONNECT {shown}:{port} HTTP/1.1\r\nHost: {shown}:{port}\r\n\r\n".encode())
    try:
        await answered
    except BaseException:
        transport.abort()
        raise
    connection = Connection(loop, home)
    if tls is None:
        transport.set_protocol(connection)
        connection.connection_made(tunnel.transport or transport)
        return connection
    secured = await loop.start_tls(transport, connection, tls, server_hostname=host)
    assert secured is not None
    connection.connection_made(secured)
    return connection
