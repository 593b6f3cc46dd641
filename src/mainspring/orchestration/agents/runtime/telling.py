"""A graph's stream as the run's story: every part as an ordered live event, and besides a sentence and the text.

A part has `type` (the stream mode), `ns` (where in nested graphs) and `data`. Words of models are told twice: as
LangGraph's events for its clients, and as `message.delta` for everybody else.
"""

from collections.abc import Mapping
from typing import Any, cast

from mainspring.orchestration.agents.types import Json, JsonObject
from mainspring.orchestration.pipelines.errors import PayloadRefused
from mainspring.orchestration.pipelines.types import StepRun

from .frames import cut, show_interrupt, to_json


class Telling:
    """Tells one attempt of one run.

    asked  the modes that its submitter wants, whole however long they are
    """

    def __init__(self, run: StepRun, asked: frozenset[str]) -> None:
        self._run = run
        self._asked = asked
        self._names: dict[str, str] = {}

    async def begin(self, run: str, attempt: int) -> None:
        """The first thing told."""
        await self._run.emit("metadata", {"run_id": run, "attempt": attempt})

    async def end(self, status: str, error: JsonObject | None) -> None:
        """The last thing told, after the run's end is stored."""
        ended: JsonObject = {"status": status}
        if error is not None:
            ended["error"] = error
        await self._run.emit("end", ended)

    async def tell(self, part: Mapping[str, Any]) -> None:
        """One part of the stream."""
        mode = str(part["type"])
        for piece in cut(_frame(mode, part), is_asked=mode in self._asked):
            await self._run.emit(mode, piece)
        if mode == "tasks" and "triggers" in part["data"]:
            await self._run.say(f"Working on {str(part['data']['name']).replace('_', ' ')}")
        if mode == "messages":
            await self._speak(part["data"])

    async def _speak(self, data: Any) -> None:
        event, meta = data
        if not isinstance(event, dict):
            return
        found = cast("dict[str, Any]", event)
        delta = found.get("delta")
        if found.get("event") == "content-block-delta" and isinstance(delta, dict):
            said = cast("dict[str, Any]", delta)
            if said.get("type") == "text-delta" and said.get("text"):
                await self._say_on(str(meta.get("run_id", "")), str(said["text"]))

    async def _say_on(self, call: str, text: str) -> None:
        name = self._names.setdefault(call, f"message_{len(self._names) + 1}")
        try:
            await self._run.delta(name, text)
        except PayloadRefused:
            return  # longer than a streamed message may be; the whole text is in the state


def _frame(mode: str, part: Mapping[str, Any]) -> JsonObject:
    frame: JsonObject = {"ns": list(part.get("ns", ()))}
    data: Any = part["data"]
    if mode == "messages":
        message, meta = data
        frame["data"], frame["meta"] = to_json(message), to_json(_shown_meta(meta))
    else:
        frame["data"] = to_json(data)
    if part.get("interrupts"):
        waiting: list[Json] = [show_interrupt(each) for each in part["interrupts"]]
        frame["interrupts"] = waiting
    return frame


def _shown_meta(meta: Mapping[str, Any]) -> dict[str, Any]:
    """What a message comes with, without what is for LangGraph itself."""
    return {key: value for key, value in meta.items() if not key.startswith("__")}
