"""`chunk_by_clause`: what a lawyer would cite as one clause becomes one chunk.

Blocks are joined into clauses: a number or heading opens one, list items and unnumbered
paragraphs go on with it. Clauses that are too short join a neighbour below the same
heading; clauses that are too long are cut at their list items, else at paragraphs, else at
sentences and enumerations, else at blanks. A heading always stays with what it heads.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mainspring.orchestration.knowledge.types import Block, BlockKind, Chunk, ParsedDocument

from .places import Place, find_places
from .protocol import Chunker, Cutter
from .settings import ClauseChunking
from .tokens import estimate_tokens

CHUNKER_VERSION = "clause-2"  # goes up when the same document may be cut in another way

_SENTENCE = re.compile(
    r"(?<![\s.(][A-Z]\.)(?<!\b(?:No|Co|vs|cf)\.)(?<!\b(?:Inc|Ltd|Sec|Art|Nos)\.)(?<!\b(?:Corp|Secs|Arts)\.)"
    r"(?<=[.?!])[\"”’)\]]{0,2}\s+(?=[\"“‘(\[]?[A-ZÀ-Ý\d(])"
)
_ENUMERATION = re.compile(
    r"(?<=[;:,])(?:\s+(?:and|or|und|oder|et|ou|y|o|e))?\s+(?=\((?:[a-zA-Z]{1,2}|[ivx]{1,5}|\d{1,2})\)\s)|(?<=;)\s+"
)
_BLANK = re.compile(r"\s+")


DEFAULT_CHUNKING = ClauseChunking()


@dataclass(frozen=True, slots=True)
class _Clause:
    start: int
    end: int
    is_heading: bool  # nothing but headings
    opens_section: bool  # starts with a heading or at the top level


def chunk_by_clause(document: ParsedDocument, *, settings: ClauseChunking = DEFAULT_CHUNKING) -> tuple[Chunk, ...]:
    """Chunks in reading order that do not overlap and hold all of the text but the blanks between them.

    Each chunk's text is `document.text[start:end]`, without blanks at its ends. The same
    document and settings give the same chunks. Linear in the length of the text.
    """
    text, blocks = document.text, document.blocks
    clauses = _joined(text, _clauses(text, blocks), settings)
    starts = [block.start for block in blocks if block.number or _ends_before(text, block.start)]
    items = [block.start for block in blocks if block.kind is BlockKind.LIST_ITEM]
    spans = [span for clause in clauses for span in _pieces(text, clause, starts, items, settings)]
    trimmed = [span for span in (_trim(text, *span) for span in spans) if span[0] < span[1]]
    places = find_places(document, trimmed)
    return tuple(
        _chunk(document, index, span, place) for index, (span, place) in enumerate(zip(trimmed, places, strict=True))
    )


def _chunk(document: ParsedDocument, index: int, span: tuple[int, int], place: Place) -> Chunk:
    start, end = span
    text = document.text[start:end]
    return Chunk(index, start, end, text, place.number, place.heading_path, place.page, estimate_tokens(text))


def _clauses(text: str, blocks: tuple[Block, ...]) -> list[_Clause]:
    """The document cut before every block that opens a clause."""
    found: list[_Clause] = []
    start, is_heading, opens_section = 0, True, False
    for block in blocks:
        if block.start > start and _opens_clause(block):
            _append(found, text, _Clause(start, block.start, is_heading and bool(found or start), opens_section))
            start, is_heading, opens_section = block.start, True, _opens_section(block)
        is_heading = is_heading and block.kind in (BlockKind.HEADING, BlockKind.FURNITURE)
    _append(found, text, _Clause(start, len(text), is_heading, opens_section))
    return found


def _append(found: list[_Clause], text: str, clause: _Clause) -> None:
    if text[clause.start : clause.end].strip():
        found.append(clause)


def _opens_clause(block: Block) -> bool:
    if block.kind is BlockKind.HEADING:
        return True
    return block.number is not None and block.kind is BlockKind.PARAGRAPH


def _ends_before(text: str, place: int) -> bool:
    """Whether the text before a block ends there: no sentence runs on over a page break."""
    before = text[max(0, place - 40) : place].rstrip()
    return not before or before[-1] in '.;:?!"”’)_'


def _opens_section(block: Block) -> bool:
    return block.kind is BlockKind.HEADING or block.level == 0


def _joined(text: str, clauses: list[_Clause], settings: ClauseChunking) -> list[_Clause]:
    """Headings joined to what they head, short clauses to a neighbour of their section."""
    joined: list[_Clause] = []
    for clause in clauses:
        last = joined[-1] if joined else None
        if last is not None and _may_join(text, last, clause, settings):
            joined[-1] = _Clause(last.start, clause.end, last.is_heading and clause.is_heading, last.opens_section)
        else:
            joined.append(clause)
    return joined


def _may_join(text: str, last: _Clause, clause: _Clause, settings: ClauseChunking) -> bool:
    if last.is_heading:
        return True
    if clause.end - last.start > settings.max_chars:
        return False
    is_short = _shown_length(text, last) < settings.min_chars
    return is_short and not clause.opens_section


def _shown_length(text: str, clause: _Clause) -> int:
    return len(text[clause.start : clause.end].strip())


def _pieces(
    text: str, clause: _Clause, starts: list[int], items: list[int], settings: ClauseChunking
) -> list[tuple[int, int]]:
    """The clause as it is, or cut into pieces of at most `max_chars`, at the best places there are."""
    span = (clause.start, clause.end)
    if _length(text, span) <= settings.item_chars:
        return [span]
    spans = _cut(text, [span], _among(items), settings.item_chars)
    for cuts in (_among(starts), _after(_SENTENCE), _after(_ENUMERATION), _after(_BLANK)):
        spans = _cut(text, spans, cuts, settings.max_chars)
    return [piece for span in spans for piece in _hard_cut(text, span, settings.max_chars)]


_Cuts = Callable[[str, int, int], Iterable[int]]


def _among(places: list[int]) -> _Cuts:
    return lambda _text, start, end: places[bisect_right(places, start) : bisect_left(places, end)]


def _after(pattern: re.Pattern[str]) -> _Cuts:
    return lambda text, start, end: (found.end() for found in pattern.finditer(text, start, end))


def _cut(text: str, spans: list[tuple[int, int]], cuts: _Cuts, limit: int) -> list[tuple[int, int]]:
    """Spans above the limit cut at `cuts`, the parts packed again as full as the limit allows."""
    result: list[tuple[int, int]] = []
    for span in spans:
        if _length(text, span) <= limit:
            result.append(span)
            continue
        start, end = place, _ = span
        for cut in [*cuts(text, place, end), end]:
            if cut - start > limit and place > start:
                result.append((start, place))
                start = place
            place = cut
        result.append((start, end))
    return result


def _hard_cut(text: str, span: tuple[int, int], limit: int) -> list[tuple[int, int]]:
    """Text without a blank for longer than the limit, cut where the limit falls."""
    start, end = _trim(text, *span)
    return [(place, min(place + limit, end)) for place in range(start, end, limit)]


def _length(text: str, span: tuple[int, int]) -> int:
    start, end = _trim(text, *span)
    return end - start


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def _cut_by_settings(document: ParsedDocument, settings: ClauseChunking) -> tuple[Chunk, ...]:
    return chunk_by_clause(document, settings=settings)


CLAUSES: Chunker[ClauseChunking] = Cutter("clause", CHUNKER_VERSION.removeprefix("clause-"), _cut_by_settings)
"""The chunker for contracts."""
