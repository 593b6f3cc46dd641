"""Citations of a report after its contract was parsed anew: a newer parser may leave out a line that stood between.

What a citation quotes is kept with it, so its place is found again: the nearest place that says the same.
"""

from dataclasses import replace

from mainspring.orchestration.knowledge.types import ParsedDocument

from .types import Citation, Finding, ReportBody


def realign(citation: Citation, document: ParsedDocument) -> Citation:
    """The citation at the place in this text that says what it quotes; as it is where nothing does."""
    text, quote = document.text, citation.quote
    if not quote or text.startswith(quote, citation.start):
        return citation
    before = text.rfind(quote, 0, citation.start + len(quote))
    after = text.find(quote, citation.start)
    places = [place for place in (before, after) if place >= 0]
    if not places:
        return citation
    start = min(places, key=lambda place: abs(place - citation.start))
    return replace(citation, start=start, end=start + len(quote), page=document.page_at(start))


def realign_body(body: ReportBody, document: ParsedDocument) -> ReportBody:
    """The report's facts and sentences with each citation where it is said."""
    facts = tuple(replace(each, citations=_realigned(each.citations, document)) for each in body.facts)
    sentences = tuple(replace(each, citations=_realigned(each.citations, document)) for each in body.summary.sentences)
    return replace(body, facts=facts, summary=replace(body.summary, sentences=sentences))


def realign_findings(findings: tuple[Finding, ...], document: ParsedDocument) -> tuple[Finding, ...]:
    """The findings with each citation where it is said."""
    return tuple(
        replace(each, found=replace(each.found, citations=_realigned(each.found.citations, document)))
        for each in findings
    )


def _realigned(citations: tuple[Citation, ...], document: ParsedDocument) -> tuple[Citation, ...]:
    return tuple(realign(each, document) for each in citations)
