"""HTTP: a tenant's index versions: build the next one, compare, switch, go back."""

from typing import Annotated

from fastapi import APIRouter, Query

from mainspring.foundation.errors import NotFound
from mainspring.foundation.http import CurrentPrincipal
from mainspring.foundation.ids import TenantId
from mainspring.foundation.principal import Principal
from mainspring.orchestration.knowledge.errors import WrongIndexStatus
from mainspring.orchestration.knowledge.schemas.indexes import (
    ComparisonShape,
    IndexList,
    IndexShape,
    RebuildStarted,
    StartRebuild,
    SwitchIndex,
    show_comparison,
    show_index,
    show_started,
)
from mainspring.orchestration.knowledge.services import KnowledgeServices
from mainspring.orchestration.knowledge.types import DocumentStatus, IndexStatus, IndexVersion

from .access import MANAGE, VIEW, index_id, overseer_of


def add_indexes(router: APIRouter, knowledge: KnowledgeServices) -> None:
    """Every route of /v1/knowledge/indexes."""
    _add_reading(router, knowledge)
    _add_rebuilding(router, knowledge)


def _add_reading(router: APIRouter, knowledge: KnowledgeServices) -> None:
    @router.get("/indexes")
    async def list_indexes(principal: CurrentPrincipal) -> IndexList:
        """Every index version with what it holds, newest first. Needs `knowledge.view`."""
        principal.require(VIEW)
        versions = await knowledge.indexes.list_versions(principal.tenant)
        standing = await knowledge.overview.read(overseer_of(principal))
        total = sum(count for status, count in standing.documents.items() if status is not DocumentStatus.FAILED)
        return IndexList(
            items=[show_index(each, standing.filling.get(each.id)) for each in versions], total_documents=total
        )

    @router.get("/indexes/{index}/comparison")
    async def compare_indexes(
        principal: CurrentPrincipal,
        index: str,
        samples: Annotated[int, Query(ge=1, le=500, description="how many texts are asked")] = 100,
    ) -> ComparisonShape:
        """Ask the active index and the one being built the same. Needs `knowledge.manage`.

        Errors: `wrong_index_status` (409).
        """
        principal.require(MANAGE)
        building = await _expect(knowledge, principal.tenant, index, IndexStatus.BUILDING)
        return show_comparison(
            building,
            await knowledge.indexes.compare(principal.tenant, samples=samples, golden=knowledge.watch.golden),
        )


def _add_rebuilding(router: APIRouter, knowledge: KnowledgeServices) -> None:
    @router.post("/indexes:rebuild", status_code=202)
    async def rebuild_index(principal: CurrentPrincipal, body: StartRebuild | None = None) -> RebuildStarted:
        """Build an index beside the active one, at the pace of the settings; the same again goes on with it.

        Searches read the active one until the switch. Needs `knowledge.manage`. Errors: `rebuild_running` (409)
        while one is built by other settings.
        """
        principal.require(MANAGE)
        chosen = body.settings_version if body else None
        if chosen is None:
            chosen = (await knowledge.setups.current(principal.tenant)).version
        started = await knowledge.rebuilds.start(principal, chosen)
        standing = await knowledge.overview.read(overseer_of(principal))
        return show_started(started.index, standing.filling.get(started.index.id), started.run)

    @router.post("/indexes/{index}:switch")
    async def switch_index(principal: CurrentPrincipal, index: str, body: SwitchIndex | None = None) -> IndexShape:
        """Let searches read the index that was built; the other one is kept for a day. Needs `knowledge.manage`.

        Errors: `wrong_index_status` (409), `rebuild_incomplete` (409) with what is missing.
        """
        principal.require(MANAGE)
        await _expect(knowledge, principal.tenant, index, IndexStatus.BUILDING)
        switched = await knowledge.indexes.switch(principal.tenant, force=body.force if body else False)
        return await _show(knowledge, principal, switched)

    @router.post("/indexes/{index}:undo")
    async def undo_switch(principal: CurrentPrincipal, index: str) -> IndexShape:
        """Undo the switch to this index: the one before is active again. Needs `knowledge.manage`.

        Errors: `wrong_index_status` (409), `nothing_to_undo` (409) when the one before is gone.
        """
        principal.require(MANAGE)
        await _expect(knowledge, principal.tenant, index, IndexStatus.ACTIVE)
        return await _show(knowledge, principal, await knowledge.indexes.undo(principal.tenant))

    @router.post("/indexes/{index}:abandon", status_code=204)
    async def abandon_index(principal: CurrentPrincipal, index: str) -> None:
        """Give up the index that is being built, and its run.

        Needs `knowledge.manage`. Errors: `wrong_index_status` (409).
        """
        principal.require(MANAGE)
        building = await _expect(knowledge, principal.tenant, index, IndexStatus.BUILDING)
        await knowledge.rebuilds.abandon(principal, building.id)


async def _expect(knowledge: KnowledgeServices, tenant: TenantId, text: str, status: IndexStatus) -> IndexVersion:
    """The index that the caller means, if it stands as they believe: acting on the wrong one cannot be undone."""
    wanted = index_id(text)
    for version in await knowledge.indexes.list_versions(tenant):
        if version.id == wanted and version.status is status:
            return version
        if version.id == wanted:
            raise WrongIndexStatus(
                f"Index {text} is {version.status.value}, and this is for the {status.value} one; "
                "see GET /v1/knowledge/indexes."
            )
    raise NotFound(f"There is no idx_... with the id {text[:40]!r}.")


async def _show(knowledge: KnowledgeServices, principal: Principal, index: IndexVersion) -> IndexShape:
    standing = await knowledge.overview.read(overseer_of(principal))
    return show_index(index, standing.filling.get(index.id))
