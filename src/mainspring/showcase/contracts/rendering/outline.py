"""A report as a list of plain blocks, which know nothing of Markdown or Word.

Text in a block is raw: it may hold anything a contract holds. Each format escapes it in its own
way, in one place, so that no contract can break out of its paragraph.
"""

from dataclasses import dataclass
from typing import TypeAlias

from mainspring.showcase.contracts.types import Severity


@dataclass(frozen=True, slots=True)
class Words:
    """Raw text with an emphasis."""

    text: str
    is_bold: bool = False
    is_italic: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A citation mark that leads to the quote of this number."""

    quote: int


Span: TypeAlias = Words | Mark
Line: TypeAlias = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Title:
    text: str
    subtitle: str


@dataclass(frozen=True, slots=True)
class Heading:
    """level   1 for a section, 2 for a group, 3 for a finding; `severity` colours it where colours are"""

    text: str
    level: int
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Paragraph:
    line: Line
    is_note: bool = False


@dataclass(frozen=True, slots=True)
class Bullets:
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """widths   shares of the page, which add up to 1"""

    header: tuple[str, ...]
    rows: tuple[tuple[Line, ...], ...]
    widths: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Quotation:
    """Words of the contract, shown where they matter, with the mark of their full quote."""

    text: str
    place: str
    quote: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """Wording to propose."""

    text: str


@dataclass(frozen=True, slots=True)
class Quote:
    """An entry of the list of quotes."""

    number: int
    text: str
    place: str


Block: TypeAlias = Title | Heading | Paragraph | Bullets | Table | Quotation | Proposal | Quote


def words(text: str) -> Line:
    """A line of plain text."""
    return (Words(text),)


def labelled(label: str, text: str) -> Line:
    """A line that begins with a bold label."""
    return (Words(f"{label} ", is_bold=True), Words(text))
