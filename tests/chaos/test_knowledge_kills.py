"""kill -9 in mid-ingest: every document is indexed once and whole, and nobody ever sees a part of one.

Documents come in, change and are deleted while workers, Postgres and Valkey are killed at moments that nobody chose;
some are stored by a submitter that dies before it starts their run. A poller watches what searches would read all
the while. Short form: a kill of each kind. `make test-chaos` runs the long form.
"""

import asyncio
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest

from mainspring.foundation.db import Database, DatabaseGone, Row, TenantTransaction
from mainspring.foundation.engines import EmbeddedEngines, EngineUrls
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.objects import ObjectStore
from mainspring.foundation.valkey import ValkeyGone, open_valkey
from mainspring.migrations import migrate
from mainspring.orchestration.knowledge.types import Document, DocumentStatus
from tests.orchestration.knowledge.ingestion.works import Works, open_works, wait_until
from tests.orchestration.knowledge.workshop import paragraphs

Result = TypeVar("Result")

MORTAL = Path(__file__).parents[1] / "orchestration/knowledge/ingestion/mortal.py"
WAVE = 6
"""Documents that are handed in before each kill."""
FIRST, SECOND = 5, 7
"""Chunks of a first and of a second revision."""

# Of one snapshot: what the record of a document says, and what is there of it.
_SEEN = """
    select document.id, indexed.revision, indexed.chunks as told,
           (select count(*) from chunk
             where chunk.tenant_id = %(tenant)s and chunk.document_id = document.id) as chunks,
           (select count(*) from chunk_vector as vector
             where vector.tenant_id = %(tenant)s and vector.document_id = document.id) as vectors,
           (select count(*) from chunk_terms as terms
             where terms.tenant_id = %(tenant)s and terms.document_id = document.id) as terms
      from document left join indexed_document as indexed
        on indexed.tenant_id = document.tenant_id and indexed.document_id = document.id
     where document.tenant_id = %(tenant)s"""


@dataclass
class Site:
    """Engines that may be killed, workers that are, and who hands documents in."""

    embedded: EmbeddedEngines
    urls: EngineUrls
    objects_url: str
    works: Works
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list[subprocess.Popen[bytes]])
    deleted: set[str] = field(default_factory=set[str])

    def start_worker(self) -> None:
        command = [sys.executable, str(MORTAL), self.urls.database_url, self.urls.valkey_url, self.objects_url]
        self.workers.append(subprocess.Popen(command, stderr=subprocess.DEVNULL))

    def kill_worker(self, chance: random.Random) -> None:
        worker = self.workers.pop(chance.randrange(len(self.workers)))
        worker.kill()
        worker.wait()

    def stop(self) -> None:
        for worker in self.workers:
            worker.kill()
            worker.wait()


@pytest.fixture(scope="module")
def mortal_engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[EmbeddedEngines, EngineUrls]]:
    """A cluster of this module's own; durable, as it is killed."""
    embedded = EmbeddedEngines(tmp_path_factory.mktemp("mortal"))
    try:
        urls = embedded.start()
        migrate(urls.database_admin_url, login=urls.login)
        yield embedded, urls
    finally:
        embedded.stop()


@pytest.fixture
async def site(mortal_engines: tuple[EmbeddedEngines, EngineUrls], tmp_path: Path) -> AsyncIterator[Site]:
    embedded, urls = mortal_engines
    database, valkey = await Database.open(urls.database_url), open_valkey(urls.valkey_url)
    objects_url = f"file://{tmp_path / 'objects'}"
    site = Site(
        embedded, urls, objects_url, open_works(database, valkey, ObjectStore.open(objects_url), TenantId(new_id()))
    )
    try:
        yield site
    finally:
        site.stop()
        await valkey.aclose()
        await database.close()


@dataclass
class Poller:
    """Looks at what searches would read, again and again, and keeps what must not be."""

    site: Site
    looks: int = 0
    broken: list[Row] = field(default_factory=list[Row])

    async def watch(self) -> None:
        while True:
            with suppress(*DatabaseGone):
                async with self.site.works.workshop.database.tenant(self.site.works.tenant) as transaction:
                    self.take(await transaction.all(_SEEN, tenant=self.site.works.tenant))
            await asyncio.sleep(0.005)

    def take(self, rows: list[Row]) -> None:
        self.looks += 1
        for row in rows:
            expected = {None: 0, 1: FIRST, 2: SECOND}[row["revision"]]
            if {row["chunks"], row["vectors"], row["terms"], row["told"] or 0} != {expected}:
                self.broken.append(row)


def text_of(name: str, revision: int) -> str:
    """A document of `FIRST` or `SECOND` chunks, most of which stay what they are."""
    count = FIRST if revision == 1 else SECOND
    return paragraphs(*(f"{name}part{number}" for number in range(count)))


async def again_and_again(work: Callable[[], Awaitable[Result]]) -> Result:
    """As a caller does that was told the database is away for a moment."""
    async with asyncio.timeout(30):
        while True:
            with suppress(*DatabaseGone, *ValkeyGone):
                return await work()
            await asyncio.sleep(0.1)


async def hand_in(site: Site, numbers: range) -> dict[str, Document]:
    """Documents of which every fourth is stored by a submitter that dies before it starts a run."""
    works, documents = site.works, dict[str, Document]()
    for number in numbers:
        name = f"doc{number}"
        note = works.note(text_of(name, 1), name)
        if number % 4 == 3:
            stored = await again_and_again(lambda note=note: works.workshop.documents.put(works.tenant, note))
        else:
            stored = await again_and_again(lambda note=note: works.ingestion.add(works.anna, note))
        documents[name] = stored.document
    return documents


async def change_and_delete(site: Site, documents: dict[str, Document], names: list[str]) -> None:
    """The first half of the names gets a second revision, the others are deleted."""
    works = site.works
    for name in names[: len(names) // 2]:
        note = works.note(text_of(name, 2), name)
        await again_and_again(lambda note=note: works.ingestion.add(works.anna, note))
    for name in names[len(names) // 2 :]:
        document = documents.pop(name)
        site.deleted.add(str(document.id))
        await again_and_again(lambda document=document: works.ingestion.remove(works.tenant, document.id))


async def is_working(site: Site) -> bool:
    """Whether a step about a document runs at this moment."""
    with suppress(*DatabaseGone):
        async with site.works.workshop.database.tenant(site.works.tenant) as transaction:
            return await transaction.first("select 1 from step where status = 'running'") is not None
    return False


async def kill_something(site: Site, kind: str, chance: random.Random) -> None:
    """As a crash would; what died is started again."""
    postgres, valkey = site.embedded.children
    match kind:
        case "worker":
            site.kill_worker(chance)
            site.start_worker()
        case "postgres":
            await asyncio.to_thread(postgres.kill)
            await asyncio.sleep(0.5)  # its children notice, and let go of their memory
            await asyncio.to_thread(postgres.start)
        case _:
            valkey.kill()
            await asyncio.to_thread(valkey.start)  # it comes back empty


async def are_all_indexed(site: Site, documents: dict[str, Document]) -> bool:
    try:
        found = [await site.works.workshop.standing(document) for document in documents.values()]
    except DatabaseGone:
        return False
    assert [(each.name, each.error) for each in found if each.status is DocumentStatus.FAILED] == []
    return all(each.status is DocumentStatus.INDEXED for each in found)


async def assert_once_and_whole(site: Site, documents: dict[str, Document], changed: set[str]) -> None:
    """Each document is found with the chunks of its newest revision, each once, and nothing else is anywhere."""
    shop = site.works.workshop
    for name, document in documents.items():
        revision = 2 if name in changed else 1
        texts = [text.split(" ")[0].lower() for text in await shop.chunk_texts(document)]
        assert texts == [f"{name}part{number}" for number in range(SECOND if revision == 2 else FIRST)]
        assert (await shop.standing(document)).revision == revision
    assert await shop.indexes.verify(site.works.tenant) == ()
    async with shop.database.tenant(site.works.tenant) as transaction:
        left = await transaction.one(
            """select (select count(*) from document_tombstone) as tombstones,
                      (select count(*) from embedding_draft) as drafts,
                      (select count(*) from indexed_document) as indexed,
                      (select count(*) from document) as documents"""
        )
        doubled = await runs_doubled(transaction)
    assert left == {"tombstones": 0, "drafts": 0, "indexed": len(documents), "documents": len(documents)}
    assert doubled == []
    found, there = {key.split("/")[1] for key in await shop.keys()}, {str(each.id) for each in documents.values()}
    # What a process killed in the middle wrote of a deleted document is swept when it is an hour old.
    assert found >= there
    assert found - there <= site.deleted


async def runs_doubled(transaction: TenantTransaction) -> list[Row]:
    """Revisions that more than one run ended well for."""
    return await transaction.all(
        """select input, count(*) as runs from run where status = 'succeeded'
            group by input having count(*) > 1"""
    )


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "kills",
    [
        ("worker", "postgres", "worker", "valkey"),
        pytest.param(("worker", "valkey", "worker", "postgres") * 6, marks=pytest.mark.slow),
    ],
    ids=["short", "long"],
)
async def test_whatever_is_killed_each_document_is_indexed_once_and_never_seen_in_part(
    site: Site, kills: tuple[str, ...]
) -> None:
    chance, poller, documents = random.Random(len(kills)), Poller(site), dict[str, Document]()
    changed, hits = set[str](), 0
    watching = asyncio.create_task(poller.watch())
    site.start_worker()
    site.start_worker()
    for number, kind in enumerate(kills):
        documents |= await hand_in(site, range(number * WAVE, (number + 1) * WAVE))
        await wait_until(lambda: is_working(site), seconds=90)
        await asyncio.sleep(chance.random() * 0.3)  # a moment that nobody chose
        hits += await is_working(site)
        await kill_something(site, kind, chance)
        if number % 2:
            touched = chance.sample(sorted(documents.keys() - changed), 4)
            await change_and_delete(site, documents, touched)
            changed |= set(touched[:2])
    assert hits >= len(kills) / 2, "most kills hit nothing"
    await wait_until(lambda: are_all_indexed(site, documents), seconds=120)
    await wait_until(lambda: is_swept(site), seconds=30)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    assert poller.broken == []
    assert poller.looks > 50
    await assert_once_and_whole(site, documents, changed)


async def is_swept(site: Site) -> bool:
    async with site.works.workshop.database.tenant(site.works.tenant) as transaction:
        row = await transaction.one("select count(*) as left_over from document_tombstone")
    return row["left_over"] == 0
