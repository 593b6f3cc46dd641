"""The order in which a page is read: columns written line by line across come apart, tables come together.

Most programs write columns one after the other, and their order is kept. Where lines run
across a gutter that most of the page shares, the left column is read first. A table shows
itself by steps to the right: row after row, cells that start beside the one before them,
in columns that the rows share. Its rules are not looked for; most tables have none.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import inf
from statistics import median

from .markers import read_bullet, read_marker
from .pdf_lines import Cell, Line

_LEAST_ACROSS = 8  # lines across a gutter, and half of the page, make two columns of it
_COLUMN_SHARE = 0.28  # of the width of the text, at least, is a column of prose wide
_NEAR = 4.0  # points between edges that count as aligned
_LONG_CELL = 400  # characters; what has longer cells is no table
_PAGE = re.compile(r"(?:\d{1,4}|[ivxlc]{1,7})\Z", re.IGNORECASE)
_RISE = 6  # of its height, at most, a cell begins above the last line of the cell before it
_PITCH = 1.7  # of its height, at most, a line of a cell stands below the one above


def arrange(lines: Sequence[Line]) -> list[Line]:
    """The lines of a page in reading order, tables as one line for each row."""
    whole = [_with_marker_joined(line) for line in lines]
    if not any(line.cells for line in whole) and not _steps_back_up(whole):
        return list(lines)
    return _join_rows(_split_columns(whole))


def _steps_back_up(lines: Sequence[Line]) -> bool:
    """Whether a line stands beside or above the one before it, as cells of several lines do."""
    return any(below.bottom > above.bottom + 1 for above, below in pairwise(lines))


def _with_marker_joined(line: Line) -> Line:
    """A clause number or a bullet and the text behind it are one cell."""
    cells = line.cells
    while len(cells) > 1 and _is_marker(cells[0].text):
        cells = (Cell(f"{cells[0].text} {cells[1].text}", cells[0].left, cells[1].right), *cells[2:])
    return replace(line, cells=cells if len(cells) > 1 else ()) if cells != line.cells else line


def _is_marker(text: str) -> bool:
    marker = read_marker(text)
    end = marker.end if marker else read_bullet(text + " ")
    return end is not None and len(text[end:].strip(" .)")) == 0


def _split_columns(lines: Sequence[Line]) -> list[Line]:
    gutter = _gutter(lines)
    if gutter is None:
        return list(lines)
    ordered, left, right = list[Line](), list[Line](), list[Line]()
    for line in lines:
        if len(line.cells) == 2 and line.cells[0].right <= gutter <= line.cells[1].left:
            left.append(_of_cell(line, line.cells[0]))
            right.append(_of_cell(line, line.cells[1]))
        elif line.right <= gutter:
            left.append(line)
        elif line.left >= gutter:
            right.append(line)
        else:  # a line over both columns, such as a heading
            ordered += [*left, *right, line]
            left, right = [], []
    return [*ordered, *left, *right]


def _gutter(lines: Sequence[Line]) -> float | None:
    """The middle of the blank between two columns of prose that are written across, None where there are none."""
    across = [line for line in lines if len(line.cells) == 2]
    if len(across) < _LEAST_ACROSS or 2 * len(across) < len(lines):
        return None
    middle = (max(line.right for line in lines) + min(line.left for line in lines)) / 2
    gutter = median((line.cells[0].right + line.cells[1].left) / 2 for line in across)
    sides = median(line.cells[0].right for line in across), median(line.cells[1].left for line in across)
    gutter = middle if sides[0] <= middle <= sides[1] else gutter
    held = [line for line in across if line.cells[0].right <= gutter <= line.cells[1].left]
    least = _COLUMN_SHARE * (max(line.right for line in lines) - min(line.left for line in lines))
    wide = all(median(line.cells[side].right - line.cells[side].left for line in across) >= least for side in (0, 1))
    return gutter if wide and 2 * len(held) >= len(lines) and len(held) >= _LEAST_ACROSS else None


def _of_cell(line: Line, cell: Cell) -> Line:
    return replace(line, text=cell.text, left=cell.left, right=cell.right, cells=())


@dataclass(slots=True)
class _Row:
    """Cells from left to right, each of the lines that stand in it."""

    cells: list[list[Line]]
    sources: list[Line] = field(default_factory=list[Line])

    def text(self) -> str:
        return " | ".join(" ".join(line.text for line in cell) for cell in self.cells)

    def edges(self) -> list[tuple[float, float]]:
        return [(min(line.left for line in cell), max(line.right for line in cell)) for cell in self.cells]

    def is_short(self) -> bool:
        return all(sum(len(line.text) for line in cell) <= _LONG_CELL for cell in self.cells)

    def as_line(self) -> Line:
        pieces = [line for cell in self.cells for line in cell]
        bottom = min(line.bottom for line in pieces)
        return replace(
            pieces[0],
            text=self.text(),
            right=max(line.right for line in pieces),
            bottom=bottom,
            size=max(line.bottom + line.size for line in pieces) - bottom,
            cells=(),
            is_row=True,
        )


def _join_rows(lines: Sequence[Line]) -> list[Line]:
    """Runs of rows whose columns are aligned become tables; all other lines stay as they are."""
    arranged, table = list[Line](), list[_Row]()
    for row in _rows(lines):
        if len(row.cells) > 1 and (not table or _are_aligned(table[-1], row)):
            table.append(row)
            continue
        arranged += _settled(table)
        table = [row] if len(row.cells) > 1 else []
        arranged += row.sources if not table else []
    return arranged + _settled(table)


def _settled(table: list[_Row]) -> list[Line]:
    is_table = _has_columns(table) and all(row.is_short() for row in table)
    is_table = is_table and not _are_clauses(table) and not all(row.text()[0].islower() for row in table)
    return [line for row in table for line in ([row.as_line()] if is_table else row.sources)]


def _has_columns(table: list[_Row]) -> bool:
    """Whether blanks run down through all rows; in prose set wide they do not. Two rows need two wide ones."""
    if len(table) < 2:
        return False
    size = median(row.cells[0][0].size for row in table)
    needed = max(min(len(row.cells) for row in table) - 1, 2 if len(table) == 2 else 1)
    return len(_stripes(table, size * (2 if len(table) == 2 else 1))) >= needed


def _stripes(table: list[_Row], width: float) -> list[tuple[float, float]]:
    """The blanks between columns that no cell of any row stands in, at least so wide."""
    common = [(-inf, inf)]
    for row in table:
        sides = [-inf, *(side for edge in row.edges() for side in edge), inf]
        blanks = list(zip(sides[::2], sides[1::2], strict=True))
        met = ((max(one[0], other[0]), min(one[1], other[1])) for one in common for other in blanks)
        common = [(left, right) for left, right in met if right - left >= width]
    return [(left, right) for left, right in common if left != -inf and right != inf]


def _are_clauses(table: list[_Row]) -> bool:
    """Whether most rows are numbered like clauses, and do not point to pages as a table of contents does."""
    numbered = [row for row in table if read_marker(row.cells[0][0].text) is not None]
    pages = sum(_PAGE.match(row.cells[-1][-1].text) is not None for row in numbered)
    return 2 * len(numbered) > len(table) and 2 * pages < len(numbered)


def _are_aligned(above: _Row, below: _Row) -> bool:
    """Whether all columns of the shorter row but one are columns of the other, by an edge or the middle."""
    shorter, longer = sorted((above.edges(), below.edges()), key=len)
    matching = sum(any(_share_a_side(cell, other) for other in longer) for cell in shorter)
    return matching >= max(2, len(shorter) - 1)


def _share_a_side(cell: tuple[float, float], other: tuple[float, float]) -> bool:
    middles = abs(sum(cell) - sum(other)) / 2
    return min(abs(cell[0] - other[0]), abs(cell[1] - other[1]), middles) <= _NEAR


def _rows(lines: Sequence[Line]) -> list[_Row]:
    """The lines cut into rows; a line of prose is a row of one cell."""
    rows: list[_Row] = []
    for line in lines:
        pieces = [_of_cell(line, cell) for cell in line.cells] or [line]
        row = rows[-1] if rows else None
        if row is not None and _steps_right(row, pieces[0]):
            is_in_table = len(rows) > 1 and len(rows[-2].cells) > 1
            rows[-1:] = [row] if is_in_table else _cut_above(row, pieces[0])
            rows[-1].cells += [[piece] for piece in pieces]
            rows[-1].sources.append(line)
        elif row is not None and _goes_on(row, pieces[0]) and (len(pieces) == 1 or len(row.cells) > 1):
            row.cells[-1].append(pieces[0])
            row.cells += [[piece] for piece in pieces[1:]]
            row.sources.append(line)
        else:
            rows.append(_Row([[piece] for piece in pieces], [line]))
    return rows


def _steps_right(row: _Row, piece: Line) -> bool:
    last = row.cells[-1]
    is_beside = piece.left > max(line.right for line in last) - 1
    return bool(piece.size) and is_beside and last[-1].bottom - 1 <= piece.bottom <= last[0].bottom + _RISE * piece.size


def _cut_above(row: _Row, piece: Line) -> list[_Row]:
    """Of a row of one cell, only the lines from the height of its neighbour on belong to it: above is prose."""
    if len(row.cells) > 1:
        return [row]
    lines = row.cells[0]
    level = next((index for index, line in enumerate(lines) if abs(line.bottom - piece.bottom) <= _NEAR), 0)
    above = [_Row([lines[:level]], row.sources[:level])] if level else []
    return [*above, _Row([lines[level:]], row.sources[level:])]


def _goes_on(row: _Row, line: Line) -> bool:
    """Whether the line is the next of the cell that is being read."""
    last = row.cells[-1][-1]
    is_below = 0 < last.bottom - line.bottom <= _PITCH * max(line.size, last.size)
    return is_below and abs(line.left - last.left) <= _NEAR
