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
from mainspring.orchestration.knowledge.homes import Mover, Place, Server, Tier


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


@pytest.fixture
async def tenants_schema(engines: EngineUrls, tenant: TenantId) -> str:
    """A schema that a tenant has for its own, so that the catalogue holds one."""
    place = Place.of_tenant(tenant, Tier.SCHEMA)
    mover = Mover({None: Server(engines.database_url, engines.database_admin_url)})
    await asyncio.to_thread(mover.move, tenant, place)
    return str(place.schema)


_OURS = """
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.relkind in ('r', 'p', 'f', 'm', 'v') and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
     and not starts_with(n.nspname, 'pg_temp') and not starts_with(n.nspname, 'pg_toast')"""

_HAS_TENANT = "exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id')"

_REACHABLE = """exists (select from aclexplode(c.relacl) entry
    where entry.grantee = 0 or pg_has_role('mainspring_tenant', entry.grantee, 'usage')
       or pg_has_role('mainspring_system', entry.grantee, 'usage')
       or pg_has_role('mainspring_app', entry.grantee, 'usage'))"""

_CONFINED = """exists (select from pg_policies p
    where p.schemaname = n.nspname and p.tablename = c.relname and p.policyname = 'tenant_isolation'
      and p.roles = '{mainspring_tenant}' and p.cmd = 'ALL'
      and p.qual like '(tenant_id = (NULLIF(current_setting(''mainspring.tenant''%'
      and p.with_check = p.qual)"""


def _catalogue(engines: EngineUrls, sql: str) -> list[tuple[str, str]]:
    with psycopg.connect(engines.database_admin_url) as connection:
        return [(row[0], row[1]) for row in connection.execute(sql.encode()).fetchall()]


async def test_every_table_with_a_tenant_forces_row_level_security(engines: EngineUrls, tenants_schema: str):
    """In every schema. A partition is covered by its parent, unless somebody may name it himself."""
    tables = _catalogue(engines, f"select n.nspname, c.relname {_OURS} and {_HAS_TENANT}")
    assert {("public", "outbox"), ("public", "chunk_p00"), (tenants_schema, "chunk")} <= set(tables)
    open_to_others = _catalogue(
        engines,
        f"""select n.nspname, c.relname {_OURS} and {_HAS_TENANT}
              and (not c.relispartition or {_REACHABLE})
              and not (c.relrowsecurity and c.relforcerowsecurity and {_CONFINED})""",
    )
    assert open_to_others == []


async def test_no_policy_lets_the_tenants_role_see_more_than_its_tenant(engines: EngineUrls, tenants_schema: str):
    """Policies add up, so one that is too wide opens a table whatever the others say."""
    wide = _catalogue(
        engines,
        """select schemaname, tablename from pg_policies
            where policyname <> 'tenant_isolation'
              and roles && '{public,mainspring_tenant,mainspring_app}'::name[]""",
    )
    assert wide == []


async def test_what_the_tenants_role_may_touch_has_a_policy(engines: EngineUrls, tenants_schema: str):
    """A grant without row-level security is a hole; so is a view or a function's table that nobody thought of."""
    granted = _catalogue(
        engines,
        f"""select n.nspname, c.relname {_OURS}
              and exists (select from aclexplode(c.relacl) entry
                           where entry.grantee = 0 or pg_has_role('mainspring_tenant', entry.grantee, 'usage'))
              and not (c.relrowsecurity and c.relforcerowsecurity and {_CONFINED})""",
    )
    assert {name for _, name in granted} <= {"tenant", "user_account"}


async def test_no_table_is_readable_without_a_policy_that_says_so(engines: EngineUrls, tenants_schema: str):
    """What has no tenant_id must be known to be global."""
    tables = _catalogue(engines, f"select n.nspname, c.relname {_OURS} and not c.relispartition and not {_HAS_TENANT}")
    known = ["alembic_version", "tenant", "user_account", "sign_in_attempt", "embedding_canary", "pipeline_version"]
    assert set(tables) <= {("public", name) for name in known}


async def test_the_catalogue_test_finds_a_table_that_was_left_open(engines: EngineUrls):
    with psycopg.connect(engines.database_admin_url) as connection:
        connection.execute("create schema careless")
        connection.execute("create table careless.note (tenant_id uuid)")
        connection.execute("grant select on careless.note to mainspring_tenant")
        found = connection.execute(
            f"select c.relname {_OURS} and {_HAS_TENANT} and {_REACHABLE} and not {_CONFINED}".encode()
        ).fetchall()
        connection.rollback()
    assert found == [("note",)]
