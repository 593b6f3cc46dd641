"""Mainspring beside an application that is there already, in one process: FastAPI, Django, Flask, any ASGI or WSGI.

    app = Beside(app, at="/ai", who=who)      # what a server such as uvicorn is given from now on

Requests below `at` are Mainspring's, all others go to the application as before. The platform is opened with the
application's lifespan. Views submit work through `platform`, or through `call` from code that is not async; a separate
`mainspring worker` does it, so that a slow model holds up no web server.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from a2wsgi import WSGIMiddleware
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mainspring.application.identity import ROLE_PERMISSIONS, Role
from mainspring.entry.api import make_app
from mainspring.entry.wiring import Platform, build
from mainspring.foundation.errors import Forbidden, Unavailable
from mainspring.foundation.ids import TenantId
from mainspring.foundation.principal import Principal, PrincipalKind
from mainspring.foundation.settings import Settings, load_settings
from mainspring.orchestration.products import Product

Result = TypeVar("Result")

Who = Callable[[Headers], Awaitable[Principal | None]]
"""The application's own answer to who is calling, from the request's headers; None leaves it to keys and sessions."""

_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


class Beside:
    """An ASGI application made of two.

    app       the application as it is, ASGI or WSGI
    at        the path below which Mainspring answers
    who       lets the application's own users call Mainspring; see `member`
    products  None takes all that are installed
    """

    def __init__(
        self,
        app: object,
        *,
        at: str = "/mainspring",
        who: Who | None = None,
        settings: Settings | None = None,
        products: tuple[Product, ...] | None = None,
    ) -> None:
        if not at.startswith("/") or at.endswith("/"):
            raise ValueError(f"at is {at!r}; it must begin with a slash and end with none, such as /mainspring")
        self._app = _as_asgi(app)
        self._at = at
        self._who = who
        self._settings = settings
        self._products = products
        self._ours: ASGIApp | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._platform: Platform | None = None

    @property
    def platform(self) -> Platform:
        """Every service; Unavailable before the server has started."""
        if self._platform is None:
            raise Unavailable("Mainspring is not open yet: it opens when the server starts the application.")
        return self._platform

    def call(self, function: Callable[..., Coroutine[Any, Any, Result]], *arguments: object) -> Result:
        """Await a service from code that is not async, such as a Flask or Django view in its thread.

        Never call it from the server's own event loop, which it would wait for.
        """
        if self._loop is None:
            raise Unavailable("Mainspring is not open yet: it opens when the server starts the application.")
        return asyncio.run_coroutine_threadsafe(function(*arguments), self._loop).result()

    async def tenant(self, slug: str, name: str) -> TenantId:
        """The tenant that stands for a customer of the application; made when it is not there."""
        identity = self.platform.identity
        found = await identity.find_tenant(slug) or await identity.create_tenant(slug, name)
        return found.id

    def member(self, tenant: TenantId, user: str, role: Role = Role.ANALYST) -> Principal:
        """One of the application's users as a caller of Mainspring.

        user   stable and unique in the tenant: it is whose hand decides, and whom documents may be opened to
        """
        hand = f"user:{user}"
        return Principal(
            tenant,
            PrincipalKind.USER,
            user,
            ROLE_PERMISSIONS[role],
            subjects=frozenset({hand, f"role:{role.value}"}),
            hands=frozenset({hand}),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
        elif scope["type"] in {"http", "websocket"} and self._is_ours(scope["path"]):
            await self._serve(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _is_ours(self, path: str) -> bool:
        return path == self._at or path.startswith(f"{self._at}/")

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self._ours is not None
        inner: Scope = {**scope, "root_path": scope.get("root_path", "") + self._at}
        if self._who is not None and scope["type"] == "http":
            inner["mainspring.who"] = self._asker(self._who, scope)
        await self._ours(inner, receive, send)

    def _asker(self, who: Who, scope: Scope) -> Callable[[], Awaitable[Principal | None]]:
        headers = Headers(scope=scope)

        async def ask() -> Principal | None:
            principal = await who(headers)
            if principal is not None and scope["method"] not in _SAFE_METHODS:
                _refuse_other_sites(headers)
            return principal

        return ask

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Open with the application and close after it."""
        await receive()
        host = _Lifespan(self._app, scope)
        async with AsyncExitStack() as opened:
            try:
                self._platform = await opened.enter_async_context(
                    build(self._settings or load_settings(), products=self._products)
                )
                self._ours = make_app(self._platform, has_console=False)
                self._loop = asyncio.get_running_loop()
                await host.start()
            except Exception as failure:
                await send({"type": "lifespan.startup.failed", "message": str(failure)})
                raise
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await self._platform.orchestration.live.close()
            await host.stop()
        await send({"type": "lifespan.shutdown.complete"})


class _Lifespan:
    """Drives the lifespan of an application that may not know of it: Django's raises, a WSGI application has none."""

    def __init__(self, app: object, scope: Scope) -> None:
        self._app = app
        self._scope = scope
        self._to_app: asyncio.Queue[Message] = asyncio.Queue()
        self._answers: asyncio.Queue[Message] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start it; what it says went wrong is raised."""
        if isinstance(self._app, WSGIMiddleware):
            return
        self._task = asyncio.create_task(self._run())
        answer = await self._ask("lifespan.startup")
        if answer is not None and answer["type"] == "lifespan.startup.failed":
            raise RuntimeError(answer.get("message") or "the application did not start")

    async def stop(self) -> None:
        """Stop it; an application that has ended already is left alone."""
        if self._task is not None and not self._task.done():
            await self._ask("lifespan.shutdown")

    async def _run(self) -> None:
        await cast(ASGIApp, self._app)(self._scope, self._to_app.get, self._answers.put)

    async def _ask(self, kind: str) -> Message | None:
        """Its answer; None when it ended instead, as one does that knows no lifespan."""
        assert self._task is not None
        await self._to_app.put({"type": kind})
        answer = asyncio.create_task(self._answers.get())
        await asyncio.wait({answer, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            return answer.result()
        answer.cancel()
        self._task.exception()  # seen: an application without a lifespan may raise
        return None


def _as_asgi(app: object) -> ASGIApp:
    call = getattr(app, "__call__", app)  # noqa: B004 - an object's own method tells what it is
    if inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(call):
        return cast(ASGIApp, app)
    return cast(ASGIApp, WSGIMiddleware(cast(Any, app)))


def _refuse_other_sites(headers: Headers) -> None:
    """A browser sends the application's cookie from any page; what changes something must come from its own."""
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != headers.get("host"):
        raise Forbidden(f"The request comes from a page of {origin[:100]}; send it from the application's own pages.")
