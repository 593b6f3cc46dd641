"""A clause says what it defines and which other clauses of its document it names."""

import pytest

from mainspring.orchestration.knowledge.chunking import chunk_by_clause
from mainspring.orchestration.knowledge.parsing import parse

_FILLER = "The supplier shall keep the goods insured at its own cost against all usual risks. "
_CONTRACT = (
    f"ARTICLE IV TERM\n\nSection 4.1 Length. {_FILLER * 2}\n\n"
    f"Section 4.2 End. {{sentence}} {_FILLER * 2}\n\n(a) {_FILLER}\n\n(b) {_FILLER}\n\n"
    f'Section 4.3 Words. "Goods" means what is delivered. "Fee" means the price. {_FILLER * 2}'
)


def _refers_to(sentence: str) -> str | None:
    document = parse(_CONTRACT.format(sentence=sentence).encode(), filename="a.txt")
    chunk = next(each for each in chunk_by_clause(document) if each.number == "Section 4.2")
    return chunk.attributes.get("refers_to")


@pytest.mark.parametrize(
    ("sentence", "numbers"),
    [
        ("As Section 4.1 says.", "Section 4.1"),
        ("As said in clause 4.1 and in Sections 4.3 and 4.1.", "Section 4.1; Section 4.3"),
        ("See Article 4.", "ARTICLE IV"),
        ("See Article IV.", "ARTICLE IV"),
        ("See Section 4.1(c)(ii).", "Section 4.1"),
        ("See § 4.3.", "Section 4.3"),
    ],
)
def test_a_reference_is_told_by_what_the_number_means(sentence: str, numbers: str):
    assert _refers_to(sentence) == numbers


@pytest.mark.parametrize(
    "sentence",
    [
        "As Section 9.9 says.",
        "As this Section 4.2 says.",
        "As Section 4.1 of the Securities Exchange Act of 1934 says.",
        "Within 4.1 years.",
        "As part of it.",
    ],
)
def test_what_is_no_other_clause_of_the_document_is_not_referred_to(sentence: str):
    assert _refers_to(sentence) is None


def test_an_item_is_referred_to_where_the_document_has_it():
    text = f"7. Fees. {_FILLER * 2}\n\n(a) {_FILLER}\n\n(b) {_FILLER}\n\n8. Law. As clause 7(b) says. {_FILLER * 2}"
    chunks = chunk_by_clause(parse(text.encode(), filename="a.txt"))
    assert chunks[-1].attributes == {"refers_to": "7(b)"}


def test_a_clause_names_the_terms_that_it_defines():
    document = parse(_CONTRACT.format(sentence="").encode(), filename="a.txt")
    assert [chunk.attributes.get("defines") for chunk in chunk_by_clause(document)] == [None, None, "Goods; Fee"]


def test_chunks_carry_an_estimate_of_their_tokens():
    document = parse(_CONTRACT.format(sentence="").encode(), filename="a.txt")
    for chunk in chunk_by_clause(document):
        assert len(chunk.text.split()) <= chunk.tokens <= len(chunk.text) // 2
