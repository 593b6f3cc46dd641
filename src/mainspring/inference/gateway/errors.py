"""How a model call can fail: a small closed set, the same for every provider.

    ModelError
    +-- RateLimited       429 model_rate_limited      retryable
    +-- Overloaded        503 model_overloaded        retryable
    +-- TimedOut          504 model_timed_out         retryable
    +-- StreamBroken      502 model_stream_broken     retryable by the caller, never by the gateway
    +-- ContextTooLong    422 model_context_too_long
    +-- ContentRefused    422 model_content_refused
    +-- InvalidOutput     502 model_invalid_output
    +-- Unauthorized      502 model_unauthorized
    +-- InvalidRequest    422 model_request_invalid
    UnknownModel          422 unknown_model
    AiDisabled            403 ai_disabled

A provider's own words are kept in `vendor_text` for the record; they are never part of `detail`.
"""

from mainspring.foundation.errors import Forbidden, InvalidInput, MainspringError


class ModelError(MainspringError):
    """A provider did not deliver; `vendor_text` holds what it said, for the record only.

    `is_unanswered` says that it had the call and did not answer: it may have worked on it.
    """

    code = "model_error"
    status = 502
    is_unanswered = False

    def __init__(
        self, detail: str, *, retry_after_seconds: float | None = None, vendor_text: str | None = None
    ) -> None:
        super().__init__(detail, retry_after_seconds=retry_after_seconds)
        self.vendor_text = vendor_text


class RateLimited(ModelError):
    """The provider limits the platform's key; `retry_after_seconds` is what it asked for."""

    code = "model_rate_limited"
    status = 429
    retryable = True


class Overloaded(ModelError):
    """The provider is overloaded, failing or cannot be reached."""

    code = "model_overloaded"
    status = 503
    retryable = True


class TimedOut(ModelError):
    """The provider did not answer in time."""

    code = "model_timed_out"
    status = 504
    retryable = True


class StreamBroken(ModelError):
    """The reply broke off after its first token; what came is recorded, and asking again starts anew."""

    code = "model_stream_broken"
    status = 502
    retryable = True


class ContextTooLong(ModelError):
    """The messages do not fit the model's context."""

    code = "model_context_too_long"
    status = 422


class ContentRefused(ModelError):
    """The provider or model refuses this content."""

    code = "model_content_refused"
    status = 422


class InvalidOutput(ModelError):
    """The model's reply does not fit the schema it was given, also after one repair."""

    code = "model_invalid_output"
    status = 502


class Unauthorized(ModelError):
    """The provider does not accept the platform's key: a matter for the operator."""

    code = "model_unauthorized"
    status = 502


class InvalidRequest(ModelError):
    """The provider cannot accept the request as it is."""

    code = "model_request_invalid"
    status = 422


class UnknownModel(InvalidInput):
    """The catalog has no such model."""

    code = "unknown_model"


class AiDisabled(Forbidden):
    """The tenant has switched AI off."""

    code = "ai_disabled"
