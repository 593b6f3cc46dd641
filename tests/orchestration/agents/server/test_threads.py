"""Threads and their states, through LangGraph's client."""

from uuid import uuid4

import pytest
from langgraph_sdk.errors import ConflictError, NotFoundError, UnprocessableEntityError

from .conftest import GIVEN, Client


async def test_a_thread_is_made_found_changed_and_deleted(client: Client):
    made = await client.threads.create(metadata={"case": "7"}, ttl={"ttl": 60, "strategy": "keep_latest"})
    identifier = made["thread_id"]
    assert made["status"] == "idle"
    assert made["metadata"]["case"] == "7"
    assert "created_by" in made["metadata"]
    assert (await client.threads.get(identifier, include=["ttl"]))["ttl"] == {"ttl": 60, "strategy": "keep_latest"}
    changed = await client.threads.update(identifier, metadata={"floor": 2}, ttl=5)
    assert changed["metadata"]["floor"] == 2
    assert await client.threads.update(identifier, metadata={}, return_minimal=True) is None
    found = await client.threads.search(metadata={"case": "7"}, select=["thread_id", "status"])
    assert found == [{"thread_id": identifier, "status": "idle"}]
    assert await client.threads.count(metadata={"case": "7"}, status="idle") == 1
    await client.threads.delete(identifier)
    with pytest.raises(NotFoundError):
        await client.threads.get(identifier)


async def test_an_id_is_taken_once(client: Client):
    identifier = str(uuid4())
    await client.threads.create(thread_id=identifier, metadata={"first": True})
    with pytest.raises(ConflictError):
        await client.threads.create(thread_id=identifier)
    again = await client.threads.create(thread_id=identifier, if_exists="do_nothing")
    assert again["metadata"]["first"] is True


async def test_threads_are_found_by_values_and_shown_by_path(client: Client):
    thread = await client.threads.create()
    await client.runs.wait(thread["thread_id"], "factory_agent", input={"text": "hi"})
    found = await client.threads.search(
        values={"text": "hi echoed"},
        ids=[thread["thread_id"]],
        sort_by="created_at",
        sort_order="asc",
        extract={"said": "values.text", "none": "values.messages[-1].content"},
    )
    assert [each["extracted"] for each in found] == [{"said": "hi echoed", "none": None}]
    assert found[0]["values"]["text"] == "hi echoed"


async def test_a_copy_has_the_state_and_a_life_of_its_own(client: Client):
    thread = (await client.threads.create(metadata={"case": "1"}))["thread_id"]
    await client.runs.wait(thread, "agent", input=GIVEN)
    copy = await client.threads.copy(thread)
    other = copy["thread_id"]
    await client.threads.update_state(other, {"value": "changed"})
    assert (await client.threads.get_state(other))["values"]["value"] == "changed"
    assert (await client.threads.get_state(thread))["values"]["value"] == "x"
    assert (await client.threads.get_state(other))["next"] == ["ask_human"]


async def test_a_state_is_read_at_each_checkpoint_and_edited(client: Client):
    thread = (await client.threads.create())["thread_id"]
    assert (await client.threads.get_state(thread))["values"] == {}
    await client.runs.wait(thread, "agent", input=GIVEN)
    state = await client.threads.get_state(thread, subgraphs=True)
    assert state["next"] == ["ask_human"]
    assert state["interrupts"][0]["value"] == "May I go on?"
    assert state["tasks"][0]["interrupts"][0]["id"] == state["interrupts"][0]["id"]
    history = await client.threads.get_history(thread, limit=2, before=state["checkpoint"])
    assert [each["next"] for each in history] == [["call_tool"], ["stream_message"]]
    earlier = await client.threads.get_state(thread, checkpoint=history[0]["checkpoint"])
    by_id = await client.threads.get_state(thread, checkpoint_id=history[0]["checkpoint"]["checkpoint_id"])
    assert earlier["values"] == by_id["values"] == history[0]["values"]
    only = await client.threads.get_state(thread, select=["values.value", "next"])
    assert only == {"values": {"value": "x"}, "next": ["ask_human"]}
    updated = await client.threads.update_state(thread, {"value": "by hand"}, as_node="call_tool")
    latest = await client.threads.get_state(thread)
    assert latest["checkpoint"]["checkpoint_id"] == updated["checkpoint"]["checkpoint_id"]
    assert latest["values"]["value"] == "by hand"
    assert (await client.threads.get(thread))["values"]["value"] == "by hand"


async def test_a_thread_is_made_with_a_history(client: Client):
    steps = [
        {"updates": [{"values": {"value": "first", "items": ["one"]}, "as_node": "stream_message"}]},
        {"updates": [{"values": {"value": "second", "items": ["two"]}, "as_node": "call_tool"}]},
    ]
    made = await client.threads.create(graph_id="agent", supersteps=steps)
    state = await client.threads.get_state(made["thread_id"])
    assert state["values"]["items"] == ["one", "two"]
    assert state["next"] == ["ask_human"]


async def test_an_edit_that_the_graph_refuses_says_why(client: Client):
    bare = (await client.threads.create())["thread_id"]
    with pytest.raises(UnprocessableEntityError, match="no graph yet"):
        await client.threads.update_state(bare, {"value": "x"})
    known = (await client.threads.create(graph_id="agent"))["thread_id"]
    with pytest.raises(UnprocessableEntityError, match="nowhere"):
        await client.threads.update_state(known, {"value": "x"}, as_node="nowhere")


async def test_threads_are_pruned_to_their_latest_state_or_away(client: Client):
    thread = (await client.threads.create())["thread_id"]
    await client.runs.wait(thread, "agent", input=GIVEN)
    before = await client.threads.get_history(thread)
    assert await client.threads.prune([thread, str(uuid4())], strategy="keep_latest") == {"pruned_count": 1}
    assert len(await client.threads.get_history(thread)) == 1 < len(before)
    assert await client.threads.prune([thread]) == {"pruned_count": 1}
    with pytest.raises(NotFoundError):
        await client.threads.get(thread)


async def test_another_tenants_thread_is_not_there(client: Client, stranger: Client):
    thread = (await client.threads.create(metadata={"secret": True}))["thread_id"]
    run = await client.runs.create(thread, "agent", input=GIVEN)
    assert await stranger.threads.search(metadata={"secret": True}) == []
    for attempt in (
        stranger.threads.get(thread),
        stranger.threads.update(thread, metadata={"mine": True}),
        stranger.threads.get_state(thread),
        stranger.threads.update_state(thread, {"value": "x"}),
        stranger.threads.get_history(thread),
        stranger.threads.copy(thread),
        stranger.threads.delete(thread),
        stranger.runs.create(thread, "agent", input=GIVEN),
        stranger.runs.list(thread),
        stranger.runs.get(thread, run["run_id"]),
        stranger.runs.cancel(thread, run["run_id"]),
    ):
        with pytest.raises(NotFoundError):
            await attempt
    mine = await stranger.threads.create(thread_id=thread)
    assert "secret" not in mine["metadata"]
