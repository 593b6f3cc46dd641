"""What a run tells those who may not know of what it is about: that it goes on and how it ends, nothing of its content.

What a step says, finds or fails of may name or quote its subject. Who may know of a subject is the business of the
room that it belongs to, and asked through `Privacy`. A program that hands in what it may not read still sees whether
that went well.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from mainspring.foundation.principal import Principal

from .types import EventType, Failure, Run, RunEvent

COVERED = "What this run is about is closed to you; ask one of its readers."

_TOLD_TO_ALL = frozenset({EventType.RUN_STARTED, EventType.STEP_STARTED})  # their text is the pipeline's own
_KEPT_BACK = frozenset(
    {EventType.STEP_PROGRESS, EventType.STEP_EMITTED, EventType.MESSAGE_DELTA, EventType.FINDING_ADDED}
)
_KEPT_FACTS = ("step", "steps", "pipeline", "attempt", "status", "code", "item", "total", "failed", "until")


class Privacy(Protocol):
    """Knows which subjects of runs are closed to whom."""

    async def closed_to(self, principal: Principal, subjects: Collection[str]) -> Collection[str]:
        """Those of the subjects that the caller may not know the content of; others are none of its business."""
        ...


class Open:
    """Nothing is closed to anybody in the tenant."""

    async def closed_to(self, principal: Principal, subjects: Collection[str]) -> Collection[str]:
        """None of them."""
        return ()


class JoinedPrivacy:
    """What is closed to a caller by any of several rooms, each of which knows its own subjects."""

    def __init__(self, *parts: Privacy) -> None:
        self._parts = parts

    async def closed_to(self, principal: Principal, subjects: Collection[str]) -> Collection[str]:
        """Those that one of them keeps closed."""
        closed = set[str]()
        for part in self._parts:
            closed.update(await part.closed_to(principal, subjects))
        return closed


def cover(run: Run) -> Run:
    """The run without what was said of its failures, and without what its steps await: a signal's name may tell."""
    steps = tuple(replace(each, error=_covered(each.error), awaited=_vague(each.awaited)) for each in run.steps)
    return replace(run, error=_covered(run.error), steps=steps)


def cover_event(event: RunEvent) -> RunEvent | None:
    """The event without what its subject can be told from; None when nothing is left."""
    if event.type in _KEPT_BACK:
        return None
    if event.type is EventType.SNAPSHOT:
        return replace(event, facts={"run": _cover_shown(event.facts["run"]), "messages": {}})
    facts = {name: event.facts[name] for name in _KEPT_FACTS if name in event.facts}
    facts["text"] = event.facts.get("text", "") if event.type in _TOLD_TO_ALL else COVERED
    if "awaited" in event.facts:
        facts["awaited"] = _vague(str(event.facts["awaited"]))
    if "error" in event.facts:
        facts["error"] = _cover_error(event.facts["error"])
    return replace(event, facts=facts)


def cover_events(events: Iterable[RunEvent]) -> list[RunEvent]:
    """What is left of the events."""
    return [left for event in events if (left := cover_event(event))]


def _vague(awaited: str | None) -> str | None:
    """`signal`, `run` or `time`, without which."""
    return awaited and awaited.partition(":")[0]


def _covered(failure: Failure | None) -> Failure | None:
    return replace(failure, detail=COVERED) if failure else None


def _cover_shown(run: Any) -> Mapping[str, object]:
    """A run as plain values, as `show_run` makes it."""
    steps = [
        {**step, "error": _cover_error(step["error"]), "awaited": _vague(step["awaited"])} for step in run["steps"]
    ]
    return {**run, "steps": steps, "error": _cover_error(run["error"])}


def _cover_error(error: Any) -> Mapping[str, object] | None:
    return {"code": error["code"], "detail": COVERED} if error else None
