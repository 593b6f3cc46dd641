"""Cutting spans of a text to size, at the best places there are: what every chunker needs.

A span is `(start, end)` in characters of the document's text. Blanks at its ends do not count for its length
and are trimmed before it becomes a chunk.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence

Span = tuple[int, int]
Cuts = Callable[[str, int, int], Iterable[int]]

_ABBREVIATIONS = (
    r"(?<![\s.(][A-Z]\.)(?<!\b(?:No|Co|vs|cf)\.)(?<!\b(?:Inc|Ltd|Sec|Art|Nos)\.)(?<!\b(?:Corp|Secs|Arts)\.)"
)
SENTENCE = re.compile(_ABBREVIATIONS + r"(?<=[.?!])[\"”’)\]]{0,2}\s+(?=[\"“‘(\[]?[A-ZÀ-Ý\d(])")
ANY_SENTENCE = re.compile(rf"(?<=[。！？])|{_ABBREVIATIONS}(?<=[.?!؟।…])[\"”’»)\]]{{0,2}}\s+(?![a-zß-ÿа-я])")
PARAGRAPH = re.compile(r"\n[^\S\n]*\n\s*")
LINE = re.compile(r"\n\s*")
ENUMERATION = re.compile(
    r"(?<=[;:,])(?:\s+(?:and|or|und|oder|et|ou|y|o|e))?\s+(?=\((?:[a-zA-Z]{1,2}|[ivx]{1,5}|\d{1,2})\)\s)|(?<=;)\s+"
)
BLANK = re.compile(r"\s+")


def among(places: list[int]) -> Cuts:
    """Cuts at those of the sorted `places` that lie inside a span."""
    return lambda _text, start, end: places[bisect_right(places, start) : bisect_left(places, end)]


def after(pattern: re.Pattern[str]) -> Cuts:
    """Cuts behind what the pattern finds in a span."""
    return lambda text, start, end: (found.end() for found in pattern.finditer(text, start, end))


def cut_spans(text: str, spans: list[Span], cuts: Cuts, limit: int) -> list[Span]:
    """Spans above the limit cut at `cuts`, the parts packed again as full as the limit allows."""
    result: list[Span] = []
    for span in spans:
        if length(text, span) <= limit:
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


def cut_to_size(text: str, spans: list[Span], ways: Sequence[Cuts], limit: int) -> list[Span]:
    """Spans of at most `limit` characters: cut in the first way that there is, then the next, at last anywhere."""
    for cuts in ways:
        spans = cut_spans(text, spans, cuts, limit)
    return [piece for span in spans for piece in _cut_anywhere(text, span, limit)]


def _cut_anywhere(text: str, span: Span, limit: int) -> list[Span]:
    """Text without a blank for longer than the limit, cut where the limit falls."""
    start, end = trim(text, *span)
    return [(place, min(place + limit, end)) for place in range(start, end, limit)]


def trimmed(text: str, spans: Iterable[Span]) -> list[Span]:
    """The spans without blanks at their ends; those of blanks alone are left out."""
    return [span for span in (trim(text, *each) for each in spans) if span[0] < span[1]]


def length(text: str, span: Span) -> int:
    """Characters of the span without blanks at its ends."""
    start, end = trim(text, *span)
    return end - start


def trim(text: str, start: int, end: int) -> Span:
    """The span without blanks at its ends."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
