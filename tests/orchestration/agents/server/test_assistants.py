"""Assistants, through LangGraph's client."""

from uuid import uuid4

import pytest
from langgraph_sdk.errors import ConflictError, NotFoundError

from mainspring.orchestration.agents import standard_assistant

from .conftest import Client


async def test_every_graph_has_a_standard_assistant_that_stays(client: Client):
    (found,) = await client.assistants.search(graph_id="agent")
    assert found["assistant_id"] == str(standard_assistant("agent"))
    assert (await client.assistants.get("agent"))["assistant_id"] == found["assistant_id"]
    assert await client.assistants.count() == 6
    with pytest.raises(ConflictError, match="standard assistant"):
        await client.assistants.delete(found["assistant_id"])


async def test_an_assistant_is_made_found_changed_and_deleted(client: Client):
    made = await client.assistants.create(
        "agent", {"tags": ["a"]}, metadata={"team": "legal"}, name="Clerk", description="Reads.", context={"k": 1}
    )
    identifier = made["assistant_id"]
    assert (made["version"], made["name"], made["context"]) == (1, "Clerk", {"k": 1})
    changed = await client.assistants.update(identifier, metadata={"floor": 2}, name="Senior clerk")
    assert changed["version"] == 2
    assert changed["metadata"] == {"team": "legal", "floor": 2}
    found = await client.assistants.search(metadata={"team": "legal"}, response_format="object", limit=1)
    assert [each["name"] for each in found["assistants"]] == ["Senior clerk"]
    assert found["next"] == "1"
    assert await client.assistants.count(name="clerk") == 1
    await client.assistants.delete(identifier)
    with pytest.raises(NotFoundError):
        await client.assistants.get(identifier)


async def test_an_older_version_is_put_in_force_again(client: Client):
    made = await client.assistants.create("agent", name="First")
    identifier = made["assistant_id"]
    await client.assistants.update(identifier, name="Second")
    assert [each["version"] for each in await client.assistants.get_versions(identifier)] == [2, 1]
    assert (await client.assistants.set_latest(identifier, 1))["name"] == "First"
    assert (await client.assistants.update(identifier, description="x"))["version"] == 3
    with pytest.raises(NotFoundError):
        await client.assistants.set_latest(identifier, 9)


async def test_an_id_is_taken_once(client: Client):
    identifier = str(uuid4())
    await client.assistants.create("agent", assistant_id=identifier, name="First")
    with pytest.raises(ConflictError):
        await client.assistants.create("agent", assistant_id=identifier)
    again = await client.assistants.create("agent", assistant_id=identifier, if_exists="do_nothing")
    assert again["name"] == "First"


async def test_a_page_shows_the_fields_asked_for_in_the_order_asked_for(client: Client):
    found = await client.assistants.search(sort_by="name", sort_order="asc", select=["name"], limit=2, offset=1)
    assert found == [{"name": "deep_agent"}, {"name": "factory_agent"}]


async def test_a_graph_is_drawn_and_described(client: Client):
    drawn = await client.assistants.get_graph("agent", xray=1)
    assert {"stream_message", "ask_human"} <= {node["id"] for node in drawn["nodes"]}
    assert {"source": "call_tool", "target": "ask_human"} in drawn["edges"]
    schemas = await client.assistants.get_schemas("tools_agent")
    assert schemas["graph_id"] == "tools_agent"
    assert "messages" in (schemas["state_schema"] or {})["properties"]
    assert await client.assistants.get_subgraphs("agent", recurse=True) == {}
    assert await client.assistants.get_subgraphs("agent", "nothing") == {}


async def test_another_tenants_assistant_is_not_there(client: Client, stranger: Client):
    identifier = (await client.assistants.create("agent", metadata={"secret": True}))["assistant_id"]
    assert await stranger.assistants.search(metadata={"secret": True}) == []
    for attempt in (
        stranger.assistants.get(identifier),
        stranger.assistants.update(identifier, name="Mine"),
        stranger.assistants.delete(identifier),
        stranger.assistants.get_graph(identifier),
    ):
        with pytest.raises(NotFoundError):
            await attempt


async def test_an_unknown_graph_is_named_in_the_refusal(client: Client):
    with pytest.raises(NotFoundError, match="no_such_graph"):
        await client.assistants.create("no_such_graph")
