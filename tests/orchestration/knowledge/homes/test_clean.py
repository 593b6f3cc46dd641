"""What a move leaves at the old home is taken away later, and nothing else is."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import psycopg
import pytest

from mainspring.foundation.errors import InvalidInput
from mainspring.foundation.ids import TenantId
from mainspring.orchestration.knowledge.homes import (
    SHARED,
    Cleaner,
    Homes,
    Left,
    Mover,
    Place,
    Server,
    Tier,
    read_databases,
    read_servers,
)
from mainspring.orchestration.knowledge.homes.clone_store import find_differences, list_schemas
from mainspring.orchestration.knowledge.homes.copy_store import holds_any
from mainspring.orchestration.knowledge.homes.layout import LAYOUT, STAYS
from mainspring.orchestration.knowledge.homes.session import Session

from .conftest import OWN, add_document, names_of

AT_ONCE = timedelta(0)


async def test_old_rows_are_kept_for_a_day_and_then_removed(
    homes: Homes, mover: Mover, servers: Mapping[str | None, Server], tenant: TenantId, other_tenant: TenantId
):
    for owner in (tenant, other_tenant):
        async with homes.writing(owner) as transaction:
            await add_document(transaction, "kept")
    schema, own = Place.of_tenant(tenant, Tier.SCHEMA), Place.of_tenant(tenant, Tier.DATABASE, OWN)
    await asyncio.to_thread(mover.move, tenant, schema)
    await asyncio.to_thread(mover.move, tenant, own)
    cleaner = Cleaner(mover)
    assert tenant not in {left.tenant for left in await asyncio.to_thread(cleaner.list_left)}
    cleaned = await asyncio.to_thread(lambda: cleaner.clean(kept_for=AT_ONCE))
    assert {left for left in cleaned if left.tenant == tenant} == {Left(tenant, SHARED), Left(tenant, schema)}
    with Session.open(servers[None].url, tenant, SHARED) as session, session.transaction():
        assert not holds_any(session)
    with psycopg.connect(servers[None].admin_url) as admin:
        assert schema.schema not in list_schemas(admin, "knowledge_")
    assert await names_of(homes, tenant) == {"kept"}
    assert await names_of(homes, other_tenant) == {"kept"}


async def test_a_schema_of_a_tenants_own_has_all_that_the_shared_one_has(
    mover: Mover, servers: Mapping[str | None, Server], tenant: TenantId
):
    """Columns, keys by name, indexes and policies; a migration that forgets the tenants' schemas is seen here."""
    place = Place.of_tenant(tenant, Tier.SCHEMA)
    await asyncio.to_thread(mover.move, tenant, place)
    with psycopg.connect(servers[None].admin_url) as admin:
        assert find_differences(admin, str(place.schema)) == []
        admin.execute(f'alter table "{place.schema}".document drop column title'.encode())
        assert find_differences(admin, str(place.schema)) == ["lacks column document.title text"]


async def test_every_table_that_hangs_on_knowledge_moves_with_it(servers: Mapping[str | None, Server]):
    """A new table of the room is in the layout, or said to stay."""
    with psycopg.connect(servers[None].admin_url) as admin:
        rows = admin.execute("""
            select distinct c.relname
              from pg_class c left join pg_constraint k on k.conrelid = c.oid and k.contype = 'f'
             where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
               and (c.relname ~ '^(knowledge|document|chunk|golden)' or k.confrelid = any(%s::regclass[]))""",
            (["document", "knowledge_index", "indexed_document"],),
        ).fetchall()  # fmt: skip
    assert {row[0] for row in rows} - STAYS - {table.name for table in LAYOUT} == set()


def test_databases_are_named_in_pairs_and_a_bad_pair_is_refused_without_being_shown():
    assert read_databases(None) == {}
    pairs = "eu=postgresql://a:b@eu/x  big=postgres://c@d/y"
    assert read_databases(pairs) == {"eu": "postgresql://a:b@eu/x", "big": "postgres://c@d/y"}
    for bad in ("eu", "eu=mysql://secret@x/y", "EU=postgres://secret@x/y", "a=postgres://secret@b a=postgres://c"):
        with pytest.raises(InvalidInput, match="entry") as refused:
            read_databases(bad)
        assert "secret" not in refused.value.detail


def test_an_owners_login_belongs_to_a_named_database():
    here = Server("postgresql://l@h/p", "postgresql://o@h/p")
    servers = read_servers(here, "eu=postgresql://l@eu/x", "eu=postgresql://o@eu/x")
    assert servers == {None: here, "eu": Server("postgresql://l@eu/x", "postgresql://o@eu/x")}
    assert read_servers(here, "eu=postgresql://l@eu/x", None)["eu"].admin_url == "postgresql://l@eu/x"
    with pytest.raises(InvalidInput, match="us"):
        read_servers(here, None, "us=postgresql://o@us/x")
