"""The sentences that the summary may hold, each as a list of wordings from the most to the least polished.

The last wording of each is a plain quotation, which its own quote always supports; the first one that
passes the support check is used. A fact that is absent has no place to cite and gets no sentence.
"""

from collections.abc import Iterator, Mapping, Sequence

from mainspring.showcase.contracts.types import (
    Analysis,
    AssessedFinding,
    Citation,
    Fact,
    FactName,
    Severity,
    SummarySentence,
)

from .excerpts import quoted
from .title import find_title

Wordings = Sequence[SummarySentence]

_WITH_ARTICLE = (
    *("Netherlands", "United", "Marshall", "Cayman", "British Virgin", "Philippines", "Bahamas", "District"),
    *("Czech", "Isle", "Channel"),
)
_RANK = {severity: place for place, severity in enumerate(Severity)}
_KEY_CLAUSES = (
    ("Termination For Convenience", "termination for convenience"),
    ("Exclusivity", "exclusivity"),
    ("Anti-Assignment", "assignment"),
    ("IP Ownership Assignment", "ownership of intellectual property"),
    ("Uncapped Liability", "uncapped liability"),
    ("Non-Compete", "competition"),
    ("Audit Rights", "audit"),
    ("Insurance", "insurance"),
)


def opening(analysis: Analysis, facts: Mapping[FactName, Fact]) -> Wordings:
    """Who made what, and when: "This Supply Agreement is between A and B and is dated 3 May 2019."."""
    titled = find_title(analysis)
    subject, cited = (f"This {titled[0]}", (titled[1],)) if titled else ("This contract", ())
    parties, dated = facts.get(FactName.PARTIES), facts.get(FactName.AGREEMENT_DATE)
    wordings: list[SummarySentence] = []
    date = f" and is dated {dated.value}" if dated and dated.normalized else ""
    if parties and dated and date:
        wordings.append(
            _sentence(f"{subject} {_listed(parties)}{date}", (*cited, *parties.citations, *dated.citations))
        )
    if parties:
        wordings.append(_sentence(f"{subject} {_listed(parties)}", (*cited, *parties.citations)))
        wordings.append(_sentence(f"This contract {_listed(parties)}", parties.citations))
    if dated and date:
        wordings.append(_sentence(f"{subject}{date.removeprefix(' and')}", (*cited, *dated.citations)))
        wordings.append(_sentence(f"This contract{date.removeprefix(' and')}", dated.citations))
    return wordings


def _sentence(text: str, citations: tuple[Citation, ...]) -> SummarySentence:
    return SummarySentence(text if text.endswith(".") else f"{text}.", citations)


def _listed(parties: Fact) -> str:
    names = parties.value.split("; ")
    if len(names) == 1:
        return f"names {names[0]} as a party"
    if len(names) > 6:
        return f"is between {'; '.join(names[:6])} and others"
    return f"is between {', '.join(names[:-1])} and {names[-1]}"


def of_facts(facts: Mapping[FactName, Fact]) -> Iterator[Wordings]:
    """One group of wordings for each fact that is there, in the order a reader asks."""
    yield _effect(facts)
    yield _duration(facts)
    yield _renewal(facts)
    yield _simple(
        facts.get(FactName.GOVERNING_LAW),
        "It is governed by the law of {}.",
        "On the law that governs, the contract says: {}",
    )
    yield _payment(facts.get(FactName.PAYMENT_TERMS))
    yield _simple(
        facts.get(FactName.LIABILITY_CAP),
        "Liability is capped at {}.",
        "On the limit of liability, the contract says: {}",
    )


def _effect(facts: Mapping[FactName, Fact]) -> Wordings:
    effective, dated = facts.get(FactName.EFFECTIVE_DATE), facts.get(FactName.AGREEMENT_DATE)
    if effective is None or (dated is not None and dated.normalized == effective.normalized):
        return ()
    said = SummarySentence(f"It takes effect on {effective.value}.", effective.citations)
    return (said, _quotation("On when it takes effect, the contract says: {}", effective.citations))


def _duration(facts: Mapping[FactName, Fact]) -> Wordings:
    term, ends = facts.get(FactName.TERM), facts.get(FactName.EXPIRATION_DATE)
    wordings: list[SummarySentence] = []
    if term and ends and term.normalized:
        citations = tuple(dict.fromkeys((*term.citations, *ends.citations)))
        wordings.append(SummarySentence(f"It runs for {term.value}, until {ends.value}.", citations))
    if term and term.normalized:
        wordings.append(SummarySentence(f"It runs for {term.value}.", term.citations))
    if ends and ends.normalized:
        wordings.append(SummarySentence(f"It runs until {ends.value}.", ends.citations))
    quotable = (fact.citations for fact in (term, ends) if fact)
    wordings.extend(_quotation("On its term, the contract says: {}", citations) for citations in quotable)
    return wordings


def _renewal(facts: Mapping[FactName, Fact]) -> Wordings:
    renews, notice = facts.get(FactName.RENEWAL), facts.get(FactName.NOTICE_PERIOD)
    wordings: list[SummarySentence] = []
    if renews:
        automatic, _, length = renews.value.partition(", ")
        how = "renews automatically" if automatic == "Automatic" else "may be renewed"
        base = f"It {how} for {length}"
        stops = notice is not None and "without cause" not in notice.value
        if notice and stops and automatic == "Automatic":
            citations = tuple(dict.fromkeys((*renews.citations, *notice.citations)))
            wordings.append(
                SummarySentence(f"{base}, unless notice is given {notice.value} before it ends.", citations)
            )
        wordings.append(SummarySentence(f"{base}.", renews.citations))
        wordings.append(_quotation("On renewal, the contract says: {}", renews.citations))
    elif notice:
        wordings.append(_quotation("On ending it by notice, the contract says: {}", notice.citations))
    return wordings


def _payment(fact: Fact | None) -> Wordings:
    if fact is None:
        return ()
    if fact.value.startswith("Net "):
        said = f"Payment terms are net {fact.value.removeprefix('Net ')}."
    elif "invoice" in fact.value:
        said = f"Payment is due {fact.value[:1].lower()}{fact.value[1:]}."
    else:
        said = f"Payment is due within {fact.value}."
    return (SummarySentence(said, fact.citations), _quotation("On payment, the contract says: {}", fact.citations))


def _simple(fact: Fact | None, template: str, fallback: str) -> Wordings:
    if fact is None:
        return ()
    value = fact.value[:1].lower() + fact.value[1:] if fact.value.startswith("The ") else fact.value
    if fact.name is FactName.GOVERNING_LAW and fact.value.startswith(_WITH_ARTICLE):
        value = f"the {value}"
    values = (value, value.partition(", ")[0]) if fact.name is FactName.GOVERNING_LAW else (value,)
    filled = (SummarySentence(template.format(each), fact.citations) for each in values)
    return (*filled, _quotation(fallback, fact.citations))


def of_risks(findings: Sequence[AssessedFinding]) -> Iterator[Wordings]:
    """The findings that have a place, worst first: quoted, under their own title where it is supported."""
    placed = [finding for finding in findings if finding.citations and finding.severity is not Severity.INFO]
    for finding in sorted(placed, key=lambda finding: (_RANK[finding.severity], finding.citations[0].start)):
        level = finding.severity.value
        first = finding.citations[:1]
        yield (
            _quotation(
                f"Flagged as {level} risk, {finding.title[:1].lower()}{finding.title[1:].rstrip('.')}: {{}}", first
            ),
            _quotation(f"Flagged as {level} risk: {{}}", first),
        )


def of_key_clauses(analysis: Analysis) -> Iterator[Wordings]:
    """The surest clause of each category that a reader asks about, quoted."""
    for category, words in _KEY_CLAUSES:
        best, probability = None, 0.5
        for classified in analysis.chunks:
            for label in classified.labels:
                if label.category.casefold() == category.casefold() and label.probability > probability:
                    best, probability = classified.chunk, label.probability
        if best is not None and best.text.strip():
            citation = Citation(
                best.start, best.end, analysis.document.text[best.start : best.end], best.page, best.index
            )
            yield (_quotation(f"On {words}, the contract says: {{}}", (citation,)),)


def _quotation(template: str, citations: tuple[Citation, ...]) -> SummarySentence:
    return SummarySentence(template.replace("{}", quoted(citations[0].quote)), citations)
