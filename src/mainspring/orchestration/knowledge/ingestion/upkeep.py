"""The rare duties of knowledge, for a worker's hourly loop; done by many workers at once they do no harm.

An index that is being built and has no run, as who began it died, gets one; what is left of retired indexes goes when
they can no longer be gone back to; and so do bytes that a killed process left without a row.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from mainspring.foundation.db import DatabaseGone, SystemTransaction
from mainspring.foundation.errors import MainspringError
from mainspring.foundation.ids import TenantId, show_id
from mainspring.foundation.telemetry import get_logger
from mainspring.orchestration.knowledge.documents import Documents
from mainspring.orchestration.knowledge.homes import Homes
from mainspring.orchestration.knowledge.indexing import Indexes
from mainspring.orchestration.knowledge.rebuilds import RebuildRef
from mainspring.orchestration.knowledge.types import IndexStatus
from mainspring.orchestration.pipelines import Pipeline, Pipelines

from . import store

log = get_logger(__name__)

_INDEX_PREFIX = "idx"


class Upkeep:
    """Looks after the indexes and blobs of all tenants. One tenant's trouble is logged, and holds up no other.

    rebuild  the pipeline of `rebuilds.build_rebuild`
    """

    def __init__(
        self, homes: Homes, documents: Documents, indexes: Indexes, pipelines: Pipelines, rebuild: Pipeline
    ) -> None:
        self._homes = homes
        self._documents = documents
        self._indexes = indexes
        self._pipelines = pipelines
        self._rebuild = rebuild

    async def submit_orphaned(self) -> int:
        """Give a run to each index that is being built and never had one; how many.

        A run that failed is not followed by another: a person looks at why, and starts it again.
        """
        submitted = 0
        for tenant, index in await self._find((IndexStatus.BUILDING,)):
            subject = show_id(_INDEX_PREFIX, index)
            if await self._pipelines.latest_runs(tenant, [subject]):
                continue
            await self._pipelines.submit(
                tenant,
                self._rebuild,
                RebuildRef(index),
                idempotency_key=f"{self._rebuild.name}/{index}/first",  # as `Rebuilds.start` names it
                subject=subject,
            )
            submitted += 1
        return submitted

    async def purge_retired(self) -> int:
        """Remove indexes that can no longer be gone back to, in batches; of how many tenants there were some."""
        tenants = {tenant for tenant, _ in await self._find((IndexStatus.RETIRED,))}
        for tenant in sorted(tenants):
            try:
                while await self._indexes.purge_retired(tenant):
                    continue
            except (MainspringError, *DatabaseGone) as failure:
                log.warning("retired_index_left", tenant=str(tenant), error=type(failure).__name__)
        return len(tenants)

    async def sweep_strays(self) -> int:
        """Remove blobs of documents that are not there; of how many documents. Lists every blob: do it once a day."""
        removed = 0
        for tenant in sorted({tenant for tenant, _ in await self._find(tuple(IndexStatus))}):
            try:
                removed += await self._documents.sweep_strays(tenant)
            except (MainspringError, *DatabaseGone) as failure:
                log.warning("stray_blobs_left", tenant=str(tenant), error=type(failure).__name__)
        return removed

    async def _find(self, statuses: Collection[IndexStatus]) -> Sequence[tuple[TenantId, UUID]]:
        async def find(transaction: SystemTransaction) -> Sequence[tuple[TenantId, UUID]]:
            return await store.find_indexes(transaction, statuses=[status.value for status in statuses])

        return await self._homes.everywhere(find, tenant_of=lambda each: each[0])
