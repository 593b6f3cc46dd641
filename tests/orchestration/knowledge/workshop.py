"""A tenant's knowledge in a test: its rooms on the real engines, an embedder that counts, and texts to bring in."""

from dataclasses import dataclass, field
from uuid import UUID

from mainspring.foundation.clock import Clock, now
from mainspring.foundation.db import Database
from mainspring.foundation.errors import Unavailable
from mainspring.foundation.ids import TenantId
from mainspring.foundation.objects import ObjectStore
from mainspring.orchestration.knowledge.documents import Documents, NewDocument
from mainspring.orchestration.knowledge.homes import Homes
from mainspring.orchestration.knowledge.indexing import Indexes
from mainspring.orchestration.knowledge.setup import Setups
from mainspring.orchestration.knowledge.testing import HashEmbedder
from mainspring.orchestration.knowledge.types import Document, Reader


@dataclass
class CountingCaches:
    """Counts how often a tenant's replies were forgotten."""

    forgotten: list[TenantId] = field(default_factory=list[TenantId])
    is_away: bool = False

    async def forget(self, tenant: TenantId) -> None:
        if self.is_away:
            raise Unavailable("The cache is away.")
        self.forgotten.append(tenant)


@dataclass
class Workshop:
    """Everything that brings documents of one tenant into its indexes."""

    tenant: TenantId
    database: Database
    objects: ObjectStore
    homes: Homes
    caches: CountingCaches
    embedder: HashEmbedder
    setups: Setups
    documents: Documents
    indexes: Indexes

    async def put(self, name: str, text: str, *, document_type: str = "article") -> Document:
        """A document, pending."""
        new = NewDocument("notes", name, f"{name}.txt", text.encode(), document_type=document_type)
        return (await self.documents.put(self.tenant, new)).document

    async def bring_in(self, name: str, text: str, *, document_type: str = "article") -> Document:
        """A document that is in every index it goes into."""
        document = await self.put(name, text, document_type=document_type)
        await self.ingest(document)
        return document

    async def ingest(self, document: Document) -> None:
        """Parse, embed and publish."""
        await self.documents.parse(self.tenant, document.id)
        for index in await self.indexes.targets(self.tenant):
            await self.indexes.embed(self.tenant, document.id, index)
            await self.indexes.publish(self.tenant, document.id, index, revision=document.revision)

    @property
    def platform(self) -> Reader:
        """A reader from whom nothing is kept."""
        return Reader(self.tenant, None)

    async def standing(self, document: Document) -> Document:
        """The document as it is now."""
        return await self.documents.get(self.platform, document.id)

    async def chunk_texts(self, document: Document) -> list[str]:
        """What searches find of the document."""
        return [str(row["text"]) for row in sorted(await self.rows("chunk", document.id), key=_place)]

    async def rows(self, table: str, document: UUID) -> list[dict[str, object]]:
        """The document's rows in a table, of every index."""
        async with self.database.tenant(self.tenant) as transaction:
            sql = f"select * from {table} where tenant_id = %(tenant)s and document_id = %(document)s"
            return await transaction.all(sql, tenant=self.tenant, document=document)  # pyright: ignore[reportArgumentType]

    async def keys(self) -> list[str]:
        """Every blob of the tenant."""
        return sorted([key async for key in self.objects.iter_keys(self.tenant)])


def _place(row: dict[str, object]) -> int:
    return int(str(row["ordinal"]))


def open_workshop(
    database: Database, objects: ObjectStore, tenant: TenantId, *, homes: Homes | None = None, clock: Clock = now
) -> Workshop:
    """The rooms, wired as the entry wires them."""
    homes, caches, embedder = homes or Homes(database), CountingCaches(), HashEmbedder()
    setups = Setups(homes, embedder.dimensions)
    documents = Documents(homes, objects, caches)
    indexes = Indexes(homes, objects, documents, setups, embedder, clock=clock)
    return Workshop(tenant, database, objects, homes, caches, embedder, setups, documents, indexes)


def paragraphs(*words: str) -> str:
    """A text with a paragraph for each word, as long as a chunk of `document_type="article"` may be."""
    return "\n\n".join(
        f"{word.title()} is a word. " + f"The {word} is a thing of its own kind. " * 28 for word in words
    )
