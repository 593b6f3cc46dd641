"""The sentences in which findings explain themselves: the value, the limit, what was looked for."""

from .categories import CATEGORIES
from .evidence import Evidence
from .quantities import Quantity
from .rules import AllowedValues, Limit, RequiredClause, Rule
from .types import ClassifiedChunk, FactName, Method

_SUBJECTS = {
    FactName.LIABILITY_CAP: "The cap on liability is {}",
    FactName.RENEWAL: "The contract renews for {} at a time",
    FactName.NOTICE_PERIOD: "Notice of non-renewal must be given {} ahead",
    FactName.PAYMENT_TERMS: "Payment is due within {}",
    FactName.TERM: "The first term is {}",
    FactName.GOVERNING_LAW: "The contract is governed by the law of {}",
}
_NAMED = 5


def beyond_limit(rule: Rule, test: Limit, value: str) -> str:
    """ "The cap on liability is 3 months' fees; this playbook asks for at least 12 months' fees. ..." """
    return f"{_subject(test.fact).format(value)}; this playbook {_asked(test)}. {rule.why}"


def not_comparable(test: Limit, value: str) -> str:
    """For a value that counts something else than the limit does, such as a fixed sum."""
    return (
        f"{_subject(test.fact).format(value)}, which cannot be compared by rule with what this playbook asks for: "
        f"it {_asked(test)}. Compare the two by hand."
    )


def not_allowed(rule: Rule, test: AllowedValues, value: str) -> str:
    """For a value outside the accepted ones, or among the refused ones."""
    subject = _subject(test.fact).format(value)
    if test.refused:
        return f"{subject}, which this playbook refuses. {rule.why}"
    named = ", ".join(test.allowed[:_NAMED])
    others = len(test.allowed) - _NAMED
    rest = f" and {others} other{'' if others == 1 else 's'}" if others > 0 else ""
    return f"{subject}; this playbook accepts {named}{rest}. {rule.why}"


def absent(rule: Rule, test: RequiredClause, evidence: Evidence) -> str:
    """What was looked for, how it was looked for, and what came nearest."""
    parts = [_looked_for(rule, test)]
    if rule.category:
        parts.append(_nearest(rule.category, evidence))
    if not evidence.is_english:
        parts.append(
            "The contract does not seem to be in English, so it may say this in words that were not looked for."
        )
    return " ".join([*parts, rule.why])


def place_of(chunk: ClassifiedChunk) -> str:
    """A clause as a reader would find it: "9.2 Warranties, page 5"."""
    heading = chunk.chunk.heading_path[-1] if chunk.chunk.heading_path else ""
    number = chunk.chunk.number or ""
    named = " ".join(part for part in (number, heading if heading != number else "") if part)
    named = named or f"the clause that begins {' '.join(chunk.chunk.text.split()[:6])!r}"
    return f"{named}, page {chunk.chunk.page}" if chunk.chunk.page else named


def percent(value: float) -> str:
    """A probability as people read it: "18 %", never more exact than it is."""
    return "under 1 %" if value < 0.01 else f"{min(round(value * 100), 99)} %"


def _looked_for(rule: Rule, test: RequiredClause) -> str:
    sought = test.looks_for or (CATEGORIES[rule.category].description if rule.category else rule.title)
    how = "" if rule.category else " No sentence holds any of the wordings that this rule knows."
    return f"We looked for {sought[0].lower()}{sought[1:]}, and found none.{how}"


def _nearest(category: str, evidence: Evidence) -> str:
    who = "model" if evidence.classified_by is Method.MODEL else "classifier"
    found, wording = evidence.nearest(category), evidence.nearest_wording(category)
    if found:
        chunk, label = found
        sure = percent(label.probability)
        return f"No clause reached the {who}'s threshold; the nearest, {place_of(chunk)}, has {sure}."
    if wording:
        return f"The {who} saw no such clause; the nearest wording stands in {place_of(wording)}."
    return f"The {who} saw no such clause, and no sentence comes near."


def _subject(fact: FactName | None) -> str:
    return _SUBJECTS.get(fact, "The value is {}") if fact else "The clause says {}"


def _asked(test: Limit) -> str:
    match test.at_least, test.at_most:
        case Quantity() as least, Quantity() as most:
            return f"asks for {least.words} to {most.words}"
        case Quantity() as least, _:
            return f"asks for at least {least.words}"
        case _, Quantity() as most:
            return f"allows at most {most.words}"
        case _:
            return "sets no limit"
