"""A tenant's knowledge in a test: its rooms on the real engines, an embedder that counts, and texts to bring in."""

from dataclasses import dataclass, field
from uuid import UUID

from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId
from mainspring.foundation.objects import ObjectStore
from mainspring.orchestration.knowledge.documents import Documents, NewDocument
from mainspring.orchestration.knowledge.homes import Homes
from mainspring.orchestration.knowledge.indexing import Indexes
from mainspring.orchestration.knowledge.setup import Setups
from mainspring.orchestration.knowledge.testing import HashEmbedder
from mainspring.orchestration.knowledge.types import Document


@dataclass
class CountingCaches:
    """Counts how often a tenant's replies were forgotten."""

    forgotten: list[TenantId] = field(default_factory=list[TenantId])

    async def forget(self, tenant: TenantId) -> None:
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

    async def put(self, name: str, text: str, *, document_type: str = "text") -> Document:
        """A document, pending."""
        new = NewDocument("notes", name, f"{name}.txt", text.encode(), document_type=document_type)
        return (await self.documents.put(self.tenant, new)).document

    async def bring_in(self, name: str, text: str, *, document_type: str = "text") -> Document:
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

    async def rows(self, table: str, document: UUID) -> list[dict[str, object]]:
        """The document's rows in a table, of every index."""
        async with self.database.tenant(self.tenant) as transaction:
            sql = f"select * from {table} where tenant_id = %(tenant)s and document_id = %(document)s"
            return await transaction.all(sql, tenant=self.tenant, document=document)  # pyright: ignore[reportArgumentType]

    async def keys(self) -> list[str]:
        """Every blob of the tenant."""
        return sorted([key async for key in self.objects.iter_keys(self.tenant)])


def open_workshop(database: Database, objects: ObjectStore, tenant: TenantId) -> Workshop:
    """The rooms, wired as the entry wires them."""
    homes, caches, embedder = Homes(database), CountingCaches(), HashEmbedder()
    setups = Setups(homes, embedder.dimensions)
    documents = Documents(homes, database, objects, caches)
    indexes = Indexes(homes, objects, documents, setups, embedder)
    return Workshop(tenant, database, objects, homes, caches, embedder, setups, documents, indexes)


def paragraphs(*words: str) -> str:
    """A text with a section for each word: long enough that each is a chunk of its own."""
    return "\n\n".join(f"# {word.title()}\n\n" + f"The {word} is a thing of its own kind. " * 15 for word in words)
