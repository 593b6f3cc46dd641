"""What happens on a connection, as data: a fault is a list of these, and the server plays them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Send:
    """Write these bytes at once; `is_piece` when they are a part of the answer's content."""

    data: bytes
    is_piece: bool = False


@dataclass(frozen=True, slots=True)
class Drip:
    """Write byte by byte, `pause` seconds apart."""

    data: bytes
    pause: float = 0.0


@dataclass(frozen=True, slots=True)
class Repeat:
    """Write these bytes again and again until the caller goes."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing for `seconds`; None: until the caller goes."""

    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Close:
    """End the connection: by FIN, or by RST."""

    by_reset: bool = False


Step = Send | Drip | Repeat | Wait | Close


@dataclass(frozen=True, slots=True)
class Frames:
    """A streamed answer: events before the content, each piece of content, events after it, and the very last."""

    opening: tuple[bytes, ...]
    pieces: tuple[bytes, ...]
    closing: tuple[bytes, ...]
    end: bytes

    @property
    def all(self) -> tuple[bytes, ...]:
        """Every event in order."""
        return (*self.opening, *self.pieces, *self.closing, self.end)
