"""Deltas to a stream of Bedrock's Converse, in its frames; what a scripted Bedrock answers with."""

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

from .frames import encode_event, encode_exception
from .responses import encode_reason, encode_usage


class StreamWriter:
    """Writes one stream: `write` every delta; `Finished` also closes it."""

    def __init__(self) -> None:
        self._usage = Usage()
        self._block = -1
        self._open: str | None = None
        self._waiting: dict[int, list[ToolCallDelta]] = {}

    def write(self, delta: Delta) -> bytes:
        """The frames of one delta; empty for a delta that has none here."""
        match delta:
            case Started():
                return _event("messageStart", {"role": "assistant"})
            case TextDelta():
                return self._grow("text", {"text": delta.text})
            case ReasoningDelta():
                return self._think(delta)
            case ToolCallDelta():
                return self._call(delta)
            case OpaqueDelta(extra=Extra(dialect="bedrock", fields={"reasoningContent": dict(sealed)})):
                return self._leave() + self._grow("sealed", {"reasoningContent": sealed}) + self._leave()
            case OpaqueDelta():
                return b""
            case UsageUpdate():
                self._usage = delta.usage
                return b""
            case Finished():
                return self._leave() + self._end(delta)

    def fail(self, error: MainspringError) -> bytes:
        """The end of a stream that failed."""
        return encode_exception("modelStreamErrorException", error.detail)

    def _think(self, delta: ReasoningDelta) -> bytes:
        grown = self._grow("thought", {"reasoningContent": {"text": delta.text}}) if delta.text else b""
        if delta.signature is None:
            return grown
        sealed = self._grow("thought", {"reasoningContent": {"signature": delta.signature}})
        return grown + sealed + self._leave()

    def _call(self, delta: ToolCallDelta) -> bytes:
        key, opened = f"tool {delta.index}", b""
        if self._open is not None and self._open.startswith("tool ") and self._open != key:
            self._waiting.setdefault(delta.index, []).append(delta)  # blocks do not interleave here
            return b""
        if self._open != key:
            start = {"toolUse": {"toolUseId": delta.id, "name": delta.name}}
            opened = self._enter(key) + self._event("contentBlockStart", {"start": start})
        return opened + (self._grow(key, {"toolUse": {"input": delta.arguments}}) if delta.arguments else b"")

    def _grow(self, key: str, growth: Wire) -> bytes:
        return self._enter(key) + self._event("contentBlockDelta", {"delta": growth})

    def _enter(self, key: str) -> bytes:
        if self._open == key:
            return b""
        left = self._leave()
        self._open, self._block = key, self._block + 1
        return left

    def _leave(self) -> bytes:
        if self._open is None:
            return b""
        self._open = None
        closed = self._event("contentBlockStop", {})
        waiting, self._waiting = self._waiting, {}
        return closed + b"".join(self._whole_call(waiting[index]) for index in sorted(waiting))

    def _whole_call(self, pieces: list[ToolCallDelta]) -> bytes:
        first, arguments = pieces[0], "".join(piece.arguments for piece in pieces)
        return self._call(ToolCallDelta(first.index, first.id, first.name, arguments)) + self._leave()

    def _event(self, type_: str, wire: Wire) -> bytes:
        return _event(type_, {**wire, "contentBlockIndex": self._block})

    def _end(self, finished: Finished) -> bytes:
        extra = finished.extra.fields if finished.extra and finished.extra.dialect == "bedrock" else {}
        reason = extra.get("stopReason") or encode_reason(finished.reason)
        count = {"usage": encode_usage(self._usage), "metrics": extra.get("metrics") or {"latencyMs": 0}}
        return _event("messageStop", {"stopReason": reason}) + _event("metadata", count)


def _event(type_: str, wire: Wire) -> bytes:
    return encode_event(type_, to_json(wire))
