"""One pooled HTTP/1.1 client for a provider: JSON out, JSON or server-sent events back.

Transport failures become ModelErrors here; whether one may be tried again is decided above.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from urllib.parse import urlsplit

import httpx

from mainspring.inference.gateway.errors import InvalidOutput, ModelError, Overloaded, TimedOut

from .sse import ServerEvent, SseParser
from .wire import Wire, read_object, to_json

FailureMap = Callable[[int, Mapping[str, str], bytes], ModelError]

_MAX_ERROR_BYTES = 64 * 1024


class ProviderClient:
    """Sends calls to one base URL with one set of headers."""

    def __init__(
        self, base_url: str, headers: Mapping[str, str], failure_of: FailureMap, *, idle_timeout: timedelta
    ) -> None:
        self._failure_of = failure_of
        self._http = httpx.AsyncClient(
            base_url=base_url.rstrip("/") + "/",
            headers={"content-type": "application/json", **headers},
            timeout=httpx.Timeout(idle_timeout.total_seconds(), connect=5),
            limits=httpx.Limits(max_connections=256, max_keepalive_connections=64, keepalive_expiry=30),
            follow_redirects=False,
            trust_env=not _is_loopback(base_url),  # proxies and certificates of the environment
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def post(self, path: str, body: Wire) -> Wire:
        """POST and read the whole JSON object."""
        async with self._send(path, body) as response:
            try:
                wire = read_object(await response.aread())
            except httpx.TransportError as failure:
                raise _transport_failure(failure) from failure
        if wire is None:
            raise InvalidOutput("The model's provider answered with something that is not JSON; try again.")
        return wire

    async def events(self, path: str, body: Wire) -> AsyncGenerator[ServerEvent]:
        """POST and yield the events of the reply as they come; closing the generator closes the call."""
        parser = SseParser()
        async with self._send(path, body) as response:
            try:
                async for chunk in response.aiter_bytes():
                    for event in parser.feed(chunk):
                        yield event
            except httpx.TransportError as failure:
                raise _transport_failure(failure) from failure

    @asynccontextmanager
    async def _send(self, path: str, body: Wire) -> AsyncGenerator[httpx.Response]:
        request = self._http.build_request("POST", path, content=to_json(body))
        try:
            response = await self._http.send(request, stream=True)
        except httpx.TransportError as failure:
            raise _transport_failure(failure) from failure
        try:
            if response.status_code >= 400:
                raise self._failure_of(response.status_code, response.headers, await _read_some(response))
            if response.status_code >= 300:
                raise Overloaded(f"The model's provider answered with status {response.status_code}; check its URL.")
            yield response
        finally:
            await response.aclose()


def _is_loopback(url: str) -> bool:
    return urlsplit(url).hostname in ("127.0.0.1", "::1", "localhost")


async def _read_some(response: httpx.Response) -> bytes:
    read = b""
    try:
        async for chunk in response.aiter_bytes():
            read += chunk
            if len(read) >= _MAX_ERROR_BYTES:
                break
    except httpx.TransportError:
        pass  # the status alone decides
    return read


def _transport_failure(failure: httpx.TransportError) -> ModelError:
    if isinstance(failure, httpx.TimeoutException):
        return TimedOut("The model's provider did not answer in time; try again.", vendor_text=type(failure).__name__)
    return Overloaded(
        "The model's provider cannot be reached; check its URL or try again shortly.", vendor_text=repr(failure)[:500]
    )
