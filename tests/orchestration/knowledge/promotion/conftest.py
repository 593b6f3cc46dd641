"""Tenants with as many vectors as a test needs, and the duty with a policy that takes hundreds for many."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

import numpy as np
import pytest
from psycopg import AsyncConnection

from mainspring.foundation.db import Database, Row
from mainspring.foundation.engines import EngineUrls
from mainspring.foundation.ids import TenantId, new_id
from mainspring.orchestration.knowledge.homes import Homes
from mainspring.orchestration.knowledge.promotion import Policy

SMALL = Policy(promote_at=600, demote_below=400, most=4, queries=8)
DIMENSIONS = 384
_CHUNKS_PER_DOCUMENT = 200


@dataclass(frozen=True, slots=True)
class Shelf:
    """A tenant's index in the shared tables."""

    database: Database
    tenant: TenantId
    index: UUID

    async def fill(self, chunks: int) -> list[UUID]:
        """Documents with this many chunks together, published as one; their ids."""
        documents: list[UUID] = []
        while chunks > 0:
            documents.append(await self._publish(min(chunks, _CHUNKS_PER_DOCUMENT)))
            chunks -= _CHUNKS_PER_DOCUMENT
        return documents

    async def _publish(self, chunks: int) -> UUID:
        document = new_id()
        ids = {"tenant": self.tenant, "index": self.index, "document": document}
        async with self.database.tenant(self.tenant) as transaction:
            await transaction.run(
                """insert into document (tenant_id, id, sha256, name, media_type, size_bytes, original_key, source,
                                         external_id, document_type, status)
                   values (%(tenant)s, %(document)s, 'x', 'x', 'text/plain', 1, 'x', 'uploads', %(document)s, 'text',
                           'indexed')""",
                **ids,
            )
            await transaction.run(
                """insert into indexed_document (tenant_id, index_id, document_id, revision, chunks, tokens, terms,
                                                 term_chunks)
                   values (%(tenant)s, %(index)s, %(document)s, 1, %(chunks)s, 1, '{}', '{}')""",
                **ids,
                chunks=chunks,
            )
            await transaction.many(
                """insert into chunk_vector (tenant_id, index_id, document_id, ordinal, content_hash, embedding)
                   values (%(tenant)s, %(index)s, %(document)s, %(ordinal)s, '\\x00', %(vector)s::halfvec)""",
                [{**ids, "ordinal": n, "vector": vector} for n, vector in enumerate(draw_vectors(chunks))],
            )
        return document

    async def delete(self, documents: list[UUID]) -> None:
        """Remove documents; all that hangs on them goes with them."""
        async with self.database.tenant(self.tenant) as transaction:
            await transaction.run(
                "delete from document where tenant_id = %(tenant)s and id = any(%(ids)s)",
                tenant=self.tenant,
                ids=documents,
            )

    async def clear(self, admin: AsyncConnection) -> None:
        """Take everything away."""
        async with self.database.tenant(self.tenant) as transaction:
            await transaction.run("delete from document where tenant_id = %(t)s", t=self.tenant)
            await transaction.run("delete from knowledge_index where tenant_id = %(t)s", t=self.tenant)
        await admin.execute(f"drop index if exists {self.index_name}".encode())

    async def row(self) -> Row:
        """The index version as it stands."""
        async with self.database.tenant(self.tenant) as transaction:
            return await transaction.one(
                "select * from knowledge_index where tenant_id = %(tenant)s and id = %(index)s",
                tenant=self.tenant,
                index=self.index,
            )

    async def is_promoted(self) -> bool:
        """Whether searches use an approximate index."""
        return (await self.row())["promoted_at"] is not None

    @property
    def index_name(self) -> str:
        """Of the approximate index."""
        return f"chunk_vector_near_{self.index.hex}"


def draw_vectors(count: int) -> list[str]:
    """Unit vectors as text, near a space of few directions, as those of texts are."""
    directions = np.random.default_rng(1).standard_normal((12, DIMENSIONS))
    drawn = np.random.default_rng().standard_normal((count, 12)) @ directions
    scaled = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    return ["[" + ",".join(f"{value:.5f}" for value in row) + "]" for row in scaled]


@pytest.fixture
def homes(database: Database) -> Homes:
    """The doors to knowledge."""
    return Homes(database)


@pytest.fixture
async def admin(engines: EngineUrls) -> AsyncIterator[AsyncConnection]:
    """The owner of the schema, who sees everything."""
    async with await AsyncConnection.connect(engines.database_admin_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
async def make_shelf(database: Database, admin: AsyncConnection) -> AsyncIterator[Callable[[], Awaitable[Shelf]]]:
    """A new tenant with an active index; gone after the test, for the duty looks at every tenant."""
    made: list[Shelf] = []

    async def make() -> Shelf:
        shelf = Shelf(database, TenantId(new_id()), new_id())
        made.append(shelf)
        async with database.tenant(shelf.tenant) as transaction:
            await transaction.run(
                """insert into knowledge_index (tenant_id, id, number, status, embedding_model, dimensions,
                                                settings_version)
                   values (%(tenant)s, %(index)s, 1, 'active', 'test', 384, 0)""",
                tenant=shelf.tenant,
                index=shelf.index,
            )
        return shelf

    yield make
    for shelf in made:
        await shelf.clear(admin)


@pytest.fixture
async def shelf(make_shelf: Callable[[], Awaitable[Shelf]]) -> Shelf:
    """One of them."""
    return await make_shelf()


async def count_indexes(admin: AsyncConnection, name: str) -> int:
    """How many indexes of that name there are, finished or not."""
    row = await (await admin.execute("select count(*) from pg_class where relname = %s", (name,))).fetchone()
    assert row is not None
    return row[0]
