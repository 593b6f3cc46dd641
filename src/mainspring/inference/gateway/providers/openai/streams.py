"""Streams of the OpenAI dialect: chunks to deltas and deltas to chunks.

The usage chunk follows the one with the finish reason, and some servers leave out `[DONE]`, so
the reader holds `Finished` back until the stream ends.
"""

from typing import Any

from mainspring.foundation.errors import MainspringError
from mainspring.inference.gateway.errors import StreamBroken
from mainspring.inference.gateway.providers.sse import ServerEvent
from mainspring.inference.gateway.providers.wire import Wire, misshapen_is, read_object, rest, to_json
from mainspring.inference.messages import (
    Delta,
    Extra,
    Finished,
    OpaqueDelta,
    OpaquePart,
    ReasoningDelta,
    ReasoningPart,
    Started,
    TextDelta,
    ToolCallDelta,
    Usage,
    UsageUpdate,
)

from .failures import failure_in_stream
from .parts import DIALECT, encode_thought
from .refusals import error_event
from .responses import decode_reason, decode_usage, encode_reason, encode_usage

_CHUNK_FIELDS = {"id", "object", "created", "model", "choices", "usage", "error", "obfuscation"}
_DELTA_FIELDS = {"role", "content", "refusal", "reasoning_content", "reasoning", "tool_calls"}


class StreamReader:
    """Reads one stream: `feed` every event, then `end`."""

    def __init__(self) -> None:
        self._started = False
        self._refused = False
        self._reason: str | None = None
        self._extra: dict[str, Any] = {}
        self._is_done = False

    @misshapen_is(StreamBroken, "The model's stream does not have the shape of its dialect; try again.")
    def feed(self, event: ServerEvent) -> list[Delta]:
        """The deltas of one event; raises the mapped error when the event is one."""
        if event.data == b"[DONE]":
            self._is_done = True
            return []
        chunk = read_object(event.data)
        if chunk is None:
            raise StreamBroken("The model's stream holds something that is not JSON; try again.")
        if chunk.get("error"):
            raise failure_in_stream(chunk["error"])
        return [*self._start(chunk), *self._choice(chunk), *self._tail(chunk)]

    def end(self) -> list[Delta]:
        """The closing delta; StreamBroken when the stream stopped before the model did."""
        if self._reason is None:
            raise StreamBroken("The model's stream ended before the reply did; try again.")
        reason = decode_reason(self._reason, refused=self._refused)
        return [Finished(reason, Extra(DIALECT, self._extra) if self._extra else None)]

    def _start(self, chunk: Wire) -> list[Delta]:
        if self._started:
            return []
        self._started = True
        return [Started(str(chunk.get("id") or ""), str(chunk.get("model") or ""))]

    def _choice(self, chunk: Wire) -> list[Delta]:
        match chunk.get("choices"):
            case [dict() as choice, *_] if choice.get("index", 0) == 0:
                self._reason = str(choice.get("finish_reason") or "") or self._reason
                delta: Wire = choice.get("delta") or {}
            case _:
                return []
        deltas: list[Delta] = []
        if thought := delta.get("reasoning_content") or delta.get("reasoning"):
            deltas.append(ReasoningDelta(str(thought)))
        if refusal := delta.get("refusal"):
            self._refused = True
            deltas.append(TextDelta(str(refusal)))
        if text := delta.get("content"):
            deltas.append(TextDelta(str(text)))
        deltas += [_call(call, place) for place, call in enumerate(delta.get("tool_calls") or [])]
        if unknown := _unknown(choice, delta):
            deltas.append(OpaqueDelta(Extra(DIALECT, unknown)))
        return deltas

    def _tail(self, chunk: Wire) -> list[Delta]:
        unknown = rest(DIALECT, chunk, _CHUNK_FIELDS)
        self._extra |= unknown.fields if unknown else {}
        usage: object = chunk.get("usage")
        return [UsageUpdate(decode_usage(usage))] if isinstance(usage, dict) else []


def _call(wire: Wire, place: int) -> ToolCallDelta:
    function: Wire = wire.get("function") or {}
    index: object = wire.get("index")
    arguments: object = function.get("arguments") or ""
    return ToolCallDelta(
        index if type(index) is int else place,
        str(wire.get("id") or ""),
        str(function.get("name") or ""),
        arguments if isinstance(arguments, str) else to_json(arguments).decode(),  # some servers send the object
    )


def _unknown(choice: Wire, delta: Wire) -> dict[str, Any]:
    outer = rest(DIALECT, choice, ("index", "delta", "finish_reason"))
    inner = rest(DIALECT, delta, _DELTA_FIELDS)
    found = {"choice": outer and outer.fields, "delta": inner and inner.fields}
    return {name: fields for name, fields in found.items() if fields}


class StreamWriter:
    """Writes one stream as server-sent events: `write` every delta; `Finished` also closes it."""

    def __init__(self, *, created: int, include_usage: bool = True) -> None:
        self._head: Wire = {"id": "", "object": "chat.completion.chunk", "created": created, "model": ""}
        self._include_usage = include_usage
        self._thought = ""
        self._usage = Usage()

    def write(self, delta: Delta) -> bytes:
        """The events of one delta; empty for a delta that has none here."""
        match delta:
            case Started():
                self._head |= {"id": delta.id, "model": delta.model}
                return self._chunk({"role": "assistant", "content": ""})
            case TextDelta():
                return self._chunk({"content": delta.text})
            case ReasoningDelta():
                return self._think(delta)
            case ToolCallDelta():
                return self._chunk({"tool_calls": [_encode_call(delta)]})
            case OpaqueDelta(extra=Extra(dialect="openai", fields=fields)):
                return self._chunk(fields.get("delta", {}), fields.get("choice", {}))
            case OpaqueDelta():
                blocks = encode_thought(OpaquePart(delta.extra))
                return self._chunk({"thinking_blocks": blocks}) if blocks else b""
            case UsageUpdate():
                self._usage = delta.usage
                return b""
            case Finished():
                return self._close(delta)

    def fail(self, error: MainspringError) -> bytes:
        """The end of a stream that failed."""
        return error_event(error)

    def _think(self, delta: ReasoningDelta) -> bytes:
        said = self._chunk({"reasoning_content": delta.text}) if delta.text else b""
        self._thought += delta.text
        if delta.signature is None:
            return said
        blocks = encode_thought(ReasoningPart(self._thought, delta.signature))
        self._thought = ""
        return said + self._chunk({"thinking_blocks": blocks})

    def _close(self, finished: Finished) -> bytes:
        if finished.extra and finished.extra.dialect == DIALECT:
            self._head |= finished.extra.fields
        last = self._chunk({}, {"finish_reason": encode_reason(finished.reason)})
        if self._include_usage:
            last += _event({**self._head, "choices": [], "usage": encode_usage(self._usage)})
        return last + b"data: [DONE]\n\n"

    def _chunk(self, delta: Wire, choice: Wire | None = None) -> bytes:
        choices = [{"index": 0, "delta": delta, "finish_reason": None, **(choice or {})}]
        return _event({**self._head, "choices": choices})


def _encode_call(delta: ToolCallDelta) -> Wire:
    function: Wire = {"arguments": delta.arguments}
    if not delta.id and not delta.name:
        return {"index": delta.index, "function": function}
    return {"index": delta.index, "id": delta.id, "type": "function", "function": {"name": delta.name, **function}}


def _event(wire: Wire) -> bytes:
    return b"data: " + to_json(wire) + b"\n\n"
