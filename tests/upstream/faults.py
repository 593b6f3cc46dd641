"""From a request and a line of the script to the steps that are played: each fault is one small pure function."""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from . import chat, embeddings, messages, responses
from .schema import find_forced_tool, find_schema, following, violating
from .script import STATUSES, Fault, Received, Reply, ToolCall, Wire
from .steps import Close, Drip, Frames, Repeat, Send, Step, Wait
from .writing import LAST_CHUNK, chunked, head, to_json


class Dialect(Protocol):
    """How one wire format writes an answer; each module of a dialect is one."""

    def whole(self, received: Received, reply: Reply) -> Wire:
        """The body."""
        ...

    def empty(self, received: Received, reply: Reply) -> Wire:
        """The body without any content."""
        ...

    def frames(self, received: Received, reply: Reply) -> Frames:
        """The stream."""
        ...

    def empty_frames(self, received: Received, reply: Reply) -> Frames:
        """The stream without any content."""
        ...

    def error(self, status: int, message: str, kind: str) -> Wire:
        """The error object."""
        ...

    def error_frame(self, error: Wire) -> bytes:
        """The error inside a stream."""
        ...


def compose(received: Received, line: Reply | Fault) -> tuple[Step, ...]:
    """What to play for one request."""
    reply = line if isinstance(line, Reply) else Reply(fault=line)
    dialect = _find_dialect(received.path)
    if dialect is None:
        return _refusal(404, {"error": {"message": f"no route {received.path}", "type": "invalid_request_error"}})
    if received.path.endswith("/count_tokens"):
        return _refusal(200, messages.count(received))
    reply = _shaped(received, reply)
    return (Wait(reply.delay), *_answer(dialect, received, reply))


def _find_dialect(path: str) -> Dialect | None:
    by_path: dict[str, Dialect] = {
        "/chat/completions": chat,
        "/responses": responses,
        "/embeddings": embeddings,
        "/messages": messages,
        "/messages/count_tokens": messages,
    }
    plain = path.partition("?")[0]
    return next((dialect for ending, dialect in by_path.items() if plain.endswith(ending)), None)


def _shaped(received: Received, reply: Reply) -> Reply:
    """The reply with content for the schema of the request, when it asks for that."""
    if reply.data is None:
        return reply
    make: Callable[[Wire], object] = following if reply.data == "follow" else violating
    if forced := find_forced_tool(received.wire):
        name, schema = forced
        return replace(reply, tool_calls=(ToolCall(name, _text(make(schema))),))
    schema = find_schema(received.wire)
    assert schema is not None, "the script wants data for a schema, and the request has none"
    return replace(reply, text=_text(make(schema)))


def _text(value: object) -> str:
    return to_json({"v": value})[5:-1].decode()


def _answer(dialect: Dialect, received: Received, reply: Reply) -> tuple[Step, ...]:
    fault = reply.fault
    if fault and fault in STATUSES:
        return _status(dialect, STATUSES[fault], reply)
    if fault in _INSTEAD:
        return _INSTEAD[fault]
    if fault is Fault.HTML:
        page = b"<!doctype html><html><body><h1>502 Bad Gateway</h1></body></html>"
        return (Send(_head_for(page, {"content-type": "text/html", **reply.headers}) + page),)
    if received.is_streamed:
        return _streamed(dialect, received, reply)
    return _whole(dialect, received, reply)


def _status(dialect: Dialect, status: int, reply: Reply) -> tuple[Step, ...]:
    waits = (
        {"retry-after": str(reply.retry_after)} if status in (429, 503, 529) and reply.retry_after is not None else {}
    )
    error = dialect.error(status, f"scripted failure {status}", str(reply.fault))
    return _refusal(status, error, {**waits, **reply.headers})


def _refusal(status: int, wire: Wire, headers: dict[str, str] | None = None) -> tuple[Step, ...]:
    body = to_json(wire)
    fields = {"content-type": "application/json", "content-length": str(len(body)), **(headers or {})}
    return (Send(head(status, fields) + body),)


_INSTEAD: dict[Fault | None, tuple[Step, ...]] = {
    Fault.HANG: (Wait(),),
    Fault.RESET: (Close(by_reset=True),),
    Fault.GARBAGE: (Send(random.Random(7).randbytes(400)), Close()),
    Fault.ENDLESS_HEADER: (Send(b"HTTP/1.1 200 OK\r\n"), Repeat(b"x-filler: " + b"a" * 1000 + b"\r\n")),
}
"""The faults that need nothing of the answer."""


def _head_for(body: bytes, headers: dict[str, str]) -> bytes:
    return head(200, {"content-type": "application/json", "content-length": str(len(body)), **headers})


def _whole(dialect: Dialect, received: Received, reply: Reply) -> tuple[Step, ...]:
    body = to_json(dialect.whole(received, reply))
    headers = dict(reply.headers)
    opening, middle = Send(_head_for(body, headers)), len(body) // 2
    first = Send(body[:middle], is_piece=True)
    match reply.fault:
        case Fault.HANG_AFTER_HEADERS:
            return opening, Wait()
        case Fault.STALL:
            return opening, first, Wait()
        case Fault.RESET_MIDWAY:
            return opening, first, Close(by_reset=True)
        case Fault.CUT | Fault.NO_END:
            return opening, first, Close()
        case Fault.LENGTH_TOO_LONG:
            return Send(_head_for(body, {**headers, "content-length": str(len(body) + 100)}) + body), Close()
        case Fault.LENGTH_TOO_SHORT:
            return (Send(_head_for(body, {**headers, "content-length": str(middle)}) + body),)
        case Fault.DRIP:
            return (Drip(opening.data + body, reply.pause),)
        case Fault.CLOSED_IDLE:
            return opening, Send(body, is_piece=True), Close()
        case _:
            pass
    body = _spoiled(dialect, received, reply, body)
    return Send(_head_for(body, headers)), Send(body, is_piece=True)


def _spoiled(dialect: Dialect, received: Received, reply: Reply, body: bytes) -> bytes:
    """The body after the faults that leave HTTP in order."""
    match reply.fault:
        case Fault.GARBAGE_BODY:
            return random.Random(7).randbytes(400)
        case Fault.ERROR_IN_STREAM:
            return to_json(dialect.error(500, "scripted failure inside an answer", "error"))
        case Fault.EMPTY_CHOICES:
            return to_json(dialect.empty(received, reply))
        case Fault.TRUNCATED_JSON:
            return body[: len(body) // 2]
        case _:
            return body


def _streamed(dialect: Dialect, received: Received, reply: Reply) -> tuple[Step, ...]:
    frames = dialect.frames(received, reply)
    opening = Send(head(200, _stream_headers(reply)))
    done = Send(LAST_CHUNK)
    before = _framed(replace(frames, pieces=frames.pieces[: reply.fault_after], closing=(), end=b""), reply.pause)
    match reply.fault:
        case Fault.HANG_AFTER_HEADERS:
            return opening, Wait()
        case Fault.STALL:
            return opening, *before, Wait()
        case Fault.RESET_MIDWAY:
            return opening, *before, Close(by_reset=True)
        case Fault.CUT | Fault.LENGTH_TOO_LONG | Fault.LENGTH_TOO_SHORT:
            return opening, *before, Close()
        case Fault.NO_END:
            return opening, *_framed(replace(frames, end=b""), reply.pause), done
        case Fault.GARBAGE_BODY:
            return opening, Send(chunked(random.Random(7).randbytes(400))), done
        case Fault.ERROR_IN_STREAM:
            error = dialect.error(500, "scripted failure inside a stream", "error")
            return opening, *before, Send(chunked(dialect.error_frame(error))), done
        case Fault.EMPTY_CHOICES:
            return opening, *_framed(dialect.empty_frames(received, reply), reply.pause), done
        case Fault.TRUNCATED_JSON:
            broken = frames.pieces[reply.fault_after % len(frames.pieces)]
            return (
                opening,
                *before,
                Send(chunked(broken[: len(broken) // 2] + b"\n\n")),
                Send(chunked(frames.end)),
                done,
            )
        case Fault.DRIP:
            return opening, Drip(chunked(b"".join(frames.all)), reply.pause), done
        case Fault.CLOSED_IDLE:
            return opening, *_framed(frames, reply.pause), done, Close()
        case _:
            return opening, *_framed(frames, reply.pause), done


def _stream_headers(reply: Reply) -> dict[str, str]:
    ours = {"content-type": "text/event-stream", "cache-control": "no-cache", "transfer-encoding": "chunked"}
    return {**ours, **reply.headers}


def _framed(frames: Frames, pause: float) -> tuple[Step, ...]:
    steps: list[Step] = [Send(chunked(event)) for event in frames.opening]
    for event in frames.pieces:
        steps += [Send(chunked(event), is_piece=True), Wait(pause)] if pause else [Send(chunked(event), is_piece=True)]
    steps += [Send(chunked(event)) for event in (*frames.closing, frames.end) if event]
    return tuple(steps)
