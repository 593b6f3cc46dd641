"""HTTP: look at runs, follow one as it happens, cancel it."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response, status
from fastapi.responses import StreamingResponse

from mainspring.foundation.errors import Forbidden
from mainspring.foundation.http import CurrentPrincipal
from mainspring.foundation.ids import read_id

from .audience import READ, Audience
from .live import LiveEvents
from .privacy import Open, Privacy, cover, cover_events
from .schemas import EventPage, RunShape, run_shape
from .service import Pipelines
from .types import RUN_PREFIX, RunEvent, RunId
from .wire import KEEP_ALIVE_FRAME, RETRY_FRAME, frame, show_event

CANCEL = "ai.analysis.trigger"
MAX_WAIT_SECONDS = 60
_STREAM_HEADERS = {"cache-control": "no-cache", "x-accel-buffering": "no"}


def build_router(
    pipelines: Pipelines, live: LiveEvents, *, privacy: Privacy | None = None, recheck_seconds: float = 10.0
) -> APIRouter:
    """The routes below /v1/runs; an open stream ends `recheck_seconds` after its key was revoked, at most.

    privacy  knows what runs are about that is closed to a caller; None: everything is open
    """
    router = APIRouter(prefix="/v1/runs", tags=["runs"])
    audience = Audience(live, privacy or Open(), recheck_seconds)
    _add_reading(router, pipelines, audience)
    _add_following(router, pipelines, live, audience)
    return router


def _add_reading(router: APIRouter, pipelines: Pipelines, audience: Audience) -> None:
    @router.get("/{run}")
    async def get_run(principal: CurrentPrincipal, run: str) -> RunShape:
        """One run with its steps."""
        principal.require(READ)
        found = await pipelines.get_run(principal.tenant, _run_id(run))
        return run_shape(cover(found) if await audience.is_closed(principal, found) else found)

    @router.post("/{run}/cancel", status_code=status.HTTP_202_ACCEPTED)
    async def cancel_run(principal: CurrentPrincipal, run: str) -> RunShape:
        """End the run; repeating it changes nothing. 409 when it has succeeded or failed.

        403 for a run about what is closed to the caller.
        """
        principal.require(CANCEL)
        found = await pipelines.get_run(principal.tenant, _run_id(run))
        if await audience.is_closed(principal, found):
            raise Forbidden(
                f"The run is about what is closed to {principal.name}; ask one of its readers to cancel it."
            )
        return run_shape(await pipelines.cancel(principal.tenant, found.id))


def _add_following(router: APIRouter, pipelines: Pipelines, live: LiveEvents, audience: Audience) -> None:
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
        is_closed = await audience.is_closed(principal, found)
        if _prefers_json(request):
            async with live.follow(principal.tenant, identifier, place) as following:
                events = await following.batch(max(0 if is_over else wait, 0.5))
                page = _page(events, place, is_closed=is_closed, is_over=following.is_over)
            return Response(page.model_dump_json(), media_type="application/json", headers=_STREAM_HEADERS)
        if is_over:
            return Response(status_code=status.HTTP_204_NO_CONTENT)
        batches = audience.iter_batches(request, principal, found, place, is_closed=is_closed)
        return StreamingResponse(_frames(batches), media_type="text/event-stream", headers=_STREAM_HEADERS)


def _run_id(text: str) -> RunId:
    return RunId(read_id(RUN_PREFIX, text))


def _prefers_json(request: Request) -> bool:
    accepted = request.headers.get("accept", "")
    return "application/json" in accepted and "text/event-stream" not in accepted


async def _frames(batches: AsyncGenerator[list[RunEvent]]) -> AsyncGenerator[bytes]:
    yield RETRY_FRAME
    async with aclosing(batches):
        async for events in batches:
            yield b"".join(map(frame, events)) or KEEP_ALIVE_FRAME


def _page(events: Sequence[RunEvent], place: str | None, *, is_closed: bool, is_over: bool) -> EventPage:
    return EventPage(
        items=[show_event(event) for event in (cover_events(events) if is_closed else events)],
        next=str(events[-1].id) if events else place,
        is_over=is_over,
    )
