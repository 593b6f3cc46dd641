"""The form between a file type and the structure: pieces of one text, with what the file itself said.

All readers but one collect paragraphs in a `TextBuilder`, which cleans them and joins
them with blank lines; the reader of plain text points into its text as it stands.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from mainspring.orchestration.knowledge.types import Box, Page


class PieceKind(StrEnum):
    """What the file format itself says about a piece."""

    PROSE = "prose"
    TITLE = "title"
    TABLE_ROW = "table_row"
    BULLET = "bullet"
    MESSAGE = "message"
    QUOTE = "quote"
    FURNITURE = "furniture"


@dataclass(frozen=True, slots=True)
class Piece:
    """A paragraph of the source at [start, end) of the text.

    heading_level  0-based, where the format marks headings (styles, #); None elsewhere
    number         resolved automatic number that the text starts with
    emphasised     the whole paragraph is bold or larger than its surroundings
    verbatim       plain text, whose lines may hold further paragraphs
    settled        the format marks headings and lists itself, so that none are guessed in it
    attributes     as in `Block`
    """

    start: int
    end: int
    kind: PieceKind = PieceKind.PROSE
    heading_level: int | None = None
    number: str | None = None
    emphasised: bool = False
    verbatim: bool = False
    settled: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Source:
    """What a reader of one file type hands over.

    title     where the file names one; it wins over what the text begins with
    language  ISO 639-1 code that the file declares; it counts where the text itself leaves it open
    """

    text: str
    pieces: tuple[Piece, ...]
    pages: tuple[Page, ...] = ()
    warnings: tuple[str, ...] = ()
    boxes: tuple[Box, ...] = ()
    title: str | None = None
    language: str | None = None


@dataclass(slots=True)
class TextBuilder:
    """Joins cleaned paragraphs into one text, and remembers where each lies."""

    pieces: list[Piece] = field(default_factory=list[Piece])
    _parts: list[str] = field(default_factory=list[str])
    _length: int = 0

    @property
    def length(self) -> int:
        """Characters so far."""
        return self._length

    def add(self, text: str, like: Piece) -> Piece | None:
        """Append a paragraph with the marks of `like` (its offsets are ignored); None when it is blank."""
        if not text:
            return None
        follows_row = bool(self.pieces) and self.pieces[-1].kind is like.kind is PieceKind.TABLE_ROW
        self._append("\n" if follows_row else "\n\n" if self.pieces else "")
        start = self._length
        self._append(text)
        piece = replace(like, start=start, end=self._length)
        self.pieces.append(piece)
        return piece

    def text(self) -> str:
        """Everything added, joined."""
        return "".join(self._parts)

    def _append(self, part: str) -> None:
        self._parts.append(part)
        self._length += len(part)
