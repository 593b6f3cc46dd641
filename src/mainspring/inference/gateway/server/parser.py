"""From a caller's bytes to whole requests.

The parser underneath refuses what is no HTTP/1.1 by the letter; what it lets pass is checked again
where it matters for a proxy. Bytes are parsed in slices, so that whoever takes the requests can stop
in the middle of many; what was not parsed is given back.
"""

from collections.abc import Callable

import httptools

from .request import MAX_HEAD_BYTES, MAX_HEADERS, MAX_TARGET_BYTES, Refused, Request, path_of, without_upgrade

_SLICE_BYTES = 4096  # parsed at once: no more than this is read past a full queue
_FRAMING_BYTES = 8  # for each byte of a chunked body; the smallest chunks need five
_SINGLE = frozenset((b"host", b"content-length", b"transfer-encoding", b"authorization", b"x-api-key"))


class RequestParser:
    """Reads one connection: `take` gets each request, `ask` is called when a caller waits to be asked for its body."""

    __slots__ = (
        "_ask",
        "_body",
        "_body_bytes",
        "_cause",
        "_headers",
        "_is_last",
        "_is_old",
        "_is_upgrade",
        "_max_body",
        "_parser",
        "_promised",
        "_raw_bytes",
        "_repeats",
        "_take",
        "_target",
        "is_head_done",
        "is_in_request",
        "is_stopped",
    )

    def __init__(self, max_body: int, take: Callable[[Request], None], ask: Callable[[], None]) -> None:
        self._max_body = max_body
        self._take = take
        self._ask = ask
        self._parser = httptools.HttpRequestParser(self)
        self._cause: Refused | None = None
        self.is_in_request = self.is_stopped = False
        self._begin_message()

    def feed(self, data: bytes) -> bytes:
        """Parse, until the end or `is_stopped`; returns what is left. Raises Refused."""
        if len(data) <= _SLICE_BYTES:
            self._parse(data)
            return b""
        view, at = memoryview(data), 0
        while at < len(data):
            if self.is_stopped:
                return data[at:]
            size = max(_SLICE_BYTES, self._promised - self._body_bytes)  # a body of known length is not cut up
            self._parse(view[at : at + size])
            at += size
        return b""

    def _parse(self, data: bytes | memoryview) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as found:
            stopped_at: int = found.args[0]
        except httptools.HttpParserCallbackError as failure:
            # Kept by us: the failure's own context is lost when all this runs while something else is handled.
            raise self._cause or failure.__context__ or failure from None
        except httptools.HttpParserError as failure:
            raise Refused(400, f"The request is no valid HTTP/1.1: {failure}.") from None
        else:
            if self.is_in_request:
                self._check_size(len(data))
            return
        self._pass_over_upgrade(bytes(data[stopped_at:]))

    def _refused(self, status: int, detail: str) -> Refused:
        self._cause = Refused(status, detail)
        return self._cause

    def _check_size(self, read: int) -> None:
        """Bound what has no callback of its own: a head, a chunk's extension or a trailer that never ends."""
        self._raw_bytes += read
        if not self.is_head_done:
            if self._raw_bytes > MAX_HEAD_BYTES:
                raise Refused(431, f"The request's head is longer than {MAX_HEAD_BYTES} bytes.")
        elif self._raw_bytes - self._body_bytes > 2 * MAX_HEAD_BYTES + _FRAMING_BYTES * self._body_bytes:
            raise Refused(400, "The request's chunks hold too little body for their size.")

    def _pass_over_upgrade(self, rest: bytes) -> None:
        """Take a request as HTTP/1.1 that would rather be h2c or a websocket: Java's client asks with every call.

        The parser stops at such a head and would lose the body, so a new one gets the head again without it.
        """
        method = self._parser.get_method()
        if method == b"CONNECT":
            raise Refused(400, "This server is no proxy for CONNECT.")
        again = without_upgrade(method, self._target, self._headers)
        self._parser = httptools.HttpRequestParser(self)
        self._begin_message()
        self._parse(again)
        if rest:
            self._parse(rest)

    def on_message_begin(self) -> None:
        """A request begins."""
        self.is_in_request = True

    def _begin_message(self) -> None:
        self._target = b""
        self._headers: dict[bytes, bytes] = {}
        self._body: list[bytes] = []
        self._body_bytes = self._raw_bytes = self._repeats = self._promised = 0
        self.is_head_done = self._is_upgrade = False
        self._is_last = self._is_old = False

    def on_url(self, url: bytes) -> None:
        """The target, or a piece of it."""
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header. Those after a body are trailers: they are counted, and say nothing."""
        name = name.lower()
        headers = self._headers
        if name in headers or self.is_head_done:
            self._repeats += 1
            if self._repeats > MAX_HEADERS:
                raise self._refused(431, f"The request repeats more than {MAX_HEADERS} headers.")
            if self.is_head_done:
                return
            if name in _SINGLE:
                raise self._refused(400, f"The request has more than one {name.decode('latin-1')}.")
            value = headers[name] + b", " + value
        elif len(headers) >= MAX_HEADERS:
            raise self._refused(431, f"The request has more than {MAX_HEADERS} headers.")
        headers[name] = value

    def on_headers_complete(self) -> None:
        """The head is complete."""
        headers, parser = self._headers, self._parser
        if parser.should_upgrade():
            self._is_upgrade = True
            return
        self.is_head_done = True
        length = headers.get(b"content-length")
        coding = headers.get(b"transfer-encoding")
        is_old = False
        is_kept = parser.should_keep_alive()
        if not is_kept or b"connection" in headers:
            version = parser.get_http_version()
            is_old = version == "1.0"
            if not is_old and version != "1.1":
                raise self._refused(505, "This server speaks HTTP/1.1; send that.")
            # HTTP/1.0 has no streams that end before their connection, so it is never kept.
            self._is_old, self._is_last = is_old, is_old or not is_kept
        if coding is not None and (length is not None or is_old or coding.lower() != b"chunked"):
            raise self._refused(400, "The request must give its length once: by Content-Length or by chunked coding.")
        if b"host" not in headers and not is_old:
            raise self._refused(400, "The request has no Host.")
        if length is not None:
            self._promised = int(length)
            if self._promised > self._max_body:
                raise self._refused(413, f"The request's body is longer than {self._max_body} bytes.")
        self._check_target()
        if b"expect" in headers and not is_old and headers[b"expect"].lower() == b"100-continue":
            self._ask()

    def _check_target(self) -> None:
        target = self._target
        if len(target) > MAX_TARGET_BYTES:
            raise self._refused(414, f"The request's target is longer than {MAX_TARGET_BYTES} bytes.")
        if target[:1] != b"/":
            path = path_of(target, self._parser.get_method())
            if path is None:
                raise self._refused(400, "The request's target is neither a path nor an http(s) address.")
            self._target = path

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        self._body_bytes += len(data)
        if self._body_bytes > self._max_body:
            raise self._refused(413, f"The request's body is longer than {self._max_body} bytes.")
        self._body.append(data)

    def on_message_complete(self) -> None:
        """A whole request is there."""
        if self._is_upgrade:
            return
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        method, is_last, is_old = self._parser.get_method(), self._is_last, self._is_old
        request = Request(method, self._target, self._headers, body, is_last, is_old)
        self.is_in_request = False
        self._begin_message()
        self._take(request)
