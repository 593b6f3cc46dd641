"""Contracts: take one in, follow its analysis, read the report, decide its findings.

The bytes become a document of knowledge first; then the contract's row and its run are committed in one transaction.
A deletion goes the other way. So what is cut off in between leaves a document without a contract, which the same
upload picks up again, or a contract without its document, which the same upload or deletion replaces or ends. The
same bytes are one contract in a tenant, however often they are sent. A contract and its document share their id.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from uuid import UUID

import msgspec

from mainspring.foundation.db import Database
from mainspring.foundation.errors import MainspringError, NotFound
from mainspring.foundation.ids import TenantId, show_id
from mainspring.foundation.outbox import publish
from mainspring.foundation.pagination import Page, PageRequest
from mainspring.foundation.principal import Principal
from mainspring.inference.gateway import forget_payloads
from mainspring.orchestration.knowledge import Documents, Indexes, NewDocument, Reader
from mainspring.orchestration.knowledge.types import Chunk, Document, ParsedDocument
from mainspring.orchestration.pipelines import Pipeline, Pipelines, Run, RunStatus, callers_key

from . import store
from .errors import ContractClosed, ReasonMissing, RunNotFinished
from .events import ContractDeleted
from .pipeline import Upload
from .realigning import realign_body, realign_findings
from .saved_playbooks import Playbooks
from .types import (
    ClassifiedChunk,
    Contract,
    ContractId,
    Decision,
    Edit,
    Finding,
    FindingId,
    ReportBody,
    Severity,
)

UPLOAD = "contract.upload"
ANALYZE = "ai.analysis.trigger"
VIEW = "ai.output.view"
APPROVE = "ai.recommendation.approve"
DELETE = "contract.delete"
SOURCE = "contracts"
"""The name of the source that contracts are documents of."""

_DOCUMENT_TYPE = "contract"


@dataclass(frozen=True, slots=True)
class Submission:
    """A contract, its newest run, and whether these bytes were here before."""

    contract: Contract
    run: Run
    is_duplicate: bool = False


@dataclass(frozen=True, slots=True)
class StoredReport:
    """A report with the decisions made on its findings so far."""

    contract: Contract
    run_id: UUID
    body: ReportBody
    chunks: tuple[ClassifiedChunk, ...]
    document: ParsedDocument
    findings: tuple[Finding, ...]


class Contracts:
    """The use cases of contract intelligence."""

    def __init__(
        self,
        database: Database,
        documents: Documents,
        indexes: Indexes,
        pipelines: Pipelines,
        playbooks: Playbooks,
        pipeline: Pipeline,
    ) -> None:
        self._database = database
        self._documents = documents
        self._indexes = indexes
        self._pipelines = pipelines
        self._pipeline = pipeline
        self.playbooks = playbooks

    async def submit(
        self, principal: Principal, name: str, content: bytes, *, playbook: str | None, idempotency_key: str | None
    ) -> Submission:
        """Take a contract in and start its analysis; what cannot be a contract is refused here."""
        principal.require(UPLOAD)
        principal.require(ANALYZE)
        tenant = principal.tenant
        chosen = await self.playbooks.get(tenant, playbook or await self.playbooks.default_name(tenant))
        known = await self._find_same(tenant, content)
        if known and not await self._may_read(principal, known.contract):
            raise ContractClosed(
                "These bytes are a contract of the tenant already, which is closed to you; "
                "ask who manages knowledge to open it."
            )
        if known and known.run.status in (RunStatus.FAILED, RunStatus.CANCELLED):
            return replace(await self.analyze_again(principal, known.contract.id, chosen.name), is_duplicate=True)
        if known:
            return known
        new = NewDocument(SOURCE, None, name, content, document_type=_DOCUMENT_TYPE)
        document = (await self._documents.put(tenant, new)).document
        contract = _as_contract(document, chosen.name, principal.name)
        try:
            run = await self._add(
                tenant,
                contract,
                Upload(contract.id, document.id, document.revision, chosen.name, chosen.version),
                idempotency_key,
            )
        except MainspringError:
            await self._discard(tenant, contract)
            raise
        await self._pipelines.ring(self._pipeline)
        added = await self._find_same(tenant, content)
        if added is None:  # somebody deleted it at this very moment
            await self._drop(tenant, contract)
            return await self.submit(principal, name, content, playbook=playbook, idempotency_key=idempotency_key)
        if run is not None:
            await self._documents.note_run(tenant, document.id, run)
        return replace(added, is_duplicate=run is None)

    async def _add(
        self, tenant: TenantId, contract: Contract, submitted: Upload, idempotency_key: str | None
    ) -> UUID | None:
        """Commit contract and run; None when these bytes are a contract already.

        One that has lost its document, by a deletion that was cut off, makes room.
        """
        async with self._database.tenant(tenant) as transaction:
            if not await store.add_contract(transaction, contract):
                other = await store.find_contract_by_hash(transaction, contract.sha256)
                if other is None or other.document_id == contract.document_id:
                    return None
                await store.delete_contract(transaction, other.id)
                await self._pipelines.forget_in(transaction, _subject(other))
                if not await store.add_contract(transaction, contract):
                    return None
            run = await self._pipelines.submit_in(
                transaction,
                self._pipeline,
                submitted,
                idempotency_key=callers_key(idempotency_key),
                subject=_subject(contract),
            )
            await store.point_at_run(transaction, contract.id, run.id, contract.playbook)
            return run.id

    async def _discard(self, tenant: TenantId, refused: Contract) -> None:
        """Remove the document of a refused submission, unless a contract of the same bytes has it."""
        async with self._database.tenant(tenant) as transaction:
            known = await store.find_contract_by_hash(transaction, refused.sha256)
        if known is None:
            await self._documents.delete(tenant, refused.document_id)

    async def _drop(self, tenant: TenantId, contract: Contract) -> None:
        """Remove the row of a contract whose document is gone."""
        async with self._database.tenant(tenant) as transaction:
            await store.delete_contract(transaction, contract.id)
            await self._pipelines.forget_in(transaction, _subject(contract))

    async def analyze_again(self, principal: Principal, contract: ContractId, playbook: str | None) -> Submission:
        """Start a new run over a stored contract; earlier runs and decisions stay."""
        principal.require(ANALYZE)
        tenant = principal.tenant
        known = await self.get(principal, contract)
        chosen = await self.playbooks.get(tenant, playbook or known.playbook)
        document = await self._documents.get(_reader(principal), known.document_id)
        submitted = Upload(known.id, document.id, document.revision, chosen.name, chosen.version)
        async with self._database.tenant(tenant) as transaction:
            run = await self._pipelines.submit_in(transaction, self._pipeline, submitted, subject=_subject(known))
            if not await store.point_at_run(transaction, known.id, run.id, chosen.name):
                raise _no_contract(contract)
        await self._pipelines.ring(self._pipeline)
        await self._documents.note_run(tenant, document.id, run.id)
        return Submission(await self.get(principal, contract), run)

    async def get(self, principal: Principal, contract: ContractId) -> Contract:
        """One contract; NotFound for another tenant's too, and for one whose document the principal may not read."""
        principal.require(VIEW)
        async with self._database.tenant(principal.tenant) as transaction:
            found = await store.find_contract(transaction, contract)
        if found is None or not await self._may_read(principal, found):
            raise _no_contract(contract)
        return found

    async def _may_read(self, principal: Principal, contract: Contract) -> bool:
        """A document that is gone, by a deletion that was cut off, hides nothing: the contract can still be deleted."""
        if await self._documents.find(_reader(principal), contract.document_id) is not None:
            return True
        return await self._documents.find(Reader(principal.tenant, None), contract.document_id) is None

    async def list_page(
        self, principal: Principal, request: PageRequest, *, name: str | None = None, status: RunStatus | None = None
    ) -> Page[Contract]:
        """Newest first; `running` means queued too. Those that are closed to the principal are left out of the page."""
        principal.require(VIEW)
        statuses = ["queued", "running"] if status is RunStatus.RUNNING else [status] if status else None
        async with self._database.tenant(principal.tenant) as transaction:
            page = await store.list_contracts(transaction, request, name=name, statuses=statuses)
        closed = await self._documents.closed_to(_reader(principal), [each.document_id for each in page.items])
        return replace(page, items=tuple(each for each in page.items if each.document_id not in closed))

    async def note_run(self, tenant: TenantId, run: UUID, status: str) -> None:
        """How an analysis stands, for the list; repeating it changes nothing."""
        async with self._database.tenant(tenant) as transaction:
            await store.note_run_status(transaction, run, status)

    async def runs_of(self, tenant: TenantId, contracts: tuple[Contract, ...]) -> dict[ContractId, Run]:
        """The newest run of each contract."""
        runs = await self._pipelines.latest_runs(tenant, [_subject(each) for each in contracts])
        return {each.id: runs[_subject(each)] for each in contracts if _subject(each) in runs}

    async def delete(self, principal: Principal, contract: ContractId) -> None:
        """Remove a contract and what was made of it: rows, runs and their stories, vectors, bytes, words to models."""
        principal.require(DELETE)
        tenant, found = principal.tenant, await self.get(principal, contract)
        await self._pipelines.cancel_about(tenant, _subject(found))
        await self._documents.delete(tenant, found.document_id)
        async with self._database.tenant(tenant) as transaction:
            await store.delete_contract(transaction, contract)
            runs = await self._pipelines.forget_in(transaction, _subject(found))
            event = ContractDeleted(runs, found.document_id)
            await publish(transaction, topic=event.TOPIC, payload=event.payload())
        await self._pipelines.forget_live(tenant, runs)

    async def forget(self, tenant: TenantId, runs: Sequence[UUID]) -> None:
        """After a deletion: what was said to models in these runs. The records of the calls stay.

        Repeating it changes nothing.
        """
        await forget_payloads(self._database, tenant, runs)

    async def read_original(self, principal: Principal, contract: ContractId) -> tuple[Contract, bytes]:
        """The bytes as they were uploaded."""
        found = await self.get(principal, contract)
        return found, await self._documents.read_original(_reader(principal), found.document_id)

    async def read_text(
        self, principal: Principal, contract: ContractId
    ) -> tuple[ParsedDocument, tuple[ClassifiedChunk, ...]]:
        """The text with its structure, and the labels as far as the newest finished run made them."""
        found = await self.get(principal, contract)
        reader = _reader(principal)
        document = await self._documents.get_parsed(reader, found.document_id)
        async with self._database.tenant(principal.tenant) as transaction:
            report = await store.find_report(transaction, contract)
        body = msgspec.convert(report[1], ReportBody) if report else None
        return document, _label(await self._chunks(reader, found, body), body)

    async def read_report(self, principal: Principal, contract: ContractId) -> StoredReport:
        """The newest finished report; RunNotFinished says why there is none."""
        found = await self.get(principal, contract)
        async with self._database.tenant(principal.tenant) as transaction:
            report = await store.find_report(transaction, contract)
            findings = await store.findings_of_run(transaction, report[0]) if report else ()
        if report is None:
            raise await self._why_not(principal.tenant, found)
        body = msgspec.convert(report[1], ReportBody)
        reader = _reader(principal)
        document = await self._documents.get_parsed(reader, found.document_id)
        chunks = await self._chunks(reader, found, body)
        return StoredReport(
            found,
            report[0],
            realign_body(body, document),
            _label(chunks, body),
            document,
            realign_findings(findings, document),
        )

    async def _chunks(self, reader: Reader, contract: Contract, body: ReportBody | None) -> tuple[Chunk, ...]:
        """The clauses that the report speaks of, else those of the index."""
        if body is not None and body.cut is not None:
            return (await self._indexes.read_cut(reader, contract.document_id, body.cut)).chunks
        return await self._indexes.list_chunks(reader, contract.document_id)

    async def list_findings(
        self,
        principal: Principal,
        contract: ContractId,
        request: PageRequest,
        *,
        severity: Severity | None,
        decision: Decision | None,
    ) -> Page[Finding]:
        """Findings of the newest finished run, most severe first."""
        await self.get(principal, contract)
        async with self._database.tenant(principal.tenant) as transaction:
            return await store.list_findings(transaction, contract, request, severity=severity, decision=decision)

    async def decide(
        self,
        principal: Principal,
        contract: ContractId,
        finding: FindingId,
        decision: Decision,
        *,
        reason: str | None,
        edited: Edit | None,
    ) -> Finding:
        """Accept, dismiss, edit or reopen a finding; kept as feedback tied to the run and its trace."""
        principal.require(VIEW)
        principal.require(APPROVE)
        reason = (reason or "").strip() or None
        if decision in (Decision.DISMISSED, Decision.EDITED) and reason is None:
            raise ReasonMissing(
                f"A finding is {decision} with a reason: say why in `reason`, for whoever reads it later."
            )
        if (decision is Decision.EDITED) != (edited is not None and edited != Edit()):
            raise ReasonMissing(
                "`edited` goes with the decision `edited`, and needs a title, a severity or a suggestion."
            )
        await self.get(principal, contract)
        async with self._database.tenant(principal.tenant) as transaction:
            found = await store.find_finding(transaction, contract, finding, lock=True)
            if found is None:
                raise NotFound(f"There is no finding {show_id('fnd', finding)} in {show_id('ctr', contract)}.")
            decided = replace(found, decision=decision, reason=reason, edited=edited)
            return await store.decide_finding(transaction, decided, trace=str(found.run_id), by=principal.name)

    async def _find_same(self, tenant: TenantId, content: bytes) -> Submission | None:
        async with self._database.tenant(tenant) as transaction:
            known = await store.find_contract_by_hash(transaction, sha256(content).hexdigest())
        if known is not None and await self._documents.find(Reader(tenant, None), known.document_id) is None:
            return None
        run = await self._find_latest_run(tenant, known) if known else None
        return Submission(known, run, is_duplicate=True) if known and run else None

    async def _find_latest_run(self, tenant: TenantId, contract: Contract) -> Run | None:
        """None when the contract was deleted meanwhile."""
        return (await self._pipelines.latest_runs(tenant, [_subject(contract)])).get(_subject(contract))

    async def _why_not(self, tenant: TenantId, contract: Contract) -> MainspringError:
        run = await self._find_latest_run(tenant, contract)
        if run is None:
            return _no_contract(contract.id)
        if run.status is RunStatus.FAILED and run.error:
            return RunNotFinished(f"The analysis failed ({run.error.code}): {run.error.detail}")
        if run.status is RunStatus.CANCELLED:
            return RunNotFinished("The analysis was cancelled; start it again with POST .../runs.")
        return RunNotFinished(f"The analysis is {run.status}; follow /v1/runs/{show_id('run', run.id)}/events.")


def _label(chunks: tuple[Chunk, ...], body: ReportBody | None) -> tuple[ClassifiedChunk, ...]:
    labels = body.labels if body and len(body.labels) == len(chunks) else ((),) * len(chunks)
    return tuple(ClassifiedChunk(chunk, each) for chunk, each in zip(chunks, labels, strict=True))


def _as_contract(document: Document, playbook: str, created_by: str) -> Contract:
    return Contract(
        id=ContractId(document.id),
        document_id=document.id,
        name=document.name,
        media_type=document.media_type,
        size_bytes=document.size_bytes,
        sha256=document.sha256,
        pages=None,
        language=None,
        title=None,
        playbook=playbook,
        created_by=created_by,
        created_at=document.created_at,
    )


def _reader(principal: Principal) -> Reader:
    return Reader(principal.tenant, principal.subjects)


def _subject(contract: Contract) -> str:
    """How runs name the contract they are about."""
    return show_id("ctr", contract.id)


def _no_contract(contract: ContractId) -> NotFound:
    return NotFound(f"There is no contract {show_id('ctr', contract)}.")
