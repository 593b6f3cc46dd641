"""Where lines stand on a page, and the order in which a page is read."""

import io

import pypdfium2
import pytest
from reportlab.lib import colors
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate, Table, TableStyle

from mainspring.orchestration.knowledge import BlockKind, ParsedDocument, parse
from mainspring.orchestration.knowledge.testing import make_pdf

_SENTENCE = "The supplier shall deliver the goods in time."


def _drawn(*texts: tuple[float, float, str], font: str = "Helvetica", size: float = 10) -> bytes:
    output = io.BytesIO()
    canvas = Canvas(output, pagesize=(612, 792))
    canvas.setFont(font, size)
    for x, y, text in texts:
        canvas.drawString(x, y, text)
    canvas.save()
    return output.getvalue()


def _changed(content: bytes, *, turned: int = 0, cropped: tuple[float, float, float, float] | None = None) -> bytes:
    document, output = pypdfium2.PdfDocument(content), io.BytesIO()
    document[0].set_rotation(turned)
    if cropped:
        document[0].set_cropbox(*cropped)
    document.save(output)
    return output.getvalue()


def _parse(content: bytes) -> ParsedDocument:
    return parse(content, filename="a.pdf")


def _rows(document: ParsedDocument) -> list[str]:
    return [document.text[b.start : b.end] for b in document.blocks if b.kind is BlockKind.TABLE_ROW]


def test_every_line_has_its_box_from_the_upper_left_corner():
    document = _parse(make_pdf([["1. TERM", "This agreement lasts", "for one year."], ["2. FEES"]]))
    found = [(document.text[box.start : box.end], box.page, box.left) for box in document.boxes]
    assert found == [("1. TERM", 1, 72), ("This agreement lasts", 1, 72), ("for one year.", 1, 72), ("2. FEES", 2, 72)]
    first, second = document.boxes[:2]
    assert first.top < 792 - 740 < first.bottom
    assert 10 < second.top - first.top < 18
    assert all(box.left < box.right <= 612 for box in document.boxes)


def test_a_hyphen_that_went_is_in_no_box():
    filler = "that the parties have agreed upon in the presence of both of their"
    document = _parse(make_pdf([[f"The confidential information {filler} repre-", "sentatives is kept."]]))
    assert [document.text[box.start : box.end][-5:] for box in document.boxes] == ["repre", "kept."]


def test_a_cropped_page_is_measured_as_it_is_shown():
    document = _parse(_changed(_drawn((72, 700, _SENTENCE)), cropped=(50, 100, 500, 750)))
    (box,) = document.boxes
    assert box.left == pytest.approx(22)
    assert box.top < 750 - 700 < box.bottom


@pytest.mark.parametrize(
    ("turned", "left", "top", "is_upright"),
    [(90, 697.8, 72, False), (180, 347.7, 697.8, True), (270, 82.6, 347.7, False)],
)
def test_a_turned_page_is_measured_as_it_is_shown(turned: int, left: float, top: float, *, is_upright: bool):
    (box,) = _parse(_changed(_drawn((72, 700, _SENTENCE)), turned=turned)).boxes
    assert (box.left, box.top) == (pytest.approx(left, abs=0.1), pytest.approx(top, abs=0.1))
    assert (box.right - box.left > box.bottom - box.top) is is_upright


def test_a_landscape_page_drawn_on_its_side_reads_and_measures_upright():
    output = io.BytesIO()
    canvas = Canvas(output, pagesize=(612, 792))
    canvas.rotate(90)
    canvas.setFont("Helvetica", 10)
    for number, line in enumerate((_SENTENCE, "and in full.")):
        canvas.drawString(100, -200 - 14 * number, line)
    canvas.save()
    document = _parse(_changed(output.getvalue(), turned=90))
    assert document.text == f"{_SENTENCE}\n\nand in full." or document.text == f"{_SENTENCE} and in full."
    first, second = document.boxes
    assert first.left == pytest.approx(second.left)
    assert second.top - first.top == pytest.approx(14, abs=0.1)


def test_columns_written_line_by_line_across_come_apart():
    left = [f"left line {number} of the first column that is long enough" for number in range(20)]
    right = [f"right line {number} of the second column that runs on too" for number in range(20)]
    heading = (60, 760, "A heading over both of the columns, which is as wide as both of them are together on the page")
    drawn = [
        (x, 740 - 12 * row, text)
        for row, pair in enumerate(zip(left, right, strict=True))
        for x, text in zip((60, 330), pair, strict=True)
    ]
    text = _parse(_drawn(heading, *drawn, size=9)).text
    assert text.startswith("A heading over both")
    assert " ".join(left) in text
    assert text.index(left[-1]) < text.index(right[0])


def test_aligned_columns_are_rows_of_a_table():
    table = [("Item", "Quantity", "Price"), ("Steel bolt", "100", "12.50"), ("Washer", "1,000", "0.10")]
    drawn = [
        (x, 700 - 14 * row, cell)
        for row, cells in enumerate(table)
        for x, cell in zip((72, 250, 400), cells, strict=True)
    ]
    document = _parse(_drawn((72, 740, "PRICE LIST"), *drawn, (72, 640, "All prices are in euro, without tax.")))
    assert _rows(document) == ["Item | Quantity | Price", "Steel bolt | 100 | 12.50", "Washer | 1,000 | 0.10"]
    assert document.text.endswith("All prices are in euro, without tax.")


@pytest.mark.parametrize("placed", ["TOP", "MIDDLE", "BOTTOM"])
def test_cells_of_several_lines_come_together(placed: str):
    style = getSampleStyleSheet()["BodyText"]
    rows = [
        ("Service", "Level", "Remedy"),
        ("Availability of the platform in each month", "At least 99.9 percent measured over it", "A credit"),
        ("Response", "Within one hour on working days, and else within four", "None, but the customer may leave"),
    ]
    table = Table([[Paragraph(cell, style) for cell in row] for row in rows], colWidths=[110, 130, 120])
    table.setStyle(TableStyle([("GRID", (0, 0), (-1, -1), 0.5, colors.black), ("VALIGN", (0, 0), (-1, -1), placed)]))
    output = io.BytesIO()
    prose = Paragraph("The service is rendered as the table says. " * 5, style)
    SimpleDocTemplate(output).build([prose, table, prose])
    document = _parse(output.getvalue())
    assert _rows(document) == [" | ".join(row) for row in rows]


def test_clauses_with_a_wide_blank_after_their_number_are_no_table():
    lines = [
        ("1.1", "The seller delivers the goods."),
        ("1.2", "The buyer pays the price."),
        ("1.3", "Both keep records."),
    ]
    drawn = [
        (x, 700 - 14 * row, cell) for row, cells in enumerate(lines) for x, cell in zip((72, 130), cells, strict=True)
    ]
    document = _parse(_drawn(*drawn))
    assert [block.number for block in document.blocks] == ["1.1", "1.2", "1.3"]
    assert not _rows(document)


def test_typewritten_prose_with_wide_blanks_is_no_table():
    lines = [
        "regarded   as  material  to   the  purchase  of  the  goods",
        "each  as   more   particularly  described   in  the  order",
        "and  the   parties  to   it  as  the   case  may  then  be",
    ]
    drawn = [
        (72 + 6 * place, 700 - 12 * row, word)
        for row, line in enumerate(lines)
        for place, word in (
            (line.index(f"{word} ") if f"{word} " in line else line.rindex(word), word) for word in line.split()
        )
    ]
    assert not _rows(_parse(_drawn(*drawn, font="Courier")))
