"""Server-sent events, read incrementally from bytes.

Lines end in LF, CR or CRLF, wherever the network cut them; bytes are decoded only as whole
lines, so a character split between two reads arrives intact. An event is what stands before an
empty line; one that the stream's end cut off is dropped, as the specification says.
"""

from dataclasses import dataclass

from mainspring.inference.gateway.errors import StreamBroken

MAX_EVENT_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event: its type (`message` unless named) and its data lines joined by LF."""

    type: str
    data: bytes


class SseParser:
    """Feed it bytes as they come; each call returns the events that became complete."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._scanned = 0
        self._after_cr = False
        self._at_start = True
        self._type = ""
        self._data: list[bytes] = []

    def feed(self, data: bytes) -> list[ServerEvent]:
        """The events completed by `data`; StreamBroken when one exceeds 16 MiB."""
        if self._after_cr and data:
            data = data.removeprefix(b"\n")
            self._after_cr = False
        self._buffer += data
        if len(self._buffer) + sum(map(len, self._data)) > MAX_EVENT_BYTES:
            raise StreamBroken(f"An event of the model's stream is over {MAX_EVENT_BYTES} bytes.")
        events: list[ServerEvent] = []
        while (line := self._next_line()) is not None:
            if event := self._take(line):
                events.append(event)
        return events

    def _next_line(self) -> bytes | None:
        line_feed = self._buffer.find(b"\n", self._scanned)
        carriage_return = self._buffer.find(b"\r", self._scanned, line_feed if line_feed >= 0 else len(self._buffer))
        end = carriage_return if carriage_return >= 0 else line_feed
        if end < 0:
            self._scanned = len(self._buffer)
            return None
        line, after = bytes(self._buffer[:end]), end + 1
        if self._buffer[end] == 13:
            if after < len(self._buffer):
                after += self._buffer[after] == 10
            else:
                self._after_cr = True
        del self._buffer[:after]
        self._scanned = 0
        return line

    def _take(self, line: bytes) -> ServerEvent | None:
        if self._at_start:
            line = line.removeprefix(b"\xef\xbb\xbf")
            self._at_start = False
        if not line:
            return self._dispatch()
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
        elif name == b"event":
            self._type = value.decode("utf-8", "replace")
        return None

    def _dispatch(self) -> ServerEvent | None:
        kind, data = self._type or "message", self._data
        self._type, self._data = "", []
        return ServerEvent(kind, b"\n".join(data)) if data else None
