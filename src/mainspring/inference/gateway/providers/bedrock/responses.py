"""Replies of Bedrock's Converse, to the normal form and back.

Its `inputTokens` leave out what was read from or written to the cache; the normal form counts all
input in one figure. A reply says neither its id nor its model: both stay empty, unless a prompt
router tells whom it chose.
"""

from typing import Any

from mainspring.inference.gateway.errors import InvalidOutput
from mainspring.inference.gateway.providers.wire import Wire, as_list, count, misshapen_is, put_back, rest
from mainspring.inference.messages import (
    Completion,
    Extra,
    FinishReason,
    Message,
    Part,
    Role,
    TextPart,
    ToolCallPart,
    Usage,
)

from .media import DIALECT
from .parts import decode_block, encode_block
from .tools import REPLY_TOOL

_REASONS = {
    "end_turn": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "tool_use": FinishReason.TOOL_CALLS,
    "guardrail_intervened": FinishReason.FILTERED,
    "content_filtered": FinishReason.FILTERED,
    "refusal": FinishReason.REFUSED,
}
_NAMES = {
    FinishReason.LENGTH: "max_tokens",
    FinishReason.TOOL_CALLS: "tool_use",
    FinishReason.REFUSED: "content_filtered",
    FinishReason.FILTERED: "content_filtered",
}
_COUNTS = ("inputTokens", "outputTokens", "totalTokens", "cacheReadInputTokens", "cacheWriteInputTokens")


def decode_reason(reason: object, *, is_reply_called: bool) -> FinishReason:
    """Why the model stopped; a call of the reply's own tool, and of no other, is the end of the reply."""
    found = _REASONS.get(str(reason), FinishReason.OTHER)
    return FinishReason.STOP if is_reply_called and found is FinishReason.TOOL_CALLS else found


def encode_reason(reason: FinishReason) -> str:
    """The dialect's word; what it has no word for is `end_turn`."""
    return _NAMES.get(reason, "end_turn")


def keep_reason(reason: object) -> Wire:
    """The dialect's own word, where the normal form says less."""
    word = str(reason or "")
    is_same = _REASONS.get(word) is not None and encode_reason(_REASONS[word]) == word
    return {} if is_same or not word else {"stopReason": word}


def decode_usage(wire: Wire) -> Usage:
    """Token counts, the cached ones added to the input."""
    read, written = count(wire.get("cacheReadInputTokens")), count(wire.get("cacheWriteInputTokens"))
    return Usage(
        input_tokens=count(wire.get("inputTokens")) + read + written,
        output_tokens=count(wire.get("outputTokens")),
        cached_tokens=read,
        cache_write_tokens=written,
        extra=rest(DIALECT, wire, _COUNTS),
    )


def encode_usage(usage: Usage) -> Wire:
    """Token counts as this dialect has them."""
    wire = {
        "inputTokens": max(0, usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens),
        "outputTokens": usage.output_tokens,
        "totalTokens": usage.input_tokens + usage.output_tokens,
        "cacheReadInputTokens": usage.cached_tokens,
        "cacheWriteInputTokens": usage.cache_write_tokens,
    }
    return put_back(DIALECT, wire, usage.extra)


def routed_model(trace: Any) -> str:
    """The model a prompt router chose; empty when none routed."""
    match trace:
        case {"promptRouter": {"invokedModelId": str(model)}}:
            return model
        case _:
            return ""


@misshapen_is(InvalidOutput, "The provider's reply does not have the shape of its dialect; try again.")
def decode_completion(wire: Wire) -> Completion:
    """The reply in a response of converse; InvalidOutput when it holds no message."""
    match wire.get("output"):
        case {"message": {"content": list(content)}}:
            parts = [_unwrap(part) for part in as_list(content, decode_block)]
        case _:
            raise InvalidOutput("The model's reply holds no message; try again.")
    reason = wire.get("stopReason")
    is_reply_called = not any(isinstance(part, ToolCallPart) for part in parts) and any(
        _is_reply(block) for block in content
    )
    unknown = rest(DIALECT, wire, ("output", "stopReason", "usage"))
    fields = {**(unknown.fields if unknown else {}), **keep_reason(reason)}
    return Completion(
        message=Message(Role.ASSISTANT, tuple(parts)),
        finish_reason=decode_reason(reason, is_reply_called=is_reply_called),
        usage=decode_usage(wire.get("usage") or {}),
        model=routed_model(wire.get("trace")),
        id="",
        extra=Extra(DIALECT, fields) if fields else None,
    )


def encode_completion(completion: Completion) -> Wire:
    """A response of converse."""
    content = [block for part in completion.message.parts for block in encode_block(part)]
    wire: Wire = {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": encode_reason(completion.finish_reason),
        "usage": encode_usage(completion.usage),
        "metrics": {"latencyMs": 0},
    }
    return put_back(DIALECT, wire, completion.extra)


def _unwrap(part: Part) -> Part:
    """The reply's own tool is no call of the caller's: its arguments are the reply."""
    return TextPart(part.arguments) if isinstance(part, ToolCallPart) and part.name == REPLY_TOOL else part


def _is_reply(block: object) -> bool:
    match block:
        case {"toolUse": {"name": name}}:
            return name == REPLY_TOOL
        case _:
            return False
