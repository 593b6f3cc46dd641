"""Streams of Bedrock's Converse, read into deltas.

Content comes in numbered blocks. Only tools announce theirs: text and thought just begin. Blocks
without a word in the normal form are gathered and handed on whole when they close. The count comes
last of all, after the reason, so the reader holds `Finished` back until the stream ends.
"""

from base64 import b64decode, b64encode
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
from .media import DIALECT
from .responses import decode_reason, decode_usage, keep_reason
from .tools import REPLY_TOOL

_PADDING = "p"  # random letters that hide an event's length


class StreamReader:
    """Reads one stream: `feed` every event, then `end`."""

    def __init__(self) -> None:
        self._tools: dict[int, int] = {}
        self._replies: set[int] = set()
        self._opaque: dict[int, Wire] = {}
        self._pieces: dict[int, list[Any]] = {}
        self._reason: str | None = None
        self._extra: dict[str, Any] = {}

    @misshapen_is(StreamBroken, "The model's stream does not have the shape of its dialect; try again.")
    def feed(self, event: ServerEvent) -> list[Delta]:
        """The deltas of one event; raises the mapped error when the event is one."""
        if event.type.endswith(("Exception", "Error")) or event.type == "error":
            raise failure_in_stream(event.type, event.data)
        wire = read_object(event.data)
        if wire is None:
            raise StreamBroken("The model's stream holds something that is not JSON; try again.")
        match event.type:
            case "contentBlockDelta":
                return self._grow(int(wire["contentBlockIndex"]), wire["delta"])
            case "contentBlockStart":
                return self._open(int(wire["contentBlockIndex"]), wire.get("start") or {})
            case "contentBlockStop":
                return self._close(int(wire["contentBlockIndex"]))
            case "messageStart":
                return [Started("", "")]
            case "messageStop":
                self._reason = str(wire["stopReason"])
                return self._keep(wire, "stopReason")
            case "metadata":
                return self._count(wire)
            case _:
                return []  # a kind of event that came after this was written

    def end(self) -> list[Delta]:
        """The closing delta; StreamBroken when the stream stopped before the model did."""
        if self._reason is None:
            raise StreamBroken("The model's stream ended before the reply did; try again.")
        extra = self._extra | keep_reason(self._reason)
        is_reply_called = bool(self._replies) and not self._tools
        reason = decode_reason(self._reason, is_reply_called=is_reply_called)
        return [Finished(reason, Extra(DIALECT, extra) if extra else None)]

    def _open(self, index: int, start: Wire) -> list[Delta]:
        match start:
            case {"toolUse": {"name": name}} if name == REPLY_TOOL:
                self._replies.add(index)
            case {"toolUse": dict(call)} if "type" not in call:
                self._tools[index] = len(self._tools)
                return [ToolCallDelta(self._tools[index], str(call["toolUseId"]), str(call["name"]))]
            case _:
                self._opaque[index] = start
        return []

    def _grow(self, index: int, delta: Wire) -> list[Delta]:
        match delta:
            case {"text": str(text)}:
                return [TextDelta(text)] if text else []
            case {"reasoningContent": {"text": str(text)}}:
                return [ReasoningDelta(text)] if text else []
            case {"reasoningContent": {"signature": str(signature)}}:
                return [ReasoningDelta("", signature)]
            case {"toolUse": {"input": str(piece)}} if index in self._replies:
                return [TextDelta(piece)] if piece else []
            case {"toolUse": {"input": str(piece)}} if index in self._tools:
                return [ToolCallDelta(self._tools[index], arguments=piece)] if piece else []
            case {"citation": citation}:
                self._extra.setdefault("citations", []).append(citation)
            case _:
                self._pieces.setdefault(index, []).append(delta)
        return []

    def _close(self, index: int) -> list[Delta]:
        pieces, opened = self._pieces.pop(index, []), self._opaque.pop(index, None)
        whole = _assemble(opened, pieces)
        return [OpaqueDelta(Extra(DIALECT, whole))] if whole else []

    def _count(self, wire: Wire) -> list[Delta]:
        self._keep(wire, "usage")
        usage: object = wire.get("usage")
        return [UsageUpdate(decode_usage(usage))] if isinstance(usage, dict) else []

    def _keep(self, wire: Wire, known: str) -> list[Delta]:
        unknown = rest(DIALECT, wire, (known, _PADDING))
        self._extra |= unknown.fields if unknown else {}
        return []


def _assemble(opened: Wire | None, pieces: list[Wire]) -> Wire | None:
    """A gathered block as it would stand in a full reply; None when there is none."""
    redacted = [piece["reasoningContent"]["redactedContent"] for piece in pieces if "reasoningContent" in piece]
    if redacted:
        sealed = b"".join(b64decode(piece, validate=True) for piece in redacted)
        return {"reasoningContent": {"redactedContent": b64encode(sealed).decode()}}
    match opened:
        case {"toolUse": dict(call)}:
            text = "".join(piece["toolUse"]["input"] for piece in pieces)
            return {"toolUse": {**call, "input": read_object(text) or {}}}
        case {"toolResult": dict(result)}:
            content = [block for piece in pieces for block in piece["toolResult"]]
            return {"toolResult": {**result, "content": content}}
        case {"image": dict(image)}:
            return {"image": {**image, **{name: value for piece in pieces for name, value in piece["image"].items()}}}
        case _:
            return opened
