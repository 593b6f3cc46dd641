"""From the lines of pages to paragraphs, across page breaks.

A new paragraph starts where the gap between lines widens, at a clause number or bullet
that the line before leaves room for, at a first-line indent after a full stop, and where
the type changes. A hyphen at a line's end goes when the document writes the joined word
elsewhere, or never writes it with a hyphen and both halves are small letters.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from mainspring.orchestration.knowledge.types import Box, Page

from .headings import is_capitals, reads_as_heading, run_in_heading
from .markers import Marker, Scheme, read_bullet, read_marker
from .pdf_lines import Line
from .pieces import Piece, PieceKind, Source, TextBuilder

_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_ENDS = tuple('.;:!?"”’)')
_WIDE_GAP = 1.35  # of the usual distance between lines
_INDENT = 10.0  # points
_SHIFT = 40.0  # points by which short lines that stand under another part
_SHORT_LINE = 0.82  # of the text's width: shorter lines end their paragraph
_PREFIXES = frozenset(
    [
        "non",
        "pre",
        "post",
        "re",
        "co",
        "anti",
        "sub",
        "self",
        "third",
        "first",
        "second",
        "long",
        "short",
        "well",
        "so",
        "cross",
        "inter",
        "intra",
        "multi",
        "semi",
        "pro",
        "ex",
        "all",
        "full",
        "half",
        "high",
        "low",
        "non-",
        "one",
        "two",
        "three",
        "end",
        "on",
        "off",
        "up",
        "down",
        "by",
        "in",
        "out",
        "over",
        "under",
        "good",
        "law",
        "work",
        "day",
        "year",
    ]
)


@dataclass(slots=True)
class _Paragraph:
    lines: list[Line] = field(default_factory=list[Line])
    parts: list[str] = field(default_factory=list[str])
    length: int = 0
    page_starts: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])  # (page number, offset in text)
    places: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])  # the same for each line


def join_pages(pages: list[list[Line]], warnings: tuple[str, ...]) -> Source:
    """One text with its paragraphs, and where each page starts in it."""
    words = Counter(word.lower() for lines in pages for line in lines for word in _WORD.findall(line.text))
    paragraphs = _paragraphs(pages, words)
    usual_size = median([line.size for lines in pages for line in lines] or [0.0])
    builder, starts, boxes = TextBuilder(), dict[int, int](), list[Box]()
    for paragraph in paragraphs:
        kind = PieceKind.TABLE_ROW if paragraph.lines[0].is_row else PieceKind.PROSE
        like = Piece(0, 0, kind, emphasised=_is_emphasised(paragraph, usual_size))
        piece = builder.add("".join(paragraph.parts), like)
        if piece is not None:
            starts.update({number: piece.start + offset for number, offset in paragraph.page_starts})
            boxes += _boxes(paragraph, piece)
    spans = _page_spans(starts, len(pages), builder.length)
    return Source(builder.text(), tuple(builder.pieces), spans, warnings, tuple(boxes))


def _boxes(paragraph: _Paragraph, piece: Piece) -> Iterator[Box]:
    """Where each line of a paragraph stands; a hyphen that went at its end is not counted."""
    starts = [piece.start + offset for _, offset in paragraph.places]
    for line, (page, _), start, after in zip(
        paragraph.lines, paragraph.places, starts, [*starts[1:], piece.end], strict=True
    ):
        if line.page_height:
            top, bottom = line.page_height - line.bottom - line.size, line.page_height - line.bottom
            edges = (round(edge, 2) for edge in (line.left, top, line.right, bottom))
            yield Box(start, min(start + len(line.text), after), page, *edges)


def _page_spans(starts: dict[int, int], count: int, length: int) -> tuple[Page, ...]:
    """Pages that follow one another without a gap; a page without text is empty."""
    spans: list[Page] = []
    end = length
    for number in range(count, 0, -1):
        start = 0 if number == 1 else starts.get(number, end)
        spans.append(Page(number, start, end))
        end = start
    return tuple(reversed(spans))


def _paragraphs(pages: list[list[Line]], words: Counter[str]) -> list[_Paragraph]:
    done: list[_Paragraph] = []
    current: _Paragraph | None = None
    for number, lines in enumerate(pages, 1):
        pitch, right = _usual_pitch(lines), max((line.right for line in lines), default=0.0)
        for index, line in enumerate(lines):
            before = lines[index - 1] if index else None
            if current is None or _starts_paragraph(current, before, line, pitch, right):
                current = _Paragraph()
                done.append(current)
            offset = _join(current, line, words)
            current.places.append((number, offset))
            if index == 0:
                current.page_starts.append((number, offset))
    return done


def _usual_pitch(lines: list[Line]) -> float:
    gaps = [above.bottom - below.bottom for above, below in pairwise(lines)]
    usual = [gap for gap in gaps if 2 < gap < 60]
    return sorted(usual)[len(usual) // 3] if usual else 0.0


def _starts_paragraph(current: _Paragraph, before: Line | None, line: Line, pitch: float, right: float) -> bool:
    last = current.lines[-1]
    if line.is_row or last.is_row:
        return True
    if _opens_clause(line.text, last.text, indented=line.left != last.left):
        return True
    if before is None:
        return _starts_after_page_break(last, line)
    gap = before.bottom - line.bottom
    if not line.size or not before.size:
        return line.text[0].isupper() and (before.text.endswith(_ENDS) or _is_numbered_heading(before.text))
    if -1 < gap < 0.5 * max(pitch, 1):
        return False  # the same line, torn apart by a wide blank
    if gap > _WIDE_GAP * pitch or gap < -1:
        return not (gap < -1 and line.text[0].islower())
    return _looks_new(current, before, line, right)


def _looks_new(current: _Paragraph, before: Line, line: Line, right: float) -> bool:
    """By type, indent and length of the line before."""
    is_short, ended = before.right < _SHORT_LINE * right, before.text.endswith(_ENDS)
    if abs(line.size - before.size) > 0.15 * before.size:
        return True
    if is_short and (line.bold != before.bold or is_capitals(before.text) != is_capitals(line.text)):
        return True
    if is_short and abs(line.left - before.left) > _SHIFT and abs(_centre(line) - _centre(before)) > _INDENT:
        return True
    if is_short and len(current.lines) == 1 and line.text[0].isupper() and _is_numbered_heading(before.text):
        return True
    if line.left > before.left + _INDENT and ended and len(current.lines) > 1:
        return True
    return ended and is_short and not line.text[0].islower()


def _centre(line: Line) -> float:
    return (line.left + line.right) / 2


def _is_numbered_heading(text: str) -> bool:
    marker = read_marker(text)
    return marker is not None and reads_as_heading(text[marker.end :], numbered=True)


def _starts_after_page_break(last: Line, line: Line) -> bool:
    if last.text.endswith(tuple(".:!?")):
        return True
    if line.text[0].islower() or last.text.endswith((",", "-")):
        return False
    return is_capitals(line.text) or is_capitals(last.text) or last.text.endswith(";")


def _opens_clause(text: str, before: str, *, indented: bool) -> bool:
    """A line that starts with a number or bullet, where the line before does not run on into it."""
    bullet = read_bullet(text)
    if bullet is not None and text[0] in "•●○▪◦·■□➢✓":
        return True
    marker = read_marker(text)
    if marker is None:
        return False
    rest = text[marker.end :].lstrip(' "“(')
    if before.endswith(_ENDS) or is_capitals(before):
        return True
    return _is_strong(marker, rest) and (indented or before.endswith((",", "and", "or")) or len(marker.values) > 1)


def _is_strong(marker: Marker, rest: str) -> bool:
    if marker.scheme in (Scheme.LETTER, Scheme.ROMAN) or marker.form == "()":
        return marker.form.startswith("(")
    return (
        bool(rest)
        and rest[0].isupper()
        and (marker.named or run_in_heading(rest) is not None or len(marker.values) > 1)
    )


def _join(paragraph: _Paragraph, line: Line, words: Counter[str]) -> int:
    """Append a line; the offset in the paragraph's text at which it starts."""
    if paragraph.lines:
        last = paragraph.parts[-1]
        if last.endswith("-") and not last.endswith((" -", "--")) and line.text[0].isalpha():
            if _drops_hyphen(last, line.text, words):
                paragraph.parts[-1] = last[:-1]
                paragraph.length -= 1
        else:
            paragraph.parts.append(" ")
            paragraph.length += 1
    offset = paragraph.length
    paragraph.lines.append(line)
    paragraph.parts.append(line.text)
    paragraph.length += len(line.text)
    return offset


def _drops_hyphen(text: str, after: str, words: Counter[str]) -> bool:
    head, tail = _WORD.findall(text[-60:-1])[-1:], _WORD.match(after)
    if not head or tail is None or not after[0].islower():
        return False
    first, second = head[0].lower(), tail.group().lower()
    joined, hyphened = words[first + second], words[f"{first}-{second}"]
    if joined or hyphened:
        return joined > hyphened
    return first.rsplit("-", 1)[-1] not in _PREFIXES and "-" not in first and len(first) > 1


def _is_emphasised(paragraph: _Paragraph, usual_size: float) -> bool:
    return all(line.bold or (usual_size and line.size > 1.15 * usual_size) for line in paragraph.lines)
