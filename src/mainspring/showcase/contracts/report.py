"""The report as a person reads it: one frozen value, from which every format is rendered.

It follows the JSON report of the API, with the contract reduced to what names it, and adds where
each clause stands, so that a quote can be found again by its number and page.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from .types import (
    Citation,
    ClassifiedChunk,
    Contract,
    Fact,
    Finding,
    Method,
    ModelWords,
    ReportBody,
    Severity,
    Summary,
)

_SCHEDULE = re.compile(r"(?:schedule|exhibit|annex|appendix|attachment|addendum)\s+[A-Z0-9][\w.-]{0,8}", re.IGNORECASE)

__all__ = ["ClausePlace", "HeldCategory", "Report", "ReportedContract", "compose_report"]


@dataclass(frozen=True, slots=True)
class ReportedContract:
    """What names a contract beyond doubt."""

    name: str
    title: str | None
    pages: int | None
    language: str | None
    size_bytes: int
    sha256: str
    created_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ClausePlace:
    """How a reader finds a clause: its number, its heading, and the schedule that it is in, if any."""

    number: str | None
    heading: str | None
    page: int | None
    schedule: str | None = None

    @property
    def words(self) -> str:
        """ "clause 4.2 of Schedule 3", "clause 4.2", "Schedule 3", or nothing."""
        clause = f"clause {self.number.rstrip('.')}" if self.number else ""
        return " of ".join(part for part in (clause, self.schedule or "") if part)


@dataclass(frozen=True, slots=True)
class HeldCategory:
    """A category that the contract holds, as sure as its surest clause; `clauses` are chunk indices."""

    category: str
    method: Method
    probability: float
    clauses: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A finished analysis with the decisions made so far.

    findings   most severe first
    clauses    the place of every chunk, by its index
    """

    contract: ReportedContract
    playbook: str
    playbook_version: int
    generated_at: datetime
    ai_enabled: bool
    classified_by: Method
    summary: Summary
    model_words: ModelWords | None
    facts: tuple[Fact, ...]
    categories: tuple[HeldCategory, ...]
    findings: tuple[Finding, ...]
    clauses: tuple[ClausePlace, ...]
    warnings: tuple[str, ...]

    def place_of(self, citation: Citation) -> str:
        """ "clause 11.1, page 5"; empty when the source has neither numbers nor pages."""
        chunk = citation.chunk
        clause = self.clauses[chunk].words if chunk is not None and 0 <= chunk < len(self.clauses) else ""
        return ", ".join(part for part in (clause, f"page {citation.page}" if citation.page else "") if part)


def compose_report(
    contract: Contract, body: ReportBody, *, chunks: Sequence[ClassifiedChunk], findings: Sequence[Finding]
) -> Report:
    """The report of a stored analysis."""
    return Report(
        contract=ReportedContract(
            contract.name,
            contract.title,
            contract.pages,
            contract.language,
            contract.size_bytes,
            contract.sha256,
            contract.created_by,
            contract.created_at,
        ),
        playbook=body.playbook,
        playbook_version=body.playbook_version,
        generated_at=body.generated_at,
        ai_enabled=body.ai_enabled,
        classified_by=body.classified_by,
        summary=body.summary,
        model_words=body.model_words,
        facts=body.facts,
        categories=_held(chunks),
        findings=tuple(findings),
        clauses=tuple(_place(chunk) for chunk in chunks),
        warnings=body.warnings,
    )


def severity_of(finding: Finding) -> Severity:
    """The severity after a reviewer's edit."""
    edited = finding.edited.severity if finding.edited else None
    return edited or finding.found.severity


def _place(classified: ClassifiedChunk) -> ClausePlace:
    chunk = classified.chunk
    schedules = (found[0] for heading in chunk.heading_path if (found := _SCHEDULE.match(heading)))
    heading = chunk.heading_path[-1] if chunk.heading_path else None
    return ClausePlace(chunk.number, heading, chunk.page, next(schedules, None))


def _held(chunks: Sequence[ClassifiedChunk]) -> tuple[HeldCategory, ...]:
    held = dict[str, HeldCategory]()
    for classified in chunks:
        for label in classified.labels:
            index, earlier = classified.chunk.index, held.get(label.category)
            if earlier is None:
                held[label.category] = HeldCategory(label.category, label.method, label.probability, (index,))
                continue
            probability = max(earlier.probability, label.probability)
            method = label.method if label.probability > earlier.probability else earlier.method
            held[label.category] = HeldCategory(label.category, method, probability, (*earlier.clauses, index))
    return tuple(sorted(held.values(), key=lambda category: (-category.probability, category.category)))
