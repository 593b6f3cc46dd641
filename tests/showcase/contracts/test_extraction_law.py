"""Which law governs."""

import pytest

from mainspring.orchestration.knowledge.types import Chunk, ParsedDocument
from mainspring.showcase.contracts.extraction import extract_facts
from mainspring.showcase.contracts.types import Analysis, ClassifiedChunk, FactName, Label


def law_of(text: str, *labels: Label) -> str | None:
    chunks = (ClassifiedChunk(Chunk(0, 0, len(text), text), labels),) if labels else ()
    facts = extract_facts(Analysis(ParsedDocument(text, "text/plain", ()), chunks))
    return next((fact.normalized for fact in facts if fact.name is FactName.GOVERNING_LAW), None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "This Agreement shall be governed by the laws of the State of Delaware, without regard to its "
            "conflict of laws rules.",
            "Delaware",
        ),
        (
            "THIS AGREEMENT SHALL BE GOVERNED BY AND CONSTRUED IN ACCORDANCE WITH THE LAWS OF THE STATE\n\nOF "
            "NEW YORK.",
            "New York",
        ),
        ("This Agreement is governed by the laws of England and Wales.", "England and Wales"),
        ("This Agreement is governed by English law.", "England and Wales"),
        ("This Agreement is governed by the laws of the province of Ontario, Canada.", "Ontario, Canada"),
        ("This Agreement shall be governed by PRC Laws.", "China"),
        (
            "This Agreement is governed by the laws of the State of Illinois and the United States of America.",
            "Illinois",
        ),
        (
            "This Agreement shall be governed by the laws, other than choice of law rules, of the state of Florida.",
            "Florida",
        ),
        (
            "The construction and performance of this Agreement are governed by the law of the Republic of Korea.",
            "South Korea",
        ),
        ("The laws of the Federal Republic of Germany shall apply to this Agreement.", "Germany"),
        ("This Agreement is governed by the laws of the Republic of Georgia.", "Georgia (country)"),
        ("This Agreement is governed by the laws of the Commonwealth of Virginia.", "Virginia"),
        (
            "Any controversy under this Agreement shall be determined in accordance with the laws of the State "
            "of Michigan.",
            "Michigan",
        ),
    ],
)
def test_the_chosen_law_has_its_plain_name(text: str, expected: str) -> None:
    assert law_of(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Acme, Inc. is a corporation organized and existing under the laws of the State of Delaware.",
        "Each party shall comply with the laws of the State of Nevada.",
        "This Agreement shall be governed by the laws of [***].",
        "This Agreement is governed by the laws of ______________.",
        "The export of Products is governed by United States laws and regulations.",
        "The courts of the State of Ohio shall have jurisdiction.",
    ],
)
def test_other_laws_choose_nothing(text: str) -> None:
    assert law_of(text) is None


def test_the_law_of_the_contract_wins_over_other_laws_in_the_same_sentence() -> None:
    text = (
        "This Agreement, made by a corporation organized under the laws of the State of Nevada, shall be "
        "governed by the "
        "laws of the State of Texas, without giving effect to the laws of any other state such as Ohio."
    )
    assert law_of(text) == "Texas"


def test_a_label_lets_a_weak_sentence_count() -> None:
    text = "Exclusive application of the law of Sweden is agreed for this Agreement."
    assert law_of(text, Label("Governing Law", 0.95)) == "Sweden"
