"""`Ingestion`: documents handed in, indexed by runs that survive anything, tried again, and taken away.

Storing a document and submitting its run are two commits, as a tenant's documents may live in another database
than runs do. What falls between is picked up by `housekeeping.submit_pending`. A run's idempotency key names the
document, the revision and the run before it, so that however many submit at once, there is one run.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from uuid import UUID

from mainspring.foundation.db import Database
from mainspring.foundation.errors import NotFound
from mainspring.foundation.ids import TenantId, show_id
from mainspring.foundation.principal import Principal
from mainspring.orchestration.knowledge.documents import Change, Documents, NewDocument
from mainspring.orchestration.knowledge.homes import Homes
from mainspring.orchestration.knowledge.types import Document, DocumentStatus, Failure, Reader
from mainspring.orchestration.pipelines import Pipeline, Pipelines, Run, RunStatus
from mainspring.orchestration.pipelines.types import RunId

from . import store
from .types import DOCUMENT_PREFIX, DocumentRef, SourceCounts, Submission

EDIT, VIEW, MANAGE = "knowledge.edit", "knowledge.view", "knowledge.manage"
MAX_RETRIED = 1_000


def subject_of(document: UUID) -> str:
    """What a run about the document says it is about."""
    return show_id(DOCUMENT_PREFIX, document)


class Ingestion:
    """The way of documents into a tenant's indexes, and out of them.

    ingest  the pipeline of `build_ingest`
    """

    def __init__(
        self, homes: Homes, database: Database, documents: Documents, pipelines: Pipelines, ingest: Pipeline
    ) -> None:
        self._homes = homes
        self._database = database
        self._documents = documents
        self._pipelines = pipelines
        self._ingest = ingest

    async def add(self, principal: Principal, new: NewDocument) -> Submission:
        """Store a document and have it indexed; needs `knowledge.edit`.

        The same bytes again under the same name start nothing, unless they failed before: then they are tried again.
        raises  what `Documents.put` refuses, with nothing stored
        """
        principal.require(EDIT)
        return await self.put(principal.tenant, new)

    async def put(self, tenant: TenantId, new: NewDocument, *, retries_failed: bool = True) -> Submission:
        """As `add`, for the platform's own jobs."""
        stored = await self._documents.put(tenant, new)
        document = stored.document
        if stored.change is Change.UNCHANGED:
            if document.status is DocumentStatus.INDEXED:
                return Submission(document, None)
            if document.status is DocumentStatus.FAILED:
                if not retries_failed:
                    return Submission(document, None)
                return await self._retry(tenant, document)
            return Submission(document, await self.resume(tenant, document))
        given = DocumentRef(document.id, document.revision)
        return Submission(document, await self.submit(tenant, given, after=document.run_id))

    async def submit(self, tenant: TenantId, given: DocumentRef, *, after: UUID | None) -> Run:
        """The run that follows `after`, the newest one noted on the document; any number may call it at once."""
        run = await self._pipelines.submit(
            tenant,
            self._ingest,
            given,
            idempotency_key=f"{self._ingest.name}/{given.document}/{given.revision}/{after or 'first'}",
            subject=subject_of(given.document),
        )
        await self._documents.note_run(tenant, given.document, run.id)
        return run

    async def resume(self, tenant: TenantId, document: Document) -> Run:
        """The noted run while it goes on, else one that follows it if the document still waits."""
        noted = await self._pipelines.find_run(tenant, RunId(document.run_id)) if document.run_id else None
        if noted is not None and (not noted.status.is_final or not await self._is_waiting(tenant, document)):
            return noted
        return await self.submit(tenant, DocumentRef(document.id, document.revision), after=document.run_id)

    async def submit_waiting(self, tenant: TenantId, given: DocumentRef, *, after: UUID | None) -> bool:
        """Start the run that follows `after`, which has ended, unless it indexed the document in this moment."""
        document = await self._documents.find(Reader(tenant, None), given.document)
        if document is None or document.revision != given.revision or document.status is not DocumentStatus.PENDING:
            return False
        await self.submit(tenant, given, after=after)
        return True

    async def _is_waiting(self, tenant: TenantId, document: Document) -> bool:
        """As it stands now: its run may have ended well since it was read."""
        now = await self._documents.find(Reader(tenant, None), document.id)
        return now is not None and now.status is DocumentStatus.PENDING

    async def retry(self, principal: Principal, document_id: UUID) -> Submission:
        """Index a document anew, whether it failed or not; needs `knowledge.edit`; NotFound."""
        principal.require(EDIT)
        document = await self._documents.get(_reader(principal), document_id)
        return await self._retry(principal.tenant, document)

    async def retry_failed(self, principal: Principal, *, code: str | None = None, source: str | None = None) -> int:
        """Try failed documents again, all or those of a cause or source; needs `knowledge.manage`.

        At most 1,000 at once; how many it were.
        """
        principal.require(MANAGE)
        tenant = principal.tenant
        async with self._homes.reading(tenant) as transaction:
            failed = await store.list_failed(transaction, code=code, source=source, limit=MAX_RETRIED)
        retried = 0
        for document_id in failed:
            with suppress(NotFound):  # deleted meanwhile
                await self._retry(tenant, await self._documents.get(Reader(tenant, None), document_id))
                retried += 1
        return retried

    async def _retry(self, tenant: TenantId, document: Document) -> Submission:
        async with self._homes.writing(tenant) as transaction:
            await store.reopen(transaction, document.id, document.revision)
        run = await self.resume(tenant, document)
        return Submission(await self._documents.get(Reader(tenant, None), document.id), run)

    async def delete(self, principal: Principal, document_id: UUID) -> None:
        """Take a document away everywhere, with the runs about it; needs `knowledge.edit`; NotFound.

        Who may not read it cannot delete it, but with `knowledge.manage`.
        """
        principal.require(EDIT)
        reader = Reader(principal.tenant, None) if MANAGE in principal.permissions else _reader(principal)
        document = await self._documents.get(reader, document_id)
        await self.remove(principal.tenant, document.id)

    async def remove(self, tenant: TenantId, document_id: UUID) -> None:
        """As `delete`, for the platform's own jobs; one that is gone is fine."""
        await self._documents.delete(tenant, document_id)
        await self._forget_runs(tenant, document_id)

    async def _forget_runs(self, tenant: TenantId, document_id: UUID) -> None:
        """Delete the runs about a document that is gone, unless one is in progress.

        That one finds the document gone, takes away what it was about to write, and ends by itself; stopped in the
        middle it would leave a blob behind. Its end is heard of by `note_end`.
        """
        subject = subject_of(document_id)
        newest = (await self._pipelines.latest_runs(tenant, [subject])).get(subject)
        if newest is None or newest.status is RunStatus.RUNNING:
            return
        async with self._database.tenant(tenant) as transaction:  # house: allow-home - runs live with the platform
            runs = await self._pipelines.forget_in(transaction, subject)
        await self._pipelines.forget_live(tenant, runs)

    async def status(self, principal: Principal) -> Sequence[SourceCounts]:
        """How the tenant's documents stand, by source, and why those failed that did; needs `knowledge.view`."""
        principal.require(VIEW)
        async with self._homes.reading(principal.tenant) as transaction:
            rows = await store.counts(transaction)
        found: dict[str, tuple[dict[DocumentStatus, int], dict[str, int]]] = {}
        for row in rows:
            documents, failures = found.setdefault(row["source"], ({}, {}))
            status = DocumentStatus(row["status"])
            documents[status] = documents.get(status, 0) + row["documents"]
            if row["error_code"]:
                failures[row["error_code"]] = row["documents"]
        return [_counts(source, documents, failures) for source, (documents, failures) in found.items()]

    async def note_end(self, tenant: TenantId, document_id: UUID, run_id: UUID) -> None:
        """A run has ended: if it failed, so did the document that still waits for it. Repeating it is fine.

        When the document is gone, the run is forgotten as well.
        """
        document = await self._documents.find(Reader(tenant, None), document_id)
        if document is None:
            await self._forget_runs(tenant, document_id)
            return
        run = await self._pipelines.find_run(tenant, RunId(run_id))
        if run is None or document.run_id != run_id or document.status is not DocumentStatus.PENDING:
            return
        failure = failure_of(run)
        if failure is not None:
            await self._documents.fail(tenant, document_id, document.revision, failure)


def failure_of(run: Run) -> Failure | None:
    """Why a run's document is not indexed; None when the run goes on, or did what there was to do."""
    match run.status:
        case RunStatus.FAILED:
            error = run.error
            return Failure(error.code, error.detail) if error else Failure("internal_error", "The run failed.")
        case RunStatus.CANCELLED:
            return Failure("cancelled", "Its run was cancelled; start it again when it is wanted.")
        case _:
            return None


def _counts(source: str, documents: Mapping[DocumentStatus, int], failures: Mapping[str, int]) -> SourceCounts:
    return SourceCounts(source, {status: documents.get(status, 0) for status in DocumentStatus}, failures)


def _reader(principal: Principal) -> Reader:
    return Reader(principal.tenant, principal.subjects)
