"""Writes a sample contract as plain text: one paragraph a line, numbers written out."""

from sample_source import Item, Kind

_INDENT = {2: "    ", 3: "        "}


def build_text(items: list[Item]) -> bytes:
    """The whole contract as UTF-8 text."""
    lines = list[str]()
    for before, item in zip([None, *items], items, strict=False):
        is_in_table = item.kind is Kind.ROW and before is not None and before.kind is Kind.ROW
        if before is not None and not is_in_table:
            lines.append("")
        lines.extend(_lines(item))
    return ("\n".join(lines) + "\n").encode()


def _lines(item: Item) -> list[str]:
    text = item.text.replace("**", "")
    match item.kind:
        case Kind.TITLE | Kind.SCHEDULE:
            return [text.upper()]
        case Kind.ROW:
            return [" | ".join(item.cells)]
        case Kind.SIGN:
            return [line for company in item.cells for line in (company, "By: ____________", "Name:", "Title:", "")][
                :-1
            ]
        case _:
            number = f"{item.number} " if item.number else ""
            return [f"{_INDENT.get(item.level, '')}{number}{text}"]
