"""What every route shares: who is calling, request ids, and errors as RFC 9457 problem+json.

Rooms make routers; the entry mounts them on the app that `create_app` returns. A route asks for
`CurrentPrincipal`; the authenticator that fills it in is a port which identity implements.
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Annotated, Any, Protocol

import psycopg
from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mainspring.foundation.db import DatabaseGone
from mainspring.foundation.edges import Guard, LimitBody
from mainspring.foundation.errors import InvalidInput, MainspringError, Unauthenticated, Unavailable
from mainspring.foundation.ids import new_id, show_id
from mainspring.foundation.pagination import DEFAULT_LIMIT, MAX_LIMIT, PageRequest, page_request
from mainspring.foundation.principal import Principal
from mainspring.foundation.telemetry import bind, get_logger

log = get_logger(__name__)

SESSION_COOKIE = "mainspring_session"
CSRF_HEADER = "x-csrf-token"
_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


class Authenticator(Protocol):
    """The port through which a request's credentials become a principal."""

    async def authenticate(
        self, *, bearer: str | None, cookie: str | None, csrf: str | None, unsafe: bool
    ) -> Principal:
        """The caller; Unauthenticated without a valid credential, Forbidden without the CSRF token a cookie needs."""
        ...


class FieldProblem(BaseModel):
    """One bad value in a request."""

    field: str
    message: str


class Problem(BaseModel):
    """An error as RFC 9457 has it, with our stable `code`, and whether trying again can help."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    retryable: bool = False
    request_id: str
    errors: list[FieldProblem] | None = None


async def current_principal(request: Request) -> Principal:
    """Who is calling, from a bearer key or the session cookie; asked once in a request."""
    known: Principal | None = getattr(request.state, "principal", None)
    if known is not None:
        return known
    ask: Callable[[], Awaitable[Principal | None]] | None = request.scope.get("mainspring.who")
    if ask is not None and (own := await ask()) is not None:  # a user of the application that we are mounted beside
        request.state.principal = own
        return own
    authenticator: Authenticator = request.app.state.authenticator
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    principal = await authenticator.authenticate(
        bearer=bearer.strip() if scheme.lower() == "bearer" else None,
        cookie=request.cookies.get(SESSION_COOKIE),
        csrf=request.headers.get(CSRF_HEADER),
        unsafe=request.method not in _SAFE_METHODS,
    )
    request.state.principal = principal
    return principal


async def is_still_allowed(request: Request, permission: str) -> bool:
    """Whether the caller's credential holds the permission now; for answers that go on for long.

    While the database is away nobody can tell, and what was allowed goes on.
    """
    request.state.principal = None
    try:
        return permission in (await current_principal(request)).permissions
    except Unauthenticated:
        return False
    except DatabaseGone:
        return True


CurrentPrincipal = Annotated[Principal, Depends(current_principal)]


class CallerFirst(APIRoute):
    """A route that knows its caller before it reads the body: nobody without a credential sends it files."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The framework's handler, which reads body before dependencies, behind the question who calls."""
        handle = super().get_route_handler()

        async def handle_for_caller(request: Request) -> Response:
            await current_principal(request)
            return await handle(request)

        return handle_for_caller


def _read_paging(
    limit: Annotated[int, Query(description=f"How many, 1 to {MAX_LIMIT}.")] = DEFAULT_LIMIT,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
) -> PageRequest:
    return page_request(limit, cursor)


Paging = Annotated[PageRequest, Depends(_read_paging)]
"""The `limit` and `cursor` of a list."""


def create_app(
    authenticator: Authenticator,
    *,
    title: str,
    version: str,
    body_limits: Mapping[str, int] | None = None,
    **options: Any,
) -> FastAPI:
    """A FastAPI app with request ids, problem+json for every error, and the authenticator in place.

    body_limits  bytes by path, for those that take more than `edges.DEFAULT_BODY_BYTES`; see `edges.LimitBody`
    """
    app = FastAPI(
        title=title,
        version=version,
        responses={"default": {"model": Problem, "description": "Any error", "content": {_PROBLEM: {}}}},
        **options,
    )
    app.state.authenticator = authenticator
    app.add_exception_handler(MainspringError, _show_error)
    app.add_exception_handler(RequestValidationError, _show_invalid)
    app.add_exception_handler(HTTPException, _show_http)
    for gone in DatabaseGone:
        if not issubclass(gone, MainspringError):
            app.add_exception_handler(gone, _show_gone)
    app.add_exception_handler(psycopg.DataError, _show_unstorable)
    app.add_exception_handler(UnicodeEncodeError, _show_unstorable)
    app.add_middleware(LimitBody, limits=body_limits or {})
    app.add_middleware(_RequestEdge)
    app.add_middleware(Guard)
    return app


_PROBLEM = "application/problem+json"


def problem(request: Request, error: MainspringError, errors: list[FieldProblem] | None = None) -> JSONResponse:
    """The answer that shows `error` to the caller."""
    places = [FieldProblem(field=field, message=message) for field, message in error.places]
    body = Problem(
        type=f"urn:mainspring:error:{error.code}",
        title=error.code.replace("_", " ").capitalize(),
        status=error.status,
        detail=error.detail,
        code=error.code,
        retryable=error.retryable,
        request_id=request.scope.get("mainspring.request_id", ""),
        errors=errors or places or None,
    )
    headers = {"retry-after": str(max(1, round(error.retry_after_seconds)))} if error.retry_after_seconds else {}
    if error.status == 401:
        headers["www-authenticate"] = "Bearer"
    return JSONResponse(body.model_dump(exclude_none=True), error.status, headers, media_type=_PROBLEM)


async def _show_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, MainspringError)
    return problem(request, error)


async def _show_gone(request: Request, error: Exception) -> Response:
    log.warning("database_away", error=type(error).__name__)
    away = Unavailable("The database is away for a moment; nothing was changed. Try again.", retry_after_seconds=2)
    return problem(request, away)


async def _show_unstorable(request: Request, error: Exception) -> Response:
    """Text with NUL or half of a surrogate pair, a number or date outside of its column: only callers send those."""
    log.info("value_refused_by_database", error=type(error).__name__)
    refused = (
        "A value in the request holds a NUL character, half of a surrogate pair, or a number or date out of range. "
        "Correct it."
    )
    return problem(request, InvalidInput(refused))


async def _show_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    fields = [
        FieldProblem(field=".".join(str(part) for part in item["loc"]), message=str(item["msg"]))
        for item in error.errors()
    ]
    shown = "; ".join(f"{field.field}: {field.message}" for field in fields[:5])
    invalid = MainspringError(f"The request is not valid: {shown}. See /docs for its shape.")
    return problem(request, _recode(invalid, "invalid_input", 422), fields)


async def _show_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    codes = {404: "not_found", 405: "method_not_allowed", 400: "bad_request", 413: "too_large"}
    shown = MainspringError(f"{request.method} {request.url.path}: {error.detail}. See /docs for what exists.")
    return problem(request, _recode(shown, codes.get(error.status_code, "http_error"), error.status_code))


def _recode(error: MainspringError, code: str, status: int) -> MainspringError:
    recoded = type("_Shown", (MainspringError,), {"code": code, "status": status})
    return recoded(error.detail)


class _RequestEdge:
    """The outermost layer: gives the request an id, binds it to the logs, and turns any crash into a problem."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = show_id("req", new_id())
        scope["mainspring.request_id"] = request_id
        started = False

        async def send_with_id(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        with bind(request=request_id):
            try:
                await self._app(scope, receive, send_with_id)
            except Exception:  # the edge of a request: the caller gets a problem, the log gets the trace
                log.exception("request_crashed", method=scope["method"], path=scope["path"])
                if not started:
                    crashed = MainspringError("Something went wrong on our side; quote the request id to support.")
                    await problem(Request(scope), crashed)(scope, receive, send_with_id)
