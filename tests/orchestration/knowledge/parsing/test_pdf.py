"""Lines of pages become paragraphs, and what is only on the page for the page's sake goes."""

from mainspring.orchestration.knowledge import ParsedDocument, parse
from mainspring.orchestration.knowledge.testing import make_pdf

_WIDE = "The seller shall deliver the goods to the buyer at the place that the order names, in whole"


def _parse(*pages: list[str]) -> ParsedDocument:
    return parse(make_pdf(pages), filename="a.pdf")


def test_lines_join_to_paragraphs_and_gaps_part_them():
    document = _parse([_WIDE, "and in time.", "", "Each delivery is paid for within thirty days of it."])
    assert document.text == f"{_WIDE} and in time.\n\nEach delivery is paid for within thirty days of it."


def test_numbers_start_paragraphs_without_a_gap():
    document = _parse(["1. TERM", _WIDE, "and in time.", "1.1 Start. It starts now.", "(a) at once;", "(b) not later."])
    assert [block.number for block in document.blocks] == ["1", None, "1.1", "(a)", "(b)"]


def test_headers_footers_and_page_numbers_go_and_sentences_run_on_over_the_page():
    words = ("red", "green", "blue", "white")
    pages = [
        [
            "ACME SUPPLY AGREEMENT - CONFIDENTIAL",
            "",
            f"{word} {_WIDE}",
            f"{word} means that the {word} goods are",
            "",
            f"Page {page} of 4",
        ]
        for page, word in enumerate(words, 1)
    ]
    document = _parse(*pages)
    assert "CONFIDENTIAL" not in document.text
    assert "Page" not in document.text
    assert "the red goods are green The seller" in document.text
    assert [document.text[page.start : page.start + 4].strip() for page in document.pages] == [
        "red",
        "gree",
        "blue",
        "whit",
    ]


def test_pages_cover_the_text_without_gap_and_blank_ones_are_told():
    document = _parse(["First page has a sentence."], [""], ["Third page has a sentence."])
    assert [(page.number, page.start, page.end) for page in document.pages] == [(1, 0, 28), (2, 28, 28), (3, 28, 54)]
    assert document.page_at(30) == 3
    assert document.warnings == ("Page 2 holds no text.",)


def test_a_hyphen_at_a_line_end_goes_when_the_word_has_none():
    filler = "that the parties have agreed upon in the presence of both of their"
    document = _parse(
        [
            f"The confidential information {filler} repre-",
            f"sentatives, and each third-party notice, {filler} third-",
            "party advisers, and any infor-",
            "mation, is kept.",
        ]
    )
    assert "representatives" in document.text
    assert "third-party advisers" in document.text
    assert "any information, is kept" in document.text


def test_characters_are_clean():
    document = _parse(["Acme’s “goods” cost 5 € – no more."])
    assert document.text == "Acme’s “goods” cost 5 € – no more."
    assert document.text.isprintable()
