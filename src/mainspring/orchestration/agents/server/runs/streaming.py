"""A run's answers that take a while: its stream of parts, and its result once there is one.

Both keep the connection alive while nothing comes, and both stop the run when the client goes, if that was asked for.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

import msgspec

from mainspring.foundation.errors import BadRequest
from mainspring.foundation.telemetry import get_logger
from mainspring.orchestration.agents.server.streams.emission import Emissions
from mainspring.orchestration.agents.server.streams.feed import Feed
from mainspring.orchestration.agents.server.streams.frames import HEARTBEAT_FRAME, frame_part
from mainspring.orchestration.agents.server.streams.parts import PartChoice, Parts
from mainspring.orchestration.agents.types import AgentRun, Cancellation, Json, JsonObject
from mainspring.orchestration.pipelines.types import EventId

from .service import RunDesk

log = get_logger(__name__)

HEARTBEAT_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Watching:
    """How a client watches a run.

    after                  behind which place it begins, see `read_place`; None for everything
    stops_with_the_client  the run is stopped when the client goes before its end
    """

    choice: PartChoice
    after: EventId | None = None
    stops_with_the_client: bool = False


class RunStreams:
    """Streams and results of runs."""

    def __init__(self, desk: RunDesk, feed: Feed) -> None:
        self._desk = desk
        self._feed = feed

    async def iter_frames(self, run: AgentRun, watching: Watching) -> AsyncGenerator[bytes]:
        """The run's parts as server-sent events, `metadata` first and `end` last."""
        is_over = False
        try:
            async with aclosing(self._iter_parts(run, watching)) as frames:
                async for frame in frames:
                    yield frame
            is_over = True
        finally:
            if not is_over and watching.stops_with_the_client:
                self._stop_later(run)

    async def iter_result(self, run: AgentRun, *, stops_with_the_client: bool = False) -> AsyncGenerator[bytes]:
        """The run's result as JSON, behind a line break for each 15 seconds that it took."""
        over: AgentRun | None = None
        try:
            while over is None:
                over = await self._desk.wait(run, HEARTBEAT_SECONDS)
                if over is None:
                    yield b"\n"
            yield msgspec.json.encode(await self._desk.result(over))
        finally:
            if over is None and stops_with_the_client:
                self._stop_later(run)

    async def _iter_parts(self, run: AgentRun, watching: Watching) -> AsyncGenerator[bytes]:
        place = watching.after
        if place is None:
            yield frame_part("metadata", {"run_id": str(run.id), "attempt": 1}, None)
        parts, emissions = Parts(str(run.id), run.graph, watching.choice), Emissions()
        sent_at, lacks_values = time.monotonic(), False
        async with aclosing(self._feed.iter_story(run)) as story:
            async for batch in story:
                frames: list[bytes] = []
                for event in batch:
                    emission = emissions.read(event)
                    if emission is None:
                        continue
                    lacks_values = emission.is_omitted if emission.mode == "values" else lacks_values
                    made = parts.feed(emission)
                    if place is None or event.id > place:
                        frames += _number(made, str(event.id))
                if frames:
                    yield b"".join(frames)
                    sent_at = time.monotonic()
                elif time.monotonic() - sent_at > HEARTBEAT_SECONDS:
                    yield HEARTBEAT_FRAME
                    sent_at = time.monotonic()
        async for frame in self._iter_end(run, watching, lacks_values=lacks_values):
            yield frame

    async def _iter_end(self, run: AgentRun, watching: Watching, *, lacks_values: bool) -> AsyncGenerator[bytes]:
        over, ending = await self._feed.end_of(run)
        if lacks_values and "values" in watching.choice.modes:
            yield frame_part("values", await self._desk.result(over), None)
        if over.error is not None:
            error: JsonObject = {"error": over.error.code, "message": over.error.detail}
            yield frame_part("error", error, None)
        yield frame_part("end", {"run_id": str(run.id), "status": ending.status.value}, None)

    def _stop_later(self, run: AgentRun) -> None:
        """The client is gone and its request with it, so the run is stopped by a task of its own."""
        task = asyncio.get_running_loop().create_task(self._desk.cancel(run, Cancellation.INTERRUPT))
        _stopping.add(task)
        task.add_done_callback(_stopping.discard)
        log.info("run_stopped_with_its_client", run=str(run.id))


_stopping: set[asyncio.Task[None]] = set()


def _number(parts: list[tuple[str, Json]], identifier: str) -> list[bytes]:
    """Frames; only the last of what one event made carries its id, so that a resume leaves none out."""
    last = len(parts) - 1
    return [frame_part(name, data, identifier if at == last else None) for at, (name, data) in enumerate(parts)]


def read_place(after: str | None) -> EventId | None:
    """The place behind a client's last id; `-1` and `-` stand for the beginning. BadRequest for others."""
    if after is None or after in {"", "-", "-1"}:
        return None
    milestone, _, live = after.partition("-")
    try:
        return EventId(int(milestone), int(live))
    except ValueError:
        raise BadRequest(f"{after[:40]!r} is no id of this stream; send the last one you received, or none.") from None
