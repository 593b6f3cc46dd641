"""Chunks a second into an index through the real rooms, and what bringing everything in again costs after a change.

Documents of twenty clauses are put, parsed, cut, embedded and published one after the other; what a worker adds for
events and leases is in `bench.pipelines`. Then one paragraph in every hundred changes, as far apart as can be, and
everything is sent again, as a source does that does not know what changed; then one in one document of every hundred.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.objects import ObjectStore
from mainspring.inference.gateway.providers.local.embedder import DIMENSIONS, Embedder
from mainspring.orchestration.knowledge.documents import Change, Documents, NewDocument
from mainspring.orchestration.knowledge.homes import Homes
from mainspring.orchestration.knowledge.indexing import Indexes
from mainspring.orchestration.knowledge.setup import Setups
from mainspring.orchestration.knowledge.testing import HashEmbedder
from mainspring.orchestration.pipelines.types import StepRun

from .rig import Rig

_CLAUSES = 20
_EVERY = 100  # of which one changes


@dataclass(slots=True)
class CountedMiniLm:
    """The bundled model in this process, without the gateway around it; counts what it was sent."""

    texts: list[str] = field(default_factory=list[str])
    _model: Embedder = field(default_factory=lambda: Embedder(threads=len(os.sched_getaffinity(0))))

    async def embed(
        self, tenant: TenantId, texts: Sequence[str], *, model: str, run: StepRun | None = None
    ) -> Sequence[Sequence[float]]:
        """A unit vector for each text."""
        self.texts.extend(texts)
        return await asyncio.to_thread(self._run, texts)

    def dimensions(self, model: str) -> int:
        """Of MiniLM."""
        return DIMENSIONS

    def _run(self, texts: Sequence[str]) -> list[list[float]]:
        vectors: list[list[float]] = [[]] * len(texts)
        for batch in self._model.batches(texts):
            for place, vector in zip(batch.places, self._model.run(batch).tolist(), strict=True):
                vectors[place] = vector
        return vectors


class NoCaches:
    """Keeps nothing."""

    async def forget(self, tenant: TenantId) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True)
class Pass:
    """All documents sent once: how long it took, and how many texts the model had to embed."""

    seconds: float
    texts: int


@dataclass(frozen=True, slots=True)
class Ingested:
    """Three passes over the same documents.

    paragraphs   after one paragraph in a hundred had changed, in as many documents as possible
    few          after a paragraph had changed in one document of a hundred
    """

    embedder: str
    documents: int
    chunks: int
    first: Pass
    paragraphs: Pass
    few: Pass

    @property
    def chunks_per_second(self) -> float:
        """Of the first pass."""
        return self.chunks / self.first.seconds


def measure_ingestion(rig: Rig, clauses: Sequence[str], *, fast: int, real: int) -> list[Ingested]:
    """With a fake embedder, for the engine's own cost, and with the bundled model; documents of each.

    clauses   texts to make documents of, used again with other numbers where there are too few
    """
    return [
        asyncio.run(_measure(rig, clauses, HashEmbedder(), "none (hashed words)", fast)),
        *([asyncio.run(_measure(rig, clauses, CountedMiniLm(), "MiniLM", real))] if real else []),
    ]


async def _measure(
    rig: Rig, clauses: Sequence[str], embedder: HashEmbedder | CountedMiniLm, name: str, count: int
) -> Ingested:
    database = await Database.open(rig.urls.database_url)
    with tempfile.TemporaryDirectory(prefix="mainspring-bench-") as folder:
        rooms = _Rooms.open(database, ObjectStore.open(f"file://{Path(folder)}"), embedder)
        texts = [_compose(clauses, number) for number in range(count)]
        await rooms.bring_in(-1, _compose(clauses, count + 1))  # starts the parser's process and makes the index
        first = await _send(rooms, embedder, texts)
        chunks = await rooms.count_chunks()
        texts = [_amend(text) if number * _CLAUSES % _EVERY < _CLAUSES else text for number, text in enumerate(texts)]
        paragraphs = await _send(rooms, embedder, texts)
        texts = [text if number % _EVERY else _amend(text) for number, text in enumerate(texts)]
        few = await _send(rooms, embedder, texts)
    await database.close()
    return Ingested(name, count, chunks, first, paragraphs, few)


async def _send(rooms: "_Rooms", embedder: HashEmbedder | CountedMiniLm, texts: Sequence[str]) -> Pass:
    embedder.texts.clear()
    began = time.perf_counter()
    for number, text in enumerate(texts):
        await rooms.bring_in(number, text)
    return Pass(time.perf_counter() - began, len(embedder.texts))


@dataclass(frozen=True, slots=True)
class _Rooms:
    tenant: TenantId
    database: Database
    documents: Documents
    indexes: Indexes

    @classmethod
    def open(cls, database: Database, objects: ObjectStore, embedder: HashEmbedder | CountedMiniLm) -> "_Rooms":
        homes = Homes(database)
        documents = Documents(homes, objects, NoCaches())
        indexes = Indexes(homes, objects, documents, Setups(homes, embedder.dimensions), embedder)
        return cls(TenantId(new_id()), database, documents, indexes)

    async def bring_in(self, number: int, text: str) -> None:
        new = NewDocument("bench", str(number), f"{number}.txt", text.encode(), document_type="contract")
        stored = await self.documents.put(self.tenant, new)
        if stored.change is Change.UNCHANGED:
            return
        await self.documents.parse(self.tenant, stored.document.id)
        for index in await self.indexes.targets(self.tenant):
            await self.indexes.embed(self.tenant, stored.document.id, index)
            await self.indexes.publish(self.tenant, stored.document.id, index, revision=stored.document.revision)

    async def count_chunks(self) -> int:
        async with self.database.tenant(self.tenant) as transaction:
            row = await transaction.one(
                "select sum(chunks)::bigint as n from indexed_document where tenant_id = %(t)s", t=self.tenant
            )
        return int(row["n"])


def _compose(clauses: Sequence[str], number: int) -> str:
    """A contract of numbered clauses; no text is in two of them, so nothing is saved by knowing it already."""
    chosen = [clauses[(number * _CLAUSES + place) % len(clauses)] for place in range(_CLAUSES)]
    return "\n\n".join(
        f"{place}. {' '.join(clause.split())} Reference {number}-{place}." for place, clause in enumerate(chosen, 1)
    )


def _amend(text: str) -> str:
    """One paragraph says something more; the others stay as they were."""
    paragraphs = text.split("\n\n")
    paragraphs[len(paragraphs) // 2] += " This clause was amended."
    return "\n\n".join(paragraphs)
