"""Lanes: how requests get to an endpoint, as bytes, and what comes back, as the closed set of errors.

A lane is made once for an endpoint and a key. Its head is ready but for the length of the body,
unless the provider wants each request signed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

import msgspec

from mainspring.inference.gateway.errors import ModelError, Overloaded, TimedOut
from mainspring.inference.gateway.models.types import Endpoint
from mainspring.inference.gateway.providers.dialects import Outbound
from mainspring.inference.gateway.upstream import Exchange, Pool, UpstreamGone, Upstreams, make_origin

Sign = Callable[[str, str, bytes], Mapping[str, str]]
"""(method, URL, body) to the headers that authenticate a request."""

_MAX_ERROR_BYTES = 64 * 1024


class Deadlines(msgspec.Struct, frozen=True):
    """On the event loop's clock, when an answer must have begun; and how long it may be silent after that."""

    first_byte_by: float
    idle_seconds: float


class Way(Protocol):
    """The way to one endpoint with one key, whatever lies between: a socket, or code of others in this process."""

    @property
    def outbound(self) -> Outbound:
        """Its dialect."""
        ...

    async def ask(self, path: str, body: bytes, *, more: bytes = b"", deadlines: Deadlines) -> bytes:
        """The whole body of a reply; raises ModelError."""
        ...

    async def open(self, path: str, body: bytes, *, more: bytes = b"", deadlines: Deadlines) -> Exchange:
        """A reply that has begun; raises ModelError."""
        ...


@dataclass(slots=True, eq=False)
class Lane:
    """The way to one endpoint with one key."""

    pool: Pool
    outbound: Outbound
    base_url: str
    prefix: str
    host: str
    headers: Mapping[str, str]
    sign: Sign | None = None
    _heads: dict[tuple[str, bytes], bytes] = field(default_factory=dict[tuple[str, bytes], bytes])

    async def ask(self, path: str, body: bytes, *, more: bytes = b"", deadlines: Deadlines) -> bytes:
        """POST, and the whole body of an answer with status 200; raises ModelError."""
        request = self._request(path, body, more)
        begin = self.pool.begin
        while True:
            connection: Exchange | None = None
            try:
                connection = await begin(
                    request, first_byte_by=deadlines.first_byte_by, idle_seconds=deadlines.idle_seconds
                )
                answer = await connection.whole()
            except UpstreamGone as gone:
                if gone.is_stale and begin is self.pool.begin:
                    begin = self.pool.begin_fresh
                    continue
                raise gone_as_error(gone, is_sent=connection is not None) from None
            except BaseException:
                if connection:
                    connection.abort()
                raise
            self._check(connection, answer)
            return answer

    async def open(self, path: str, body: bytes, *, more: bytes = b"", deadlines: Deadlines) -> Exchange:
        """POST, and the connection once an answer with status 200 has begun; raises ModelError."""
        request = self._request(path, body, more)
        begin = self.pool.begin
        while True:
            connection: Exchange | None = None
            try:
                connection = await begin(
                    request, first_byte_by=deadlines.first_byte_by, idle_seconds=deadlines.idle_seconds
                )
                await connection.head()
                if connection.status != 200:
                    self._check(connection, await connection.whole())
                return connection
            except UpstreamGone as gone:
                if gone.is_stale and begin is self.pool.begin:
                    begin = self.pool.begin_fresh
                    continue
                raise gone_as_error(gone, is_sent=connection is not None) from None
            except BaseException:
                if connection:
                    connection.abort()
                raise

    def _check(self, connection: Exchange, answer: bytes) -> None:
        status = connection.status
        if status >= 400:
            raise self.outbound.failure_of(status, connection.headers, answer[:_MAX_ERROR_BYTES])
        if status != 200:
            raise Overloaded(f"The model's provider answered with status {status}; check its URL.")

    def _request(self, path: str, body: bytes, more: bytes) -> tuple[bytes, bytes]:
        if self.sign:
            signed = self.sign("POST", f"{self.base_url}{path}", body)
            lines = "".join(f"{name}: {value}\r\n" for name, value in signed.items() if name.lower() != "host")
            head = self._head(path, lines.encode("latin-1") + more)
        else:
            found = self._heads.get((path, more))
            head = found or self._remember(path, more)
        return b"%b%d\r\n\r\n" % (head, len(body)), body

    def _remember(self, path: str, more: bytes) -> bytes:
        head = self._head(path, more)
        if not more and len(self._heads) < 1000:
            self._heads[path, more] = head
        return head

    def _head(self, path: str, more: bytes) -> bytes:
        lines = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        return (
            f"POST {self.prefix}{path} HTTP/1.1\r\nhost: {self.host}\r\n{lines}"
            "content-type: application/json\r\naccept-encoding: identity\r\n"
        ).encode("latin-1") + (more + b"content-length: ")


class Lanes:
    """All lanes of a process; those of keys that are no longer used are dropped when there are many."""

    def __init__(self, upstreams: Upstreams, make_access: "Callable[[Endpoint, str | None], Access]") -> None:
        self._upstreams = upstreams
        self._make_access = make_access
        self._lanes: dict[tuple[int, str | None], tuple[Endpoint, Way]] = {}

    def lane(self, endpoint: Endpoint, own_key: str | None) -> Way:
        """The lane to an endpoint, with the tenant's own key if there is one."""
        found = self._lanes.get((id(endpoint), own_key))
        if found is not None and found[0] is endpoint:
            return found[1]
        if len(self._lanes) > 10_000:
            self._lanes.clear()
        access = self._make_access(endpoint, own_key)
        lane = access.way or self._by_http(endpoint, access)
        self._lanes[id(endpoint), own_key] = (endpoint, lane)
        return lane

    def _by_http(self, endpoint: Endpoint, access: "Access") -> Lane:
        parts = urlsplit(endpoint.base_url)
        return Lane(
            self._upstreams.pool(make_origin(endpoint.base_url)),
            access.outbound,
            endpoint.base_url.rstrip("/"),
            parts.path.rstrip("/"),
            parts.netloc.rpartition("@")[2],
            access.headers,
            access.sign,
        )


@dataclass(frozen=True, slots=True)
class Access:
    """How an endpoint is spoken to, and what proves that we may; `way` where that is not by HTTP of ours."""

    outbound: Outbound
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    sign: Sign | None = None
    way: Way | None = None


def gone_as_error(gone: UpstreamGone, *, is_sent: bool = False) -> ModelError:
    """A lost connection in the gateway's words; `is_sent` when the provider had the call by then."""
    if gone.is_timeout:
        failure: ModelError = TimedOut("The model's provider did not answer in time; try again.", vendor_text=str(gone))
    else:
        failure = Overloaded(
            "The model's provider cannot be reached, or broke off; check its URL or try again shortly.",
            vendor_text=str(gone),
        )
    failure.is_unanswered = is_sent
    return failure
