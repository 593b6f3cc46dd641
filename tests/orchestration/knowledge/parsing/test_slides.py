"""PPTX: slide by slide, without what the layout repeats."""

from mainspring.orchestration.knowledge import BlockKind, ParsedDocument, parse
from mainspring.orchestration.knowledge.testing import make_slides, shape

_TABLE = (
    '<p:graphicFrame><a:tbl><a:tblPr firstRow="1"/>'
    "<a:tr><a:tc><a:txBody><a:p><a:r><a:t>Item</a:t></a:r></a:p></a:txBody></a:tc>"
    "<a:tc><a:txBody><a:p><a:r><a:t>Price</a:t></a:r></a:p></a:txBody></a:tc></a:tr>"
    "<a:tr><a:tc><a:txBody><a:p><a:r><a:t>Bolt</a:t></a:r></a:p></a:txBody></a:tc>"
    "<a:tc><a:txBody><a:p><a:r><a:t>12.50</a:t></a:r></a:p></a:txBody></a:tc></a:tr></a:tbl></p:graphicFrame>"
)


def _parse(*slides: str, notes: dict[int, str] | None = None) -> ParsedDocument:
    return parse(make_slides(slides, notes=notes), filename="a.pptx")


def _shown(document: ParsedDocument) -> list[tuple[str, str]]:
    return [(block.kind.value, document.text[block.start : block.end]) for block in document.blocks]


def test_the_title_comes_first_then_lists_boxes_and_notes():
    first = shape("Plan for 2025", placeholder="ctrTitle") + shape("What we mean to do", placeholder="subTitle")
    second = shape("Sell more", "Spend less", placeholder="body") + shape("Aims", placeholder="title") + shape("A box")
    document = _parse(first, second, notes={2: "Say this slowly."})
    assert _shown(document) == [
        ("heading", "Plan for 2025"),
        ("paragraph", "What we mean to do"),
        ("heading", "Aims"),
        ("list_item", "• Sell more"),
        ("list_item", "• Spend less"),
        ("paragraph", "A box"),
        ("paragraph", "Notes: Say this slowly."),
    ]
    assert [block.attributes["slide"] for block in document.blocks] == ["1", "1", "2", "2", "2", "2", "2"]
    assert document.title == "Plan for 2025"


def test_slides_are_pages():
    document = _parse(shape("One", placeholder="title"), shape("Two", placeholder="title"))
    assert document.page_at(document.text.index("One")) == 1
    assert document.page_at(document.text.index("Two")) == 2


def test_tables_are_rows_with_the_names_of_their_columns():
    document = _parse(shape("Prices", placeholder="title") + _TABLE)
    assert _shown(document)[1:] == [("table_row", "Item | Price"), ("table_row", "Bolt | 12.50")]
    assert document.blocks[-1].attributes == {"slide": "1", "columns": "Item | Price"}


def test_footers_dates_and_numbers_stay_out():
    repeated = (
        shape("Confidential", placeholder="ftr") + shape("7", placeholder="sldNum") + shape("May", placeholder="dt")
    )
    assert _parse(shape("Aims", placeholder="title") + repeated).text == "Aims"


def test_hidden_slides_stay_out_and_are_told():
    hidden = make_slides([shape("Seen", placeholder="title"), shape("Unseen", placeholder="title")])
    with_show = make_slides(
        [shape("Seen", placeholder="title"), ""],
        parts={"ppt/slides/slide2.xml": b'<p:sld xmlns:p="urn:p" show="0"><p:spTree/></p:sld>'},
    )
    assert "Unseen" in parse(hidden, filename="a.pptx").text
    document = parse(with_show, filename="a.pptx")
    assert document.text == "Seen"
    assert document.warnings == ("1 hidden slides were left out.",)


def test_groups_are_read_and_of_alternatives_only_the_first():
    group = f"<p:grpSp>{shape('In a group')}</p:grpSp>"
    choice = (
        '<mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006">'
        f"<mc:Choice>{shape('New form')}</mc:Choice><mc:Fallback>{shape('Old form')}</mc:Fallback>"
        "</mc:AlternateContent>"
    )
    document = _parse(group + choice)
    assert [text for _, text in _shown(document)] == ["In a group", "New form"]
    assert {block.kind for block in document.blocks} == {BlockKind.PARAGRAPH}
