"""How a caller of the OpenAI dialect, chat or responses, is told that a call failed.

The status decides which exception OpenAI's clients raise; `type` and `code` are OpenAI's words
where it has some. A caller's mistake is always 400, as there.
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
_SPENT = Words(429, "insufficient_quota", "insufficient_quota")
_TABLE: dict[type[MainspringError], Words] = {
    MainspringError: Words(500, "server_error"),
    InvalidInput: Words(400, _INVALID),
    TooLarge: Words(413, _INVALID, "request_too_large"),
    Unauthenticated: Words(401, "authentication_error", "invalid_api_key"),
    Forbidden: Words(403, "permission_error"),
    NotFound: Words(404, "not_found_error"),
    Conflict: Words(409, _INVALID),
    RateLimited: Words(429, "rate_limit_error", "rate_limit_exceeded"),
    Unavailable: Words(503, "service_unavailable_error"),
    Unreadable: Words(503, "service_unavailable_error"),
    errors.UnknownModel: Words(404, _INVALID, "model_not_found", "model"),
    errors.ModelError: Words(502, "server_error"),
    errors.RateLimited: Words(429, "rate_limit_error", "rate_limit_exceeded"),
    errors.Overloaded: Words(503, "service_unavailable_error", "server_is_overloaded"),
    errors.TimedOut: Words(504, "timeout_error"),
    errors.ContextTooLong: Words(400, _INVALID, "context_length_exceeded", "messages"),
    errors.ContentRefused: Words(400, _INVALID, "content_policy_violation"),
    errors.InvalidRequest: Words(400, _INVALID),
}
words_of = words_by(_TABLE, _SPENT)


def status_of(error: MainspringError) -> int:
    """The HTTP status of the reply."""
    return words_of(error).status


def encode_error(error: MainspringError) -> Wire:
    """The body of the reply."""
    words = words_of(error)
    param = error.places[0][0] if error.places else words.param
    inner = {"message": error.detail, "type": words.type, "param": param, "code": words.code or error.code}
    return {"error": inner}


def error_event(error: MainspringError) -> bytes:
    """The end of a chat stream that failed: a chunk with the error; without `[DONE]`, which would mean success."""
    return b"data: " + to_json(encode_error(error)) + b"\n\n"
