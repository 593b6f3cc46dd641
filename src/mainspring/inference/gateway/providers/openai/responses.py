"""Replies of the OpenAI dialect, to the normal form and back."""

from mainspring.inference.gateway.errors import InvalidOutput
from mainspring.inference.gateway.providers.wire import Wire, count, misshapen_is, put_back, rest, without_nulls
from mainspring.inference.messages import (
    Completion,
    Extra,
    FinishReason,
    Message,
    OpaquePart,
    Part,
    TextPart,
    Usage,
)

from .parts import DIALECT, decode_message, encode_message, encode_thought

_REASONS = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALLS,
    "function_call": FinishReason.TOOL_CALLS,
    "content_filter": FinishReason.FILTERED,
}
_NAMES = {
    FinishReason.LENGTH: "length",
    FinishReason.TOOL_CALLS: "tool_calls",
    FinishReason.FILTERED: "content_filter",
}


def decode_reason(reason: str | None, *, refused: bool = False) -> FinishReason:
    """Why the model stopped; a refusal is told by its own field, not by the reason."""
    return FinishReason.REFUSED if refused else _REASONS.get(reason or "", FinishReason.OTHER)


def encode_reason(reason: FinishReason) -> str:
    """The dialect's word; what it has no word for is `stop`."""
    return _NAMES.get(reason, "stop")


def decode_usage(wire: Wire) -> Usage:
    """Token counts; cached and reasoning tokens are inside the totals here as there."""
    prompt: Wire = wire.get("prompt_tokens_details") or {}
    completion: Wire = wire.get("completion_tokens_details") or {}
    return Usage(
        input_tokens=count(wire.get("prompt_tokens")),
        output_tokens=count(wire.get("completion_tokens")),
        cached_tokens=count(prompt.get("cached_tokens")),
        cache_write_tokens=count(prompt.get("cache_write_tokens")),
        reasoning_tokens=count(completion.get("reasoning_tokens")),
    )


def encode_usage(usage: Usage) -> Wire:
    """Token counts as this dialect has them."""
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }


@misshapen_is(InvalidOutput, "The provider's reply does not have the shape of its dialect; try again.")
def decode_completion(wire: Wire) -> Completion:
    """The reply in a chat.completion; InvalidOutput when it has no choice. Only the first choice is read."""
    choices = wire.get("choices")
    match choices:
        case [{"message": dict(body), **choice}, *_]:
            message, refusal = decode_message({"role": "assistant", **body}), body.get("refusal")
        case _:
            raise InvalidOutput("The model's reply holds no message; try again.")
    if refusal:
        message = Message(message.role, (*message.parts, TextPart(str(refusal))), message.name, None)
    if beside := rest(DIALECT, choice, ("index", "finish_reason")):
        part = OpaquePart(Extra(DIALECT, {"choice": beside.fields}))
        message = Message(message.role, (*message.parts, part), message.name, message.extra)
    return Completion(
        message=message,
        finish_reason=decode_reason(choice.get("finish_reason"), refused=bool(refusal)),
        usage=decode_usage(wire.get("usage") or {}),
        model=str(wire.get("model") or ""),
        id=str(wire.get("id") or ""),
        extra=rest(DIALECT, wire, ("id", "model", "object", "choices", "usage", "created")),
    )


def encode_completion(completion: Completion, *, created: int) -> Wire:
    """A chat.completion; `created` in seconds since 1970."""
    (message,) = encode_message(completion.message, with_reasoning=True)
    message["content"] = completion.text or None  # a reply's content is one text, also where it came in several parts
    if completion.finish_reason is FinishReason.REFUSED:
        message = without_nulls({**message, "refusal": completion.text}) | {"content": None}
    if thoughts := [wire for part in completion.message.parts for wire in encode_thought(part)]:
        message["thinking_blocks"] = thoughts
    beside = fields_beside(completion.message.parts)
    choice = {"index": 0, "message": message | beside.get("delta", {})}
    choice |= {"finish_reason": encode_reason(completion.finish_reason), "logprobs": None, **beside.get("choice", {})}
    wire = {
        "id": completion.id,
        "object": "chat.completion",
        "created": created,
        "model": completion.model,
        "choices": [choice],
        "usage": encode_usage(completion.usage),
    }
    return put_back(DIALECT, wire, completion.extra)


def fields_beside(parts: tuple[Part, ...]) -> dict[str, Wire]:
    """What stood beside the text, in a `choice` or its `delta`, gathered from all its pieces: logprobs, annotations."""
    found: dict[str, Wire] = {}
    for part in parts:
        if isinstance(part, OpaquePart) and part.extra.dialect == DIALECT and "type" not in part.extra.fields:
            for place, fields in part.extra.fields.items():
                found[place] = _join(found.get(place, {}), fields)
    return found


def _join(one: Wire, other: Wire) -> Wire:
    """Two pieces of one object: lists grow, objects are joined in turn, anything else is replaced."""
    joined = dict(one)
    for name, value in other.items():
        before: object = joined.get(name)
        if isinstance(before, list) and isinstance(value, list):
            joined[name] = [*before, *value]
        elif isinstance(before, dict) and isinstance(value, dict):
            joined[name] = _join(before, value)
        else:
            joined[name] = value
    return joined
