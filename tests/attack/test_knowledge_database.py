"""What SQL could do inside a transaction of one tenant, in each tier: the last wall, if a statement were ever bent."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import psycopg
import pytest
from psycopg import AsyncConnection
from psycopg.rows import dict_row

from mainspring.foundation.db import Database, Row
from mainspring.foundation.engines import EngineUrls
from mainspring.foundation.ids import TenantId
from mainspring.foundation.objects import ObjectStore
from mainspring.orchestration.knowledge.homes import SHARED, Homes, Mover, Place, Server, Tier
from mainspring.orchestration.knowledge.homes.layout import LAYOUT
from tests.attack.twins import Twin, make_twin

APART = "walled"


@pytest.fixture(scope="session")
def servers(engines: EngineUrls) -> Mapping[str | None, Server]:
    """The platform's database and one more."""
    with psycopg.connect(engines.database_admin_url, autocommit=True) as connection:
        connection.execute("create database knowledge_walled")

    def beside(url: str) -> str:
        return url.rsplit("/", 1)[0] + "/knowledge_walled"

    here = Server(engines.database_url, engines.database_admin_url)
    return {None: here, APART: Server(beside(here.url), beside(here.admin_url))}


@dataclass(frozen=True, slots=True)
class Wall:
    """An attacker's and a victim's tenant at homes of the same tier, and a connection as the application's login."""

    attacker: Twin
    victim: Twin
    place: Place
    victims_place: Place
    connection: AsyncConnection[Row]

    async def enter(self) -> None:
        """What the application does before a statement of the attacker's tenant runs."""
        await self.connection.execute(
            """select set_config('role', 'mainspring_tenant', true), set_config('mainspring.tenant', %s, true),
                      set_config('search_path', %s, true)""",
            (str(self.attacker.books.tenant), self.place.search_path),
        )

    async def all(self, statement: str) -> list[Row]:
        """The rows of a statement as the attacker."""
        async with self.connection.transaction(force_rollback=True):
            await self.enter()
            return await (await self.connection.execute(statement.encode())).fetchall()


@pytest.fixture(scope="session", params=list(Tier))
async def wall(
    request: pytest.FixtureRequest,
    database: Database,
    tmp_path_factory: pytest.TempPathFactory,
    servers: Mapping[str | None, Server],
) -> AsyncIterator[Wall]:
    """One for each tier; no test leaves anything in it."""
    tier, objects = Tier(request.param), ObjectStore.open(f"file://{tmp_path_factory.mktemp('walled')}")
    twins = [await make_twin(database, objects, marker) for marker in ("alderwood", "birchfield")]
    places = [SHARED if tier == Tier.SHARED else Place.of_tenant(t.books.tenant, tier, APART) for t in twins]
    for twin, place in zip(twins, places, strict=True):
        await asyncio.to_thread(Mover(servers).move, twin.books.tenant, place)
    async with await AsyncConnection[Row].connect(
        servers[places[0].database].url, row_factory=dict_row, autocommit=True
    ) as connection:
        yield Wall(twins[0], twins[1], places[0], places[1], connection)


def _tables(wall: Wall) -> list[str]:
    """Every table of knowledge under every name that it can be reached by: unqualified, shared, and the victim's."""
    schemas = ["", "public.", *([f'"{wall.victims_place.schema}".'] if wall.victims_place.schema else [])]
    return [f"{schema}{table.name}" for schema in schemas for table in LAYOUT]


async def test_no_table_shows_a_row_of_another_tenant(wall: Wall):
    victim = wall.victim.books.tenant
    for table in _tables(wall):
        assert await wall.all(f"select * from {table} where tenant_id = '{victim}'") == [], table
        rows = await wall.all(f"select distinct tenant_id from {table}")
        assert {row["tenant_id"] for row in rows} <= {wall.attacker.books.tenant}, table
    assert len(await wall.all("select * from document")) == len(wall.attacker.documents)


async def test_no_table_takes_or_loses_a_row_of_another_tenant(wall: Wall):
    victim = wall.victim.books.tenant
    for table in _tables(wall):
        for statement in (
            f"delete from {table} where tenant_id = '{victim}' returning tenant_id",
            f"update {table} set tenant_id = tenant_id where tenant_id = '{victim}' returning tenant_id",
        ):
            assert await wall.all(statement) == [], statement
    for statement in (
        f"update document set tenant_id = '{victim}'",
        f"insert into document_tombstone (tenant_id, document_id) values ('{victim}', uuidv7())",
        f"insert into knowledge_home (tenant_id, tier) values ('{victim}', 'shared')",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await wall.all(statement)


async def test_keys_tell_nothing_of_another_tenants_rows(wall: Wall):
    """A foreign key into another tenant's document fails as one into nothing does, and its key may be used again."""
    mine, theirs = wall.attacker.books.tenant, wall.victim.documents[0]
    errors: list[str] = []
    for document in (str(theirs), "00000000-0000-7000-8000-000000000007"):
        with pytest.raises(psycopg.errors.ForeignKeyViolation) as refused:
            await wall.all(
                f"""insert into document_label (tenant_id, document_id, label, start, "end", score)
                    values ('{mine}', '{document}', 'probe', 0, 1, 1) returning 1"""
            )
        errors.append(str(refused.value).replace(document, "..."))
    assert errors[0] == errors[1]
    taken = await wall.all(
        f"""insert into document_tombstone (tenant_id, document_id) values ('{mine}', '{theirs}') returning 1 as done"""
    )
    assert taken == [{"done": 1}]


@pytest.mark.parametrize(
    "statement",
    [
        "select * from chunk_vector_p00",
        "set role mainspring_admin",
        "set session authorization mainspring_admin",
        "reset role; select * from document",
        "set role none; select * from chunk",
        "alter table document disable row level security",
        "alter table document no force row level security",
        "drop policy tenant_isolation on document",
        "create policy open on document using (true)",
        "create view everything as select * from document",
        "create function f() returns void language sql security definer as 'select 1'",
        "copy document to program 'cat'",
        "copy document to '/tmp/stolen'",
        "create temp table document (tenant_id uuid)",
        "create schema stolen",
    ],
)
async def test_no_statement_leaves_the_tenants_role_for_more(wall: Wall, statement: str):
    """Leaving the role leads to the login, which may read nothing; every other role is out of reach or blind."""
    first, _, second = statement.partition("; ")
    async with wall.connection.transaction(force_rollback=True):
        await wall.enter()
        if second:
            await wall.connection.execute(first.encode())
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await wall.connection.execute((second or first).encode())


async def test_the_role_that_indexes_vectors_reads_none(wall: Wall):
    """It owns the table of a tenant's own schema, and may delete what a foreign key deletes along; it sees no row."""
    async with wall.connection.transaction(force_rollback=True):
        await wall.enter()
        await wall.connection.execute("set role mainspring_keeper")
        try:
            rows = await (await wall.connection.execute("select * from chunk_vector")).fetchall()
            deleted = (await wall.connection.execute("delete from chunk_vector")).rowcount
        except psycopg.errors.InsufficientPrivilege:
            rows, deleted = [], 0
    assert (rows, deleted) == ([], 0)


async def test_what_the_tenants_role_may_do_it_cannot_give_away(wall: Wall):
    async with wall.connection.transaction(force_rollback=True):
        await wall.enter()
        await wall.connection.execute("grant select on document to public")  # a warning, and nothing granted
        cursor = await wall.connection.execute(
            """select 1 from pg_class c, aclexplode(c.relacl) entry
                where c.oid = 'document'::regclass and entry.grantee = 0"""
        )
        assert await cursor.fetchall() == []


async def test_row_security_cannot_be_switched_off_by_a_setting(wall: Wall):
    async with wall.connection.transaction(force_rollback=True):
        await wall.enter()
        await wall.connection.execute("set local row_security = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await wall.connection.execute("select * from document")


async def test_only_the_application_says_whose_transaction_it_is(wall: Wall):
    """The boundary, said plainly: who runs SQL as the application may name any tenant. No caller's text becomes SQL:
    statements are literals (the types insist), values are parameters, and the tenant comes from the credential."""
    victim = wall.victim
    async with wall.connection.transaction(force_rollback=True):
        await wall.enter()
        await wall.connection.execute("select set_config('mainspring.tenant', %s, true)", (str(victim.books.tenant),))
        path = wall.victims_place.search_path
        await wall.connection.execute("select set_config('search_path', %s, true)", (path,))
        rows = await (await wall.connection.execute("select id from document")).fetchall()
    assert {row["id"] for row in rows} == set(victim.documents)


@pytest.mark.parametrize("setting", ["", "null", "*", "%", "' or true --", "00000000-0000-0000-0000-000000000000"])
async def test_no_value_of_the_setting_means_everybody(wall: Wall, setting: str):
    async with wall.connection.transaction(force_rollback=True):
        await wall.enter()
        await wall.connection.execute("select set_config('mainspring.tenant', %s, true)", (setting,))
        try:
            rows = await (await wall.connection.execute("select * from document")).fetchall()
        except psycopg.errors.InvalidTextRepresentation:
            rows = []
    assert rows == []


async def test_a_transactions_tenant_and_path_end_with_it(database: Database, homes_of_both: Homes, wall: Wall):
    """One connection serves many tenants: nothing of the last one may be left on it."""
    del database
    for twin in (wall.attacker, wall.victim, wall.attacker):
        async with homes_of_both.reading(TenantId(twin.books.tenant)) as transaction:
            rows = await transaction.all("select id from document where tenant_id = %(t)s", t=twin.books.tenant)
            everything = await transaction.all("select id from document")
        assert {row["id"] for row in rows} == {row["id"] for row in everything} == set(twin.documents)


@pytest.fixture
async def homes_of_both(servers: Mapping[str | None, Server]) -> AsyncIterator[Homes]:
    """With one connection for each database, so that tenants share it."""
    alone = await Database.open(servers[None].url, connections=1)
    homes = Homes(alone, {APART: servers[APART].url}, connections=1)
    yield homes
    await homes.close()
    await alone.close()
