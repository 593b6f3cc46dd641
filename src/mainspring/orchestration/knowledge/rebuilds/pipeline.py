"""The pipeline `knowledge.rebuild`. The switch is nobody's step: a person looks at the comparison and decides."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from mainspring.foundation.ids import TenantId
from mainspring.orchestration.knowledge.errors import NoRebuild
from mainspring.orchestration.knowledge.indexing import Indexes
from mainspring.orchestration.knowledge.ports import GoldenRuns
from mainspring.orchestration.knowledge.types import IndexStatus
from mainspring.orchestration.pipelines import Pipeline, StepRun

from .types import Compared, Filled, RebuildRef

REBUILD = "knowledge.rebuild"

_TAKES = timedelta(days=1)
"""Of one attempt; how far the index is, is what it holds, so the next attempt goes on where this one stopped."""
_BATCH = 10
_IDLE_SECONDS = 0.2
_LOOK_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class _AfterFill:
    submitted: RebuildRef
    fill: Filled


def build_rebuild(indexes: Indexes, golden: GoldenRuns | None = None) -> Pipeline:
    """The pipeline over a tenant's indexes; `golden` lets their comparison ask the tenant's golden questions too."""
    rebuild = Pipeline(REBUILD, version=1)

    @rebuild.step("fill", title="Bring every document into the new index", retries=50, timeout=_TAKES)
    async def fill(submitted: RebuildRef, run: StepRun) -> Filled:
        return await _fill(indexes, submitted.index, run)

    @rebuild.step("compare", title="Compare it with the present one", after=("fill",))
    async def compare(given: _AfterFill, run: StepRun) -> Compared:
        if not given.fill.is_current or not await _is_building(indexes, run.tenant, given.submitted.index):
            return Compared()
        try:
            compared = await indexes.compare(run.tenant, golden=golden)
        except NoRebuild:
            return Compared()
        await run.say(f"Of the first ten places, {compared.overlap:.0%} are the same in both indexes.")
        return Compared(compared.queries, compared.overlap, compared.rank_correlation)

    return rebuild


async def _fill(indexes: Indexes, index: UUID, run: StepRun) -> Filled:
    documents = chunks = embedded = 0
    while await _is_building(indexes, run.tenant, index):
        try:
            batch = await indexes.rebuild_some(run.tenant, _BATCH, run=run)
        except NoRebuild:
            break
        documents, chunks, embedded = documents + batch.done, chunks + batch.chunks, embedded + batch.embedded
        await run.progress(documents, documents + batch.left, f"{documents} documents are in, {batch.left} to go")
        if batch.is_complete:
            return Filled(True, documents, chunks, embedded, failed=len(batch.failures))
        await _rest(indexes, index, run, batch.pause.total_seconds() or (0 if batch.done else _IDLE_SECONDS))
    return Filled(False, documents, chunks, embedded)


async def _rest(indexes: Indexes, index: UUID, run: StepRun, seconds: float) -> None:
    """Keep to the tenant's pace, which may be slow; but not for an index that is no longer wanted."""
    while seconds > 0 and await _is_building(indexes, run.tenant, index):
        await asyncio.sleep(min(seconds, _LOOK_SECONDS))
        seconds -= _LOOK_SECONDS


async def _is_building(indexes: Indexes, tenant: TenantId, index: UUID) -> bool:
    """Whether this very index is still the one being built: it may be abandoned, and another one begun."""
    versions = await indexes.list_versions(tenant)
    return any(each.id == index and each.status is IndexStatus.BUILDING for each in versions)
