"""Streams of the Gemini dialect, read into deltas.

Every event is a whole response with the parts that are new; calls come in one piece. Nothing
marks the end but the reason, which the last event of a whole stream carries.
"""

from typing import Any

from mainspring.inference.gateway.errors import StreamBroken
from mainspring.inference.gateway.providers.sse import ServerEvent
from mainspring.inference.gateway.providers.wire import Wire, as_list, misshapen_is, read_object
from mainspring.inference.messages import (
    Delta,
    Extra,
    Finished,
    OpaqueDelta,
    ReasoningDelta,
    ReasoningPart,
    Started,
    TextDelta,
    TextPart,
    ToolCallDelta,
    ToolCallPart,
    UsageUpdate,
)

from .failures import failure_in_stream
from .parts import DIALECT, CallIds, decode_part, split_seal
from .responses import decode_reason, decode_usage, keep_reason, kept_of, refusal_in, unread_in


class StreamReader:
    """Reads one stream: `feed` every event, then `end`."""

    def __init__(self) -> None:
        self._ids: CallIds | None = None
        self._calls = 0
        self._has_content = False
        self._usage: Wire = {}
        self._reason: str | None = None
        self._kept: dict[str, Any] = {}

    @misshapen_is(StreamBroken, "The model's stream does not have the shape of its dialect; try again.")
    def feed(self, event: ServerEvent) -> list[Delta]:
        """The deltas of one event; raises the mapped error when the event is one, or says the prompt was blocked."""
        wire = read_object(event.data)
        if wire is None:
            raise StreamBroken("The model's stream holds something that is not JSON; try again.")
        if wire.get("error"):
            raise failure_in_stream(wire["error"])
        match wire.get("candidates"):
            case [dict() as candidate, *_] if candidate.get("index", 0) == 0:
                return [*self._start(wire), *self._grow(wire, candidate), *self._count(wire)]
            case _:
                if refusal := refusal_in(wire):
                    raise refusal
                self._keep(kept_of(wire, {}))
                return [*self._start(wire), *self._count(wire)]

    def end(self) -> list[Delta]:
        """The closing delta; StreamBroken when the stream stopped before the model did."""
        if self._reason is None:
            raise StreamBroken("The model's stream ended before the reply did; try again.")
        reason = decode_reason(self._reason, has_calls=self._calls > 0)
        kept = keep_reason(self._kept, self._reason, reason)
        return [Finished(reason, Extra(DIALECT, kept) if kept else None)]

    def _start(self, wire: Wire) -> list[Delta]:
        if self._ids is not None:
            return []
        id_ = str(wire.get("responseId") or "")
        self._ids = CallIds(id_)
        return [Started(id_, str(wire.get("modelVersion") or ""))]

    def _grow(self, wire: Wire, candidate: Wire) -> list[Delta]:
        content: Wire = candidate.get("content") or {}
        deltas = [delta for part in as_list(content.get("parts"), dict) for delta in self._part(part)]
        self._has_content = self._has_content or bool(deltas)
        self._keep(kept_of(wire, candidate))
        if reason := candidate.get("finishReason"):
            self._reason = str(reason)
            unread = None if self._has_content else unread_in(self._reason, candidate)
            if unread:
                raise unread
        return deltas

    def _part(self, wire: Wire) -> list[Delta]:
        if _is_piece(wire):
            raise StreamBroken("The model's stream holds a tool call in pieces; ask for whole calls.")
        signature, bare = split_seal(wire)
        sealed: list[Delta] = [ReasoningDelta("", signature)] if signature else []
        if not bare or bare == {"text": ""}:
            return sealed
        match decode_part(bare, self._ids or CallIds()):
            case TextPart(text=text):
                return [*sealed, TextDelta(text)]
            case ReasoningPart(text=text, signature=own):
                return [ReasoningDelta(text, own)]
            case ToolCallPart() as call:
                self._calls += 1
                return [*sealed, ToolCallDelta(self._calls - 1, call.id, call.name, call.arguments)]
            case _:
                return [*sealed, OpaqueDelta(Extra(DIALECT, bare))]

    def _keep(self, kept: Wire) -> None:
        candidate = {**self._kept.get("candidate", {}), **kept.pop("candidate", {})}
        self._kept |= kept
        if candidate:
            self._kept["candidate"] = candidate

    def _count(self, wire: Wire) -> list[Delta]:
        usage: object = wire.get("usageMetadata")
        if not isinstance(usage, dict):
            return []
        self._usage |= {name: value for name, value in usage.items() if value is not None}
        return [UsageUpdate(decode_usage(self._usage))]


def _is_piece(wire: Wire) -> bool:
    call: object = wire.get("functionCall")
    return isinstance(call, dict) and bool(call.get("partialArgs") or call.get("willContinue"))
