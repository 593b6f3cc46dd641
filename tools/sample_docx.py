"""Writes a sample contract as DOCX whose clause numbers are Word's own.

The text of a paragraph holds no number: numbering.xml describes one multi-level list, and
every schedule gets an instance of it that starts again at 1. A reader that ignores
numbering.xml sees clauses without numbers, which is what makes these files useful.
The archive is rewritten with fixed times so that building twice gives the same bytes.
"""

from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Pt
from sample_source import Item, Kind

_WHEN = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
_ABSTRACT_ID = 90
_FIRST_LIST = 91
_LEVELS = (
    ("decimal", "%1.", 0, 432, "Heading2"),
    ("decimal", "%1.%2", 0, 576, None),
    ("lowerLetter", "(%3)", 576, 1008, None),
    ("lowerRoman", "(%4)", 1008, 1440, None),
)


def build_docx(items: list[Item], *, subject: str) -> bytes:
    """The contract as DOCX with automatic numbering."""
    document: Any = Document()  # python-docx ships no types
    _set_properties(document.core_properties, title=items[0].text, subject=subject)
    document.styles["Normal"].font.name = "Times New Roman"
    document.styles["Normal"].font.size = Pt(11)
    _add_lists(document, sections=items[-1].section + 1)
    table: Any = None
    for item in items:
        table = _add_row(document, table, item.cells) if item.kind is Kind.ROW else None
        if item.kind is Kind.SIGN:
            _add_signatures(document, item.cells)
        elif item.kind is not Kind.ROW:
            _add_paragraph(document, item)
    target = BytesIO()
    document.save(target)
    return _with_fixed_times(target.getvalue())


def _set_properties(properties: Any, *, title: str, subject: str) -> None:
    properties.title, properties.subject = title, subject
    properties.author = properties.last_modified_by = "Mainspring samples"
    properties.comments, properties.revision = "", 1
    properties.created = properties.modified = _WHEN


def _add_lists(document: Any, *, sections: int) -> None:
    numbering = document.part.numbering_part.element
    levels = "".join(_level(place, *level) for place, level in enumerate(_LEVELS))
    abstract = parse_xml(
        f'<w:abstractNum {nsdecls("w")} w:abstractNumId="{_ABSTRACT_ID}">'
        f'<w:multiLevelType w:val="multilevel"/>{levels}</w:abstractNum>'
    )
    numbering.insert(len(numbering.findall(qn("w:abstractNum"))), abstract)
    restarts = "".join(
        f'<w:lvlOverride w:ilvl="{place}"><w:startOverride w:val="1"/></w:lvlOverride>' for place in range(len(_LEVELS))
    )
    for section in range(sections):
        numbering.append(
            parse_xml(
                f'<w:num {nsdecls("w")} w:numId="{_FIRST_LIST + section}">'
                f'<w:abstractNumId w:val="{_ABSTRACT_ID}"/>{restarts if section else ""}</w:num>'
            )
        )


def _level(place: int, shape: str, text: str, start: int, end: int, style: str | None) -> str:
    linked = f'<w:pStyle w:val="{style}"/>' if style else ""
    return (
        f'<w:lvl w:ilvl="{place}"><w:start w:val="1"/><w:numFmt w:val="{shape}"/>{linked}<w:lvlText w:val="{text}"/>'
        f'<w:lvlJc w:val="left"/><w:pPr><w:ind w:left="{end}" w:hanging="{end - start}"/></w:pPr></w:lvl>'
    )


def _add_paragraph(document: Any, item: Item) -> None:
    style = {Kind.TITLE: "Title", Kind.SCHEDULE: "Heading 1", Kind.HEADING: "Heading 2"}.get(item.kind)
    if item.kind is Kind.CLAUSE and item.level == 0:
        style = "Heading 2"
    paragraph = document.add_paragraph(style=style)
    if item.kind is Kind.SCHEDULE:
        paragraph.paragraph_format.page_break_before = True
    if item.kind in (Kind.TITLE, Kind.SCHEDULE):
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    if item.level >= 0:
        _set_number(paragraph, level=item.level, list_id=_FIRST_LIST + item.section)
    for place, part in enumerate(item.text.split("**")):
        if part:
            paragraph.add_run(part).bold = True if place % 2 else None


def _set_number(paragraph: Any, *, level: int, list_id: int) -> None:
    marks = paragraph._p.get_or_add_pPr().get_or_add_numPr()
    marks.get_or_add_ilvl().val = level
    marks.get_or_add_numId().val = list_id


def _add_row(document: Any, table: Any, cells: tuple[str, ...]) -> Any:
    if table is None:
        table = document.add_table(rows=0, cols=len(cells), style="Table Grid")
    for cell, text in zip(table.add_row().cells, cells, strict=True):
        cell.text = text
    return table


def _add_signatures(document: Any, companies: tuple[str, ...]) -> None:
    table = document.add_table(rows=0, cols=len(companies))
    for line in ("{}", "By: ____________________", "Name:", "Title:"):
        for cell, company in zip(table.add_row().cells, companies, strict=True):
            cell.text = line.format(company)


def _with_fixed_times(archive: bytes) -> bytes:
    target = BytesIO()
    with ZipFile(BytesIO(archive)) as source, ZipFile(target, "w") as rewritten:
        for name in sorted(source.namelist(), key=lambda name: (name != "[Content_Types].xml", name)):
            entry = ZipInfo(name, date_time=_WHEN.timetuple()[:6])
            entry.compress_type = ZIP_DEFLATED
            rewritten.writestr(entry, source.read(name))
    return target.getvalue()
