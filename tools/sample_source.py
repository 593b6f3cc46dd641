"""Reads the source of a sample contract into numbered items, ready for any format.

Marks: `#` title, `##` numbered clause, `-` numbered sub-clause (two spaces deeper per level),
`###` schedule (restarts the numbers), `####` heading without a number, `|` table row,
`[sign] A | B` signature blocks, `{#name}` an anchor, `{name}` a reference to it.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

_ANCHOR = re.compile(r"\s*\{#([a-z-]+)\}\s*")
_REFERENCE = re.compile(r"\{([a-z-]+)\}")
_BULLET = re.compile(r"^( *)- (.*)$")
_ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii")


class Kind(StrEnum):
    TITLE = "title"
    SCHEDULE = "schedule"
    HEADING = "heading"
    CLAUSE = "clause"
    PARAGRAPH = "paragraph"
    ROW = "row"
    SIGN = "sign"


@dataclass(frozen=True, slots=True)
class Item:
    """A paragraph of the contract.

    level    0 for a clause heading, 1 for "4.2", 2 for "(a)", 3 for "(i)"; -1 without a number
    number   as printed in front of the text; empty without one
    section  0 in the body, then 1, 2, ... for each schedule: the numbers start again in each
    cells    of a table row or of the signature blocks
    """

    kind: Kind
    text: str
    level: int = -1
    number: str = ""
    section: int = 0
    cells: tuple[str, ...] = ()
    anchor: str = ""


def read_source(source: str) -> list[Item]:
    """Every item of a contract in order, numbered, with references resolved.

    raises   KeyError when a reference names no anchor
    """
    items = list(_number(_read_line(line) for line in source.splitlines() if line.strip()))
    places = _full_numbers(items)
    return [replace(item, text=_REFERENCE.sub(lambda found: places[found[1]], item.text)) for item in items]


def _read_line(line: str) -> Item:
    anchor = _ANCHOR.search(line)
    text = _typographic(_ANCHOR.sub(" " if anchor and anchor.end() < len(line) else "", line, count=1))
    name = anchor[1] if anchor else ""
    for mark, kind in (("#### ", Kind.HEADING), ("### ", Kind.SCHEDULE), ("# ", Kind.TITLE)):
        if text.startswith(mark):
            return Item(kind, text.removeprefix(mark).strip(), anchor=name)
    if text.startswith("## "):
        return Item(Kind.CLAUSE, text[3:].strip(), level=0, anchor=name)
    if text.startswith("[sign] "):
        return Item(Kind.SIGN, "", cells=_cells(text[7:]))
    if text.startswith("|"):
        return Item(Kind.ROW, "", cells=_cells(text.strip().strip("|")))
    if bullet := _BULLET.match(text):
        return Item(Kind.CLAUSE, bullet[2].strip(), level=1 + len(bullet[1]) // 2, anchor=name)
    return Item(Kind.PARAGRAPH, text.strip(), anchor=name)


def _cells(text: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in text.split("|"))


def _typographic(text: str) -> str:
    text = re.sub(r'(^|[\s(*])"', "\\1“", text).replace('"', "”")
    return text.replace("'", "’")


def _number(items: Iterable[Item]) -> Iterator[Item]:
    counts, section = [0, 0, 0, 0], 0
    for item in items:
        if item.kind is Kind.SCHEDULE:
            counts, section = [0, 0, 0, 0], section + 1
        number = ""
        if item.level >= 0:
            counts = [*counts[: item.level], counts[item.level] + 1, *[0] * (3 - item.level)]
            number = _printed(counts, item.level)
        yield replace(item, number=number, section=section)


def _printed(counts: list[int], level: int) -> str:
    match level:
        case 0:
            return f"{counts[0]}."
        case 1:
            return f"{counts[0]}.{counts[1]}"
        case 2:
            return f"({chr(96 + counts[2])})"
        case _:
            return f"({_ROMAN[counts[3] - 1]})"


def _full_numbers(items: Iterable[Item]) -> dict[str, str]:
    """What a reference prints: "11.1", and "11.1(b)" for a deeper item."""
    path, places = ["", "", "", ""], dict[str, str]()
    for item in items:
        if item.level >= 0:
            path[item.level] = item.number.rstrip(".")
        if item.anchor:
            places[item.anchor] = path[0] if item.level == 0 else "".join(path[1 : item.level + 1])
    return places
