"""Word's automatic numbers are worked out as Word shows them."""

import pytest

from mainspring.orchestration.knowledge import BlockKind, parse
from mainspring.orchestration.knowledge.testing import in_list, make_word, paragraph

_MULTILEVEL = """
<w:abstractNum w:abstractNumId="0">
  <w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl>
  <w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1.%2"/></w:lvl>
  <w:lvl w:ilvl="2"><w:start w:val="1"/><w:numFmt w:val="lowerLetter"/><w:lvlText w:val="(%3)"/></w:lvl>
  <w:lvl w:ilvl="3"><w:start w:val="1"/><w:numFmt w:val="lowerRoman"/><w:lvlText w:val="(%4)"/></w:lvl>
</w:abstractNum>
<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>
<w:num w:numId="2"><w:abstractNumId w:val="0"/>
  <w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride></w:num>
<w:num w:numId="3"><w:abstractNumId w:val="0"/></w:num>
"""


def _one_level(number_format: str, text: str = "%1.", *, start: int = 1, more: str = "") -> str:
    return (
        f'<w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:start w:val="{start}"/>'
        f'<w:numFmt w:val="{number_format}"/><w:lvlText w:val="{text}"/>{more}</w:lvl></w:abstractNum>'
        '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
    )


def _lines(content: bytes) -> list[str]:
    return parse(content, filename="a.docx").text.split("\n\n")


def test_levels_count_and_restart_below_a_higher_number():
    levels = [(0, "Term"), (1, "Start"), (1, "End"), (2, "first"), (2, "second"), (3, "deep"), (0, "Fees"), (1, "Rate")]
    body = "".join(paragraph(text, in_list(1, level)) for level, text in levels)
    assert _lines(make_word(body, numbering=_MULTILEVEL)) == [
        "1. Term",
        "1.1 Start",
        "1.2 End",
        "(a) first",
        "(b) second",
        "(i) deep",
        "2. Fees",
        "2.1 Rate",
    ]


def test_the_number_is_in_the_text_and_on_the_block():
    body = paragraph("Fees", in_list(1, 0)) + paragraph("The buyer pays each month within thirty days.", in_list(1, 1))
    document = parse(make_word(body, numbering=_MULTILEVEL), filename="a.docx")
    assert [(block.number, block.level) for block in document.blocks] == [("1", 0), ("1.1", 1)]
    assert document.text[document.blocks[1].start : document.blocks[1].end].startswith("1.1 The buyer")
    assert document.blocks[0].kind is BlockKind.HEADING


def test_two_lists_of_one_definition_count_on_and_an_override_starts_anew():
    body = (
        paragraph("one", in_list(1))
        + paragraph("two", in_list(3))
        + paragraph("anew", in_list(2))
        + paragraph("next", in_list(2))
    )
    assert _lines(make_word(body, numbering=_MULTILEVEL)) == ["1. one", "2. two", "1. anew", "2. next"]


@pytest.mark.parametrize(
    ("number_format", "expected"),
    [
        ("decimal", "28."),
        ("decimalZero", "28."),
        ("lowerLetter", "bb."),
        ("upperLetter", "BB."),
        ("lowerRoman", "xxviii."),
        ("upperRoman", "XXVIII."),
        ("ordinal", "28th."),
        ("ordinalText", "Twenty-eighth."),
        ("cardinalText", "Twenty-eight."),
        ("chineseCounting", "28."),
    ],
)
def test_number_formats(number_format: str, expected: str):
    content = make_word(paragraph("text", in_list(1)), numbering=_one_level(number_format, start=28))
    assert _lines(content) == [f"{expected} text"]


def test_legal_numbering_shows_higher_levels_as_digits():
    numbering = """
    <w:abstractNum w:abstractNumId="0">
      <w:lvl w:ilvl="0"><w:start w:val="4"/><w:numFmt w:val="upperRoman"/><w:lvlText w:val="ARTICLE %1"/></w:lvl>
      <w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:isLgl/>
        <w:lvlText w:val="Section %1.%2"/></w:lvl>
    </w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>"""
    body = paragraph("TERM", in_list(1, 0)) + paragraph("Duration. It lasts one year.", in_list(1, 1))
    document = parse(make_word(body, numbering=numbering), filename="a.docx")
    assert document.text == "ARTICLE IV TERM\n\nSection 4.1 Duration. It lasts one year."
    assert [block.number for block in document.blocks] == ["ARTICLE IV", "Section 4.1"]


def test_a_style_brings_its_list_through_the_style_it_is_based_on():
    styles = """
    <w:style w:type="paragraph" w:styleId="Clause"><w:name w:val="Clause"/>
      <w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:style>
    <w:style w:type="paragraph" w:styleId="Narrow"><w:name w:val="Narrow"/><w:basedOn w:val="Clause"/></w:style>
    <w:style w:type="paragraph" w:styleId="Sub"><w:name w:val="Sub"/><w:basedOn w:val="Clause"/></w:style>"""
    numbering = _MULTILEVEL.replace(
        '<w:lvl w:ilvl="1"><w:start w:val="1"/>', '<w:lvl w:ilvl="1"><w:start w:val="1"/><w:pStyle w:val="Sub"/>'
    )
    body = (
        paragraph("first", '<w:pStyle w:val="Clause"/>')
        + paragraph("below", '<w:pStyle w:val="Sub"/>')
        + paragraph("second", '<w:pStyle w:val="Narrow"/>')
        + paragraph("plain", '<w:pStyle w:val="Narrow"/><w:numPr><w:numId w:val="0"/></w:numPr>')
    )
    assert _lines(make_word(body, numbering=numbering, styles=styles)) == [
        "1. first",
        "1.1 below",
        "2. second",
        "plain",
    ]


def test_a_level_that_never_restarts_counts_through():
    numbering = _MULTILEVEL.replace('<w:lvlText w:val="%1.%2"/>', '<w:lvlRestart w:val="0"/><w:lvlText w:val="%2)"/>')
    levels = [(0, "A"), (1, "x"), (0, "B"), (1, "y")]
    body = "".join(paragraph(text, in_list(1, level)) for level, text in levels)
    assert _lines(make_word(body, numbering=numbering)) == ["1. A", "1) x", "2. B", "2) y"]


def test_numbers_count_on_through_tables_and_deleted_paragraphs_do_not_count():
    deleted = (
        '<w:p><w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr><w:rPr><w:del w:id="1"/></w:rPr></w:pPr>'
        '<w:del w:id="2"><w:r><w:delText>gone</w:delText></w:r></w:del></w:p>'
    )
    cell = f"<w:tc>{paragraph('in a table', in_list(1))}</w:tc><w:tc>{paragraph('beside')}</w:tc>"
    body = (
        paragraph("one", in_list(1)) + deleted + f"<w:tbl><w:tr>{cell}</w:tr></w:tbl>" + paragraph("three", in_list(1))
    )
    assert _lines(make_word(body, numbering=_MULTILEVEL)) == ["1. one", "2. in a table | beside", "3. three"]


def test_an_empty_paragraph_counts_and_one_that_only_breaks_the_section_does_not():
    body = (
        paragraph("", in_list(1))
        + paragraph("second", in_list(1))
        + paragraph("", in_list(1) + "<w:sectPr/>")
        + paragraph("third", in_list(1))
    )
    assert _lines(make_word(body, numbering=_MULTILEVEL)) == ["2. second", "3. third"]


def test_bullets_are_list_items_without_a_number():
    document = parse(
        make_word(paragraph("point", in_list(1)), numbering=_one_level("bullet", "\uf0b7")), filename="a.docx"
    )
    assert document.text == "• point"
    assert [(block.kind, block.number) for block in document.blocks] == [(BlockKind.LIST_ITEM, None)]


def test_lists_that_do_not_exist_number_nothing():
    assert _lines(make_word(paragraph("text", in_list(77)), numbering=_MULTILEVEL)) == ["text"]
    ring = (
        '<w:abstractNum w:abstractNumId="0"><w:numStyleLink w:val="X"/></w:abstractNum>'
        '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
    )
    assert _lines(make_word(paragraph("text", in_list(1)), numbering=ring)) == ["text"]
