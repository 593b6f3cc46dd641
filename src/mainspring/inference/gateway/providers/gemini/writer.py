"""Deltas to a stream of the Gemini dialect.

A call goes out in one piece, so its arguments are gathered until something else comes; a seal is
held back for the part after its thought.
"""

from mainspring.foundation.errors import MainspringError
from mainspring.inference.gateway.providers.wire import Wire, read_object, to_json, unseal, without_nulls
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

from .parts import DIALECT, call_id_on_wire
from .responses import encode_reason, encode_usage


class StreamWriter:
    """Writes one stream as server-sent events: `write` every delta; `Finished` also closes it."""

    def __init__(self) -> None:
        self._head: Wire = {"modelVersion": "", "responseId": ""}
        self._usage = Usage()
        self._held: str | None = None
        self._calls: dict[int, ToolCallDelta] = {}

    def write(self, delta: Delta) -> bytes:
        """The events of one delta; empty for a delta that has none here, or not yet."""
        match delta:
            case Started():
                self._head = {"modelVersion": delta.model, "responseId": delta.id}
                return b""
            case UsageUpdate():
                self._usage = delta.usage
                return b""
            case ToolCallDelta():
                self._gather(delta)
                return b""
            case TextDelta():
                return self._event([*self._whole_calls(), *self._sealed({"text": delta.text})]) if delta.text else b""
            case ReasoningDelta():
                return self._event([*self._whole_calls(), *self._think(delta)])
            case OpaqueDelta(extra=Extra(dialect="gemini", fields=fields)):
                return self._event([*self._whole_calls(), *self._bare(), dict(fields)])
            case OpaqueDelta():
                return b""
            case Finished():
                return self._end(delta)

    def fail(self, error: MainspringError) -> bytes:
        """The end of a stream that failed."""
        status = "UNAVAILABLE" if error.retryable else "INTERNAL"
        return (
            b"data: " + to_json({"error": {"code": error.status, "message": error.detail, "status": status}}) + b"\n\n"
        )

    def _gather(self, delta: ToolCallDelta) -> None:
        call = self._calls.get(delta.index, ToolCallDelta(delta.index))
        self._calls[delta.index] = ToolCallDelta(
            delta.index, call.id or delta.id, call.name or delta.name, call.arguments + delta.arguments
        )

    def _whole_calls(self) -> list[Wire]:
        calls, self._calls = self._calls, {}
        parts: list[Wire] = []
        for call in calls.values():
            wire = {"id": call_id_on_wire(call.id), "name": call.name, "args": read_object(call.arguments) or {}}
            parts += self._sealed({"functionCall": without_nulls(wire)})
        return parts

    def _think(self, delta: ReasoningDelta) -> list[Wire]:
        parts = [*self._bare(), {"text": delta.text, "thought": True}] if delta.text else []
        if signature := unseal(DIALECT, delta.signature):
            parts += self._bare()
            self._held = signature
        return parts

    def _sealed(self, part: Wire) -> list[Wire]:
        held, self._held = self._held, None
        return [{**part, "thoughtSignature": held}] if held else [part]

    def _bare(self) -> list[Wire]:
        return self._sealed({"text": ""}) if self._held else []

    def _end(self, finished: Finished) -> bytes:
        kept: Wire = dict(finished.extra.fields) if finished.extra and finished.extra.dialect == DIALECT else {}
        candidate = {"finishReason": encode_reason(finished.reason), **kept.pop("candidate", {})}
        parts = [*self._whole_calls(), *self._bare()]
        return self._event(parts, candidate, {"usageMetadata": encode_usage(self._usage), **kept})

    def _event(self, parts: list[Wire], candidate: Wire | None = None, more: Wire | None = None) -> bytes:
        if not parts and candidate is None:
            return b""
        content = {"role": "model", "parts": parts}
        wire = {"candidates": [{"content": content, "index": 0, **(candidate or {})}], **(more or {}), **self._head}
        return b"data: " + to_json(wire) + b"\n\n"
