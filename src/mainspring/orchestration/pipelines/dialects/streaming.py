"""HTTP: a run followed in a frontend's own protocol.

Frontends of these protocols keep no place in our story: each connection is told the run from its beginning, which
both protocols take as a replacement of what they had. A client that has the end already is told not to come back.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Sequence
from typing import Annotated, Protocol

from fastapi import APIRouter, Header, Request, Response, status
from fastapi.responses import StreamingResponse

from mainspring.foundation.http import CurrentPrincipal
from mainspring.foundation.ids import read_id
from mainspring.foundation.principal import Principal
from mainspring.orchestration.pipelines.audience import READ, Audience
from mainspring.orchestration.pipelines.live import LiveEvents
from mainspring.orchestration.pipelines.privacy import Open, Privacy
from mainspring.orchestration.pipelines.service import Pipelines
from mainspring.orchestration.pipelines.types import RUN_PREFIX, RunEvent, RunId
from mainspring.orchestration.pipelines.wire import KEEP_ALIVE_FRAME, RETRY_FRAME

from .ag_ui import AgUi, Conversation, Shown, frame
from .ai_sdk import DONE, HEADERS, AiSdk

_LastEventId = Annotated[str | None, Header()]
_STREAM_HEADERS = {"cache-control": "no-cache", "x-accel-buffering": "no"}
_RESPONSES: dict[int | str, dict[str, object]] = {200: {"content": {"text/event-stream": {}}}}


class Dialect(Protocol):
    """Hears events in order and gives what to send."""

    def hear(self, event: RunEvent) -> Iterator[Shown]:
        """What to send for one event."""
        ...


def translate(events: Iterable[RunEvent], dialect: Dialect) -> Iterator[Shown]:
    """A whole story, or as much as there is of one, as JSON values."""
    for event in events:
        yield from dialect.hear(event)


async def ag_ui_frames(
    batches: AsyncIterator[Sequence[RunEvent]], conversation: Conversation | None = None
) -> AsyncGenerator[bytes]:
    """The body of an AG-UI response; an empty batch becomes a keep-alive."""
    async for chunk in _frames(batches, AgUi(conversation)):
        yield chunk


async def ai_sdk_frames(
    batches: AsyncIterator[Sequence[RunEvent]], message: str | None = None
) -> AsyncGenerator[bytes]:
    """The body of a UI message stream, whose response needs `HEADERS`; an empty batch becomes a keep-alive."""
    async for chunk in _frames(batches, AiSdk(message)):
        yield chunk
    yield DONE


async def _frames(batches: AsyncIterator[Sequence[RunEvent]], dialect: Dialect) -> AsyncGenerator[bytes]:
    async for events in batches:
        told = b"".join(frame(shown, str(event.id)) for event in events for shown in dialect.hear(event))
        yield told or KEEP_ALIVE_FRAME


def build_dialect_router(
    pipelines: Pipelines, live: LiveEvents, *, privacy: Privacy | None = None, recheck_seconds: float = 10.0
) -> APIRouter:
    """The routes /v1/runs/{run}/ag-ui and /v1/runs/{run}/ai-sdk; arguments as those of the routes of runs."""
    router = APIRouter(prefix="/v1/runs", tags=["runs"])
    audience = Audience(live, privacy or Open(), recheck_seconds)

    async def follow(
        request: Request, principal: Principal, run: str, last: str | None
    ) -> AsyncGenerator[list[RunEvent]] | None:
        """Batches of the whole story; None when the caller has the end of it. NotFound, Forbidden."""
        principal.require(READ)
        found = await pipelines.get_run(principal.tenant, RunId(read_id(RUN_PREFIX, run)))
        if last and await live.is_over(principal.tenant, found.id, last):
            return None
        is_closed = await audience.is_closed(principal, found)
        return audience.iter_batches(request, principal, found, None, is_closed=is_closed)

    @router.get("/{run}/ag-ui", responses=_RESPONSES)  # pyright: ignore[reportArgumentType] - FastAPI's own words
    async def follow_in_ag_ui(
        request: Request, principal: CurrentPrincipal, run: str, last_event_id: _LastEventId = None
    ) -> Response:
        """The run from its beginning as AG-UI events, server-sent, until it has ended. Needs `ai.output.view`.

        204 when `Last-Event-ID` is the run's last event. What `GET /v1/runs/{run}/events` keeps back is kept back here.
        """
        batches = await follow(request, principal, run, last_event_id)
        return _stream(ag_ui_frames(batches)) if batches else Response(status_code=status.HTTP_204_NO_CONTENT)

    @router.get("/{run}/ai-sdk", responses=_RESPONSES)  # pyright: ignore[reportArgumentType]
    async def follow_in_ai_sdk(
        request: Request, principal: CurrentPrincipal, run: str, last_event_id: _LastEventId = None
    ) -> Response:
        """The run from its beginning as a UI message stream of the Vercel AI SDK. Needs `ai.output.view`.

        204 when `Last-Event-ID` is the run's last event. What `GET /v1/runs/{run}/events` keeps back is kept back here.
        """
        batches = await follow(request, principal, run, last_event_id)
        if batches is None:
            return Response(status_code=status.HTTP_204_NO_CONTENT)
        return _stream(ai_sdk_frames(batches), HEADERS)

    return router


def _stream(frames: AsyncGenerator[bytes], headers: dict[str, str] | None = None) -> Response:
    async def with_retry() -> AsyncGenerator[bytes]:
        yield RETRY_FRAME
        async for chunk in frames:
            yield chunk

    return StreamingResponse(
        with_retry(), media_type="text/event-stream", headers={**_STREAM_HEADERS, **(headers or {})}
    )
