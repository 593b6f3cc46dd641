"""One place for how commands print: tables and sentences for people, JSON for programs.

A table has to be read in 80 columns, and its ids to be copied: columns without values are left out, ids and short words
stay in one piece, the present year is not said, and where nobody looks (a pipe) nothing is folded at all.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]

_WHOLE = frozenset({"id", "run", "group", "example", "replayed_as", "status", "state", "tenant"})
_GAP, _NARROWEST, _PIPED = 3, 8, 240
"""Characters between columns; those that a folded column is left; the width where nobody looks."""
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
    width = screen.width if screen.is_terminal else max(screen.width, _PIPED)
    shown = [name for name in cells[0] if any(row[name] for row in cells)]
    columns = {name: max(*map(len, name.split("_")), *(len(row[name]) for row in cells)) for name in shown}
    whole = _choose_whole(columns, width)
    table = Table(title=title, title_justify="left", header_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for name, longest in columns.items():
        is_whole = name in whole
        table.add_column(
            name.replace("_", " "), no_wrap=is_whole, min_width=longest if is_whole else None, overflow="fold"
        )
    for row in cells:
        table.add_row(*(escape(row[name]) for name in columns))
    screen.print(table, width=width, crop=False)


def _choose_whole(columns: Mapping[str, int], width: int) -> set[str]:
    """Which columns are not folded, by the length of their longest cell: ids, then short ones while there is room."""
    whole = {name for name in columns if name in _WHOLE}
    left = width - _GAP * len(columns) - sum(columns[name] for name in whole)
    folded = sorted((longest, name) for name, longest in columns.items() if name not in whole)
    for number, (longest, name) in enumerate(folded, start=1):
        left -= longest
        if left < _NARROWEST * (len(folded) - number):
            break
        whole.add(name)
    return whole


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        value = f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    text = "" if value is None else str(value)
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
