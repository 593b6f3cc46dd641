"""Each tier is reached through the same two doors."""

import asyncio
from collections.abc import Mapping

import pytest

from mainspring.foundation.db import Database, SystemTransaction
from mainspring.foundation.errors import InvalidInput, Unavailable
from mainspring.foundation.ids import TenantId
from mainspring.orchestration.knowledge.homes import SHARED, Homes, Mover, Place, Server, Tier

from .conftest import OWN, add_document, names_of

TIERS = [Tier.SCHEMA, Tier.DATABASE]


def _place(tenant: TenantId, tier: Tier) -> Place:
    return Place.of_tenant(tenant, tier, OWN)


async def test_a_tenant_that_never_moved_lives_in_the_shared_tables(homes: Homes, tenant: TenantId):
    async with homes.writing(tenant) as transaction:
        await add_document(transaction, "a")
    assert await names_of(homes, tenant) == {"a"}
    assert tenant not in {home.tenant for home in await homes.list_homes()}


@pytest.mark.parametrize("tier", TIERS)
async def test_after_a_move_both_doors_open_the_new_home(homes: Homes, mover: Mover, tenant: TenantId, tier: Tier):
    async with homes.writing(tenant) as transaction:
        await add_document(transaction, "before")
    moved = await asyncio.to_thread(mover.move, tenant, _place(tenant, tier))
    assert moved is not None
    assert moved.rows["document"] == 1
    assert moved.rows["chunk_vector"] == 3
    async with homes.writing(tenant) as transaction:
        await add_document(transaction, "after")
    assert await names_of(homes, tenant) == {"before", "after"}


@pytest.mark.parametrize("tier", TIERS)
async def test_moving_back_loses_nothing_that_was_written_meanwhile(
    homes: Homes, mover: Mover, tenant: TenantId, tier: Tier
):
    async with homes.writing(tenant) as transaction:
        await add_document(transaction, "before")
    await asyncio.to_thread(mover.move, tenant, _place(tenant, tier))
    async with homes.writing(tenant) as transaction:
        await add_document(transaction, "meanwhile")
        await transaction.run("delete from document where tenant_id = %(t)s and name = 'before'", t=tenant)
    await asyncio.to_thread(mover.move, tenant, SHARED)
    assert await names_of(homes, tenant) == {"meanwhile"}
    async with homes.writing(tenant) as transaction:
        await add_document(transaction, "back")
    assert await names_of(homes, tenant) == {"meanwhile", "back"}


async def test_one_connection_serves_tenants_of_every_tier_in_turn(
    servers: Mapping[str | None, Server], mover: Mover, tenant: TenantId, other_tenant: TenantId
):
    """A statement that was prepared for one tenant's tables must not read them for the next."""
    alone = await Database.open(servers[None].url, connections=1)
    homes = Homes(alone)
    await asyncio.to_thread(mover.move, tenant, _place(tenant, Tier.SCHEMA))
    for name, owner in (("own", tenant), ("shared", other_tenant)):
        async with homes.writing(owner) as transaction:
            await add_document(transaction, name)
    for _ in range(12):
        assert await names_of(homes, tenant) == {"own"}
        assert await names_of(homes, other_tenant) == {"shared"}
    await alone.close()


async def test_what_looks_across_tenants_finds_each_at_home_only(
    homes: Homes, mover: Mover, tenant: TenantId, other_tenant: TenantId
):
    for owner in (tenant, other_tenant):
        async with homes.writing(owner) as transaction:
            await add_document(transaction, "pending")
    await asyncio.to_thread(mover.move, tenant, _place(tenant, Tier.SCHEMA))
    await asyncio.to_thread(mover.move, other_tenant, _place(other_tenant, Tier.DATABASE))

    async def find(transaction: SystemTransaction) -> list[TenantId]:
        rows = await transaction.all("select tenant_id from document where name = 'pending'")
        return [row["tenant_id"] for row in rows]

    found = await homes.everywhere(find, tenant_of=lambda each: each)
    assert sorted(each for each in found if each in (tenant, other_tenant)) == sorted((tenant, other_tenant))


async def test_a_writer_in_its_own_database_still_waits_for_nothing_while_its_transaction_is_open(
    homes: Homes, mover: Mover, tenant: TenantId
):
    await asyncio.to_thread(mover.move, tenant, _place(tenant, Tier.DATABASE))
    async with homes.writing(tenant):
        with pytest.raises(RuntimeError, match="open already"):
            async with homes.reading(tenant):
                pass


async def test_a_database_that_is_not_configured_is_named_in_the_error(
    database: Database, homes: Homes, mover: Mover, tenant: TenantId
):
    await asyncio.to_thread(mover.move, tenant, _place(tenant, Tier.DATABASE))
    with pytest.raises(Unavailable, match="'own'"):
        async with Homes(database).writing(tenant):
            pass
    with pytest.raises(InvalidInput, match="'elsewhere'"):
        mover.move(tenant, Place.of_tenant(tenant, Tier.DATABASE, "elsewhere"))


async def test_a_move_to_where_a_tenant_lives_does_nothing(mover: Mover, tenant: TenantId):
    assert await asyncio.to_thread(mover.move, tenant, SHARED) is None
