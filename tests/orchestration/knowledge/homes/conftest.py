"""Two databases in one throwaway server, and writers that change all of a tenant's knowledge as its stores do."""

from collections.abc import AsyncIterator, Mapping
from uuid import UUID

import psycopg
import pytest

from mainspring.foundation.db import Database, TenantTransaction
from mainspring.foundation.engines import EngineUrls
from mainspring.foundation.ids import TenantId, new_id
from mainspring.orchestration.knowledge.homes import Homes, Mover, Server

OWN = "own"


@pytest.fixture(scope="session")
def servers(engines: EngineUrls) -> Mapping[str | None, Server]:
    """The platform's database, and an empty one named `own` that a move has to fill with tables."""
    with psycopg.connect(engines.database_admin_url, autocommit=True) as connection:
        connection.execute("create database knowledge_own")

    def beside(url: str) -> str:
        return url.rsplit("/", 1)[0] + "/knowledge_own"

    here = Server(engines.database_url, engines.database_admin_url)
    return {None: here, OWN: Server(beside(here.url), beside(here.admin_url))}


@pytest.fixture
async def homes(database: Database, servers: Mapping[str | None, Server]) -> AsyncIterator[Homes]:
    """The doors, to both databases."""
    opened = Homes(database, {OWN: servers[OWN].url}, connections=6)
    yield opened
    await opened.close()


@pytest.fixture
def mover(servers: Mapping[str | None, Server]) -> Mover:
    """The operator's hand."""
    return Mover(servers)


async def add_document(transaction: TenantTransaction, name: str, words: int = 3, document: UUID | None = None) -> UUID:
    """A document with as many chunks as `words`, all of its tables filled."""
    identifier = document or new_id()
    await transaction.run(
        """insert into document (tenant_id, id, sha256, name, media_type, size_bytes, original_key, source,
                                 external_id, document_type, status)
           values (%(tenant)s, %(id)s, %(name)s, %(name)s, 'text/plain', 3, 'k', 'uploads', %(name)s, 'text',
                   'indexed')""",
        tenant=transaction.tenant,
        id=identifier,
        name=name,
    )
    await transaction.run(
        """insert into document_label (tenant_id, document_id, label, start, "end", score)
           values (%(tenant)s, %(id)s, 'Term', 0, 9, 0.3)""",
        tenant=transaction.tenant,
        id=identifier,
    )
    await transaction.run(
        """insert into embedding_draft (tenant_id, document_id, model, content_hash, embedding)
           values (%(tenant)s, %(id)s, 'm', '\\x01', '[0.1,0.2]')""",
        tenant=transaction.tenant,
        id=identifier,
    )
    await index_document(transaction, identifier, words)
    return identifier


async def active_index(transaction: TenantTransaction) -> UUID:
    """The active index, made when there is none."""
    await transaction.run(
        """insert into knowledge_index (tenant_id, id, number, status, embedding_model, dimensions, settings_version)
           values (%(tenant)s, uuidv7(), 1, 'active', 'm', 2, 0) on conflict do nothing""",
        tenant=transaction.tenant,
    )
    row = await transaction.one(
        "select id from knowledge_index where tenant_id = %(tenant)s and status = 'active'", tenant=transaction.tenant
    )
    return row["id"]


async def index_document(transaction: TenantTransaction, document: UUID, words: int) -> None:
    """Replace the document's rows in the active index, as publishing does."""
    place: dict[str, object] = {
        "tenant": transaction.tenant,
        "index": await active_index(transaction),
        "document": document,
        "words": words,
    }
    await transaction.run(
        "delete from indexed_document where tenant_id = %(tenant)s and document_id = %(document)s", **place
    )
    await transaction.run(
        """insert into indexed_document (tenant_id, index_id, document_id, revision, chunks, tokens, terms, term_chunks)
           values (%(tenant)s, %(index)s, %(document)s, 1, %(words)s, 1, array[1, 2], array[1, 1])""",
        **place,
    )
    await transaction.run(
        """insert into chunk (tenant_id, index_id, document_id, ordinal, start, "end", heading_path, tokens, text)
           select %(tenant)s, %(index)s, %(document)s, n, n, n + 1, '{}', 1, 'text ' || n || %(document)s::text
             from generate_series(1, %(words)s) n""",
        **place,
    )
    await transaction.run(
        """insert into chunk_vector (tenant_id, index_id, document_id, ordinal, content_hash, embedding)
           select %(tenant)s, %(index)s, %(document)s, n, '\\x02', ('[' || random() || ',0.5]')::halfvec
             from generate_series(1, %(words)s) n""",
        **place,
    )
    await transaction.run(
        """insert into chunk_terms (tenant_id, index_id, document_id, ordinal, terms)
           select %(tenant)s, %(index)s, %(document)s, n, '{1:0.5,7:0.25}/1000000000'
             from generate_series(1, %(words)s) n""",
        **place,
    )
    await transaction.run(
        """insert into term_count (tenant_id, index_id, term, chunks)
           select %(tenant)s, %(index)s, term, 1 from generate_series(%(words)s, %(words)s + 3) term order by term
           on conflict (tenant_id, index_id, term) do update set chunks = term_count.chunks + 1""",
        **place,
    )


async def delete_document(transaction: TenantTransaction, document: UUID) -> None:
    """Delete with a tombstone."""
    await transaction.run(
        "insert into document_tombstone (tenant_id, document_id) values (%(tenant)s, %(id)s)",
        tenant=transaction.tenant,
        id=document,
    )
    await transaction.run(
        "delete from document where tenant_id = %(tenant)s and id = %(id)s", tenant=transaction.tenant, id=document
    )


async def names_of(homes: Homes, tenant: TenantId) -> set[str]:
    """The names of a tenant's documents."""
    async with homes.reading(tenant) as transaction:
        rows = await transaction.all("select name from document where tenant_id = %(tenant)s", tenant=tenant)
    return {row["name"] for row in rows}
