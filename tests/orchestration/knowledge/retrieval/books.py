"""A tenant's searchable documents in a test, brought in by the real rooms; meaning is faked by shared words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from mainspring.foundation.db import Database
from mainspring.foundation.errors import Unavailable
from mainspring.foundation.ids import TenantId
from mainspring.foundation.objects import ObjectStore
from mainspring.orchestration.knowledge.documents import Documents, NewDocument
from mainspring.orchestration.knowledge.homes import Homes
from mainspring.orchestration.knowledge.indexing import Indexes
from mainspring.orchestration.knowledge.ports import Concept
from mainspring.orchestration.knowledge.retrieval import Answer, Models, Question, Search
from mainspring.orchestration.knowledge.setup import RetrievalSetup, Setup, Setups
from mainspring.orchestration.knowledge.testing import HashEmbedder
from mainspring.orchestration.knowledge.types import Document, Label, Reader
from mainspring.orchestration.pipelines.types import StepRun


class NoCaches:
    """Keeps nothing."""

    async def forget(self, tenant: TenantId) -> None:
        """Nothing."""


class AwayEmbedder(HashEmbedder):
    """A model that does not answer."""

    async def embed(
        self, tenant: TenantId, texts: Sequence[str], *, model: str, run: StepRun | None = None
    ) -> Sequence[Sequence[float]]:
        raise Unavailable("The model is away.")


@dataclass(frozen=True)
class KnownConcepts:
    """Words that mean labels."""

    labels: Mapping[str, str]

    async def named_in(self, tenant: TenantId, question: str) -> Sequence[Concept]:
        return [Concept(label, 1.0) for word, label in self.labels.items() if word in question.lower()]


@dataclass(frozen=True)
class FixedSetup:
    """One retrieval setup for every tenant."""

    retrieval: RetrievalSetup

    @property
    def value(self) -> Setup:
        return Setup(retrieval=self.retrieval)

    async def current(self, tenant: TenantId, /) -> "FixedSetup":
        return self


ANYTHING = RetrievalSetup(relevance_floor=0.0)
"""For tests of ranking: whatever is found is shown."""


@dataclass
class Library:
    """The documents of one tenant, and ways to search them."""

    tenant: TenantId
    database: Database
    homes: Homes
    documents: Documents
    indexes: Indexes
    embedder: HashEmbedder = field(default_factory=HashEmbedder)

    @classmethod
    def open(cls, database: Database, objects: ObjectStore, tenant: TenantId) -> "Library":
        """Empty."""
        homes, embedder = Homes(database), HashEmbedder()
        documents = Documents(homes, objects, NoCaches())
        indexes = Indexes(homes, objects, documents, Setups(homes, embedder.dimensions), embedder)
        return cls(tenant, database, homes, documents, indexes, embedder)

    async def add(
        self,
        name: str,
        text: str,
        *,
        source: str = "notes",
        document_type: str = "contract",
        metadata: Mapping[str, str] | None = None,
        readers: tuple[str, ...] | None = None,
        labels: Sequence[Label] = (),
    ) -> Document:
        """A document that can be found."""
        new = NewDocument(
            source,
            name,
            f"{name}.txt",
            text.encode(),
            document_type=document_type,
            uri=f"https://docs.example/{name}",
            metadata=metadata or {},
            readers=readers,
        )
        document = (await self.documents.put(self.tenant, new)).document
        await self.documents.parse(self.tenant, document.id)
        index = await self.indexes.active(self.tenant)
        await self.indexes.embed(self.tenant, document.id, index)
        await self.indexes.publish(self.tenant, document.id, index, revision=document.revision)
        if labels:
            await self.documents.set_labels(self.tenant, document.id, labels)
        return document

    async def text_of(self, document: UUID) -> str:
        """As it was parsed."""
        return (await self.documents.get_parsed(Reader(self.tenant, None), document)).text

    def search(
        self,
        retrieval: RetrievalSetup = ANYTHING,
        *,
        concepts: Mapping[str, str] | None = None,
        models: Models | None = None,
        embedder: HashEmbedder | None = None,
    ) -> Search:
        """A search over it."""
        known = KnownConcepts(concepts) if concepts else None
        return Search(self.homes, FixedSetup(retrieval), embedder or self.embedder, concepts=known, models=models)

    async def ask(self, question: Question | str, *subjects: str, retrieval: RetrievalSetup = ANYTHING) -> Answer:
        """As somebody who is these subjects."""
        asked = Question(question) if isinstance(question, str) else question
        return await self.search(retrieval).search(Reader(self.tenant, frozenset(subjects)), asked)


def clauses(*texts: str) -> str:
    """A contract with these clauses, numbered; each is a chunk of its own when it is long enough."""
    return "\n\n".join(f"{number}. {text}" for number, text in enumerate(texts, 1))
