"""The topics that webhooks may ask for are those of the reference, and those that products declare."""

import re
from pathlib import Path

from mainspring.entry.topics import known_topics
from mainspring.orchestration.products import Brought, Product, find_products

_FACTS = "## Facts between rooms"


def test_the_known_topics_are_those_of_the_reference():
    reference = (Path(__file__).parents[2] / "docs/reference/events.md").read_text()
    rows = [row.split("|")[1] for row in reference.split(_FACTS)[1].splitlines() if row.startswith("| `")]
    shown = {topic for row in rows for topic in re.findall(r"`([a-z_]+\.[a-z_]+)`", row)}
    assert known_topics(find_products(frozenset({"contracts"}))) == shown


def test_what_a_product_declares_is_known():
    letters = Product("letters", title="Letters", build=lambda services: Brought(), topics=frozenset({"letter.sent"}))
    assert known_topics((letters,)) - known_topics(()) == {"letter.sent"}
