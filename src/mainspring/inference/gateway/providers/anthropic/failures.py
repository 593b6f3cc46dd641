"""The error map of the Anthropic dialect."""

from collections.abc import Mapping
from typing import Any

from mainspring.inference.gateway.errors import ModelError, Overloaded
from mainspring.inference.gateway.providers.failures import failure_for, read_retry_after
from mainspring.inference.gateway.providers.wire import read_object

_KINDS = {
    "authentication_error": "unauthorized",
    "billing_error": "unauthorized",
    "permission_error": "unauthorized",
    "request_too_large": "context",
    "rate_limit_error": "limited",
    "timeout_error": "timed_out",
    "api_error": "overloaded",
    "overloaded_error": "overloaded",
}


def failure_of(status: int, headers: Mapping[str, str], body: bytes) -> ModelError:
    """The error that a response with a status of 400 or more means."""
    error: Any = (read_object(body) or {}).get("error")
    if not isinstance(error, dict):
        error = {"message": body[:2000].decode("utf-8", "replace")}
    retry_after, text = read_retry_after(headers), str(error.get("message", ""))
    return failure_for(_kind(error), status, retry_after=retry_after, vendor_text=text)


def failure_in_stream(error: object) -> ModelError:
    """The error that an `error` event inside a stream means."""
    if not isinstance(error, dict):
        return Overloaded("The model's provider failed while it answered; try again.", vendor_text=str(error))
    return failure_for(_kind(error), 500 if _kind(error) else 400, vendor_text=str(error.get("message", "")))


def _kind(error: Mapping[str, Any]) -> str | None:
    message = str(error.get("message", ""))
    if "prompt is too long" in message or "exceed context limit" in message:
        return "context"  # the type is invalid_request_error, as for everything else
    return _KINDS.get(str(error.get("type")))
