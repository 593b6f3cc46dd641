"""The error map of the Gemini dialect: the canonical codes of Google's APIs, to the closed set.

How long to wait stands in the body, never in a header. INVALID_ARGUMENT is said of bad keys and
of prompts that are too long as well; their details and words tell.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from mainspring.inference.gateway.errors import ModelError, Overloaded
from mainspring.inference.gateway.providers.failures import failure_for, read_retry_after
from mainspring.inference.gateway.providers.wire import as_list

_KINDS = {
    "RESOURCE_EXHAUSTED": "limited",
    "UNAUTHENTICATED": "unauthorized",
    "PERMISSION_DENIED": "unauthorized",
    "FAILED_PRECONDITION": "unauthorized",  # the key's project has no billing, or may not be used from here
    "UNAVAILABLE": "overloaded",
    "INTERNAL": "overloaded",
    "UNKNOWN": "overloaded",
    "ABORTED": "overloaded",
    "CANCELLED": "overloaded",
    "DEADLINE_EXCEEDED": "timed_out",
}
_KEY_REASONS = {"API_KEY_INVALID", "API_KEY_EXPIRED", "API_KEY_SERVICE_BLOCKED", "ACCESS_TOKEN_EXPIRED"}
_MAX_SECONDS = 86400


def failure_of(status: int, headers: Mapping[str, str], body: bytes) -> ModelError:
    """The error that a response with a status of 400 or more means."""
    error = _error_in(body)
    if error is None:
        return failure_for(
            None,
            status,
            retry_after=read_retry_after(headers),
            vendor_text=body[:2000].decode("utf-8", "replace"),
        )
    retry_after = read_retry_after(headers)
    return _failure(error, status, _retry_delay(error) if retry_after is None else retry_after)


def failure_in_stream(error: object) -> ModelError:
    """The error that an error object inside a stream means."""
    if not isinstance(error, dict):
        return Overloaded("The model's provider failed while it answered; try again.", vendor_text=str(error))
    status: object = error.get("code")
    return _failure(error, status if type(status) is int else 500, _retry_delay(error))


def _failure(error: Mapping[str, Any], status: int, retry_after: float | None) -> ModelError:
    text = str(error.get("message", ""))
    return failure_for(_kind(error, text), status, retry_after=retry_after, vendor_text=text)


def _kind(error: Mapping[str, Any], text: str) -> str | None:
    if "token count" in text and "exceeds" in text:
        return "context"
    if "payload size exceeds" in text:
        return "context"
    if any(detail.get("reason") in _KEY_REASONS for detail in _details(error)):
        return "unauthorized"
    return _KINDS.get(str(error.get("status")))


def _retry_delay(error: Mapping[str, Any]) -> float | None:
    """Seconds to wait by `RetryInfo`, written as `45.8s`; None when absent or nonsense."""
    for detail in _details(error):
        if str(detail.get("@type")).endswith("google.rpc.RetryInfo"):
            try:
                seconds = float(str(detail.get("retryDelay")).removesuffix("s"))
            except ValueError:
                continue
            if 0 <= seconds < _MAX_SECONDS:
                return seconds
    return None


def _details(error: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {**detail, "reason": reason if isinstance(reason := detail.get("reason"), str) else None}
        for detail in as_list(error.get("details"), dict)
    ]


def _error_in(body: bytes) -> dict[str, Any] | None:
    """The error object of a body, which a stream's address answers inside a list."""
    try:
        wire: Any = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return None
    wire = wire[0] if isinstance(wire, list) and wire else wire
    error: Any = wire.get("error") if isinstance(wire, dict) else None
    return error if isinstance(error, dict) else None
