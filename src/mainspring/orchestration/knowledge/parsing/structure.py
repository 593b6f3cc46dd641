"""From pieces to blocks: headings, numbered clauses, list items, with number and level.

A piece of plain text may hold many clauses (a whole contract on one line is common in
public filings), so its lines, and the sentences in them, are searched for numbers that
continue the outline. Pieces of PDF and DOCX are paragraphs already and are searched the
same way, as their files too glue clauses together.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from mainspring.orchestration.knowledge.types import Block, BlockKind

from .headings import is_capitals, reads_as_heading, run_in_heading
from .markers import Marker, Scheme, read_bullet, read_marker, without_number
from .outline import Outline, Place
from .pieces import Piece, PieceKind

_LINE_START = re.compile(r"(?m)^[ \t>|]*(?=[^\s])")
_WIDE_BLANK = re.compile(
    r"(?:(?<=[.;:,)\"”])[ \t]{2,}(?=[(•●○\dA-Z])|(?<=\S)[ \t]{2,}(?=\([a-zA-Z]{1,4}\)[ \t]+[\"“]?[A-Z]))"
)
_DECIMAL_START = re.compile(r"(?<=\S)[ \t]+(?=\d{1,2}(?:\.\d{1,3}){1,3}\.?[ \t]+[\"“(]?[A-ZÀ-Ý])")
_REFERS = re.compile(
    r"(?i)(?:,|§|\b(?:sections?|articles?|clauses?|(?:sub)?paragraphs?|subsections?|schedules?|exhibits?|appendix|items?|and|or|to|of|in|"
    r"under|by|with|through|version|than))\Z"
)
_INLINE_START = re.compile(
    r"(?<=[.;:!?)\"”\d])[ \t]+"
    r"(?=(?:\d{1,2}(?:\.\d{1,3}){1,3}\.?|\d{1,2}\.|"
    r"(?:ARTICLE|Article|SECTION|Section|§)[ \t]+[\dIVXLC]+(?:\.\d+)*[.:]?)"
    r"[ \t]+[\"“(]?[A-ZÀ-Ý])"
)
_PAGE_MARK = re.compile(
    r"(?i)\s*(?:[-–—]{1,2}\s*)?(?:page\s+)?(?:\d{1,4}|[ivx]{1,6})(?:\s*(?:of|/)\s*\d{1,4})?(?:\s*[-–—]{1,2})?\s*\Z"
)
_SETTLED = {
    PieceKind.FURNITURE: BlockKind.FURNITURE,
    PieceKind.TABLE_ROW: BlockKind.TABLE_ROW,
    PieceKind.MESSAGE: BlockKind.MESSAGE,
    PieceKind.QUOTE: BlockKind.QUOTE,
}
_RUNNING_LENGTH = 120
_LINE_LENGTH = 160
_RUNNING_REPEATS = 2
_STYLED_HEADING_LENGTH = 150
_PROSE_LENGTH = 40  # a paragraph at least this long makes the short line above it a heading
_BULLETS_MID_PIECE = frozenset("•●○▪◦‣·■□➢✓")
_NEEDS_CAPITAL = re.compile(r"[\s\"“”'‘(\[*_]*(?:[^\W\d_a-zß-öø-ÿ]|$|[\d$€£•\[({_])")


def find_blocks(text: str, pieces: tuple[Piece, ...]) -> tuple[Block, ...]:
    """The blocks of `text`, in order, not overlapping; every non-blank character of a piece is in one."""
    outline = Outline()
    running = _running_lines(text, pieces)
    blocks: list[Block] = []
    for piece in pieces:
        if piece.verbatim and _is_furniture(text, piece, running):
            blocks.append(Block(BlockKind.FURNITURE, piece.start, piece.end))
        elif (kind := _SETTLED.get(piece.kind)) is not None:
            blocks.append(Block(kind, piece.start, piece.end, attributes=piece.attributes))
        else:
            blocks.extend(_blocks_of(text, piece, outline))
    return _without_loose_headings(text, blocks, pieces)


def _without_loose_headings(text: str, blocks: list[Block], pieces: tuple[Piece, ...]) -> tuple[Block, ...]:
    """Short unnumbered lines in title case are headings only when prose or a clause follows; else form fields."""
    marked = {piece.start for piece in pieces if piece.heading_level is not None or piece.kind is PieceKind.TITLE}
    result: list[Block] = []
    after: Block | None = None
    for block in reversed(blocks):
        is_loose = block.kind is BlockKind.HEADING and block.number is None and block.start not in marked
        if is_loose and not is_capitals(text[block.start : block.end]) and not _is_prose(after):
            block = replace(block, kind=BlockKind.PARAGRAPH, level=None)  # noqa: PLW2901 - the block as it is kept
        result.append(block)
        after = block if block.kind is not BlockKind.FURNITURE else after
    return tuple(reversed(result))


def _is_prose(block: Block | None) -> bool:
    """Whether the block is what stands below a heading."""
    if block is None or block.kind in _SETTLED.values():
        return False
    return block.number is not None or (
        block.kind is not BlockKind.HEADING and block.end - block.start >= _PROSE_LENGTH
    )


def _running_lines(text: str, pieces: tuple[Piece, ...]) -> frozenset[str]:
    """Short paragraphs of plain text that come back beside page numbers: headers and footers."""
    lines = [
        text[piece.start : min(piece.end, piece.start + _RUNNING_LENGTH + 1)] for piece in pieces if piece.verbatim
    ]
    marks = [bool(_PAGE_MARK.match(line)) for line in lines]
    around = [False, *marks, False]
    beside = [around[index] or around[index + 2] for index in range(len(lines))]
    keys = [_without_digits(line) for line in lines]
    everywhere = Counter(keys)
    counts = Counter(
        key for key, near, line in zip(keys, beside, lines, strict=True) if near and len(line) <= _RUNNING_LENGTH
    )
    return frozenset(key for key, count in counts.items() if count >= _RUNNING_REPEATS and 2 * count >= everywhere[key])


def _is_furniture(text: str, piece: Piece, running: frozenset[str]) -> bool:
    if piece.end - piece.start > _RUNNING_LENGTH:
        return False
    line = text[piece.start : piece.end]
    return bool(_PAGE_MARK.match(line)) or (_without_digits(line) in running and not read_marker(line.lstrip()))


def _without_digits(line: str) -> str:
    return re.sub(r"\d+", "#", line.strip().lower())


def _blocks_of(text: str, piece: Piece, outline: Outline) -> Iterator[Block]:
    cuts = list(_cuts(text, piece, outline))
    starts = [start for start, _ in cuts]
    for (start, block), end in zip(cuts, [*starts[1:], piece.end], strict=True):
        stripped = start + len(text[start:end].rstrip())
        if stripped > start:
            yield _finish(text, block, stripped, piece)


def _cuts(text: str, piece: Piece, outline: Outline) -> Iterator[tuple[int, Block]]:
    """Where blocks start inside the piece, each with its kind, number and level still to be finished."""
    head = piece.start + len(text[piece.start : piece.end]) - len(text[piece.start : piece.end].lstrip())
    yield head, _opened(text, piece, head, outline)
    if piece.heading_level is not None or piece.kind is PieceKind.TITLE or piece.settled:
        return
    for start, place in _candidates(text, piece, head):
        if place is Place.LINE and text[start] in _BULLETS_MID_PIECE and read_bullet(text, start):
            yield start, Block(BlockKind.LIST_ITEM, start, start)
        elif place is Place.LINE and _is_capital_line(text, piece, start):
            outline.close_letters()
            yield start, Block(BlockKind.HEADING, start, start, None, 0)
        else:
            found = _numbered(text, piece.end, start, place, outline)
            if found is not None:
                yield start, Block(BlockKind.PARAGRAPH, start, start, *found)


def _candidates(text: str, piece: Piece, head: int) -> list[tuple[int, Place]]:
    starts = {found.end(): Place.INLINE for found in _INLINE_START.finditer(text, head, piece.end)}
    for found in _DECIMAL_START.finditer(text, head, piece.end):
        if not _REFERS.search(text[max(head, found.start() - 16) : found.start()]):
            starts[found.end()] = Place.INLINE
    if piece.verbatim:  # contracts on one line keep their line ends as wide blanks
        starts.update({found.end(): Place.LINE for found in _WIDE_BLANK.finditer(text, head, piece.end)})
    starts.update({found.end(): Place.LINE for found in _LINE_START.finditer(text, head, piece.end)})
    starts.pop(head, None)
    return sorted((start, place) for start, place in starts.items() if start < piece.end)


def _opened(text: str, piece: Piece, head: int, outline: Outline) -> Block:
    """The block that the piece opens with."""
    if piece.kind is PieceKind.BULLET:
        return Block(BlockKind.LIST_ITEM, head, head)
    found = _numbered(text, piece.end, head, Place.PARAGRAPH, outline, trusted=piece.number is not None)
    if found is not None:
        return Block(BlockKind.PARAGRAPH, head, head, *found)
    if piece.number is not None:
        return Block(BlockKind.LIST_ITEM, head, head, piece.number, piece.heading_level)
    if read_bullet(text, head) is not None and not piece.settled:
        return Block(BlockKind.LIST_ITEM, head, head)
    if piece.heading_level is not None or is_capitals(text[head : piece.end].split("\n", 1)[0]):
        outline.close_letters()
    return Block(BlockKind.PARAGRAPH, head, head)


def _numbered(
    text: str, end: int, start: int, place: Place, outline: Outline, *, trusted: bool = False
) -> tuple[str, int] | None:
    """Number and level when a number stands at `start` and fits the outline."""
    marker = read_marker(text, start)
    if marker is None or marker.end > end:
        return None
    if not trusted and not _may_follow(text, end, marker, place):
        return None
    placed = outline.place(marker, place)
    return (placed[0].text, placed[1]) if placed else None


def _may_follow(text: str, end: int, marker: Marker, place: Place) -> bool:
    """What comes after a number looks like the start of a clause."""
    rest = text[marker.end : min(end, marker.end + 12)]
    if place is Place.PARAGRAPH and (
        marker.named or marker.scheme in (Scheme.LETTER, Scheme.ROMAN) or marker.form == "()"
    ):
        return True
    if place is Place.LINE and (marker.form.startswith("(") or marker.scheme in (Scheme.LETTER, Scheme.ROMAN)):
        return True
    return bool(_NEEDS_CAPITAL.match(rest)) or (place is Place.PARAGRAPH and len(marker.values) > 1)


def _is_capital_line(text: str, piece: Piece, start: int) -> bool:
    """A line in capitals between lines that are not: a heading, not a disclaimer in capitals."""
    if not piece.verbatim:
        return False
    line = _line_from(text, start, piece.end)
    if read_marker(line) or not is_capitals(line) or not reads_as_heading(line):
        return False
    head = text[max(piece.start, start - _LINE_LENGTH) : start]
    before = head.rstrip(" \t").rstrip("\n").rpartition("\n")[2]
    after = _line_from(text, start + len(line) + 1, piece.end)
    return head.rstrip(" \t").endswith("\n") and not is_capitals(before) and not is_capitals(after)


def _line_from(text: str, start: int, end: int) -> str:
    """The line that starts at `start`, as far as it can matter."""
    return text[start : min(end, start + _LINE_LENGTH)].split("\n", 1)[0]


def _finish(text: str, block: Block, end: int, piece: Piece) -> Block:
    """The block with its end, and with its kind settled by how it reads."""
    kind, level = block.kind, block.level
    is_styled = piece.heading_level is not None or piece.kind is PieceKind.TITLE
    if is_styled and _is_short_heading(text[block.start : end]):
        kind = BlockKind.HEADING
        level = level if block.number is not None else piece.heading_level or 0
    elif kind is BlockKind.PARAGRAPH:
        kind = _kind(text, block, end, piece)
        level = 0 if kind is BlockKind.HEADING and level is None else level
    return Block(kind, block.start, end, block.number, level, piece.attributes)


def _is_short_heading(text: str) -> bool:
    """Whole clauses stand in heading styles where Word numbers them; those are not headings."""
    rest = without_number(text)
    run_in = run_in_heading(rest)
    return len(text) <= _STYLED_HEADING_LENGTH and (run_in is None or len(rest) < len(run_in) + 15)


def _kind(text: str, block: Block, end: int, piece: Piece) -> BlockKind:
    if piece.settled:
        return BlockKind.LIST_ITEM if piece.number is not None else BlockKind.PARAGRAPH
    if block.number is None:
        is_heading = reads_as_heading(text[block.start : end], emphasised=piece.emphasised)
        return BlockKind.HEADING if is_heading else BlockKind.PARAGRAPH
    marker = read_marker(text, block.start)
    rest = text[marker.end if marker else block.start : end]
    if reads_as_heading(rest, numbered=True) and not (marker and marker.form.startswith("(") and len(rest) < 4):
        return BlockKind.HEADING
    is_item = marker is not None and (marker.scheme in (Scheme.LETTER, Scheme.ROMAN) or marker.form in ("()", ")"))
    return BlockKind.LIST_ITEM if is_item else BlockKind.PARAGRAPH
