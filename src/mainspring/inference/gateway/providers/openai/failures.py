"""The error map of the OpenAI dialect: what its servers say, to the closed set.

The `code` or `type` of the error object decides, then the HTTP status. llama.cpp, vLLM and
others reuse the shape with words of their own, so a few of theirs are here too.
"""

from collections.abc import Mapping
from typing import Any

from mainspring.inference.gateway.errors import ModelError, Overloaded
from mainspring.inference.gateway.providers.failures import failure_for, read_retry_after
from mainspring.inference.gateway.providers.wire import read_object

_KINDS = {
    "context_length_exceeded": "context",
    "exceed_context_size_error": "context",
    "string_above_max_length": "context",
    "content_policy_violation": "refused",
    "content_filter": "refused",
    "invalid_prompt": "refused",
    "rate_limit_exceeded": "limited",
    "rate_limit_error": "limited",
    "requests": "limited",
    "tokens": "limited",
    "insufficient_quota": "unauthorized",
    "invalid_api_key": "unauthorized",
    "authentication_error": "unauthorized",
    "server_error": "overloaded",
    "unavailable_error": "overloaded",
    "overloaded_error": "overloaded",
}


def failure_of(status: int, headers: Mapping[str, str], body: bytes) -> ModelError:
    """The error that a response with a status of 400 or more means."""
    wire = read_object(body) or {}
    error: Any = wire.get("error")
    if not isinstance(error, dict):
        error = {"message": error or wire.get("message") or body[:2000].decode("utf-8", "replace")}
    return failure_for(
        _kind(error), status, retry_after=read_retry_after(headers), vendor_text=str(error.get("message", ""))
    )


def failure_in_stream(error: object) -> ModelError:
    """The error that an error object inside a stream means."""
    if not isinstance(error, dict):
        return Overloaded("The model's provider failed while it answered; try again.", vendor_text=str(error))
    status: object = error.get("code")
    return failure_for(
        _kind(error), status if isinstance(status, int) else 500, vendor_text=str(error.get("message", ""))
    )


def _kind(error: Mapping[str, Any]) -> str | None:
    found = (_KINDS.get(str(error.get(name))) for name in ("code", "type"))
    kind = next((kind for kind in found if kind), None)
    if kind is None and "maximum context length" in str(error.get("message", "")):
        return "context"  # vLLM says it in words only
    return kind
