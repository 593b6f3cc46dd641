"""Writes a sample contract as PDF with a text layer, numbered pages and nothing that varies."""

from collections.abc import Iterator
from io import BytesIO
from itertools import groupby
from xml.sax.saxutils import escape

from reportlab.lib.colors import grey
from reportlab.lib.pagesizes import LETTER
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import inch
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, PageBreak, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle
from sample_source import Item, Kind

_BODY = ParagraphStyle(
    "body", fontName="Times-Roman", bulletFontName="Times-Roman", fontSize=11.5, leading=15.5, spaceAfter=8
)
_TITLE = ParagraphStyle("title", _BODY, fontName="Times-Bold", fontSize=18, leading=22, alignment=1, spaceAfter=18)
_SCHEDULE = ParagraphStyle("schedule", _TITLE, fontSize=14, leading=18)
_HEADING = ParagraphStyle(
    "heading", _BODY, fontName="Times-Bold", fontSize=12.5, spaceBefore=8, keepWithNext=1, bulletFontName="Times-Bold"
)
_CELL = ParagraphStyle("cell", _BODY, fontSize=10, leading=12, spaceAfter=0)
_INDENTS = {0: 32, 1: 32, 2: 60, 3: 84}


def build_pdf(items: list[Item], *, subject: str) -> bytes:
    """The contract as PDF; `invariant` fixes its dates and its id."""
    target, title = BytesIO(), items[0].text
    document = SimpleDocTemplate(
        target,
        pagesize=LETTER,
        margins=None,
        leftMargin=1.1 * inch,
        rightMargin=1.1 * inch,
        topMargin=inch,
        bottomMargin=inch,
        title=title,
        subject=subject,
        author="Mainspring samples",
        invariant=1,
    )

    def footer(canvas: Canvas, _: object) -> None:
        canvas.setFont("Times-Roman", 9)
        canvas.drawCentredString(LETTER[0] / 2, 0.6 * inch, f"{title} | Page {canvas.getPageNumber()}")

    document.build(list(_flowables(items)), onFirstPage=footer, onLaterPages=footer)
    return target.getvalue()


def _flowables(items: list[Item]) -> Iterator[Flowable]:
    for is_row, group in groupby(items, key=lambda item: item.kind is Kind.ROW):
        if is_row:
            yield _table([[Paragraph(_markup(cell), _CELL) for cell in item.cells] for item in group])
            yield Spacer(1, 10)
        else:
            for item in group:
                yield from _flowable(item)


def _flowable(item: Item) -> Iterator[Flowable]:
    match item.kind:
        case Kind.TITLE:
            yield Paragraph(_markup(item.text), _TITLE)
        case Kind.SCHEDULE:
            yield PageBreak()
            yield Paragraph(_markup(item.text), _SCHEDULE)
        case Kind.HEADING:
            yield Paragraph(_markup(item.text), _HEADING)
        case Kind.SIGN:
            yield Spacer(1, 14)
            yield _signatures(item.cells)
        case Kind.CLAUSE:
            indent = _INDENTS[item.level]
            style = ParagraphStyle(
                f"level{item.level}",
                _HEADING if item.level == 0 else _BODY,
                leftIndent=indent,
                bulletIndent=0 if item.level < 2 else _INDENTS[item.level - 1],
                bulletFontSize=_HEADING.fontSize if item.level == 0 else _BODY.fontSize,
            )
            yield Paragraph(_markup(item.text), style, bulletText=item.number)
        case _:
            yield Paragraph(_markup(item.text), _BODY)


def _table(rows: list[list[Paragraph]]) -> Table:
    table = Table(rows, hAlign="LEFT", repeatRows=1)
    table.setStyle(TableStyle([("GRID", (0, 0), (-1, -1), 0.5, grey), ("VALIGN", (0, 0), (-1, -1), "TOP")]))
    return table


def _signatures(companies: tuple[str, ...]) -> Table:
    rows = [[Paragraph(f"<b>{_markup(company)}</b>", _CELL) for company in companies]]
    rows += [[Paragraph(label, _CELL) for _ in companies] for label in ("By: ____________________", "Name:", "Title:")]
    table = Table(rows, hAlign="LEFT")
    table.setStyle(TableStyle([("BOTTOMPADDING", (0, 0), (-1, -1), 10)]))
    return table


def _markup(text: str) -> str:
    """Escapes the text and turns `**bold**` into reportlab's mark-up."""
    parts = escape(text).split("**")
    return "".join(part if place % 2 == 0 else f"<b>{part}</b>" for place, part in enumerate(parts))
