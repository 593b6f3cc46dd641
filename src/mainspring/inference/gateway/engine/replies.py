"""Whole replies that are passed on: only the counts, the reason and whether it is a reply at all are read."""

import msgspec

from mainspring.inference.gateway.errors import InvalidOutput
from mainspring.inference.gateway.providers import anthropic, openai
from mainspring.inference.gateway.providers.anthropic.responses import decode_reason as decode_anthropic_reason
from mainspring.inference.gateway.providers.openai.responses import decode_reason as decode_openai_reason
from mainspring.inference.messages import FinishReason, Usage


class _Details(msgspec.Struct):
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


class _OpenAiUsage(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt_tokens_details: _Details | None = None
    completion_tokens_details: _Details | None = None


class _Choice(msgspec.Struct):
    finish_reason: str | None = None


class _OpenAiReply(msgspec.Struct):
    choices: list[_Choice]
    model: str = ""
    usage: _OpenAiUsage | None = None
    service_tier: str | None = None


class _AnthropicUsage(msgspec.Struct):
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None


class _AnthropicReply(msgspec.Struct):
    content: list[msgspec.Raw]
    usage: _AnthropicUsage
    model: str = ""
    stop_reason: str | None = None


_read_openai = msgspec.json.Decoder(_OpenAiReply).decode
_read_anthropic = msgspec.json.Decoder(_AnthropicReply).decode


class ReplyFacts(msgspec.Struct, frozen=True):
    """What is recorded of a reply; `tier` is the one of service in which it was answered, if it says so."""

    usage: Usage
    model: str
    reason: FinishReason | None
    tier: str | None = None


def read_reply(dialect: str, body: bytes) -> ReplyFacts:
    """The facts of a reply; raises ModelError when the body is none, such as an error or a page with status 200."""
    try:
        facts = _openai_facts(body) if dialect == "openai" else _anthropic_facts(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        facts = None
    if facts is None:
        raise _failure(dialect, body)
    return facts


def _openai_facts(body: bytes) -> ReplyFacts | None:
    reply = _read_openai(body)
    if not reply.choices:
        return None
    usage = reply.usage or _OpenAiUsage()
    cached = usage.prompt_tokens_details and usage.prompt_tokens_details.cached_tokens
    reasoning = usage.completion_tokens_details and usage.completion_tokens_details.reasoning_tokens
    counts = Usage(usage.prompt_tokens, usage.completion_tokens, cached or 0, 0, reasoning or 0)
    return ReplyFacts(counts, reply.model, decode_openai_reason(reply.choices[0].finish_reason), reply.service_tier)


def _anthropic_facts(body: bytes) -> ReplyFacts:
    reply = _read_anthropic(body)
    read, written = reply.usage.cache_read_input_tokens or 0, reply.usage.cache_creation_input_tokens or 0
    counts = Usage(reply.usage.input_tokens + read + written, reply.usage.output_tokens, read, written)
    return ReplyFacts(counts, reply.model, decode_anthropic_reason(reply.stop_reason))


def _failure(dialect: str, body: bytes) -> Exception:
    """Some servers put an error into an answer with status 200."""
    if b'"error"' in body[:4096]:
        failure_of = openai.failure_of if dialect == "openai" else anthropic.failure_of
        return failure_of(500, {}, body)
    return InvalidOutput(
        "The model's provider answered with something that is no reply; try again.",
        vendor_text=body[:500].decode("utf-8", "replace"),
    )
