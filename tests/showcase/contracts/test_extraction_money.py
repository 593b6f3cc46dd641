"""Amounts, caps on liability and payment terms."""

import pytest

from mainspring.orchestration.knowledge.types import ParsedDocument
from mainspring.showcase.contracts.extraction import extract_facts
from mainspring.showcase.contracts.extraction.money import find_amounts
from mainspring.showcase.contracts.types import Analysis, Fact, FactName


def facts_of(text: str) -> dict[FactName, Fact]:
    facts = extract_facts(Analysis(ParsedDocument(text, "text/plain", ()), ()))
    return {fact.name: fact for fact in facts}


@pytest.mark.parametrize(
    ("written", "normalized", "words"),
    [
        ("$500,000", "500000 USD", "USD 500,000"),
        ("USD 1.5 million", "1500000 USD", "USD 1,500,000"),
        ("five hundred thousand dollars", "500000 USD", "USD 500,000"),
        ("EUR 250.000", "250000 EUR", "EUR 250,000"),
        ("£1,200.50", "1200.5 GBP", "GBP 1,200.50"),
        ("US$ 2,000,000", "2000000 USD", "USD 2,000,000"),
    ],
)
def test_an_amount_is_read_with_its_currency(written: str, normalized: str, words: str) -> None:
    (amount,) = find_amounts(written)
    assert (amount.normalized, amount.words) == (normalized, words)


@pytest.mark.parametrize("text", ["$[***]", "$____", "five (5) parties", "12%"])
def test_a_blank_amount_is_none(text: str) -> None:
    assert list(find_amounts(text)) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("In no event shall either party's total liability exceed USD 500,000.", "500000 USD"),
        (
            "Supplier's aggregate liability shall not exceed the fees paid in the twelve (12) months preceding "
            "the claim.",
            "12 months fees",
        ),
        (
            "Its liability is limited to two times the fees paid during the twelve-month period before the claim.",
            "24 months fees",
        ),
        (
            "Its total liability shall not exceed fifty percent (50%) of the fees paid in the twelve months "
            "preceding the claim.",
            "6 months fees",
        ),
        (
            "Total liability is limited to the greater of $100,000 and the fees paid in the twelve (12) months "
            "before the claim.",
            "greater of 100000 USD and 12 months fees",
        ),
        ("Its aggregate liability shall not exceed the amounts paid by Customer under this Agreement.", "total fees"),
    ],
)
def test_a_cap_has_its_measure(text: str, expected: str) -> None:
    assert facts_of(text)[FactName.LIABILITY_CAP].normalized == expected


def test_unlimited_liability_is_said_so() -> None:
    fact = facts_of("The Supplier's liability under this Agreement shall be unlimited.")[FactName.LIABILITY_CAP]
    assert (fact.value, fact.normalized) == ("Unlimited", "unlimited")


@pytest.mark.parametrize(
    "text",
    [
        "Neither party is liable for indirect, special or consequential damages.",
        "Contractor shall maintain general liability insurance of not less than $1,000,000 per occurrence.",
        "In no event shall its liability exceed [***].",
        "Damages include but are not limited to liability for fees paid.",
        "“Person” means any individual, corporation or unlimited liability company.",
        "Its liability for death caused by negligence is unlimited, except as stated.",
    ],
)
def test_what_is_no_general_cap_is_no_fact(text: str) -> None:
    assert FactName.LIABILITY_CAP not in facts_of(text)


@pytest.mark.parametrize(
    ("text", "value", "normalized"),
    [
        ("Payment terms are net 30.", "Net 30 days", "P30D"),
        (
            "Customer shall pay each invoice within thirty (30) days of receipt of invoice.",
            "30 days after receipt of invoice",
            "P30D",
        ),
        (
            "Invoices are due and payable forty-five (45) days after the invoice date.",
            "45 days after the invoice",
            "P45D",
        ),
        ("All invoices are due and payable upon receipt of the invoice.", "On receipt of invoice", "P0D"),
    ],
)
def test_payment_terms_have_their_days(text: str, value: str, normalized: str) -> None:
    fact = facts_of(text)[FactName.PAYMENT_TERMS]
    assert (fact.value, fact.normalized) == (value, normalized)


@pytest.mark.parametrize(
    "text",
    [
        "Supplier shall submit an invoice within ten (10) days after the end of the month.",
        "Royalties are three percent (3%) of net sales.",
        "Customer pays each invoice within [***] days of its receipt.",
    ],
)
def test_other_times_are_no_payment_terms(text: str) -> None:
    assert FactName.PAYMENT_TERMS not in facts_of(text)
