"""What vectors do not see: two questions are kept apart when they differ in a number, date, name or turn of sense.

A sentence vector hardly moves when 2015 becomes 2016, Java becomes Python or `increase` becomes
`decrease`. So features are read from the words, and each pair must agree on all of them:

    numbers, units, times      the same, in the same order
    names                      each capitalised or quoted word of one is a word of the other, in the same order
    negation, poles, question  the same (`wording`)
    content words              not each question with words of its own: that is how a subject is swapped;
                               nor the same words in another order

They are written for English. A text that is mostly in another script has no features, and is left
alone. A guard may cost a hit; it must not be what lets one through.
"""

import re
import unicodedata

import msgspec

from .wording import (
    FILLERS,
    NEGATIONS,
    NUMBER_WORDS,
    ORDINARY_CAPITALS,
    POLES,
    STARTERS,
    TIMES,
    UNITS,
)

_TOKEN = re.compile(r"[0-9]+(?:[.,:/][0-9]+)*%?|[^\W\d_](?:[\w'.+#&@/-]*[\w+#%])?|[$€£₹%]")
_QUOTED = re.compile(r"\"([^\"]{1,80})\"|“([^”]{1,80})”|`([^`]{1,80})`|(?<!\w)'([^']{2,80})'(?!\w)")
_SENTENCE_END = re.compile(r"[.!?:]\s*$")
_LATIN_SHARE = 0.7
_ASKS_HOW = re.compile(
    r"\b(?:what(?:'s| is| are| were| would be)? (?:the |some |a |your )?(?:\w+ ){0,2}"
    r"(?:ways?|steps?|method|methods|tips?)"
    r"|how (?:do|does|can|could|should|would|to|did))\b"
)
_ASKS = re.compile(
    r"\b(how (?:many|much|long|old|often|far|tall|big|fast)|what|who|whom|whose|when|where|why|which|how)\b"
)


class Features(msgspec.Struct, frozen=True, array_like=True):
    """What the guards compare. Words are in lower case; `words` are those that carry content, by their stem."""

    numbers: tuple[str, ...]
    times: tuple[str, ...]
    names: tuple[str, ...]
    quoted: tuple[str, ...]
    is_negated: bool
    poles: frozenset[tuple[int, int]]
    asks: str
    words: tuple[str, ...]
    vocabulary: frozenset[str]


def read_features(text: str) -> Features | None:
    """The features of a question; None when it is not mostly in Latin letters, which these guards cannot read."""
    letters = [letter for letter in text if letter.isalpha()]
    if sum(_is_latin(letter) for letter in letters) < _LATIN_SHARE * max(1, len(letters)):
        return None
    text = text.replace("’", "'")
    tokens = [(found.group(), found.start()) for found in _TOKEN.finditer(text)]
    plain = [token.lower() for token, _ in tokens]
    low = " ".join(plain)
    quoted = [next(part for part in found.groups() if part) for found in _QUOTED.finditer(text)]
    return Features(
        numbers=tuple(_number(word) for word in plain if _is_number(word) or word in UNITS),
        times=tuple(word[:3] for word in plain if word in TIMES),
        names=tuple(token.lower() for token, start in tokens if _is_name(token, text[:start])),
        quoted=tuple(" ".join(part.lower().split()) for part in quoted),
        is_negated=any(word in NEGATIONS or word.endswith("n't") for word in plain),
        poles=frozenset(POLES[word] for word in plain if word in POLES),
        asks=_asks(low, plain),
        words=tuple(_stem(word) for word in plain if _carries(word)),
        vocabulary=frozenset(plain) | frozenset(_stem(word) for word in plain),
    )


def disagreement(first: Features, second: Features) -> str | None:
    """The name of the first guard that keeps the two apart; None when they agree on all."""
    if first.numbers != second.numbers:
        return "numbers"
    if first.times != second.times:
        return "times"
    if first.quoted != second.quoted:
        return "quoted"
    if not (_are_known(first.names, second) and _are_known(second.names, first)):
        return "names"
    if _in_order(first.names, second) != _in_order(second.names, first):
        return "order of names"
    if first.is_negated != second.is_negated:
        return "negation"
    if first.poles != second.poles:
        return "poles"
    if first.asks != second.asks:
        return "question"
    ours, theirs = set(first.words), set(second.words)
    if ours - theirs and theirs - ours:
        return "words"
    if ours == theirs and tuple(dict.fromkeys(first.words)) != tuple(dict.fromkeys(second.words)):
        return "order of words"
    return None


def facts_differ(first: Features, second: Features) -> bool:
    """Whether two replies differ in numbers, times, names or negation; their other words are not compared."""
    return (
        sorted(first.numbers) != sorted(second.numbers)
        or set(first.times) != set(second.times)
        or first.is_negated != second.is_negated
        or not _are_known(first.names, second)
        or not _are_known(second.names, first)
    )


def _are_known(names: tuple[str, ...], other: Features) -> bool:
    return all(name in other.vocabulary or _stem(name) in other.vocabulary for name in names)


def _in_order(names: tuple[str, ...], other: Features) -> tuple[str, ...]:
    common = set(other.names)
    return tuple(dict.fromkeys(name for name in names if name in common))


def _asks(low: str, plain: list[str]) -> str:
    if _ASKS_HOW.search(low):
        return "how"
    if found := _ASKS.search(low):
        return found.group(1)
    return (
        "whether" if plain and plain[0] in ("is", "are", "do", "does", "did", "can", "could", "should", "will") else ""
    )


def _is_name(token: str, before: str) -> bool:
    """Capitals inside a sentence, and anything at its start that is no ordinary first word."""
    low = token.lower()
    if token[0].isdigit() or low.endswith("n't"):
        return False
    if not token[0].isupper() or low in ORDINARY_CAPITALS:
        return any(letter.isupper() for letter in token[1:]) or any(letter.isdigit() for letter in token[1:])
    starts = not before.strip() or _SENTENCE_END.search(before) is not None
    return not (starts and low in STARTERS)


def _carries(word: str) -> bool:
    is_turn = word in NEGATIONS or word in POLES or word.endswith("n't")
    return is_turn or (word not in FILLERS and not _is_number(word))


def _is_number(word: str) -> bool:
    return word[0].isdigit() or word in NUMBER_WORDS or word in ("$", "€", "£", "₹", "%")


def _number(word: str) -> str:
    return NUMBER_WORDS.get(word, word.rstrip("s") if word in UNITS else word.replace(",", ""))


def _stem(word: str) -> str:
    """Plural and simple endings off: enough to let `limits` meet `limit`."""
    word = word.removesuffix("'s").strip(".'")
    for ending, least in (("ies", 5), ("ing", 6), ("ed", 5), ("es", 5), ("s", 4)):
        if len(word) >= least and word.endswith(ending) and not word.endswith("ss"):
            return word[: -len(ending)] + ("y" if ending == "ies" else "")
    return word.removesuffix("e") if len(word) > 4 else word


def _is_latin(letter: str) -> bool:
    return letter.isascii() or unicodedata.name(letter, "").startswith("LATIN")
