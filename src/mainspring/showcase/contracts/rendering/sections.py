"""From a report to blocks: what stands in it, in which order, and in which words.

The order is the reader's: what it is, how it was made and what to think of that, the summary, the
facts, the risks by severity, what was put aside, the kinds of clause, and the quotes that
everything above leads to. Quotes are numbered in the order in which they are first mentioned.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from mainspring.showcase.contracts.report import HeldCategory, Report, severity_of
from mainspring.showcase.contracts.types import Citation, Decision, Fact, Finding, FindingKind, Method, Severity

from .outline import (
    Block,
    Bullets,
    Heading,
    Line,
    Mark,
    Paragraph,
    Proposal,
    Quotation,
    Quote,
    Table,
    Title,
    Words,
    labelled,
    words,
)

_METHODS = {
    Method.CLASSIFIER: "trained classifier, no AI model",
    Method.MODEL: "AI model",
    Method.RULE: "rules, no AI model",
}
_SHORT_METHODS = {Method.CLASSIFIER: "classifier", Method.MODEL: "AI model", Method.RULE: "rule"}
_KINDS = {
    FindingKind.MISSING: "clause not found",
    FindingKind.FORBIDDEN: "unwanted clause",
    FindingKind.LIMIT: "outside the playbook's limits",
    FindingKind.NOTICE: "notice",
}
_NAMED_CLAUSES = 12


class Outline:
    """Builds the blocks of one report and numbers its quotes on the way."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._numbers = dict[tuple[int, int], int]()
        self._quotes = list[Citation]()

    def blocks(self) -> tuple[Block, ...]:
        """Every block in order."""
        parts = (
            self._opening(),
            self._summary(),
            self._facts(),
            self._risks(),
            self._dismissed(),
            self._categories(),
            self._made(),
        )
        body = [block for part in parts for block in part]
        return (*body, *self._quote_list())

    def _opening(self) -> Iterator[Block]:
        report, contract = self._report, self._report.contract
        yield Title(contract.title or contract.name, "Contract risk report")
        size = f"{contract.pages} pages, " if contract.pages else ""
        rows = (
            ("File", f"{contract.name} ({size}{contract.size_bytes:,} bytes)"),
            ("SHA-256", contract.sha256),
            ("Uploaded", f"{_instant(contract.created_at)} by {contract.created_by}"),
            ("Held against", f"playbook {report.playbook}, version {report.playbook_version}"),
            ("Analysed", _instant(report.generated_at)),
            ("AI models", _ai_use(report)),
        )
        yield Table(("", ""), tuple((words(name), words(value)) for name, value in rows), (0.22, 0.78))
        yield Paragraph(
            words(
                "A reading aid for a professional, not legal advice. Quotes are taken from the contract letter by "
                "letter; what is said about them was produced as described under “How this report was made”, and "
                "can be incomplete or wrong. Check it against the contract before relying on it."
            ),
            is_note=True,
        )
        if report.warnings:
            yield Heading("Warnings about the document", 1)
            yield Bullets(tuple(words(warning) for warning in report.warnings))

    def _summary(self) -> Iterator[Block]:
        summary = self._report.summary
        yield Heading("Executive summary", 1)
        yield Table(
            tuple(severity.value.capitalize() for severity in Severity),
            (tuple(words(str(self._count(severity))) for severity in Severity),),
            (0.2,) * 5,
        )
        for sentence in summary.sentences:
            yield Paragraph((Words(sentence.text), *self._marks(sentence.citations)))
        if not summary.sentences:
            yield Paragraph(words("No sentence of a summary could be supported by the contract."), is_note=True)
        if summary.dropped:
            plural = "sentence was" if summary.dropped == 1 else "sentences were"
            note = f"{summary.dropped} {plural} left out, because nothing in the contract supports what was said."
            yield Paragraph(words(note), is_note=True)

    def _facts(self) -> Iterator[Block]:
        yield Heading("Key facts", 1)
        if not self._report.facts:
            yield Paragraph(words("No facts could be read from the contract."), is_note=True)
            return
        rows = tuple(self._fact(fact) for fact in self._report.facts)
        yield Table(("Fact", "Value", "Where", "How sure"), rows, (0.2, 0.45, 0.2, 0.15))

    def _fact(self, fact: Fact) -> tuple[Line, ...]:
        name = fact.name.value.replace("_", " ").capitalize()
        places = dict.fromkeys(self._report.place_of(citation) for citation in fact.citations)
        sure = f"{percent(fact.confidence)}, {_SHORT_METHODS[fact.method]}"
        where = "; ".join(place for place in places if place)
        return words(name), (Words(fact.value), *self._marks(fact.citations)), words(where), words(sure)

    def _risks(self) -> Iterator[Block]:
        yield Heading("Risks", 1)
        standing = self._standing()
        if not standing:
            yield Paragraph(words("The playbook found nothing to report that still stands."), is_note=True)
        for severity in Severity:
            group = [finding for finding in standing if severity_of(finding) is severity]
            if group:
                yield Heading(f"{severity.value.capitalize()} ({len(group)})", 2, severity)
            for finding in group:
                yield from self._risk(finding)

    def _risk(self, finding: Finding) -> Iterator[Block]:
        found, edited = finding.found, finding.edited
        title = (edited.title if edited else None) or found.title
        yield Heading(title, 3, severity_of(finding))
        for citation in found.citations:
            yield Quotation(citation.quote, self._report.place_of(citation), self._number(citation))
        yield Paragraph(words(found.why))
        suggestion = (edited.suggestion if edited else None) or found.suggestion
        if suggestion:
            yield Paragraph((Words("Suggested wording", is_bold=True),))
            yield Proposal(suggestion)
        yield Paragraph(labelled("Decision:", _decision(finding)))
        parts = (
            _KINDS[found.kind].capitalize(),
            f"found by {_SHORT_METHODS[found.method]}, {percent(found.confidence)} sure",
            f"category {found.category}" if found.category else "",
            f"rule {found.rule}",
        )
        yield Paragraph(words("; ".join(part for part in parts if part) + "."), is_note=True)

    def _dismissed(self) -> Iterator[Block]:
        dismissed = [finding for finding in self._report.findings if finding.decision is Decision.DISMISSED]
        if not dismissed:
            return
        yield Heading("Dismissed by a reviewer", 1)
        rows = tuple(
            (
                words(severity_of(finding).value.capitalize()),
                (Words(finding.found.title), *self._marks(finding.found.citations)),
                words(_decision(finding)),
            )
            for finding in dismissed
        )
        yield Table(("Severity", "Finding", "Decision"), rows, (0.14, 0.43, 0.43))

    def _categories(self) -> Iterator[Block]:
        yield Heading("Kinds of clause found", 1)
        if not self._report.categories:
            yield Paragraph(words("No clause was recognised as one of the 38 kinds."), is_note=True)
            return
        rows = tuple(
            (
                words(held.category),
                words(self._clauses(held)),
                words(f"{percent(held.probability)}, {_SHORT_METHODS[held.method]}"),
            )
            for held in self._report.categories
        )
        yield Table(("Kind", "Clauses", "How sure at most"), rows, (0.38, 0.4, 0.22))

    def _made(self) -> Iterator[Block]:
        report = self._report
        yield Heading("How this report was made", 1)
        rows = (
            ("Clauses recognised", _METHODS[report.classified_by]),
            ("Facts read", _METHODS[Method.RULE]),
            ("Risks found", f"rules of the playbook {report.playbook}, on the clauses and facts above"),
            ("Summary written", _summary_way(report.summary.method)),
        )
        yield Table(("Step", "Way"), tuple((words(step), words(way)) for step, way in rows), (0.3, 0.7))
        yield Paragraph(
            words(
                "Percentages are estimates of how often a result of this kind is right. A clause that is reported "
                "as not found may be there in words that were not recognised."
            ),
            is_note=True,
        )
        if report.model_words:
            yield Heading("A language model's own words, not checked", 1)
            label = f"{report.model_words.label} Written by {report.model_words.model}; no finding rests on it."
            yield Paragraph(words(label), is_note=True)
            yield Paragraph((Words(report.model_words.text, is_italic=True),))

    def _quote_list(self) -> Iterator[Block]:
        if self._quotes:
            yield Heading("Quotes", 1)
        for number, citation in enumerate(self._quotes, start=1):
            yield Quote(number, citation.quote, self._report.place_of(citation))

    def _standing(self) -> list[Finding]:
        return [finding for finding in self._report.findings if finding.decision is not Decision.DISMISSED]

    def _count(self, severity: Severity) -> int:
        return sum(severity_of(finding) is severity for finding in self._standing())

    def _clauses(self, held: HeldCategory) -> str:
        names = list(dict.fromkeys(self._clause(index) for index in held.clauses if index < len(self._report.clauses)))
        more = len(names) - _NAMED_CLAUSES
        return "; ".join(names[:_NAMED_CLAUSES]) + (f"; {more} more" if more > 0 else "")

    def _clause(self, index: int) -> str:
        place = self._report.clauses[index]
        name = place.words.removeprefix("clause ") or place.heading or "unnumbered"
        return f"{name} (page {place.page})" if place.page else name

    def _marks(self, citations: Iterable[Citation]) -> Line:
        return tuple(Mark(self._number(citation)) for citation in citations)

    def _number(self, citation: Citation) -> int:
        key = (citation.start, citation.end)
        if key not in self._numbers:
            self._quotes.append(citation)
            self._numbers[key] = len(self._quotes)
        return self._numbers[key]


def percent(value: float) -> str:
    """A confidence for people, never 100 %."""
    return f"{min(round(value * 100), 99)} %"


def _instant(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%d %H:%M UTC")


def _ai_use(report: Report) -> str:
    if not report.ai_enabled:
        return "switched off; nothing in this report was produced by an AI model"
    if Method.MODEL in (report.classified_by, report.summary.method):
        return "switched on; see how each part was made"
    return "switched on, but the findings, facts and summary were produced without one"


def _summary_way(method: Method) -> str:
    if method is Method.MODEL:
        return "AI model; every sentence was checked against its quotes, and dropped if they do not support it"
    return f"{_METHODS[method]}; every sentence was checked against its quotes"


def _decision(finding: Finding) -> str:
    if finding.decision is Decision.OPEN:
        return "open, nobody has decided yet."
    who = f" by {finding.decided_by}" if finding.decided_by else ""
    when = f" on {_instant(finding.decided_at)}" if finding.decided_at else ""
    parts = [f"{finding.decision.value}{who}{when}."]
    if finding.reason:
        parts.append(f"Reason: {finding.reason.rstrip()}")
    if finding.edited and (finding.edited.title or finding.edited.severity):
        parts.append(f"(Before the edit: {finding.found.severity.value}, “{finding.found.title}”.)")
    return " ".join(parts)
