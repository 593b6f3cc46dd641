"""A tenant whose knowledge is watched: days pass at will, and its embedding model can change behind its name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from mainspring.foundation.db import Database
from mainspring.foundation.errors import Unavailable
from mainspring.foundation.ids import TenantId, UserId, new_id
from mainspring.foundation.objects import ObjectStore
from mainspring.foundation.principal import Principal, PrincipalKind
from mainspring.orchestration.knowledge.documents import Documents
from mainspring.orchestration.knowledge.homes import Homes
from mainspring.orchestration.knowledge.indexing import Indexes
from mainspring.orchestration.knowledge.retrieval import Search
from mainspring.orchestration.knowledge.setup import Setup, Setups
from mainspring.orchestration.knowledge.testing import HashEmbedder
from mainspring.orchestration.knowledge.types import Document
from mainspring.orchestration.knowledge.watching import (
    Alert,
    CheckKind,
    CheckStatus,
    GoldenQuestion,
    NewGoldenQuestion,
    SearchedIndex,
    Watch,
    load_texts,
)
from mainspring.orchestration.pipelines.types import StepRun
from tests.orchestration.knowledge.workshop import CountingCaches, Workshop, paragraphs

Drift = Callable[[Sequence[float]], Sequence[float]]

WORDS = (
    "apple",
    "badger",
    "candle",
    "dynamo",
    "ember",
    "falcon",
    "garden",
    "hammer",
    "island",
    "jacket",
    "kettle",
    "ladder",
    "magnet",
    "needle",
    "orchid",
    "pepper",
    "quarry",
    "rocket",
    "saddle",
    "tunnel",
)


class DriftingEmbedder(HashEmbedder):
    """A model that becomes another one when `drift` is set, and may be away for some tenants."""

    def __init__(self) -> None:
        super().__init__()
        self.drift: Drift | None = None
        self.other_model: str | None = None
        self.away_for: set[TenantId] = set()
        self.breaks_for: set[TenantId] = set()
        self.canaries: list[TenantId] = []

    async def embed(
        self, tenant: TenantId, texts: Sequence[str], *, model: str, run: StepRun | None = None
    ) -> Sequence[Sequence[float]]:
        if tenant in self.away_for:
            raise Unavailable("The model is away.")
        if tenant in self.breaks_for:
            raise ValueError("nobody thought of this")
        if texts[0] == load_texts()[0]:
            self.canaries.append(tenant)
        vectors = await super().embed(tenant, texts, model=self.other_model or model, run=run)
        return [self.drift(vector) for vector in vectors] if self.drift else vectors


@dataclass
class Days:
    """A clock that is moved by hand."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(hour=12))

    def __call__(self) -> datetime:
        return self.now

    def pass_one(self) -> None:
        """Tomorrow."""
        self.now += timedelta(days=1)


@dataclass
class Observatory:
    """One tenant, its library, and the watch over it."""

    workshop: Workshop
    days: Days
    watch: Watch
    embedder: DriftingEmbedder
    search: Search

    @property
    def tenant(self) -> TenantId:
        return self.workshop.tenant

    @property
    def admin(self) -> Principal:
        return Principal(self.tenant, PrincipalKind.USER, "Anna", frozenset({"knowledge.manage"}), UserId(new_id()))

    async def index(self) -> SearchedIndex:
        """The one that is searched."""
        active = await self.workshop.indexes.active(self.tenant)
        return SearchedIndex(self.tenant, active.id, active.embedding_model)

    async def look(self, days: int = 1) -> int:
        """A round on each of so many days; how many checks were made."""
        made, index = 0, await self.index()
        for _ in range(days):
            made += await self.watch.watch_tenant(index)
            self.days.pass_one()
        return made

    async def alerts(self) -> list[Alert]:
        """Newest first, unresolved ones before others."""
        return list(await self.watch.records.list_alerts(self.tenant))

    async def open_kinds(self) -> list[CheckKind]:
        """Kinds of alerts that are not resolved."""
        return sorted(alert.subject.kind for alert in await self.alerts() if alert.resolved_at is None)

    async def newest(self, kind: CheckKind) -> tuple[CheckStatus, dict[str, float]]:
        """How the last check of the kind came out."""
        checks = await self.watch.records.list_checks(self.tenant)
        found = next(each for each in checks if each.subject.kind is kind)
        return found.status, dict(found.figures)

    async def events(self) -> list[dict[str, object]]:
        """What was announced to others, in order."""
        async with self.workshop.database.tenant(self.tenant) as transaction:
            rows = await transaction.all(
                """select payload from outbox where tenant_id = %(tenant)s and topic = 'knowledge.quality_moved'
                    order by created_at, id""",
                tenant=self.tenant,
            )
        return [row["payload"] for row in rows]

    async def fill(self, documents: int = 10) -> list[Document]:
        """Documents of six chunks each, each about words of its own."""
        return [await self.workshop.bring_in(f"d{number}", text_of(number)) for number in range(documents)]

    async def ask_for(self, document: Document, number: int) -> GoldenQuestion:
        """A golden question that this document answers."""
        new = NewGoldenQuestion(f"what kind of thing is the {word_of(number, 0)}", document.id)
        return await self.watch.golden.add(self.admin, new)


def word_of(document: int, place: int) -> str:
    """A word that stands in no other document."""
    return f"{WORDS[document % len(WORDS)]}{'abcdefgh'[place]}{document}"


def text_of(document: int) -> str:
    return paragraphs(*(word_of(document, place) for place in range(6)))


async def open_observatory(
    database: Database, objects: ObjectStore, tenant: TenantId, *, model: UUID, embedder: DriftingEmbedder | None = None
) -> Observatory:
    """Empty. `model` makes the embedding model's name, whose canary is everybody's."""
    homes, caches, embedder, days = Homes(database), CountingCaches(), embedder or DriftingEmbedder(), Days()
    setups = Setups(homes, embedder.dimensions)
    documents = Documents(homes, objects, caches)
    indexes = Indexes(homes, objects, documents, setups, embedder)
    workshop = Workshop(tenant, database, objects, homes, caches, embedder, setups, documents, indexes)
    search = Search(homes, setups, embedder)
    watch = Watch(database, homes, documents, search, embedder, clock=days)
    observatory = Observatory(workshop, days, watch, embedder, search)
    await setups.save(observatory.admin, Setup(embedding_model=f"local/{model.hex}"), base_version=0)
    return observatory


def another_watch(observatory: Observatory) -> Watch:
    """As another worker has it."""
    workshop = observatory.workshop
    return Watch(
        workshop.database,
        Homes(workshop.database),
        workshop.documents,
        observatory.search,
        observatory.embedder,
        clock=observatory.days,
    )
