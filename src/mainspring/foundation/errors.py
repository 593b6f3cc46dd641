"""The error tree. Every error a caller can meet descends from MainspringError.

    MainspringError            500 internal_error
    +-- InvalidInput           422 invalid_input
    |   +-- BadRequest         400 bad_request
    |   +-- TooLarge           413 too_large
    |   +-- UnsupportedMedia   415 unsupported_media
    +-- Unauthenticated        401 unauthenticated
    +-- Forbidden              403 forbidden
    +-- NotFound               404 not_found
    +-- Conflict               409 conflict
    +-- RateLimited            429 rate_limited        retryable
    +-- Unavailable            503 unavailable         retryable

`detail` is safe to show to the caller: it names the value, the limit and the
next step, never a secret, a payload or another tenant. Rooms add subclasses in
their `errors.py` with a `code` of their own.
"""

from typing import ClassVar


class MainspringError(Exception):
    """Base of all errors; rendered as RFC 9457 problem+json by `foundation.http`."""

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False
    places: tuple[tuple[str, str], ...] = ()
    """Where in the caller's input it is wrong: field or line, and the problem there; may be empty."""

    def __init__(self, detail: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after_seconds = retry_after_seconds


class InvalidInput(MainspringError):
    """The request is well formed but a value in it cannot be accepted."""

    code = "invalid_input"
    status = 422


class BadRequest(InvalidInput):
    """The request itself is malformed."""

    code = "bad_request"
    status = 400


class TooLarge(InvalidInput):
    """A body, file or list is over its limit."""

    code = "too_large"
    status = 413


class UnsupportedMedia(InvalidInput):
    """The file type is not one that can be read."""

    code = "unsupported_media"
    status = 415


class Unauthenticated(MainspringError):
    """No valid credential came with the request."""

    code = "unauthenticated"
    status = 401


class Forbidden(MainspringError):
    """The principal lacks a permission that the request needs."""

    code = "forbidden"
    status = 403


class NotFound(MainspringError):
    """It does not exist, or belongs to another tenant: the answers are the same."""

    code = "not_found"
    status = 404


class Conflict(MainspringError):
    """The state of the thing does not allow the request."""

    code = "conflict"
    status = 409


class RateLimited(MainspringError):
    """A limit was reached; `retry_after_seconds` says when to come back."""

    code = "rate_limited"
    status = 429
    retryable = True


class Unavailable(MainspringError):
    """An engine is away; nothing was changed, and the same request may be sent again."""

    code = "unavailable"
    status = 503
    retryable = True


class UrlRefused(InvalidInput):
    """The URL leads where the platform does not go for a tenant, such as into the operator's own network."""

    code = "url_refused"


class HostUnreachable(Unavailable):
    """The host has no address, or none that answers; trying again may help."""

    code = "host_unreachable"
