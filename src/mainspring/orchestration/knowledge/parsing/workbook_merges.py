"""Cells that were merged: the value stands in the first; the rows below it mean it as well."""

import re
from bisect import bisect_right
from dataclasses import dataclass

_PLACE = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7})\Z")


@dataclass(frozen=True, slots=True)
class Merge:
    """A rectangle of cells, all four sides included, counted from 1."""

    top: int
    left: int
    bottom: int
    right: int


def place_of(reference: str) -> tuple[int, int] | None:
    """Row and column of a cell such as `B12`, None for anything else."""
    found = _PLACE.match(reference)
    if found is None:
        return None
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - 64
    return int(found[2]), column


def read_merge(reference: str) -> Merge | None:
    """The rectangle of a reference such as `A1:C3`, None for anything else."""
    first, _, last = reference.partition(":")
    start, end = place_of(first), place_of(last)
    if start is None or end is None or end < start:
        return None
    return Merge(start[0], start[1], end[0], end[1])


def fill_merges(rows: dict[int, dict[int, str]], merges: list[Merge], *, most: int) -> None:
    """Repeat the value of cells merged downwards in the rows below.

    Only rows that hold something are filled, and no more than `most` cells in all: rectangles may be declared as
    large as a sheet, and as many as one likes.
    """
    numbers = sorted(rows)
    for merge in merges:
        value = rows.get(merge.top, {}).get(merge.left)
        if value is None:
            continue
        below = numbers[bisect_right(numbers, merge.top) : bisect_right(numbers, merge.bottom)]
        most -= len(below)
        if most < 0:
            return
        for number in below:
            rows[number].setdefault(merge.left, value)
