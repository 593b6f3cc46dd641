"""How the client calls: authorization, waiting and trying again, problems turned into errors.

A call that may be repeated safely is tried again after a lost connection, 429 and 503, as the API
asks or with doubling waits; any call is when the connection could not even be opened.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
import msgspec

from .errors import ApiError

Answer = TypeVar("Answer")

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to try.

    attempts         calls at most, the first included
    longest_wait     seconds; when the API asks for more, the error is raised instead
    sleep            waits the given seconds
    timeout          seconds until a silent connection counts as lost
    """

    attempts: int = 5
    longest_wait: float = 30.0
    timeout: float = 60.0
    sleep: Callable[[float], None] = time.sleep

    def pause(self, failures: int, error: ApiError) -> None:
        """Wait before the next attempt; raises `error` when there is none."""
        wait = error.retry_after or min(0.1 * 2**failures, 5.0) * (0.5 + random.random())  # noqa: S311 - jitter
        if failures >= self.attempts or wait > self.longest_wait:
            raise error
        self.sleep(wait)


class _Problem(msgspec.Struct):
    code: str = "http_error"
    detail: str = ""
    retryable: bool = False
    request_id: str = ""


class Transport:
    """One connection pool to one API under one key."""

    def __init__(self, base_url: str, api_key: str, patience: Patience) -> None:
        self.patience = patience
        self.http = httpx.Client(
            base_url=base_url,
            headers={"authorization": f"Bearer {api_key}", "user-agent": "mainspring-python"},
            timeout=httpx.Timeout(patience.timeout, connect=5.0),
            trust_env=urlsplit(base_url).hostname not in _LOOPBACK,  # a proxy leads away from this machine
        )

    def call(self, method: str, path: str, *, is_repeatable: bool | None = None, **options: Any) -> httpx.Response:
        """Send until answered; raises ApiError for every answer that is not a success.

        is_repeatable  whether doing it twice is the same as once; default: for GET and DELETE
        """
        repeatable = method in {"GET", "DELETE"} if is_repeatable is None else is_repeatable
        failures = 0
        while True:
            try:
                response = self.http.request(method, path, **options)
            except httpx.TransportError as lost:
                error = unreachable(self.http.base_url, lost)
                can_repeat = repeatable or isinstance(lost, _NEVER_SENT)
            else:
                if response.is_success:
                    return response
                error = read_problem(response)
                can_repeat = repeatable and error.status in {429, 503}
            failures += 1
            if not can_repeat:
                raise error
            self.patience.pause(failures, error)

    def read(self, answer: type[Answer], method: str, path: str, **options: Any) -> Answer:
        """Call, and decode the JSON of the answer."""
        return decode(answer, self.call(method, path, **options).content)


def decode(answer: type[Answer], content: bytes) -> Answer:
    """Read JSON into a frozen type; ApiError `unexpected_answer` when it is something else."""
    try:
        return msgspec.json.decode(content, type=answer)
    except msgspec.MsgspecError as bad:
        raise ApiError(
            f"The answer is not what this client understands ({bad}); is the URL that of a Mainspring API, "
            "and is the client as new as the API?",
            code="unexpected_answer",
            status=200,
        ) from bad


def read_problem(response: httpx.Response) -> ApiError:
    """The error in an answer whose body was read."""
    try:
        problem = msgspec.json.decode(response.content, type=_Problem)
    except msgspec.MsgspecError:
        problem = _Problem(retryable=response.status_code in {429, 502, 503, 504})
    return ApiError(
        problem.detail or f"The API answered with status {response.status_code} and no explanation.",
        code=problem.code,
        status=response.status_code,
        retryable=problem.retryable,
        retry_after=_seconds(response.headers.get("retry-after", "")),
        request_id=problem.request_id or response.headers.get("x-request-id", ""),
    )


def unreachable(url: httpx.URL, lost: httpx.TransportError) -> ApiError:
    """The error for a connection that failed."""
    return ApiError(
        f"No answer from {url} ({type(lost).__name__}); is the API running there?",
        code="unreachable",
        status=0,
        retryable=True,
    )


def _seconds(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdigit() else None
