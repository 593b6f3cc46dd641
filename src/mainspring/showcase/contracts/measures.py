"""Reads the values that limits are about: from extracted facts, or from the text itself."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .evidence import PRESENT, Evidence
from .extraction.durations import Duration, find_durations
from .quantities import Quantity, Unit, quantity_of_fact
from .rules import Limit
from .types import Citation, Fact, FactName, Method

_PERCENT = re.compile(
    r"(?<![\d./])(\d{1,3}(?:\.\d{1,3})?)(?P<half> +[1l]/2)? *\)? *(?:%|percent|per cent)", re.IGNORECASE
)
_FEES = re.compile(r"\b(?:fees?|paid|payable|amounts?|charges?)\b", re.IGNORECASE)
_ENDLESS = re.compile(
    r"\b(?:perpetual\w*|perpetuity|indefinite\w*|evergreen|forever|unlimited|uncapped)\b", re.IGNORECASE
)
_SUM = re.compile(r"\d+(?:\.\d+)? [A-Z]{3}\b|\btotal fees\b")
_MEASURED_CONFIDENCE = 0.8
_REACH = 24


@dataclass(frozen=True, slots=True)
class Measure:
    """A value and where it stands; `quantity` is None for what counts nothing we compare.

    is_endless  it has no end or no limit
    is_other    it is a sum of money, or all fees ever paid: readable, but no period
    is_floor    "the greater of this and something else": it may be more
    is_ceiling  "the lesser of this and something else": it may be less
    """

    words: str
    quantity: Quantity | None
    citations: tuple[Citation, ...]
    method: Method
    confidence: float
    is_endless: bool = False
    is_other: bool = False
    is_floor: bool = False
    is_ceiling: bool = False


def measure_facts(name: FactName, facts: tuple[Fact, ...], evidence: Evidence) -> Iterator[Measure]:
    """The values of every fact of this name that has a quote."""
    for fact in facts:
        if fact.name is name and fact.citations and not _is_about_leaving(fact):
            quantity, form = quantity_of_fact(fact.normalized), fact.normalized or ""
            is_choice = form.startswith(("greater of", "lesser of"))
            yield Measure(
                quantity.words if quantity and not is_choice else _inside_a_sentence(fact.value),
                quantity,
                tuple(evidence.cite_around(citation) for citation in fact.citations),
                fact.method,
                fact.confidence,
                is_endless=bool(_ENDLESS.search(fact.value)),
                is_other=quantity is None and bool(_SUM.search(form)),
                is_floor=form.startswith("greater of"),
                is_ceiling=form.startswith("lesser of"),
            )


def measure_cues(test: Limit, evidence: Evidence) -> Iterator[Measure]:
    """The last value inside each cue, else the nearest behind it; once per sentence."""
    seen = set[int]()
    for match in evidence.matches(test.cues):
        start, end = evidence.index.sentences[match.sentence]
        near = [
            found
            for found in _read(evidence, start, end, _unit(test))
            if found.start < match.end + _REACH and found.end > match.start - _REACH
        ]
        if near and match.sentence not in seen:
            seen.add(match.sentence)
            found = min(near, key=lambda found: (found.end > match.end, abs(found.end - match.end)))
            citation = evidence.cite_sentence(match.sentence)
            yield Measure(found.words, found.quantity, (citation,), Method.RULE, _MEASURED_CONFIDENCE)


def measure_clauses(test: Limit, category: str, evidence: Evidence) -> Iterator[Measure]:
    """The first value in the sentences of each clause of a category."""
    for clause, probability in evidence.clauses(category, at_least=PRESENT):
        for sentence in evidence.sentences_of(clause):
            found = next(_read(evidence, *evidence.index.sentences[sentence], _unit(test)), None)
            if found:
                citation, confidence = evidence.cite_sentence(sentence), probability * _MEASURED_CONFIDENCE
                yield Measure(found.words, found.quantity, (citation,), Method.RULE, confidence)
                break


@dataclass(frozen=True, slots=True)
class _Read:
    start: int
    end: int
    words: str
    quantity: Quantity


def _is_about_leaving(fact: Fact) -> bool:
    """A notice to end the contract without cause is no notice of non-renewal."""
    return fact.name is FactName.NOTICE_PERIOD and "terminat" in fact.value


def _inside_a_sentence(value: str) -> str:
    """ "The greater of ..." as "the greater of ..."; "USD 500,000" as it is."""
    return f"{value[0].lower()}{value[1:]}" if value[1:2].islower() else value


def _unit(test: Limit) -> Unit:
    limit = test.at_least or test.at_most
    return limit.unit if limit else Unit.MONTHS


def _read(evidence: Evidence, start: int, end: int, unit: Unit) -> Iterator[_Read]:
    """Quantities of the wanted sort in [start, end)."""
    text = evidence.reading.text
    if unit is Unit.PERCENT:
        for found in _PERCENT.finditer(text, start, end):
            quantity = Quantity(float(found[1]) + (0.5 if found["half"] else 0), unit)
            yield _Read(found.start(), found.end(), quantity.words, quantity)
        return
    is_fees = unit is Unit.FEE_MONTHS
    if is_fees and not _FEES.search(text, start, end):
        return
    for duration in find_durations(text, start, end):
        quantity = _of_duration(duration, is_fees=is_fees)
        if quantity:
            words = duration.words if duration.in_business_days else quantity.words
            yield _Read(duration.start, duration.end, words, quantity)


def _of_duration(duration: Duration, *, is_fees: bool) -> Quantity | None:
    if duration.months is not None:
        return Quantity(duration.months, Unit.FEE_MONTHS if is_fees else Unit.MONTHS)
    if is_fees:
        return None
    if duration.in_business_days:
        return Quantity(round(duration.amount * 7 / 5), Unit.DAYS)
    return quantity_of_fact(duration.iso)
