"""How callers show who they are below this prefix: a bearer key, a session, or `x-api-key`, as LangGraph's clients do.

The key in `x-api-key` is put where every other route looks for it, so that nothing else has to know of it. An open
stream ends some seconds after its key was revoked.
"""

import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from typing import Any

from fastapi import Request, Response, WebSocket
from fastapi.routing import APIRoute

from mainspring.foundation.http import Authenticator, current_principal, is_still_allowed
from mainspring.foundation.principal import Principal

from .words import RUN

API_KEY_HEADER = "x-api-key"
RECHECK_SECONDS = 10.0


class KeyRoute(APIRoute):
    """A route that takes `x-api-key` for a bearer key, and knows its caller before it reads the body."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The framework's handler behind the question who calls."""
        handle = super().get_route_handler()

        async def handle_for_caller(request: Request) -> Response:
            _take_key(request)
            await current_principal(request)
            return await handle(request)

        return handle_for_caller


async def socket_principal(socket: WebSocket) -> Principal:
    """Who opens a web socket. A session's cookie is not taken: other sites' pages could use it."""
    authenticator: Authenticator = socket.app.state.authenticator
    scheme, _, bearer = socket.headers.get("authorization", "").partition(" ")
    key = bearer.strip() if scheme.lower() == "bearer" else socket.headers.get(API_KEY_HEADER)
    return await authenticator.authenticate(bearer=key, cookie=None, csrf=None, unsafe=True)


async def while_allowed(
    frames: AsyncGenerator[bytes], request: Request, *, recheck_seconds: float = RECHECK_SECONDS
) -> AsyncGenerator[bytes]:
    """The frames, until the caller may not see them any more; asked between frames, heartbeats among them."""
    asked_at = time.monotonic()
    async with aclosing(frames):
        async for frame in frames:
            if time.monotonic() - asked_at >= recheck_seconds:
                if not await is_still_allowed(request, RUN):
                    return
                asked_at = time.monotonic()
            yield frame


def _take_key(request: Request) -> None:
    """Move the key; the headers are read from the scope, once, so this comes before anybody looks at them."""
    headers: list[tuple[bytes, bytes]] = request.scope["headers"]
    if any(name == b"authorization" for name, _ in headers):
        return
    key = next((value for name, value in headers if name == API_KEY_HEADER.encode()), None)
    if key is not None:
        headers.append((b"authorization", b"Bearer " + key))
