"""Blocks as Markdown (GitHub's dialect): tables, block quotes, footnotes for the quotes.

Text of a contract is put on one line and every character that Markdown or HTML could read as a
mark is escaped, so a clause full of pipes, backticks, links or tags is shown and does nothing.
"""

import re
from collections.abc import Iterable
from typing import assert_never

from .outline import Block, Bullets, Heading, Line, Mark, Paragraph, Proposal, Quotation, Quote, Table, Title, Words
from .visible import visible

_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_MARKS = re.compile(r"([\\`*_{}\[\]#|~$^])")
_LINKS = re.compile(r"(?i)\b(https?|ftp|mailto|xmpp)(?=:)|(?<=\bwww)(?=\.)|(?=@)")
_LEADING = re.compile(r"^(?:([-+=])|(\d{1,9})([.)]))")


def to_markdown(blocks: Iterable[Block]) -> str:
    """The whole document, ending with one line break."""
    return "\n\n".join(_block(block) for block in blocks) + "\n"


def escape(text: str) -> str:
    """Text of any origin as Markdown that shows it and nothing else, on one line."""
    marked = _MARKS.sub(r"\\\1", " ".join(visible(text).split()).translate(_ENTITIES))
    return _LINKS.sub(lambda found: f"{found[0]}\\", marked)


def opened(line: str) -> str:
    """A line that opens a paragraph: its first characters must not start a list or an underline."""
    return _LEADING.sub(lambda found: f"\\{found[1]}" if found[1] else f"{found[2]}\\{found[3]}", line)


def _block(block: Block) -> str:
    match block:
        case Title():
            return f"# {escape(block.text)}\n\n**{escape(block.subtitle)}**"
        case Heading():
            return f"{'#' * (block.level + 1)} {escape(block.text)}"
        case Paragraph():
            line = opened(_line(block.line))
            return f"*{line}*" if block.is_note and not _has_marks(line) else line
        case Bullets():
            return "\n".join(f"- {opened(_line(line))}" for line in block.lines)
        case Table():
            return _table(block)
        case Quotation():
            place = f" ({escape(block.place)})" if block.place else ""
            return f"> “{escape(block.text)}”{place}[^{block.quote}]"
        case Proposal():
            return f"> {opened(escape(block.text))}"
        case Quote():
            place = f" ({escape(block.place)})" if block.place else ""
            return f"[^{block.number}]: “{escape(block.text)}”{place}"
        case _ as never:
            assert_never(never)


def _line(line: Line) -> str:
    return "".join(_span(span) for span in line)


def _span(span: Words | Mark) -> str:
    if isinstance(span, Mark):
        return f"[^{span.quote}]"
    text = escape(span.text)
    space = " " if span.text.endswith(" ") else ""
    if span.is_bold:
        return f"**{text}**{space}"
    return f"*{text}*{space}" if span.is_italic and text else f"{text}{space}"


def _has_marks(line: str) -> bool:
    return line.startswith("*") or line.endswith("*")


def _table(table: Table) -> str:
    header = "| " + " | ".join(escape(cell) for cell in table.header) + " |"
    rule = "|" + " --- |" * len(table.header)
    rows = ("| " + " | ".join(_line(cell) for cell in row) + " |" for row in table.rows)
    return "\n".join([header, rule, *rows])
