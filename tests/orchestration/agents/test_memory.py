"""What agents remember: LangGraph's store, per tenant."""

import pytest

from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId
from mainspring.orchestration.agents.errors import AgentInputInvalid
from mainspring.orchestration.agents.memory import TenantStore


@pytest.fixture
def store(database: Database, tenant: TenantId) -> TenantStore:
    return TenantStore(database, tenant)


async def test_an_item_is_kept_replaced_and_forgotten(store: TenantStore):
    await store.aput(("people", "ada"), "likes", {"food": "soup"})
    await store.aput(("people", "ada"), "likes", {"food": "pie", "n": 2})
    item = await store.aget(("people", "ada"), "likes")
    assert item is not None
    assert (item.namespace, item.key, item.value) == (("people", "ada"), "likes", {"food": "pie", "n": 2})
    await store.adelete(("people", "ada"), "likes")
    assert await store.aget(("people", "ada"), "likes") is None


async def test_another_tenant_remembers_nothing_of_it(store: TenantStore, database: Database, other_tenant: TenantId):
    await store.aput(("secret",), "k", {"whose": "ours"})
    theirs = TenantStore(database, other_tenant)
    assert await theirs.aget(("secret",), "k") is None
    assert await theirs.asearch(()) == []
    assert await theirs.alist_namespaces() == []
    await theirs.adelete(("secret",), "k")
    assert await store.aget(("secret",), "k") is not None


async def test_items_are_found_by_namespace_and_fields(store: TenantStore):
    for n in range(5):
        await store.aput(("docs", f"f{n % 2}"), str(n), {"n": n, "kind": "even" if n % 2 == 0 else "odd"})
    await store.aput(("other",), "x", {"n": 9})
    assert {item.key for item in await store.asearch(("docs",))} == {"0", "1", "2", "3", "4"}
    assert {item.key for item in await store.asearch(("docs", "f1"))} == {"1", "3"}
    assert {item.key for item in await store.asearch(("docs",), filter={"kind": "even"})} == {"0", "2", "4"}
    found = await store.asearch(("docs",), filter={"n": {"$gte": 2, "$lt": 4}})
    assert {item.key for item in found} == {"2", "3"}
    assert len(await store.asearch((), limit=2)) == 2
    assert len(await store.asearch((), limit=10, offset=4)) == 2


async def test_namespaces_are_listed_by_prefix_suffix_and_depth(store: TenantStore):
    for path in (("a", "b", "c"), ("a", "b", "d"), ("a", "x", "c"), ("z",)):
        await store.aput(path, "k", {})
    assert await store.alist_namespaces(prefix=("a", "*")) == [("a", "b", "c"), ("a", "b", "d"), ("a", "x", "c")]
    assert await store.alist_namespaces(suffix=("c",)) == [("a", "b", "c"), ("a", "x", "c")]
    assert await store.alist_namespaces(max_depth=2) == [("a", "b"), ("a", "x"), ("z",)]


async def test_what_is_past_its_time_is_gone(store: TenantStore, database: Database, tenant: TenantId):
    await store.aput(("note",), "k", {"v": 1}, ttl=5)
    assert await store.aget(("note",), "k") is not None
    async with database.tenant(tenant) as transaction:
        await transaction.run("update agent_store_item set expires_at = now() - interval '1 second'")
    assert await store.aget(("note",), "k") is None
    assert await store.asearch(("note",)) == []


async def test_search_by_meaning_is_refused_rather_than_guessed(store: TenantStore):
    with pytest.raises(AgentInputInvalid):
        await store.asearch((), query="what does she like?")
