"""Deltas to a stream of the responses dialect.

Each item of the output opens, grows and closes with events of its own, and each lifecycle event
carries the whole response as it then stands. Calls of tools stay open beside one another until
something else is said, because their pieces may come interleaved.
"""

from collections.abc import Mapping
from typing import Any

from mainspring.foundation.errors import MainspringError
from mainspring.inference.gateway.providers.wire import Wire, to_json
from mainspring.inference.messages import (
    Delta,
    Extra,
    Finished,
    OpaqueDelta,
    OpaquePart,
    ReasoningDelta,
    Started,
    TextDelta,
    ToolCallDelta,
    Usage,
    UsageUpdate,
)

from .refusals import encode_error
from .replies import (
    close,
    encode_usage,
    head_of,
    item_id,
    logprobs_of,
    message_item,
    own_item,
    reasoning_item,
    text_part,
)


class _Item:
    """An item that is still growing; `kind` is `msg`, `rs` or `fc`."""

    def __init__(self, kind: str, id_: str, place: int) -> None:
        self.kind, self.id, self.place = kind, id_, place
        self.pieces: list[str] = []
        self.logprobs: list[Any] = []
        self.seal: str | None = None
        self.call_id = self.name = ""

    def wire(self, status: str) -> Wire:
        text = "".join(self.pieces)
        if self.kind == "rs":
            return reasoning_item(self.id, text, self.seal)
        if self.kind == "msg":
            return message_item(self.id, text, logprobs=self.logprobs, status=status)
        call = {"type": "function_call", "call_id": self.call_id, "name": self.name, "arguments": text}
        return {"id": self.id, **call, "status": status}


class StreamWriter:
    """Writes one stream as server-sent events: `write` every delta; `Finished` also closes it.

    echo   the caller's body, whose settings are said again in the response
    """

    def __init__(self, *, created: int, echo: Mapping[str, Any] | None = None) -> None:
        self._created, self._echo = created, echo
        self._head = head_of("", "", created, echo)
        self._usage = Usage()
        self._number = 0
        self._output: list[Wire] = []
        self._open: _Item | None = None
        self._calls: dict[int, _Item] = {}
        self._places = 0

    def write(self, delta: Delta) -> bytes:
        """The events of one delta; empty for a delta that has none here."""
        match delta:
            case Started():
                self._head = head_of(delta.id, delta.model, self._created, self._echo)
                opened = self._event("response.created", {"response": self._head})
                return opened + self._event("response.in_progress", {"response": self._head})
            case UsageUpdate():
                self._usage = delta.usage
                return b""
            case TextDelta():
                return self._say(delta.text)
            case ReasoningDelta():
                return self._think(delta)
            case ToolCallDelta():
                return self._call(delta)
            case OpaqueDelta():
                return self._beside(delta.extra)
            case Finished():
                return self._leave() + self._end(delta)

    def fail(self, error: MainspringError) -> bytes:
        """The end of a stream that failed: what was said so far, unfinished, and why.

        Clients that look at the last state read `response.failed`; those that iterate raise at `error`.
        """
        items = [*([self._open] if self._open else []), *self._calls.values()]
        output = [*self._output, *(item.wire("incomplete") for item in items)]
        said: Wire = encode_error(error)["error"]
        state = {"status": "failed", "error": {"code": _code_of(said), "message": said["message"]}, "output": output}
        return self._event("response.failed", {"response": self._head | state}) + error_event(error)

    def _say(self, text: str) -> bytes:
        opened = b""
        if self._open is None or self._open.kind != "msg":
            opened = self._leave() + self._enter("msg")
            opened += self._grow("response.content_part.added", {"content_index": 0, "part": text_part("", [])})
        if not text:
            return opened
        self._item.pieces.append(text)
        growth = {"content_index": 0, "delta": text, "logprobs": []}
        return opened + self._grow("response.output_text.delta", growth)

    def _think(self, delta: ReasoningDelta) -> bytes:
        opened = b""
        if self._open is None or self._open.kind != "rs":
            opened = self._leave() + self._enter("rs")
        if delta.text:
            if not self._item.pieces:
                part = {"type": "summary_text", "text": ""}
                opened += self._grow("response.reasoning_summary_part.added", {"summary_index": 0, "part": part})
            self._item.pieces.append(delta.text)
            growth = {"summary_index": 0, "delta": delta.text}
            opened += self._grow("response.reasoning_summary_text.delta", growth)
        if delta.signature is None:
            return opened
        self._item.seal = delta.signature
        return opened + self._leave()

    def _call(self, delta: ToolCallDelta) -> bytes:
        written = b""
        if delta.index not in self._calls:
            written = self._leave_open()
            item = self._calls[delta.index] = self._new("fc")
            item.call_id, item.name = delta.id, delta.name
            written += self._added(item)
        item = self._calls[delta.index]
        if delta.arguments:
            item.pieces.append(delta.arguments)
            written += self._event("response.function_call_arguments.delta", _at(item) | {"delta": delta.arguments})
        return written

    def _beside(self, extra: Extra) -> bytes:
        item = own_item(extra, item_id("rs", self._head["id"], self._places))
        if item is not None:
            left = self._leave()
            place = {"output_index": self._places, "item": item}
            self._places += 1
            self._output.append(item)
            added = self._event("response.output_item.added", place)
            return left + added + self._event("response.output_item.done", place)
        if self._open is not None and self._open.kind == "msg":
            self._open.logprobs += logprobs_of((OpaquePart(extra),))
        return b""

    @property
    def _item(self) -> _Item:
        assert self._open is not None, "an item was entered before it grows"
        return self._open

    def _new(self, kind: str) -> _Item:
        place, self._places = self._places, self._places + 1
        return _Item(kind, item_id(kind, self._head["id"], place), place)

    def _enter(self, kind: str) -> bytes:
        self._open = self._new(kind)
        return self._added(self._open)

    def _added(self, item: _Item) -> bytes:
        fields = {"output_index": item.place, "item": item.wire("in_progress")}
        return self._event("response.output_item.added", fields)

    def _leave(self) -> bytes:
        calls, self._calls = self._calls, {}
        return self._leave_open() + b"".join(self._done(item) for item in calls.values())

    def _leave_open(self) -> bytes:
        item, self._open = self._open, None
        return self._done(item) if item else b""

    def _done(self, item: _Item) -> bytes:
        text, at, wire = "".join(item.pieces), _at(item), item.wire("completed")
        ended = b""
        if item.kind == "fc":
            fields = {"name": item.name, "arguments": text}
            ended = self._event("response.function_call_arguments.done", at | fields)
        elif item.kind == "msg":
            fields = {"content_index": 0, "text": text, "logprobs": item.logprobs}
            ended = self._event("response.output_text.done", at | fields)
            part = {"content_index": 0, "part": text_part(text, item.logprobs)}
            ended += self._event("response.content_part.done", at | part)
        elif item.pieces:
            ended = self._event("response.reasoning_summary_text.done", at | {"summary_index": 0, "text": text})
            part = {"summary_index": 0, "part": {"type": "summary_text", "text": text}}
            ended += self._event("response.reasoning_summary_part.done", at | part)
        self._output.append(wire)
        return ended + self._event("response.output_item.done", {"output_index": item.place, "item": wire})

    def _end(self, finished: Finished) -> bytes:
        response = close(self._head, finished.reason, self._output) | {"usage": encode_usage(self._usage)}
        return self._event(f"response.{response['status']}", {"response": response})

    def _grow(self, kind: str, fields: Wire) -> bytes:
        return self._event(kind, _at(self._item) | fields)

    def _event(self, kind: str, fields: Wire) -> bytes:
        number, self._number = self._number, self._number + 1
        return event({"type": kind, "sequence_number": number, **fields})


def event(wire: Wire) -> bytes:
    """One event of the stream; its name is said twice."""
    return b"event: " + str(wire["type"]).encode() + b"\ndata: " + to_json(wire) + b"\n\n"


def error_event(error: MainspringError) -> bytes:
    """The end of a stream that failed, for one that no writer wrote: OpenAI's clients raise it."""
    said: Wire = encode_error(error)["error"]
    flat = {name: said[name] for name in ("code", "message", "param")}
    return event({"type": "error", **flat, "sequence_number": 0, "error": said})


def _at(item: _Item) -> Wire:
    return {"item_id": item.id, "output_index": item.place}


def _code_of(said: Wire) -> str:
    """The few codes that a failed response may have."""
    if said["type"] in ("rate_limit_error", "insufficient_quota"):
        return "rate_limit_exceeded"
    return "invalid_prompt" if said["type"] == "invalid_request_error" else "server_error"
