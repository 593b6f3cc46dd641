"""What agents remember, through LangGraph's client."""

import pytest
from langgraph_sdk.errors import UnprocessableEntityError

from .conftest import Client


async def test_an_item_is_stored_read_and_forgotten(client: Client):
    await client.store.put_item(["notes", "ada"], key="1", value={"title": "A lease"})
    await client.store.put_item(["notes", "ada"], key="1", value={"title": "A loan"}, ttl=60, index=False)
    found = await client.store.get_item(["notes", "ada"], key="1", refresh_ttl=True)
    assert (found["namespace"], found["key"], found["value"]) == (["notes", "ada"], "1", {"title": "A loan"})
    await client.store.delete_item(["notes", "ada"], key="1")
    assert await client.store.get_item(["notes", "ada"], key="1") is None


async def test_items_are_found_by_namespace_fields_and_words(client: Client):
    await client.store.put_item(
        ["notes", "a"], key="lease", value={"kind": "deed", "pages": 3, "text": "a garden lease"}
    )
    await client.store.put_item(["notes", "b"], key="loan", value={"kind": "deed", "pages": 9, "text": "a bank loan"})
    await client.store.put_item(["other"], key="x", value={"kind": "deed"})

    async def keys(**wanted: object) -> list[str]:
        found = await client.store.search_items(["notes"], **wanted)
        return [each["key"] for each in found["items"]]

    assert sorted(await keys(filter={"kind": "deed"})) == ["lease", "loan"]
    assert await keys(filter={"pages": {"$gt": 3}}) == ["loan"]
    assert await keys(filter={"pages": {"$lte": 3, "$ne": 4}}) == ["lease"]
    assert await keys(query="bank") == ["loan", "lease"]
    assert await keys(limit=1, offset=1, query="bank") == ["lease"]
    with pytest.raises(UnprocessableEntityError, match=r"\$like"):
        await keys(filter={"pages": {"$like": 3}})


async def test_namespaces_are_listed_by_beginning_end_and_depth(client: Client):
    for namespace in (["a", "x", "1"], ["a", "y", "1"], ["b", "x"]):
        await client.store.put_item(namespace, key="k", value={})
    assert (await client.store.list_namespaces(prefix=["a"]))["namespaces"] == [["a", "x", "1"], ["a", "y", "1"]]
    assert (await client.store.list_namespaces(suffix=["x"]))["namespaces"] == [["b", "x"]]
    assert (await client.store.list_namespaces(prefix=["*", "x"]))["namespaces"] == [["a", "x", "1"], ["b", "x"]]
    assert (await client.store.list_namespaces(max_depth=1))["namespaces"] == [["a"], ["b"]]


async def test_another_tenant_reads_nothing(client: Client, stranger: Client):
    await client.store.put_item(["shared"], key="k", value={"secret": 1})
    assert await stranger.store.get_item(["shared"], key="k") is None
    assert (await stranger.store.search_items(["shared"]))["items"] == []
    assert (await stranger.store.list_namespaces())["namespaces"] == []


async def test_an_item_past_its_time_is_not_there(client: Client):
    await client.store.put_item(["brief"], key="k", value={}, ttl=0.000_01)
    assert (await client.store.search_items(["brief"]))["items"] == []
