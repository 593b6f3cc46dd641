"""Who decides a dispute, read from sentences of contracts, and held against the law that governs."""

import pytest

from mainspring.orchestration.knowledge.types import ParsedDocument
from mainspring.showcase.contracts.steps.jurisdiction import ForumKind, describe, find_jurisdiction
from mainspring.showcase.contracts.types import Analysis


def _read(text: str) -> Analysis:
    return Analysis(ParsedDocument(text, "text/plain", ()), ())


@pytest.mark.parametrize(
    ("text", "kind", "place", "is_exclusive"),
    [
        ("Each party submits to the exclusive jurisdiction of the courts of New York.", "courts", "New York", True),
        ("Any action may be brought in the Delaware courts.", "courts", "Delaware", False),
        ("The parties accept the non-exclusive jurisdiction of courts located in Texas.", "courts", "Texas", False),
        ("Disputes are settled by arbitration in Geneva, Switzerland.", "arbitration", "Switzerland", False),
    ],
)
def test_a_forum_is_read_with_its_kind_place_and_sentence(text: str, kind: str, place: str, is_exclusive: bool):
    (forum,) = find_jurisdiction(_read(text), None).forums
    assert (forum.kind, forum.place, forum.is_exclusive) == (ForumKind(kind), place, is_exclusive)
    assert forum.citation.quote in text


@pytest.mark.parametrize(
    "text",
    [
        "Supplier is organized under the laws of Delaware.",
        "The courts were closed. Nothing else was said of Texas.",
        "Customer complies with the orders of the courts of the United States.",
        "",
    ],
)
def test_where_no_forum_is_agreed_none_is_made_up(text: str):
    found = find_jurisdiction(_read(text), "Delaware")
    assert (found.forums, found.differs) == ((), False)
    assert describe(found) == "Found no agreed court or arbitration"


def test_courts_elsewhere_than_the_law_are_told():
    text = "Venue for all disputes lies exclusively in the courts of Colorado."
    found = find_jurisdiction(_read(text), "New York")
    assert found.differs
    assert describe(found) == "Disputes go to the courts of Colorado alone, while the law of New York governs"


def test_courts_of_the_law_that_governs_are_not_called_different():
    text = "The courts of Ontario have exclusive jurisdiction over any dispute."
    assert not find_jurisdiction(_read(text), "Ontario, Canada").differs
