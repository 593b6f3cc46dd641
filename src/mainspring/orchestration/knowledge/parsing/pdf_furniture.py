"""Running headers, footers and page numbers: what stands at the edge of many pages alike.

Digits are made equal before lines are compared, so that "Page 3 of 9" repeats. Nothing
that carries a clause number is taken for furniture unless it says page.
"""

import re
from collections import Counter

from .markers import read_marker
from .pdf_lines import Line

_EDGE_LINES = 4
_LEAST_REPEATS = 3
_REPEAT_SHARE = 0.5
_PAGE_NUMBER = re.compile(
    r"(?i)[-–—|\s]*(?:page\s*)?(?:[a-z]{1,2}-)?(?:\d{1,4}|[ivx]{1,6})(?:\s*(?:of|/)\s*\d{1,4})?[-–—|\s.]*\Z"
)
_SAYS_PAGE = re.compile(r"(?i)\bpage\s*\d|\bseite\s*\d|\bsource:\s")


def without_furniture(pages: list[list[Line]]) -> list[list[Line]]:
    """The pages without the lines at their edges that are not part of the text."""
    if len(pages) < 2:
        return pages
    counts = Counter(key for lines in pages for key in {_key(line) for line in _edges(lines)})
    written = sum(1 for lines in pages if lines)
    least = max(_LEAST_REPEATS if written > 2 else 2, round(written * _REPEAT_SHARE))
    running = {key for key, count in counts.items() if count >= least}
    return [_trim(lines, running, number) for number, lines in enumerate(pages, 1)]


def _edges(lines: list[Line]) -> list[Line]:
    if len(lines) <= 2 * _EDGE_LINES:
        return lines
    return lines[:_EDGE_LINES] + lines[-_EDGE_LINES:]


def _key(line: Line) -> str:
    return re.sub(r"\d+|\b[ivxlc]+\b", "#", line.text.lower())


def _trim(lines: list[Line], running: set[str], number: int) -> list[Line]:
    """Take furniture off both ends, at most `_EDGE_LINES` lines of each, until a line of the text is met."""
    start, end = 0, len(lines)
    while start < min(_EDGE_LINES, end) and _is_furniture(lines[start], running, number):
        start += 1
    while end > max(start, len(lines) - _EDGE_LINES) and _is_furniture(lines[end - 1], running, number):
        end -= 1
    kept = lines[start:end]
    numbers = [
        index for index in (0, len(kept) - 1) if 0 <= index < len(kept) and kept[index].text.strip("- ") == str(number)
    ]
    return [line for index, line in enumerate(kept) if index not in numbers]


def _is_furniture(line: Line, running: set[str], number: int) -> bool:
    if _PAGE_NUMBER.match(line.text):
        digits = re.search(r"\d+", line.text)
        return not digits or abs(int(digits.group()) - number) <= 60 or "page" in line.text.lower()
    if _key(line) not in running:
        return False
    return bool(_SAYS_PAGE.search(line.text)) or read_marker(line.text) is None
