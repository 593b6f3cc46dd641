"""Who the parties are, as contracts introduce them."""

import pytest

from mainspring.orchestration.knowledge.types import ParsedDocument
from mainspring.showcase.contracts.extraction import extract_facts
from mainspring.showcase.contracts.types import Analysis, Fact, FactName


def parties_of(text: str) -> Fact | None:
    facts = extract_facts(Analysis(ParsedDocument(text, "text/plain", ()), ()))
    return next((fact for fact in facts if fact.name is FactName.PARTIES), None)


def names_of(text: str) -> list[str]:
    fact = parties_of(text)
    return (fact.normalized or "").split("; ") if fact else []


def test_names_come_with_their_roles_and_the_words_that_give_them() -> None:
    text = (
        'This Supply Agreement is entered into by and between Acme, Inc., a Delaware corporation ("Supplier"), '
        'and Beta Widgets LLC, an Ohio limited liability company (the "Customer").'
    )
    fact = parties_of(text)
    assert fact is not None
    assert fact.value == 'Acme, Inc. ("Supplier"); Beta Widgets LLC ("Customer")'
    assert fact.normalized == "Acme, Inc.; Beta Widgets LLC"
    assert [citation.quote for citation in fact.citations] == [
        'Acme, Inc., a Delaware corporation ("Supplier")',
        'Beta Widgets LLC, an Ohio limited liability company (the "Customer")',
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "THIS AGREEMENT is made BETWEEN:\n\nNORTHWIND PAPER LIMITED, a company incorporated in England "
            "(the “Seller”);"
            "\n\n- and -\n\nOAK & ASH GmbH, a German company (the “Buyer”).",
            ["NORTHWIND PAPER LIMITED", "OAK & ASH GmbH"],
        ),
        (
            "This Agreement is between Ada Lovelace, an individual residing in Bath (the “Consultant”) and "
            "Engine Works Ltd. (the “Company”), with offices at 12 Mill Lane, Suite 4, Reno, NV 89501.",
            ["Ada Lovelace", "Engine Works Ltd."],
        ),
        (
            "This Agreement is by and among (1) Alpha AB, a Swedish corporation (“Alpha”), (2) Gamma S.p.A. (“Gamma”) "
            "and (3) Delta Holdings, Inc. (formerly known as Omega Corp.) (“Delta”).",
            ["Alpha AB", "Gamma S.p.A.", "Delta Holdings, Inc."],
        ),
        (
            "Cooperation Agreement\n\nParty A: Blue River Technology Co., Ltd.\n\nParty B: Red Hill Online "
            "Co., Ltd.\n\nWhereas",
            ["Blue River Technology Co., Ltd.", "Red Hill Online Co., Ltd."],
        ),
    ],
)
def test_the_forms_in_which_contracts_name_parties_are_read(text: str, expected: list[str]) -> None:
    assert names_of(text) == expected


def test_a_name_broken_over_lines_is_shown_on_one_and_quoted_as_it_stands() -> None:
    text = 'This Agreement is between Long\n   River Foods, Inc. ("Seller") and Stone Mill LLC ("Buyer").'
    fact = parties_of(text)
    assert fact is not None
    assert fact.normalized == "Long River Foods, Inc.; Stone Mill LLC"
    assert fact.citations[0].quote == 'Long\n   River Foods, Inc. ("Seller")'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The services are described in Schedule 1. Nothing else is agreed.",
        "Zwischen der Muster Handels GmbH und Herrn Beispiel wird folgender Vertrag geschlossen.",
        "This Agreement is between [***] and ____________ (the “Parties”).",
        "In a conflict between Order Form and Cover Page, the latter prevails.",
    ],
)
def test_without_certain_names_there_is_no_fact_of_two_parties(text: str) -> None:
    assert len(names_of(text)) < 2


def test_companies_that_are_only_mentioned_are_not_parties() -> None:
    text = (
        'This Agreement is between Acme, Inc., a subsidiary of Giant Corp., ("Supplier") and Beta LLC, a '
        "company organized "
        'under the laws of Nevada, through its broker Third Hand Ltd. ("Customer").\n\nWHEREAS, Fourth '
        "Wall, Inc. is a competitor;"
    )
    assert names_of(text)[:2] == ["Acme, Inc.", "Beta LLC"]
    assert "Giant Corp." not in names_of(text)
    assert "Fourth Wall, Inc." not in names_of(text)
