"""What the application's own login could do if someone spoke SQL with it."""

import psycopg
import pytest

from mainspring.foundation.engines import EngineUrls

_REFUSED = [
    "create table stolen (i int)",
    "create schema stolen",
    "select lo_from_bytea(0, 'x')",
    "select lo_create(0)",
    "select pg_read_file('/etc/passwd')",
    "copy (select 1) to program 'id'",
    "set role mainspring_admin",
    "truncate run",
    "delete from tenant",
    "delete from run_event",
    "select * from chunk_p00",
    "select * from alembic_version",
]


@pytest.mark.parametrize("role", ["mainspring_login", "mainspring_tenant", "mainspring_system"])
@pytest.mark.parametrize("statement", _REFUSED)
async def test_the_login_makes_and_reads_nothing_of_its_own(engines: EngineUrls, role: str, statement: str):
    async with await psycopg.AsyncConnection.connect(engines.database_url) as connection:
        await connection.execute("select set_config('role', %s, false)", [role])
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await connection.execute(statement.encode())


@pytest.mark.parametrize("role", ["mainspring_login", "mainspring_tenant"])
@pytest.mark.parametrize(
    "statement",
    ["create temp table stolen (i int)", "create function pg_temp.f() returns int language sql as 'select 1'"],
)
async def test_only_the_platforms_own_role_may_make_what_lasts_for_a_session(
    engines: EngineUrls, role: str, statement: str
):
    async with await psycopg.AsyncConnection.connect(engines.database_url) as connection:
        await connection.execute("select set_config('role', %s, false)", [role])
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await connection.execute(statement.encode())


async def test_what_the_platforms_role_makes_for_its_copies_the_tenants_role_cannot_use(engines: EngineUrls):
    """Records are shipped by COPY into a temporary table; the same connection serves tenants afterwards."""
    async with await psycopg.AsyncConnection.connect(engines.database_url, autocommit=True) as connection:
        await connection.execute("set role mainspring_system")
        await connection.execute("create temp table copied (i int)")
        await connection.execute("create function pg_temp.f() returns int language sql as 'select 1'")
        await connection.execute("set role mainspring_tenant")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await connection.execute("select * from copied")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await connection.execute("insert into copied values (1)")
