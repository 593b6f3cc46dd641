"""OpenAI chat completions: the answer whole and as a stream."""

from collections.abc import Iterator
from typing import Any

from .script import Received, Reply, Tokens, Wire
from .steps import Frames
from .writing import sse, to_json


def whole(received: Received, reply: Reply) -> Wire:
    """The body of a chat completion."""
    message: Wire = {"role": "assistant", "content": None if reply.tool_calls else reply.full_text, "refusal": None}
    if reply.reasoning:
        message["reasoning_content"] = reply.reasoning
    if reply.tool_calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in reply.tool_calls
        ]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": reply.ends_with}
    usage = {"usage": show_usage(reply.usage)} if reply.usage else {}
    return {**_head(received, "chat.completion"), "choices": [choice], **usage, **reply.extra}


def empty(received: Received, reply: Reply) -> Wire:
    """A completion without choices."""
    return {**whole(received, reply), "choices": []}


def frames(received: Received, reply: Reply) -> Frames:
    """The same as server-sent events; usage only where it was asked for."""

    def chunk(delta: Wire, finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return sse({**_head(received, "chat.completion.chunk"), "choices": [choice], **reply.extra})

    closing = [chunk({}, reply.ends_with)]
    options: Any = received.wire.get("stream_options")
    if reply.usage and options and options.get("include_usage"):
        told = {**_head(received, "chat.completion.chunk"), "choices": [], "usage": show_usage(reply.usage)}
        closing.append(sse({**told, **reply.extra}))
    return Frames(
        opening=(chunk({"role": "assistant", "content": ""}),),
        pieces=tuple(chunk(delta) for delta in _deltas(reply)),
        closing=tuple(closing),
        end=b"data: [DONE]\n\n",
    )


def empty_frames(received: Received, reply: Reply) -> Frames:
    """A stream whose only chunk has no choices."""
    chunk = sse({**_head(received, "chat.completion.chunk"), "choices": [], **reply.extra})
    return Frames((chunk,), (), (), b"data: [DONE]\n\n")


def error(status: int, message: str, kind: str) -> Wire:
    """OpenAI's error object."""
    code = "context_length_exceeded" if kind == "context_too_long" else None
    kinds = {429: "rate_limit_error", 401: "authentication_error", 400: "invalid_request_error"}
    return {"error": {"message": message, "type": kinds.get(status, "server_error"), "param": None, "code": code}}


def error_frame(error: Wire) -> bytes:
    """An error inside a stream, as OpenAI-compatible servers send it."""
    return b"data: " + to_json(error) + b"\n\n"


def show_usage(tokens: Tokens) -> Wire:
    """Usage in OpenAI's words."""
    return {
        "prompt_tokens": tokens.input,
        "completion_tokens": tokens.output,
        "total_tokens": tokens.input + tokens.output,
        "prompt_tokens_details": {"cached_tokens": tokens.cached},
        "completion_tokens_details": {"reasoning_tokens": tokens.reasoning},
    }


def _head(received: Received, kind: str) -> Wire:
    model = received.model
    return {"id": "chatcmpl-scripted", "object": kind, "created": 1_760_000_000, "model": model}


def _deltas(reply: Reply) -> Iterator[Wire]:
    if reply.reasoning:
        yield {"reasoning_content": reply.reasoning}
    if not reply.tool_calls:
        yield from ({"content": word} for word in reply.words())
    for index, call in enumerate(reply.tool_calls):
        middle = len(call.arguments) // 2
        opened = {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": ""}}
        yield {"tool_calls": [{"index": index, **opened}]}
        for part in (call.arguments[:middle], call.arguments[middle:]):
            yield {"tool_calls": [{"index": index, "function": {"arguments": part}}]}
