"""Layers around every request that do not look at what it asks for: how large it may be, how it may be shown.

`LimitBody` counts bytes as they arrive, so that a body without a declared length is bounded too; what
is over the limit is never kept. `Guard` tells browsers what an answer may do: a page runs only our own
files, everything else runs nothing, and nobody frames us.
"""

from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

DEFAULT_BODY_BYTES = 2_000_000

_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_DATA_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"
_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
_PRIVATE = ("application/json", "application/problem+json")


class LimitBody:
    """Refuses bodies over the limit with 413: declared ones before a byte is read, others when they get there.

    limits  bytes by path, for the paths that take more than `default`; one that ends with a slash is a beginning
    """

    def __init__(self, app: ASGIApp, *, limits: Mapping[str, int], default: int = DEFAULT_BODY_BYTES) -> None:
        self._app = app
        self._limits = limits
        self._prefixes = [(path, limit) for path, limit in limits.items() if path.endswith("/")]
        self._default = default

    def _limit_of(self, path: str) -> int:
        exact = self._limits.get(path)
        if exact is not None:
            return exact
        return next((each for start, each in self._prefixes if path.startswith(start)), self._default)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit, seen = self._limit_of(scope["path"]), 0
        declared = Headers(scope=scope).get("content-length", "")
        is_declared_over = declared.isdecimal() and (len(declared) > 18 or int(declared) > limit)

        async def receive_counted() -> Message:
            nonlocal seen
            if is_declared_over:
                raise _too_large(limit)
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                raise _too_large(limit)
            return message

        await self._app(scope, receive_counted, send)


class Guard:
    """Adds the headers that keep browsers from running, framing, guessing at or storing what they should not."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                _guard(MutableHeaders(scope=message))
            await send(message)

        await self._app(scope, receive, send_guarded)


def _guard(headers: MutableHeaders) -> None:
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)
    kind, is_file = headers.get("content-type", ""), "content-disposition" in headers
    is_page = kind.startswith("text/html") and not is_file  # a file that somebody sent in is no page of ours
    headers.setdefault("content-security-policy", _PAGE_POLICY if is_page else _DATA_POLICY)
    if kind.startswith(_PRIVATE) or is_file:
        headers.setdefault("cache-control", "no-store")


def _too_large(limit: int) -> HTTPException:
    """As the framework's own error: it passes any other one off as a body that cannot be parsed."""
    return HTTPException(413, f"the body is over the limit of {limit:,} bytes. Send a smaller one")
