"""HTTP: how a tenant's knowledge stands."""

from fastapi import APIRouter

from mainspring.foundation.http import CurrentPrincipal
from mainspring.orchestration.knowledge.schemas.sources import show_source
from mainspring.orchestration.knowledge.schemas.status import StatusShape, show_status
from mainspring.orchestration.knowledge.services import KnowledgeServices

from .access import MANAGE, VIEW, overseer_of


def add_status(router: APIRouter, knowledge: KnowledgeServices) -> None:
    """The route /v1/knowledge/status."""

    @router.get("/status")
    async def get_knowledge_status(principal: CurrentPrincipal) -> StatusShape:
        """Documents by status, failures by cause, chunks, indexes, sources and the queue. Needs `knowledge.view`."""
        principal.require(VIEW)
        standing = await knowledge.overview.read(overseer_of(principal))
        indexes = await knowledge.indexes.list_versions(principal.tenant)
        sources = await knowledge.sources.list(principal)
        tells_items = MANAGE in principal.permissions
        return show_status(standing, indexes, [show_source(each, tells_items=tells_items) for each in sources])
