"""Deltas to a stream of the Anthropic dialect."""

from mainspring.foundation.errors import MainspringError
from mainspring.inference.gateway.providers.wire import Wire, to_json
from mainspring.inference.messages import (
    Delta,
    Extra,
    Finished,
    OpaqueDelta,
    ReasoningDelta,
    Started,
    TextDelta,
    ToolCallDelta,
    Usage,
    UsageUpdate,
)

from .refusals import error_event
from .responses import encode_reason, encode_usage

_EMPTY: dict[str, Wire] = {
    "text": {"type": "text", "text": ""},
    "thinking": {"type": "thinking", "thinking": "", "signature": ""},
}


class StreamWriter:
    """Writes one stream as server-sent events: `write` every delta; `Finished` also closes it.

    The opening event carries the input's usage, so it waits for the delta after `Started`. Blocks
    follow one another here, while calls of tools may come interleaved: one is passed on as it
    grows, the others wait until it is over.
    """

    def __init__(self) -> None:
        self._started: Started | None = None
        self._usage = Usage()
        self._block = -1
        self._open: str | None = None
        self._waiting: dict[int, list[ToolCallDelta]] = {}

    def write(self, delta: Delta) -> bytes:
        """The events of one delta; empty for a delta that has none here."""
        match delta:
            case Started():
                self._started = delta
                return b""
            case UsageUpdate():
                self._usage = delta.usage
                return self._begin()
            case TextDelta():
                return self._begin() + self._grow("text", {"type": "text_delta", "text": delta.text})
            case ReasoningDelta():
                return self._begin() + self._think(delta)
            case ToolCallDelta():
                return self._begin() + self._call(delta)
            case OpaqueDelta(extra=Extra(dialect="anthropic", fields=fields)):
                return self._begin() + self._enter("opaque", dict(fields)) + self._leave()
            case OpaqueDelta():
                return b""
            case Finished():
                return self._begin() + self._leave() + self._end(delta)

    def fail(self, error: MainspringError) -> bytes:
        """The end of a stream that failed."""
        return error_event(error)

    def _begin(self) -> bytes:
        if self._started is None:
            return b""
        message = {
            "id": self._started.id,
            "type": "message",
            "role": "assistant",
            "model": self._started.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": encode_usage(self._usage),
        }
        self._started = None
        return _event({"type": "message_start", "message": message})

    def _think(self, delta: ReasoningDelta) -> bytes:
        grown = self._grow("thinking", {"type": "thinking_delta", "thinking": delta.text}) if delta.text else b""
        if delta.signature is None:
            return grown
        return grown + self._grow("thinking", {"type": "signature_delta", "signature": delta.signature}) + self._leave()

    def _call(self, delta: ToolCallDelta) -> bytes:
        key, opened = f"tool {delta.index}", b""
        if self._open is not None and self._open.startswith("tool ") and self._open != key:
            self._waiting.setdefault(delta.index, []).append(delta)
            return b""
        if self._open != key:
            opened = self._enter(key, {"type": "tool_use", "id": delta.id, "name": delta.name, "input": {}})
        if not delta.arguments:
            return opened
        return opened + self._grow(key, {"type": "input_json_delta", "partial_json": delta.arguments})

    def _grow(self, key: str, growth: Wire) -> bytes:
        opened = b"" if self._open == key else self._enter(key, _EMPTY[key])
        return opened + _event({"type": "content_block_delta", "index": self._block, "delta": growth})

    def _enter(self, key: str, block: Wire) -> bytes:
        left = self._leave()
        self._open, self._block = key, self._block + 1
        return left + _event({"type": "content_block_start", "index": self._block, "content_block": block})

    def _leave(self) -> bytes:
        if self._open is None:
            return b""
        self._open = None
        closed = _event({"type": "content_block_stop", "index": self._block})
        waiting, self._waiting = self._waiting, {}
        return closed + b"".join(self._whole_call(pieces) for _, pieces in sorted(waiting.items()))

    def _whole_call(self, pieces: list[ToolCallDelta]) -> bytes:
        first, arguments = pieces[0], "".join(piece.arguments for piece in pieces)
        return self._call(ToolCallDelta(first.index, first.id, first.name, arguments)) + self._leave()

    def _end(self, finished: Finished) -> bytes:
        extra = finished.extra.fields if finished.extra else {}
        sequence = extra.get("stop_sequence")
        delta = {"stop_reason": encode_reason(finished.reason, sequence), "stop_sequence": sequence}
        last = {"type": "message_delta", "delta": delta, "usage": encode_usage(self._usage)}
        return _event(last) + _event({"type": "message_stop"})


def _event(wire: Wire) -> bytes:
    return b"event: " + str(wire["type"]).encode() + b"\ndata: " + to_json(wire) + b"\n\n"
