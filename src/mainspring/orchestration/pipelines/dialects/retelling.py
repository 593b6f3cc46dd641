"""From the events of a run to turns that a frontend protocol can tell.

Ours can say "replace what you have": a snapshot, a message with `reset`, a step that is attempted again. Frontend
protocols can only go on. So this keeps what was told of each message: new text that continues it is told as the rest,
so that nobody sees anything twice; text that does not continue it drops the message and tells it anew.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from mainspring.foundation.ids import show_id
from mainspring.orchestration.pipelines.types import RUN_PREFIX, EventType, RunEvent

from .emitted import Answered, Called, Said, read_emitted
from .turns import (
    RunBegan,
    RunEnded,
    RunShown,
    StepBegan,
    StepEnded,
    StepShown,
    TextBegan,
    TextDropped,
    TextEnded,
    TextGrew,
    Told,
    ToolAnswered,
    ToolCalled,
    Turn,
)

_ENDED = frozenset({"succeeded", "failed", "cancelled"})
_UNDER_WAY = frozenset({"running", "suspended", "gathering"})
_STATUS = {
    EventType.STEP_STARTED: "running",
    EventType.STEP_RESUMED: "running",
    EventType.STEP_RETRYING: "waiting",
    EventType.STEP_SUSPENDED: "suspended",
    EventType.STEP_FINISHED: "succeeded",
    EventType.STEP_FAILED: "failed",
    EventType.STEP_GATHERED: "succeeded",
}


@dataclass(slots=True)
class _Message:
    """What was told of a message; `name` is new each time that it begins anew."""

    name: str
    step: str | None
    text: str = ""


class Retelling:
    """Hears the events of one run in order, from its beginning, and gives turns."""

    def __init__(self) -> None:
        self._is_begun = False
        self._is_over = False
        self._steps: dict[str, dict[str, object]] = {}
        self._open: dict[str, None] = {}
        self._messages: dict[str, _Message] = {}
        self._times_begun: dict[str, int] = {}
        self._called: set[str] = set()
        self._answered: set[str] = set()

    def hear(self, event: RunEvent) -> Iterator[Turn]:
        """The turns of one event; none after the run has ended."""
        if self._is_over:
            return
        if not self._is_begun:
            self._is_begun = True
            yield RunBegan(show_id(RUN_PREFIX, event.run), event.at)
        match event.type:
            case EventType.RUN_STARTED:
                yield self._start(event)
            case EventType.SNAPSHOT:
                yield from self._take_snapshot(event)
            case EventType.MESSAGE_DELTA:
                yield from self._hear_delta(event.facts)
            case EventType.STEP_EMITTED:
                yield from self._hear_emitted(event.facts)
            case EventType.RUN_FINISHED:
                yield from self._finish(event.facts)
            case _ if event.type in _STATUS:
                yield from self._hear_step(event)
            case _:
                yield _tell(event)

    def _start(self, event: RunEvent) -> Turn:
        for step in _listed(event.facts.get("steps")):
            self._steps.setdefault(str(step["name"]), {**step, "status": "waiting"})
        return RunShown(self._show(event, {"pipeline": event.facts.get("pipeline"), "status": "running"}))

    def _show(self, event: RunEvent, facts: Mapping[str, object]) -> Mapping[str, object]:
        return {"id": show_id(RUN_PREFIX, event.run), **facts, "steps": [dict(step) for step in self._steps.values()]}

    def _take_snapshot(self, event: RunEvent) -> Iterator[Turn]:
        run = cast(Mapping[str, Any], event.facts["run"])
        for step in _listed(run["steps"]):
            self._steps[str(step["name"])] = {key: step.get(key) for key in ("name", "title", "status", "attempt")}
        yield RunShown(self._show(event, {"pipeline": run["pipeline"], "status": run["status"]}))
        for name, step in self._steps.items():
            if step["status"] in _UNDER_WAY:
                yield from self._open_step(name)
            elif step["status"] in _ENDED:
                yield from self._close_step(name)
        for name, text in cast(Mapping[str, str], event.facts["messages"]).items():
            yield from self._replace(name, None, text)

    def _hear_step(self, event: RunEvent) -> Iterator[Turn]:
        facts, name = event.facts, str(event.facts["step"])
        if event.type is EventType.STEP_FAILED and "item" in facts:
            yield _tell(event)  # one item of a fan-out: the step itself goes on
            return
        shown = {key: facts[key] for key in ("text", "attempt", "code", "awaited", "until") if key in facts}
        self._steps[name] = {"name": name, "title": name, **self._steps.get(name, {}), **shown}
        self._steps[name]["status"] = _STATUS[event.type]
        yield StepShown(name, dict(self._steps[name]))
        match event.type:
            case EventType.STEP_STARTED:
                yield from self._drop_texts(name)
                yield from self._open_step(name)
            case EventType.STEP_RETRYING:
                yield from self._drop_texts(name)
                yield from self._end_step(name)
            case EventType.STEP_SUSPENDED:
                yield from self._end_texts(name)
            case EventType.STEP_RESUMED:
                yield from self._open_step(name)
            case _:
                yield from self._close_step(name)

    def _hear_delta(self, facts: Mapping[str, Any]) -> Iterator[Turn]:
        if facts.get("reset"):
            yield from self._replace(facts["message"], facts["step"], facts["delta"])
        else:
            yield from self._grow(facts["message"], facts["step"], facts["delta"])

    def _hear_emitted(self, facts: Mapping[str, Any]) -> Iterator[Turn]:
        words = read_emitted(facts["name"], facts["data"])
        if words is None:
            yield Told("step.emitted", dict(facts))
            return
        for word in words:
            match word:
                case Said(message, text, is_whole):
                    yield from (self._replace if is_whole else self._grow)(message, facts["step"], text)
                case Called(call, tool, arguments):
                    if call not in self._called:
                        self._called.add(call)
                        yield ToolCalled(call, tool, arguments)
                case Answered(call, output, is_error):
                    if call in self._called and call not in self._answered:
                        self._answered.add(call)
                        yield ToolAnswered(call, output, is_error)

    def _finish(self, facts: Mapping[str, Any]) -> Iterator[Turn]:
        self._is_over = True
        for name in tuple(self._messages):
            yield TextEnded(self._messages.pop(name).name)
        for name in tuple(self._open):
            yield from self._end_step(name)
        error = cast(Mapping[str, str] | None, facts.get("error"))
        yield RunEnded(str(facts["status"]), str(facts.get("text", "")), error["code"] if error else None)

    def _grow(self, name: str, step: str | None, delta: str) -> Iterator[Turn]:
        if not delta:
            return
        message = self._messages.get(name)
        if message is None:
            message = self._begin(name, step)
            yield TextBegan(message.name)
        message.step = message.step or step
        message.text += delta
        yield TextGrew(message.name, delta)

    def _replace(self, name: str, step: str | None, text: str) -> Iterator[Turn]:
        """Tell the rest of a text that continues what was told; else drop that and tell all of it."""
        message = self._messages.get(name)
        if message is not None and not text.startswith(message.text):
            yield TextDropped(self._messages.pop(name).name)
            message = None
        yield from self._grow(name, step, text[len(message.text) :] if message else text)

    def _begin(self, name: str, step: str | None) -> _Message:
        times = self._times_begun[name] = self._times_begun.get(name, 0) + 1
        self._messages[name] = _Message(name if times == 1 else f"{name}~{times}", step)
        return self._messages[name]

    def _open_step(self, name: str) -> Iterator[Turn]:
        if name not in self._open:
            self._open[name] = None
            yield StepBegan(name)

    def _close_step(self, name: str) -> Iterator[Turn]:
        yield from self._end_texts(name)
        yield from self._end_step(name)

    def _end_step(self, name: str) -> Iterator[Turn]:
        if name in self._open:
            del self._open[name]
            yield StepEnded(name)

    def _end_texts(self, step: str) -> Iterator[Turn]:
        for name in [name for name, each in self._messages.items() if each.step == step]:
            yield TextEnded(self._messages.pop(name).name)

    def _drop_texts(self, step: str) -> Iterator[Turn]:
        for name in [name for name, each in self._messages.items() if each.step == step]:
            yield TextDropped(self._messages.pop(name).name)


def _tell(event: RunEvent) -> Told:
    key = str(event.facts["step"]) if event.type is EventType.STEP_PROGRESS else None
    return Told(event.type.value, dict(event.facts), key)


def _listed(value: object) -> Sequence[Mapping[str, object]]:
    return cast(Sequence[Mapping[str, object]], value or ())
