"""Citations, and whether quotes carry a sentence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainspring.orchestration.knowledge.types import Page, ParsedDocument
from mainspring.showcase.contracts.citations import checked_summary, cite, supported, verify
from mainspring.showcase.contracts.types import Citation, Method, SummarySentence

QUOTE = (
    "Supplier shall not assign this Agreement without the prior written consent of Customer. Either party "
    "may terminate "
    "this Agreement upon sixty (60) days written notice. In no event shall the total liability of Supplier exceed "
    "$500,000. This Agreement is dated as of May 3, 2019."
)


def document(text: str = QUOTE) -> ParsedDocument:
    return ParsedDocument(text, "text/plain", ())


def is_supported(sentence: str, quote: str = QUOTE) -> bool:
    return supported(sentence, (Citation(0, len(quote), quote),))


@given(st.text(min_size=1), st.data())
def test_a_citation_is_trimmed_and_always_verifies(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    if not text[start:end].strip():
        with pytest.raises(ValueError, match="no text"):
            cite(document(text), start, end)
        return
    citation = cite(document(text), start, end)
    assert start <= citation.start < citation.end <= end
    assert citation.quote == text[start:end].strip()
    assert verify(document(text), citation)


def test_a_citation_knows_its_page_and_chunk() -> None:
    paged = ParsedDocument("one two three", "application/pdf", (), pages=(Page(1, 0, 4), Page(2, 4, 13)))
    assert cite(paged, 3, 7, chunk=5) == Citation(4, 7, "two", page=2, chunk=5)


@pytest.mark.parametrize("span", [(-1, 3), (5, 2), (0, 10_000)])
def test_a_span_outside_the_text_is_refused(span: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="outside"):
        cite(document(), *span)


@pytest.mark.parametrize(
    "citation",
    [
        Citation(0, 8, "supplier"),
        Citation(1, 9, "Supplier"),
        Citation(0, 0, ""),
        Citation(-8, -1, "Supplier"),
        Citation(0, 99_999, QUOTE),
    ],
)
def test_a_quote_that_is_not_exactly_at_its_place_does_not_verify(citation: Citation) -> None:
    assert not verify(document(), citation)


@pytest.mark.parametrize(
    "sentence",
    [
        "The Supplier may not assign the agreement without the Customer's prior written consent.",
        "Either party may terminate on 60 days' notice.",
        "The total liability of the Supplier is capped at USD 500,000.",
        "The agreement is dated 3 May 2019.",
        "It says: “Either party may terminate this Agreement upon sixty (60) days written notice.”",
    ],
)
def test_a_sentence_that_the_quote_carries_is_supported(sentence: str) -> None:
    assert is_supported(sentence)


@pytest.mark.parametrize(
    ("sentence", "why"),
    [
        ("The Supplier may assign the agreement with written consent.", "the negation is lost"),
        ("Either party may not terminate on 60 days notice to Globex.", "a name is invented"),
        ("Either party may terminate on 90 days' notice.", "another number"),
        ("Either party may terminate on 60 months' notice.", "another unit"),
        ("The total liability of the Supplier is capped at USD 5,000,000.", "another amount"),
        ("The total liability of the Supplier is capped at EUR 500,000.", "another currency"),
        ("The agreement is dated 4 May 2019.", "another day"),
        ("Acme may terminate on sixty days notice.", "a name at the start"),
        ("It says: “Either party may terminate at once.”", "words that are not there"),
        ("Employees receive generous pensions and company cars.", "nothing in common"),
    ],
)
def test_a_sentence_that_says_more_or_other_than_the_quote_is_not_supported(sentence: str, why: str) -> None:
    assert not is_supported(sentence), why


def test_periods_of_the_same_length_support_each_other() -> None:
    assert is_supported("The term is 12 months.", "The term is one (1) year.")
    assert is_supported("The term is 1 year.", "The term is twelve months.")


def test_nothing_supports_nothing() -> None:
    assert not supported("", ())
    assert not supported("The term is 12 months.", ())


def test_only_cited_verified_and_supported_sentences_stay_and_the_others_are_counted() -> None:
    contract = document()
    whole = cite(contract, 0, len(QUOTE))
    good = SummarySentence("Either party may terminate on 60 days' notice.", (whole,))
    sentences = (
        good,
        SummarySentence("Either party may terminate on 60 days' notice.", ()),
        SummarySentence("Either party may terminate on 60 days' notice.", (whole, Citation(3, 9, "forged"))),
        SummarySentence("Either party may terminate on 10 days' notice.", (whole,)),
        SummarySentence("   ", (whole,)),
    )
    summary = checked_summary(sentences, contract, Method.MODEL)
    assert summary.sentences == (good,)
    assert (summary.dropped, summary.method) == (4, Method.MODEL)


@given(st.text(), st.text(min_size=1))
def test_the_check_never_fails_on_any_text(sentence: str, quote: str) -> None:
    assert supported(sentence, (Citation(0, len(quote), quote),)) in {True, False}
