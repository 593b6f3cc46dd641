"""The words of HTTP towards callers: a request, why one is refused, how long a caller may take."""

from dataclasses import dataclass
from uuid import UUID

MAX_HEAD_BYTES = 64 * 1024
MAX_TARGET_BYTES = 8 * 1024
MAX_HEADERS = 128

_HOP_BY_HOP = (b"connection", b"upgrade", b"http2-settings")
_REASONS = {
    200: b"OK",
    400: b"Bad Request",
    401: b"Unauthorized",
    403: b"Forbidden",
    404: b"Not Found",
    405: b"Method Not Allowed",
    408: b"Request Timeout",
    409: b"Conflict",
    413: b"Content Too Large",
    414: b"URI Too Long",
    422: b"Unprocessable Content",
    429: b"Too Many Requests",
    431: b"Request Header Fields Too Large",
    500: b"Internal Server Error",
    501: b"Not Implemented",
    502: b"Bad Gateway",
    503: b"Service Unavailable",
    504: b"Gateway Timeout",
    505: b"HTTP Version Not Supported",
    529: b"Overloaded",
}


@dataclass(slots=True)
class Request:
    """A whole request; header names are in lower case.

    is_old   the caller speaks HTTP/1.0
    call     id of the model call that it became
    """

    method: bytes
    target: bytes
    headers: dict[bytes, bytes]
    body: bytes
    is_last: bool
    is_old: bool = False
    call: UUID | None = None


@dataclass(frozen=True, slots=True)
class Patience:
    """How long callers are waited for, in seconds; looked at every `sweep`.

    head         for a whole head, from its first byte
    body_idle    between two pieces of a body
    request      for head and body together
    keep_alive   for the next request
    write_idle   for a caller that does not read its answer
    half_closed  for an answer to begin, once the caller has shut down its side
    linger       for a refused caller to read why
    """

    head: float = 15.0
    body_idle: float = 30.0
    request: float = 300.0
    keep_alive: float = 75.0
    write_idle: float = 60.0
    half_closed: float = 1.0
    linger: float = 2.0
    sweep: float = 1.0


class Refused(Exception):
    """A request that cannot be read; the connection ends with this answer."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def reason_of(status: int) -> bytes:
    """The words beside a status."""
    return _REASONS.get(status, b"Status")


def path_of(target: bytes, method: bytes) -> bytes | None:
    """The path and query of a target that is not just that; None when it has none."""
    scheme, separator, rest = target.partition(b"://")
    if separator and scheme.lower() in (b"http", b"https"):
        slash = rest.find(b"/")
        return rest[slash:] if slash >= 0 else b"/"
    return target if target == b"*" and method == b"OPTIONS" else None


def without_upgrade(method: bytes, target: bytes, headers: dict[bytes, bytes]) -> bytes:
    """The head of a request again, but for its wish to speak something else than HTTP/1.1."""
    lines = b"".join(b"%b: %b\r\n" % pair for pair in headers.items() if pair[0] not in _HOP_BY_HOP)
    close = b"connection: close\r\n" if b"close" in headers.get(b"connection", b"").lower() else b""
    return b"%b %b HTTP/1.1\r\n%b%b\r\n" % (method, target, lines, close)
