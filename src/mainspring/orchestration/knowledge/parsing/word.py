"""DOCX: paragraphs and tables in reading order, with the numbers that Word generates.

Kept: hyperlinks, content controls, tracked insertions, text boxes, footnotes (at the end).
Left out, as Word's final view leaves them out: tracked deletions, hidden text, field codes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

from docx.document import Document as WordDocument
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.exceptions import OpcError
from lxml.etree import LxmlError

from .characters import clean
from .limits import ParseLimits
from .media_types import MediaType
from .pieces import Piece, PieceKind, Source, TextBuilder
from .refusals import broken
from .word_numbering import NumberedLists
from .word_package import open_word
from .word_styles import Styles
from .word_xml import W, flag_of
from .xml_tree import Element, read_xml, xml_refusal

_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_HIDES = frozenset(
    {f"{W}del", f"{W}moveFrom", f"{W}rPr", f"{W}pPr", f"{W}instrText", f"{W}delText", f"{_MC}Fallback", f"{W}pict"}
)
_TEXT_BOX = f"{W}txbxContent"
_CONTAINERS = frozenset(
    f"{W}{name}"
    for name in ("sdt", "sdtContent", "customXml", "ins", "moveTo", "smartTag", "body", "comment", "txbxContent")
)
_MARKS = {
    f"{W}tab": " ",
    f"{W}br": "\n",
    f"{W}cr": "\n",
    f"{W}noBreakHyphen": "-",
    f"{W}ptab": " ",
}
_LONG_CELL = 400  # characters; tables with longer cells are layout, and are read paragraph by paragraph
_DEEPEST = 60


def read_word(content: bytes, *, filename: str, limits: ParseLimits) -> Source:
    """The text of a DOCX; raises what `open_word` raises."""
    document = open_word(content, filename=filename, limits=limits)
    try:
        styles = Styles(_part(document, RELATIONSHIP_TYPE.STYLES))
        lists = NumberedLists(_part(document, RELATIONSHIP_TYPE.NUMBERING), styles)
        reader = _Reader(styles, lists)
        reader.read(cast(Element, document.element.body))
        footnotes = _part(document, RELATIONSHIP_TYPE.FOOTNOTES)
        if footnotes is not None:
            reader.read_footnotes(footnotes)
    except LxmlError as error:
        raise xml_refusal(error, filename, MediaType.DOCX.looks) from error
    except (OpcError, AttributeError, ValueError, KeyError, RecursionError) as error:
        raise broken(filename, MediaType.DOCX.looks, "its text is damaged") from error
    return Source(reader.builder.text(), tuple(reader.builder.pieces))


def _part(document: WordDocument, relation: str) -> Element | None:
    """The root element of a part that the document points to, None where it has none."""
    try:
        part = document.part.part_related_by(relation)
    except KeyError:
        return None
    return read_xml(part.blob)


@dataclass(slots=True)
class _Reader:
    styles: Styles
    lists: NumberedLists
    builder: TextBuilder = field(default_factory=TextBuilder)
    carried: str = ""  # text whose paragraph mark was deleted: it runs on into the next paragraph

    def read(self, container: Element, depth: int = 0) -> None:
        """Everything inside `container`, in reading order."""
        if depth > _DEEPEST:
            return
        for child in container:
            if child.tag == f"{W}p":
                self._paragraph(child)
            elif child.tag == f"{W}tbl":
                self._table(child, depth)
            elif child.tag in _CONTAINERS:
                self.read(child, depth + 1)

    def read_footnotes(self, root: Element) -> None:
        """Footnotes, which stand at the end of the text."""
        for note in root.iterfind(f"{W}footnote"):
            if note.get(f"{W}type") in (None, "normal"):
                self.read(note, 1)

    def _paragraph(self, element: Element) -> None:
        piece = self._piece(element)
        if piece is not None:
            self.builder.add(*piece)
        for box in _text_boxes(element):
            self.read(box, 1)

    def _piece(self, element: Element) -> tuple[str, Piece] | None:
        """The paragraph's text with its number, and what Word says about it; None for an empty one."""
        properties = element.find(f"{W}pPr")
        text = clean(self.carried + _text(element)) if not self.styles.is_hidden(properties) else ""
        if flag_of(properties, f"{W}rPr/{W}del") is not None or flag_of(properties, f"{W}rPr/{W}moveFrom") is not None:
            self.carried = text + " " if text else ""
            return None
        self.carried = ""
        label = self.lists.next_label(properties) if text or self._counts_when_empty(properties) else None
        if not text:
            return None
        level = self.styles.heading_level(properties)
        kind = PieceKind.TITLE if self.styles.is_title(properties) else PieceKind.PROSE
        if label is not None and label.number is None:
            kind = PieceKind.BULLET
        like = Piece(0, 0, kind, level, label.number if label else None, self._is_bold(element, properties))
        return (label.text if label else "") + text, like

    def _counts_when_empty(self, properties: Element | None) -> bool:
        """Word numbers an empty paragraph too, unless nothing of it is shown or it only holds a section break."""
        is_break = properties is not None and properties.find(f"{W}sectPr") is not None
        return not is_break and flag_of(properties, f"{W}rPr/{W}vanish") is not True

    def _is_bold(self, element: Element, properties: Element | None) -> bool:
        runs = [run for run in element.iter(f"{W}r") if "".join(run.itertext(f"{W}t")).strip()]
        by_style = self.styles.is_bold(properties)
        return bool(runs) and all(
            flag_of(run, f"{W}rPr/{W}b") if flag_of(run, f"{W}rPr/{W}b") is not None else by_style for run in runs
        )

    def _table(self, table: Element, depth: int) -> None:
        rows = [list(_below(row, f"{W}tc")) for row in _below(table, f"{W}tr") if not _is_deleted_row(row)]
        is_layout = all(len(row) <= 1 for row in rows) or any(
            len("".join(_pieces_of(cell))) > _LONG_CELL for row in rows for cell in row
        )
        for row in rows:
            if is_layout:
                for cell in row:
                    self.read(cell, depth + 1)
            else:
                self._row(row, depth)

    def _row(self, cells: list[Element], depth: int) -> None:
        """One row as one piece, its cells with a bar between; numbers in it count on."""
        shown: list[str] = []
        for cell in cells:
            merge = cell.find(f"{W}tcPr/{W}vMerge")
            if merge is not None and merge.get(f"{W}val", "continue") == "continue":
                continue
            inner = _Reader(self.styles, self.lists)
            inner.read(cell, depth + 1)
            text = " ".join(inner.builder.text().split())
            if text:
                shown.append(text)
        if shown:
            self.builder.add(" | ".join(shown), Piece(0, 0, PieceKind.TABLE_ROW))


def _below(container: Element, tag: str) -> Iterator[Element]:
    """Rows of a table or cells of a row, also those inside content controls."""
    for child in container:
        if child.tag == tag:
            yield child
        elif child.tag in _CONTAINERS:
            yield from _below(child, tag)


def _is_deleted_row(row: Element) -> bool:
    return row.find(f"{W}trPr/{W}del") is not None


def _text(paragraph: Element) -> str:
    return "".join(_pieces_of(paragraph))


def _pieces_of(element: Element) -> Iterator[str]:
    """The visible text below `element`, text boxes aside."""
    for child in element:
        tag = child.tag
        if tag in _HIDES or tag == _TEXT_BOX or not isinstance(tag, str):
            continue
        if tag == f"{W}t":
            yield child.text or ""
        elif tag in _MARKS:
            yield _MARKS[tag]
        elif tag == f"{W}sym":
            yield _symbol(child)
        elif tag != f"{W}r" or flag_of(child, f"{W}rPr/{W}vanish") is not True:
            yield from _pieces_of(child)


def _symbol(element: Element) -> str:
    """A character of a symbol font; those outside Unicode's meaning read as a bullet."""
    code = element.get(f"{W}char", "")
    try:
        letter = chr(int(code, 16))
    except ValueError:
        return ""
    return "•" if "\ue000" <= letter <= "\uf8ff" else letter


def _text_boxes(paragraph: Element) -> Iterator[Element]:
    """Text boxes anchored in the paragraph, each once: the fallback for old readers repeats them."""
    for box in paragraph.iter(_TEXT_BOX):
        above = {ancestor.tag for ancestor in box.iterancestors()}
        nested = sum(ancestor.tag == _TEXT_BOX for ancestor in box.iterancestors())
        if f"{_MC}Fallback" not in above and not nested:
            yield box
