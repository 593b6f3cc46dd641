"""From the elements of a page to its paragraphs: what starts a new one, what is not shown.

Inline text gathers until an element begins or ends that stands on lines of its own.
"""

import itertools
import re
from dataclasses import dataclass, field, replace

from .characters import blank_out, clean
from .pieces import Piece, PieceKind, TextBuilder
from .tables import BAR, add_row, shown_cell
from .xml_tree import Element, local

_HEADINGS = {f"h{level}": level - 1 for level in range(1, 7)}
_UNSEEN = frozenset[str]().union(
    ["script", "style", "noscript", "template", "head", "nav", "footer", "aside", "dialog", "menu"],
    ["svg", "math", "iframe", "noframes", "object", "embed", "applet", "canvas", "audio", "video", "map"],
    ["select", "option", "datalist", "input", "textarea", "button"],
)
_UNSEEN_ROLES = frozenset(["navigation", "banner", "contentinfo", "search", "complementary", "dialog", "alertdialog"])
_LINES = frozenset[str]().union(
    ["html", "body", "main", "article", "section", "header", "div", "p", "li", "dl", "dt", "dd", "center", "hgroup"],
    ["tr", "td", "th", "thead", "tbody", "tfoot", "caption", "figure", "figcaption", "address", "hr"],
    ["form", "fieldset", "legend", "details", "summary"],
)
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|font-size\s*:\s*0(?![.\d]*[1-9])|"
    r"opacity\s*:\s*0(?![.\d]*[1-9])|mso-hide\s*:\s*all",
    re.IGNORECASE,
)
_LONG_CELL = 400  # characters; tables with longer cells are layout, and are read paragraph by paragraph
_BLANKS = re.compile(r"[ \t\r\n\f]+")


@dataclass(slots=True)
class PageReader:
    """Collects the paragraphs of a page.

    quotes          set the lines of a quotation off with ">", as plain mail does
    marks_headings  the page has headings, so that none are guessed
    """

    quotes: bool = False
    marks_headings: bool = False
    builder: TextBuilder = field(default_factory=TextBuilder)
    _inline: list[str] = field(default_factory=list[str])
    _like: Piece = field(default_factory=lambda: Piece(0, 0))
    _mark: str = ""
    _depth: int = 0
    _mains: list[str] = field(default_factory=list[str])

    def read(self, element: Element) -> None:
        """Everything that is shown inside `element`, in order."""
        self._children(element)
        self._flush()

    def title(self) -> str | None:
        """The main heading, where there is just one."""
        return self._mains[0] if len(self._mains) == 1 else None

    def _children(self, element: Element) -> None:
        self._text(element.text)
        for child in element:
            self._element(child)
            self._text(child.tail)

    def _element(self, element: Element) -> None:
        name = local(element)
        if not name or name in _UNSEEN or _is_hidden(element):
            return
        if name == "br":
            self._inline.append("\n")
        elif name in _HEADINGS:
            self._heading(element, _HEADINGS[name])
        elif name in ("ul", "ol"):
            self._list(element, numbered=name == "ol")
        elif name == "table":
            self._table(element)
        elif name == "pre":
            self._verbatim(element)
        elif name == "blockquote":
            self._quotation(element)
        elif name in _LINES:
            self._flush()
            self._children(element)
            self._flush()
        else:
            self._children(element)

    def _text(self, text: str | None) -> None:
        if text:
            self._inline.append(_BLANKS.sub(" ", text))

    def _flush(self) -> None:
        text = clean("".join(self._inline))
        self._inline.clear()
        if text:
            self._add(self._mark + text, self._like)
            self._mark, self._like = "", Piece(0, 0)

    def _add(self, text: str, like: Piece) -> None:
        if self._depth and self.quotes:
            text = "\n".join("> " * self._depth + line for line in text.split("\n"))
        self.builder.add(text, replace(like, settled=self.marks_headings))

    def _heading(self, element: Element, level: int) -> None:
        self._flush()
        self._like = Piece(0, 0, heading_level=level)
        self._children(element)
        heading = clean("".join(self._inline)).replace("\n", " ")
        self._inline[:] = [heading]
        if level == 0 and heading:
            self._mains.append(heading)
        self._flush()
        self._like = Piece(0, 0)

    def _list(self, element: Element, *, numbered: bool) -> None:
        self._flush()
        start = element.get("start", "")
        number = int(start) if start.isdigit() and len(start) < 7 else 1
        for child in element:
            if local(child) != "li":
                self._element(child)
            elif not _is_hidden(child):
                written = child.get("value", "")
                number = int(written) if written.isdigit() and len(written) < 7 else number
                shown = _label(number, element.get("type", "")) if numbered else None
                self._item(child, shown)
                number += 1
            self._text(child.tail)
        self._flush()

    def _item(self, item: Element, number: str | None) -> None:
        self._flush()
        self._mark = f"{number} " if number else "• "
        self._like = Piece(0, 0, number=number.rstrip(".")) if number else Piece(0, 0, PieceKind.BULLET)
        self._children(item)
        self._flush()
        self._mark, self._like = "", Piece(0, 0)

    def _quotation(self, element: Element) -> None:
        self._flush()
        self._depth += 1
        self._children(element)
        self._flush()
        self._depth -= 1

    def _verbatim(self, element: Element) -> None:
        self._flush()
        lines = [line.rstrip() for line in blank_out("".join(element.itertext()).replace("\r\n", "\n")).split("\n")]
        self.builder.add("\n".join(lines).strip("\n"), Piece(0, 0, settled=True))

    def _table(self, table: Element) -> None:
        self._flush()
        rows = [] if _holds_blocks(table) else [row for row in table.iter("tr") if not _is_hidden(row)]
        cells = [[cell for cell in row if local(cell) in ("td", "th") and not _is_hidden(cell)] for row in rows]
        texts = [[_cell_text(cell) for cell in row] for row in cells]
        if all(len(row) <= 1 for row in cells) or any(len(text) > _LONG_CELL for row in texts for text in row):
            self._children(table)
            self._flush()
            return
        for caption in table.iter("caption"):
            self._children(caption)
            self._flush()
        has_names = all(local(cell) == "th" for cell in cells[0])
        columns = BAR.join(texts[0]) or None if has_names else None
        for row in texts:
            self._row(row, columns)

    def _row(self, row: list[str], columns: str | None) -> None:
        if self.quotes:
            self._add(BAR.join(row), Piece(0, 0))
        else:
            add_row(self.builder, row, {}, columns=columns)


def _holds_blocks(table: Element) -> bool:
    """Whether a table lays out a page: other tables, headings or listings stand in it."""
    return next(itertools.islice(table.iter("table", "pre", *_HEADINGS), 1, None), None) is not None


def _cell_text(cell: Element) -> str:
    reader = PageReader()
    reader.read(cell)
    return shown_cell(reader.builder.text())


def _is_hidden(element: Element) -> bool:
    attributes = dict(element.items())
    return (
        "hidden" in attributes
        or attributes.get("aria-hidden") == "true"
        or attributes.get("role") in _UNSEEN_ROLES
        or bool(_HIDDEN.search(attributes.get("style", "")[:2000]))
    )


def _label(number: int, form: str) -> str:
    """The number of a list's item as browsers show it."""
    if form in ("a", "A") and 1 <= number <= 26:
        return f"({chr(ord(form) + number - 1)})"
    return f"{number}."
