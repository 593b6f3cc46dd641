"""HTTP: look at runs, follow one as it happens, cancel it."""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response, status
from fastapi.responses import StreamingResponse

from mainspring.foundation.http import CurrentPrincipal, is_still_allowed
from mainspring.foundation.ids import TenantId, read_id
from mainspring.foundation.pagination import DEFAULT_LIMIT, page_request

from .live import LiveEvents
from .schemas import EventPage, RunPage, RunShape, run_shape
from .service import Pipelines
from .types import RUN_PREFIX, RunId, RunStatus
from .wire import KEEP_ALIVE_FRAME, RETRY_FRAME, frame, show_event

READ = "ai.output.view"
CANCEL = "ai.analysis.trigger"
KEEP_ALIVE_SECONDS = 15.0
MAX_WAIT_SECONDS = 60
_STREAM_HEADERS = {"cache-control": "no-cache", "x-accel-buffering": "no"}


def build_router(pipelines: Pipelines, live: LiveEvents, *, recheck_seconds: float = 10.0) -> APIRouter:
    """The routes below /v1/runs; an open stream ends `recheck_seconds` after its key was revoked, at most."""
    router = APIRouter(prefix="/v1/runs", tags=["runs"])

    @router.get("")
    async def list_runs(
        principal: CurrentPrincipal,
        limit: int = DEFAULT_LIMIT,
        cursor: str | None = None,
        status: RunStatus | None = None,
        subject: str | None = None,
    ) -> RunPage:
        """The tenant's runs, newest first; `limit` is 1 to 200."""
        principal.require(READ)
        request = page_request(limit, cursor)
        page = await pipelines.list_runs(principal.tenant, request, status=status, subject=subject)
        return RunPage(items=[run_shape(run) for run in page.items], next_cursor=page.next_cursor)

    @router.get("/{run}")
    async def get_run(principal: CurrentPrincipal, run: str) -> RunShape:
        """One run with its steps."""
        principal.require(READ)
        return run_shape(await pipelines.get_run(principal.tenant, _run_id(run)))

    @router.post("/{run}/cancel", status_code=status.HTTP_202_ACCEPTED)
    async def cancel_run(principal: CurrentPrincipal, run: str) -> RunShape:
        """End the run; repeating it changes nothing. 409 when it has succeeded or failed."""
        principal.require(CANCEL)
        return run_shape(await pipelines.cancel(principal.tenant, _run_id(run)))

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
        up to `wait` seconds (60 at most) for the first event.
        """
        principal.require(READ)
        identifier, place = _run_id(run), last_event_id or after
        is_over = await live.is_over(principal.tenant, identifier, place)
        if _prefers_json(request):
            page = await _poll(live, principal.tenant, identifier, place, 0 if is_over else wait)
            return Response(page.model_dump_json(), media_type="application/json", headers=_STREAM_HEADERS)
        if is_over:
            return Response(status_code=status.HTTP_204_NO_CONTENT)
        frames = _frames(live, principal.tenant, identifier, place, min(KEEP_ALIVE_SECONDS, recheck_seconds))
        frames = _while_allowed(frames, lambda: is_still_allowed(request, READ), recheck_seconds)
        return StreamingResponse(frames, media_type="text/event-stream", headers=_STREAM_HEADERS)

    return router


def _run_id(text: str) -> RunId:
    return RunId(read_id(RUN_PREFIX, text))


def _prefers_json(request: Request) -> bool:
    accepted = request.headers.get("accept", "")
    return "application/json" in accepted and "text/event-stream" not in accepted


async def _frames(
    live: LiveEvents, tenant: TenantId, run: RunId, after: str | None, keep_alive_seconds: float
) -> AsyncGenerator[bytes]:
    yield RETRY_FRAME
    async with live.follow(tenant, run, after) as following:
        while not following.is_over:
            events = await following.batch(keep_alive_seconds)
            if events:
                yield b"".join(frame(event) for event in events)
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


async def _poll(live: LiveEvents, tenant: TenantId, run: RunId, after: str | None, wait: float) -> EventPage:
    async with live.follow(tenant, run, after) as following:
        events = await following.batch(max(wait, 0.5))
        return EventPage(
            items=[show_event(event) for event in events],
            next=str(events[-1].id) if events else after,
            is_over=following.is_over,
        )
