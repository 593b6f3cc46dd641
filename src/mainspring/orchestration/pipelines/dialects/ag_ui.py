"""AG-UI: the turns of a run as events that `@ag-ui/client` accepts, in the order that its verifier asks for.

The run's steps are the state: a snapshot of it first, then JSON Patches. A text that is dropped is closed, and a
snapshot of the messages without it follows, as the protocol has no other way to take something back.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

import msgspec

from mainspring.orchestration.pipelines.types import RunEvent

from .retelling import Retelling
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

Shown = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Conversation:
    """What the run answers: its thread and id as the frontend named them, and the messages it holds already.

    None for the run's own id; `messages` as AG-UI writes them
    """

    thread: str | None = None
    run: str | None = None
    messages: Sequence[Shown] = ()


class AgUi:
    """Hears the events of one run in order, from its beginning; gives events of AG-UI as JSON values."""

    def __init__(self, conversation: Conversation | None = None) -> None:
        self._conversation = conversation or Conversation()
        self._retelling = Retelling()
        self._messages: list[dict[str, object]] = [dict(each) for each in self._conversation.messages]
        self._places: dict[str, int] = {}
        self._has_state = False
        self._names: dict[str, str] = {}

    def hear(self, event: RunEvent) -> Iterator[Shown]:
        """What to send for it; nothing for some events."""
        for turn in self._retelling.hear(event):
            for shown in self._tell(turn):
                yield {**shown, "timestamp": int(event.at.timestamp() * 1000)}

    def _tell(self, turn: Turn) -> Iterator[Shown]:
        match turn:
            case RunBegan(run):
                self._names = {
                    "threadId": self._conversation.thread or run,
                    "runId": self._conversation.run or run,
                }
                yield {"type": "RUN_STARTED", **self._names}
            case RunShown(facts):
                steps = [str(step["name"]) for step in _steps_of(facts)]
                self._places = {name: place for place, name in enumerate(steps)}
                self._has_state = True
                yield {"type": "STATE_SNAPSHOT", "snapshot": {"run": facts}}
            case StepShown(name, facts):
                if self._has_state:
                    yield self._patch(name, facts)
            case StepBegan(name):
                yield {"type": "STEP_STARTED", "stepName": name}
            case StepEnded(name):
                yield {"type": "STEP_FINISHED", "stepName": name}
            case TextBegan() | TextGrew() | TextEnded() | TextDropped():
                yield from self._tell_text(turn)
            case ToolCalled() | ToolAnswered():
                yield from self._tell_tool(turn)
            case Told(name, facts):
                yield {"type": "CUSTOM", "name": f"mainspring.{name}", "value": facts}
            case RunEnded(status):
                if self._has_state:
                    yield {"type": "STATE_DELTA", "delta": [{"op": "replace", "path": "/run/status", "value": status}]}
                yield self._end(turn)
            case _:
                assert_never(turn)

    def _tell_text(self, turn: TextBegan | TextGrew | TextEnded | TextDropped) -> Iterator[Shown]:
        name = self._name(turn.message)
        match turn:
            case TextBegan():
                self._messages.append({"id": name, "role": "assistant", "content": ""})
                yield {"type": "TEXT_MESSAGE_START", "messageId": name, "role": "assistant"}
            case TextGrew(_, delta):
                message = next(each for each in reversed(self._messages) if each["id"] == name)
                message["content"] = f"{message['content']}{delta}"
                yield {"type": "TEXT_MESSAGE_CONTENT", "messageId": name, "delta": delta}
            case TextEnded():
                yield {"type": "TEXT_MESSAGE_END", "messageId": name}
            case TextDropped():
                self._messages = [each for each in self._messages if each["id"] != name]
                yield {"type": "TEXT_MESSAGE_END", "messageId": name}
                yield {"type": "MESSAGES_SNAPSHOT", "messages": [dict(each) for each in self._messages]}

    def _tell_tool(self, turn: ToolCalled | ToolAnswered) -> Iterator[Shown]:
        match turn:
            case ToolCalled(call, tool, arguments):
                text = _as_text({} if arguments is None else arguments)
                function = {"name": tool, "arguments": text}
                calls = [{"id": call, "type": "function", "function": function}]
                self._messages.append({"id": self._name(call), "role": "assistant", "toolCalls": calls})
                parent = {"parentMessageId": self._name(call)}
                yield {"type": "TOOL_CALL_START", "toolCallId": call, "toolCallName": tool, **parent}
                yield {"type": "TOOL_CALL_ARGS", "toolCallId": call, "delta": text}
                yield {"type": "TOOL_CALL_END", "toolCallId": call}
            case ToolAnswered(call, output, _):
                result = {"toolCallId": call, "content": _as_text(output)}
                self._messages.append({"id": self._name(f"{call}/result"), "role": "tool", **result})
                name = self._name(f"{call}/result")
                yield {"type": "TOOL_CALL_RESULT", "messageId": name, "role": "tool", **result}

    def _patch(self, name: str, facts: Shown) -> Shown:
        place = self._places.get(name)
        if place is None:
            place, self._places[name] = len(self._places), len(self._places)
            change = {"op": "add", "path": "/run/steps/-", "value": facts}
        else:
            change = {"op": "replace", "path": f"/run/steps/{place}", "value": facts}
        return {"type": "STATE_DELTA", "delta": [change]}

    def _end(self, turn: RunEnded) -> Shown:
        if turn.status == "succeeded":
            return {"type": "RUN_FINISHED", **self._names, "result": {"status": turn.status, "text": turn.text}}
        return {"type": "RUN_ERROR", "message": turn.text or turn.status, "code": turn.code or turn.status}

    def _name(self, message: str) -> str:
        """Unique in the thread, where other runs may use the same names."""
        return f"{self._names['runId']}/{message}"


def _steps_of(facts: Shown) -> Sequence[Shown]:
    steps = facts["steps"]
    assert isinstance(steps, list)
    return steps  # pyright: ignore[reportUnknownVariableType] - made by Retelling


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def frame(shown: Shown, event: str | None = None) -> bytes:
    """One frame of a stream of server-sent events; `event` is the id that a client may resume with."""
    return (f"id: {event}\n" if event else "").encode() + b"data: " + msgspec.json.encode(shown) + b"\n\n"
