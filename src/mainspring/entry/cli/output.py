"""One place for how commands print: tables and sentences for people, JSON for programs.

A table has to be read in 80 columns, and its ids to be copied: columns without values are left out, ids and short words
stay in one piece, the present year is not said, what does not fit goes below, and in a pipe nothing is folded.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer
from rich import box
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.table import Table

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]

_WHOLE = frozenset({"id", "run", "group", "example", "replayed_as", "status", "state", "tenant"})
_GAP, _SHORT = 3, 14
"""Characters between columns, and up to which a column is not folded."""
_PAPER = 1000
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?")

screen = Console(highlight=False)
notes = Console(stderr=True, highlight=False)


def show_json(value: object) -> None:
    """One JSON document on standard output."""
    print(msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2).decode())


def show_table(title: str, rows: Sequence[Mapping[str, object]], *, empty: str) -> None:
    """A table with the keys of the first row as its head, or the sentence for an empty one."""
    cells = [{column: _cell(value) for column, value in row.items()} for row in rows]
    if not cells:
        screen.print(empty, markup=False, soft_wrap=True)
        return
    shown = [name for name in cells[0] if any(row[name] for row in cells)]
    columns = {name: max(*map(len, name.split("_")), *(cell_len(row[name]) for row in cells)) for name in shown}
    if not screen.is_terminal:
        _print_whole(title, cells, {name: max(len(name), columns[name]) for name in columns})
        return
    needed = {name: _needed(name, columns[name]) for name in columns}
    if sum(needed.values()) + _GAP * len(needed) <= screen.width:
        screen.print(_make_table(title, cells, columns, needed), crop=False)
    else:
        screen.print("\n".join(_make_lines(title, cells, columns, screen.width)), markup=False, soft_wrap=True)


def _print_whole(title: str, cells: Sequence[Mapping[str, str]], columns: Mapping[str, int]) -> None:
    """As wide as it is: where nobody looks at a window, its 80 columns would cost columns of the table."""
    width = max(len(title), sum(columns.values()) + _GAP * len(columns))
    paper = Console(file=screen.file, width=width, highlight=False, no_color=True)
    paper.print(title, markup=False)
    paper.print(_make_table(None, cells, columns, columns))


def show_page(page: RenderableType) -> None:
    """Something that rich lays out: within the window of a terminal, and in a pipe with room for all of it."""
    paper = screen if screen.is_terminal else Console(file=screen.file, width=_PAPER, highlight=False, no_color=True)
    paper.print(page)


def _needed(name: str, longest: int) -> int:
    """Characters below which a column cannot be read."""
    return longest if name in _WHOLE else min(longest, _SHORT)


def _make_table(
    title: str | None, cells: Sequence[Mapping[str, str]], columns: Mapping[str, int], needed: Mapping[str, int]
) -> Table:
    table = Table(title=title, title_justify="left", header_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for name, longest in columns.items():
        is_whole = needed[name] == longest
        table.add_column(name.replace("_", " "), no_wrap=is_whole, min_width=needed[name], overflow="fold")
    for row in cells:
        table.add_row(*(escape(row[name]) for name in columns))
    return table


def _make_lines(
    title: str, cells: Sequence[Mapping[str, str]], columns: Mapping[str, int], width: int
) -> Iterator[str]:
    """What does not fit beside each other: ids and short columns in a line, the rest below them."""
    beside: list[str] = []
    for name, longest in columns.items():
        room = width - sum(columns[each] + 2 for each in beside)
        if longest <= room and _needed(name, longest) == longest:
            beside.append(name)
    yield title
    for row in cells:
        yield "  ".join(row[name].ljust(columns[name]) for name in beside).rstrip()
        below = [f"{name.replace('_', ' ')} {row[name]}" for name in columns if name not in beside and row[name]]
        if below:
            yield "    " + " · ".join(below)


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        value = f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    text = "" if value is None else " ".join(str(value).replace("\t", " ").splitlines())
    is_of_this_year = _INSTANT.fullmatch(text) and text.startswith(f"{datetime.now(UTC):%Y}-")
    return text[5:] if is_of_this_year else text


def show_one(value: Mapping[str, object], sentence: str, as_json: bool) -> None:
    """One thing that was made or changed: a sentence, or its fields."""
    if as_json:
        show_json(value)
    else:
        screen.print(sentence, markup=False, soft_wrap=True)


def show_many(title: str, rows: Sequence[Mapping[str, object]], empty: str, as_json: bool) -> None:
    """A list: a table, or its rows."""
    if as_json:
        show_json(rows)
    else:
        show_table(title, rows, empty=empty)
