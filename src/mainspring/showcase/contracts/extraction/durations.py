"""Periods of time: "thirty (30) days", "a period of five years", "twelve-month", "3~year".

A period without a number (blank, redacted, "a reasonable time") is not a period. Years become
months in the machine form, so that two terms can be compared ("P36M").
"""

from collections.abc import Iterator
from dataclasses import dataclass

from .numbers import WORDS, words_to_number
from .reading import phrase

_DURATION = phrase(
    rf"\b(?:(?P<words>{WORDS})(?: *\(? *(?P<paren>\d{{1,4}}) *\))?|(?P<digits>\d{{1,4}})(?: *\( *{WORDS} *\))? *\)?)"
    r"(?P<gap>[ ~-]*(?:(?:full|calendar|business|working|consecutive|contract|additional|successive|more)[ -]+)*)"
    r"(?P<unit>day|week|month|year)(?:s\b|\b(?!-old| of [A-Z]))'?"
)


@dataclass(frozen=True, slots=True)
class Duration:
    """An amount of days, weeks, months or years at [start, end).

    in_business_days  weekends and holidays do not count
    conflicting       words and bracketed digits disagree; `amount` follows the words
    """

    start: int
    end: int
    amount: int
    unit: str
    in_business_days: bool = False
    conflicting: bool = False

    @property
    def iso(self) -> str | None:
        """ISO 8601: days as "P30D", longer units as months; None for business days."""
        match self.unit:
            case "day":
                return None if self.in_business_days else f"P{self.amount}D"
            case "week":
                return f"P{7 * self.amount}D"
            case _:
                return f"P{self.months}M"

    @property
    def months(self) -> int | None:
        """Whole months, None for days and weeks."""
        return {"month": self.amount, "year": 12 * self.amount}.get(self.unit)

    @property
    def words(self) -> str:
        """As a reader writes it: "1 year", "10 business days"."""
        kind = "business " if self.in_business_days else ""
        return f"{self.amount} {kind}{self.unit}{'' if self.amount == 1 else 's'}"


def find_durations(text: str, start: int = 0, end: int | None = None) -> Iterator[Duration]:
    """Every period in [start, end) of a flat text, in order; offsets are those of `text`."""
    for match in _DURATION.finditer(text, start, len(text) if end is None else end):
        words, paren, digits = match.group("words"), match.group("paren"), match.group("digits")
        amount = words_to_number(words) if words else int(digits)
        if amount == 0:
            continue
        gap = match.group("gap").lower()
        yield Duration(
            match.start(),
            match.end(),
            amount,
            match.group("unit").lower(),
            in_business_days="business" in gap or "working" in gap,
            conflicting=bool(words and paren and int(paren) != amount),
        )
