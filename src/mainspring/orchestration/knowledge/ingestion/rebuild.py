"""The pipeline `knowledge.rebuild`: a new index filled beside the active one, compared, and switched to.

How far it is stands in the indexes' rows, so a run that is cut off, or a new one after it, goes on where it was. The
pace is the tenant's own (`reindex_chunks_per_minute`), so that filling does not crowd out what people wait for.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from mainspring.foundation.ids import TenantId, show_id
from mainspring.foundation.principal import Principal
from mainspring.orchestration.knowledge.errors import NoRebuild, RebuildIncomplete
from mainspring.orchestration.knowledge.homes import Homes
from mainspring.orchestration.knowledge.indexing import Indexes
from mainspring.orchestration.knowledge.setup import Setups
from mainspring.orchestration.knowledge.types import IndexStatus, IndexVersion
from mainspring.orchestration.pipelines import Abandon, IdempotencyKeyReused, Pipeline, Pipelines, Run, StepRun
from mainspring.orchestration.pipelines.types import Urgency

from . import store
from .service import MANAGE
from .types import INDEX_PREFIX, Compared, Filled, RebuildRef, Switched

REBUILD = "knowledge.rebuild"

_AT_ONCE = 10
_LAST_ROUNDS = 20
_TAKES = timedelta(days=7)
_BACKGROUND = Urgency(priority=-50)


@dataclass(frozen=True, slots=True)
class _AfterFill:
    submitted: RebuildRef
    fill: Filled


@dataclass(frozen=True, slots=True)
class _AfterCompare:
    submitted: RebuildRef
    compare: Compared


def build_rebuild(indexes: Indexes) -> Pipeline:
    """The pipeline over these indexes."""
    rebuild = Pipeline(REBUILD, version=1)

    @rebuild.step("fill", title="Bring every document into the new index", retries=50, timeout=_TAKES)
    async def fill(submitted: RebuildRef, run: StepRun) -> Filled:
        return await _fill(indexes, submitted, run)

    @rebuild.step("compare", title="Ask both indexes the same", after=("fill",))
    async def compare(given: _AfterFill, run: StepRun) -> Compared:
        if not given.fill.is_ours:
            return Compared(is_ours=False)
        await _check(indexes, run.tenant, given.submitted)
        found = await indexes.compare(run.tenant)
        await run.say(f"Of {found.queries} questions, both find {found.overlap:.0%} of the same places")
        return Compared(True, found.queries, found.overlap, found.rank_correlation)

    @rebuild.step("switch", title="Let searches read the new index", after=("compare",), retries=8)
    async def switch(given: _AfterCompare, run: StepRun) -> Switched:
        if not given.compare.is_ours or not given.submitted.switches:
            return Switched(is_switched=False)
        return await _switch(indexes, given.submitted, run)

    return rebuild


async def _fill(indexes: Indexes, given: RebuildRef, run: StepRun) -> Filled:
    done = 0
    while True:
        if not await _is_building(indexes, run.tenant, given):
            await run.say("Nothing to do: that index is no longer being built")
            return Filled(is_ours=False)
        progress = await indexes.rebuild_some(run.tenant, _AT_ONCE, run=run)
        done += progress.done
        await run.progress(done, done + progress.left, f"Brought in {done} of {done + progress.left} documents")
        if progress.is_complete:
            failed = len(progress.failures)
            await run.say(f"Brought in {done} documents" + (f"; {failed} could not be read" if failed else ""))
            return Filled(True, done, failed)
        await asyncio.sleep(progress.pause.total_seconds())


async def _switch(indexes: Indexes, given: RebuildRef, run: StepRun) -> Switched:
    """Switch; what came in while it was compared is brought in first."""
    for _ in range(_LAST_ROUNDS):
        if not await _is_building(indexes, run.tenant, given):  # an attempt before this one may have done it
            versions = await indexes.list_versions(run.tenant)
            return Switched(any(each.id == given.index and each.status is IndexStatus.ACTIVE for each in versions))
        progress = await indexes.rebuild_some(run.tenant, _AT_ONCE, run=run)
        if not progress.is_complete:
            continue
        try:
            index = await indexes.switch(run.tenant)
        except RebuildIncomplete:
            if progress.blocking:
                raise
            continue
        await run.say(f"Searches read index {index.number}")
        return Switched(is_switched=True)
    raise RebuildIncomplete("Documents come in faster than the new index takes them; start the rebuild again.")


async def _check(indexes: Indexes, tenant: TenantId, given: RebuildRef) -> None:
    if not await _is_building(indexes, tenant, given):
        raise Abandon("That index is no longer being built.", code=NoRebuild.code)


async def _is_building(indexes: Indexes, tenant: TenantId, given: RebuildRef) -> bool:
    versions = await indexes.list_versions(tenant)
    return any(each.id == given.index and each.status is IndexStatus.BUILDING for each in versions)


def subject_of_index(index: UUID) -> str:
    """What a run about an index says it is about."""
    return show_id(INDEX_PREFIX, index)


class Rebuilds:
    """Use cases on the exchange of a tenant's index; each needs `knowledge.manage`.

    rebuild  the pipeline of `build_rebuild`
    """

    def __init__(self, homes: Homes, indexes: Indexes, setups: Setups, pipelines: Pipelines, rebuild: Pipeline) -> None:
        self._homes = homes
        self._indexes = indexes
        self._setups = setups
        self._pipelines = pipelines
        self._rebuild = rebuild

    async def start(self, principal: Principal, *, switches: bool = True) -> Run:
        """Build a new index by the newest setup; one that is being built by it goes on, its failures tried again.

        switches  False stops after the comparison, so that a person decides
        raises    RebuildRunning when one is being built by another setup
        """
        principal.require(MANAGE)
        tenant = principal.tenant
        setup = await self._setups.current(tenant)
        index = await self._indexes.start_rebuild(tenant, setup.version)
        newest = await self._newest(tenant, index)
        if newest is not None:
            if not newest.status.is_final:
                return newest
            await self._indexes.retry_failures(tenant)
        try:
            return await self._submit(tenant, RebuildRef(index.id, switches), newest)
        except IdempotencyKeyReused:  # somebody started it in this moment, with another word about the switch
            newest = await self._newest(tenant, index)
            assert newest is not None
            return newest

    async def switch(self, principal: Principal, *, force: bool = False) -> IndexVersion:
        """Switch to the index that was built; NoRebuild, RebuildIncomplete unless it is forced."""
        principal.require(MANAGE)
        return await self._indexes.switch(principal.tenant, force=force)

    async def undo(self, principal: Principal) -> IndexVersion:
        """Go back to the index that was active before, within a day; NothingToUndo."""
        principal.require(MANAGE)
        return await self._indexes.undo(principal.tenant)

    async def abandon(self, principal: Principal) -> None:
        """Give up the index being built, and the run that fills it; none is fine."""
        principal.require(MANAGE)
        building = [
            each for each in await self._indexes.list_versions(principal.tenant) if each.status is IndexStatus.BUILDING
        ]
        await self._indexes.abandon(principal.tenant)
        for each in building:
            await self._pipelines.cancel_about(principal.tenant, subject_of_index(each.id))

    async def submit_orphaned(self) -> int:
        """Give a run to each index that is being built and never had one, as who began it died; how many.

        What that one wanted of the switch is not known, so it is left to a person.
        """
        submitted = 0
        for tenant, index in await self._find(IndexStatus.BUILDING):
            if not await self._pipelines.latest_runs(tenant, [subject_of_index(index)]):
                await self._submit(tenant, RebuildRef(index, switches=False), None)
                submitted += 1
        return submitted

    async def purge_retired(self) -> int:
        """Remove what is left of indexes that can no longer be gone back to, of all tenants; how many tenants had."""
        tenants = {tenant for tenant, _ in await self._find(IndexStatus.RETIRED)}
        for tenant in tenants:
            while await self._indexes.purge_retired(tenant):
                continue
        return len(tenants)

    async def _find(self, status: IndexStatus) -> list[tuple[TenantId, UUID]]:
        return await self._homes.everywhere(
            lambda transaction: store.find_indexes(transaction, status=status.value), tenant_of=lambda each: each[0]
        )

    async def _newest(self, tenant: TenantId, index: IndexVersion) -> Run | None:
        subject = subject_of_index(index.id)
        return (await self._pipelines.latest_runs(tenant, [subject])).get(subject)

    async def _submit(self, tenant: TenantId, given: RebuildRef, after: Run | None) -> Run:
        return await self._pipelines.submit(
            tenant,
            self._rebuild,
            given,
            idempotency_key=f"{REBUILD}/{given.index}/{after.id if after else 'first'}",
            subject=subject_of_index(given.index),
            urgency=_BACKGROUND,
        )
