"""The analysis of a contract as a pipeline: parse, chunk, embed, index, classify, assess, summarize.

The first four are knowledge's own steps, as any product would take them. Each step reads what earlier ones stored,
and storing twice is the same as once, so a step may be killed and run again anywhere. Embedding and classifying both
follow chunking and run side by side; all that follow chunking read the same cut, whatever the index holds by then.
What is computed goes to threads: the event loop stays free for leases and live events.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid5

import msgspec

from mainspring.foundation.clock import Clock
from mainspring.foundation.db import Database
from mainspring.foundation.errors import NotFound
from mainspring.foundation.ids import TenantId, show_id
from mainspring.orchestration.knowledge import (
    DocumentRef,
    Documents,
    Embedded,
    Indexed,
    Indexes,
    IngestSteps,
    Parsed,
    Reader,
)
from mainspring.orchestration.knowledge.types import Chunk
from mainspring.orchestration.pipelines import FindingAdded, Pipeline, StepRun

from . import store
from .assessment import assess
from .classifier import ClauseClassifier
from .concepts import find_labels
from .extraction import extract_facts
from .ports import Writer
from .saved_playbooks import Playbooks
from .summary import summarize
from .types import (
    Analysis,
    AssessedFinding,
    ClassifiedChunk,
    ContractId,
    Fact,
    Finding,
    FindingId,
    Label,
    Method,
    ModelWords,
    ReportBody,
    Severity,
    Summary,
)

PIPELINE = "contracts.analyze"
_FINDINGS = UUID("5d0a3c1e-9f6b-7c3a-8e21-6f1f0c6f7a10")  # namespace of finding ids: the same for every attempt


@dataclass(frozen=True, slots=True)
class Upload:
    """The run's input: ids and the playbook version that was current when it was submitted."""

    contract: UUID
    document: UUID
    revision: int
    playbook: str
    playbook_version: int

    @property
    def ref(self) -> DocumentRef:
        """What knowledge's steps work on."""
        return DocumentRef(self.document, self.revision)


@dataclass(frozen=True, slots=True)
class Chunked:
    """cut: fingerprint of the cut that every later step reads."""

    clauses: int
    cut: str


@dataclass(frozen=True, slots=True)
class Classified:
    """labels: for every chunk in order, its categories."""

    method: Method
    labels: tuple[tuple[Label, ...], ...]


@dataclass(frozen=True, slots=True)
class Assessed:
    facts: tuple[Fact, ...]
    findings: tuple[AssessedFinding, ...]


@dataclass(frozen=True, slots=True)
class Reported:
    sentences: int
    dropped: int
    method: Method


@dataclass(frozen=True, slots=True)
class AfterParse:
    submitted: Upload
    parse: Parsed


@dataclass(frozen=True, slots=True)
class AfterChunk:
    submitted: Upload
    chunk: Chunked


@dataclass(frozen=True, slots=True)
class AfterEmbed:
    submitted: Upload
    embed: Embedded


@dataclass(frozen=True, slots=True)
class AfterClassify:
    submitted: Upload
    chunk: Chunked
    classify: Classified


@dataclass(frozen=True, slots=True)
class AfterAll:
    submitted: Upload
    chunk: Chunked
    index: Indexed
    classify: Classified
    assess: Assessed


class Analyst:
    """The steps. `writer` is the model way: it classifies, summarises and speaks where a model may."""

    def __init__(
        self,
        database: Database,
        documents: Documents,
        indexes: Indexes,
        playbooks: Playbooks,
        *,
        writer: Writer,
        clock: Clock,
    ) -> None:
        self._database = database
        self._documents = documents
        self._indexes = indexes
        self._ingest = IngestSteps(documents, indexes)
        self._playbooks = playbooks
        self._writer = writer
        self._clock = clock

    async def parse(self, submitted: Upload, run: StepRun) -> Parsed:
        """Read the document into text with pages, numbering and definitions."""
        await run.progress(0, 1, "Reading the document")
        parsed = await self._ingest.parse(submitted.ref, run)
        _require(parsed.is_current)
        reader = Reader(run.tenant, None)
        document = await self._documents.get(reader, submitted.document)
        read = await self._documents.get_parsed(reader, submitted.document)
        async with self._database.tenant(run.tenant) as transaction:
            await store.describe_contract(
                transaction,
                ContractId(submitted.contract),
                pages=document.pages,
                language=document.language or "und",
                title=document.title,
            )
            await store.note_run_status(transaction, run.run_id, "running")
        extent = _count(parsed.pages, "page") if parsed.pages else f"{parsed.characters:,} characters"
        terms = f" and {_count(len(read.definitions), 'defined term')}" if read.definitions else ""
        await run.say(f"Read {extent}{terms}")
        return parsed

    async def chunk(self, after: AfterParse, run: StepRun) -> Chunked:
        """Cut the text by clause."""
        cut = await self._ingest.chunk(after.submitted.ref, run)
        _require(cut.is_current)
        active = await self._indexes.active(run.tenant)
        made = await self._indexes.cut(run.tenant, after.submitted.document, active)
        await run.say(f"Found {_count(len(made.chunks), 'clause')}")
        return Chunked(clauses=len(made.chunks), cut=made.fingerprint)

    async def embed(self, after: AfterChunk, run: StepRun) -> Embedded:
        """Give every clause its vector; only those that have none yet are computed."""
        embedded = await self._ingest.embed(after.submitted.ref, run)
        _require(embedded.is_current)
        return embedded

    async def index(self, after: AfterEmbed, run: StepRun) -> Indexed:
        """Let searches find the clauses."""
        indexed = await self._ingest.index(after.submitted.ref, run)
        _require(indexed.is_current)
        await run.say(f"Indexed {_count(after.embed.chunks, 'clause')} for search")
        return indexed

    async def classify(self, after: AfterChunk, run: StepRun) -> Classified:
        """Name what each clause is about: by a capable model where one may be used, else by the classifier."""
        chunks = await self._read(run.tenant, after.submitted.document, after.chunk)
        classifier = ClauseClassifier.load()
        classified = await asyncio.to_thread(classifier.classify, chunks)
        by_model = await self._writer.classify(run, classified)
        method = Method.MODEL if by_model else Method.CLASSIFIER
        classified = by_model or classified
        document = await self._documents.get_parsed(Reader(run.tenant, None), after.submitted.document)
        labels = await asyncio.to_thread(find_labels, classifier, document, chunks, chosen=classified)
        await self._documents.set_labels(run.tenant, after.submitted.document, labels)
        categories = {label.category for each in classified for label in each.labels}
        await run.say(f"Recognised {_count(len(categories), 'kind')} of clause in {_count(len(chunks), 'clause')}")
        return Classified(method=method, labels=tuple(each.labels for each in classified))

    async def assess(self, after: AfterClassify, run: StepRun) -> Assessed:
        """Read the facts and hold every clause against the playbook."""
        submitted = after.submitted
        analysis = await self.read(run.tenant, submitted.document, after.chunk, after.classify)
        playbook = await self._playbooks.load(run.tenant, submitted.playbook, submitted.playbook_version)
        facts = await asyncio.to_thread(extract_facts, analysis)
        found = await asyncio.to_thread(assess, playbook, analysis, facts)
        findings = tuple(
            Finding(
                id=FindingId(uuid5(_FINDINGS, f"{run.run_id}/{place}")),
                contract_id=ContractId(submitted.contract),
                run_id=run.run_id,
                place=place,
                found=each,
            )
            for place, each in enumerate(found)
        )
        async with self._database.tenant(run.tenant) as transaction:
            await store.add_findings(transaction, ContractId(submitted.contract), run.run_id, findings)
        await run.announce(
            *(
                FindingAdded(
                    key=show_id("fnd", finding.id),
                    severity=finding.found.severity,
                    title=finding.found.title,
                    text=finding.found.why,
                )
                for finding in findings
            )
        )
        grave = sum(each.severity in (Severity.CRITICAL, Severity.HIGH) for each in found)
        await run.say(f"Read {_count(len(facts), 'fact')}; found {_count(len(found), 'risk')}, {grave} of them grave")
        return Assessed(facts=facts, findings=found)

    async def summarize(self, after: AfterAll, run: StepRun) -> Reported:
        """Write the summary, every sentence checked against the text, and store the report."""
        submitted, assessed = after.submitted, after.assess
        analysis = await self.read(run.tenant, submitted.document, after.chunk, after.classify)
        summary = await asyncio.to_thread(summarize, analysis, assessed.facts, assessed.findings)
        summary = await self._writer.summarize(run, analysis, assessed.facts, assessed.findings) or summary
        for sentence in summary.sentences:
            await run.delta("summary", sentence.text + " ")
        words = await self._writer.speak(run, analysis, summary)
        await self._save(submitted, after, run, summary, words)
        await run.say(f"Wrote {_count(len(summary.sentences), 'cited sentence')}; dropped {summary.dropped}")
        return Reported(sentences=len(summary.sentences), dropped=summary.dropped, method=summary.method)

    async def read(self, tenant: TenantId, document: UUID, chunked: Chunked, classified: Classified) -> Analysis:
        """The document with the clauses and labels that earlier steps of the run found."""
        parsed = await self._documents.get_parsed(Reader(tenant, None), document)
        chunks = await self._read(tenant, document, chunked)
        return Analysis(
            parsed,
            tuple(ClassifiedChunk(chunk, labels) for chunk, labels in zip(chunks, classified.labels, strict=True)),
        )

    async def _read(self, tenant: TenantId, document: UUID, chunked: Chunked) -> tuple[Chunk, ...]:
        return (await self._indexes.read_cut(Reader(tenant, None), document, chunked.cut)).chunks

    async def _save(
        self, submitted: Upload, after: AfterAll, run: StepRun, summary: Summary, words: ModelWords | None
    ) -> None:
        parsed = await self._documents.get_parsed(Reader(run.tenant, None), submitted.document)
        body = ReportBody(
            playbook=submitted.playbook,
            playbook_version=submitted.playbook_version,
            generated_at=self._clock(),
            ai_enabled=await self._writer.is_enabled(run.tenant),
            classified_by=after.classify.method,
            summary=summary,
            model_words=words,
            facts=after.assess.facts,
            labels=after.classify.labels,
            warnings=parsed.warnings,
            cut=after.chunk.cut,
        )
        async with self._database.tenant(run.tenant) as transaction:
            await store.save_report(transaction, ContractId(submitted.contract), run.run_id, msgspec.to_builtins(body))


def build_pipeline(analyst: Analyst) -> Pipeline:
    """Declare the steps; changing what one means raises the version."""
    pipeline = Pipeline(PIPELINE, version=2)
    pipeline.step("parse", title="Read the document", retries=2, timeout=timedelta(minutes=3))(analyst.parse)
    pipeline.step("chunk", title="Split into clauses", after=("parse",))(analyst.chunk)
    pipeline.step("embed", title="Read what the clauses mean", after=("chunk",), retries=8)(analyst.embed)
    pipeline.step("index", title="Index the clauses", after=("embed",), retries=8)(analyst.index)
    pipeline.step("classify", title="Recognise the clauses", after=("chunk",))(analyst.classify)
    pipeline.step("assess", title="Hold against the playbook", after=("chunk", "classify"))(analyst.assess)
    after_all = ("chunk", "index", "classify", "assess")
    pipeline.step("summarize", title="Write the summary", after=after_all)(analyst.summarize)
    pipeline.discover(f"{__package__}.steps", analyst)
    return pipeline


def _require(is_current: bool) -> None:
    if not is_current:
        raise NotFound("The contract was deleted while it was analysed.")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
