"""A thread's runs one after the other as named parts: LangGraph's first protocol, for a whole thread.

An id is `ordinal:place`, so that a client resumes in the middle of a run. A run begins and ends with a `metadata` part
that says so.
"""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from mainspring.foundation.errors import BadRequest
from mainspring.foundation.principal import Principal
from mainspring.orchestration.agents.errors import AgentUnknown
from mainspring.orchestration.agents.server.runs.service import RunDesk
from mainspring.orchestration.agents.server.threads.service import Threads
from mainspring.orchestration.agents.types import AgentRun, Json, StreamMode, Thread, ThreadId
from mainspring.orchestration.pipelines.types import EventId

from .emission import Emissions
from .feed import Feed
from .frames import HEARTBEAT_FRAME, frame_part
from .parts import PartChoice, Parts

HEARTBEAT_SECONDS = 15.0
_START = EventId()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a client stands: behind a place in the story of one run, at the beginning of the next."""

    thread: Thread
    ordinal: int
    place: EventId = _START


class JoinedThread:
    """Streams of threads."""

    def __init__(self, threads: Threads, desk: RunDesk, feed: Feed) -> None:
        self._threads = threads
        self._desk = desk
        self._feed = feed

    async def open(self, principal: Principal, thread: ThreadId, after: str | None) -> Place:
        """Where to begin: with unfinished runs, behind the id, or with the first run (`-`). AgentUnknown."""
        tenant = principal.tenant
        found = await self._threads.get(tenant, thread)
        if after in {"-", "-1"}:
            return Place(found, 1)
        if after:
            return _read(found, after)
        unfinished = await self._desk.list_unfinished(principal, thread, "all")
        ordinals = [(await self._desk.get(tenant, thread, each)).ordinal for each in unfinished]
        return Place(found, min(ordinals, default=1 + await self._desk.find_last_ordinal(tenant, thread)))

    async def iter_frames(self, begin: Place, modes: frozenset[str]) -> AsyncGenerator[bytes]:
        """Frames of the runs from there on, for ever."""
        sent_at = time.monotonic()
        tenant, thread = begin.thread.tenant, begin.thread.id
        async with aclosing(self._feed.iter_runs(tenant, thread, after=begin.ordinal - 1)) as runs:
            async for run in runs:
                if run is None:
                    if time.monotonic() - sent_at > HEARTBEAT_SECONDS:
                        yield HEARTBEAT_FRAME
                        sent_at = time.monotonic()
                    continue
                place = begin.place if run.ordinal == begin.ordinal else _START
                async with aclosing(self._iter_run(run, modes, place)) as frames:
                    async for frame in frames:
                        yield frame
                sent_at = time.monotonic()

    async def _iter_run(self, run: AgentRun, modes: frozenset[str], place: EventId) -> AsyncGenerator[bytes]:
        if place == _START:
            yield frame_part("metadata", {"run_id": str(run.id), "status": "run_started"}, f"{run.ordinal}:0-0")
        sent_at = time.monotonic()
        parts, emissions = Parts(str(run.id), run.graph, _choice(run)), Emissions()
        try:
            async with aclosing(self._feed.iter_story(run)) as story:
                async for batch in story:
                    made: list[bytes] = []
                    for event in batch:
                        emission = emissions.read(event)
                        told = parts.feed(emission) if emission and "run_modes" in modes else []
                        if event.id > place:
                            made += _number(told, f"{run.ordinal}:{event.id}")
                    if made or time.monotonic() - sent_at > HEARTBEAT_SECONDS:
                        yield b"".join(made) or HEARTBEAT_FRAME
                        sent_at = time.monotonic()
        except AgentUnknown:
            return
        over, ending = await self._feed.end_of(run)
        if "state_update" in modes:
            yield frame_part("values", await self._desk.result(over), None)
        shown: Json = {"run_id": str(run.id), "status": "run_done", "run_status": ending.status.value}
        yield frame_part("metadata", shown, f"{run.ordinal + 1}:0-0")


def _number(parts: list[tuple[str, Json]], identifier: str) -> list[bytes]:
    last = len(parts) - 1
    return [frame_part(name, data, identifier if at == last else None) for at, (name, data) in enumerate(parts)]


def _choice(run: AgentRun) -> PartChoice:
    """The modes that the run was started with."""
    asked = run.order.kwargs.get("stream_mode")
    modes = [str(each) for each in asked] if isinstance(asked, list) else [StreamMode.VALUES.value]
    return PartChoice(frozenset(modes), bool(run.order.kwargs.get("stream_subgraphs")))


def _read(thread: Thread, after: str) -> Place:
    ordinal, _, place = after.partition(":")
    milestone, _, live = place.partition("-")
    try:
        return Place(thread, int(ordinal), EventId(int(milestone), int(live)))
    except ValueError:
        raise BadRequest(f"{after[:40]!r} is no id of this stream; send the last one you received, or none.") from None
