"""HTTP: where a tenant's documents come from."""

from fastapi import APIRouter

from mainspring.foundation.http import CurrentPrincipal
from mainspring.foundation.principal import Principal
from mainspring.orchestration.knowledge.schemas.sources import (
    ChangeSource,
    CreateSource,
    SourceList,
    SourceRun,
    SourceShape,
    read_change,
    read_source,
    show_source,
    show_source_run,
)
from mainspring.orchestration.knowledge.services import KnowledgeServices
from mainspring.orchestration.knowledge.sources.types import Source

from .access import MANAGE, VIEW


def add_sources(router: APIRouter, knowledge: KnowledgeServices) -> None:
    """Every route of /v1/knowledge/sources but those of its documents."""
    _add_reading(router, knowledge)
    _add_changing(router, knowledge)


def _add_reading(router: APIRouter, knowledge: KnowledgeServices) -> None:
    @router.get("/sources")
    async def list_sources(principal: CurrentPrincipal) -> SourceList:
        """The tenant's sources by name, with how each stands; secrets are never shown.

        What was wrong is told in full with `knowledge.manage`, as it names items. Needs `knowledge.view`.
        """
        principal.require(VIEW)
        return SourceList(items=[_show(principal, each) for each in await knowledge.sources.list(principal)])

    @router.get("/sources/{source}")
    async def get_source(principal: CurrentPrincipal, source: str) -> SourceShape:
        """One source. Needs `knowledge.view`."""
        principal.require(VIEW)
        return _show(principal, await knowledge.sources.get(principal, source))


def _add_changing(router: APIRouter, knowledge: KnowledgeServices) -> None:
    @router.post("/sources", status_code=201)
    async def create_source(principal: CurrentPrincipal, body: CreateSource) -> SourceShape:
        """Set up a source. Needs `knowledge.manage`.

        Errors: `invalid_source` (422), `url_refused` (422) for an address that may not be fetched, `conflict` (409)
        for a name that is taken.
        """
        principal.require(MANAGE)
        return _show(principal, await knowledge.sources.create(principal, read_source(body)))

    @router.patch("/sources/{source}")
    async def change_source(principal: CurrentPrincipal, source: str, body: ChangeSource) -> SourceShape:
        """Change a source, pause it, or let it go on; absent fields stay, and so does its kind.

        Other readers are those of all its documents from the next request on. Needs `knowledge.manage`.
        Errors: `invalid_source` (422), `url_refused` (422), `source_busy` (409) while it is being removed.
        """
        principal.require(MANAGE)
        known = await knowledge.sources.get(principal, source)
        return _show(principal, await knowledge.sources.update(principal, source, read_change(body, known)))

    @router.delete("/sources/{source}", status_code=202)
    async def delete_source(principal: CurrentPrincipal, source: str) -> SourceRun:
        """Delete a source with all its documents. Nothing comes in any more; it is gone when the run has succeeded.

        Needs `knowledge.manage`.
        """
        principal.require(MANAGE)
        return show_source_run(await knowledge.sources.delete(principal, source))

    @router.post("/sources/{source}:sync", status_code=202)
    async def sync_source(principal: CurrentPrincipal, source: str) -> SourceRun:
        """Bring in what is new, changed or gone, now; follow `stream_url`. Needs `knowledge.manage`.

        Errors: `source_busy` (409) for a source that is paused, pushed to or being removed.
        """
        principal.require(MANAGE)
        return show_source_run(await knowledge.sources.sync_now(principal, source))


def _show(principal: Principal, source: Source) -> SourceShape:
    return show_source(source, tells_items=MANAGE in principal.permissions)
