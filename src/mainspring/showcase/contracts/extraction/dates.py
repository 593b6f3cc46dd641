"""Dates in a text, and the arithmetic of terms.

Found by the name of the month (then day and year around it) or by shape. "03/04/2019" may be March
or April: it has a value only when the document itself shows the order, by another date that cannot
be read both ways or by being a United States document. A date with a blank has no value and is not found.
"""

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from .numbers import ORDINAL, ordinal_to_number

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_MONTH = re.compile(
    r"\b(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\b\.?",
    re.IGNORECASE,
)
_SUFFIX = r"(?: ?(?:s ?t|n ?d|r ?d|t ?h)\b)?"
_DAY_YEAR = re.compile(rf" *(\d{{1,2}}){_SUFFIX} *,? *(?:in the year )?((?:19|20)\d\d)\b", re.IGNORECASE)
_YEAR = re.compile(r" *,? *(?:in the year(?: of our lord)? +)?,? *((?:19|20)\d\d)\b", re.IGNORECASE)
_DAY_BEFORE = re.compile(
    rf"(?:\b(\d{{1,2}}){_SUFFIX}|\b({ORDINAL}))(?: *\( *\d{{1,2}} *{_SUFFIX} *\))?"
    r" *,? *(?:day)?(?: *of)?(?: *the month of)? *[-,]? *$",
    re.IGNORECASE,
)
_ISO = re.compile(r"(?<![\d/.-])((?:19|20)\d\d)-(\d{1,2})-(\d{1,2})(?![\d/-])")
_NUMERIC = re.compile(r"(?<![\d/.-])(\d{1,2})([/.-])(\d{1,2})\2((?:19|20)?\d\d)(?![\d/-]|\.\d)")
_AMERICAN = re.compile(
    r"\b(?:Delaware|New York|California|Texas|Florida|Nevada|Illinois|Massachusetts|Pennsylvania|U\.S\.A?|USA"
    r"|United States|Securities and Exchange Commission)\b"
)


@dataclass(frozen=True, slots=True)
class DateMention:
    """A date as written at [start, end); `value` is None when day and month cannot be told apart."""

    start: int
    end: int
    value: date | None


def find_dates(text: str) -> tuple[DateMention, ...]:
    """Every full date (day, month, year) in a flat text, in order, not overlapping."""
    found = sorted([*_named(text), *_shaped(text)], key=lambda mention: mention.start)
    kept: list[DateMention] = []
    for mention in found:
        if not kept or mention.start >= kept[-1].end:
            kept.append(mention)
    return tuple(kept)


def write_date(value: date) -> str:
    """The date as a reader writes it: "3 May 2019"."""
    return f"{value.day} {_MONTHS[value.month - 1].title()} {value.year}"


def add_months(start: date, months: int) -> date:
    """The same day some months later, or the last day of that month where it has no such day."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))


def _named(text: str) -> Iterator[DateMention]:
    for month in _MONTH.finditer(text):
        number = next(place for place, name in enumerate(_MONTHS, 1) if name.startswith(month.group(1).lower()[:3]))
        if after := _DAY_YEAR.match(text, month.end()):
            yield from _mention((month.start(), after.end()), int(after.group(2)), number, int(after.group(1)))
        elif year := _YEAR.match(text, month.end()):
            reach = max(0, month.start() - 48)
            if before := _DAY_BEFORE.search(text[reach : month.start()]):
                day = int(before.group(1)) if before.group(1) else ordinal_to_number(before.group(2))
                yield from _mention((reach + before.start(), year.end()), int(year.group(1)), number, day)


def _shaped(text: str) -> Iterator[DateMention]:
    for match in _ISO.finditer(text):
        yield from _mention(match.span(), int(match.group(1)), int(match.group(2)), int(match.group(3)))
    numeric = list(_NUMERIC.finditer(text))
    if not numeric:
        return
    day_first = _is_day_first(text, numeric)
    for match in numeric:
        first, second, year = int(match.group(1)), int(match.group(3)), _full_year(match.group(4))
        day_leads = day_first if match.group(2) != "." else True
        if first > 12 or second > 12:
            day_leads = first > 12
        if day_leads is None and first != second:
            yield DateMention(match.start(), match.end(), None)
            continue
        yield from _mention(match.span(), year, second if day_leads else first, first if day_leads else second)


def _is_day_first(text: str, numeric: list[re.Match[str]]) -> bool | None:
    day_first = any(int(match.group(1)) > 12 >= int(match.group(3)) for match in numeric)
    month_first = any(int(match.group(3)) > 12 >= int(match.group(1)) for match in numeric)
    if day_first != month_first:
        return day_first
    if day_first or not _AMERICAN.search(text):
        return None
    return False


def _full_year(written: str) -> int:
    year = int(written)
    if len(written) == 4:
        return year
    return year + (2000 if year < 50 else 1900)


def _mention(span: tuple[int, int], year: int, month: int, day: int) -> Iterator[DateMention]:
    if 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]:
        yield DateMention(span[0], span[1], date(year, month, day))
