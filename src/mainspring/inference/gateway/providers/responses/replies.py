"""Replies of the responses dialect, to the normal form and back."""

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from mainspring.inference.gateway.errors import InvalidOutput
from mainspring.inference.gateway.providers import openai
from mainspring.inference.gateway.providers.wire import Wire, as_list, count, misshapen_is
from mainspring.inference.messages import (
    Completion,
    Extra,
    FinishReason,
    Message,
    OpaquePart,
    Part,
    ReasoningPart,
    Role,
    TextPart,
    ToolCallPart,
    Usage,
)

from .items import HIDDEN, decode_items, encode_call

_ECHOED = (
    *("instructions", "max_output_tokens", "metadata", "parallel_tool_calls", "prompt_cache_key", "reasoning"),
    *(
        "safety_identifier",
        "temperature",
        "text",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "truncation",
        "user",
    ),
)
_INCOMPLETE = {FinishReason.LENGTH: "max_output_tokens", FinishReason.FILTERED: "content_filter"}


def encode_completion(completion: Completion, created: int, echo: Mapping[str, Any] | None = None) -> Wire:
    """A response; `created` in seconds since 1970, `echo` the caller's body, whose settings are said again."""
    head = head_of(completion.id, completion.model, created, echo)
    is_refused = completion.finish_reason is FinishReason.REFUSED
    return close(head, completion.finish_reason, list(_encode_output(completion, head["id"], is_refused))) | {
        "usage": encode_usage(completion.usage)
    }


def head_of(id_: str, model: str, created: int, echo: Mapping[str, Any] | None) -> Wire:
    """A response that has only begun."""
    said = {name: echo[name] for name in _ECHOED if echo.get(name) is not None} if echo else {}
    return {
        "id": id_,
        "object": "response",
        "created_at": created,
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "metadata": {},
        "model": model,
        "output": [],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "store": False,
        "temperature": None,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": None,
        "truncation": "disabled",
        "usage": None,
        **said,
    }


def close(head: Wire, reason: FinishReason, output: list[Wire]) -> Wire:
    """A response that has ended."""
    cut = _INCOMPLETE.get(reason)
    return head | {
        "status": "incomplete" if cut else "completed",
        "incomplete_details": {"reason": cut} if cut else None,
        "output": output,
    }


def encode_usage(usage: Usage) -> Wire:
    """Token counts as this dialect has them."""
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens, "cache_write_tokens": usage.cache_write_tokens},
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }


def decode_usage(wire: Wire) -> Usage:
    """Token counts; cached and reasoning tokens are inside the totals here as there."""
    given: Wire = wire.get("input_tokens_details") or {}
    made: Wire = wire.get("output_tokens_details") or {}
    return Usage(
        input_tokens=count(wire.get("input_tokens")),
        output_tokens=count(wire.get("output_tokens")),
        cached_tokens=count(given.get("cached_tokens")),
        cache_write_tokens=count(given.get("cache_write_tokens")),
        reasoning_tokens=count(made.get("reasoning_tokens")),
    )


def decode_reason(wire: Wire, *, calls: bool, refused: bool) -> FinishReason:
    """Why the model stopped, by the state of its response and what it holds."""
    details: Wire = wire.get("incomplete_details") or {}
    if wire.get("status") == "incomplete":
        is_filtered = details.get("reason") == "content_filter"
        return FinishReason.FILTERED if is_filtered else FinishReason.LENGTH
    if refused:
        return FinishReason.REFUSED
    return FinishReason.TOOL_CALLS if calls else FinishReason.STOP


@misshapen_is(InvalidOutput, "The provider's reply does not have the shape of its dialect; try again.")
def decode_completion(wire: Wire) -> Completion:
    """The reply in a response; raises the mapped error when it failed."""
    if wire.get("status") == "failed" or wire.get("error"):
        raise openai.failure_in_stream(wire.get("error"))
    output = wire["output"]
    parts = [part for turn in decode_items(output) for part in turn.parts]
    if logprobs := [each for item in output for each in _logprobs_in(item)]:
        parts.append(OpaquePart(beside(logprobs)))
    kinds = [content.get("type") for item in output for content in as_list(item.get("content"), dict)]
    calls = any(isinstance(part, ToolCallPart) for part in parts)
    return Completion(
        message=Message(Role.ASSISTANT, tuple(parts)),
        finish_reason=decode_reason(wire, calls=calls, refused="refusal" in kinds),
        usage=decode_usage(wire.get("usage") or {}),
        model=str(wire.get("model", "")),
        id=str(wire.get("id", "")),
    )


def beside(logprobs: list[Any]) -> Extra:
    """Log probabilities as the chat dialect has them beside its text: both spell each of them alike."""
    return Extra("openai", {"choice": {"logprobs": {"content": logprobs}}})


def logprobs_of(parts: tuple[Part, ...]) -> list[Any]:
    """The log probabilities beside the text, from a provider of either OpenAI dialect."""
    found: object = openai.fields_beside(parts).get("choice", {}).get("logprobs")
    content: object = found.get("content") if isinstance(found, Mapping) else None
    return content if isinstance(content, list) else []


def _logprobs_in(item: Wire) -> list[Any]:
    return [each for content in as_list(item.get("content"), dict) for each in content.get("logprobs") or []]


def _encode_output(completion: Completion, id_: str, is_refused: bool) -> Iterator[Wire]:
    index, logprobs = 0, logprobs_of(completion.message.parts)
    said = [part for part in completion.message.parts if isinstance(part, TextPart) or _encode_item(part, "", 0)]
    for is_text, group in groupby(said, lambda part: isinstance(part, TextPart)):
        if is_text:
            text = "".join(part.text for part in group if isinstance(part, TextPart))
            yield message_item(item_id("msg", id_, index), text, logprobs=logprobs, is_refused=is_refused)
            index, logprobs = index + 1, []
            continue
        for part in group:
            if item := _encode_item(part, id_, index):
                yield item
                index += 1


def _encode_item(part: Part, id_: str, index: int) -> Wire | None:
    match part:
        case ReasoningPart():
            return reasoning_item(item_id("rs", id_, index), part.text, part.signature)
        case ToolCallPart():
            return {"id": item_id("fc", id_, index), **encode_call(part), "status": "completed"}
        case OpaquePart(extra=extra):
            return own_item(extra, item_id("rs", id_, index))
        case _:
            return None


def own_item(extra: Extra, id_: str) -> Wire | None:
    """An item kept whole, or a thought that Anthropic hides, which its models want back; None for what has no item."""
    match extra:
        case Extra(dialect="responses", fields=fields):
            return dict(fields)
        case Extra(dialect="anthropic", fields={"type": "redacted_thinking", "data": str(data)}):
            return reasoning_item(id_, "", HIDDEN + data)
        case _:
            return None


def item_id(kind: str, id_: str, index: int) -> str:
    """The id of an item, unique within its response and beyond."""
    return f"{kind}_{id_.removeprefix('resp_')}_{index}"


def message_item(
    id_: str, text: str, *, logprobs: list[Any], is_refused: bool = False, status: str = "completed"
) -> Wire:
    """What the model said."""
    part = {"type": "refusal", "refusal": text} if is_refused else text_part(text, logprobs)
    content = [part] if text or status != "in_progress" else []
    return {"id": id_, "type": "message", "status": status, "role": "assistant", "content": content}


def text_part(text: str, logprobs: list[Any]) -> Wire:
    """Words of the model."""
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": logprobs}


def reasoning_item(id_: str, text: str, seal: str | None) -> Wire:
    """What the model thought; with its seal when it has one, so that a caller can send it back."""
    summary = [{"type": "summary_text", "text": text}] if text else []
    sealed = {"encrypted_content": seal} if seal else {}
    return {"id": id_, "type": "reasoning", "summary": summary, **sealed}
