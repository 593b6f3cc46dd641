"""The error map of Bedrock: exceptions by name, in a header, in the body or inside a stream."""

from collections.abc import Mapping
from typing import Any

from mainspring.inference.gateway.errors import ModelError
from mainspring.inference.gateway.providers.failures import failure_for, read_retry_after
from mainspring.inference.gateway.providers.wire import read_object

_KINDS = {
    "accessdenied": "unauthorized",
    "expiredtoken": "unauthorized",
    "incompletesignature": "unauthorized",
    "invalidclienttokenid": "unauthorized",
    "invalidsignature": "unauthorized",
    "missingauthenticationtoken": "unauthorized",
    "notauthorized": "unauthorized",
    "optinrequired": "unauthorized",
    "requestexpired": "unauthorized",
    "unrecognizedclient": "unauthorized",
    "throttling": "limited",
    "toomanyrequests": "limited",
    "servicequotaexceeded": "limited",
    "modeltimeout": "timed_out",
    "requesttimeout": "timed_out",
    "internalfailure": "overloaded",
    "internalserver": "overloaded",
    "modelnotready": "overloaded",  # its status is 429, but nothing is limited: the model is being loaded
    "serviceunavailable": "overloaded",
    "resourcenotfound": "invalid",
}
_TOO_LONG = (
    "input is too long",
    "prompt is too long",
    "too many input tokens",
    "maximum context length",
    "exceed context limit",
    "exceeds the maximum number of tokens",
)
_BLOCKED = ("content filter", "content policy")


def failure_of(status: int, headers: Mapping[str, str], body: bytes) -> ModelError:
    """The error that a response with a status of 400 or more means."""
    wire = read_object(body)
    told: Mapping[str, Any] = wire if wire is not None else {"message": body[:2000].decode("utf-8", "replace")}
    name = headers.get("x-amzn-errortype") or told.get("__type") or told.get("code") or ""
    return _failure(str(name), told, status, read_retry_after(headers))


def failure_in_stream(type_: str, data: bytes) -> ModelError:
    """The error that an exception inside a stream means."""
    told: Mapping[str, Any] = read_object(data) or {}
    return _failure(str(told.get("__type") or type_), told, 500, None)


def _failure(name: str, told: Mapping[str, Any], status: int, retry_after: float | None) -> ModelError:
    text = str(told.get("message") or told.get("Message") or "")
    kind, status = _kind(_bare(name), text), _original_status(told, status)
    return failure_for(kind, status, retry_after=retry_after, vendor_text=f"{name}: {text}" if name else text)


def _bare(name: str) -> str:
    """The name without namespace, link and ending, of which each service has its own."""
    name = name.rpartition("#")[2].partition(":")[0].lower()
    return name.removesuffix("exception").removesuffix("error")


def _kind(name: str, text: str) -> str | None:
    if name in ("validation", "model", "modelstream"):
        words = text.lower()
        if any(sign in words for sign in _TOO_LONG):
            return "context"
        if any(sign in words for sign in _BLOCKED):
            return "refused"
        return "invalid" if name == "validation" else None
    return _KINDS.get(name)


def _original_status(told: Mapping[str, Any], status: int) -> int:
    """What the model itself answered, when Bedrock only passes it on with a 424 of its own."""
    original = told.get("originalStatusCode")
    if isinstance(original, int) and 400 <= original < 600:
        return original
    return 500 if status == 424 else status
