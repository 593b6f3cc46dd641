"""What an agent's run told while it acted: one part of LangGraph's stream each, read from the run's story.

The runtime emits parts under the name of their stream mode; every protocol of this room is made from them.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from mainspring.orchestration.agents.runtime import FrameJoiner
from mainspring.orchestration.agents.types import Json, JsonObject
from mainspring.orchestration.pipelines.types import EventId, EventType, RunEvent

_WITHOUT_FRAME = {"metadata", "end"}


@dataclass(frozen=True, slots=True)
class Emission:
    """One part of a run's stream.

    mode        `values`, `updates`, `messages`, `custom`, `tasks`, `checkpoints`, `tools`, `metadata`, `end`, ...
    namespace   the graph inside the graph that it is about; empty for the graph itself
    about       of a message: where it comes from
    interrupts  that wait since this part, each `{"id", "value"}`
    place       where it stands in the run's story
    is_omitted  it was too large to be told; the thread's state has it
    """

    mode: str
    namespace: tuple[str, ...]
    data: Json
    place: EventId
    at: datetime
    about: JsonObject | None = None
    interrupts: tuple[JsonObject, ...] = ()
    is_omitted: bool = False


class Emissions:
    """Reads the emissions of one run, in order; a part that was told in pieces comes with its last one."""

    def __init__(self) -> None:
        self._joiner = FrameJoiner()

    def read(self, event: RunEvent) -> Emission | None:
        """The emission in an event; None for pieces before the last, and for the other events of a run."""
        if event.type is not EventType.STEP_EMITTED:
            return None
        told = cast("JsonObject", event.facts.get("data") or {})
        mode = str(event.facts.get("name", ""))
        if mode in _WITHOUT_FRAME:
            return Emission(mode, (), told, event.id, event.at)
        frame = self._joiner.add(told)
        return None if frame is None else _read_frame(mode, frame, event)


def _read_frame(mode: str, frame: JsonObject, event: RunEvent) -> Emission:
    namespace, about, interrupts = frame.get("ns"), frame.get("meta"), frame.get("interrupts")
    waiting = interrupts if isinstance(interrupts, list) else []
    return Emission(
        mode=mode,
        namespace=tuple(str(each) for each in namespace) if isinstance(namespace, list) else (),
        data=frame.get("data"),
        place=event.id,
        at=event.at,
        about=about if isinstance(about, dict) else None,
        interrupts=tuple(each for each in waiting if isinstance(each, dict)),
        is_omitted=bool(frame.get("omitted")),
    )
