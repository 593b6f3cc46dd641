"""Quantities: how they are written, read from facts, shown and compared."""

import pytest

from mainspring.showcase.contracts.quantities import Quantity, Unit, parse_quantity, quantity_of_fact


@pytest.mark.parametrize(
    ("text", "quantity"),
    [
        ("60 days", Quantity(60, Unit.DAYS)),
        ("6 weeks", Quantity(42, Unit.DAYS)),
        ("1 Month", Quantity(1, Unit.MONTHS)),
        ("2 years", Quantity(24, Unit.MONTHS)),
        ("12 months of fees", Quantity(12, Unit.FEE_MONTHS)),
        ("12 months' fees", Quantity(12, Unit.FEE_MONTHS)),
        ("1 year of fees", Quantity(12, Unit.FEE_MONTHS)),
        ("1.5 percent", Quantity(1.5, Unit.PERCENT)),
        ("5%", Quantity(5, Unit.PERCENT)),
    ],
)
def test_a_quantity_is_read_as_it_is_written(text: str, quantity: Quantity) -> None:
    assert parse_quantity(text) == quantity


@pytest.mark.parametrize("text", ["", "soon", "60", "days", "-3 days", "0 days", "12 months of salary", "99999 days"])
def test_other_words_are_no_quantity(text: str) -> None:
    assert parse_quantity(text) is None


@pytest.mark.parametrize(
    ("normalized", "quantity"),
    [
        ("P30D", Quantity(30, Unit.DAYS)),
        ("P0D", Quantity(0, Unit.DAYS)),
        ("P2W", Quantity(14, Unit.DAYS)),
        ("P1Y6M", Quantity(18, Unit.MONTHS)),
        ("P1M15D", Quantity(45, Unit.DAYS)),
        ("3 months fees", Quantity(3, Unit.FEE_MONTHS)),
        ("2 years fees", Quantity(24, Unit.FEE_MONTHS)),
        ("greater of 100000 USD and 12 months fees", Quantity(12, Unit.FEE_MONTHS)),
    ],
)
def test_the_machine_form_of_a_fact_is_read(normalized: str, quantity: Quantity) -> None:
    assert quantity_of_fact(normalized) == quantity


@pytest.mark.parametrize("normalized", [None, "", "P", "PT5M", "500000 USD", "unlimited", "total fees", "Delaware"])
def test_other_machine_forms_are_no_quantity(normalized: str | None) -> None:
    assert quantity_of_fact(normalized) is None


@pytest.mark.parametrize(
    ("quantity", "words"),
    [
        (Quantity(1, Unit.DAYS), "1 day"),
        (Quantity(1, Unit.FEE_MONTHS), "1 month's fees"),
        (Quantity(3, Unit.FEE_MONTHS), "3 months' fees"),
        (Quantity(24, Unit.MONTHS), "24 months"),
        (Quantity(1.5, Unit.PERCENT), "1.5 %"),
    ],
)
def test_a_quantity_is_shown_in_words(quantity: Quantity, words: str) -> None:
    assert quantity.words == words


def test_days_and_months_are_compared_in_favour_of_the_contract() -> None:
    year, two_months = Quantity(12, Unit.MONTHS), Quantity(60, Unit.DAYS)
    assert not Quantity(365, Unit.DAYS).is_above(year)
    assert Quantity(400, Unit.DAYS).is_above(year)
    assert not Quantity(2, Unit.MONTHS).is_above(two_months)
    assert Quantity(3, Unit.MONTHS).is_above(two_months)


def test_what_counts_different_things_is_neither_above_nor_below() -> None:
    months, fees = Quantity(3, Unit.MONTHS), Quantity(12, Unit.FEE_MONTHS)
    assert not months.can_compare(fees)
    assert not months.is_below(fees)
    assert not months.is_above(fees)
