"""Dates: finding them in a text, and deciding which one dates the contract."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainspring.orchestration.knowledge.types import ParsedDocument
from mainspring.showcase.contracts.extraction import extract_facts
from mainspring.showcase.contracts.extraction.dates import add_months, find_dates, write_date
from mainspring.showcase.contracts.types import Analysis, Fact, FactName


def facts_of(text: str) -> dict[FactName, Fact]:
    facts = extract_facts(Analysis(ParsedDocument(text, "text/plain", ()), ()))
    return {fact.name: fact for fact in facts}


def normalized(text: str, name: FactName) -> str | None:
    fact = facts_of(text).get(name)
    return fact.normalized if fact else None


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("May 3, 2019", date(2019, 5, 3)),
        ("May 3,2019", date(2019, 5, 3)),
        ("3 May 2019", date(2019, 5, 3)),
        ("MARCH 1ST, 2020", date(2020, 3, 1)),
        ("the 1s t day of October 2008", date(2008, 10, 1)),
        ("twenty-first day of June, 2011", date(2011, 6, 21)),
        ("Sept. 30, 1999", date(1999, 9, 30)),
        ("2024-02-29", date(2024, 2, 29)),
        ("25/12/2020", date(2020, 12, 25)),
        ("1.4.2011", date(2011, 4, 1)),
        ("12/31/98", date(1998, 12, 31)),
    ],
)
def test_a_date_is_read_in_the_ways_that_contracts_write_it(written: str, expected: date) -> None:
    assert [mention.value for mention in find_dates(written)] == [expected]


@pytest.mark.parametrize(
    "text",
    ["___ day of ____, 2019", "[***] 2019", "February 30, 2019", "May, 2019", "32/13/2019", "section 4.2.2010.1"],
)
def test_a_blank_or_impossible_date_is_no_date(text: str) -> None:
    assert find_dates(text) == ()


def test_day_and_month_are_told_apart_by_another_date_of_the_document() -> None:
    first, other = find_dates("Signed 03/04/2019, delivered 25/04/2019")
    assert (first.value, other.value) == (date(2019, 4, 3), date(2019, 4, 25))


def test_in_a_united_states_document_the_month_leads() -> None:
    assert find_dates("Dated 03/04/2019 at Dover, Delaware")[0].value == date(2019, 3, 4)


def test_an_ambiguous_date_has_no_value_but_keeps_its_words() -> None:
    fact = facts_of("This Agreement is dated 03/04/2019 and made at Lyon.")[FactName.AGREEMENT_DATE]
    assert (fact.value, fact.normalized) == ("03/04/2019", None)


@given(st.dates(date(1950, 1, 1), date(2049, 12, 31)))
def test_what_we_write_we_read(value: date) -> None:
    assert [mention.value for mention in find_dates(f"on {write_date(value)}.")] == [value]


@given(st.dates(date(1950, 1, 1), date(2040, 1, 1)), st.integers(0, 600))
def test_adding_months_keeps_the_day_or_takes_the_last_one(start: date, months: int) -> None:
    end = add_months(start, months)
    assert (end.year * 12 + end.month) - (start.year * 12 + start.month) == months
    assert end.day == start.day or (end.day < start.day and (end.month != add_months(end, 0).month or end.day >= 28))


@pytest.mark.parametrize(
    "text",
    [
        "This Agreement is entered into as of January 11, 2011 by and between the parties named below.",
        "THIS AGREEMENT, dated for reference January 11, 2011, is made",
        "This Agreement is made this 11th day of January, 2011, between",
        "SUPPLY AGREEMENT (the “Agreement”) dated January 11, 2011 between",
        "Distribution Agreement\n\nDated 11 January 2011\n\nNorth Ltd and South Ltd",
    ],
)
def test_the_opening_words_date_the_contract(text: str) -> None:
    assert normalized(text, FactName.AGREEMENT_DATE) == "2011-01-11"


def test_a_blank_in_the_opening_is_not_filled_from_another_agreement() -> None:
    text = (
        "This Agreement is made as of this ___ day of ______, 2018 by the parties. It replaces that certain License "
        "Agreement dated March 10, 2014 between them."
    )
    assert normalized(text, FactName.AGREEMENT_DATE) is None


def test_the_last_signature_dates_a_contract_that_says_no_date_itself() -> None:
    body = "The parties agree on the terms below. " * 12
    text = f"{body}\n\nBy: /s/ A. Smith\nDate: August 2, 2018\n\nBy: /s/ B. Jones\nDate: August 8, 2018\n"
    fact = facts_of(text)[FactName.AGREEMENT_DATE]
    assert fact.normalized == "2018-08-08"
    assert fact.confidence < 0.8


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("“Effective Date” means March 3, 2003.", "2003-03-03"),
        ("This Agreement is made on May 1, 2019 (the “Effective Date”).", "2019-05-01"),
        ("This Agreement is effective as of February 4, 2020, between", "2020-02-04"),
        ("The term of this Agreement shall commence on June 1, 1998 and continue for a year.", "1998-06-01"),
    ],
)
def test_the_effective_date_is_read_where_it_is_said(text: str, expected: str) -> None:
    assert normalized(text, FactName.EFFECTIVE_DATE) == expected


def test_a_date_that_is_only_the_date_is_not_called_effective() -> None:
    text = "This Agreement, dated November 9, 2005, is between the parties named below."
    assert FactName.EFFECTIVE_DATE not in facts_of(text)


def test_an_effective_date_by_reference_is_that_of_the_contract_with_both_quotes() -> None:
    text = (
        "This Agreement is dated January 5, 2015. “Effective Date” means the date of this Agreement. "
        "The parties agree as follows."
    )
    fact = facts_of(text)[FactName.EFFECTIVE_DATE]
    assert fact.normalized == "2015-01-05"
    assert len(fact.citations) == 2
