"""Quantities that playbooks limit: periods, months of fees, percentages.

Periods in days and in months are compared leniently, in favour of the contract: two months are
60 days, and 365 days are twelve months.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Quantity", "Unit", "parse_quantity", "quantity_of_fact"]

_DAYS_PER_MONTH = 30.44
_WRITTEN = re.compile(
    r"(\d{1,4}(?:\.\d{1,2})?)\s*(?:(days?|weeks?|months?|years?)(\s+of\s+fees|['’]?\s+fees)?|(percent|%))",
    re.IGNORECASE,
)
_ISO = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?")
_FEES = re.compile(r"(\d+(?:\.\d+)?) (day|month|year)s? fees?")


class Unit(StrEnum):
    """What is counted."""

    DAYS = "days"
    MONTHS = "months"
    FEE_MONTHS = "fee_months"
    PERCENT = "percent"


@dataclass(frozen=True, slots=True)
class Quantity:
    """An amount of one unit; zero only where a fact says "at once"."""

    amount: float
    unit: Unit

    @property
    def words(self) -> str:
        """As a reader writes it: "12 months", "3 months' fees", "5 %"."""
        figure = f"{self.amount:g}"
        is_one = self.amount == 1
        match self.unit:
            case Unit.DAYS:
                return f"{figure} day{'' if is_one else 's'}"
            case Unit.MONTHS:
                return f"{figure} month{'' if is_one else 's'}"
            case Unit.FEE_MONTHS:
                return f"{figure} month's fees" if is_one else f"{figure} months' fees"
            case Unit.PERCENT:
                return f"{figure} %"

    def is_below(self, limit: "Quantity") -> bool:
        """Whether it is less than `limit`; False when the two cannot be compared."""
        return (value := self._in(limit.unit)) is not None and value < limit.amount - 0.01

    def is_above(self, limit: "Quantity") -> bool:
        """Whether it is more than `limit`; False when the two cannot be compared."""
        return (value := self._in(limit.unit)) is not None and value > limit.amount + 0.01

    def can_compare(self, limit: "Quantity") -> bool:
        """Whether the two count the same thing."""
        return self._in(limit.unit) is not None

    def _in(self, unit: Unit) -> float | None:
        match self.unit, unit:
            case (mine, other) if mine is other:
                return self.amount
            case (Unit.MONTHS, Unit.DAYS):
                return self.amount * 30
            case (Unit.DAYS, Unit.MONTHS):
                return round(self.amount / _DAYS_PER_MONTH, 1)
            case _:
                return None


def parse_quantity(text: str) -> Quantity | None:
    """Read "60 days", "2 years", "12 months of fees" or "5 percent"; None for anything else."""
    found = _WRITTEN.fullmatch(text.strip())
    if found is None or float(found[1]) == 0:
        return None
    amount = float(found[1])
    if found[4]:
        return Quantity(amount, Unit.PERCENT)
    return _period(amount, found[2].lower().rstrip("s"), of_fees=bool(found[3]))


def quantity_of_fact(normalized: str | None) -> Quantity | None:
    """The quantity in the machine form of a fact: "P12M", "12 months fees"; None for other forms.

    Of "greater of 500000 USD and 12 months fees" it is the part that counts fees.
    """
    text = normalized or ""
    if found := _FEES.search(text):
        return _period(float(found[1]), found[2], of_fees=True)
    found = _ISO.fullmatch(text)
    if found is None or not any(found.groups()):
        return None
    years, months, weeks, days = (int(group or 0) for group in found.groups())
    if weeks or days or not (years or months):
        return Quantity(days + 7 * weeks + (12 * years + months) * 30, Unit.DAYS)
    return Quantity(12 * years + months, Unit.MONTHS)


def _period(amount: float, unit: str, *, of_fees: bool) -> Quantity | None:
    days = {"day": 1, "week": 7}.get(unit)
    if of_fees:
        months = amount * (12 if unit == "year" else 1) if days is None else round(amount * days / _DAYS_PER_MONTH, 1)
        return Quantity(months, Unit.FEE_MONTHS)
    if days is not None:
        return Quantity(amount * days, Unit.DAYS)
    return Quantity(amount * (12 if unit == "year" else 1), Unit.MONTHS)
