"""The one place that decides whether a host may be connected to, and that opens the connection.

The trick is where the check stands: in the function that opens a connection. A name is resolved once, every address
of the answer is judged, and the connection goes to an address that was judged, so that a name which answers
differently the second time (DNS rebinding) gains nothing.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, cast

import certifi
import httpcore

from mainspring.foundation.errors import HostUnreachable, UrlRefused

from .addresses import Address, is_public, may_be_internal
from .urls import STANDARD_PORTS, WebAddress, read_url

Resolver = Callable[[str, int], Awaitable[Collection[str]]]
"""The addresses of a host; OSError when it has none."""

_MAX_TRIED = 3
_LOOPBACK = ip_address("127.0.0.1")


@dataclass(frozen=True, slots=True)
class Reach:
    """What the operator allows.

    ports           that are open to tenants
    internal_hosts  hosts that may be inside the operator's network, as `wiki.corp` (any allowed port) or
                    `wiki.corp:9000` (that port too)
    setting         where the operator says so; named in refusals
    who             whose URL it is, in the plural; named in refusals
    """

    setting: str
    who: str
    ports: frozenset[int] = STANDARD_PORTS
    internal_hosts: frozenset[str] = frozenset()
    connect_seconds: float = 5.0


async def resolve(host: str, port: int) -> Collection[str]:
    """The addresses of a host as the system knows them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(each[4][0]) for each in found))


class Gate:
    """Judges hosts, and connects to addresses that were judged.

    resolver, tls  replaced in tests only
    """

    def __init__(self, reach: Reach, *, resolver: Resolver = resolve, tls: ssl.SSLContext | None = None) -> None:
        self._reach = reach
        self._resolver = resolver
        self._tls = tls

    def check(self, url: str) -> WebAddress:
        """The URL as far as it can be judged without asking for its address; UrlRefused."""
        address = read_url(url)
        self.check_port(address)
        self.check_host(address.host, address.port)
        return address

    def check_port(self, address: WebAddress) -> None:
        """UrlRefused unless the port is open."""
        allowed = self._reach.ports
        if address.port not in allowed and f"{address.host}:{address.port}" not in self._reach.internal_hosts:
            shown = ", ".join(str(port) for port in sorted(allowed))
            raise UrlRefused(f"{address.origin} uses port {address.port}; ports {shown} are open to {self._reach.who}.")

    def is_internal(self, host: str, port: int) -> bool:
        """Whether the operator opened a host inside the own network."""
        return not self._reach.internal_hosts.isdisjoint((host, f"{host}:{port}"))

    def check_host(self, host: str, port: int) -> None:
        """UrlRefused for an address in the place of a name that may not be reached, and for this machine's own name.

        Other names are judged when they are looked up.
        """
        if host == "localhost" or host.endswith(".localhost"):
            self._judge(host, port, [_LOOPBACK])
            return
        try:
            literal = ip_address(host)
        except ValueError:
            return
        self._judge(host, port, [literal])

    async def find(self, host: str, port: int) -> tuple[str, ...]:
        """The host's addresses, each of which was judged; at least one, at most three.

        raises   UrlRefused, HostUnreachable
        """
        try:
            async with asyncio.timeout(self._reach.connect_seconds):
                found = await self._resolver(host, port)
            addresses = [ip_address(each) for each in found]
        except (OSError, UnicodeError, ValueError):  # a timeout is an OSError
            raise HostUnreachable(f"The host {host[:80]!r} has no address.") from None
        if not addresses:
            raise HostUnreachable(f"The host {host[:80]!r} has no address.")
        self._judge(host, port, addresses)
        return tuple(str(each) for each in addresses[:_MAX_TRIED])

    def pool(self) -> httpcore.AsyncConnectionPool:
        """HTTP connections that go through this gate; TLS certificates are checked against the URL's host."""
        return httpcore.AsyncConnectionPool(self.tls_context(), network_backend=_JudgingBackend(self))

    def tls_context(self) -> ssl.SSLContext:
        """What certificates are checked with."""
        if self._tls is None:
            self._tls = ssl.create_default_context()
            if not self._tls.cert_store_stats()["x509_ca"]:
                self._tls.load_verify_locations(certifi.where())
        return self._tls

    @property
    def connect_seconds(self) -> float:
        """How long a connection may take to open."""
        return self._reach.connect_seconds

    def _judge(self, host: str, port: int, addresses: Iterable[Address]) -> None:
        """UrlRefused unless every address may be reached under this name. The detail does not tell the address."""
        is_internal = self.is_internal(host, port)
        for address in addresses:
            if not is_public(address) and not (is_internal and may_be_internal(address)):
                raise UrlRefused(
                    f"The host {host[:80]!r} is not on the public internet. "
                    f"The operator may allow it by name ({self._reach.setting})."
                )


class _JudgingBackend(httpcore.AsyncNetworkBackend):
    """Opens connections to judged addresses only."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        # Its stub for a missing anyio hides its type; anyio comes with httpx.
        self._network = cast(httpcore.AsyncNetworkBackend, httpcore.AnyIOBackend())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        *first, last = await self._gate.find(host, port)
        seconds = self._gate.connect_seconds
        for address in first:
            try:
                return await self._network.connect_tcp(address, port, seconds, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._network.connect_tcp(last, port, seconds, local_address, socket_options)
