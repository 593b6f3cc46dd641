"""HTTP: runs on threads and without, their streams and results."""

from collections.abc import AsyncGenerator
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from mainspring.foundation.errors import InvalidInput
from mainspring.foundation.http import CurrentPrincipal
from mainspring.foundation.principal import Principal
from mainspring.orchestration.agents.server.keys import KeyRoute, while_allowed
from mainspring.orchestration.agents.server.streams.frames import STREAM_HEADERS
from mainspring.orchestration.agents.server.streams.parts import PartChoice
from mainspring.orchestration.agents.server.threads.routes import read_thread_id
from mainspring.orchestration.agents.server.words import RUN, QueryLimit, QueryOffset, read_uuid, select
from mainspring.orchestration.agents.types import (
    AgentRun,
    AgentRunId,
    AgentRunStatus,
    Cancellation,
    JsonObject,
    RunOrder,
    StreamMode,
)

from .schemas import AgentRunShape, RunCreate, RunInBatch, RunsCancel, show_run
from .service import RunDesk
from .streaming import RunStreams, Watching, read_place


def build_router(desk: RunDesk, streams: RunStreams) -> APIRouter:
    """The routes of runs, below /threads/{thread}/runs and /runs."""
    router = APIRouter(tags=["agents: runs"], route_class=KeyRoute)
    _add_on_threads(router, desk, streams)
    _add_stateless(router, desk, streams)
    _add_reading(router, desk)
    _add_joining(router, desk, streams)
    _add_stopping(router, desk, streams)
    return router


def read_run_id(text: str) -> AgentRunId:
    """The run in a path; text that is no UUID is a run that does not exist."""
    return AgentRunId(read_uuid(text, "run"))


def _add_on_threads(router: APIRouter, desk: RunDesk, streams: RunStreams) -> None:
    @router.post("/threads/{thread}/runs", response_model=AgentRunShape)
    async def create_run(principal: CurrentPrincipal, thread: str, wanted: RunCreate) -> Response:
        """Start a run on the thread in the background; a busy thread takes it as `multitask_strategy` says."""
        run = await _submit(desk, principal, wanted.order(read_thread_id(thread)))
        return JSONResponse(show_run(run), headers=_where(run))

    @router.post("/threads/{thread}/runs/stream")
    async def stream_run(
        principal: CurrentPrincipal, request: Request, thread: str, wanted: RunCreate
    ) -> StreamingResponse:
        """Start a run and stream it: server-sent events in the stream modes asked for."""
        run = await _submit(desk, principal, wanted.order(read_thread_id(thread)))
        return _stream(streams, run, wanted, request)

    @router.post("/threads/{thread}/runs/wait")
    async def wait_for_run(principal: CurrentPrincipal, thread: str, wanted: RunCreate) -> StreamingResponse:
        """Start a run and answer with the thread's values when it is over; `__error__` if it failed."""
        run = await _submit(desk, principal, wanted.order(read_thread_id(thread)))
        return _result(streams, run, wanted)


def _add_stateless(router: APIRouter, desk: RunDesk, streams: RunStreams) -> None:
    @router.post("/runs", response_model=AgentRunShape)
    async def create_stateless_run(principal: CurrentPrincipal, wanted: RunCreate) -> Response:
        """Start a run on a thread of its own, which goes some time after the run unless `on_completion` is `keep`."""
        run = await _submit(desk, principal, wanted.order(None))
        return JSONResponse(show_run(run), headers=_where(run))

    @router.post("/runs/stream")
    async def stream_stateless_run(
        principal: CurrentPrincipal, request: Request, wanted: RunCreate
    ) -> StreamingResponse:
        """As on a thread, on a thread of its own."""
        return _stream(streams, await _submit(desk, principal, wanted.order(None)), wanted, request)

    @router.post("/runs/wait")
    async def wait_for_stateless_run(principal: CurrentPrincipal, wanted: RunCreate) -> StreamingResponse:
        """As on a thread, on a thread of its own."""
        return _result(streams, await _submit(desk, principal, wanted.order(None)), wanted)

    @router.post("/runs/batch", response_model=list[AgentRunShape])
    async def create_batch(principal: CurrentPrincipal, wanted: list[RunInBatch]) -> Response:
        """Start up to 100 runs in the background, in this order."""
        principal.require(RUN)
        if not 1 <= len(wanted) <= 100:
            raise InvalidInput(f"The batch holds {len(wanted)} runs; it must be 1 to 100.")
        runs = await desk.submit_batch(principal, [each.order_itself() for each in wanted])
        return JSONResponse([show_run(run) for run in runs])


def _add_reading(router: APIRouter, desk: RunDesk) -> None:
    @router.get("/threads/{thread}/runs", response_model=list[AgentRunShape])
    async def list_runs(
        principal: CurrentPrincipal,
        thread: str,
        limit: QueryLimit = 10,
        offset: QueryOffset = 0,
        status: AgentRunStatus | None = None,
        fields: Annotated[list[str] | None, Query(alias="select")] = None,
    ) -> Response:
        """The thread's runs, newest first."""
        principal.require(RUN)
        found = await desk.list_of_thread(
            principal.tenant, read_thread_id(thread), status=status, limit=limit, offset=offset
        )
        return JSONResponse([select(show_run(run), fields) for run in found])

    @router.get("/threads/{thread}/runs/{run}", response_model=AgentRunShape)
    async def get_run(principal: CurrentPrincipal, thread: str, run: str) -> Response:
        """One run."""
        principal.require(RUN)
        return JSONResponse(show_run(await desk.get(principal.tenant, read_thread_id(thread), read_run_id(run))))

    @router.delete("/threads/{thread}/runs/{run}", status_code=204)
    async def delete_run(principal: CurrentPrincipal, thread: str, run: str) -> Response:
        """Forget a finished run; what it did to the thread stays. 409 while it is not over."""
        principal.require(RUN)
        await desk.delete(principal.tenant, read_thread_id(thread), read_run_id(run))
        return Response(status_code=204)


def _add_joining(router: APIRouter, desk: RunDesk, streams: RunStreams) -> None:
    @router.get("/threads/{thread}/runs/{run}/join")
    async def join_run(principal: CurrentPrincipal, thread: str, run: str) -> StreamingResponse:
        """The thread's values when the run is over; `__error__` if it failed."""
        principal.require(RUN)
        found = await desk.get(principal.tenant, read_thread_id(thread), read_run_id(run))
        return _answer(streams.iter_result(found), found)

    @router.get("/threads/{thread}/runs/{run}/stream")
    async def join_stream(  # noqa: PLR0913 - path, query and headers
        principal: CurrentPrincipal,
        request: Request,
        thread: str,
        run: str,
        stream_mode: Annotated[list[str] | None, Query()] = None,
        cancel_on_disconnect: bool = False,
        last_event_id: Annotated[str | None, Header()] = None,
    ) -> StreamingResponse:
        """The run's stream from its beginning, or behind `Last-Event-ID`; at any time, any number of times."""
        principal.require(RUN)
        found = await desk.get(principal.tenant, read_thread_id(thread), read_run_id(run))
        choice = _choice(found, [each for part in stream_mode or [] for each in part.split(",") if each])
        watching = Watching(choice, read_place(last_event_id), cancel_on_disconnect)
        headers = {**STREAM_HEADERS, **_where(found), "location": f"{_path(found)}/stream"}
        frames = while_allowed(streams.iter_frames(found, watching), request)
        return StreamingResponse(frames, media_type="text/event-stream", headers=headers)


def _add_stopping(router: APIRouter, desk: RunDesk, streams: RunStreams) -> None:
    @router.post("/threads/{thread}/runs/{run}/cancel")
    async def cancel_run(
        principal: CurrentPrincipal,
        thread: str,
        run: str,
        wait: bool = False,
        action: Cancellation = Cancellation.INTERRUPT,
    ) -> Response:
        """Stop the run: `interrupt` keeps what it reached, `rollback` undoes it; a finished run stays as it is."""
        principal.require(RUN)
        found = await desk.get(principal.tenant, read_thread_id(thread), read_run_id(run))
        await desk.cancel(found, action)
        if wait and action is Cancellation.INTERRUPT:
            return _answer(streams.iter_result(found), found)
        return JSONResponse({})

    @router.post("/runs/cancel", status_code=204)
    async def cancel_runs(
        principal: CurrentPrincipal, wanted: RunsCancel, action: Cancellation = Cancellation.INTERRUPT
    ) -> Response:
        """Stop runs by id, or up to 200 unfinished ones of the tenant or a thread by status."""
        principal.require(RUN)
        if (wanted.run_ids is None) == (wanted.status is None):
            raise InvalidInput("Send either run_ids (with their thread_id) or a status of pending, running or all.")
        thread = None if wanted.thread_id is None else read_thread_id(wanted.thread_id)
        named = [read_run_id(each) for each in wanted.run_ids or []]
        runs = named or await desk.list_unfinished(principal, thread, wanted.status or "all")
        await desk.cancel_many(principal, runs, thread, action)
        return Response(status_code=204)


async def _submit(desk: RunDesk, principal: Principal, order: RunOrder) -> AgentRun:
    principal.require(RUN)
    return await desk.submit(principal, order)


def _stream(streams: RunStreams, run: AgentRun, wanted: RunCreate, request: Request) -> StreamingResponse:
    choice = PartChoice(wanted.modes, wanted.stream_subgraphs)
    watching = Watching(choice, stops_with_the_client=wanted.on_disconnect == "cancel")
    headers = {**STREAM_HEADERS, **_where(run), "location": f"{_path(run)}/stream"}
    frames = while_allowed(streams.iter_frames(run, watching), request)
    return StreamingResponse(frames, media_type="text/event-stream", headers=headers)


def _result(streams: RunStreams, run: AgentRun, wanted: RunCreate) -> StreamingResponse:
    return _answer(streams.iter_result(run, stops_with_the_client=wanted.on_disconnect == "cancel"), run)


def _answer(result: AsyncGenerator[bytes], run: AgentRun) -> StreamingResponse:
    headers = {**_where(run), "location": f"{_path(run)}/join"}
    return StreamingResponse(result, media_type="application/json", headers=headers)


def _path(run: AgentRun) -> str:
    """Where the run is, as clients join it to their base URL."""
    return f"/threads/{run.thread}/runs/{run.id}"


def _where(run: AgentRun) -> dict[str, str]:
    return {"content-location": f"/runs/{run.id}" if run.is_stateless else _path(run)}


def _choice(run: AgentRun, modes: list[str]) -> PartChoice:
    """The modes asked for, or those that the run was started with."""
    known = {each.value for each in StreamMode}
    unknown = [each for each in modes if each not in known]
    if unknown:
        raise InvalidInput(f"{unknown[0][:40]!r} is no stream mode; use {', '.join(sorted(known))}.")
    kwargs: JsonObject = run.order.kwargs
    asked = kwargs.get("stream_mode")
    before = [str(each) for each in asked] if isinstance(asked, list) else ["values"]
    return PartChoice(frozenset(modes or before), bool(kwargs.get("stream_subgraphs")))
