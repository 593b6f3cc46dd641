"""Server-sent events, read from bytes as they come.

Lines end at LF, CR or CRLF only. Text libraries also break lines at U+2028 and others, which JSON
may hold unescaped, so bytes are split here and decoded line by line.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Frame:
    """One dispatched event. `id` is the last one seen on the stream, as reconnecting needs it."""

    event: str
    data: str
    id: str


@dataclass(slots=True)
class _Reader:
    id: str = ""
    event: str = ""
    data: list[str] = field(default_factory=list[str])

    def take(self, line: str) -> Frame | None:
        """Read a line; the empty one completes a frame."""
        if not line:
            return self._complete()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "event":
                self.event = value
            case "data":
                self.data.append(value)
            case "id" if "\0" not in value:
                self.id = value
            case _:  # a comment, `retry` (the waits are the client's own), or a field of a later version
                pass
        return None

    def _complete(self) -> Frame | None:
        event, data = self.event or "message", self.data
        self.event, self.data = "", []
        return Frame(event, "\n".join(data), self.id) if data else None


def read_frames(chunks: Iterable[bytes]) -> Iterator[Frame]:
    """Every complete frame of a stream that arrives in any pieces; an unfinished one at its end is dropped."""
    reader = _Reader()
    for line in _lines(chunks):
        frame = reader.take(line.decode("utf-8", "replace"))
        if frame is not None:
            yield frame


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    held = b""
    ended_with_cr = False
    for chunk in chunks:
        if ended_with_cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]  # noqa: PLW2901 - the second half of a CRLF that was cut in two
        if not chunk:
            continue
        ended_with_cr = chunk.endswith(b"\r")
        *whole, held = (held + chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")).split(b"\n")
        yield from whole
