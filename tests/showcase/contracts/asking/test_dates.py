"""Dates that follow from a contract: each step is said, and what was read is cited."""

from datetime import date

import pytest

from mainspring.foundation.ids import new_id
from mainspring.showcase.contracts.asking.dates import compute
from mainspring.showcase.contracts.asking.types import DateRule, Opened, Shelved
from mainspring.showcase.contracts.quoting import cite
from mainspring.showcase.contracts.types import ContractId, Fact, FactName, Method
from tests.showcase.contracts.contract_by_hand import contract

TEXT = "1. Start 31 August 2024. 2. Twelve months. 3. Ends 31 August 2025. 4. Ninety days. 5. Renews."


def opened(**facts: str | None) -> Opened:
    analysis = contract(TEXT)
    made = [
        Fact(FactName(name), value or "30 business days", value, (cite(analysis.document, 0, 24),), Method.RULE, 0.9)
        for name, value in facts.items()
    ]
    shelved = Shelved(ContractId(new_id()), "msa.pdf")
    return Opened(shelved, analysis.document, analysis.chunks, tuple(made))


@pytest.mark.parametrize(
    ("facts", "rule", "expected"),
    [
        ({"effective_date": "2024-08-31"}, DateRule.START, date(2024, 8, 31)),
        ({"agreement_date": "2024-08-30"}, DateRule.START, date(2024, 8, 30)),
        ({"expiration_date": "2025-08-31"}, DateRule.END, date(2025, 8, 31)),
        ({"effective_date": "2024-08-31", "term": "P6M"}, DateRule.END, date(2025, 2, 28)),
        ({"expiration_date": "2025-08-31", "notice_period": "P90D"}, DateRule.NOTICE_DEADLINE, date(2025, 6, 2)),
        ({"expiration_date": "2025-08-31", "notice_period": "P2M"}, DateRule.NOTICE_DEADLINE, date(2025, 6, 30)),
        ({"expiration_date": "perpetual", "notice_period": "P90D"}, DateRule.NOTICE_DEADLINE, None),
        ({"expiration_date": "2025-08-31", "notice_period": None}, DateRule.NOTICE_DEADLINE, None),
        ({"expiration_date": "2025-08-31"}, DateRule.NOTICE_DEADLINE, None),
        ({"term": "P6M"}, DateRule.END, None),
        ({}, DateRule.END, None),
    ],
)
def test_a_date_is_computed_or_it_is_said_why_not(facts: dict[str, str | None], rule: DateRule, expected: date | None):
    computed = compute(opened(**facts), rule, today=date(2024, 9, 1))
    assert computed.on == expected
    assert computed.lines
    assert computed.next_on is None


def test_the_arithmetic_is_written_out_and_what_was_read_is_cited():
    computed = compute(
        opened(expiration_date="2025-08-31", notice_period="P90D"), DateRule.NOTICE_DEADLINE, today=date(2024, 9, 1)
    )
    texts = [line.text for line in computed.lines]
    assert texts == [
        "The term ends on 31 August 2025.",
        "The notice period is P90D.",
        "31 August 2025 - P90D = 2 June 2025.",
    ]
    assert [bool(line.citations) for line in computed.lines] == [True, True, False]


def test_a_deadline_that_has_passed_is_followed_by_the_one_after_the_renewals():
    facts = {"expiration_date": "2025-08-31", "notice_period": "P90D", "renewal": "P12M"}
    computed = compute(opened(**facts), DateRule.NOTICE_DEADLINE, today=date(2027, 1, 1))
    assert (computed.on, computed.next_on) == (date(2025, 6, 2), date(2027, 6, 2))
    assert any("renewed 2 times" in line.text for line in computed.lines)
