"""One place for how commands print: tables and sentences for people, JSON for programs."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]

screen = Console(highlight=False)
notes = Console(stderr=True, highlight=False)


def show_json(value: object) -> None:
    """One JSON document on standard output."""
    print(msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2).decode())


def show_table(title: str, rows: Sequence[Mapping[str, object]], *, empty: str) -> None:
    """A table with the keys of the first row as its head, or the sentence for an empty one."""
    if not rows:
        screen.print(empty)
        return
    table = Table(title=title, title_justify="left", header_style="bold")
    for column in rows[0]:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*("" if value is None else escape(str(value)) for value in row.values()))
    screen.print(table)


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
