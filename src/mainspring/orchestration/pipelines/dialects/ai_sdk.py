"""Vercel AI SDK: the turns of a run as the parts of one UI message (the stream protocol that calls itself v1).

Steps are `data-step` parts that replace one another by their id, since the protocol's own steps cannot run side by
side. A text cannot be taken back either: one that is dropped ends with `providerMetadata.mainspring.superseded`, for
the frontend to leave out. Tools ran here, so a call says `providerExecuted`, and no frontend runs it again.
"""

from collections.abc import Iterator, Mapping
from typing import assert_never

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

HEADERS = {"x-vercel-ai-ui-message-stream": "v1"}
"""What a response in this dialect must carry."""

DONE = b"data: [DONE]\n\n"
"""The last frame."""

_SUPERSEDED = {"mainspring": {"superseded": True}}


class AiSdk:
    """Hears the events of one run in order, from its beginning; gives chunks of the UI message stream.

    message   id of the message that they make; None for the run's own id
    """

    def __init__(self, message: str | None = None) -> None:
        self._message = message
        self._retelling = Retelling()

    def hear(self, event: RunEvent) -> Iterator[Shown]:
        """What to send for it; nothing for some events."""
        for turn in self._retelling.hear(event):
            yield from self._tell(turn)

    def _tell(self, turn: Turn) -> Iterator[Shown]:
        match turn:
            case RunBegan(run):
                yield {"type": "start", "messageId": self._message or run, "messageMetadata": {"run": run}}
            case RunShown(facts):
                yield {
                    "type": "data-run",
                    "id": "run",
                    "data": {name: facts[name] for name in facts if name != "steps"},
                }
                steps = facts["steps"]
                assert isinstance(steps, list)
                for step in steps:  # pyright: ignore[reportUnknownVariableType] - made by Retelling
                    yield {"type": "data-step", "id": step["name"], "data": step}
            case StepShown(name, facts):
                yield {"type": "data-step", "id": name, "data": facts}
            case StepBegan() | StepEnded():
                return
            case TextBegan() | TextGrew() | TextEnded() | TextDropped():
                yield _tell_text(turn)
            case ToolCalled() | ToolAnswered():
                yield _tell_tool(turn)
            case Told(name, facts, key):
                shown: Shown = {"type": f"data-{name.replace('.', '-')}", "data": facts}
                yield {**shown, "id": key} if key else shown
            case RunEnded():
                yield from _end(turn)
            case _:
                assert_never(turn)


def _tell_text(turn: TextBegan | TextGrew | TextEnded | TextDropped) -> Shown:
    match turn:
        case TextBegan(message):
            return {"type": "text-start", "id": message}
        case TextGrew(message, delta):
            return {"type": "text-delta", "id": message, "delta": delta}
        case TextEnded(message):
            return {"type": "text-end", "id": message}
        case TextDropped(message):
            return {"type": "text-end", "id": message, "providerMetadata": _SUPERSEDED}


def _tell_tool(turn: ToolCalled | ToolAnswered) -> Shown:
    ran_here = {"dynamic": True, "providerExecuted": True}
    match turn:
        case ToolCalled(call, tool, arguments):
            made = {"toolCallId": call, "toolName": tool, "input": {} if arguments is None else arguments}
            return {"type": "tool-input-available", **made, **ran_here}
        case ToolAnswered(call, output, is_error):
            if is_error:
                return {"type": "tool-output-error", "toolCallId": call, "errorText": str(output), **ran_here}
            return {"type": "tool-output-available", "toolCallId": call, "output": output, **ran_here}


def _end(turn: RunEnded) -> Iterator[Shown]:
    yield {"type": "data-run", "id": "run", "data": {"status": turn.status, "text": turn.text, "code": turn.code}}
    match turn.status:
        case "succeeded":
            yield {"type": "finish", "finishReason": "stop"}
        case "cancelled":
            yield {"type": "abort", "reason": turn.text or "The run was cancelled."}
        case _:
            yield {"type": "error", "errorText": turn.text or "The run failed."}
            yield {"type": "finish", "finishReason": "error"}
