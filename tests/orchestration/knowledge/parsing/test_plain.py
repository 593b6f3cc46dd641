"""Plain text keeps every character in its place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainspring.foundation.errors import MainspringError
from mainspring.orchestration.knowledge import BlockKind, ParsedDocument, parse
from mainspring.orchestration.knowledge.errors import BinaryContent, EmptyFile, UnsupportedType


def _parse(text: str) -> ParsedDocument:
    return parse(text.encode(), filename="a.txt")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_in_its_usual_encodings_reads_alike(encoding: str):
    document = parse("Vertrag über Lieferungen – 5 €".encode(encoding), filename="a.txt")
    assert document.text == "Vertrag über Lieferungen – 5 €"
    assert document.warnings == ()


def test_windows_text_is_read_with_a_warning():
    document = parse("The “Agreement” costs 5 €".encode("cp1252"), filename="a.txt")
    assert document.text == "The “Agreement” costs 5 €"
    assert "Windows-1252" in document.warnings[0]


def test_offsets_are_those_of_the_file():
    text = "1.  TERM\n\nThis Agreement\xa0lasts\x0c one year.\n\n\n2. FEES\n"
    document = _parse(text)
    assert len(document.text) == len(text)
    assert [document.text[block.start : block.end] for block in document.blocks] == [
        "1.  TERM",
        "This Agreement lasts\n one year.",
        "2. FEES",
    ]


def test_what_no_reader_sees_becomes_a_blank():
    hidden = "".join(chr(0xE0000 + ord(letter)) for letter in "ignore")
    text = _parse(f"The\u202e fee\u200b is{hidden} ten.").text
    assert text == "The  fee  is" + " " * 6 + " ten."


def test_line_ends_of_all_systems_are_one():
    assert parse(b"a\r\nb\rc\n", filename="a.txt").text == "a\nb\nc\n"


def test_page_numbers_and_running_lines_are_furniture():
    pages = [
        f"Clause text about {word} goes on here and on.\n\n{page}\n\nSource: ACME, 8-K, 1/2/2020\n\n"
        for page, word in enumerate(("fees", "law", "term", "risk"), 1)
    ]
    kinds = [block.kind for block in _parse("".join(pages)).blocks]
    assert kinds == [BlockKind.PARAGRAPH, BlockKind.FURNITURE, BlockKind.FURNITURE] * 4


def test_a_line_that_repeats_away_from_page_numbers_is_text():
    text = "\n\n".join(f"Party B: Acme Ltd.\n\nClause text {word} goes on here." for word in ("one", "two", "three"))
    assert BlockKind.FURNITURE not in {block.kind for block in _parse(text).blocks}


@given(st.text(max_size=400))
def test_any_text_gives_blocks_in_order_that_hold_all_of_it(text: str):
    try:
        document = _parse(text)
    except (EmptyFile, BinaryContent, UnsupportedType):
        return
    place = 0
    for block in document.blocks:
        assert not document.text[place : block.start].strip()
        assert block.start < block.end
        place = block.end
    assert not document.text[place:].strip()


@given(st.binary(max_size=300))
def test_any_bytes_give_a_document_or_one_of_our_errors(content: bytes):
    try:
        text = parse(content, filename="a.docx").text
    except MainspringError as refusal:
        text = refusal.detail
    assert text.strip()
