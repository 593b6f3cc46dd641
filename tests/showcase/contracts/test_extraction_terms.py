"""Term, end, renewal and notice."""

import pytest

from mainspring.orchestration.knowledge.types import ParsedDocument
from mainspring.showcase.contracts.extraction import extract_facts
from mainspring.showcase.contracts.extraction.durations import find_durations
from mainspring.showcase.contracts.types import Analysis, Fact, FactName


def facts_of(text: str) -> dict[FactName, Fact]:
    facts = extract_facts(Analysis(ParsedDocument(text, "text/plain", ()), ()))
    return {fact.name: fact for fact in facts}


@pytest.mark.parametrize(
    ("written", "iso", "words"),
    [
        ("thirty (30) days", "P30D", "30 days"),
        ("one (1) year", "P12M", "1 year"),
        ("a twelve-month period", "P12M", "12 months"),
        ("two weeks", "P14D", "2 weeks"),
        ("one hundred and twenty (120) days", "P120D", "120 days"),
        ("additional 3~year periods", "P36M", "3 years"),
        ("ten (10) business days", None, "10 business days"),
    ],
)
def test_a_period_has_its_length(written: str, iso: str | None, words: str) -> None:
    (duration,) = find_durations(written)
    assert (duration.iso, duration.words) == (iso, words)


@pytest.mark.parametrize(
    "text", ["[***] years", "____ (__) months", "a reasonable time", "the 31 day of July", "0 days"]
)
def test_a_blank_or_vague_period_is_none(text: str) -> None:
    assert list(find_durations(text)) == []


def test_where_words_and_figures_differ_the_words_prevail_and_the_reader_is_told() -> None:
    text = "The initial term of this Agreement shall be for thirty (45) months."
    fact = facts_of(text)[FactName.TERM]
    assert fact.normalized == "P30M"
    assert "differ" in fact.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The term of this Agreement shall be five (5) years from the Effective Date.", "P60M"),
        (
            "This Agreement shall commence on the Effective Date and continue for a period of eighteen (18) months.",
            "P18M",
        ),
        ("This Agreement ends on the third anniversary of the Effective Date.", "P36M"),
        ("Term: twelve (12) months from the date of the Agreement.", "P12M"),
        ("7.1 This Agreement begins on the Effective Date and ends two (2) years later.", "P24M"),
    ],
)
def test_the_term_is_the_period_given_to_the_contract_itself(text: str, expected: str) -> None:
    assert facts_of(text)[FactName.TERM].normalized == expected


@pytest.mark.parametrize(
    "text",
    [
        "During the term of this Agreement and for two (2) years thereafter, neither party shall solicit employees.",
        "“Calendar Year” means the period of twelve (12) months ending on December 31 during the term of "
        "this Agreement.",
        "The warranty period is twelve (12) months from delivery.",
        "The term of this Agreement shall be [***] years.",
    ],
)
def test_periods_of_other_things_are_not_the_term(text: str) -> None:
    assert FactName.TERM not in facts_of(text)


def test_an_open_term_has_no_fixed_end() -> None:
    facts = facts_of("This Agreement shall continue indefinitely until it is terminated by either party.")
    assert facts[FactName.TERM].value == "No fixed end"
    assert facts[FactName.TERM].normalized is None
    assert facts[FactName.EXPIRATION_DATE].normalized == "perpetual"


def test_a_perpetual_licence_does_not_make_the_contract_perpetual() -> None:
    facts = facts_of("The term of this Agreement is three years. Licensor grants a perpetual licence to use the Marks.")
    assert facts[FactName.TERM].normalized == "P36M"


def test_a_written_end_is_taken_as_written() -> None:
    text = "This Agreement shall commence on June 1, 1998 and continue for three (3) years expiring May 31, 2001."
    fact = facts_of(text)[FactName.EXPIRATION_DATE]
    assert (fact.value, fact.normalized) == ("31 May 2001", "2001-05-31")


def test_an_end_is_derived_from_the_start_with_both_places_quoted_and_less_confidence() -> None:
    text = (
        "This Agreement is entered into as of April 15, 2010 (“Effective Date”). This Agreement will begin on the "
        "Effective Date and continue for four (4) years."
    )
    fact = facts_of(text)[FactName.EXPIRATION_DATE]
    assert fact.normalized == "2014-04-15"
    assert len(fact.citations) == 2
    assert fact.confidence <= 0.75


@pytest.mark.parametrize(
    "text",
    [
        "This Agreement is dated May 1, 2019. The term of this Agreement is the sooner of six (6) months from the "
        "Effective Date, or its replacement.",
        "This Agreement is dated May 1, 2019. The term of this Agreement is ten years following the first "
        "commercial sale.",
    ],
)
def test_an_end_that_depends_on_something_else_is_not_guessed(text: str) -> None:
    assert FactName.EXPIRATION_DATE not in facts_of(text)


def test_automatic_renewal_and_its_notice() -> None:
    text = (
        "Upon expiration of the Initial Term, this Agreement shall automatically renew for consecutive one (1) year "
        "periods, unless terminated by either party upon sixty (60) days notice prior to the end of the "
        "then-current term."
    )
    facts = facts_of(text)
    assert facts[FactName.RENEWAL].value == "Automatic, successive periods of 1 year"
    assert facts[FactName.RENEWAL].normalized == "P12M"
    assert facts[FactName.NOTICE_PERIOD].normalized == "P60D"


def test_a_renewal_by_option_is_not_called_automatic() -> None:
    text = "Licensee shall have the option to extend the Term of this Agreement for an additional twelve (12) months."
    fact = facts_of(text)[FactName.RENEWAL]
    assert fact.value == "By option or agreement, one further period of 12 months"


def test_the_first_term_is_not_taken_for_the_renewal_term() -> None:
    text = (
        "6.1 This Agreement continues for an initial term of thirty-six (36) months, unless ended under clause 12.\n\n"
        "6.2 At its end this Agreement shall automatically renew for successive periods of twenty-four (24) months."
    )
    facts = facts_of(text)
    assert facts[FactName.RENEWAL].normalized == "P24M"
    assert facts[FactName.RENEWAL].citations[0].quote.startswith("6.2")


def test_without_renewal_the_notice_is_that_of_termination_without_cause_and_says_so() -> None:
    fact = facts_of("Either party may terminate this Agreement at any time upon ninety (90) days prior written notice.")
    assert fact[FactName.NOTICE_PERIOD].value == "90 days to terminate without cause"


@pytest.mark.parametrize(
    "text",
    [
        "If the breach is not cured within thirty (30) days after notice, the other party may terminate "
        "this Agreement.",
        "The insurer shall give thirty (30) days notice before the expiration of the policy.",
        "This Agreement shall automatically renew for periods of [***] unless notice is given [***] before its end.",
        "Trademark registrations are renewed automatically every ten years.",
    ],
)
def test_other_notices_and_redacted_ones_are_no_facts(text: str) -> None:
    assert FactName.NOTICE_PERIOD not in facts_of(text)
