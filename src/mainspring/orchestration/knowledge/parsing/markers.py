"""Clause numbers at the head of a line: ARTICLE IV, Section 4.2, 4.2.1, (a), (iv), 1., A.

`read_marker` only says what could be a number. Whether it is one ("(i)" the letter or the
numeral, "Section 4.2 of" a reference, "12. The" a wrapped date) is for `outline` to decide
from the sequence in which numbers come.
"""

import re
from dataclasses import dataclass
from enum import StrEnum


class Scheme(StrEnum):
    """Families of numbering, coarse to fine."""

    ANNEX = "annex"
    ARTICLE = "article"
    DECIMAL = "decimal"
    LETTER = "letter"
    ROMAN = "roman"


@dataclass(frozen=True, slots=True)
class Marker:
    """A possible clause number.

    text    as written: "Section 4.2", "(a)"
    end     offset after it, in the string that was read
    form    brackets and case, so that "(a)", "a." and "(A)" are different lists
    values  (4, 2) for 4.2, (1,) for (a)
    other   the second reading of an ambiguous one, such as (i)
    named   opens with a word such as Section, so it is hardly anything else
    """

    text: str
    end: int
    scheme: Scheme
    form: str
    values: tuple[int, ...]
    other: "Marker | None" = None
    named: bool = False


_ANNEX = "schedule|exhibit|annex|annexe|appendix|attachment|addendum|anlage|anhang|anexo|allegato|bijlage"
_ARTICLE = "article|chapter|part|artikel|artículo|articulo|articolo|artigo|kapitel|chapitre|capítulo|hoofdstuk"
_SECTION = "section|sec\\.|clause|§|abschnitt|ziffer|cláusula|clausola|clausula"
_WORDED = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_NAMED = re.compile(
    rf"(?P<word>{_ANNEX}|{_ARTICLE}|{_SECTION})[ \t]{{0,4}}(?:no\.[ \t]?)?"
    rf"(?P<id>\d{{1,3}}(?:[.\-]\d{{1,3}}){{0,5}}|[ivxlc]{{1,7}}|[a-z](?:-?\d{{1,2}})?|{'|'.join(_WORDED)})(?![\w\-])"
    r"(?P<close>[.:)]?)",
    re.IGNORECASE,
)
_DECIMAL = re.compile(r"(?P<id>\d{1,3}(?:\.\d{1,2}){1,5})(?P<close>\.?\)?:?)(?![\w%,.])")
_SINGLE = re.compile(r"(?:\((?P<inner>\d{1,3})\)|(?P<id>\d{1,3})(?P<close>[.)]))(?![\w%,.])")
_LETTER = re.compile(
    r"(?:\((?P<inner>[A-Za-z]|[ivxlcIVXLC]{1,7}|([A-Za-z])\2)\)|(?P<id>[A-Za-z]|[ivxIVX]{1,6})(?P<close>[.)]))(?!\w)"
)
_BULLET = re.compile(r"(?:[•●○▪◦‣·■□➢✓]|[-–—*o](?=[ \t]))[ \t]*")
_REFERENCE = re.compile(
    r"[ \t]*(?:[,;)(]|\.\d|(?:of|and|or|to|in|above|below|hereof|herein|hereto|hereunder|shall|is|are|was|by|for|"
    r"through|which|that|if|with|as|until|from|may|will|has|have|der|des|du|de|del|van)\b)"
)
_ROMAN = re.compile(r"(?i:c{0,3}(?:xc|xl|l?x{0,3})(?:ix|iv|v?i{0,3}))\Z")
_ROMAN_VALUES = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}


def read_marker(text: str, start: int = 0) -> Marker | None:
    """The clause number that `text` may start with at `start`, None when there is none."""
    if start >= len(text):
        return None
    first = text[start]
    if first.isdigit():
        return _read_number(text, start)
    if first == "(":
        return _read_number(text, start) or _read_letter(text, start)
    if first.isalpha() or first == "§":
        return _read_named(text, start) or _read_letter(text, start)
    return None


def read_bullet(text: str, start: int = 0) -> int | None:
    """The offset after a bullet at `start`, None when there is none."""
    found = _BULLET.match(text, start)
    return found.end() if found else None


def _read_named(text: str, start: int) -> Marker | None:
    found = _NAMED.match(text, start)
    if not found or _REFERENCE.match(text, found.end()) or not (text[start].isupper() or text[start] == "§"):
        return None
    word, values = found["word"].lower(), _named_values(found["id"])
    if values is None:
        return None
    shown = text[start : found.end()].rstrip(".:)")
    if re.fullmatch(_ANNEX, word):
        return Marker(shown, found.end(), Scheme.ANNEX, word, values, named=True)
    if re.fullmatch(_ARTICLE, word) and len(values) == 1:
        return Marker(shown, found.end(), Scheme.ARTICLE, word, values, named=True)
    return Marker(shown, found.end(), Scheme.DECIMAL, "section" if len(values) == 1 else "", values, named=True)


def _named_values(identifier: str) -> tuple[int, ...] | None:
    if identifier[0].isdigit():
        return tuple(int(part) for part in re.split(r"[.\-]", identifier))
    if identifier.lower() in _WORDED:
        return (_WORDED.index(identifier.lower()) + 1,)
    if not identifier[0].isupper():
        return None
    if (value := roman_value(identifier)) is not None:
        return (value,)
    digits = identifier[1:].strip("-")
    return (
        (ord(identifier[0]) - 64, *((int(digits),) if digits.isdigit() else ()))
        if not digits or digits.isdigit()
        else None
    )


def _read_number(text: str, start: int) -> Marker | None:
    if found := _DECIMAL.match(text, start):
        values = tuple(int(part) for part in found["id"].split("."))
        if len(values) == 2 and values[1] == 0:
            return Marker(found["id"], found.end(), Scheme.DECIMAL, ".", values[:1])
        return Marker(found["id"], found.end(), Scheme.DECIMAL, "", values)
    if found := _SINGLE.match(text, start):
        form = "()" if found["inner"] else found["close"]
        shown = f"({found['inner']})" if found["inner"] else found["id"] + (")" if form == ")" else "")
        return Marker(shown, found.end(), Scheme.DECIMAL, form, (int(found["inner"] or found["id"]),))
    return None


def _read_letter(text: str, start: int) -> Marker | None:
    found = _LETTER.match(text, start)
    if not found:
        return None
    letters = found["inner"] or found["id"]
    brackets = "()" if found["inner"] else found["close"]
    form = brackets + ("A" if letters.isupper() else "a")
    shown = found.group().removesuffix(".")
    as_letter = as_roman = None
    if len(set(letters)) == 1 and len(letters) <= 2:
        value = ord(letters[0].lower()) - 96 + 26 * (len(letters) - 1)
        as_letter = Marker(shown, found.end(), Scheme.LETTER, form, (value,))
    if (roman := roman_value(letters)) is not None:
        as_roman = Marker(shown, found.end(), Scheme.ROMAN, form, (roman,), other=as_letter)
    return as_roman or as_letter


def roman_value(letters: str) -> int | None:
    """The value of a roman numeral below 400 in one case, None when it is not one."""
    if not letters or not (letters.isupper() or letters.islower()) or not _ROMAN.match(letters):
        return None
    digits = [_ROMAN_VALUES[letter] for letter in letters.lower()]
    return sum(-value if value < after else value for value, after in zip(digits, [*digits[1:], 0], strict=True))


def without_number(text: str) -> str:
    """`text` without the clause number or bullet that it starts with."""
    marker = read_marker(text)
    return text[marker.end if marker else read_bullet(text) or 0 :].lstrip()
