"""Fetching what a tenant's URL names, without being led where the tenant may not go (SSRF).

The trick is where the check stands: in the one function that opens a connection. A name is resolved once, every
address of the answer is judged, and the connection goes to an address that was judged, so that a name which answers
differently the second time (DNS rebinding) gains nothing. A redirect is a new URL and takes the same way. Proxies,
cookies, and credentials in URLs are not used; TLS certificates are checked against the URL's host.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import Any, cast

import certifi
import httpcore

from mainspring.foundation.clock import now
from mainspring.foundation.db import forbid_open_transaction
from mainspring.orchestration.knowledge.errors import SourceRefused, SourceUnreachable, UrlRefused

from .addresses import Address, is_public, may_be_internal
from .bodies import read_body
from .urls import STANDARD_PORTS, WebAddress, follow, read_url

Resolver = Callable[[str, int], Awaitable[Collection[str]]]
"""The addresses of a host; OSError when it has none."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_TRIED = 3
_MAX_VERSION = 500
_LONGEST_PAUSE = 3600.0
_AGENT = "Mainspring (document source)"


@dataclass(frozen=True, slots=True)
class GuardLimits:
    """What the operator allows.

    max_bytes       of one document, packed and unpacked
    seconds         for one document, redirects included
    extra_ports     beside 80, 443, 8080 and 8443
    internal_hosts  hosts that may be inside the operator's network, as `wiki.corp` (any allowed port) or
                    `wiki.corp:9000` (that port too)
    """

    max_bytes: int = 50_000_000
    seconds: float = 60.0
    connect_seconds: float = 5.0
    max_redirects: int = 5
    extra_ports: frozenset[int] = frozenset()
    internal_hosts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class WebDocument:
    """What an address answered.

    url         where it was found, after redirects
    media_type  as claimed, without parameters; "" when nothing was claimed
    version     to be given to the next fetch; None when the server names none
    """

    url: WebAddress
    content: bytes
    media_type: str
    version: str | None


@dataclass(frozen=True, slots=True)
class NotModified:
    """It is still as the known version has it."""


@dataclass(frozen=True, slots=True)
class NotThere:
    """The address answered 404 or 410."""


Answer = WebDocument | NotModified | NotThere


@dataclass(frozen=True, slots=True)
class Credential:
    """A value of the header `Authorization`, sent to these origins only."""

    value: str
    origins: frozenset[str]


async def resolve(host: str, port: int) -> Collection[str]:
    """The addresses of a host as the system knows them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(each[4][0]) for each in found))


class WebGuard:
    """The one door through which sources reach the web.

    resolver  replaced in tests only
    """

    def __init__(self, limits: GuardLimits, *, resolver: Resolver = resolve, tls: ssl.SSLContext | None = None) -> None:
        self._limits = limits
        self._resolver = resolver
        self._tls = tls

    def check(self, url: str) -> WebAddress:
        """The URL as far as it can be judged without asking for its address; UrlRefused."""
        address = read_url(url)
        self._check_port(address)
        try:
            literal = ip_address(address.host)
        except ValueError:
            return address
        self._judge(address.host, address.port, [literal])
        return address

    async def fetch(self, url: str, *, known: str | None = None, credential: Credential | None = None) -> Answer:
        """What the URL names, unless it is still as the version `known` has it.

        raises   UrlRefused, SourceRefused, FileTooLarge; SourceUnreachable (retryable); RuntimeError inside a
                 transaction
        """
        forbid_open_transaction("a web server")
        address = self.check(url)
        try:
            async with asyncio.timeout(self._limits.seconds):
                return await self._follow(address, known, credential)
        except TimeoutError:
            raise SourceUnreachable(
                f"{address.origin} did not answer in full within {self._limits.seconds:g} s."
            ) from None

    async def _follow(self, address: WebAddress, known: str | None, credential: Credential | None) -> Answer:
        for _ in range(self._limits.max_redirects + 1):
            answer = await self._ask(address, known, credential)
            if not isinstance(answer, WebAddress):
                return answer
            if address.scheme == "https" and answer.scheme == "http":
                raise UrlRefused(f"{address.origin} redirects from https to http, which is not followed.")
            self._check_port(answer)
            address = answer
        raise SourceRefused(f"{address.origin} redirects more than {self._limits.max_redirects} times.")

    async def _ask(self, address: WebAddress, known: str | None, credential: Credential | None) -> Answer | WebAddress:
        request = httpcore.Request(
            "GET",
            httpcore.URL(
                scheme=address.scheme.encode(),
                host=address.host.encode(),
                port=address.port,
                target=address.target.encode(),
            ),
            headers=_headers(address, known, credential),
            extensions={"timeout": dict.fromkeys(("connect", "read", "write", "pool"), self._limits.seconds)},
        )
        backend = _JudgingBackend(self._open)
        try:
            async with httpcore.AsyncConnectionPool(self._tls_context(), network_backend=backend) as pool:
                response = await pool.handle_async_request(request)
                try:
                    return await self._read(address, response)
                finally:
                    await response.aclose()
        except httpcore.TimeoutException:
            raise SourceUnreachable(f"{address.origin} did not answer in time.") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol, ssl.SSLError) as failure:
            raise SourceUnreachable(
                f"{address.origin} could not be read ({type(failure).__name__}); check its address and certificate."
            ) from None

    async def _read(self, address: WebAddress, response: httpcore.Response) -> Answer | WebAddress:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
        status = response.status
        if status in _REDIRECTS and "location" in headers:
            return follow(address, headers["location"])
        if status == 304:
            return NotModified()
        if status in (404, 410):
            return NotThere()
        if status == 429 or status >= 500:
            raise SourceUnreachable(f"{address.origin} answered {status}.", retry_after_seconds=_pause(headers))
        if status != 200:
            raise SourceRefused(f"{address.origin} answered {status} instead of the document; check its address.")
        content = await read_body(
            _iter_body(response),
            encoding=headers.get("content-encoding", ""),
            max_bytes=self._limits.max_bytes,
            where=address.origin,
        )
        media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        return WebDocument(address, content, media_type[:100], _version_of(headers))

    def _check_port(self, address: WebAddress) -> None:
        allowed = STANDARD_PORTS | self._limits.extra_ports
        if address.port not in allowed and f"{address.host}:{address.port}" not in self._limits.internal_hosts:
            shown = ", ".join(str(port) for port in sorted(allowed))
            raise UrlRefused(f"{address.origin} uses port {address.port}; ports {shown} are open to sources.")

    def _judge(self, host: str, port: int, addresses: Iterable[Address]) -> None:
        """UrlRefused unless every address may be reached under this name. The detail does not tell the address."""
        is_internal = not self._limits.internal_hosts.isdisjoint((host, f"{host}:{port}"))
        for address in addresses:
            if not is_public(address) and not (is_internal and may_be_internal(address)):
                raise UrlRefused(
                    f"The host {host[:80]!r} is not on the public internet. "
                    "The operator may allow it by name (MAINSPRING_KNOWLEDGE_HOSTS)."
                )

    async def _open(self, host: str, port: int, connect: "_Connect") -> httpcore.AsyncNetworkStream:
        """A connection to an address of the host that was judged."""
        try:
            async with asyncio.timeout(self._limits.connect_seconds):
                found = await self._resolver(host, port)
            addresses = [ip_address(each) for each in found]
        except (OSError, UnicodeError, ValueError):  # a timeout is an OSError
            raise SourceUnreachable(f"The host {host[:80]!r} has no address.") from None
        if not addresses:
            raise SourceUnreachable(f"The host {host[:80]!r} has no address.")
        self._judge(host, port, addresses)
        *first, last = addresses[:_MAX_TRIED]
        for address in first:
            try:
                return await connect(str(address), self._limits.connect_seconds)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await connect(str(last), self._limits.connect_seconds)

    def _tls_context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
            if not self._tls.cert_store_stats()["x509_ca"]:
                self._tls.load_verify_locations(certifi.where())
        return self._tls


_Connect = Callable[[str, float], Awaitable[httpcore.AsyncNetworkStream]]
_Open = Callable[[str, int, _Connect], Awaitable[httpcore.AsyncNetworkStream]]


class _JudgingBackend(httpcore.AsyncNetworkBackend):
    """Opens connections through `WebGuard._open` only."""

    def __init__(self, opener: _Open) -> None:
        self._opener = opener
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
        async def connect(address: str, seconds: float) -> httpcore.AsyncNetworkStream:
            return await self._network.connect_tcp(address, port, seconds, local_address, socket_options)

        return await self._opener(host, port, connect)


def _headers(address: WebAddress, known: str | None, credential: Credential | None) -> list[tuple[str, str]]:
    headers = [
        ("Host", address.authority),
        ("User-Agent", _AGENT),
        ("Accept", "*/*"),
        ("Accept-Encoding", "gzip"),
        ("Connection", "close"),
    ]
    kind, _, value = (known or "").partition(":")
    if kind == "etag":
        headers.append(("If-None-Match", value))
    elif kind == "modified":
        headers.append(("If-Modified-Since", value))
    if credential is not None and address.origin in credential.origins:
        headers.append(("Authorization", credential.value))
    return headers


def _version_of(headers: Mapping[str, str]) -> str | None:
    for kind, name in (("etag", "etag"), ("modified", "last-modified")):
        value = headers.get(name, "")
        if value and len(value) <= _MAX_VERSION - 20 and value.isascii() and value.isprintable():
            return f"{kind}:{value}"
    return None


def _pause(headers: Mapping[str, str]) -> float | None:
    asked = headers.get("retry-after", "")
    if asked.isdigit() and len(asked) < 9:
        return min(float(asked), _LONGEST_PAUSE)
    try:
        return min(max(0.0, (parsedate_to_datetime(asked) - now()).total_seconds()), _LONGEST_PAUSE)
    except (TypeError, ValueError):
        return None


async def _iter_body(response: httpcore.Response) -> AsyncIterator[bytes]:
    async for piece in response.aiter_stream():
        yield piece
