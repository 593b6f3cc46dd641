"""Chunks are clauses: whole where they fit, in order, and nothing of the text is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainspring.foundation.errors import MainspringError
from mainspring.orchestration.knowledge import Chunk, ClauseChunking, ParsedDocument, chunk_by_clause, parse
from mainspring.orchestration.knowledge.testing import make_pdf

_SENTENCE = "The supplier shall keep the goods insured at its own cost against all usual risks. "


def _parse(text: str) -> ParsedDocument:
    return parse(text.encode(), filename="a.txt")


def _chunks(text: str, **sizes: int) -> tuple[Chunk, ...]:
    return chunk_by_clause(_parse(text), settings=ClauseChunking(**sizes))


def test_each_clause_is_a_chunk_with_its_number_and_headings():
    text = f"ARTICLE II DUTIES\n\nSection 2.1 Insurance. {_SENTENCE * 3}\n\nSection 2.2 Delivery. {_SENTENCE * 3}"
    chunks = _chunks(text)
    assert [chunk.number for chunk in chunks] == ["Section 2.1", "Section 2.2"]
    assert chunks[0].heading_path == ("ARTICLE II DUTIES", "Section 2.1 Insurance")
    assert chunks[1].heading_path == ("ARTICLE II DUTIES", "Section 2.2 Delivery")
    assert chunks[0].text.startswith("ARTICLE II DUTIES\n\nSection 2.1")


def test_list_items_stay_with_their_clause_while_it_fits():
    text = (
        f"4.2 Termination. Either party may end this:\n\n(a) {_SENTENCE}\n\n(b) {_SENTENCE}\n\n4.3 Law. {_SENTENCE * 3}"
    )
    assert [chunk.number for chunk in _chunks(text)] == ["4.2", "4.3"]


def test_a_long_clause_is_cut_at_its_items_which_are_cited_with_it():
    text = f"4.2 Termination. {_SENTENCE * 4}\n\n(a) {_SENTENCE * 4}\n\n(b) {_SENTENCE * 4}"
    chunks = _chunks(text, max_chars=500, item_chars=500)
    assert [chunk.number for chunk in chunks] == ["4.2", "4.2(a)", "4.2(b)"]
    assert chunks[2].heading_path == ("4.2 Termination",)


def test_a_long_paragraph_is_cut_between_sentences():
    chunks = _chunks("4.2 Term. " + _SENTENCE * 40)
    assert all(chunk.text.endswith("risks.") for chunk in chunks)
    assert all(800 < len(chunk.text) <= 1500 for chunk in chunks[:-1])
    assert {chunk.number for chunk in chunks} == {"4.2"}


def test_abbreviations_do_not_end_sentences():
    text = "1. Law. " + ("X" + "x" * 60 + " the U.S. Copyright Act and Acme Inc. Delaware and No. 5 apply. ") * 3
    assert all(chunk.text.endswith("apply.") for chunk in _chunks(text, max_chars=150, item_chars=150, min_chars=10))


def test_a_heading_is_never_left_alone_and_short_clauses_join_their_neighbour():
    text = (
        '2. DEFINITIONS\n\n2.1 "Term" is a year.\n\n2.2 "Fee" is ten.\n\n2.3 "Law" is Texas.\n\n3. PAYMENT\n\n3.1 Pay.'
    )
    chunks = _chunks(text)
    assert [chunk.number for chunk in chunks] == ["2.1", "3.1"]
    assert chunks[1].text.startswith("3. PAYMENT")


def test_a_sentence_that_runs_on_over_a_page_break_is_not_cut_there():
    page = "\n\n7\n\nSource: ACME, 8-K, 1/2/2020\n\n"
    text = f"1. Duty. {_SENTENCE * 2}The supplier shall not{page}assign this agreement. {_SENTENCE * 2}"
    chunks = _chunks(text, max_chars=420, item_chars=420)
    assert any("shall not" in chunk.text and "assign this agreement." in chunk.text for chunk in chunks)


def test_an_annex_leaves_the_headings_of_the_contract():
    text = f"GENERAL TERMS\n\n1. Law. {_SENTENCE * 3}\n\nSCHEDULE 1\n\nPRICES\n\n1. Fee. {_SENTENCE * 3}"
    assert _chunks(text)[-1].heading_path == ("SCHEDULE 1 PRICES", "1. Fee")


def test_chunks_know_their_page():
    document = parse(make_pdf([["1. TERM", "", _SENTENCE], ["2. LAW", "", _SENTENCE]]), filename="a.pdf")
    chunks = chunk_by_clause(document, settings=ClauseChunking(min_chars=20))
    assert [(chunk.number, chunk.page) for chunk in chunks] == [("1", 1), ("2", 2)]


@pytest.mark.parametrize("sizes", [{"min_chars": -1}, {"max_chars": 100}, {"item_chars": 2000}, {"min_chars": 1501}])
def test_sizes_that_contradict_each_other_are_refused(sizes: dict[str, int]):
    with pytest.raises(ValueError, match="must be between"):
        ClauseChunking(**sizes)


_PARTS = st.sampled_from(
    [
        "ARTICLE IV TERM",
        "\n\n",
        "\n",
        " ",
        "  ",
        "4.2 Fees. ",
        "(a) ",
        "(ii) ",
        "1. ",
        "\n\n7\n\n",
        "• ",
        _SENTENCE,
        "WHEREAS",
        "Section 2.1 of ",
    ]
)


@given(st.lists(st.one_of(_PARTS, st.text(max_size=60)), max_size=40), st.integers(1, 300))
def test_chunks_hold_all_of_the_text_in_order_within_their_size(parts: list[str], size: int):
    try:
        document = _parse("".join(parts))
    except MainspringError:
        return
    settings = ClauseChunking(max_chars=size, item_chars=size, min_chars=size // 3)
    chunks = chunk_by_clause(document, settings=settings)
    place = 0
    for index, chunk in enumerate(chunks):
        assert chunk.index == index
        assert chunk.text == document.text[chunk.start : chunk.end]
        assert chunk.text == chunk.text.strip()
        assert 0 < len(chunk.text) <= size
        assert not document.text[place : chunk.start].strip()
        place = chunk.end
    assert not document.text[place:].strip()
    assert chunks == chunk_by_clause(document, settings=settings)
