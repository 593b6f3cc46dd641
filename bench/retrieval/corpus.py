"""The contracts in a throwaway Mainspring: two tenants of one engine, one cut by clause and one at fixed sizes."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import numpy as np

from mainspring.foundation.db import Database
from mainspring.foundation.engines import EmbeddedEngines
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.objects import ObjectStore
from mainspring.foundation.principal import Principal, PrincipalKind
from mainspring.inference.gateway.providers.local.embedder import DIMENSIONS
from mainspring.inference.gateway.providers.local.embedder import Embedder as LocalModel
from mainspring.migrations import migrate
from mainspring.orchestration.knowledge.chunking import ClauseChunking, FixedChunking, cut
from mainspring.orchestration.knowledge.documents import Documents, NewDocument
from mainspring.orchestration.knowledge.homes import Homes
from mainspring.orchestration.knowledge.indexing import Indexes
from mainspring.orchestration.knowledge.setup import DEFAULT_CHUNKING, Setup, Setups
from mainspring.orchestration.knowledge.types import Chunk, Label, Reader
from mainspring.orchestration.pipelines.types import StepRun
from mainspring.showcase.contracts import find_labels
from mainspring.showcase.contracts.classifier import ClauseClassifier

from .contracts import Contract

CHUNKINGS = {"clause": ClauseChunking(), "fixed": FixedChunking()}


class CachedMiniLm:
    """The bundled model in this process; vectors are kept in a folder by the hash of their text."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._model: LocalModel | None = None
        self._held: dict[bytes, tuple[float, ...]] = {}
        folder.mkdir(parents=True, exist_ok=True)

    async def embed(
        self, tenant: TenantId, texts: Sequence[str], *, model: str, run: StepRun | None = None
    ) -> Sequence[Sequence[float]]:
        """One vector for each text."""
        missing = [text for text in dict.fromkeys(texts) if not self._is_held(text)]
        if missing:
            self._model = self._model or LocalModel(2)
            for batch in self._model.batches(missing):
                for place, vector in zip(batch.places, self._model.run(batch), strict=True):
                    (self._folder / _digest(missing[place]).hex()).write_bytes(vector.tobytes())
        return [self._vector(text) for text in texts]

    def dimensions(self, model: str) -> int:
        """384."""
        return DIMENSIONS

    def _is_held(self, text: str) -> bool:
        return _digest(text) in self._held or (self._folder / _digest(text).hex()).is_file()

    def _vector(self, text: str) -> tuple[float, ...]:
        digest = _digest(text)
        if digest not in self._held:
            content = (self._folder / digest.hex()).read_bytes()
            self._held[digest] = tuple(np.frombuffer(content, dtype=np.float32).tolist())
        return self._held[digest]


def _digest(text: str) -> bytes:
    return sha256(text.encode()).digest()


class NoCaches:
    """Keeps nothing, so there is nothing to forget."""

    async def forget(self, tenant: TenantId) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True)
class OneSetup:
    """The same setup for every tenant."""

    value: Setup

    async def current(self, tenant: TenantId, /) -> "OneSetup":
        """This one."""
        return self


@dataclass(frozen=True, slots=True)
class Corpus:
    """A tenant that holds the contracts: documents by the contracts' names, and how many chunks each has."""

    tenant: TenantId
    documents: dict[str, UUID]
    chunks: int
    characters: int


@dataclass(frozen=True, slots=True)
class Shop:
    """The rooms that bring documents in."""

    homes: Homes
    documents: Documents
    indexes: Indexes


@asynccontextmanager
async def open_homes(folder: Path) -> AsyncGenerator[tuple[Database, Homes]]:
    """A migrated engine in the folder, gone afterwards."""
    engines = EmbeddedEngines(folder, is_durable=False)
    urls = engines.start()
    try:
        migrate(urls.database_admin_url, login=urls.login)
        database = await Database.open(urls.database_url)
        try:
            yield database, Homes(database)
        finally:
            await database.close()
    finally:
        engines.stop()


async def fill(
    contracts: Sequence[Contract], chunking: str, embedder: CachedMiniLm, rooms: tuple[Database, Homes, Path]
) -> Corpus:
    """Put, parse, cut, embed, publish and label every contract, as the product does.

    Labels are the same places whatever the chunks are: those of the clauses that the product cuts.
    """
    _, homes, folder = rooms
    objects = ObjectStore.open(f"file://{folder / 'objects'}")
    documents = Documents(homes, objects, NoCaches())
    setups = Setups(homes, embedder.dimensions)
    shop = Shop(homes, documents, Indexes(homes, objects, documents, setups, embedder))
    tenant, classifier = TenantId(new_id()), ClauseClassifier.load()
    owner = Principal(tenant, PrincipalKind.SYSTEM, "benchmark", frozenset())
    chunkings = {**DEFAULT_CHUNKING, "contract": CHUNKINGS[chunking]}
    await setups.save(owner, Setup(chunking=chunkings), base_version=None)
    placed: dict[str, UUID] = {}
    count = characters = 0
    for contract in contracts:
        document, chunks, labels = await _bring_in(shop, tenant, contract, classifier)
        await documents.set_labels(tenant, document, labels)
        placed[contract.name] = document
        count += len(chunks)
        characters += sum(chunk.end - chunk.start for chunk in chunks)
    return Corpus(tenant, placed, count, characters)


async def _bring_in(
    shop: Shop, tenant: TenantId, contract: Contract, classifier: ClauseClassifier
) -> tuple[UUID, tuple[Chunk, ...], list[Label]]:
    name = f"{contract.name}.txt"
    new = NewDocument("contracts", contract.name, name, contract.content, document_type="contract")
    document = (await shop.documents.put(tenant, new)).document
    parsed = await shop.documents.parse(tenant, document.id)
    index = await shop.indexes.active(tenant)
    await shop.indexes.embed(tenant, document.id, index)
    await shop.indexes.publish(tenant, document.id, index, revision=document.revision)
    chunks = await shop.indexes.list_chunks(Reader(tenant, None), document.id)
    clauses = ClauseChunking()
    return document.id, chunks, find_labels(classifier, parsed, cut(parsed, clauses))
