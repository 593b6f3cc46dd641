"""From what a provider answered to the closed set of errors; each dialect brings its own words.

The caller reads only sentences written here; the provider's text goes into `vendor_text`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from mainspring.inference.gateway.errors import (
    ContentRefused,
    ContextTooLong,
    InvalidRequest,
    ModelError,
    Overloaded,
    RateLimited,
    TimedOut,
    Unauthorized,
)

_MEANINGS: dict[str, tuple[type[ModelError], str]] = {
    "limited": (RateLimited, "The model's provider limits the rate of calls; try again later."),
    "overloaded": (Overloaded, "The model's provider is overloaded or failing; try again shortly."),
    "timed_out": (TimedOut, "The model's provider did not answer in time; try again."),
    "context": (ContextTooLong, "The messages are longer than the model's context; send less or use a larger model."),
    "refused": (ContentRefused, "The model's provider refuses this content; change it or use another model."),
    "unauthorized": (
        Unauthorized,
        "The model's provider does not accept the platform's key; check it in the settings.",
    ),
    "invalid": (InvalidRequest, "The model's provider cannot accept this request; the inference record says why."),
}
_BY_STATUS = {
    401: "unauthorized",
    402: "unauthorized",
    403: "unauthorized",
    408: "timed_out",
    413: "context",
    429: "limited",
    504: "timed_out",
}


def failure_for(
    kind: str | None, status: int, *, retry_after: float | None = None, vendor_text: str | None = None
) -> ModelError:
    """The error of a kind, or of a status when the provider's words say nothing."""
    kind = kind or _BY_STATUS.get(status) or ("overloaded" if status >= 500 else "invalid")
    error, detail = _MEANINGS[kind]
    return error(detail, retry_after_seconds=retry_after, vendor_text=(vendor_text or "")[:2000] or None)


def read_retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait by `retry-after-ms` or `Retry-After` (seconds or a date); None when absent or nonsense."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) * unit
        except ValueError:
            continue
        if 0 <= seconds < 86400:
            return seconds
    try:
        at = parsedate_to_datetime(headers.get("retry-after", ""))
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())
