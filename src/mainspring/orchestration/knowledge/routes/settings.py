"""HTTP: a tenant's settings for its knowledge, their versions, and a preview before they are used."""

from fastapi import APIRouter

from mainspring.foundation.http import CurrentPrincipal, Paging
from mainspring.foundation.ids import TenantId
from mainspring.foundation.pagination import cut_page, make_cursor
from mainspring.orchestration.knowledge.schemas.settings import (
    CurrentSettings,
    PreviewShape,
    SaveSettings,
    SettingsPage,
    TrySettings,
    show_current,
    show_settings,
)
from mainspring.orchestration.knowledge.schemas.shape import show_chunk
from mainspring.orchestration.knowledge.services import KnowledgeServices
from mainspring.orchestration.knowledge.setup import StoredSetup, needs_rebuild
from mainspring.orchestration.knowledge.types import IndexStatus

from .access import MANAGE, VIEW, document_id, reader_of

MAX_PREVIEWED = 500


def add_settings(router: APIRouter, knowledge: KnowledgeServices) -> None:
    """Every route of /v1/knowledge/settings."""
    _add_reading(router, knowledge)
    _add_changing(router, knowledge)


def _add_reading(router: APIRouter, knowledge: KnowledgeServices) -> None:
    @router.get("/settings")
    async def get_knowledge_settings(principal: CurrentPrincipal) -> CurrentSettings:
        """How documents are cut, embedded and searched. Needs `knowledge.view`."""
        principal.require(VIEW)
        return await _show(knowledge, principal.tenant, await knowledge.setups.current(principal.tenant))

    @router.get("/settings/versions")
    async def list_knowledge_settings(principal: CurrentPrincipal, paging: Paging) -> SettingsPage:
        """Every version of the settings, newest first. Needs `knowledge.view`."""
        principal.require(VIEW)
        (before,) = paging.key(int)
        found = await knowledge.setups.list_versions(principal.tenant, before=before, limit=paging.limit + 1)
        items, has_more = cut_page(found, paging)
        next_cursor = make_cursor(str(items[-1].version)) if has_more else None
        return SettingsPage(items=[show_settings(each) for each in items], next_cursor=next_cursor)


def _add_changing(router: APIRouter, knowledge: KnowledgeServices) -> None:
    @router.put("/settings")
    async def save_knowledge_settings(principal: CurrentPrincipal, body: SaveSettings) -> CurrentSettings:
        """Save a new version; the same settings again make none.

        Searches follow at once; other chunks or another embedding model follow with the next rebuild.
        Needs `knowledge.manage`. Errors: `invalid_knowledge_setup` (422) with every field that is wrong,
        `stale_knowledge_setup` (409) when a newer version was saved meanwhile.
        """
        principal.require(MANAGE)
        value = knowledge.setups.read(body.value)
        saved = await knowledge.setups.save(principal, value, base_version=body.base_version, note=body.note)
        return await _show(knowledge, principal.tenant, saved)

    @router.post("/settings:preview")
    async def preview_knowledge_settings(principal: CurrentPrincipal, body: TrySettings) -> PreviewShape:
        """Cut a parsed document by settings that may not be saved yet, for readers of the document.

        Needs `knowledge.manage`. Errors: `invalid_knowledge_setup` (422), `document_not_parsed` (409).
        """
        principal.require(MANAGE)
        reader, identifier = reader_of(principal), document_id(body.document)
        value = None if body.value is None else knowledge.setups.read(body.value)
        document = await knowledge.documents.get(reader, identifier)
        parsed = await knowledge.documents.get_parsed(reader, identifier)
        chosen = body.document_type or document.document_type
        chunks = await knowledge.setups.preview(principal.tenant, parsed, chosen, value)
        return PreviewShape(
            document=body.document,
            document_type=chosen,
            total=len(chunks),
            tokens=sum(chunk.tokens for chunk in chunks),
            chunks=[show_chunk(chunk) for chunk in chunks[:MAX_PREVIEWED]],
        )


async def _show(knowledge: KnowledgeServices, tenant: TenantId, stored: StoredSetup) -> CurrentSettings:
    """With the word whether the searched index still follows other settings; without an index there is nothing to."""
    versions = await knowledge.indexes.list_versions(tenant)
    active = next((each for each in versions if each.status is IndexStatus.ACTIVE), None)
    if active is None or active.settings_version == stored.version:
        return show_current(stored, needs_rebuild=False)
    made_by = await knowledge.setups.get(tenant, active.settings_version)
    return show_current(stored, needs_rebuild=needs_rebuild(made_by.value, stored.value))
