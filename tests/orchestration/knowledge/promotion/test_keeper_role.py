"""The role that indexes vectors: it reads nothing, and owning the partitions breaks nothing."""

from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import AsyncConnection

from mainspring.foundation.db import Database
from mainspring.foundation.engines import EmbeddedEngines
from mainspring.migrations import head_revision, migrate

from .conftest import Shelf, draw_vectors


@pytest.mark.parametrize(
    "table", ["chunk_vector", "chunk_vector_p03", "chunk", "document", "outbox", "knowledge_recall"]
)
async def test_the_keeper_reads_no_row_of_any_table(database: Database, table: str):
    async with database.keeper() as keeper:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await keeper.execute(f"select * from {table}".encode())


async def test_the_keeper_that_gave_itself_the_privilege_would_still_see_nothing(
    database: Database, shelf: Shelf, admin: AsyncConnection
):
    await shelf.fill(10)
    async with database.keeper() as keeper:
        seen = 0
        for number in range(16):
            await keeper.execute(f"grant select on chunk_vector_p{number:02d} to mainspring_keeper".encode())
            cursor = await keeper.execute(f"select count(*) as n from chunk_vector_p{number:02d}".encode())
            row = await cursor.fetchone()
            seen += row["n"] if row else 0
            await keeper.execute(f"revoke select on chunk_vector_p{number:02d} from mainspring_keeper".encode())
    assert seen == 0
    row = await (await admin.execute("select count(*) from chunk_vector")).fetchone()
    assert row is not None
    assert row[0] >= 10


async def test_the_keeper_is_not_entered_while_a_transaction_is_open(database: Database, shelf: Shelf):
    async with database.tenant(shelf.tenant):
        with pytest.raises(RuntimeError, match="transaction is open"):
            async with database.keeper():
                pass


async def test_deleting_a_document_still_deletes_its_vectors(database: Database, shelf: Shelf):
    documents = await shelf.fill(20)
    await shelf.delete(documents)
    async with database.tenant(shelf.tenant) as transaction:
        row = await transaction.one("select count(*) as n from chunk_vector where tenant_id = %(t)s", t=shelf.tenant)
    assert row["n"] == 0


async def test_a_vector_without_a_document_is_still_refused(database: Database, shelf: Shelf):
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        async with database.tenant(shelf.tenant) as transaction:
            await transaction.run(
                """insert into chunk_vector (tenant_id, index_id, document_id, ordinal, content_hash, embedding)
                   values (%(tenant)s, %(index)s, %(document)s, 0, '\\x00', %(vector)s::halfvec)""",
                tenant=shelf.tenant,
                index=shelf.index,
                document=uuid4(),
                vector=draw_vectors(1)[0],
            )


def test_a_login_that_is_no_superuser_can_migrate_and_alter_the_vectors_later(tmp_path: Path):
    embedded = EmbeddedEngines(tmp_path / "engines", is_durable=False)
    try:
        urls = embedded.start()
        with psycopg.connect(urls.database_admin_url, autocommit=True) as superuser:
            superuser.execute("create role plain_owner login createrole password 'plain'")
            superuser.execute("create database plain owner plain_owner")
        super_url = urls.database_admin_url.rsplit("/", 1)[0] + "/plain"
        with psycopg.connect(super_url, autocommit=True) as superuser:
            superuser.execute("create extension vector")
        url = "postgresql://plain_owner:plain@" + super_url.rpartition("@")[2]
        assert migrate(url, login=("plain_login", "plain"))[1] == head_revision()
        with psycopg.connect(url) as owner:
            owner.execute("alter table chunk_vector add column later integer")
            owner.execute("create index later on chunk_vector (later)")
    finally:
        embedded.stop()
