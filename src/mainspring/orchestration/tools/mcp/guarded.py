"""HTTP to MCP servers through the platform's gate, bounded in size, and honest about what went wrong.

The SDK turns every failure of a transport into an error of its protocol, in words of its own. So the transport keeps
the first thing that went wrong here, and whoever used it asks for that.
"""

import ssl
from collections.abc import AsyncIterator
from typing import Self

import httpcore
import httpx2

from mainspring.foundation.errors import MainspringError
from mainspring.foundation.webguard import Gate
from mainspring.orchestration.tools.errors import McpAway, McpFailure, McpRefused

_UNPACKED = ("", "identity")


class GuardedTransport(httpx2.AsyncBaseTransport):
    """What `httpx2` sends through; one for each session.

    trouble   the first thing that went wrong; None while nothing did
    """

    def __init__(self, gate: Gate, *, max_bytes: int, seconds: float) -> None:
        self._pool = gate.pool()
        self._max_bytes = max_bytes
        self._seconds = seconds
        self.trouble: MainspringError | None = None

    async def __aenter__(self) -> Self:
        await self._pool.__aenter__()
        return self

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pool.aclose()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """One exchange; the body of the answer is counted while it is read."""
        url, origin = request.url, f"{request.url.scheme}://{request.url.netloc.decode('ascii', 'replace')}"
        headers = [(name, value) for name, value in request.headers.raw if name.lower() != b"accept-encoding"]
        asked = httpcore.Request(
            request.method,
            httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=[*headers, (b"accept-encoding", b"identity")],
            content=await request.aread(),
            extensions={"timeout": dict.fromkeys(("connect", "read", "write", "pool"), self._seconds)},
        )
        try:
            answer = await self._pool.handle_async_request(asked)
        except MainspringError as refused:
            raise self._fail(refused) from refused
        except httpcore.TimeoutException as late:
            raise self._fail(McpAway(f"{origin} did not answer in time.")) from late
        except (httpcore.NetworkError, httpcore.ProtocolError, ssl.SSLError) as failure:
            kind = type(failure).__name__
            raise self._fail(McpAway(f"{origin} could not be reached ({kind}); check its address.")) from failure
        self._judge(origin, answer)
        return httpx2.Response(answer.status, headers=answer.headers, stream=_Counted(self, answer, origin))

    def _judge(self, origin: str, answer: httpcore.Response) -> None:
        packed = dict(answer.headers).get(b"content-encoding", b"").decode("ascii", "replace").lower()
        if packed not in _UNPACKED:
            raise self._fail(McpFailure(f"{origin} packs its answers ({packed[:20]}) though it was asked not to."))
        if answer.status in (401, 403):
            self._note(McpRefused(f"{origin} answered {answer.status}; check the server's secret and header."))
        elif answer.status == 429 or answer.status >= 500:
            self._note(McpAway(f"{origin} answered {answer.status}."))

    def exceed(self, origin: str) -> httpx2.ReadError:
        """The answer is longer than it may be."""
        return self._fail(McpFailure(f"{origin} answered with more than {self._max_bytes:,} bytes."))

    def break_off(self, origin: str, failure: Exception) -> httpx2.ReadError:
        """The answer ended before it was whole."""
        return self._fail(McpAway(f"{origin} broke off its answer ({type(failure).__name__})."))

    @property
    def max_bytes(self) -> int:
        """Of one answer."""
        return self._max_bytes

    def _note(self, trouble: MainspringError) -> None:
        self.trouble = self.trouble or trouble

    def _fail(self, trouble: MainspringError) -> httpx2.ReadError:
        self._note(trouble)
        return httpx2.ReadError(type(trouble).__name__)


class _Counted(httpx2.AsyncByteStream):
    def __init__(self, transport: GuardedTransport, answer: httpcore.Response, origin: str) -> None:
        self._transport = transport
        self._answer = answer
        self._origin = origin

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = 0
        try:
            async for piece in self._answer.aiter_stream():
                read += len(piece)
                if read > self._transport.max_bytes:
                    raise self._transport.exceed(self._origin)
                yield piece
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as failure:
            raise self._transport.break_off(self._origin, failure) from failure

    async def aclose(self) -> None:
        await self._answer.aclose()
