"""Rows of cells as text: a bar between the cells, and the names of the columns beside each row.

The names are taken from the first full row when it reads like names: text, short, no two
alike. What stands above it, as a report's heading does, is prose.
"""

import re
from collections.abc import Mapping, Sequence

from .characters import clean
from .pieces import Piece, PieceKind, TextBuilder

BAR = " | "
_HEADER_LENGTH = 80
_FULL = 0.6  # of the columns that a row must fill to be taken for the names of all of them
_LOOKED_AT = 10  # rows, for the names of the columns
_VALUE = re.compile(
    r"[\s(+\-−]*(?:[$€£¥]|[A-Z]{3})?\s*\d[\d.,' \u00a0]*\)?\s*(?:%|[$€£¥]|[A-Z]{3})?\Z|"
    r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}\b.*|"
    r"(?i:true|false|yes|no|n/a|-|#[a-z/0!?]+)\Z"
)

Row = Sequence[str]


def shown_cell(text: str) -> str:
    """The text of a cell on one line."""
    return " ".join(clean(text).split())


def add_rows(
    builder: TextBuilder, rows: Sequence[Row], attributes: Mapping[str, str], *, columns: str | None = None
) -> str | None:
    """Append a table; returns the names of its columns, None where it has none.

    rows     of shown cells, all of one length, none of them blank throughout
    columns  names that hold unless the table brings its own
    """
    header = find_header(rows, has_values=columns is not None)
    if header is not None:
        columns = BAR.join(rows[header]).strip()
    for number, row in enumerate(rows):
        if header is not None and number < header:
            builder.add(" ".join(filter(None, row)), Piece(0, 0, attributes=attributes))
        else:
            add_row(builder, row, attributes, columns=columns)
    return columns


def add_row(builder: TextBuilder, row: Row, attributes: Mapping[str, str], *, columns: str | None = None) -> None:
    """Append one row; nothing when it is blank throughout."""
    if any(row):
        named = {**attributes, "columns": columns} if columns else attributes
        builder.add(BAR.join(row).strip(), Piece(0, 0, PieceKind.TABLE_ROW, attributes=named))


def find_header(rows: Sequence[Row], *, has_values: bool = False) -> int | None:
    """The index of the row that names the columns, None when no row does.

    has_values  a row below it must hold a number, a date or the like: names were found before, and hold on
    """
    width = len(rows[0]) if rows else 0
    for index, row in enumerate(rows[:_LOOKED_AT]):
        filled = [cell for cell in row if cell]
        if len(filled) < max(2, _FULL * width):
            continue
        below = rows[index + 1 :]
        reads_so = below and _reads_as_names(filled)
        return index if reads_so and (not has_values or any(_VALUE.match(cell) for cell in _cells(below))) else None
    return None


def _cells(rows: Sequence[Row]) -> list[str]:
    return [cell for row in rows[:_LOOKED_AT] for cell in row]


def _reads_as_names(cells: list[str]) -> bool:
    return len(set(cells)) == len(cells) and not any(len(cell) > _HEADER_LENGTH or _VALUE.match(cell) for cell in cells)
