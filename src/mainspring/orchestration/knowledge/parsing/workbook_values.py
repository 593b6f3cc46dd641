"""Cells of a workbook as a reader sees them: dates as ISO 8601, numbers without their binary dust.

A date is a number with a format that shows days or hours; the formats are kept apart from the cells.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto

from .xml_tree import Element, local


class Shown(Enum):
    """How a format shows a number."""

    NUMBER = auto()
    PERCENT = auto()
    DATE = auto()
    DATE_TIME = auto()
    TIME = auto()


_BUILT_IN = {
    **dict.fromkeys((9, 10), Shown.PERCENT),
    **dict.fromkeys((14, 15, 16, 17, *range(27, 32), 36, *range(50, 59)), Shown.DATE),
    **dict.fromkeys((18, 19, 20, 21, *range(32, 36), 45, 46, 47), Shown.TIME),
    22: Shown.DATE_TIME,
}
_NOT_SHOWN = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!(?:h+|m+|s+)\])[^\]]*\]')
_LAST_DAY = 2_958_466  # of the year 9999, in days since the end of 1899


@dataclass(frozen=True, slots=True)
class Formats:
    """How each style of a workbook shows its numbers, and the day that its dates count from."""

    styles: tuple[Shown, ...] = ()
    from_1904: bool = False

    def show(self, value: str, style: str) -> str:
        """The number in `value` as the style with this index shows it; the text itself when it is no number."""
        try:
            number = float(value)
        except ValueError:
            return value
        index = int(style) if style.isdigit() and len(style) < 6 else 0
        shown = self.styles[index] if index < len(self.styles) else Shown.NUMBER
        match shown:
            case Shown.NUMBER:
                return _plain(number, value)
            case Shown.PERCENT:
                return f"{_plain(number * 100, '')}%"
            case Shown.DATE | Shown.DATE_TIME | Shown.TIME:
                return self._instant(number, shown) or _plain(number, value)

    def _instant(self, number: float, shown: Shown) -> str | None:
        if not 0 <= number < _LAST_DAY:
            return None
        if shown is Shown.TIME and number < 1:
            return (datetime(1900, 1, 1, tzinfo=UTC) + _rounded(number)).time().isoformat()
        if self.from_1904:
            start = datetime(1904, 1, 1, tzinfo=UTC)
        else:  # the first of these programs thought 1900 a leap year
            start = datetime(1899, 12, 31 if number < 60 else 30, tzinfo=UTC)
        try:
            instant = start + _rounded(number)
        except OverflowError:
            return None
        is_day = shown is Shown.DATE and number == int(number)
        return instant.date().isoformat() if is_day else instant.replace(tzinfo=None).isoformat()


def read_formats(styles: Element | None, *, from_1904: bool) -> Formats:
    """The formats of the part `styles.xml`, in the order in which cells refer to them."""
    if styles is None:
        return Formats(from_1904=from_1904)
    codes: Mapping[str, str] = {
        each.get("numFmtId", ""): each.get("formatCode", "")
        for each in styles.iter("{*}numFmt")
        if each.get("formatCode", "")
    }
    formats = next((each for each in styles if local(each) == "cellXfs"), None)
    used = [each.get("numFmtId", "") for each in formats if local(each) == "xf"] if formats is not None else []
    return Formats(tuple(_kind(identifier, codes) for identifier in used), from_1904)


def _kind(identifier: str, codes: Mapping[str, str]) -> Shown:
    code = codes.get(identifier)
    if code is None:
        return (
            _BUILT_IN.get(int(identifier), Shown.NUMBER)
            if identifier.isdigit() and len(identifier) < 6
            else Shown.NUMBER
        )
    letters = _NOT_SHOWN.sub("", code[:1000]).lower().split(";")[0]
    has_time = "h" in letters or "s" in letters
    if "general" in letters:
        return Shown.NUMBER
    if "y" in letters or "d" in letters or ("m" in letters and not has_time):
        return Shown.DATE_TIME if has_time else Shown.DATE
    if has_time:
        return Shown.TIME
    return Shown.PERCENT if "%" in letters else Shown.NUMBER


def _rounded(days: float) -> timedelta:
    return timedelta(seconds=round(days * 86_400))


def _plain(number: float, written: str) -> str:
    """Fifteen digits, as spreadsheets show; longer whole numbers as they are written."""
    if re.fullmatch(r"-?\d{1,30}", written):
        return written
    return f"{number:.15g}"
