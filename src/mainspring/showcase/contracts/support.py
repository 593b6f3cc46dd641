"""Whether quotes carry a sentence: a strict, deterministic comparison.

What can be checked is checked: dates by their day, periods by their length, amounts with their
currency, other numbers by value, capitalised names and quoted words by their letters, negations by
their presence on both sides. What is left must share at least half of its content words with the quotes.
"""

import re
from collections.abc import Sequence

from .extraction.dates import find_dates
from .extraction.durations import find_durations
from .extraction.money import find_amounts
from .extraction.numbers import WORDS, words_to_number
from .extraction.reading import flatten
from .types import Citation

ENOUGH = 0.5
"""The least share of a sentence's content words that must stand in its quotes."""

_WORD = re.compile(r"[A-Za-zÀ-ÿ0-9][\w'&.]*")
_QUOTED = re.compile(r'"([^"]{2,})"')
_FIGURE = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?")
_IN_WORDS = re.compile(rf"\b{WORDS}\b", re.IGNORECASE)
_NEGATION = re.compile(
    r"\b(?:not|no|never|neither|nor|none|cannot|without|unless|except|nothing|\w+n't)\b",
    re.IGNORECASE,
)
_NEGATED = re.compile(r"\b(?:not|no|never|neither|nor|cannot)\b((?: +[\w'-]+){1,3})", re.IGNORECASE)
_LIMITING = re.compile(
    r"\b(?:only|solely|prohibit\w*|forbid\w*|forbidden|exclud\w*|exclusion|bars?|barred|limit\w*|cap(?:s|ped)?"
    r"|restrict\w*"
    r"|disclaim\w*|waiv\w*|lacks?|free of|at most|maximum|refus\w*)\b",
    re.IGNORECASE,
)
_NEUTRAL_WORDS = (
    "a about above after again all also an and any are as at be been before being between both but by can "
    "contract contracts agreement agreements could did do document does dated due during each either for "
    "from further had has have having he her here his if in into is it its itself may me might more most "
    "must my of off on once one or other our out over own party parties per said same shall she should so "
    "some such says states than that the their them then there these they this those through to under "
    "until up upon us was we were what when where which while who whom whose will with within would you "
    "your not no nor never neither without unless except clause clauses provision section flagged review "
    "risk critical high medium low runs ends takes effect law governed made gives given says stated "
    "according states text"
)
_NEUTRAL = frozenset(_NEUTRAL_WORDS.split())
_SUFFIX_WORDS = "ations ation ments ment ingly ings ing ably able ions ion ally edly ies ied ed es ly al s e y"
_SUFFIXES = tuple(_SUFFIX_WORDS.split())


def supported(sentence_text: str, citations: Sequence[Citation]) -> bool:
    """Whether every checkable part of the sentence stands in the quotes, and enough of the rest does.

    Strict by intention: a true sentence in words too far from the contract's is refused as well.
    """
    sentence = _plain(sentence_text)
    quotes = _plain(" \n ".join(citation.quote for citation in citations))
    if not sentence or not quotes:
        return False
    return (
        _quotations_stand(sentence, quotes)
        and _values_stand(sentence, quotes)
        and _names_stand(_without_values(sentence), quotes)
        and _polarity_agrees(sentence, quotes)
        and _overlaps(_without_values(sentence), quotes)
    )


def _plain(text: str) -> str:
    return " ".join(flatten(" ".join(text.split())).split())


def _letters(text: str) -> str:
    return re.sub(r"[^\w%$€£]+", " ", text.lower()).strip()


def _quotations_stand(sentence: str, quotes: str) -> bool:
    letters = f" {_letters(quotes)} "
    return all(f" {_letters(quoted)} " in letters for quoted in _QUOTED.findall(sentence) if _letters(quoted))


def _values_stand(sentence: str, quotes: str) -> bool:
    sentence, dates = _without_dates(sentence)
    quotes, known_dates = _without_dates(quotes)
    if not dates <= known_dates:
        return False
    amounts = list(find_amounts(sentence))
    if not {amount.normalized for amount in amounts} <= {amount.normalized for amount in find_amounts(quotes)}:
        return False
    sentence = _without(sentence, [(amount.start, amount.end) for amount in amounts])
    lengths = {_length(duration.amount, duration.unit) for duration in find_durations(quotes)}
    periods = list(find_durations(sentence))
    known = [period for period in periods if _length(period.amount, period.unit) in lengths]
    sentence = _without(sentence, [(period.start, period.end) for period in known])
    return len(known) == len(periods) and _numbers(sentence) <= _numbers(quotes)


def _without_values(text: str) -> str:
    text = _without_dates(text)[0]
    return _without(text, [(amount.start, amount.end) for amount in find_amounts(text)])


def _without_dates(text: str) -> tuple[str, set[str]]:
    mentions = find_dates(text)
    values = {mention.value.isoformat() if mention.value else text[mention.start : mention.end] for mention in mentions}
    return _without(text, [(mention.start, mention.end) for mention in mentions]), values


def _without(text: str, spans: list[tuple[int, int]]) -> str:
    for start, end in reversed(spans):
        text = text[:start] + " " * (end - start) + text[end:]
    return text


def _length(amount: int, unit: str) -> tuple[int, str]:
    match unit:
        case "year":
            return 12 * amount, "month"
        case "week":
            return 7 * amount, "day"
        case _:
            return amount, unit


def _numbers(text: str) -> set[float]:
    figures = {float(figure.group().replace(",", "").rstrip(".")) for figure in _FIGURE.finditer(text)}
    words = {float(words_to_number(word.group())) for word in _IN_WORDS.finditer(text) if word.group().lower() != "one"}
    return figures | words


def _names_stand(sentence: str, quotes: str) -> bool:
    known = {_stem(word.group()) for word in _WORD.finditer(quotes)}
    for place, word in enumerate(_WORD.finditer(sentence)):
        text = word.group().strip("'.-")
        if not text[:1].isupper() or text.lower() in _NEUTRAL:
            continue
        if _stem(text) not in known and not (place == 0 and _is_plain_opening(text)):
            return False
    return True


def _is_plain_opening(word: str) -> bool:
    """Whether a capital at the start of a sentence is only that: an ordinary word of ours."""
    return word.lower() in {
        "liability",
        "payment",
        "invoices",
        "renewal",
        "notice",
        "termination",
        "term",
        "flagged",
        "among",
    }


def _polarity_agrees(sentence: str, quotes: str) -> bool:
    sentence_negates = _NEGATION.search(sentence) is not None
    if sentence_negates:
        return _NEGATION.search(quotes) is not None
    if _LIMITING.search(sentence):
        return True
    stems = {_stem(word.group()) for word in _WORD.finditer(sentence)} - {_stem(word) for word in _NEUTRAL}
    return not any(
        _stem(word) in stems
        for negated in _NEGATED.finditer(quotes)
        for word in negated.group(1).split()
        if len(word) > 3
    )


def _overlaps(sentence: str, quotes: str) -> bool:
    known = {_stem(word.group()) for word in _WORD.finditer(quotes)}
    words = [word.group().lower().strip("'.-") for word in _WORD.finditer(sentence)]
    content = [_stem(word) for word in words if word not in _NEUTRAL and len(word) > 2 and not word[0].isdigit()]
    return not content or sum(word in known for word in content) >= ENOUGH * len(content)


def _stem(word: str) -> str:
    word = word.lower().strip("'.-").removesuffix("'s")
    for suffix in _SUFFIXES:
        if len(word) - len(suffix) >= 4 and word.endswith(suffix):
            word = word.removesuffix(suffix)
            break
    return word[:8]
