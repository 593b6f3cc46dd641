"""From frozen types to wire shapes: ids get their prefixes, findings their decisions."""

from mainspring.foundation.ids import show_id
from mainspring.foundation.pagination import Page
from mainspring.orchestration.knowledge.types import ParsedDocument
from mainspring.orchestration.pipelines import Run, RunShape, run_shape

from .citations import cite
from .schemas import (
    CategoryShape,
    ChunkShape,
    CitationShape,
    ContractPage,
    ContractShape,
    EditedFinding,
    FactShape,
    FindingCounts,
    FindingPage,
    FindingShape,
    LabelShape,
    Methods,
    ModelText,
    PlaybookShape,
    PlaybookText,
    PlaybookUsed,
    ReportShape,
    SentenceShape,
    Submitted,
    SummaryShape,
    TextShape,
)
from .service import StoredReport, Submission
from .types import (
    Citation,
    ClassifiedChunk,
    Contract,
    ContractId,
    Decision,
    Finding,
    Label,
    Method,
    SavedPlaybook,
    Severity,
)


def show_contract(contract: Contract, run: Run | None) -> ContractShape:
    """A contract with its newest run."""
    return ContractShape(
        id=show_id("ctr", contract.id),
        name=contract.name,
        media_type=contract.media_type,
        size_bytes=contract.size_bytes,
        sha256=contract.sha256,
        pages=contract.pages,
        language=contract.language,
        title=contract.title,
        playbook=contract.playbook,
        created_at=contract.created_at,
        created_by=contract.created_by,
        latest_run=run_shape(run) if run else None,
        findings=FindingCounts.model_validate(contract.counts) if contract.counts else None,
    )


def show_contracts(page: Page[Contract], runs: dict[ContractId, Run]) -> ContractPage:
    """A page of contracts."""
    items = [show_contract(each, runs.get(each.id)) for each in page.items]
    return ContractPage(items=items, next_cursor=page.next_cursor)


def show_submission(submission: Submission) -> Submitted:
    """What an upload answers."""
    run: RunShape = run_shape(submission.run)
    return Submitted(
        contract=show_contract(submission.contract, submission.run),
        run=run,
        stream_url=f"/v1/runs/{run.id}/events",
        duplicate=submission.is_duplicate,
    )


def show_text(document: ParsedDocument, chunks: tuple[ClassifiedChunk, ...]) -> TextShape:
    """The text with pages, blocks, clauses and definitions."""
    return TextShape.model_validate(
        {
            "text": document.text,
            "pages": document.pages,
            "blocks": document.blocks,
            "definitions": document.definitions,
            "warnings": list(document.warnings),
            "chunks": [_chunk(each) for each in chunks],
        },
        from_attributes=True,
    )


def show_finding(finding: Finding) -> FindingShape:
    """A finding with what was decided about it."""
    found = finding.found
    return FindingShape(
        id=show_id("fnd", finding.id),
        rule=found.rule,
        kind=found.kind.value,
        severity=found.severity.value,
        title=found.title,
        why=found.why,
        category=found.category,
        citations=_citations(found.citations),
        suggestion=found.suggestion,
        method=found.method.value,
        confidence=found.confidence,
        decision=finding.decision.value,
        decided_by=finding.decided_by,
        decided_at=finding.decided_at,
        reason=finding.reason,
        edited=EditedFinding.model_validate(finding.edited) if finding.edited else None,
    )


def show_findings(page: Page[Finding]) -> FindingPage:
    """A page of findings."""
    return FindingPage(items=[show_finding(each) for each in page.items], next_cursor=page.next_cursor)


def show_report(report: StoredReport, run: Run | None) -> ReportShape:
    """The whole report."""
    body = report.body
    by_model = Method.MODEL in (body.classified_by, body.summary.method)
    return ReportShape(
        contract=show_contract(report.contract, run),
        run_id=show_id("run", report.run_id),
        playbook=PlaybookUsed(name=body.playbook, version=body.playbook_version),
        generated_at=body.generated_at,
        method="model" if by_model else "deterministic",
        ai_enabled=body.ai_enabled,
        methods=Methods(
            classify=body.classified_by.value, assess=Method.RULE.value, summarize=body.summary.method.value
        ),
        summary=SummaryShape(
            method=body.summary.method.value,
            dropped=body.summary.dropped,
            sentences=[
                SentenceShape(text=each.text, citations=_citations(each.citations)) for each in body.summary.sentences
            ],
        ),
        model_text=ModelText.model_validate(body.model_words) if body.model_words else None,
        facts=[FactShape.model_validate(each) for each in body.facts],
        categories=_categories(report),
        findings=[show_finding(each) for each in report.findings],
        counts=_counts(report.findings),
        warnings=list(body.warnings),
    )


def show_playbook(playbook: SavedPlaybook, *, is_default: bool) -> PlaybookShape:
    """A playbook without its rules."""
    return PlaybookShape(
        name=playbook.name,
        version=playbook.version,
        title=playbook.title,
        side=playbook.side,
        rules=playbook.rules,
        is_default=is_default,
        updated_at=playbook.created_at,
    )


def show_playbook_text(playbook: SavedPlaybook, *, is_default: bool) -> PlaybookText:
    """A playbook with its rules."""
    return PlaybookText(**show_playbook(playbook, is_default=is_default).model_dump(), yaml=playbook.yaml)


def _citations(citations: tuple[Citation, ...]) -> list[CitationShape]:
    return [CitationShape.model_validate(each) for each in citations]


def _chunk(classified: ClassifiedChunk) -> ChunkShape:
    chunk = classified.chunk
    return ChunkShape(
        index=chunk.index,
        start=chunk.start,
        end=chunk.end,
        number=chunk.number,
        heading_path=list(chunk.heading_path),
        page=chunk.page,
        labels=[LabelShape.model_validate(each) for each in classified.labels],
    )


def _categories(report: StoredReport) -> list[CategoryShape]:
    """Each category once, as sure as its surest clause, with the clauses that hold it."""
    held: dict[str, list[tuple[Label, Citation]]] = {}
    for each in report.chunks:
        for label in each.labels:
            place = cite(report.document, each.chunk.start, each.chunk.end, each.chunk.index)
            held.setdefault(label.category, []).append((label, place))
    return [
        CategoryShape(
            category=category,
            method=places[0][0].method.value,
            probability=max(label.probability for label, _ in places),
            citations=_citations(tuple(place for _, place in places)),
        )
        for category, places in sorted(held.items())
    ]


def _counts(findings: tuple[Finding, ...]) -> FindingCounts:
    numbers = {severity.value: sum(each.found.severity is severity for each in findings) for severity in Severity}
    return FindingCounts(**numbers, open=sum(each.decision is Decision.OPEN for each in findings))
