"""`Rebuilds`: start the next index, once however many ask."""

from uuid import UUID

from mainspring.foundation.ids import show_id
from mainspring.foundation.principal import Principal
from mainspring.orchestration.knowledge.indexing import Indexes
from mainspring.orchestration.pipelines import Pipeline, Pipelines, Urgency

from .types import RebuildRef, StartedRebuild

MANAGE = "knowledge.manage"

_BACKGROUND = Urgency(priority=-50)
"""Documents that somebody waits for go first."""


class Rebuilds:
    """Use cases on the index that is being built.

    rebuild  the pipeline of `build_rebuild`
    """

    def __init__(self, indexes: Indexes, pipelines: Pipelines, rebuild: Pipeline) -> None:
        self._indexes = indexes
        self._pipelines = pipelines
        self._rebuild = rebuild

    async def start(self, principal: Principal, settings_version: int) -> StartedRebuild:
        """Begin an index by this version of the settings, or go on with the one that is built by it.

        Going on tries the documents again that failed. Needs `knowledge.manage`.
        raises  NotFound for a version that was never saved; RebuildRunning when another one is being built
        """
        principal.require(MANAGE)
        tenant = principal.tenant
        index = await self._indexes.start_rebuild(tenant, settings_version)
        subject = show_id("idx", index.id)
        newest = (await self._pipelines.latest_runs(tenant, [subject])).get(subject)
        if newest is not None and not newest.status.is_final:
            return StartedRebuild(index, newest)
        if newest is not None:
            await self._indexes.retry_failures(tenant)
        run = await self._pipelines.submit(
            tenant,
            self._rebuild,
            RebuildRef(index.id),
            idempotency_key=f"{self._rebuild.name}/{index.id}/{newest.id if newest else 'first'}",
            subject=subject,
            urgency=_BACKGROUND,
        )
        return StartedRebuild(index, run)

    async def abandon(self, principal: Principal, index: UUID) -> None:
        """Give up the index being built, and the run that fills it; needs `knowledge.manage`; none is fine."""
        principal.require(MANAGE)
        await self._indexes.abandon(principal.tenant)
        await self._pipelines.cancel_about(principal.tenant, show_id("idx", index))
