"""Replies of the Anthropic dialect, to the normal form and back.

Its `input_tokens` leave out what was read from or written to the cache; the normal form counts
all input in one figure.
"""

from collections.abc import Mapping
from typing import Any

from mainspring.inference.gateway.errors import InvalidOutput
from mainspring.inference.gateway.providers.wire import Wire, count, misshapen_is, put_back, rest
from mainspring.inference.messages import Completion, FinishReason, Message, Role, Usage

from .parts import DIALECT, decode_blocks, encode_reply_block

_REASONS = {
    "end_turn": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "tool_use": FinishReason.TOOL_CALLS,
    "refusal": FinishReason.REFUSED,
    "pause_turn": FinishReason.PAUSED,
}
_NAMES = {
    FinishReason.STOP: "end_turn",
    FinishReason.LENGTH: "max_tokens",
    FinishReason.TOOL_CALLS: "tool_use",
    FinishReason.REFUSED: "refusal",
    FinishReason.FILTERED: "refusal",
    FinishReason.PAUSED: "pause_turn",
}


def decode_reason(reason: str | None) -> FinishReason:
    """Why the model stopped."""
    return _REASONS.get(reason or "", FinishReason.OTHER)


def encode_reason(reason: FinishReason, stop_sequence: str | None) -> str:
    """The dialect's word; a stop at one of the caller's sequences has its own."""
    if reason is FinishReason.STOP and stop_sequence:
        return "stop_sequence"
    return _NAMES.get(reason, "end_turn")


def decode_usage(wire: Wire) -> Usage:
    """Token counts, the cached ones added to the input."""
    read, written = count(wire.get("cache_read_input_tokens")), count(wire.get("cache_creation_input_tokens"))
    details: Wire = wire.get("output_tokens_details") or {}
    return Usage(
        input_tokens=count(wire.get("input_tokens")) + read + written,
        output_tokens=count(wire.get("output_tokens")),
        cached_tokens=read,
        cache_write_tokens=written,
        reasoning_tokens=count(details.get("thinking_tokens")),
    )


def encode_usage(usage: Usage) -> Wire:
    """Token counts as this dialect has them."""
    return {
        "input_tokens": max(0, usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens),
        "output_tokens": usage.output_tokens,
        "cache_read_input_tokens": usage.cached_tokens,
        "cache_creation_input_tokens": usage.cache_write_tokens,
    }


@misshapen_is(InvalidOutput, "The provider's reply does not have the shape of its dialect; try again.")
def decode_completion(wire: Wire) -> Completion:
    """The reply in a message."""
    known = ("id", "type", "role", "model", "content", "stop_reason", "usage")
    return Completion(
        message=Message(Role.ASSISTANT, tuple(decode_blocks(wire.get("content")))),
        finish_reason=decode_reason(wire.get("stop_reason")),
        usage=decode_usage(wire.get("usage") or {}),
        model=str(wire.get("model") or ""),
        id=str(wire.get("id") or ""),
        extra=rest(DIALECT, wire, known),
    )


def encode_completion(completion: Completion) -> Wire:
    """A message."""
    extra: Mapping[str, Any] = completion.extra.fields if completion.extra else {}
    wire: Wire = {
        "id": completion.id,
        "type": "message",
        "role": "assistant",
        "model": completion.model,
        "content": [block for part in completion.message.parts for block in encode_reply_block(part)],
        "stop_reason": encode_reason(completion.finish_reason, extra.get("stop_sequence")),
        "stop_sequence": None,
        "usage": encode_usage(completion.usage),
    }
    return put_back(DIALECT, wire, completion.extra)
