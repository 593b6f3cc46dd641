"""Reads the values that limits are about: from extracted facts, or from the text itself."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .evidence import PRESENT, Evidence
from .extraction.durations import find_durations
from .quantities import Quantity, Unit, quantity_of_fact
from .rules import Limit
from .types import Citation, Fact, FactName, Method

_PERCENT = re.compile(r"(\d{1,3}(?:\.\d{1,3})?) *\)? *(?:%|percent|per cent)", re.IGNORECASE)
_FEES = re.compile(r"\b(?:fees?|paid|payable|amounts?|charges?)\b", re.IGNORECASE)
_ENDLESS = re.compile(
    r"\b(?:perpetual\w*|perpetuity|indefinite\w*|evergreen|forever|unlimited|uncapped)\b", re.IGNORECASE
)
_SUM = re.compile(r"\d+(?:\.\d+)? [A-Z]{3}")
_MEASURED_CONFIDENCE = 0.8
_REACH = 24


@dataclass(frozen=True, slots=True)
class Measure:
    """A value and where it stands; `quantity` is None for what counts nothing we compare.

    is_endless  it has no end or no limit
    is_sum      it is a fixed sum of money
    """

    words: str
    quantity: Quantity | None
    citations: tuple[Citation, ...]
    method: Method
    confidence: float
    is_endless: bool = False
    is_sum: bool = False


def measure_facts(name: FactName, facts: tuple[Fact, ...], evidence: Evidence) -> Iterator[Measure]:
    """The values of every fact of this name that has a quote."""
    for fact in facts:
        if fact.name is name and fact.citations:
            quantity = quantity_of_fact(fact.normalized)
            yield Measure(
                quantity.words if quantity else fact.value,
                quantity,
                tuple(evidence.cite_around(citation) for citation in fact.citations),
                fact.method,
                fact.confidence,
                is_endless=bool(_ENDLESS.search(fact.value)),
                is_sum=bool(_SUM.fullmatch(fact.normalized or "")),
            )


def measure_cues(test: Limit, evidence: Evidence) -> Iterator[Measure]:
    """The value nearest to the end of each cue, once per sentence."""
    seen = set[int]()
    for match in evidence.matches(test.cues):
        start, end = evidence.index.sentences[match.sentence]
        found = [
            (abs(until - match.end), place, quantity)
            for place, until, quantity in _quantities(evidence, start, end, _unit(test))
            if place < match.end + _REACH and until > match.start - _REACH
        ]
        if found and match.sentence not in seen:
            seen.add(match.sentence)
            quantity = min(found, key=lambda entry: entry[:2])[2]
            citation = evidence.cite_sentence(match.sentence)
            yield Measure(quantity.words, quantity, (citation,), Method.RULE, _MEASURED_CONFIDENCE)


def measure_clauses(test: Limit, category: str, evidence: Evidence) -> Iterator[Measure]:
    """The first value in the sentences of each clause of a category."""
    for clause, probability in evidence.clauses(category, at_least=PRESENT):
        for sentence in evidence.sentences_of(clause):
            found = list(_quantities(evidence, *evidence.index.sentences[sentence], _unit(test)))
            if found:
                quantity, citation = found[0][2], evidence.cite_sentence(sentence)
                confidence = probability * _MEASURED_CONFIDENCE
                yield Measure(quantity.words, quantity, (citation,), Method.RULE, confidence)
                break


def _unit(test: Limit) -> Unit:
    limit = test.at_least or test.at_most
    return limit.unit if limit else Unit.MONTHS


def _quantities(evidence: Evidence, start: int, end: int, unit: Unit) -> Iterator[tuple[int, int, Quantity]]:
    """Quantities of the wanted sort in [start, end), with their places."""
    text = evidence.reading.text
    if unit is Unit.PERCENT:
        for found in _PERCENT.finditer(text, start, end):
            yield found.start(), found.end(), Quantity(float(found[1]), Unit.PERCENT)
        return
    is_fees = unit is Unit.FEE_MONTHS
    if is_fees and not _FEES.search(text, start, end):
        return
    for duration in find_durations(text, start, end):
        if duration.months is not None:
            yield duration.start, duration.end, Quantity(duration.months, Unit.FEE_MONTHS if is_fees else Unit.MONTHS)
        elif not is_fees and (quantity := quantity_of_fact(duration.iso)):
            yield duration.start, duration.end, quantity
