"""Replies of the Gemini dialect, to the normal form and back.

Its counts leave thoughts out of the output and the provider's own tools out of the input; the
normal form has both inside. What a candidate says besides its content is kept under `candidate`.
"""

from collections.abc import Mapping
from typing import Any

from mainspring.inference.gateway.errors import InvalidOutput, ModelError
from mainspring.inference.gateway.providers.failures import failure_for
from mainspring.inference.gateway.providers.wire import Wire, count, misshapen_is, put_back, rest
from mainspring.inference.messages import Completion, FinishReason, Message, Role, Usage

from .parts import DIALECT, CallIds, decode_parts, encode_parts

_REASONS = {
    "STOP": FinishReason.STOP,
    "MAX_TOKENS": FinishReason.LENGTH,
    **dict.fromkeys(("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"), FinishReason.FILTERED),
    **dict.fromkeys(("IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"), FinishReason.FILTERED),
}
_NAMES = {
    FinishReason.STOP: "STOP",
    FinishReason.TOOL_CALLS: "STOP",
    FinishReason.LENGTH: "MAX_TOKENS",
    FinishReason.REFUSED: "SAFETY",
    FinishReason.FILTERED: "SAFETY",
}
_SPOILED = {
    *("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS"),
    *("MALFORMED_RESPONSE", "MISSING_THOUGHT_SIGNATURE"),
}
_TOP = ("candidates", "usageMetadata", "modelVersion", "responseId", "promptFeedback")
_COUNTS = {
    "promptTokenCount",
    "candidatesTokenCount",
    "thoughtsTokenCount",
    "cachedContentTokenCount",
    "totalTokenCount",
}
_BY_TOOLS = "toolUsePromptTokenCount"


def decode_reason(reason: str, *, has_calls: bool) -> FinishReason:
    """Why the model stopped; that it asks for tools is told by its calls alone."""
    found = _REASONS.get(reason, FinishReason.OTHER)
    return FinishReason.TOOL_CALLS if has_calls and found is FinishReason.STOP else found


def encode_reason(reason: FinishReason) -> str:
    """The dialect's word; what it has no word for is `OTHER`."""
    return _NAMES.get(reason, "OTHER")


def decode_usage(wire: Wire) -> Usage:
    """Token counts, thoughts added to the output and the provider's tools to the input."""
    thoughts = count(wire.get("thoughtsTokenCount"))
    return Usage(
        input_tokens=count(wire.get("promptTokenCount")) + count(wire.get(_BY_TOOLS)),
        output_tokens=count(wire.get("candidatesTokenCount")) + thoughts,
        cached_tokens=count(wire.get("cachedContentTokenCount")),
        reasoning_tokens=thoughts,
        extra=rest(DIALECT, wire, _COUNTS),
    )


def encode_usage(usage: Usage) -> Wire:
    """Token counts as this dialect has them."""
    kept: Mapping[str, Any] = usage.extra.fields if usage.extra and usage.extra.dialect == DIALECT else {}
    wire = {
        "promptTokenCount": max(0, usage.input_tokens - count(kept.get(_BY_TOOLS))),
        "candidatesTokenCount": max(0, usage.output_tokens - usage.reasoning_tokens),
        "thoughtsTokenCount": usage.reasoning_tokens,
        "cachedContentTokenCount": usage.cached_tokens,
        "totalTokenCount": usage.input_tokens + usage.output_tokens,
    }
    return put_back(DIALECT, wire, usage.extra)


def refusal_in(wire: Wire) -> ModelError | None:
    """The error that a reply without candidates means when it says why the prompt was blocked."""
    feedback: Any = wire.get("promptFeedback")
    if not isinstance(feedback, dict) or not feedback.get("blockReason"):
        return None
    text = f"{feedback['blockReason']} {feedback.get('blockReasonMessage') or ''}".strip()
    return failure_for("refused", 400, vendor_text=text)


def unread_in(reason: str, candidate: Wire) -> InvalidOutput | None:
    """The error that an empty reply means when the model wrote a call its provider could not read."""
    if reason not in _SPOILED:
        return None
    text = f"{reason} {candidate.get('finishMessage') or ''}".strip()
    return InvalidOutput("The model wrote a tool call that its provider could not read; try again.", vendor_text=text)


def kept_of(wire: Wire, candidate: Wire) -> Wire:
    """The fields of a reply and its candidate that have no word here."""
    outer = rest(DIALECT, wire, _TOP)
    inner = rest(DIALECT, candidate, ("content", "index", "finishReason"))
    kept: Wire = dict(outer.fields) if outer else {}
    feedback: object = wire.get("promptFeedback")
    kept |= {"promptFeedback": feedback} if feedback else {}
    return {**kept, "candidate": dict(inner.fields)} if inner else kept


def keep_reason(kept: Wire, reason: str, found: FinishReason) -> Wire:
    """`kept` with the reason itself where the normal form is coarser."""
    if encode_reason(found) == reason:
        return kept
    return {**kept, "candidate": {**kept.get("candidate", {}), "finishReason": reason}}


@misshapen_is(InvalidOutput, "The provider's reply does not have the shape of its dialect; try again.")
def decode_completion(wire: Wire) -> Completion:
    """The reply in a response. Only the first candidate is read.

    raises   ContentRefused when the prompt was blocked; InvalidOutput when there is no candidate, or
             one without content because its tool call could not be read
    """
    match wire.get("candidates"):
        case [dict() as candidate, *_]:
            content: Wire = candidate.get("content") or {}
        case _:
            raise refusal_in(wire) or InvalidOutput("The model's reply holds no message; try again.")
    id_, reason = str(wire.get("responseId") or ""), str(candidate.get("finishReason") or "")
    message = Message(Role.ASSISTANT, tuple(decode_parts(content.get("parts"), CallIds(id_))))
    if not message.parts and (unread := unread_in(reason, candidate)):
        raise unread
    found = decode_reason(reason, has_calls=bool(message.tool_calls))
    return Completion(
        message=message,
        finish_reason=found,
        usage=decode_usage(wire.get("usageMetadata") or {}),
        model=str(wire.get("modelVersion") or ""),
        id=id_,
        extra=rest(DIALECT, keep_reason(kept_of(wire, candidate), reason, found), ()),
    )


def encode_completion(completion: Completion) -> Wire:
    """A response with one candidate."""
    kept: Wire = dict(completion.extra.fields) if completion.extra and completion.extra.dialect == DIALECT else {}
    candidate = {
        "content": {"role": "model", "parts": encode_parts(completion.message.parts, {}, with_reasoning=True)},
        "finishReason": encode_reason(completion.finish_reason),
        "index": 0,
        **kept.pop("candidate", {}),
    }
    return {
        "candidates": [candidate],
        "usageMetadata": encode_usage(completion.usage),
        "modelVersion": completion.model,
        "responseId": completion.id,
        **kept,
    }
