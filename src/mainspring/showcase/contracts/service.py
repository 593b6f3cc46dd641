"""Contracts: take one in, follow its analysis, read the report, decide its findings.

A submission commits the contract's row and its run in one transaction; the bytes are in the object
store before that. The same bytes are one contract in a tenant, however often they are sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from uuid import UUID

import msgspec

from mainspring.foundation.db import Database
from mainspring.foundation.errors import MainspringError, NotFound
from mainspring.foundation.ids import TenantId, new_id, show_id
from mainspring.foundation.outbox import publish
from mainspring.foundation.pagination import Page, PageRequest
from mainspring.foundation.principal import Principal
from mainspring.inference.gateway import forget_payloads
from mainspring.orchestration.knowledge import Knowledge
from mainspring.orchestration.knowledge.types import Chunk, ParsedDocument
from mainspring.orchestration.pipelines import Pipeline, Pipelines, Run, RunStatus

from . import store
from .errors import ReasonMissing, RunNotFinished
from .events import ContractDeleted
from .pipeline import Upload
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
        self, database: Database, knowledge: Knowledge, pipelines: Pipelines, playbooks: Playbooks, pipeline: Pipeline
    ) -> None:
        self._database = database
        self._knowledge = knowledge
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
        if known and known.run.status in (RunStatus.FAILED, RunStatus.CANCELLED):
            return replace(await self.analyze_again(principal, known.contract.id, chosen.name), is_duplicate=True)
        if known:
            return known
        document = await self._knowledge.store_original(tenant, name, content)
        contract = Contract(
            id=ContractId(new_id()),
            document_id=document.id,
            name=document.name,
            media_type=document.media_type,
            size_bytes=len(content),
            sha256=document.sha256,
            pages=None,
            language=None,
            title=None,
            playbook=chosen.name,
            created_by=principal.name,
            created_at=document.created_at,
        )
        try:
            is_new = await self._add(tenant, contract, chosen.version, idempotency_key)
        except MainspringError:
            await self._discard(tenant, contract)
            raise
        await self._pipelines.ring(self._pipeline)
        added = await self._find_same(tenant, content) if is_new is not None else None
        if added is None:  # somebody deleted it at this very moment
            return await self.submit(principal, name, content, playbook=playbook, idempotency_key=idempotency_key)
        return replace(added, is_duplicate=not is_new)

    async def _add(
        self, tenant: TenantId, contract: Contract, version: int, idempotency_key: str | None
    ) -> bool | None:
        """Commit contract and run; False when these bytes are a contract, None when the document was deleted."""
        submitted = Upload(contract.id, contract.document_id, contract.playbook, version)
        async with self._database.tenant(tenant) as transaction:
            if not await self._knowledge.hold_document_in(transaction, contract.document_id):
                return None
            if not await store.add_contract(transaction, contract):
                return False
            run = await self._pipelines.submit_in(
                transaction, self._pipeline, submitted, idempotency_key=idempotency_key, subject=_subject(contract)
            )
            await store.point_at_run(transaction, contract.id, run.id, contract.playbook)
            return True

    async def _discard(self, tenant: TenantId, refused: Contract) -> None:
        """Remove the document of a refused submission, unless a contract of the same bytes has it."""
        async with self._database.tenant(tenant) as transaction:
            await self._knowledge.hold_document_in(transaction, refused.document_id)
            if await store.find_contract_by_hash(transaction, refused.sha256) is not None:
                return
            await self._knowledge.delete_document_in(transaction, refused.document_id)
        await self._knowledge.delete_bytes(tenant, refused.document_id)

    async def analyze_again(self, principal: Principal, contract: ContractId, playbook: str | None) -> Submission:
        """Start a new run over a stored contract; earlier runs and decisions stay."""
        principal.require(ANALYZE)
        tenant = principal.tenant
        known = await self.get(principal, contract)
        chosen = await self.playbooks.get(tenant, playbook or known.playbook)
        submitted = Upload(known.id, known.document_id, chosen.name, chosen.version)
        async with self._database.tenant(tenant) as transaction:
            run = await self._pipelines.submit_in(transaction, self._pipeline, submitted, subject=_subject(known))
            if not await store.point_at_run(transaction, known.id, run.id, chosen.name):
                raise _no_contract(contract)
        await self._pipelines.ring(self._pipeline)
        return Submission(await self.get(principal, contract), run)

    async def get(self, principal: Principal, contract: ContractId) -> Contract:
        """One contract; NotFound for another tenant's too."""
        principal.require(VIEW)
        async with self._database.tenant(principal.tenant) as transaction:
            found = await store.find_contract(transaction, contract)
        if found is None:
            raise _no_contract(contract)
        return found

    async def list_page(
        self, principal: Principal, request: PageRequest, *, name: str | None = None, status: RunStatus | None = None
    ) -> Page[Contract]:
        """Newest first; `running` means queued too."""
        principal.require(VIEW)
        statuses = ["queued", "running"] if status is RunStatus.RUNNING else [status] if status else None
        async with self._database.tenant(principal.tenant) as transaction:
            return await store.list_contracts(transaction, request, name=name, statuses=statuses)

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
        async with self._database.tenant(tenant) as transaction:
            await self._knowledge.hold_document_in(transaction, found.document_id)
            await store.delete_contract(transaction, contract)
            runs = await self._pipelines.forget_in(transaction, _subject(found))
            await self._knowledge.delete_document_in(transaction, found.document_id)
            event = ContractDeleted(runs, found.document_id)
            await publish(transaction, topic=event.TOPIC, payload=event.payload())
        await self._knowledge.delete_bytes(tenant, found.document_id)
        await self._pipelines.forget_live(tenant, runs)

    async def forget(self, tenant: TenantId, runs: Sequence[UUID], document: UUID) -> None:
        """After a deletion: the bytes, should it have been cut short, and what was said to models in these runs.

        The records of the calls stay. Repeating it changes nothing.
        """
        await self._knowledge.delete_bytes(tenant, document)
        await forget_payloads(self._database, tenant, runs)

    async def read_original(self, principal: Principal, contract: ContractId) -> tuple[Contract, bytes]:
        """The bytes as they were uploaded."""
        found = await self.get(principal, contract)
        return found, await self._knowledge.read_original(principal.tenant, found.document_id)

    async def read_text(
        self, principal: Principal, contract: ContractId
    ) -> tuple[ParsedDocument, tuple[ClassifiedChunk, ...]]:
        """The text with its structure, and the labels as far as the newest finished run made them."""
        found = await self.get(principal, contract)
        document = await self._knowledge.get_parsed(principal.tenant, found.document_id)
        chunks = await self._knowledge.list_chunks(principal.tenant, found.document_id)
        async with self._database.tenant(principal.tenant) as transaction:
            report = await store.find_report(transaction, contract)
        return document, _label(chunks, msgspec.convert(report[1], ReportBody) if report else None)

    async def read_report(self, principal: Principal, contract: ContractId) -> StoredReport:
        """The newest finished report; RunNotFinished says why there is none."""
        found = await self.get(principal, contract)
        async with self._database.tenant(principal.tenant) as transaction:
            report = await store.find_report(transaction, contract)
            findings = await store.findings_of_run(transaction, report[0]) if report else ()
        if report is None:
            raise await self._why_not(principal.tenant, found)
        body = msgspec.convert(report[1], ReportBody)
        document = await self._knowledge.get_parsed(principal.tenant, found.document_id)
        chunks = await self._knowledge.list_chunks(principal.tenant, found.document_id)
        return StoredReport(found, report[0], body, _label(chunks, body), document, findings)

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
        async with self._database.tenant(principal.tenant) as transaction:
            found = await store.find_finding(transaction, contract, finding, lock=True)
            if found is None:
                raise NotFound(f"There is no finding {show_id('fnd', finding)} in {show_id('ctr', contract)}.")
            decided = replace(found, decision=decision, reason=reason, edited=edited)
            return await store.decide_finding(transaction, decided, trace=str(found.run_id), by=principal.name)

    async def _find_same(self, tenant: TenantId, content: bytes) -> Submission | None:
        async with self._database.tenant(tenant) as transaction:
            known = await store.find_contract_by_hash(transaction, sha256(content).hexdigest())
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


def _subject(contract: Contract) -> str:
    """How runs name the contract they are about."""
    return show_id("ctr", contract.id)


def _no_contract(contract: ContractId) -> NotFound:
    return NotFound(f"There is no contract {show_id('ctr', contract)}.")
