"""Sources in a test: every kind, over the works of ingestion, with a web server and connectors of the test's own."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint
from pathlib import Path

from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId
from mainspring.foundation.objects import ObjectStore
from mainspring.foundation.pagination import page_request
from mainspring.foundation.valkey import Valkey
from mainspring.foundation.vault import LocalKeyWrapper, Vault
from mainspring.orchestration.knowledge.sources import (
    Buckets,
    Connectors,
    Content,
    GuardLimits,
    Item,
    Kinds,
    Sources,
    SyncSteps,
    Walk,
    WebGuard,
    build_remove_source,
    build_sync,
)
from mainspring.orchestration.knowledge.sources.items import EndOfListing, Fetched, Removed
from mainspring.orchestration.knowledge.types import Document, DocumentStatus, Reader
from mainspring.orchestration.pipelines import Pipeline, Run
from tests.orchestration.knowledge.ingestion.works import Works, open_works

from .web import Web

HOST = "wiki.corp"


async def answer_here(host: str, port: int) -> Collection[str]:
    """Every name is this machine; the guard decides what may be reached."""
    return ["127.0.0.1"]


@dataclass
class Shelf:
    """What the connector of the test holds, and how it behaves. It is named by `shelf:CONNECTOR` below."""

    told: list[Item | Removed | EndOfListing] = field(default_factory=list[Item | Removed | EndOfListing])
    seen: list[tuple[Mapping[str, object], str | None, Mapping[str, str] | None]] = field(default_factory=list)
    fails: Exception | None = None
    before: Callable[[int], Awaitable[None]] | None = None

    def check(self, options: Mapping[str, object]) -> None:
        if "shelf" not in options:
            raise ValueError("name a shelf")

    async def items(
        self, options: Mapping[str, object], secret: str | None, cursor: Mapping[str, str] | None
    ) -> AsyncIterator[Item | Removed | EndOfListing]:
        self.seen.append((options, secret, cursor))
        for number, told in enumerate(self.told):
            if self.before is not None:
                await self.before(number)
            yield told
        if self.fails is not None:
            raise self.fails


class ShelfPoint(EntryPoint):
    """An entry point that is loaded without being installed."""

    def load(self) -> Shelf:
        return SHELVES[self.value]


SHELVES: dict[str, Shelf] = {}


@dataclass
class Scene:
    """Sources of one tenant."""

    works: Works
    web: Web
    shelf: Shelf
    sources: Sources
    sync: Pipeline
    removal: Pipeline
    folder: Path

    @property
    def tenant(self) -> TenantId:
        return self.works.tenant

    def url(self, path: str) -> str:
        return f"http://{HOST}:{self.web.port}{path}"

    @asynccontextmanager
    async def working(self) -> AsyncGenerator[None]:
        async with self.works.worker(self.sync, self.removal):
            yield

    async def synced(self, name: str) -> Run:
        """The source's synchronisation, once it has ended."""
        return await self.works.finished(await self.sources.sync_now(self.works.anna, name), seconds=60)

    async def documents(self, source: str) -> dict[str, Document]:
        """The source's documents by external id."""
        page = await self.works.workshop.documents.list_page(self.tenant, page_request(200, None), source=source)
        return {each.external_id: each for each in page.items}

    async def texts(self, source: str) -> dict[str, str]:
        """What is stored of the source, by external id."""
        found = await self.documents(source)
        reader = Reader(self.tenant, None)
        return {
            name: (await self.works.workshop.documents.read_original(reader, each.id)).decode()
            for name, each in found.items()
        }

    async def is_empty(self) -> bool:
        """Whether no bytes of any document are stored."""
        return not [key for key in await self.works.workshop.keys() if key.startswith("documents/")]

    async def all_indexed(self, source: str) -> bool:
        return {each.status for each in (await self.documents(source)).values()} <= {DocumentStatus.INDEXED}


def open_scene(database: Database, valkey: Valkey, folder: Path, tenant: TenantId, web: Web) -> Scene:
    """Everything wired as the entry wires it; the test's server is one that the operator named."""
    works = open_works(database, valkey, ObjectStore.open(f"file://{folder}"), tenant)
    shelf = SHELVES[str(tenant)] = Shelf()
    limits = GuardLimits(max_bytes=100_000, seconds=5, internal_hosts=frozenset({f"{HOST}:{web.port}"}))
    point = ShelfPoint(name="shelf", value=str(tenant), group="mainspring.connectors")
    kinds = Kinds(
        WebGuard(limits, resolver=answer_here),
        Buckets(f"file://{folder}", ("s3://documents/{tenant}/",), max_bytes=100_000),
        Connectors(lambda: {"shelf": point}),
    )
    shop, vault = works.workshop, Vault(database, LocalKeyWrapper([bytes(32)]))
    walk = Walk(shop.homes, shop.documents, works.ingestion)
    steps = SyncSteps(shop.homes, vault, works.pipelines, kinds, walk, works.ingestion)
    sync, removal = build_sync(steps), build_remove_source(steps)
    sources = Sources(
        shop.homes,
        vault,
        kinds,
        works.ingestion,
        shop.caches,
        pipelines=works.pipelines,
        sync=sync,
        removal=removal,
    )
    return Scene(works, web, shelf, sources, sync, removal, folder)


def item(name: str, text: str, *, version: str | None = None, readers: tuple[str, ...] | None = None) -> Item:
    """An item of a connector, whose text is told when it is fetched."""

    async def fetch(known: str | None) -> Fetched:
        FETCHED.append(name)
        return Content(text.encode(), version)

    return Item(name, f"{name}.txt", fetch, version=version, readers=readers)


FETCHED: list[str] = []
"""Names of the items that were fetched, in order; a test clears it."""
