"""Holds a contract against a playbook: rules in, cited findings out.

Pure and deterministic: the same contract, labels and facts give the same findings in the same
order, and nothing that the contract says can switch a rule off. A rule gives at most one finding
for a wording however often it stands there, one for each value beyond a limit, and one for an
absence. What a person should compare by hand is said so, not guessed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import assert_never

from . import explanations
from .evidence import POSSIBLE, PRESENT, Evidence, probability
from .kinds import ContractKind, recognise_kind
from .measures import Measure, measure_clauses, measure_cues, measure_facts
from .notices import find_notices
from .rules import AllowedValues, ForbiddenClause, Limit, Playbook, RequiredClause, Rule, TextCue
from .types import Analysis, AssessedFinding, Citation, Fact, FactName, FindingKind, Method, Severity

__all__ = ["assess"]

MAX_CITATIONS = 5
_CUE_CONFIDENCE = 0.85
_SURE = 0.9
_MOST_CONFIDENCE = 0.99
_ABSENCE_CONFIDENCE = 0.9
_FOREIGN_ABSENCE_CONFIDENCE = 0.3
_ORDER = {severity: place for place, severity in enumerate(Severity)}
_PROOFS = {
    "Cap on Liability": FactName.LIABILITY_CAP,
    "Governing Law": FactName.GOVERNING_LAW,
    "Renewal Term": FactName.RENEWAL,
    "Notice Period to Terminate Renewal": FactName.NOTICE_PERIOD,
    "Expiration Date": FactName.EXPIRATION_DATE,
    "Effective Date": FactName.EFFECTIVE_DATE,
}
"""Facts that prove that a clause of a category is there."""


def assess(
    playbook: Playbook, analysis: Analysis, facts: tuple[Fact, ...], *, contract_kind: ContractKind | None = None
) -> tuple[AssessedFinding, ...]:
    """Every finding, most severe first, then by place; absences after what stands in the text.

    contract_kind   decides which rules apply; recognised from the contract when None
    """
    evidence = Evidence.of(analysis)
    kind = contract_kind or recognise_kind(analysis.document)
    found = list(find_notices(evidence))
    for rule in playbook.rules_for(kind):
        found.extend(_apply(rule, evidence, facts))
    return tuple(sorted(found, key=_order))


def _order(finding: AssessedFinding) -> tuple[int, bool, int]:
    first = finding.citations[0].start if finding.citations else 0
    return _ORDER[finding.severity], not finding.citations, first


def _apply(rule: Rule, evidence: Evidence, facts: tuple[Fact, ...]) -> Iterator[AssessedFinding]:
    match rule.test:
        case RequiredClause() as test:
            return _require(rule, test, evidence, facts)
        case ForbiddenClause() as test:
            return _forbid(rule, test, evidence)
        case Limit() as test:
            return _limit(rule, test, evidence, facts)
        case AllowedValues() as test:
            return _allow(rule, test, evidence, facts)
        case TextCue() as test:
            return _look_for(rule, test, evidence)
        case _ as never:
            assert_never(never)


def _require(
    rule: Rule, test: RequiredClause, evidence: Evidence, facts: tuple[Fact, ...]
) -> Iterator[AssessedFinding]:
    category = rule.category
    if category and evidence.clauses(category, at_least=POSSIBLE):
        return
    if evidence.matches(test.cues) or any(_proves(fact, category or "") for fact in facts):
        return
    nearest = evidence.nearest(category) if category else None
    confidence = _ABSENCE_CONFIDENCE * (1 - nearest[1].probability if nearest else 1)
    if not evidence.is_english:
        confidence = min(confidence, _FOREIGN_ABSENCE_CONFIDENCE)
    yield AssessedFinding(
        rule=rule.id,
        kind=FindingKind.MISSING,
        severity=rule.severity,
        title=rule.title,
        why=explanations.absent(rule, test, evidence),
        category=category,
        citations=(),
        suggestion=rule.suggestion,
        method=evidence.classified_by if category else Method.RULE,
        confidence=round(confidence, 3),
    )


def _proves(fact: Fact, category: str) -> bool:
    """Whether the fact can only come from such a clause; "unlimited" comes from none that caps."""
    return fact.name is _PROOFS.get(category) and fact.normalized != "unlimited"


def _forbid(rule: Rule, test: ForbiddenClause, evidence: Evidence) -> Iterator[AssessedFinding]:
    category = rule.category or ""
    excused = {_clause_start(evidence, match.start) for match in evidence.matches(test.unless)}
    places = dict[int, tuple[Citation, float, Method]]()
    for match in evidence.matches(test.cues):
        clause = evidence.chunk_at(match.start)
        value = probability(clause, category) if clause else 0.0
        method = evidence.classified_by if value >= PRESENT else Method.RULE
        citation = evidence.cite_sentence(match.sentence)
        places[citation.start] = (citation, value if value >= PRESENT else _CUE_CONFIDENCE, method)
    with_cue = {_clause_start(evidence, start) for start in places}
    # Where a cue has pinpointed the wording, a clause without one must be quite sure to stand beside it.
    for clause, value in evidence.clauses(category, at_least=_SURE if places else PRESENT):
        if clause.chunk.start not in with_cue:
            citation = evidence.telling_sentence(clause, category)
            places[citation.start] = (citation, value, evidence.classified_by)
    hits = [hit for start, hit in sorted(places.items()) if _clause_start(evidence, start) not in excused]
    if hits:
        best = max(hits, key=lambda hit: hit[1])
        citations = tuple(citation for citation, _, _ in hits)
        yield _present(rule, FindingKind.FORBIDDEN, citations, why=rule.why, method=best[2], confidence=best[1])


def _look_for(rule: Rule, test: TextCue, evidence: Evidence) -> Iterator[AssessedFinding]:
    if test.unless_elsewhere and evidence.matches(test.unless_elsewhere):
        return
    excused = {match.sentence for match in evidence.matches(test.unless)}
    sentences = {match.sentence for match in evidence.matches(test.any_of)} - excused
    citations = [evidence.cite_sentence(sentence) for sentence in sorted(sentences)]
    citations = [citation for citation in citations if _is_within(test.within, evidence, citation)]
    if citations:
        kind = FindingKind.NOTICE if rule.severity is Severity.INFO else FindingKind.FORBIDDEN
        yield _present(rule, kind, citations, why=rule.why, method=Method.RULE, confidence=_CUE_CONFIDENCE)


def _limit(rule: Rule, test: Limit, evidence: Evidence, facts: tuple[Fact, ...]) -> Iterator[AssessedFinding]:
    measures = list(measure_facts(test.fact, facts, evidence)) if test.fact else []
    if not measures and test.cues:
        measures = list(measure_cues(test, evidence))
    elif test.fact is None and rule.category:
        measures = list(measure_clauses(test, rule.category, evidence))
    reported = dict[str, AssessedFinding]()
    for measure in measures:
        finding = _beyond(rule, test, measure)
        if finding is None:
            continue
        earlier = reported.get(finding.why)
        citations = (*earlier.citations, *finding.citations) if earlier else finding.citations
        reported[finding.why] = replace(finding, citations=_merged(citations))
    yield from reported.values()


def _beyond(rule: Rule, test: Limit, measure: Measure) -> AssessedFinding | None:
    quantity = measure.quantity
    if measure.is_endless:
        return _past(rule, test, measure) if test.at_most else None
    if quantity is None or not all(quantity.can_compare(limit) for limit in (test.at_least, test.at_most) if limit):
        return _by_hand(rule, test, measure) if measure.is_other else None
    is_low = test.at_least is not None and quantity.is_below(test.at_least)
    is_high = test.at_most is not None and quantity.is_above(test.at_most)
    if (is_low and not measure.is_floor) or (is_high and not measure.is_ceiling):
        return _past(rule, test, measure)
    may_be_low = test.at_least is not None and (is_low or measure.is_ceiling)
    may_be_high = test.at_most is not None and (is_high or measure.is_floor)
    return _by_hand(rule, test, measure) if may_be_low or may_be_high else None


def _past(rule: Rule, test: Limit, measure: Measure) -> AssessedFinding:
    why = explanations.beyond_limit(rule, test, measure.words)
    return _present(
        rule, FindingKind.LIMIT, measure.citations, why=why, method=measure.method, confidence=measure.confidence
    )


def _by_hand(rule: Rule, test: Limit, measure: Measure) -> AssessedFinding:
    why = explanations.not_comparable(test, measure.words)
    found = _present(
        rule, FindingKind.NOTICE, measure.citations, why=why, method=measure.method, confidence=measure.confidence
    )
    return replace(found, severity=Severity.LOW, title=f"To compare by hand: {rule.title[0].lower()}{rule.title[1:]}?")


def _allow(rule: Rule, test: AllowedValues, evidence: Evidence, facts: tuple[Fact, ...]) -> Iterator[AssessedFinding]:
    seen = set[str]()
    for fact in facts:
        value = fact.normalized or fact.value
        if fact.name is not test.fact or not fact.citations or value.casefold() in seen:
            continue
        seen.add(value.casefold())
        is_refused = any(_names(entry, value) for entry in test.refused)
        is_outside = bool(test.allowed) and not any(_names(entry, value) for entry in test.allowed)
        if is_refused or is_outside:
            citations = tuple(evidence.cite_around(citation) for citation in fact.citations)
            why = explanations.not_allowed(rule, test, fact.value)
            yield _present(rule, FindingKind.LIMIT, citations, why=why, method=fact.method, confidence=fact.confidence)


def _names(entry: str, value: str) -> bool:
    """Whether the words of the entry stand, in order and together, in the value."""
    words, wanted = value.casefold().replace(",", " ").split(), entry.casefold().replace(",", " ").split()
    return any(words[place : place + len(wanted)] == wanted for place in range(len(words) - len(wanted) + 1))


def _present(
    rule: Rule, kind: FindingKind, citations: Iterable[Citation], *, why: str, method: Method, confidence: float
) -> AssessedFinding:
    return AssessedFinding(
        rule=rule.id,
        kind=kind,
        severity=rule.severity,
        title=rule.title,
        why=why,
        category=rule.category,
        citations=_merged(citations),
        suggestion=rule.suggestion,
        method=method,
        confidence=min(round(confidence, 3), _MOST_CONFIDENCE),
    )


def _merged(citations: Iterable[Citation]) -> tuple[Citation, ...]:
    """In order of place, without those that overlap an earlier one, at most MAX_CITATIONS."""
    kept = list[Citation]()
    for citation in sorted(citations, key=lambda citation: (citation.start, -citation.end)):
        if not kept or citation.start >= kept[-1].end:
            kept.append(citation)
    return tuple(kept[:MAX_CITATIONS])


def _is_within(categories: tuple[str, ...], evidence: Evidence, citation: Citation) -> bool:
    clause = evidence.chunk_at(citation.start)
    if not categories:
        return True
    return clause is not None and any(probability(clause, category) >= POSSIBLE for category in categories)


def _clause_start(evidence: Evidence, offset: int) -> int:
    clause = evidence.chunk_at(offset)
    return clause.chunk.start if clause else -1 - offset
