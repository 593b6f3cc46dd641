"""Streams of the responses dialect, read into deltas."""

from typing import Any

from mainspring.inference.gateway.errors import StreamBroken
from mainspring.inference.gateway.providers.openai import failure_in_stream
from mainspring.inference.gateway.providers.sse import ServerEvent
from mainspring.inference.gateway.providers.wire import Wire, misshapen_is, read_object
from mainspring.inference.messages import (
    Delta,
    Extra,
    Finished,
    FinishReason,
    OpaqueDelta,
    ReasoningDelta,
    Started,
    TextDelta,
    ToolCallDelta,
    UsageUpdate,
)

from .parts import DIALECT
from .replies import beside, decode_reason, decode_usage

_SAID = ("message", "function_call", "reasoning")


class StreamReader:
    """Reads one stream: `feed` every event, then `end`."""

    def __init__(self) -> None:
        self._started = False
        self._refused = False
        self._calls: dict[int, int] = {}
        self._reason: FinishReason | None = None
        self._summaries: set[tuple[Any, Any]] = set()

    @misshapen_is(StreamBroken, "The model's stream does not have the shape of its dialect; try again.")
    def feed(self, event: ServerEvent) -> list[Delta]:
        """The deltas of one event; raises the mapped error when the event is one."""
        wire = read_object(event.data)
        if wire is None:
            raise StreamBroken("The model's stream holds something that is not JSON; try again.")
        match wire:
            case {"type": "error"}:
                raise failure_in_stream(wire.get("error") or wire)
            case {"type": "response.failed", "response": dict(response)}:
                raise failure_in_stream(response.get("error"))
            case {"type": "response.created" | "response.in_progress", "response": dict(response)}:
                return self._start(response)
            case {"type": "response.completed" | "response.incomplete", "response": dict(response)}:
                return self._finish(response)
            case {"delta": str(piece), "type": str(kind)}:
                return self._grow(kind, piece, wire)
            case {"type": "response.output_item.added", "item": {"type": "function_call"} as item}:
                index = self._calls[wire["output_index"]] = len(self._calls)
                return [ToolCallDelta(index, str(item["call_id"]), str(item["name"]))]
            case {"type": "response.output_item.done", "item": dict(item)}:
                return self._done(item)
            case _:
                return []

    def end(self) -> list[Delta]:
        """The closing delta; StreamBroken when the stream stopped before the model did."""
        if self._reason is None:
            raise StreamBroken("The model's stream ended before the reply did; try again.")
        return [Finished(self._reason)]

    def _start(self, response: Wire) -> list[Delta]:
        if self._started:
            return []
        self._started = True
        return [Started(str(response.get("id", "")), str(response.get("model", "")))]

    def _grow(self, kind: str, piece: str, wire: Wire) -> list[Delta]:
        match kind:
            case "response.output_text.delta":
                logprobs = wire.get("logprobs")
                return [TextDelta(piece), *([OpaqueDelta(beside(logprobs))] if logprobs else [])]
            case "response.refusal.delta":
                self._refused = True
                return [TextDelta(piece)]
            case "response.function_call_arguments.delta":
                return [ToolCallDelta(self._calls[wire["output_index"]], arguments=piece)]
            case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta":
                return [ReasoningDelta(self._paragraph(wire) + piece)]
            case _:
                return []

    def _paragraph(self, wire: Wire) -> str:
        """What separates a summary from the one before it in the same item."""
        item, place = wire.get("output_index"), wire.get("summary_index", wire.get("content_index"))
        is_later = (item, place) not in self._summaries and any(item == other for other, _ in self._summaries)
        self._summaries.add((item, place))
        return "\n\n" if is_later else ""

    def _done(self, item: Wire) -> list[Delta]:
        match item:
            case {"type": "reasoning", "encrypted_content": str(seal)}:
                return [ReasoningDelta("", seal)]
            case {"type": str(kind)} if kind not in _SAID:
                return [OpaqueDelta(Extra(DIALECT, item))]
            case _:
                return []

    def _finish(self, response: Wire) -> list[Delta]:
        self._reason = decode_reason(response, calls=bool(self._calls), refused=self._refused)
        usage: object = response.get("usage")
        return [UsageUpdate(decode_usage(usage))] if isinstance(usage, dict) else []
