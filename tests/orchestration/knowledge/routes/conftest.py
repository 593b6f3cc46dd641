"""A real API over real knowledge: identity with its roles and teams, every service, and a worker that drains it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from mainspring.application.identity import Identity, IdentitySettings, Role, Tenant
from mainspring.application.identity import routes as identity_routes
from mainspring.application.identity.testing import CHEAP_PASSWORDS, Person, make_key, make_member, make_tenant
from mainspring.foundation.db import Database
from mainspring.foundation.http import create_app
from mainspring.foundation.ids import TenantId, read_id
from mainspring.foundation.objects import ObjectStore
from mainspring.foundation.valkey import Valkey
from mainspring.foundation.vault import LocalKeyWrapper, Vault
from mainspring.orchestration.knowledge.ingestion import Ingestion, IngestSteps, build_ingest
from mainspring.orchestration.knowledge.intake import Intake
from mainspring.orchestration.knowledge.overview import Overview
from mainspring.orchestration.knowledge.rebuilds import Rebuilds, build_rebuild
from mainspring.orchestration.knowledge.retrieval import Search
from mainspring.orchestration.knowledge.routes import KnowledgeServices, build_router
from mainspring.orchestration.knowledge.sources import (
    Buckets,
    Connectors,
    GuardLimits,
    Kinds,
    Sources,
    SyncSteps,
    Walk,
    WebGuard,
    build_remove_source,
    build_sync,
)
from mainspring.orchestration.knowledge.watching import Watch
from mainspring.orchestration.pipelines import LiveEvents, Pipeline, Pipelines, Run, RunStatus, Worker
from mainspring.orchestration.pipelines.types import RunId
from tests.orchestration.knowledge.workshop import Workshop, open_workshop

MAX_UPLOAD = 1_000_000


@dataclass(frozen=True, slots=True)
class Office:
    """The API of one tenant's knowledge, and what is behind it."""

    app: FastAPI
    home: Tenant
    identity: Identity
    services: KnowledgeServices
    workshop: Workshop
    pipelines: Pipelines
    valkey: Valkey
    worked: Sequence[Pipeline]

    def browse(self, who: Person | None = None, *, key: str | None = None) -> httpx.AsyncClient:
        """A client that speaks for a person, a key or nobody."""
        headers = dict(who.headers) if who else {"authorization": f"Bearer {key}"} if key else {}
        transport = httpx.ASGITransport(self.app)
        cookies = who.cookies if who else {}
        return httpx.AsyncClient(
            transport=transport, base_url="http://test/v1/knowledge", headers=headers, cookies=cookies
        )

    async def finish(self, run: str) -> Run:
        """Work until the run is over."""
        identifier, stop = RunId(read_id("run", run)), asyncio.Event()
        database = self.workshop.database
        live, worker = LiveEvents(database, self.valkey), Worker(database, self.valkey, pipelines=self.worked)
        working = asyncio.create_task(worker.run(stop))
        async for _ in live.iter_events(self.home.id, identifier):
            pass
        stop.set()
        await working
        await live.close()
        return await self.pipelines.get_run(self.home.id, identifier)

    async def index(self, who: Person, name: str, text: str, **fields: Any) -> dict[str, Any]:
        """Upload a text and bring it into the index; the document as it was accepted."""
        async with self.browse(who) as client:
            answer = await client.post("/documents", files={"file": (name, text.encode())}, data=fields)
            assert answer.status_code == 202, answer.text
        accepted = answer.json()
        run = await self.finish(accepted["run"]["id"])
        assert run.status is RunStatus.SUCCEEDED, run.error
        return accepted["document"]


@pytest.fixture
async def office(database: Database, valkey: Valkey, objects: ObjectStore, tmp_path: Path) -> AsyncIterator[Office]:
    identity = Identity(database, valkey, settings=IdentitySettings(password_cost=CHEAP_PASSWORDS))
    home = await make_tenant(identity)
    pipelines = Pipelines(database, valkey)
    workshop = open_workshop(database, objects, TenantId(home.id))
    services, worked = _build(workshop, pipelines, Vault(database, LocalKeyWrapper([b"k" * 32])), tmp_path)
    app = create_app(identity, title="knowledge", version="0", body_limits={"/v1/knowledge/documents": 2 * MAX_UPLOAD})
    app.include_router(build_router(services, max_upload_bytes=MAX_UPLOAD))
    app.include_router(identity_routes.build_router(identity))
    yield Office(app, home, identity, services, workshop, pipelines, valkey, worked)
    await identity.close()


def _build(
    workshop: Workshop, pipelines: Pipelines, vault: Vault, folder: Path
) -> tuple[KnowledgeServices, list[Pipeline]]:
    homes, documents, indexes = workshop.homes, workshop.documents, workshop.indexes
    ingest, rebuild = build_ingest(IngestSteps(documents, indexes)), build_rebuild(indexes)
    ingestion = Ingestion(homes, workshop.database, documents, pipelines, ingest)
    kinds = Kinds(WebGuard(GuardLimits()), Buckets(f"file://{folder / 'objects'}"), Connectors())
    steps = SyncSteps(homes, vault, pipelines, kinds, Walk(homes, documents, ingestion), ingestion)
    sync, removal = build_sync(steps), build_remove_source(steps)
    sources = Sources(homes, vault, kinds, ingestion, workshop.caches, pipelines=pipelines, sync=sync, removal=removal)
    search = Search(homes, workshop.setups, workshop.embedder)
    services = KnowledgeServices(
        documents=documents,
        indexes=indexes,
        setups=workshop.setups,
        ingestion=ingestion,
        intake=Intake(homes, ingestion, sources),
        sources=sources,
        rebuilds=Rebuilds(indexes, pipelines, rebuild),
        search=search,
        overview=Overview(homes),
        watch=Watch(workshop.database, homes, documents, search, workshop.embedder),
    )
    return services, [ingest, rebuild, sync, removal]


@pytest.fixture
async def admin(office: Office) -> Person:
    return await make_member(office.identity, office.home, Role.ADMIN)


@pytest.fixture
async def analyst(office: Office) -> Person:
    return await make_member(office.identity, office.home, Role.ANALYST)


@pytest.fixture
async def viewer(office: Office) -> Person:
    return await make_member(office.identity, office.home, Role.VIEWER)


@pytest.fixture
async def stranger(office: Office) -> Person:
    """The owner of another tenant."""
    return await make_member(office.identity, await make_tenant(office.identity, "Elsewhere"), Role.OWNER)


@pytest.fixture
async def program(office: Office, admin: Person) -> str:
    """The secret of an API key of the admin's."""
    return (await make_key(office.identity, admin.principal)).secret
