"""How a failed call is told to its caller, whatever the dialect.

Each dialect brings a table from error class to its own words; an error takes the words of its
nearest ancestor there, or of those of its status, so that errors which rooms add later are told rightly
without a new line.
Only `detail` is shown: it is written here; what a provider said stays in the record.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from math import ceil

from mainspring.foundation.errors import Forbidden, InvalidInput, MainspringError, RateLimited
from mainspring.inference.gateway.errors import InvalidRequest

_LONGEST_WAIT_SECONDS = 60.0  # clients hold a call open while they wait; longer is a matter for people


@dataclass(frozen=True, slots=True)
class Words:
    """What a dialect calls a failure: HTTP status, `type` and `code`; without a code the error's own is said.

    param   the field of the request that is at fault, when it is always the same
    """

    status: int
    type: str
    code: str | None = None
    param: str | None = None


Table = Mapping[type[MainspringError], Words]


def words_by(table: Table, spent: Words) -> Callable[[MainspringError], Words]:
    """A function from an error to its words; `spent` is said of limits that waiting a little will not lift."""

    @cache
    def of_class(kind: type[MainspringError]) -> Words:
        if issubclass(kind, RateLimited) and ("budget" in kind.code or "quota" in kind.code):
            return spent
        nearest = next(each for each in kind.__mro__ if each in table)
        if nearest is MainspringError and kind.status < 500:  # refused by a room that is not in the table
            nearest = Forbidden if kind.status == Forbidden.status else InvalidInput
        return table[nearest]

    return lambda error: of_class(type(error))


def retry_headers(error: MainspringError) -> dict[str, str]:
    """Headers by which the vendors' own clients know whether and when to send the call again."""
    wait = error.retry_after_seconds
    headers = {} if wait is None else {"retry-after": str(ceil(wait)), "retry-after-ms": str(ceil(wait * 1000))}
    is_worth_it = error.retryable and (wait is None or wait <= _LONGEST_WAIT_SECONDS)
    return {**headers, "x-should-retry": "true" if is_worth_it else "false"}


def fault(param: str, detail: str) -> InvalidRequest:
    """The error for a request with a field that cannot be accepted; `param` is told beside the sentence."""
    error = InvalidRequest(detail)
    error.places = ((param, detail),)
    return error
