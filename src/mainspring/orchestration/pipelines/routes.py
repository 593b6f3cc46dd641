"""HTTP: look at runs, follow one as it happens, cancel it."""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response, status
from fastapi.responses import StreamingResponse

from mainspring.foundation.db import DatabaseGone
from mainspring.foundation.errors import Forbidden
from mainspring.foundation.http import CurrentPrincipal, is_still_allowed
from mainspring.foundation.ids import TenantId, read_id
from mainspring.foundation.principal import Principal

from .live import LiveEvents
from .privacy import Open, Privacy, cover, cover_event
from .schemas import EventPage, RunShape, run_shape
from .service import Pipelines
from .types import RUN_PREFIX, Run, RunEvent, RunId
from .wire import KEEP_ALIVE_FRAME, RETRY_FRAME, frame, show_event

READ = "ai.output.view"
CANCEL = "ai.analysis.trigger"
KEEP_ALIVE_SECONDS = 15.0
MAX_WAIT_SECONDS = 60
_STREAM_HEADERS = {"cache-control": "no-cache", "x-accel-buffering": "no"}


def build_router(
    pipelines: Pipelines, live: LiveEvents, *, privacy: Privacy | None = None, recheck_seconds: float = 10.0
) -> APIRouter:
    """The routes below /v1/runs; an open stream ends `recheck_seconds` after its key was revoked, at most.

    privacy  knows what runs are about that is closed to a caller; None: everything is open
    """
    router = APIRouter(prefix="/v1/runs", tags=["runs"])
    _add_reading(router, pipelines, privacy or Open())
    _add_following(router, pipelines, live, privacy or Open(), recheck_seconds)
    return router


def _add_reading(router: APIRouter, pipelines: Pipelines, privacy: Privacy) -> None:
    @router.get("/{run}")
    async def get_run(principal: CurrentPrincipal, run: str) -> RunShape:
        """One run with its steps."""
        principal.require(READ)
        found = await pipelines.get_run(principal.tenant, _run_id(run))
        return run_shape(cover(found) if await _is_closed(privacy, principal, found) else found)

    @router.post("/{run}/cancel", status_code=status.HTTP_202_ACCEPTED)
    async def cancel_run(principal: CurrentPrincipal, run: str) -> RunShape:
        """End the run; repeating it changes nothing. 409 when it has succeeded or failed.

        403 for a run about what is closed to the caller.
        """
        principal.require(CANCEL)
        found = await pipelines.get_run(principal.tenant, _run_id(run))
        if await _is_closed(privacy, principal, found):
            raise Forbidden(
                f"The run is about what is closed to {principal.name}; ask one of its readers to cancel it."
            )
        return run_shape(await pipelines.cancel(principal.tenant, found.id))


def _add_following(
    router: APIRouter, pipelines: Pipelines, live: LiveEvents, privacy: Privacy, recheck_seconds: float
) -> None:
    @router.get("/{run}/events", response_model=EventPage, responses={200: {"content": {"text/event-stream": {}}}})
    async def follow_run(
        request: Request,
        principal: CurrentPrincipal,
        run: str,
        after: str | None = None,
        wait: Annotated[float, Query(ge=0, le=MAX_WAIT_SECONDS)] = 0,
        last_event_id: Annotated[str | None, Header()] = None,
    ) -> Response:
        """The run's events: server-sent by default, one page of JSON with `Accept: application/json`.

        `Last-Event-ID` or `after` resumes behind the last event received. The stream ends with
        `run.finished`; 204 tells a client that has it already not to come back. The JSON form waits
        up to `wait` seconds (60 at most) for the first event. About what is closed to the caller it tells no more
        than which steps start and end.
        """
        principal.require(READ)
        identifier, place = _run_id(run), last_event_id or after
        is_over = await live.is_over(principal.tenant, identifier, place)
        found = await pipelines.get_run(principal.tenant, identifier)
        is_closed = await _is_closed(privacy, principal, found)
        show = cover_event if is_closed else _as_it_is
        if _prefers_json(request):
            page = await _poll(live, principal.tenant, identifier, place, 0 if is_over else wait, show)
            return Response(page.model_dump_json(), media_type="application/json", headers=_STREAM_HEADERS)
        if is_over:
            return Response(status_code=status.HTTP_204_NO_CONTENT)

        async def is_as_before() -> bool:
            if not await is_still_allowed(request, READ):
                return False
            with suppress(*DatabaseGone):  # nobody can tell, and what was allowed goes on
                return await _is_closed(privacy, request.state.principal or principal, found) == is_closed
            return True

        frames = _frames(live, principal.tenant, identifier, place, min(KEEP_ALIVE_SECONDS, recheck_seconds), show)
        frames = _while_allowed(frames, is_as_before, recheck_seconds)
        return StreamingResponse(frames, media_type="text/event-stream", headers=_STREAM_HEADERS)


def _run_id(text: str) -> RunId:
    return RunId(read_id(RUN_PREFIX, text))


def _prefers_json(request: Request) -> bool:
    accepted = request.headers.get("accept", "")
    return "application/json" in accepted and "text/event-stream" not in accepted


async def _is_closed(privacy: Privacy, principal: Principal, run: Run) -> bool:
    return run.subject is not None and run.subject in await privacy.closed_to(principal, (run.subject,))


_Show = Callable[[RunEvent], RunEvent | None]


def _as_it_is(event: RunEvent) -> RunEvent | None:
    return event


async def _frames(
    live: LiveEvents, tenant: TenantId, run: RunId, after: str | None, keep_alive_seconds: float, show: _Show
) -> AsyncGenerator[bytes]:
    yield RETRY_FRAME
    async with live.follow(tenant, run, after) as following:
        while not following.is_over:
            events = await following.batch(keep_alive_seconds)
            if events:
                yield b"".join(frame(event) for event in map(show, events) if event) or KEEP_ALIVE_FRAME
            elif not following.is_over:
                yield KEEP_ALIVE_FRAME


async def _while_allowed(
    frames: AsyncGenerator[bytes], is_allowed: Callable[[], Awaitable[bool]], recheck_seconds: float
) -> AsyncGenerator[bytes]:
    """The frames, until the caller may not see them any more; asked between frames, keep-alives among them."""
    asked_at = time.monotonic()
    async with aclosing(frames):
        async for chunk in frames:
            if time.monotonic() - asked_at >= recheck_seconds:
                if not await is_allowed():
                    return
                asked_at = time.monotonic()
            yield chunk


async def _poll(
    live: LiveEvents, tenant: TenantId, run: RunId, after: str | None, wait: float, show: _Show
) -> EventPage:
    async with live.follow(tenant, run, after) as following:
        events = await following.batch(max(wait, 0.5))
        return EventPage(
            items=[show_event(event) for event in map(show, events) if event],
            next=str(events[-1].id) if events else after,
            is_over=following.is_over,
        )
