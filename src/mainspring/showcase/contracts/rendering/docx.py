"""Blocks as a Word document: headings for the navigation pane, tables, marks that jump to quotes.

Text goes in as text, through python-docx, never as XML; characters that XML cannot hold are
dropped first. Marks are internal links to bookmarks, so no link leads outside the document.
"""

from collections.abc import Iterable
from datetime import datetime
from io import BytesIO
from typing import Any, assert_never

from docx import Document
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor

from mainspring.showcase.contracts.types import Severity

from .outline import Block, Bullets, Heading, Line, Mark, Paragraph, Proposal, Quotation, Quote, Table, Title, Words
from .visible import visible

_COLOURS = {
    Severity.CRITICAL: RGBColor(0x9B, 0x1C, 0x1C),
    Severity.HIGH: RGBColor(0xB4, 0x53, 0x09),
    Severity.MEDIUM: RGBColor(0x85, 0x6A, 0x00),
    Severity.LOW: RGBColor(0x1D, 0x4E, 0x89),
    Severity.INFO: RGBColor(0x4B, 0x55, 0x63),
}
_INK, _GREY, _PAPER = RGBColor(0x1F, 0x29, 0x37), RGBColor(0x6B, 0x72, 0x80), "EEF1F5"
_WIDTH = 17.0


def to_docx(blocks: Iterable[Block], *, title: str, made_at: datetime) -> bytes:
    """The whole document as bytes."""
    document: Any = Document()  # python-docx ships no types
    _set_up(document, title, made_at)
    for block in blocks:
        _add(document, block)
    target = BytesIO()
    document.save(target)
    return target.getvalue()


def _set_up(document: Any, title: str, made_at: datetime) -> None:
    properties = document.core_properties
    properties.title, properties.author, properties.comments = _shown(title)[:250], "Mainspring", ""
    properties.created = properties.modified = made_at
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21.0), Cm(29.7)
    section.left_margin = section.right_margin = Cm(2.0)
    section.top_margin = section.bottom_margin = Cm(2.0)
    for name, size in (("Normal", 10), ("Title", 22), ("Heading 1", 15), ("Heading 2", 12.5), ("Heading 3", 11)):
        style = document.styles[name]
        style.font.name, style.font.size = "Calibri", Pt(size)
        style.font.color.rgb = _INK
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            fonts.attrib.pop(qn(f"w:{theme}"), None)
    document.styles["Normal"].paragraph_format.space_after = Pt(6)
    footer = section.footer.paragraphs[0]
    footer.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _write(footer, Words("Page "), size=8)
    _add_page_number(footer)


def _add(document: Any, block: Block) -> None:
    match block:
        case Title():
            document.add_paragraph(_shown(block.text), style="Title")
            _write(document.add_paragraph(), Words(block.subtitle, is_bold=True), colour=_GREY, size=12)
        case Heading():
            heading = document.add_heading(level=block.level)
            heading.paragraph_format.keep_with_next = True
            _write(heading, Words(block.text), colour=_COLOURS[block.severity] if block.severity else None)
        case Paragraph():
            _add_line(document.add_paragraph(), block.line, is_note=block.is_note)
        case Bullets():
            for line in block.lines:
                _add_line(document.add_paragraph(style="List Bullet"), line)
        case Table():
            _add_table(document, block)
        case Quotation():
            _add_quotation(document, block)
        case Proposal():
            paragraph = _indented(document)
            properties = paragraph._p.get_or_add_pPr()
            properties.insert_element_before(_shading(), "w:spacing", "w:ind", "w:jc")
            _write(paragraph, Words(block.text))
        case Quote():
            _add_quote(document, block)
        case _ as never:
            assert_never(never)


def _add_line(paragraph: Any, line: Line, *, is_note: bool = False) -> None:
    for span in line:
        if isinstance(span, Mark):
            _add_mark(paragraph, span.quote)
        else:
            _write(paragraph, span, colour=_GREY if is_note else None, size=8.5 if is_note else None)


def _write(paragraph: Any, span: Words, *, colour: RGBColor | None = None, size: float | None = None) -> None:
    run = paragraph.add_run(_shown(span.text))
    run.bold, run.italic = span.is_bold or None, span.is_italic or None
    if colour is not None:
        run.font.color.rgb = colour
    if size is not None:
        run.font.size = Pt(size)


def _add_quotation(document: Any, block: Quotation) -> None:
    paragraph = _indented(document)
    _write(paragraph, Words(f"“{block.text}”", is_italic=True))
    if block.place:
        _write(paragraph, Words(f" ({block.place})"), colour=_GREY)
    _add_mark(paragraph, block.quote)


def _add_quote(document: Any, block: Quote) -> None:
    paragraph = document.add_paragraph()
    paragraph.paragraph_format.left_indent, paragraph.paragraph_format.first_line_indent = Cm(1), Cm(-1)
    start, end = OxmlElement("w:bookmarkStart"), OxmlElement("w:bookmarkEnd")
    start.set(qn("w:id"), str(block.number))
    start.set(qn("w:name"), f"quote_{block.number}")
    end.set(qn("w:id"), str(block.number))
    paragraph._p.append(start)
    _write(paragraph, Words(f"[{block.number}] ", is_bold=True))
    paragraph._p.append(end)
    _write(paragraph, Words(f"“{block.text}”"))
    if block.place:
        _write(paragraph, Words(f" ({block.place})"), colour=_GREY)


def _add_table(document: Any, table: Table) -> None:
    drawn = document.add_table(rows=0, cols=len(table.widths), style="Table Grid")
    drawn.alignment, drawn.autofit = WD_TABLE_ALIGNMENT.LEFT, False
    if any(table.header):
        header = drawn.add_row()
        for cell, text in zip(header.cells, table.header, strict=True):
            _write(_cell_paragraph(cell), Words(text, is_bold=True))
            cell._tc.get_or_add_tcPr().append(_shading())
        repeat = OxmlElement("w:tblHeader")
        header._tr.get_or_add_trPr().append(repeat)
    for row in table.rows:
        for cell, line in zip(drawn.add_row().cells, row, strict=True):
            _add_line(_cell_paragraph(cell), line)
    for column, share in zip(drawn.columns, table.widths, strict=True):
        column.width = Cm(_WIDTH * share)
        for cell in column.cells:
            cell.width = Cm(_WIDTH * share)
    document.add_paragraph().paragraph_format.space_after = Pt(2)


def _cell_paragraph(cell: Any) -> Any:
    paragraph = cell.paragraphs[0]
    paragraph.paragraph_format.space_after = Pt(2)
    return paragraph


def _indented(document: Any) -> Any:
    paragraph = document.add_paragraph()
    paragraph.paragraph_format.left_indent = Cm(0.8)
    return paragraph


def _add_mark(paragraph: Any, quote: int) -> None:
    """A superscript number that jumps to the quote."""
    link = OxmlElement("w:hyperlink")
    link.set(qn("w:anchor"), f"quote_{quote}")
    run = paragraph.add_run(f"[{quote}]")
    run.font.superscript = True
    run.font.color.rgb = _COLOURS[Severity.LOW]
    link.append(run._r)
    paragraph._p.append(link)


def _add_page_number(paragraph: Any) -> None:
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), "PAGE")
    run = paragraph.add_run("1")
    run.font.size = Pt(8)
    field.append(run._r)
    paragraph._p.append(field)


def _shading() -> Any:
    shading = OxmlElement("w:shd")
    shading.set(qn("w:val"), "clear")
    shading.set(qn("w:color"), "auto")
    shading.set(qn("w:fill"), _PAPER)
    return shading


def _shown(text: str) -> str:
    """On one line, with nothing hidden, a space at either end kept."""
    line = " ".join(visible(text).split())
    return f"{' ' * text.startswith(' ')}{line}{' ' * text.endswith(' ')}" if line else ""
