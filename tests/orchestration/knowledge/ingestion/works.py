"""Ingestion in a test: its services over the workshop, and a worker that runs its pipelines while it is wanted."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from mainspring.foundation.db import Database
from mainspring.foundation.errors import InvalidInput
from mainspring.foundation.ids import TenantId
from mainspring.foundation.objects import ObjectStore
from mainspring.foundation.outbox import relay
from mainspring.foundation.principal import Principal, PrincipalKind
from mainspring.foundation.valkey import Valkey
from mainspring.orchestration.knowledge.documents import Documents, NewDocument
from mainspring.orchestration.knowledge.homes import Homes
from mainspring.orchestration.knowledge.indexing import Indexes
from mainspring.orchestration.knowledge.ingestion import (
    Ingestion,
    IngestSteps,
    Sweeper,
    Upkeep,
    build_ingest,
    build_subscribers,
)
from mainspring.orchestration.knowledge.rebuilds import Rebuilds, build_rebuild
from mainspring.orchestration.knowledge.setup import Setups
from mainspring.orchestration.knowledge.testing import HashEmbedder
from mainspring.orchestration.pipelines import LiveEvents, Pipeline, Pipelines, Run, StepRun, Worker
from mainspring.orchestration.pipelines.types import RunId
from tests.orchestration.knowledge.workshop import CountingCaches, Workshop

ALL = frozenset({"knowledge.view", "knowledge.edit", "knowledge.manage"})


def caller(tenant: TenantId, *permissions: str, subjects: frozenset[str] = frozenset()) -> Principal:
    """Somebody of the tenant; with every permission of knowledge unless some are named."""
    return Principal(tenant, PrincipalKind.USER, "Anna", frozenset(permissions) or ALL, subjects=subjects)


async def wait_until(claim: Callable[[], Awaitable[bool]], *, seconds: float = 20) -> None:
    """Return as soon as the claim holds; fail when it does not in time."""
    async with asyncio.timeout(seconds):
        while not await claim():  # noqa: ASYNC110 - the claim is about rows that others write
            await asyncio.sleep(0.01)


class MoodyEmbedder(HashEmbedder):
    """The fake embedder, with something to do before each call, such as to wait or to fail.

    refused  a model that it does not have
    """

    def __init__(self) -> None:
        super().__init__()
        self.mood: Callable[[], Awaitable[None]] | None = None
        self.refused: str | None = None

    async def embed(
        self, tenant: TenantId, texts: Sequence[str], *, model: str, run: StepRun | None = None
    ) -> Sequence[Sequence[float]]:
        if self.mood is not None:
            await self.mood()
        if model == self.refused:
            raise InvalidInput(f"There is no model {model!r}.")
        return await super().embed(tenant, texts, model=model, run=run)


@dataclass
class Works:
    """Everything of ingestion, for one tenant."""

    workshop: Workshop
    embedder: MoodyEmbedder
    valkey: Valkey
    pipelines: Pipelines
    ingest: Pipeline
    rebuild: Pipeline
    ingestion: Ingestion
    sweeper: Sweeper
    rebuilds: Rebuilds
    upkeep: Upkeep

    @property
    def tenant(self) -> TenantId:
        return self.workshop.tenant

    @property
    def anna(self) -> Principal:
        return caller(self.tenant)

    @asynccontextmanager
    async def worker(self, *further: Pipeline) -> AsyncGenerator[None]:
        """Runs are worked on within the block."""
        worker = Worker(
            self.workshop.database,
            self.valkey,
            pipelines=[self.ingest, self.rebuild, *further],
            concurrency=8,
            lease=timedelta(seconds=15),
        )
        stop = asyncio.Event()
        running = asyncio.create_task(worker.run(stop, grace=timedelta(seconds=5)))
        try:
            yield
        finally:
            stop.set()
            await running

    async def finished(self, run: Run | None, *, seconds: float = 20) -> Run:
        """The run, once it has ended."""
        assert run is not None
        return await self.finished_id(run.id, seconds=seconds)

    async def finished_id(self, run: RunId, *, seconds: float = 20) -> Run:
        seen: list[Run] = []

        async def has_ended() -> bool:
            seen[:] = [await self.pipelines.get_run(self.tenant, run)]
            return seen[0].status.is_final

        await wait_until(has_ended, seconds=seconds)
        return seen[0]

    async def deliver(self) -> None:
        """Hand ingestion what it hears through the outbox."""
        while await relay(self.workshop.database, build_subscribers(self.ingestion)):
            continue

    async def story(self, run: Run) -> list[str]:
        """What people were told of a run that has ended."""
        live = LiveEvents(self.workshop.database, self.valkey)
        try:
            return [str(event.facts.get("text", "")) async for event in live.iter_events(self.tenant, run.id)]
        finally:
            await live.close()

    def note(self, text: str, name: str = "a") -> NewDocument:
        """A document to be handed in."""
        return NewDocument("uploads", name, f"{name}.txt", text.encode(), document_type="article")


def open_works(database: Database, valkey: Valkey, objects: ObjectStore, tenant: TenantId) -> Works:
    """The services, wired as the entry wires them."""
    homes, caches, embedder = Homes(database), CountingCaches(), MoodyEmbedder()
    setups, documents = Setups(homes, embedder.dimensions), Documents(homes, objects, caches)
    indexes = Indexes(homes, objects, documents, setups, embedder)
    shop = Workshop(tenant, database, objects, homes, caches, embedder, setups, documents, indexes)
    pipelines = Pipelines(database, valkey)
    ingest, rebuild = build_ingest(IngestSteps(documents, indexes)), build_rebuild(indexes)
    ingestion = Ingestion(homes, database, documents, pipelines, ingest)
    sweeper = Sweeper(homes, ingestion, pipelines)
    rebuilds, upkeep = Rebuilds(indexes, pipelines, rebuild), Upkeep(homes, documents, indexes, pipelines, rebuild)
    return Works(shop, embedder, valkey, pipelines, ingest, rebuild, ingestion, sweeper, rebuilds, upkeep)
