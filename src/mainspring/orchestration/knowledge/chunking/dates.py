"""Times as people and mail programs write them, as ISO 8601 where they can be read in one way only."""

import re
from dataclasses import dataclass
from datetime import datetime

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = r"(?P<month>(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6})\.?"
_TIME = (
    r"(?:(?:,|\s|T|at|um){0,4}(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?(?:\s?(?P<half>[ap])\.?m\b\.?)?"
    r"(?:\s*(?P<zone>Z|GMT|UTC|[+-]\d{2}:?\d{2})(?!\w))?)?"
)
_DAY, _YEAR = r"(?P<day>\d{1,2})", r"(?P<year>\d{4})"
_FORMS = tuple(
    re.compile(date + _TIME, re.IGNORECASE)
    for date in (
        rf"(?<!\d){_YEAR}[-/.](?P<number>\d{{1,2}})[-/.]{_DAY}(?!\d)",
        rf"\b{_MONTH}\s{{1,3}}{_DAY}(?:st|nd|rd|th)?,?\s{{1,3}}{_YEAR}",
        rf"(?<!\d){_DAY}\.?\s{{1,3}}{_MONTH},?\s{{1,3}}{_YEAR}",
        rf"(?<!\d){_DAY}\.(?P<number>\d{{1,2}})\.{_YEAR}",
        r"(?<!\d)(?P<unclear>\d{1,2}/\d{1,2}/(?:\d{4}|\d{2}))(?!\d)",
    )
)
_WIDE_BLANKS = str.maketrans("\u202f\u00a0", "  ")


@dataclass(frozen=True, slots=True)
class Instant:
    """A date, maybe with a time, that was found in a text.

    end   where it ends there
    iso   ISO 8601, without a zone where none is written; None for 3/4/2024, which is in March or in April
    """

    end: int
    iso: str | None


def find_time(text: str) -> Instant | None:
    """The first date in a short text."""
    shown = text.translate(_WIDE_BLANKS)
    found = [match for form in _FORMS if (match := form.search(shown))]
    if not found:
        return None
    first = min(found, key=lambda match: match.start())
    return Instant(first.end(), _iso(first.groupdict()))


def _iso(parts: dict[str, str | None]) -> str | None:
    if parts.get("unclear"):
        return None
    month = parts.get("number") or _MONTHS.index((parts.get("month") or "")[:3].lower()) + 1
    shown = f"{parts['year']}-{int(month):02}-{int(parts['day'] or 0):02}{_clock(parts)}"
    try:
        datetime.fromisoformat(shown)
    except ValueError:
        return None
    return shown


def _clock(parts: dict[str, str | None]) -> str:
    if not parts["hour"]:
        return ""
    hour, half, zone = int(parts["hour"]), (parts["half"] or "").lower(), (parts["zone"] or "").upper()
    hour = hour % 12 + 12 * (half == "p") if half else hour
    offset = "+00:00" if zone in ("Z", "GMT", "UTC") else f"{zone[:3]}:{zone[-2:]}" if zone else ""
    return f"T{hour:02}:{parts['minute']}:{parts['second'] or '00'}{offset}"
