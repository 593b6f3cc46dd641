"""A new index beside the active one: filled, compared, switched to, gone back from, and removed.

How far it is, is never counted aside: a document is done when the index holds its newest revision. So the
filling stops and goes on anywhere, and documents that come in meanwhile, which go into both indexes, are done.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from mainspring.foundation.clock import Clock
from mainspring.foundation.errors import MainspringError, NotFound
from mainspring.foundation.ids import TenantId, new_id, show_id
from mainspring.orchestration.knowledge.documents import Documents
from mainspring.orchestration.knowledge.errors import (
    NoRebuild,
    NothingToUndo,
    RebuildIncomplete,
    RebuildRunning,
    Superseded,
)
from mainspring.orchestration.knowledge.homes import Homes
from mainspring.orchestration.knowledge.setup import Setups, StoredSetup
from mainspring.orchestration.knowledge.types import IndexStatus, IndexVersion, Reader
from mainspring.orchestration.pipelines.types import StepRun

from . import rebuild_store, store
from .publishing import Publishing
from .types import RebuildFailure, RebuildProgress

UNDO_WITHIN = timedelta(hours=24)
"""How long the index that was active before is kept."""

_TERMS_FOR_A_DOCUMENT = 500  # counts of terms that are removed in the time of one document


class Rebuilding:
    """Exchanges a tenant's index."""

    def __init__(
        self,
        homes: Homes,
        documents: Documents,
        setups: Setups,
        publishing: Publishing,
        *,
        clock: Clock,
    ) -> None:
        self._homes = homes
        self._documents = documents
        self._setups = setups
        self._publishing = publishing
        self._clock = clock

    async def start(self, tenant: TenantId, setup: StoredSetup, dimensions: int) -> IndexVersion:
        """The index being built by this setup; RebuildRunning when one is built by another."""
        async with self._homes.writing(tenant) as transaction:
            await store.add_index(
                transaction,
                new_id(),
                IndexStatus.BUILDING,
                model=setup.value.embedding_model,
                dimensions=dimensions,
                settings=setup.version,
            )
            building = await store.find_with_status(transaction, IndexStatus.BUILDING)
        if building is None:
            raise NoRebuild("The new index was abandoned at this very moment; start again.")
        if building.settings_version != setup.version:
            raise RebuildRunning(
                f"Index {building.number} is being built by version {building.settings_version} of the setup; "
                "switch to it or abandon it first."
            )
        return building

    async def some(self, tenant: TenantId, limit: int, *, run: StepRun | None) -> RebuildProgress:
        """Bring up to `limit` documents into the index being built."""
        index = await self.building(tenant)
        began_at = self._clock()
        async with self._homes.reading(tenant) as transaction:
            missing = await rebuild_store.list_missing(transaction, index.id, limit)
        done = [await self._bring(tenant, document_id, index, run) for document_id in missing]
        earlier = await self._carried(tenant, index) if len(missing) < limit else {}
        for document_id, revision in list(earlier.items())[: limit - len(missing)]:
            done.append(await self._carry(tenant, document_id, index, revision, run))
        brought = [counts for counts in done if counts is not None]
        chunks = sum(counts[0] for counts in brought)
        rate = (await self._setups.current(tenant)).value.reindex_chunks_per_minute
        pause = timedelta(minutes=chunks / rate) - (self._clock() - began_at)
        left, failures, blocking = await self._standing(tenant, index)
        return RebuildProgress(
            done=len(brought),
            chunks=chunks,
            embedded=sum(counts[1] for counts in brought),
            left=left,
            failures=failures,
            blocking=blocking,
            pause=max(pause, timedelta()),
        )

    async def _bring(
        self, tenant: TenantId, document_id: UUID, index: IndexVersion, run: StepRun | None
    ) -> tuple[int, int] | None:
        """How many chunks it has and how many texts were embedded; None when it failed, changed or was deleted."""
        revision = 0
        try:
            revision = (await self._documents.get(Reader(tenant, None), document_id)).revision
            await self._documents.parse(tenant, document_id)
            made = await self._publishing.cut(tenant, document_id, index)
            embedded = await self._publishing.embed(tenant, document_id, index, run=run)
            await self._publishing.publish(tenant, document_id, index, revision=made.revision)
        except (NotFound, Superseded):
            return None
        except MainspringError as failure:
            if failure.retryable:
                raise
            noted = RebuildFailure(document_id, failure.code, failure.detail)
            await self._note_failure(tenant, index, noted, revision, is_of_earlier=False)
            return None
        return len(made.chunks), embedded

    async def _carried(self, tenant: TenantId, index: IndexVersion) -> dict[UUID, int]:
        async with self._homes.reading(tenant) as transaction:
            active = await store.find_with_status(transaction, IndexStatus.ACTIVE)
            return await rebuild_store.list_carried(transaction, active.id, index.id) if active else {}

    async def _carry(
        self, tenant: TenantId, document_id: UUID, index: IndexVersion, revision: int, run: StepRun | None
    ) -> tuple[int, int] | None:
        """As `_bring`, of the revision that searches find while the newest one cannot be indexed."""
        document = await self._documents.find(Reader(tenant, None), document_id)
        if document is None:
            return None
        try:
            return await self._publishing.carry(tenant, document_id, index, revision, run=run)
        except MainspringError as failure:
            if failure.retryable:
                raise
            noted = RebuildFailure(document_id, failure.code, failure.detail)
            await self._note_failure(tenant, index, noted, document.revision, is_of_earlier=True)
            return None

    async def _note_failure(
        self, tenant: TenantId, index: IndexVersion, failure: RebuildFailure, revision: int, *, is_of_earlier: bool
    ) -> None:
        async with self._homes.writing(tenant) as transaction:
            await rebuild_store.hold_indexes(transaction)
            if await store.hold_document(transaction, failure.document_id) == revision:
                await rebuild_store.note_failure(transaction, index.id, failure, revision, is_of_earlier=is_of_earlier)

    async def _standing(
        self, tenant: TenantId, index: IndexVersion
    ) -> tuple[int, tuple[RebuildFailure, ...], tuple[RebuildFailure, ...]]:
        """How many documents are missing, which failed, and which of those the active index holds."""
        async with self._homes.reading(tenant) as transaction:
            active = await store.find_with_status(transaction, IndexStatus.ACTIVE)
            left = await rebuild_store.count_missing(transaction, index.id)
            if active:
                left += len(await rebuild_store.list_carried(transaction, active.id, index.id))
            failures = await rebuild_store.list_failures(transaction, index.id)
            lost = set(await rebuild_store.list_lost(transaction, active.id, index.id)) if active else set[UUID]()
        return left, failures, tuple(failure for failure in failures if failure.document_id in lost)

    async def retry_failures(self, tenant: TenantId) -> None:
        """Have failed documents tried again."""
        index = await self.building(tenant)
        async with self._homes.writing(tenant) as transaction:
            await rebuild_store.forget_failures(transaction, index.id)

    async def switch(self, tenant: TenantId, *, force: bool) -> IndexVersion:
        """Make the index being built the active one."""
        async with self._homes.writing(tenant) as transaction:
            indexes = await rebuild_store.hold_indexes(transaction)
            building, active = _with_status(indexes, IndexStatus.BUILDING), _with_status(indexes, IndexStatus.ACTIVE)
            if building is None:
                raise _no_rebuild()
            if active is not None:
                if not force:
                    _check_nothing_lost(await rebuild_store.list_lost(transaction, active.id, building.id), building)
                await rebuild_store.retire(transaction, active.id, self._clock())
            return await rebuild_store.activate(transaction, building.id, self._clock())

    async def undo(self, tenant: TenantId) -> IndexVersion:
        """Make the index active that was so before."""
        async with self._homes.writing(tenant) as transaction:
            indexes = await rebuild_store.hold_indexes(transaction)
            active = _with_status(indexes, IndexStatus.ACTIVE)
            kept = [index for index in indexes if index.status is IndexStatus.RETIRED and not self._is_over(index)]
            if active is None or not kept:
                raise NothingToUndo(f"No index was replaced within the last {UNDO_WITHIN.total_seconds() / 3600:g} h.")
            before = max(kept, key=lambda index: index.retired_at or index.created_at)
            await rebuild_store.retire(transaction, active.id, self._clock())
            return await rebuild_store.activate(transaction, before.id, self._clock())

    async def abandon(self, tenant: TenantId) -> None:
        """Retire the index being built, as one that cannot be gone back to."""
        async with self._homes.writing(tenant) as transaction:
            building = _with_status(await rebuild_store.hold_indexes(transaction), IndexStatus.BUILDING)
            if building is not None:
                await rebuild_store.retire(transaction, building.id, self._clock())

    async def purge_retired(self, tenant: TenantId, limit: int) -> int:
        """Remove a batch of what cannot be gone back to; 0 when nothing of it is left.

        Cuts stay as long as their revision: what products wrote of a document's passages points to them.
        """
        async with self._homes.reading(tenant) as transaction:
            indexes = await store.list_indexes(transaction)
        over = [index.id for index in indexes if index.status is IndexStatus.RETIRED and self._is_over(index)]
        if not over:
            return 0
        async with self._homes.writing(tenant) as transaction:
            purged = len(await rebuild_store.purge_documents(transaction, over[0], limit))
            # Never both at once: a deletion locks counts of terms before what the index holds of its document.
            purged = purged or await rebuild_store.purge_terms(transaction, over[0], limit * _TERMS_FOR_A_DOCUMENT)
            if not purged:
                await rebuild_store.remove_index(transaction, over[0])
                over = over[1:]
            await rebuild_store.forget_useless_drafts(transaction)
            return await rebuild_store.count_documents(transaction, over) + len(over)

    async def building(self, tenant: TenantId) -> IndexVersion:
        """The index being built; NoRebuild."""
        async with self._homes.reading(tenant) as transaction:
            index = await store.find_with_status(transaction, IndexStatus.BUILDING)
        if index is None:
            raise _no_rebuild()
        return index

    def _is_over(self, index: IndexVersion) -> bool:
        """Whether a retired index cannot be gone back to: it never was active, or its time is up."""
        if index.activated_at is None or index.retired_at is None:
            return True
        return index.retired_at <= self._clock() - UNDO_WITHIN


def _with_status(indexes: Sequence[IndexVersion], status: IndexStatus) -> IndexVersion | None:
    return next((index for index in indexes if index.status is status), None)


def _check_nothing_lost(lost: Sequence[UUID], building: IndexVersion) -> None:
    if lost:
        shown = ", ".join(show_id("doc", document_id) for document_id in lost[:3])
        raise RebuildIncomplete(
            f"{len(lost)} documents that searches find now are not in index {building.number}, such as {shown}; "
            "let the rebuild finish, mend or delete what failed, or switch with force."
        )


def _no_rebuild() -> NoRebuild:
    return NoRebuild("No new index is being built; start a rebuild first.")
