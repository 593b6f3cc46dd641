"""Word's number formats: 4, 04, iv, IV, d, D, 4th, four, fourth."""

from collections.abc import Callable

_ROMAN = (
    (1000, "m"),
    (900, "cm"),
    (500, "d"),
    (400, "cd"),
    (100, "c"),
    (90, "xc"),
    (50, "l"),
    (40, "xl"),
    (10, "x"),
    (9, "ix"),
    (5, "v"),
    (4, "iv"),
    (1, "i"),
)
_UNITS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["zero", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
_LARGEST_ROMAN = 32_767


def format_number(value: int, number_format: str) -> str:
    """`value` in one of Word's formats; formats of other scripts fall back to digits."""
    return _FORMATS.get(number_format, str)(value)


def roman(value: int) -> str:
    """1 is i; numbers that Rome had no sign for stay digits."""
    if not 0 < value <= _LARGEST_ROMAN:
        return str(value)
    text = ""
    for amount, sign in _ROMAN:
        text += sign * (value // amount)
        value %= amount
    return text


def letters(value: int) -> str:
    """1 is a, 26 is z, 27 is aa, 28 is bb, as Word counts."""
    if not 0 < value <= 26 * 30:
        return str(value)
    return chr(97 + (value - 1) % 26) * ((value - 1) // 26 + 1)


def ordinal(value: int) -> str:
    """1 is 1st, 12 is 12th."""
    ending = "th" if 10 < value % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
    return f"{value}{ending}"


def words(value: int) -> str:
    """1 is one, up to 99; larger numbers stay digits."""
    if not 0 <= value < 100:
        return str(value)
    if value < len(_UNITS):
        return _UNITS[value]
    tens, units = divmod(value, 10)
    return _TENS[tens] + (f"-{_UNITS[units]}" if units else "")


def ordinal_words(value: int) -> str:
    """1 is first, 21 is twenty-first; from 100 on as digits."""
    if not 0 <= value < 100:
        return ordinal(value)
    head, dash, last = words(value).rpartition("-")
    regular = (last[:-1] + "ie" if last.endswith("y") else last) + "th"
    return head + dash + _ORDINALS.get(last, regular)


_FORMATS: dict[str, Callable[[int], str]] = {
    "none": lambda _value: "",
    "decimalZero": lambda value: f"{value:02d}",
    "lowerRoman": roman,
    "upperRoman": lambda value: roman(value).upper(),
    "lowerLetter": letters,
    "upperLetter": lambda value: letters(value).upper(),
    "ordinal": ordinal,
    "cardinalText": lambda value: words(value).capitalize(),
    "ordinalText": lambda value: ordinal_words(value).capitalize(),
    "decimalEnclosedParen": lambda value: f"({value})",
    "decimalEnclosedFullstop": lambda value: f"{value}.",
    "numberInDash": lambda value: f"- {value} -",
}
