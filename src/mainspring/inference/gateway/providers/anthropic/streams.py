"""Streams of the Anthropic dialect, read into deltas.

Content comes in numbered blocks that open, grow and close. Blocks without a word in the normal
form are gathered and handed on whole when they close. Usage comes twice, and the later figures
replace the earlier ones.
"""

from typing import Any

from mainspring.inference.gateway.errors import StreamBroken
from mainspring.inference.gateway.providers.sse import ServerEvent
from mainspring.inference.gateway.providers.wire import Wire, misshapen_is, read_object, rest
from mainspring.inference.messages import (
    Delta,
    Extra,
    Finished,
    OpaqueDelta,
    ReasoningDelta,
    Started,
    TextDelta,
    ToolCallDelta,
    UsageUpdate,
)

from .failures import failure_in_stream
from .parts import DIALECT
from .responses import decode_reason, decode_usage


class StreamReader:
    """Reads one stream: `feed` every event, then `end`."""

    def __init__(self) -> None:
        self._usage: Wire = {}
        self._tools: dict[int, int] = {}
        self._opaque: dict[int, Wire] = {}
        self._input: dict[int, str] = {}
        self._reason: str | None = None
        self._extra: dict[str, Any] = {}

    @misshapen_is(StreamBroken, "The model's stream does not have the shape of its dialect; try again.")
    def feed(self, event: ServerEvent) -> list[Delta]:
        """The deltas of one event; raises the mapped error when the event is one."""
        wire = read_object(event.data)
        match wire:
            case None:
                raise StreamBroken("The model's stream holds something that is not JSON; try again.")
            case {"type": "error"}:
                raise failure_in_stream(wire.get("error"))
            case {"type": "message_start", "message": dict(message)}:
                started = Started(str(message.get("id") or ""), str(message.get("model") or ""))
                return [started, *self._count(_of_input(message.get("usage")))]
            case {"type": "content_block_start", "index": int(index), "content_block": dict(block)}:
                return self._open(index, block)
            case {"type": "content_block_delta", "index": int(index), "delta": dict(delta)}:
                return self._grow(index, delta)
            case {"type": "content_block_stop", "index": int(index)} if index in self._opaque:
                return [OpaqueDelta(Extra(DIALECT, self._close(index)))]
            case {"type": "message_delta"}:
                return self._finish(wire)
            case _:
                return []

    def end(self) -> list[Delta]:
        """The closing delta; StreamBroken when the stream stopped before the model did."""
        if self._reason is None:
            raise StreamBroken("The model's stream ended before the reply did; try again.")
        return [Finished(decode_reason(self._reason), Extra(DIALECT, self._extra) if self._extra else None)]

    def _open(self, index: int, block: Wire) -> list[Delta]:
        match block:
            case {"type": "text"}:
                return [TextDelta(str(block["text"]))] if block.get("text") else []
            case {"type": "thinking"}:
                return [ReasoningDelta(str(block["thinking"]))] if block.get("thinking") else []
            case {"type": "tool_use"}:
                self._tools[index] = len(self._tools)
                return [ToolCallDelta(self._tools[index], str(block.get("id") or ""), str(block.get("name") or ""))]
            case _:
                self._opaque[index] = block
                return []

    def _grow(self, index: int, delta: Wire) -> list[Delta]:
        match delta:
            case {"type": "text_delta", "text": str(text)}:
                return [TextDelta(text)]
            case {"type": "thinking_delta", "thinking": str(text)}:
                return [ReasoningDelta(text)]
            case {"type": "signature_delta", "signature": str(signature)}:
                return [ReasoningDelta("", signature)]
            case {"type": "input_json_delta", "partial_json": str(piece)} if index in self._tools:
                return [ToolCallDelta(self._tools[index], arguments=piece)] if piece else []
            case {"type": "input_json_delta", "partial_json": str(piece)}:
                self._input[index] = self._input.get(index, "") + piece
            case {"type": "citations_delta", "citation": citation}:
                self._extra.setdefault("citations", []).append(citation)
            case _:
                pass  # a kind of growth that came after this was written
        return []

    def _close(self, index: int) -> Wire:
        block = self._opaque.pop(index)
        if index in self._input:
            block["input"] = read_object(self._input.pop(index)) or {}
        return block

    def _finish(self, wire: Wire) -> list[Delta]:
        delta: Wire = wire.get("delta") or {}
        self._reason = str(delta.get("stop_reason") or "") or self._reason
        unknown = rest(DIALECT, delta, ("stop_reason",))
        self._extra |= unknown.fields if unknown else {}
        return self._count(wire.get("usage"))

    def _count(self, usage: object) -> list[Delta]:
        if not isinstance(usage, dict):
            return []
        self._usage |= {name: value for name, value in usage.items() if value is not None}
        return [UsageUpdate(decode_usage(self._usage))]


def _of_input(usage: object) -> Wire | None:
    """The opening's counts without its output, a mere placeholder: taken for a count, it would bill cut-off replies."""
    return {**usage, "output_tokens": 0} if isinstance(usage, dict) else None
