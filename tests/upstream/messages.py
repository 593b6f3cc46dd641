"""Anthropic messages: the answer whole and as a stream, and the count of tokens."""

import json
from collections.abc import Iterator

from .script import Received, Reply, Wire
from .steps import Frames
from .writing import sse

_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}
_ERRORS = {429: "rate_limit_error", 401: "authentication_error", 400: "invalid_request_error", 529: "overloaded_error"}


def whole(received: Received, reply: Reply) -> Wire:
    """The body of a message."""
    blocks = [block for block, _ in _blocks(reply)]
    usage = {"usage": _usage(reply)} if reply.usage else {}
    return {**_head(received), "content": blocks, "stop_reason": _REASONS[reply.ends_with], **usage, **reply.extra}


def empty(received: Received, reply: Reply) -> Wire:
    """A message without content."""
    return {**whole(received, reply), "content": []}


def frames(received: Received, reply: Reply) -> Frames:
    """The same as server-sent events."""
    started = {**_head(received), "content": [], "usage": {**_usage(reply), "output_tokens": 1}, **reply.extra}
    pieces: list[bytes] = []
    for index, (block, deltas) in enumerate(_blocks(reply)):
        pieces.append(_event("content_block_start", index=index, content_block=_emptied(block)))
        pieces += [_event("content_block_delta", index=index, delta=delta) for delta in deltas]
        pieces.append(_event("content_block_stop", index=index))
    ended = {"stop_reason": _REASONS[reply.ends_with], "stop_sequence": None}
    usage = {"usage": {"output_tokens": reply.usage.output}} if reply.usage else {}
    return Frames(
        opening=(_event("message_start", message=started), _event("ping")),
        pieces=tuple(pieces),
        closing=(_event("message_delta", delta=ended, **usage),),
        end=_event("message_stop"),
    )


def empty_frames(received: Received, reply: Reply) -> Frames:
    """A stream without a block."""
    full = frames(received, reply)
    return Frames(full.opening, (), full.closing, full.end)


def error(status: int, message: str, kind: str) -> Wire:
    """Anthropic's error object."""
    said = "prompt is too long: 250000 tokens > 200000 maximum" if kind == "context_too_long" else message
    return {"type": "error", "error": {"type": _ERRORS.get(status, "api_error"), "message": said}}


def error_frame(error: Wire) -> bytes:
    """An error inside a stream."""
    return sse(error, "error")


def count(received: Received) -> Wire:
    """How many words the request has, as its count of tokens."""
    return {"input_tokens": len(received.body.split())}


def _event(kind: str, **fields: object) -> bytes:
    return sse({"type": kind, **fields}, kind)


def _head(received: Received) -> Wire:
    head: Wire = {"id": "msg_scripted", "type": "message", "role": "assistant", "model": received.model}
    return {**head, "stop_reason": None, "stop_sequence": None}


def _usage(reply: Reply) -> Wire:
    if reply.usage is None:
        return {}
    tokens = reply.usage
    cached = {"cache_read_input_tokens": tokens.cached, "cache_creation_input_tokens": 0}
    return {"input_tokens": tokens.input - tokens.cached, **cached, "output_tokens": tokens.output}


def _blocks(reply: Reply) -> Iterator[tuple[Wire, list[Wire]]]:
    """Each block whole, and its deltas."""
    if reply.reasoning:
        block = {"type": "thinking", "thinking": reply.reasoning, "signature": "c2NyaXB0ZWQ="}
        signature = {"type": "signature_delta", "signature": "c2NyaXB0ZWQ="}
        yield block, [{"type": "thinking_delta", "thinking": reply.reasoning}, signature]
    if not reply.tool_calls:
        deltas: list[Wire] = [{"type": "text_delta", "text": word} for word in reply.words()]
        yield {"type": "text", "text": reply.full_text}, deltas
    for call in reply.tool_calls:
        middle = len(call.arguments) // 2
        parts = (call.arguments[:middle], call.arguments[middle:])
        deltas = [{"type": "input_json_delta", "partial_json": part} for part in parts]
        yield {"type": "tool_use", "id": call.id, "name": call.name, "input": _parsed(call.arguments)}, deltas


def _emptied(block: Wire) -> Wire:
    content: Wire = {"text": {"text": ""}, "thinking": {"thinking": "", "signature": ""}, "tool_use": {"input": {}}}
    return {**block, **content[block["type"]]}


def _parsed(arguments: str) -> object:
    """Anthropic sends arguments as an object; what is none goes out as the text that it is."""
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments
