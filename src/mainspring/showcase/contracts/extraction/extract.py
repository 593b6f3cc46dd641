"""All facts of one contract, in the order of FactName, each with its quotes.

Every rule proposes at most one candidate; what no rule finds is absent, never guessed. The
confidence of a fact is the share of right answers measured for its kind and tier (see CONFIDENCE).
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from mainspring.orchestration.knowledge.types import ParsedDocument
from mainspring.showcase.contracts.quoting import cite
from mainspring.showcase.contracts.types import Analysis, Citation, Fact, FactName, Method

from .dates import find_dates
from .dating import agreement_date, effective_date
from .law import governing_law
from .liability import liability_cap
from .parties import parties
from .payment import payment_terms
from .reading import Candidate, Reading, Span
from .renewal import notice_period, renewal
from .term import expiration_date, find_term, term_fact

CONFIDENCE: Mapping[FactName, tuple[float, float, float]] = MappingProxyType(
    {
        FactName.PARTIES: (0.25, 0.4, 0.85),
        FactName.AGREEMENT_DATE: (0.65, 0.85, 0.9),
        FactName.EFFECTIVE_DATE: (0.55, 0.65, 0.9),
        FactName.EXPIRATION_DATE: (0.75, 0.75, 0.75),
        FactName.TERM: (0.6, 0.7, 0.9),
        FactName.RENEWAL: (0.6, 0.7, 0.9),
        FactName.NOTICE_PERIOD: (0.6, 0.7, 0.75),
        FactName.GOVERNING_LAW: (0.6, 0.75, 0.95),
        FactName.LIABILITY_CAP: (0.6, 0.7, 0.85),
        FactName.PAYMENT_TERMS: (0.5, 0.65, 0.8),
    }
)
"""Confidence of a fact that is derived, near a cue, or stated, in this order.

Measured by bench/extraction.py on 60 labelled contracts (right answers of those given, with one right
and one wrong added, rounded to 0.05); for parties an answer is right only when every name is. Term
and cap were measured by whether the quoted clause is one that CUAD labels so, on 381 further contracts;
payment terms, and tiers that did not occur, are estimates.
"""


def extract_facts(analysis: Analysis) -> tuple[Fact, ...]:
    """Parties, dates, term, renewal, notice, law, cap and payment terms, as far as the text gives them.

    Pure and deterministic. Labels of the classifier strengthen candidates; without labels the words
    of the text decide alone. Every citation verifies. An empty or foreign text gives no facts.
    """
    if not analysis.document.text.strip():
        return ()
    reading = Reading.of(analysis)
    return tuple(_fact(analysis.document, reading, name, candidate) for name, candidate in _candidates(reading))


def _candidates(reading: Reading) -> Iterator[tuple[FactName, Candidate]]:
    dates = find_dates(reading.text)
    dated = agreement_date(reading, dates)
    effective = effective_date(reading, dates, dated)
    term = find_term(reading)
    renews = renewal(reading, term.duration if term else None)
    found = {
        FactName.PARTIES: parties(reading),
        FactName.AGREEMENT_DATE: dated,
        FactName.EFFECTIVE_DATE: effective,
        FactName.EXPIRATION_DATE: expiration_date(reading, dates, term=term, dated=dated, effective=effective),
        FactName.TERM: term_fact(term),
        FactName.RENEWAL: renews,
        FactName.NOTICE_PERIOD: notice_period(reading, renews),
        FactName.GOVERNING_LAW: governing_law(reading),
        FactName.LIABILITY_CAP: liability_cap(reading),
        FactName.PAYMENT_TERMS: payment_terms(reading),
    }
    for name, candidate in found.items():
        if candidate is not None:
            yield name, candidate


def _fact(document: ParsedDocument, reading: Reading, name: FactName, candidate: Candidate) -> Fact:
    return Fact(
        name=name,
        value=candidate.value,
        normalized=candidate.normalized,
        citations=tuple(_citation(document, reading, span) for span in candidate.spans),
        method=Method.RULE,
        confidence=CONFIDENCE[name][candidate.tier - 1],
    )


def _citation(document: ParsedDocument, reading: Reading, span: Span) -> Citation:
    start, end = reading.whole_words(span)
    holder = reading.chunk_at(start)
    return cite(document, start, end, holder.chunk.index if holder else None)
