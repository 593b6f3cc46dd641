"""Answers without a model: what the tools found, quoted and cited. Pure.

Each sentence about a contract is a quote, a fact read from one, or a line of arithmetic, and cites where it stands. A
sentence without a citation says only what was searched.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from mainspring.showcase.contracts.categories import CATEGORIES
from mainspring.showcase.contracts.extraction.dates import write_date

from .types import (
    Answer,
    Cited,
    Comparison,
    Computed,
    DateRule,
    Drafted,
    Found,
    Line,
    Method,
    Row,
    Sentence,
    Stated,
    opening,
)

NOTHING = "nothing_relevant"
NO_SUCH_CLAUSE = "no_such_clause"
_MOST_QUOTES = 4
_NEAREST = 2
_LONGEST_QUOTE = 700
_SENTENCE = re.compile(r"[^.;!?\n]*(?:[.;!?](?!\s)[^.;!?\n]*)*(?:[.;!?]+[\"')\]”’]*(?=\s|$)|\n+|$)")
_WORD = re.compile(r"[^\W_]+")
_COMMON_WORDS = (
    "the a an of to in and or is are be by for with what which who how when where does do did this that it on at from "
    "any there can may may must shall will would should under contract agreement clause say says party parties"
)
_COMMON = frozenset(_COMMON_WORDS.split())
_FACTS = {
    "governing_law": "is governed by the law of",
    "agreement_date": "is dated",
    "effective_date": "takes effect on",
    "expiration_date": "ends on",
    "term": "runs for",
    "renewal": "renews for",
    "notice_period": "has a notice period of",
    "liability_cap": "caps liability at",
    "payment_terms": "has these payment terms:",
    "parties": "is made between",
}
_DATES = {
    DateRule.START: "begins on",
    DateRule.END: "ends on",
    DateRule.NOTICE_DEADLINE: "has its last day to give notice on",
}


def explain(why: str) -> str:
    """What an extractive answer says of itself."""
    return (
        f"Extractive answer: {why}, so no model wrote it. It quotes the clauses that search and the clause classifier "
        "found, and computes dates by rules; it draws no conclusions."
    )


def answer_found(found: Found, why: str) -> Answer:
    """Facts first, then the best clauses, each cut to what says most about the question."""
    told = [_fact(each) for each in _once(found.facts)]
    quotes = [narrow(each, found.question, found.topic) for each in found.clauses[:_MOST_QUOTES]]
    covered = [citation for sentence in told for citation in sentence.citations]
    told += [_quote(each) for each in quotes if not any(_holds(each, other) for other in covered)]
    if not told:
        return nothing(found.searched, why)
    if found.missing:
        where = found.clauses[0].name
        text = f"The clause classifier found nothing on {found.topic} in {where}. What comes nearest is quoted here."
        return Answer(Method.EXTRACTIVE, explain(why), (Sentence(text), *told[:_NEAREST]), reason=NO_SUCH_CLAUSE)
    return Answer(Method.EXTRACTIVE, explain(why), tuple(told))


def answer_clause(cited: Cited, why: str) -> Answer:
    """The clause itself."""
    return Answer(Method.EXTRACTIVE, explain(why), (_quote(cited),))


def answer_comparison(comparison: Comparison, question: str, why: str) -> Answer:
    """Contract by contract; where nothing was found, that is said of the search, not of the contract."""
    told: list[Sentence] = []
    for row in comparison.rows:
        told += _row(row, comparison, question)
    if not any(sentence.citations for sentence in told):
        return nothing(len(comparison.rows), why)
    return Answer(Method.EXTRACTIVE, explain(why), tuple(told))


def answer_date(computed: Computed, why: str) -> Answer:
    """The date, then how it was computed; every line cites what it was computed from."""
    sources = tuple(dict.fromkeys(citation for line in computed.lines for citation in line.citations))
    told = [_line(line, sources) for line in computed.lines]
    if computed.on is not None:
        text = f"{computed.name} {_DATES[computed.rule]} {write_date(computed.on)}."
        if computed.next_on is not None:
            text = f"{text[:-1]}; after the renewals since then, on {write_date(computed.next_on)}."
        told.insert(0, Sentence(text, sources))
    return Answer(Method.EXTRACTIVE, explain(why), tuple(told), reason=None if sources else NOTHING)


def answer_draft(drafted: Drafted, cited: Cited, why: str) -> Answer:
    """That the amendment was drafted, and from which wording."""
    text = f"The amendment {drafted.amendment} of clause {drafted.clause} was approved and drafted: {drafted.redline}"
    return Answer(Method.EXTRACTIVE, explain(why), (Sentence(text, (cited,)),))


def nothing(searched: int, why: str) -> Answer:
    """Nothing that was searched answers the question."""
    many = f"{searched} contract{'' if searched == 1 else 's'}"
    text = f"Nothing relevant was found in {many} that you may read."
    return Answer(Method.EXTRACTIVE, explain(why), (Sentence(text),), reason=NOTHING)


def undone(text: str, why: str) -> Answer:
    """What was asked for could not be done; `text` says why."""
    return Answer(Method.EXTRACTIVE, explain(why), (Sentence(text),), reason=NOTHING)


def narrow(cited: Cited, question: str, topic: str | None) -> Cited:
    """The same place, or the sentences of it that say most about the question, at most `_LONGEST_QUOTE` long."""
    if len(cited.quote) <= _LONGEST_QUOTE:
        return cited
    spans = [found.span() for found in _SENTENCE.finditer(cited.quote) if found.group().strip()]
    wanted, stems = _wanted(question, topic)
    weights = [_weight(cited.quote[start:end], wanted, stems) for start, end in spans]
    first = last = max(range(len(spans)), key=lambda place: (weights[place], -place))
    while True:
        sides = [place for place in (first - 1, last + 1) if 0 <= place < len(spans)]
        grown = [place for place in sides if _length(spans, min(first, place), max(last, place)) <= _LONGEST_QUOTE]
        if not grown:
            return _cut(cited, spans[first][0], spans[last][1])
        best = max(grown, key=lambda place: weights[place])
        first, last = min(first, best), max(last, best)


def _cut(cited: Cited, start: int, end: int) -> Cited:
    raw = cited.quote[start : min(end, start + 2 * _LONGEST_QUOTE)]
    start += len(raw) - len(raw.lstrip())
    quote = raw.strip()
    begin = cited.start + start
    until = begin + len(quote)
    return replace(cited, start=begin, end=until, quote=quote, open=opening(cited.contract, begin, until))


def _length(spans: Sequence[tuple[int, int]], first: int, last: int) -> int:
    return spans[last][1] - spans[first][0]


def _wanted(question: str, topic: str | None) -> tuple[frozenset[str], tuple[str, ...]]:
    words = {word for word in map(str.casefold, _WORD.findall(question)) if word not in _COMMON and len(word) > 2}
    category = CATEGORIES.get(topic or "")
    marks = category.words if category else ()
    stems = (*(word[:-1] for word in marks if word.endswith("*")), *(word[:6] for word in words if len(word) > 6))
    return frozenset(words | {word for word in marks if not word.endswith("*")}), stems


def _weight(sentence: str, wanted: frozenset[str], stems: tuple[str, ...]) -> int:
    words = set(map(str.casefold, _WORD.findall(sentence)))
    return sum(word in wanted or word.startswith(stems) for word in words)


def _quote(cited: Cited) -> Sentence:
    return Sentence(f"{_capital(cited.where)}: “{' '.join(cited.quote.split())}”", (cited,))


def _fact(stated: Stated) -> Sentence:
    said = _FACTS.get(stated.fact, f"{stated.fact.replace('_', ' ')}:")
    return Sentence(f"{stated.name} {said} {stated.value}.", stated.citations)


def _row(row: Row, comparison: Comparison, question: str) -> list[Sentence]:
    told = [_fact(each) for each in row.facts]
    told += [_quote(narrow(each, question, comparison.topic)) for each in row.clauses]
    how = "the classifier found no clause" if comparison.by == "labels" else "the search found nothing"
    return told or [Sentence(f"In {row.name} {how} on {comparison.topic}.")]


def _line(line: Line, sources: tuple[Cited, ...]) -> Sentence:
    return Sentence(line.text, line.citations or sources)


def _once(facts: Iterable[Stated]) -> list[Stated]:
    return list({(each.contract, each.fact): each for each in facts if each.citations}.values())


def _holds(quote: Cited, other: Cited) -> bool:
    return quote.contract == other.contract and other.start <= quote.start and quote.end <= other.end


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
