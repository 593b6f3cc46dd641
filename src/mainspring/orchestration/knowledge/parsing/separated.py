"""CSV and its like: the separator is the one by which most rows get the same number of cells."""

import csv
import itertools
from collections import Counter

from mainspring.orchestration.knowledge.errors import BrokenDocument

from .limits import ParseLimits
from .pieces import Source, TextBuilder
from .plain import decode_text
from .refusals import too_many_cells
from .tables import add_rows, shown_cell

_SEPARATORS = ",;\t|"
_SAMPLE_ROWS = 50
_SAMPLE_CHARACTERS = 65_536


def read_separated(content: bytes, *, filename: str, limits: ParseLimits) -> Source:
    """The rows of a table in text; raises what `decode_text` raises, BrokenDocument, FileTooLarge."""
    text, warnings = decode_text(content, filename=filename, limits=limits)
    rows = _rows(text, filename, limits)
    width = max(map(len, rows), default=0)
    uneven = len({len(row) for row in rows}) > 1
    if width * len(rows) > 10 * limits.max_cells:
        raise too_many_cells(filename, limits)
    builder = TextBuilder()
    add_rows(builder, [row + [""] * (width - len(row)) for row in rows], {})
    if uneven:
        warnings = (*warnings, "Its rows have different numbers of cells; short ones were filled with empty cells.")
    return Source(builder.text(), tuple(builder.pieces), warnings=warnings)


def _rows(text: str, filename: str, limits: ParseLimits) -> list[list[str]]:
    rows, count = list[list[str]](), 0
    try:
        for row in csv.reader(text.splitlines(keepends=True), delimiter=_separator(text), skipinitialspace=True):
            cells = [shown_cell(cell) for cell in row]
            if not any(cells):
                continue
            count += len(cells)
            if count > limits.max_cells:
                raise too_many_cells(filename, limits)
            rows.append(cells)
    except csv.Error as error:
        raise BrokenDocument(
            f"{filename} is no sound table in text: a cell runs on beyond {csv.field_size_limit():,} characters, as "
            "after a quotation mark that is never closed. Mend it, or send it as plain text (.txt)."
        ) from error
    return rows


def _separator(text: str) -> str:
    """The separator that cuts the most rows of the beginning alike, into more than one cell."""
    sample = text[:_SAMPLE_CHARACTERS].splitlines(keepends=True)[:_SAMPLE_ROWS]
    return max(_SEPARATORS, key=lambda separator: _evenness(sample, separator))


def _evenness(sample: list[str], separator: str) -> tuple[int, int]:
    try:
        rows = list(itertools.islice(csv.reader(sample, delimiter=separator, skipinitialspace=True), _SAMPLE_ROWS))
    except csv.Error:
        return 0, 0
    width, times = Counter(len(row) for row in rows if row).most_common(1)[0] if any(rows) else (0, 0)
    return (times, width) if width > 1 else (0, 0)
