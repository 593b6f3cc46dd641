"""How a caller of the Anthropic dialect is told that a call failed.

The dialect has one word, `type`, for each; our finer code stands in `details.error_code`, where
Anthropic's clients look for one. Overload is 529 here.
"""

from mainspring.foundation.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    MainspringError,
    NotFound,
    RateLimited,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from mainspring.foundation.vault import Unreadable
from mainspring.inference.gateway import errors
from mainspring.inference.gateway.providers.refusals import Words, words_by
from mainspring.inference.gateway.providers.wire import Wire, to_json

_INVALID = "invalid_request_error"
_SPENT = Words(429, "rate_limit_error", "insufficient_quota")
_TABLE: dict[type[MainspringError], Words] = {
    MainspringError: Words(500, "api_error"),
    InvalidInput: Words(400, _INVALID),
    TooLarge: Words(413, "request_too_large"),
    Unauthenticated: Words(401, "authentication_error"),
    Forbidden: Words(403, "permission_error"),
    NotFound: Words(404, "not_found_error"),
    Conflict: Words(409, _INVALID),
    RateLimited: Words(429, "rate_limit_error"),
    Unavailable: Words(503, "api_error"),
    Unreadable: Words(503, "api_error"),
    errors.UnknownModel: Words(404, "not_found_error", "model_not_found"),
    errors.ModelError: Words(502, "api_error"),
    errors.RateLimited: Words(429, "rate_limit_error"),
    errors.Overloaded: Words(529, "overloaded_error"),
    errors.TimedOut: Words(504, "timeout_error"),
    errors.ContextTooLong: Words(400, _INVALID, "context_length_exceeded"),
    errors.ContentRefused: Words(400, _INVALID),
    errors.InvalidRequest: Words(400, _INVALID),
}
words_of = words_by(_TABLE, _SPENT)


def status_of(error: MainspringError) -> int:
    """The HTTP status of the reply."""
    return words_of(error).status


def encode_error(error: MainspringError) -> Wire:
    """The body of the reply."""
    words, message = words_of(error), error.detail
    if isinstance(error, errors.ContextTooLong):
        message = f"prompt is too long: {message}"  # clients that shorten and try again look for these words
    details = {"error_code": words.code or error.code}
    return {"type": "error", "error": {"type": words.type, "message": message, "details": details}}


def error_event(error: MainspringError) -> bytes:
    """The end of a stream that failed."""
    return b"event: error\ndata: " + to_json(encode_error(error)) + b"\n\n"
