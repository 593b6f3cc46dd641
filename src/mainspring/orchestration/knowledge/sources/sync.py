"""The pipelines of sources: `knowledge.sync` takes in what a source holds, `knowledge.remove_source` removes it.

One run at a time is at a source: the row names it, and each batch begins by looking whether it still does. A run that
finds another one at work ends quietly. Both pipelines may be cut off anywhere and go on: a walk finds what it stored
unchanged, and removing what is removed does nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from mainspring.foundation.errors import MainspringError
from mainspring.foundation.ids import TenantId
from mainspring.foundation.vault import Vault
from mainspring.orchestration.knowledge.homes import Homes
from mainspring.orchestration.knowledge.ingestion import Ingestion
from mainspring.orchestration.knowledge.types import Failure
from mainspring.orchestration.pipelines import Pipeline, Pipelines, StepRun
from mainspring.orchestration.pipelines.types import RunId

from . import store
from .items import Listing
from .kinds import Kinds
from .store import Record
from .taking import Walk, failure_of
from .types import Removals, SourceRef, Synced, Taken

SYNC = "knowledge.sync"
REMOVE_SOURCE = "knowledge.remove_source"
SECRET_KIND = "knowledge source"  # noqa: S105 - what the secret is sealed as

_LOOK_EVERY = 32
_TAKES = timedelta(hours=6)
_PAGE = 100


@dataclass(frozen=True, slots=True)
class _AfterTake:
    submitted: SourceRef
    take: Taken


@dataclass(frozen=True, slots=True)
class _AfterRemove:
    submitted: SourceRef
    take: Taken
    remove: Removals


class _NotOurs(Exception):
    """The source is gone or paused, or another run has become its newest."""


class SyncSteps:
    """What the pipelines of sources do."""

    def __init__(
        self, homes: Homes, vault: Vault, pipelines: Pipelines, kinds: Kinds, walk: Walk, ingestion: Ingestion
    ) -> None:
        self._homes = homes
        self._vault = vault
        self._pipelines = pipelines
        self._kinds = kinds
        self._walk = walk
        self._ingestion = ingestion

    async def take(self, ref: SourceRef, run: StepRun) -> Taken:
        """Store what is new or changed, and name what is gone. What stops it is noted on the source, and raised."""
        record = await self._claim(ref, run)
        if record is None:
            await run.say("Nothing to do: the source is paused or gone, or another run is at it")
            return Taken(is_ours=False)
        try:
            secret = await self._open_secret(run.tenant, record)
            listing = self._kinds.list_items(run.tenant, record, secret)
            return await self._walk.take(run.tenant, record.source, self._while_ours(listing, ref, run), run)
        except _NotOurs:
            await run.say("Stopped: the source was paused or removed")
            return Taken(is_ours=False)
        except MainspringError as error:
            async with self._homes.writing(run.tenant) as transaction:
                await store.note_error(transaction, ref, Failure(error.code, error.detail))
            raise

    async def remove(self, ref: SourceRef, taken: Taken, run: StepRun) -> Removals:
        """Remove the documents that the source has no more."""
        for number, document in enumerate(taken.gone):
            if number % _LOOK_EVERY == 0 and not await self._is_ours(ref, run):
                break
            await self._ingestion.remove(run.tenant, document)
            await run.progress(number + 1, len(taken.gone), f"Removed {number + 1} of {len(taken.gone)} documents")
        return Removals(len(taken.gone))

    async def finish(self, ref: SourceRef, taken: Taken, removals: Removals, run: StepRun) -> Synced:
        """Note that the source was synchronised, and where the next walk goes on."""
        if taken.is_ours:
            # A cursor skips what it has passed, so it stays where it was while items of this walk are missing.
            cursor = taken.cursor if not taken.failed else None
            async with self._homes.writing(run.tenant) as transaction:
                await store.note_synced(transaction, ref, cursor, failure_of(taken))
        return Synced(taken.listed, taken.stored, removals.removed, taken.failed)

    async def remove_source(self, ref: SourceRef, run: StepRun) -> Removals:
        """Remove the source's documents, then the source."""
        removed = 0
        while documents := await self._find_documents(run.tenant, ref):
            for document in documents:
                await self._ingestion.remove(run.tenant, document)
            removed += len(documents)
            await run.progress(removed, removed, f"Removed {removed} documents")
        async with self._homes.writing(run.tenant) as transaction:
            await store.delete(transaction, ref)
        return Removals(removed)

    async def _find_documents(self, tenant: TenantId, ref: SourceRef) -> Sequence[UUID]:
        async with self._homes.reading(tenant) as transaction:
            record = await store.find(transaction, ref.name)
            if record is None or record.source.created_at != ref.created_at:
                return ()
            before = await store.clock(transaction)
            rows = await store.list_names(transaction, ref.name, after=None, before=before, limit=_PAGE)
        return [row["id"] for row in rows]

    async def _claim(self, ref: SourceRef, run: StepRun) -> Record | None:
        """The source, once this run is its newest; None when there is nothing to do for this run."""
        while True:
            async with self._homes.reading(run.tenant) as transaction:
                record = await store.find(transaction, ref.name)
            if record is None or record.source.created_at != ref.created_at or record.source.is_paused:
                return None
            newest = record.source.run_id
            if newest is not None and newest != run.run_id:
                other = await self._pipelines.find_run(run.tenant, RunId(newest))
                if other is not None and not other.status.is_final:
                    return None
            async with self._homes.writing(run.tenant) as transaction:
                if await store.point_at_run(transaction, ref, run.run_id, seen=newest):
                    return record

    async def _is_ours(self, ref: SourceRef, run: StepRun) -> bool:
        async with self._homes.reading(run.tenant) as transaction:
            record = await store.find(transaction, ref.name)
        if record is None or record.source.created_at != ref.created_at:
            return False
        return record.source.run_id == run.run_id and not record.source.is_paused

    async def _while_ours(self, listing: Listing, ref: SourceRef, run: StepRun) -> Listing:
        number = 0
        async for told in listing:
            if number % _LOOK_EVERY == 0 and not await self._is_ours(ref, run):
                raise _NotOurs
            number += 1
            yield told

    async def _open_secret(self, tenant: TenantId, record: Record) -> str | None:
        if record.secret is None:
            return None
        vault = await self._vault.open_tenant(tenant)
        return vault.unseal(SECRET_KIND, record.source.name, record.secret).decode()


def build_sync(steps: SyncSteps) -> Pipeline:
    """The pipeline that synchronises a source."""
    sync = Pipeline(SYNC, version=1)

    @sync.step("take", title="Read what the source holds", retries=5, timeout=_TAKES)
    async def take(submitted: SourceRef, run: StepRun) -> Taken:
        return await steps.take(submitted, run)

    @sync.step("remove", title="Remove what it holds no more", after=("take",), timeout=_TAKES)
    async def remove(given: _AfterTake, run: StepRun) -> Removals:
        return await steps.remove(given.submitted, given.take, run)

    @sync.step("finish", title="Note how it went", after=("take", "remove"))
    async def finish(given: _AfterRemove, run: StepRun) -> Synced:
        return await steps.finish(given.submitted, given.take, given.remove, run)

    return sync


def build_remove_source(steps: SyncSteps) -> Pipeline:
    """The pipeline that removes a source with its documents."""
    removal = Pipeline(REMOVE_SOURCE, version=1)

    @removal.step("remove", title="Remove its documents", retries=8, timeout=_TAKES)
    async def remove(submitted: SourceRef, run: StepRun) -> Removals:
        return await steps.remove_source(submitted, run)

    return removal
