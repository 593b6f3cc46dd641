"""Dates that follow from a contract, with their arithmetic: pure, and no step without its source.

The end is the date that the contract states, else its start and term; the deadline for a notice is the end minus the
notice period. Where the contract renews by itself, the deadline that comes next is computed beside the first one.
"""

import re
from collections.abc import Mapping
from datetime import date, timedelta

from mainspring.showcase.contracts.extraction.dates import add_months, write_date
from mainspring.showcase.contracts.types import Fact, FactName

from .types import Computed, DateRule, Line, Opened, make_cited

_PERIOD = re.compile(r"P(\d{1,5})([DM])")
_MOST_RENEWALS = 1_000
_NAMES = {
    FactName.EXPIRATION_DATE: "The term ends",
    FactName.EFFECTIVE_DATE: "The contract takes effect",
    FactName.AGREEMENT_DATE: "The contract is dated",
    FactName.TERM: "The term runs for",
    FactName.NOTICE_PERIOD: "The notice period is",
    FactName.RENEWAL: "It renews for",
}


def compute(opened: Opened, rule: DateRule, *, today: date) -> Computed:
    """The date of that rule, as far as the contract's facts give one; never raises."""
    facts = {fact.name: fact for fact in opened.facts}
    lines: list[Line] = []
    found, coming = _apply(opened, facts, rule, today, lines)
    return Computed(opened.contract.public_id, opened.contract.shown, rule, found, tuple(lines), coming)


def _apply(
    opened: Opened, facts: Mapping[FactName, Fact], rule: DateRule, today: date, lines: list[Line]
) -> tuple[date | None, date | None]:
    if rule is DateRule.START:
        return _start(opened, facts, lines), None
    end = _end(opened, facts, lines)
    if end is None:
        return None, None
    if rule is DateRule.END:
        return end, _next(opened, facts, end, today, lines)
    return _deadlines(opened, facts, end, today, lines)


def _start(opened: Opened, facts: Mapping[FactName, Fact], lines: list[Line]) -> date | None:
    for name in (FactName.EFFECTIVE_DATE, FactName.AGREEMENT_DATE):
        fact = facts.get(name)
        found = _as_date(fact)
        if fact is not None and found is not None:
            lines.append(_read(opened, fact, f"{_NAMES[name]} on {write_date(found)}."))
            return found
    lines.append(Line("The contract states no day on which it begins, as far as its dates could be read."))
    return None


def _end(opened: Opened, facts: Mapping[FactName, Fact], lines: list[Line]) -> date | None:
    fact = facts.get(FactName.EXPIRATION_DATE)
    found = _as_date(fact)
    if fact is not None and found is not None:
        lines.append(_read(opened, fact, f"{_NAMES[fact.name]} on {write_date(found)}."))
        return found
    if fact is not None and fact.normalized == "perpetual":
        lines.append(_read(opened, fact, "The contract has no fixed end, so nothing is counted from one."))
        return None
    term = facts.get(FactName.TERM)
    if term is None or _PERIOD.fullmatch(term.normalized or "") is None:
        lines.append(Line("Neither an end nor a term could be read from the contract, so no date is computed."))
        return None
    start = _start(opened, facts, lines)
    if start is None:
        return None
    lines.append(_read(opened, term, f"{_NAMES[FactName.TERM]} {term.value}."))
    end = _shift(start, term, 1)
    lines.append(Line(f"{write_date(start)} + {term.value} = {write_date(end)}."))
    return end


def _deadlines(
    opened: Opened, facts: Mapping[FactName, Fact], end: date, today: date, lines: list[Line]
) -> tuple[date | None, date | None]:
    notice = facts.get(FactName.NOTICE_PERIOD)
    if notice is None:
        lines.append(Line("The contract states no notice period that could be read, so no deadline is computed."))
        return None, None
    lines.append(_read(opened, notice, f"{_NAMES[notice.name]} {notice.value}."))
    if _PERIOD.fullmatch(notice.normalized or "") is None:
        lines.append(Line("It is not counted in calendar days or months, so the deadline has to be counted by hand."))
        return None, None
    deadline = _shift(end, notice, -1)
    lines.append(Line(f"{write_date(end)} - {notice.value} = {write_date(deadline)}."))
    if deadline >= today:
        return deadline, None
    later = _next(opened, facts, end, today, lines, notice=notice)
    if later is None:
        return deadline, None
    coming = _shift(later, notice, -1)
    lines.append(Line(f"{write_date(later)} - {notice.value} = {write_date(coming)}, the next deadline."))
    return deadline, coming


def _next(
    opened: Opened,
    facts: Mapping[FactName, Fact],
    end: date,
    today: date,
    lines: list[Line],
    *,
    notice: Fact | None = None,
) -> date | None:
    """The end after as many renewals as bring it, or the notice before it, to today or later; None without any."""
    renewal = facts.get(FactName.RENEWAL)
    period = _PERIOD.fullmatch(renewal.normalized or "") if renewal else None
    if renewal is None or period is None or int(period.group(1)) == 0 or (end >= today and notice is None):
        return None
    for times in range(1, _MOST_RENEWALS):
        later = _shift(end, renewal, times)
        if (_shift(later, notice, -1) if notice else later) >= today:
            lines.append(_read(opened, renewal, f"{_NAMES[FactName.RENEWAL]} {renewal.value}."))
            how_often = "once" if times == 1 else f"{times} times"
            lines.append(Line(f"If it has renewed {how_often}, the term then ends on {write_date(later)}."))
            return later
    return None


def _shift(start: date, period: Fact, times: int) -> date:
    """Some periods later, counted from the start so that month ends do not drift; earlier where `times` is negative."""
    found = _PERIOD.fullmatch(period.normalized or "")
    assert found is not None
    amount = int(found.group(1)) * times
    return start + timedelta(days=amount) if found.group(2) == "D" else add_months(start, amount)


def _as_date(fact: Fact | None) -> date | None:
    try:
        return date.fromisoformat(fact.normalized) if fact and fact.normalized else None
    except ValueError:
        return None


def _read(opened: Opened, fact: Fact, text: str) -> Line:
    return Line(text, tuple(make_cited(opened, citation) for citation in fact.citations))
