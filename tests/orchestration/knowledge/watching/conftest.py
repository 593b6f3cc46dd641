"""An observatory for each test, and the API of `routes`, watched."""

from dataclasses import replace

import pytest

from mainspring.foundation.db import Database
from mainspring.foundation.http import create_app
from mainspring.foundation.ids import TenantId
from mainspring.foundation.objects import ObjectStore
from mainspring.orchestration.knowledge.retrieval import Search
from mainspring.orchestration.knowledge.routes import build_router
from mainspring.orchestration.knowledge.watching import Watch
from tests.orchestration.knowledge.routes.conftest import MAX_UPLOAD, Office, admin, analyst, office, stranger, viewer

from .observatory import Days, DriftingEmbedder, Observatory, open_observatory

__all__ = ["admin", "analyst", "office", "stranger", "viewer"]


@pytest.fixture
async def observatory(database: Database, objects: ObjectStore, tenant: TenantId) -> Observatory:
    return await open_observatory(database, objects, tenant, model=tenant)


@pytest.fixture
def days() -> Days:
    return Days()


@pytest.fixture
def model() -> DriftingEmbedder:
    """What the canary is embedded by in `watched`."""
    return DriftingEmbedder()


@pytest.fixture
def watch(office: Office, days: Days, model: DriftingEmbedder) -> Watch:
    """Over the office's tenant."""
    workshop = office.workshop
    search = Search(workshop.homes, workshop.setups, workshop.embedder)
    return Watch(workshop.database, workshop.homes, workshop.documents, search, model, clock=days)


@pytest.fixture
def watched(office: Office, watch: Watch) -> Office:
    """The API with that watch behind it."""
    services = replace(office.services, watch=watch)
    app = create_app(office.identity, title="knowledge", version="0")
    app.include_router(build_router(services, max_upload_bytes=MAX_UPLOAD))
    return replace(office, app=app, services=services)
