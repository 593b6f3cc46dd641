"""When a message was sent, from the words in which mail programs say so, as ISO 8601.

A header of a message follows a standard; the line above a quotation follows the program
and the language of who replied. What can be read two ways (3/4/2024) is left unread.
"""

import re
from datetime import datetime
from email.utils import parsedate_to_datetime

_MONTHS = (
    "jan gen ene",
    "feb fév fev",
    "mar mär mrz maa",
    "apr avr abr",
    "may mai mei maj mag",
    "jun juin giu",
    "jul juil lug",
    "aug aoû aou ago",
    "sep set",
    "oct okt ott out",
    "nov",
    "dec dez déc dic",
)
_MONTH = {name: number for number, names in enumerate(_MONTHS, 1) for name in names.split()}
_NAME = r"(?P<month>[^\W\d_]{3,10})\.?"
_DATES = (
    re.compile(r"(?P<year>\d{4})-(?P<number>\d{1,2})-(?P<day>\d{1,2})"),
    re.compile(
        rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th|er|º)?\.?(?:\s+de)?[\s\-]+{_NAME}(?:\s+de)?,?[\s\-]+(?P<year>\d{{4}})"
    ),
    re.compile(rf"\b{_NAME}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}})"),
    re.compile(r"\b(?P<day>\d{1,2})\.(?P<number>\d{1,2})\.(?P<year>\d{4})"),
    re.compile(r"\b(?P<first>\d{1,2})/(?P<second>\d{1,2})/(?P<year>\d{4})"),
)
_TIME = re.compile(r"\b(?P<hour>\d{1,2})[:h](?P<minute>\d{2})(?::(?P<second>\d{2}))?\s*(?P<half>[AaPp]\.?[Mm])?")


def read_header_date(written: str) -> str | None:
    """The instant of a Date header, with its offset from UTC where it says one."""
    try:
        return parsedate_to_datetime(written).isoformat()
    except (ValueError, TypeError, OverflowError, IndexError):
        return read_loose_date(written)


def read_loose_date(written: str) -> str | None:
    """The day, and the time where there is one, that a sentence names; None when it names none for certain."""
    for pattern in _DATES:
        found = pattern.search(written[:300])
        if found is not None and (day := _day(found)) is not None:
            return _with_time(day, written[found.end() : 300] or written[: found.start()])
    return None


def _day(found: re.Match[str]) -> datetime | None:
    parts = found.groupdict()
    if "first" in parts:
        first, second = int(parts["first"]), int(parts["second"])
        if first <= 12 and second <= 12 and first != second:
            return None
        month, day = (second, first) if first > 12 else (first, second)
    else:
        name = (parts.get("month") or "").lower()
        month = int(parts["number"]) if "number" in parts else _MONTH.get(name[:4], _MONTH.get(name[:3], 0))
        day = int(parts["day"])
    try:
        return datetime(int(parts["year"]), month, day)  # noqa: DTZ001 - the sentence says no offset
    except ValueError:
        return None


def _with_time(day: datetime, rest: str) -> str:
    found = _TIME.search(rest)
    if found is None:
        return day.date().isoformat()
    hour = int(found["hour"])
    if found["half"]:
        hour = hour % 12 + (12 if found["half"][0] in "Pp" else 0)
    try:
        return day.replace(hour=hour, minute=int(found["minute"]), second=int(found["second"] or 0)).isoformat()
    except ValueError:
        return day.date().isoformat()
