"""Amounts of money: "$500,000", "USD 1.5 million", "five hundred thousand dollars", "500.000 EUR".

An amount without digits or number words ("$[***]", "$____") is no amount.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from .numbers import WORDS, words_to_number
from .reading import phrase

_SIGNS = {
    "us$": "USD", "usd": "USD", "u.s.$": "USD", "$": "USD", "dollar": "USD", "u.s. dollar": "USD",
    "€": "EUR", "eur": "EUR", "euro": "EUR", "£": "GBP", "gbp": "GBP", "pound": "GBP",
    "c$": "CAD", "ca$": "CAD", "cad": "CAD", "cdn$": "CAD", "canadian dollar": "CAD",
    "a$": "AUD", "aud": "AUD", "chf": "CHF", "¥": "JPY", "jpy": "JPY", "yen": "JPY",
    "rmb": "CNY", "cny": "CNY", "inr": "INR", "hk$": "HKD", "hkd": "HKD", "s$": "SGD", "sgd": "SGD",
}  # fmt: skip
_BEFORE = (
    r"(?P<sign>US ?\$|U\.S\. ?\$|CA?\$|CDN ?\$|A\$|HK\$|S\$|USD\$?|EUR|GBP|CAD|AUD|CHF|JPY|RMB|CNY|INR|HKD|SGD"
    r"|\$|€|£|¥)"
)
_FIGURE = (
    r"(?P<figure>\d{1,3}(?:[,.' ]\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,2})?)"
    r"(?: *(?P<scale>thousand|million|billion|m\b|k\b))?"
)
_AFTER = r"(?P<name>U\.S\. dollar|canadian dollar|dollar|euro|pound|yen|USD|EUR|GBP|CAD|AUD|CHF|JPY|RMB|CNY|INR)s?\b"
_LEADING = re.compile(rf"(?<![\w$]){_BEFORE} *{_FIGURE}(?![\d%])", re.IGNORECASE)
_TRAILING = phrase(rf"(?<![\w$.,])(?:{_FIGURE}|(?P<words>{WORDS})) *(?:\((?:[^()]{{0,20}})\) *)?(?:of the )?{_AFTER}")
_SCALES = {"thousand": 1_000, "k": 1_000, "million": 1_000_000, "m": 1_000_000, "billion": 1_000_000_000}


@dataclass(frozen=True, slots=True)
class Amount:
    """Money at [start, end); a bare "$" is read as US dollars."""

    start: int
    end: int
    value: Decimal
    currency: str

    @property
    def normalized(self) -> str:
        """Machine form: "500000 USD"."""
        return f"{self.value.normalize():f} {self.currency}"

    @property
    def words(self) -> str:
        """As a reader writes it: "USD 500,000"."""
        decimals = "" if self.value == self.value.to_integral_value() else ".2f"
        return f"{self.currency} {self.value:,{decimals or '.0f'}}"


def find_amounts(text: str) -> Iterator[Amount]:
    """Every amount in a flat text, in order of place; "five dollars ($5)" gives the leading form once."""
    found = sorted([*_leading(text), *_trailing(text)], key=lambda amount: amount.start)
    reached = -1
    for amount in found:
        if amount.start >= reached:
            reached = amount.end
            yield amount


def _leading(text: str) -> Iterator[Amount]:
    for match in _LEADING.finditer(text):
        sign = match.group("sign").lower().replace(" ", "")
        currency = _SIGNS.get(sign) or _SIGNS[sign.removesuffix("$")]
        yield Amount(match.start(), match.end(), _scaled(match), currency)


def _trailing(text: str) -> Iterator[Amount]:
    for match in _TRAILING.finditer(text):
        currency = _SIGNS[re.sub(r" +", " ", match.group("name").lower())]
        if match.group("words"):
            yield Amount(match.start(), match.end(), Decimal(words_to_number(match.group("words"))), currency)
        else:
            yield Amount(match.start(), match.end(), _scaled(match), currency)


def _scaled(match: re.Match[str]) -> Decimal:
    figure = re.sub(r"[' ]", "", match.group("figure"))
    cents = re.search(r"[.,](\d{1,2})$", figure)
    whole = re.sub(r"[.,]", "", figure[: cents.start()] if cents else figure)
    value = Decimal(f"{whole}.{cents.group(1)}" if cents else whole)
    return value * _SCALES.get((match.group("scale") or "").lower(), 1)
