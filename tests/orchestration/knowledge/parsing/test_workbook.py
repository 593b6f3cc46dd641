"""XLSX and CSV: rows a reader understands, with the names of their columns."""

import pytest

from mainspring.orchestration.knowledge import BlockKind, ParsedDocument, parse
from mainspring.orchestration.knowledge.testing import make_rows, make_workbook

_STYLES = (
    '<numFmts><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd\\ hh:mm"/>'
    '<numFmt numFmtId="165" formatCode="[$-407]d. mmmm yyyy"/><numFmt numFmtId="166" formatCode="&quot;day &quot;0"/>'
    '</numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="165"/>'
    '<xf numFmtId="166"/><xf numFmtId="10"/><xf numFmtId="21"/></cellXfs>'
)


def _parse(content: bytes, name: str = "a.xlsx") -> ParsedDocument:
    return parse(content, filename=name)


def _rows(document: ParsedDocument) -> list[str]:
    return [document.text[b.start : b.end] for b in document.blocks if b.kind is BlockKind.TABLE_ROW]


def _sheet(cells: str, rest: str = "") -> bytes:
    return make_workbook({"A": f"<sheetData>{cells}</sheetData>{rest}"}, shared=["north", "south"], styles=_STYLES)


def test_each_row_knows_its_sheet_and_the_names_of_its_columns():
    rows = make_rows([["Item", "Price"], ["Bolt", 12.5], ["Nut", 7]])
    document = _parse(make_workbook({"Prices": rows, "Stock": make_rows([["Item", "Pieces"], ["Bolt", 4]])}))
    assert _rows(document) == ["Item | Price", "Bolt | 12.5", "Nut | 7", "Item | Pieces", "Bolt | 4"]
    assert document.blocks[2].attributes == {"sheet": "Prices", "columns": "Item | Price"}
    assert document.blocks[-1].attributes == {"sheet": "Stock", "columns": "Item | Pieces"}
    headings = [document.text[b.start : b.end] for b in document.blocks if b.kind is BlockKind.HEADING]
    assert headings == ["Prices", "Stock"]


def test_what_stands_above_the_names_of_the_columns_is_prose_and_blank_rows_part_tables():
    rows = [
        ["Sales of 2024", "", ""],
        ["Region", "On", "Sum"],
        ["North", "2024-01-02", 5],
        ["", "", ""],
        ["South", "", 6],
    ]
    document = _parse(make_workbook({"A": make_rows(rows)}))
    assert document.blocks[1].kind is BlockKind.PARAGRAPH
    assert _rows(document) == ["Region | On | Sum", "North | 2024-01-02 | 5", "South |  | 6"]
    assert document.blocks[-1].attributes["columns"] == "Region | On | Sum"


def test_rows_of_numbers_have_no_names():
    document = _parse(make_workbook({"A": make_rows([[1, 2], [3, 4]])}))
    assert "columns" not in document.blocks[-1].attributes


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ('<c s="1"><v>45000</v></c>', "2023-03-15"),
        ('<c s="2"><v>45000.5</v></c>', "2023-03-15T12:00:00"),
        ('<c s="3"><v>1</v></c>', "1900-01-01"),
        ('<c s="4"><v>45000</v></c>', "45000"),
        ('<c s="5"><v>0.125</v></c>', "12.5%"),
        ('<c s="6"><v>0.25</v></c>', "06:00:00"),
        ('<c s="1"><v>99999999</v></c>', "99999999"),
        ('<c s="0"><v>0.30000000000000004</v></c>', "0.3"),
        ("<c><v>1E3</v></c>", "1000"),
        ("<c><v>12345678901234567890</v></c>", "12345678901234567890"),
        ('<c t="s"><v>1</v></c>', "south"),
        ('<c t="b"><v>1</v></c>', "TRUE"),
        ('<c t="e"><v>#REF!</v></c>', "#REF!"),
        ('<c t="str"><f>A1&amp;"x"</f><v>made by a formula</v></c>', "made by a formula"),
        ("<c><f>SUM(A1:A9)</f><v>42</v></c>", "42"),
        ('<c t="inlineStr"><is><r><t>rich </t></r><r><t>text</t></r><rPh><t>x</t></rPh></is></c>', "rich text"),
    ],
)
def test_a_cell_reads_as_it_is_shown(cell: str, shown: str):
    assert _rows(_parse(_sheet(f"<row>{cell}</row>"))) == [shown]


def test_dates_may_count_from_1904():
    book = make_workbook(
        {"A": '<sheetData><row><c s="1"><v>0</v></c><c><v>1</v></c></row></sheetData>'}, styles=_STYLES
    )
    main = '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><workbookPr date1904="1"/><sheets><sheet name="A" r:id="rId1"/></sheets></workbook>'  # noqa: E501
    assert _rows(_parse(book))[0].startswith("1899")
    newer = make_workbook(
        {"A": '<sheetData><row><c s="1"><v>0</v></c></row></sheetData>'},
        styles=_STYLES,
        parts={"xl/workbook.xml": main.encode()},
    )
    assert _rows(_parse(newer)) == ["1904-01-01"]


def test_cells_merged_downwards_say_their_value_in_each_row():
    cells = (
        '<row r="2"><c r="B2" t="s"><v>0</v></c><c r="C2"><v>1</v></c></row>'
        '<row r="3"><c r="C3"><v>2</v></c></row><row r="4"><c r="B4" t="s"><v>1</v></c><c r="C4"><v>3</v></c></row>'
    )
    document = _parse(_sheet(cells, '<mergeCells><mergeCell ref="B2:B3"/><mergeCell ref="nonsense"/></mergeCells>'))
    assert _rows(document) == ["north | 1", "north | 2", "south | 3"]


def test_hidden_sheets_stay_out_and_are_told():
    document = _parse(make_workbook({"A": make_rows([["seen", "too"]]), ".B": make_rows([["unseen", "too"]])}))
    assert "unseen" not in document.text
    assert document.warnings == ("Hidden sheets were left out: B.",)


def test_formulas_without_a_value_are_told():
    document = _parse(_sheet("<row><c><v>1</v></c><c><f>A1+1</f></c></row>"))
    assert "1 formulas hold no stored value" in document.warnings[0]


@pytest.mark.parametrize(
    ("content", "name", "media_type"),
    [
        (b"Name,Sum\nAnna,5\nBob,6\n", "a.csv", "text/csv"),
        (b"Name;Sum\nAnna;5\nBob;6\n", "a.csv", "text/csv"),
        (b"Name\tSum\nAnna\t5\nBob\t6\n", "a.tsv", "text/tab-separated-values"),
        (b'\xef\xbb\xbf"Name","Sum"\r\n"Anna","5"\r\n"Bob","6"\r\n', "a.csv", "text/csv"),
        ("Name|Sum\nAnna|5\nBob|6\n".encode("utf-16"), "a.csv", "text/csv"),
    ],
)
def test_tables_in_text_are_read_by_any_separator(content: bytes, name: str, media_type: str):
    document = _parse(content, name)
    assert _rows(document) == ["Name | Sum", "Anna | 5", "Bob | 6"]
    assert document.blocks[1].attributes == {"columns": "Name | Sum"}
    assert document.media_type == media_type
    assert document.title is None


def test_a_quoted_cell_may_hold_separators_and_line_ends():
    assert _rows(_parse(b'Name,Note\nAnna,"one, two\nthree"\n', "a.csv"))[1] == "Anna | one, two three"


def test_uneven_rows_are_filled_with_a_warning():
    document = _parse(b"Name,Sum,On\nAnna,5\nBob,6,2024-01-02\n", "a.csv")
    assert _rows(document)[1] == "Anna | 5 |"
    assert "different numbers of cells" in document.warnings[0]


def test_a_table_without_a_telling_name_is_known_by_its_even_rows():
    table = b"id,name,sum\n1,Anna,5\n2,Bob,6\n3,Cy,7\n4,Dora,8\n"
    assert _parse(table, "export").media_type == "text/csv"
    assert _parse(table, "export.txt").media_type == "text/plain"
    prose = b"First, we agree, at last.\nSecond, we pay, in time.\nThird, we part, as friends.\nThat is all.\n"
    assert _parse(prose, "letter").media_type == "text/plain"
