"""The error map of Azure OpenAI: that of the OpenAI dialect, and the content filter's inner errors.

A prompt that the filter stops is told by `code`, or only by the inner error's own. Some limits
name the time to wait in their sentence alone.
"""

from collections.abc import Mapping
from typing import Any

from mainspring.inference.gateway.errors import ModelError, RateLimited
from mainspring.inference.gateway.providers import openai
from mainspring.inference.gateway.providers.failures import failure_for
from mainspring.inference.gateway.providers.wire import read_object

_STOPPED = "ResponsibleAIPolicyViolation"
_LONGEST_WAIT_SECONDS = 86400


def failure_of(status: int, headers: Mapping[str, str], body: bytes) -> ModelError:
    """The error that a response with a status of 400 or more means."""
    error: Any = (read_object(body) or {}).get("error")
    stopped_by = _filters(error) if isinstance(error, dict) else None
    if stopped_by is not None:
        text = f"{error.get('message', '')} [{', '.join(stopped_by)}]"
        return failure_for("refused", status, vendor_text=text)
    failure = openai.failure_of(status, headers, body)
    if isinstance(failure, RateLimited) and failure.retry_after_seconds is None:
        failure.retry_after_seconds = _wait_in(failure.vendor_text or "")
    return failure


def _filters(error: Mapping[str, Any]) -> list[str] | None:
    """The filters that stopped a prompt, such as `jailbreak`; None when it was none of them."""
    inner = error.get("innererror") or error.get("inner_error")
    if not isinstance(inner, dict):
        return [] if error.get("code") == "content_filter" else None
    if error.get("code") != "content_filter" and inner.get("code") != _STOPPED:
        return None
    found = inner.get("content_filter_result") or inner.get("content_filter_results")
    results = found.items() if isinstance(found, dict) else ()
    return [str(name) for name, result in results if isinstance(result, dict) and result.get("filtered") is True]


def _wait_in(sentence: str) -> float | None:
    """The seconds in "retry after 6 seconds"."""
    word = sentence.lower().partition("retry after ")[2].partition(" ")[0]
    return float(word) if word.isdecimal() and int(word) < _LONGEST_WAIT_SECONDS else None
