"""Fetching what a tenant's URL names, without being led where the tenant may not go (SSRF).

Every connection goes through the gate of `foundation.webguard`, which judges the addresses that it connects to. A
redirect is a new URL and takes the same way. Proxies, cookies, and credentials in URLs are not used; TLS
certificates are checked against the URL's host.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import httpcore

from mainspring.foundation.clock import now
from mainspring.foundation.db import forbid_open_transaction
from mainspring.foundation.webguard import (
    STANDARD_PORTS,
    Gate,
    HostUnreachable,
    Reach,
    Resolver,
    UrlRefused,
    WebAddress,
    follow,
    resolve,
)
from mainspring.orchestration.knowledge.errors import SourceRefused, SourceUnreachable

from .bodies import read_body

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
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


class WebGuard:
    """The one door through which sources reach the web.

    resolver  replaced in tests only
    """

    def __init__(self, limits: GuardLimits, *, resolver: Resolver = resolve, tls: ssl.SSLContext | None = None) -> None:
        self._limits = limits
        reach = Reach(
            setting="MAINSPRING_KNOWLEDGE_HOSTS",
            who="sources",
            ports=STANDARD_PORTS | limits.extra_ports,
            internal_hosts=limits.internal_hosts,
            connect_seconds=limits.connect_seconds,
        )
        self._gate = Gate(reach, resolver=resolver, tls=tls)

    def check(self, url: str) -> WebAddress:
        """The URL as far as it can be judged without asking for its address; UrlRefused."""
        return self._gate.check(url)

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
            self._gate.check_port(answer)
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
        try:
            async with self._gate.pool() as pool:
                response = await pool.handle_async_request(request)
                try:
                    return await self._read(address, response)
                finally:
                    await response.aclose()
        except HostUnreachable as unreachable:
            raise SourceUnreachable(unreachable.detail) from None
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
