"""HTML: what a reader sees of the main content."""

import pytest

from mainspring.orchestration.knowledge import ParsedDocument, parse


def _parse(body: str, head: str = "") -> ParsedDocument:
    return parse(f"<!DOCTYPE html><html><head>{head}</head><body>{body}</body></html>".encode(), filename="a.html")


def _shown(document: ParsedDocument) -> list[tuple[str, str]]:
    return [(block.kind.value, document.text[block.start : block.end]) for block in document.blocks]


def test_headings_paragraphs_and_listings_keep_their_form():
    document = _parse(
        "<h1>Handbook</h1><p>All of us <b>must</b>\n  read this.<br>Twice.</p><h2>Leave</h2><p>Short Words</p>"
        "<pre>if late:\n    call()</pre>"
    )
    assert _shown(document) == [
        ("heading", "Handbook"),
        ("paragraph", "All of us must read this.\nTwice."),
        ("heading", "Leave"),
        ("paragraph", "Short Words"),
        ("paragraph", "if late:\n    call()"),
    ]
    assert [block.level for block in document.blocks] == [0, None, 1, None, None]
    assert document.title == "Handbook"


def test_lists_are_numbered_as_browsers_number_them():
    document = _parse(
        "<h2>Rules</h2><ul><li>one<ul><li>within</ul><li><p>two</p></ul>"
        "<ol start=3><li>third<li value=7>seventh</ol><ol type=a><li>first</ol>"
    )
    assert [text for _, text in _shown(document)[1:]] == [
        "• one",
        "• within",
        "• two",
        "3. third",
        "7. seventh",
        "(a) first",
    ]
    assert {kind for kind, _ in _shown(document)[1:]} == {"list_item"}


def test_tables_are_rows_and_layout_tables_are_prose():
    document = _parse(
        "<table><caption>Rates</caption><tr><th>Grade<th>Pay<tr><td>A<td>10<tr><td>B<td><b>20</b></table>"
        "<table><tr><td><table><tr><td>Menu<td>Text</table><td>Beside</table>"
    )
    assert ("table_row", "Grade | Pay") in _shown(document)
    assert ("table_row", "B | 20") in _shown(document)
    assert document.blocks[2].attributes == {"columns": "Grade | Pay"}
    assert "Beside" in document.text.split("\n\n")


@pytest.mark.parametrize(
    "hidden",
    [
        "<nav>Unseen</nav>",
        "<script>Unseen</script>",
        "<style>Unseen</style>",
        "<noscript>Unseen</noscript>",
        "<template>Unseen</template>",
        "<footer>Unseen</footer>",
        "<!-- Unseen -->",
        "<div hidden>Unseen</div>",
        "<p style='color:red; display : none'>Unseen</p>",
        "<p style='visibility:hidden'>Unseen</p>",
        "<p style='font-size:0px'>Unseen</p>",
        "<p style='opacity:0.0'>Unseen</p>",
        "<p aria-hidden=true>Unseen</p>",
        "<div role=navigation>Unseen</div>",
        "<svg><text>Unseen</text></svg>",
        "<select><option>Unseen</option></select>",
        "<iframe src='http://127.0.0.1/'>Unseen</iframe>",
    ],
)
def test_what_is_not_shown_is_not_read(hidden: str):
    assert _parse(f"<p>Seen</p>{hidden}<p style='opacity:0.9'>and read</p>").text == "Seen\n\nand read"


def test_the_main_part_is_read_where_there_is_one():
    text = "The quick brown fox jumps over the lazy dog. " * 8
    assert _parse(f"<div>Around</div><main><p>{text}</p></main><div>Below</div>").text == text.strip()
    assert "Around" in _parse(f"<div>Around {text}</div><main></main>").text


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("<html><meta charset=utf-8><p>Größe – 5 €".encode(), "Größe – 5 €"),
        ("<html><meta charset=iso-8859-1><p>Größe – 5 €".encode("cp1252"), "Größe – 5 €"),
        (
            "<html><meta http-equiv=Content-Type content='text/html; charset=koi8-r'><p>договор".encode("koi8-r"),
            "договор",
        ),
        ("<html><p>Größe".encode("utf-16"), "Größe"),
        ("<html><p>Größe".encode("utf-8-sig"), "Größe"),
        ("<html><p>Größe".encode("cp1252"), "Größe"),
        (b"<html><meta charset=punycode><p>plain", "plain"),
        (
            "<?xml version='1.0' encoding='utf-8'?><html xmlns='http://www.w3.org/1999/xhtml'><p>Größe</p></html>".encode(),
            "Größe",
        ),
    ],
)
def test_the_characters_are_those_that_the_page_declares(content: bytes, text: str):
    assert parse(content, filename="a.html").text == text


def test_the_declared_language_counts_where_the_text_leaves_it_open():
    assert parse(b"<html lang='sv-SE'><p>Hej", filename="a.html").language == "sv"
    english = "The buyer shall pay the price to the seller within ten days of the delivery of the goods to it."
    assert parse(f"<html lang='sv'><p>{english}".encode(), filename="a.html").language == "en"


def test_a_page_behind_another_name_is_read_with_a_warning():
    document = parse(b"<!doctype html><p>Text", filename="a.pdf")
    assert document.media_type == "text/html"
    assert "web page" in document.warnings[-1]
    assert parse(b"<p>Only a part</p>", filename="a.html").text == "Only a part"


def test_numbered_clauses_of_a_page_without_headings_are_found():
    document = _parse("<p>1. TERM</p><p>1.1 Start. It starts now.</p><p>1.2 End. It ends then.</p>")
    assert [block.number for block in document.blocks] == ["1", "1.1", "1.2"]
