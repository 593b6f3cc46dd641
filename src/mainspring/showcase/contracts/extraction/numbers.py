"""Numbers as contracts write them: "thirty (30)", "one hundred and twenty", "twenty-four", "1,500".

A number in words is followed, often, by its digits in brackets. When the two disagree the words
prevail, as courts read them, and the disagreement is kept so that the reader can be told.
"""

import re

_UNITS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SMALL = {word: value for value, word in enumerate(_UNITS)} | {
    word: 20 + 10 * place for place, word in enumerate(_TENS)
}
_SMALL["fourty"] = 40
_LARGE = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}

_WORD = r"(?:" + "|".join(sorted([*_SMALL, *_LARGE], key=len, reverse=True)) + r")"
WORDS = rf"{_WORD}(?:[ -]{{1,9}}(?:and +)?{_WORD}){{0,9}}"
"""A pattern (no groups) for a number in words."""

_TOKEN = re.compile(_WORD, re.IGNORECASE)

_ORDINALS = (
    *("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh"),
    *("twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth"),
    "twentieth",
)
_ORDINAL_VALUES = {
    **{word: value for value, word in enumerate(_ORDINALS, start=1)},
    **{f"twenty-{word}": 20 + value for value, word in enumerate(_ORDINALS[:9], start=1)},
    "thirtieth": 30,
    "thirty-first": 31,
}

ORDINAL = r"(?:" + "|".join(sorted(_ORDINAL_VALUES, key=len, reverse=True)) + r")"
"""A pattern (no groups) for an ordinal in words, first to thirty-first."""


def words_to_number(words: str) -> int:
    """The value of a number in words; raises ValueError when there is no number word in it."""
    tokens = [token.group().lower() for token in _TOKEN.finditer(words)]
    if not tokens:
        raise ValueError(f"no number word in {words!r}")
    total = current = 0
    for token in tokens:
        if token in _SMALL:
            current += _SMALL[token]
        elif token == "hundred":  # noqa: S105 - a number word, not a secret
            current = max(current, 1) * 100
        else:
            total += max(current, 1) * _LARGE[token]
            current = 0
    return total + current


def ordinal_to_number(word: str) -> int:
    """The value of an ordinal in words: "third" is 3; raises KeyError for anything else."""
    return _ORDINAL_VALUES[re.sub(r"[ -]+", "-", word.strip().lower())]
