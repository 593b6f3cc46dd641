"""The HTTP routes of knowledge, one module for each resource: parse, authorise, call, shape."""

from fastapi import APIRouter

from mainspring.foundation.http import CallerFirst
from mainspring.orchestration.knowledge.services import KnowledgeServices

from .access import RunPrivacy
from .documents import add_documents
from .golden import add_golden
from .indexes import add_indexes
from .push import add_push
from .search import add_search
from .settings import add_settings
from .sources import add_sources
from .status import add_status

__all__ = ["KnowledgeServices", "RunPrivacy", "build_router"]


def build_router(knowledge: KnowledgeServices, *, max_upload_bytes: int) -> APIRouter:
    """Every route below /v1/knowledge."""
    router = APIRouter(prefix="/v1/knowledge", tags=["knowledge"], route_class=CallerFirst)
    add_search(router, knowledge)
    add_documents(router, knowledge, max_upload_bytes)
    add_push(router, knowledge, max_upload_bytes)
    add_sources(router, knowledge)
    add_settings(router, knowledge)
    add_indexes(router, knowledge)
    add_status(router, knowledge)
    add_golden(router, knowledge)
    return router
