"""What a call to the API can raise, as part of the platform's error tree."""

from mainspring.foundation.errors import MainspringError


class ApiError(MainspringError):
    """The API refused a call, or could not be reached.

    code         the stable code of the problem; `unreachable` and `unexpected_answer` are the client's own
    status       HTTP status; 0 when there was no answer
    retryable    whether the same call may succeed later
    retry_after  seconds to wait, where the API said so
    request_id   to quote to whoever runs the API
    """

    def __init__(
        self,
        detail: str,
        *,
        code: str,
        status: int,
        retryable: bool = False,
        retry_after: float | None = None,
        request_id: str = "",
    ) -> None:
        super().__init__(detail, retry_after_seconds=retry_after)
        # The tree's errors fix these by class; here they are what the other side said.
        self.code = code  # pyright: ignore[reportAttributeAccessIssue]
        self.status = status  # pyright: ignore[reportAttributeAccessIssue]
        self.retryable = retryable  # pyright: ignore[reportAttributeAccessIssue]
        self.request_id = request_id

    @property
    def retry_after(self) -> float | None:
        """Seconds to wait before the next try."""
        return self.retry_after_seconds
