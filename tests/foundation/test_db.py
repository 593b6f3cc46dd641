"""Two doors to the database, and no third."""

import asyncio
from datetime import timedelta

import psycopg
import pytest

from mainspring.foundation.db import Database, forbid_open_transaction
from mainspring.foundation.engines import EngineUrls
from mainspring.foundation.ids import TenantId
from mainspring.foundation.outbox import OutboxEvent, publish, relay
from mainspring.migrations import head_revision, migrate


async def test_a_tenant_reads_its_own_rows_and_nobody_elses(
    database: Database, tenant: TenantId, other_tenant: TenantId
):
    async with database.tenant(tenant) as transaction:
        await publish(transaction, topic="test.written", payload={"n": 1})
        assert (await transaction.one("select count(*) as n from outbox"))["n"] == 1
    async with database.tenant(other_tenant) as transaction:
        assert (await transaction.one("select count(*) as n from outbox"))["n"] == 0
        assert await transaction.run("update outbox set topic = 'stolen' where tenant_id = %(t)s", t=tenant) == 0


async def test_writing_for_another_tenant_is_refused_by_the_database(
    database: Database, tenant: TenantId, other_tenant: TenantId
):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with database.tenant(tenant) as transaction:
            await transaction.run(
                "insert into outbox (id, tenant_id, topic, payload) values (uuidv7(), %(t)s, 'x', '{}')", t=other_tenant
            )


async def test_the_login_itself_may_read_nothing(engines: EngineUrls):
    async with await psycopg.AsyncConnection.connect(engines.database_url) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await connection.execute("select * from outbox")


async def test_a_wait_on_others_inside_a_transaction_is_an_error(database: Database, tenant: TenantId):
    forbid_open_transaction("a model")
    async with database.tenant(tenant):
        with pytest.raises(RuntimeError, match="transaction is open"):
            forbid_open_transaction("a model")
    forbid_open_transaction("a model")


async def test_an_event_is_delivered_again_until_its_subscriber_succeeds(database: Database, tenant: TenantId):
    seen: list[OutboxEvent] = []

    async def fail_once(event: OutboxEvent) -> None:
        if event.tenant == tenant:
            seen.append(event)
            if len(seen) == 1:
                raise ValueError("not this time")

    async with database.tenant(tenant) as transaction:
        identifier = await publish(transaction, topic="test.delivered", payload={"n": 7})
    for _ in range(100):  # other tests' events come first, a hundred at a time
        await relay(database, {"test.delivered": (fail_once,)}, pause=timedelta(0))
        if len(seen) == 2:
            break
    assert [event.id for event in seen] == [identifier, identifier]
    assert seen[0].payload == {"n": 7}


async def test_migrating_from_several_processes_at_once_is_safe(engines: EngineUrls):
    with psycopg.connect(engines.database_admin_url, autocommit=True) as connection:
        connection.execute("create database migrated_twice")
    url = engines.database_admin_url.rsplit("/", 1)[0] + "/migrated_twice"
    results = await asyncio.gather(*(asyncio.to_thread(migrate, url) for _ in range(4)))
    assert "" in {before or "" for before, _ in results}
    assert {after for _, after in results} == {head_revision()}


async def test_every_table_with_a_tenant_forces_row_level_security(engines: EngineUrls):
    with psycopg.connect(engines.database_admin_url) as connection:
        answer = connection.execute("""
            select c.relname, c.relrowsecurity, c.relforcerowsecurity,
                   exists (select 1 from pg_policies p
                            where p.tablename = c.relname and p.policyname = 'tenant_isolation')
              from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
             where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace and not c.relispartition""")
        rows = answer.fetchall()
    assert "outbox" in {row[0] for row in rows}
    assert [row for row in rows if not all(row[1:])] == []


async def test_no_table_is_readable_without_a_policy_that_says_so(engines: EngineUrls):
    """What has no tenant_id must be known to be global."""
    with psycopg.connect(engines.database_admin_url) as connection:
        answer = connection.execute("""
            select c.relname from pg_class c
             where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace and not c.relispartition
               and not exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id')""")
        rows = answer.fetchall()
    assert {row[0] for row in rows} <= {"alembic_version", "tenant", "user_account", "sign_in_attempt"}
