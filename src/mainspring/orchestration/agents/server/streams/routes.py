"""HTTP and web sockets: the events of a thread, and commands to it."""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, WebSocket
from fastapi.responses import JSONResponse, StreamingResponse

from mainspring.foundation.errors import Forbidden, NotFound, Unauthenticated
from mainspring.foundation.http import CurrentPrincipal
from mainspring.orchestration.agents.ownership import Ownership
from mainspring.orchestration.agents.server.keys import KeyRoute, socket_principal, while_allowed
from mainspring.orchestration.agents.server.threads.routes import read_thread_id
from mainspring.orchestration.agents.server.words import RUN

from .commands import Commands
from .feed import Feed
from .filters import Subscription
from .frames import HEARTBEAT_FRAME, STREAM_HEADERS, frame_event
from .joined import JoinedThread
from .protocol import ProtocolEvent
from .schemas import CommandWanted, EventsWanted
from .sockets import ThreadSocket

HEARTBEAT_SECONDS = 15.0
_POLICY_VIOLATION = 1008


def build_router(commands: Commands, feed: Feed, joined: JoinedThread, ownership: Ownership) -> APIRouter:
    """The routes of the event protocol, below /threads."""
    router = APIRouter(prefix="/threads", tags=["agents: events"], route_class=KeyRoute)
    _add_protocol(router, commands, feed)
    _add_joining(router, joined)
    _add_socket(router, commands, feed, ownership)
    return router


def _add_protocol(router: APIRouter, commands: Commands, feed: Feed) -> None:
    @router.post("/{thread}/stream/events")
    async def stream_events(
        principal: CurrentPrincipal, request: Request, thread: str, wanted: EventsWanted
    ) -> StreamingResponse:
        """Events of all runs of the thread, from its first on or behind `since`, and of runs to come.

        The thread need not exist yet: it is made by its first `run.start`. The stream does not end by itself.
        """
        principal.require(RUN)
        events = feed.iter_thread(principal.tenant, read_thread_id(thread), since=wanted.since)
        frames = _frames(events, wanted.subscription())
        return StreamingResponse(while_allowed(frames, request), media_type="text/event-stream", headers=STREAM_HEADERS)

    @router.post("/{thread}/commands")
    async def send_command(principal: CurrentPrincipal, thread: str, command: CommandWanted) -> JSONResponse:
        """`run.start`, `input.respond`, `state.get`, `state.listCheckpoints`, `state.fork`, `agent.getTree`."""
        principal.require(RUN)
        given = command.model_dump(exclude_unset=True)
        return JSONResponse(await commands.answer(principal, read_thread_id(thread), given))


def _add_joining(router: APIRouter, joined: JoinedThread) -> None:
    @router.get("/{thread}/stream")
    async def join_thread(
        principal: CurrentPrincipal,
        request: Request,
        thread: str,
        stream_mode: Annotated[list[str] | None, Query()] = None,
        stream_modes: Annotated[list[str] | None, Query()] = None,
        last_event_id: Annotated[str | None, Header()] = None,
    ) -> StreamingResponse:
        """The parts of all runs of the thread from now on, or behind `Last-Event-ID` (`-`: from its first run).

        `run_modes` tells what the runs tell, `lifecycle` their beginnings and ends, `state_update` the values they
        leave. The stream does not end by itself.
        """
        principal.require(RUN)
        found = await joined.open(principal, read_thread_id(thread), last_event_id)
        modes = frozenset(each for part in stream_mode or stream_modes or ["run_modes"] for each in part.split(","))
        frames = while_allowed(joined.iter_frames(found, modes), request)
        return StreamingResponse(frames, media_type="text/event-stream", headers=STREAM_HEADERS)


def _add_socket(router: APIRouter, commands: Commands, feed: Feed, ownership: Ownership) -> None:
    @router.websocket("/{thread}/stream/events")
    async def open_socket(socket: WebSocket, thread: str) -> None:
        """The event protocol on one connection: subscribe, then commands and events."""
        try:
            principal = await socket_principal(socket)
            principal.require(RUN)
            identifier = read_thread_id(thread)
            await ownership.require(principal, [identifier])
        except (Unauthenticated, Forbidden, NotFound) as refused:
            await socket.close(_POLICY_VIOLATION, reason=refused.code)
            return
        await socket.accept()
        await ThreadSocket(socket, principal, identifier).serve(commands, feed)


async def _frames(batches: AsyncGenerator[list[ProtocolEvent]], subscription: Subscription) -> AsyncGenerator[bytes]:
    yield HEARTBEAT_FRAME  # the answer has begun, whether or not there is something to tell
    sent_at = time.monotonic()
    async with aclosing(batches):
        async for events in batches:
            frames = [
                frame_event(each) for each in events if subscription.wants(each.channel, each.name, each.namespace)
            ]
            if frames:
                yield b"".join(frames)
            elif time.monotonic() - sent_at > HEARTBEAT_SECONDS:
                yield HEARTBEAT_FRAME
            else:
                continue
            sent_at = time.monotonic()
