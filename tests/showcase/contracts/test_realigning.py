"""A citation is found again in a text that was parsed anew."""

import pytest

from mainspring.orchestration.knowledge.types import Page, ParsedDocument
from mainspring.showcase.contracts.realigning import realign
from mainspring.showcase.contracts.types import Citation

_TEXT = "1. Law. Texas law applies.\n\n2. Term. One year. Texas law applies."


def _document(text: str = _TEXT) -> ParsedDocument:
    return ParsedDocument(text, "text/plain", (), pages=(Page(1, 0, 27), Page(2, 27, len(text))))


@pytest.mark.parametrize(
    ("start", "quote", "found"),
    [
        (8, "Texas law applies.", 8),
        (12, "Texas law applies.", 8),
        (0, "Texas law applies.", 8),
        (40, "Texas law applies.", 47),
        (500, "Texas law applies.", 47),
        (37, "One year.", 37),
        (3, "Ohio law applies.", 3),
    ],
)
def test_a_citation_stands_at_the_nearest_place_that_says_what_it_quotes(start: int, quote: str, found: int):
    citation = realign(Citation(start, start + len(quote), quote, page=9), _document())
    assert (citation.start, citation.end) == (found, found + len(quote))
    if found != start:
        assert citation.page == (1 if found < 27 else 2)
        assert _TEXT[citation.start : citation.end] == quote


def test_a_citation_that_quotes_nothing_stays():
    assert realign(Citation(5, 5, ""), _document()) == Citation(5, 5, "")
