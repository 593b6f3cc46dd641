"""Runs, their streams and results, through LangGraph's client."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any
from uuid import uuid4

import httpx
import pytest
from langgraph_sdk.errors import ConflictError, NotFoundError
from langgraph_sdk.schema import StreamPart

from .conftest import GIVEN, Client
from .serve import Served


async def collect(stream: AsyncIterator[Any]) -> list[StreamPart]:
    return [part async for part in stream]


async def new_thread(client: Client) -> str:
    return (await client.threads.create())["thread_id"]


async def started(client: Client, thread: str, **options: Any) -> str:
    """A run of the slow agent, once it has begun to wait."""
    run = await client.runs.create(thread, "slow_agent", input=GIVEN, **options)
    async for part in client.runs.join_stream(thread, run["run_id"], stream_mode=["updates", "custom"]):
        if part.data.get("step") == "wait":
            break
    return run["run_id"]


async def test_a_run_is_waited_for_listed_and_forgotten(client: Client):
    thread = await new_thread(client)
    seen: list[Any] = []
    values = await client.runs.wait(thread, "factory_agent", input={"text": "hi"}, on_run_created=seen.append)
    assert values == {"text": "hi echoed", "access_context": "threads.create_run", "is_for_execution": True}
    (run,) = await client.runs.list(thread, limit=5, status="success")
    assert seen == [{"run_id": run["run_id"], "thread_id": thread}]
    assert (await client.runs.get(thread, run["run_id"]))["status"] == "success"
    assert await client.runs.join(thread, run["run_id"]) == values
    assert await client.runs.list(thread, select=["status"]) == [{"status": "success"}]
    await client.runs.delete(thread, run["run_id"])
    assert await client.runs.list(thread) == []
    with pytest.raises(NotFoundError):
        await client.runs.get(thread, run["run_id"])


async def test_a_failed_run_says_so_in_its_result_and_in_its_stream(client: Client):
    thread = await new_thread(client)
    with pytest.raises(Exception, match="agent_failed"):
        await client.runs.wait(thread, "faulty_agent", input={"text": "lift"})
    parts = await collect(client.runs.stream(thread, "faulty_agent", input={"text": "lift"}))
    assert parts[0].event == "metadata"
    assert [part.event for part in parts[-2:]] == ["error", "end"]
    assert parts[-2].data["error"] == "agent_failed"
    assert parts[-1].data["status"] == "error"
    assert (await client.threads.get(thread))["status"] == "error"


async def test_every_stream_mode_is_told_in_its_own_words(client: Client):
    thread = await new_thread(client)
    modes: list[Any] = ["values", "updates", "messages-tuple", "custom", "tasks", "checkpoints", "debug", "events"]
    parts = await collect(client.runs.stream(thread, "agent", input=GIVEN, stream_mode=modes))
    told = {part.event for part in parts}
    assert told == {
        "metadata",
        "values",
        "updates",
        "messages",
        "custom",
        "tasks",
        "checkpoints",
        "debug",
        "events",
        "end",
    }
    chunks = [part.data[0] for part in parts if part.event == "messages" and part.data[0]["type"] == "AIMessageChunk"]
    assert "".join(chunk["content"] for chunk in chunks) == "Hello, world!"
    assert len({chunk["id"] for chunk in chunks}) == 1
    nodes = [next(iter(part.data)) for part in parts if part.event == "updates"]
    assert nodes == ["stream_message", "call_tool", "__interrupt__"]
    (last,) = [part.data for part in parts if part.event == "values"][-1:]
    assert last["__interrupt__"][0]["value"] == "May I go on?"
    assert {part.data["type"] for part in parts if part.event == "debug"} == {"checkpoint", "task", "task_result"}


async def test_messages_grow_in_the_mode_that_tells_them_whole(client: Client):
    thread = await new_thread(client)
    parts = await collect(client.runs.stream(thread, "agent", input=GIVEN, stream_mode="messages"))
    partial = [part.data[0]["content"] for part in parts if part.event == "messages/partial"]
    assert partial[-1] == "Hello, world!"
    assert all(later.startswith(earlier) for earlier, later in pairwise(partial))
    complete = [part.data[0]["type"] for part in parts if part.event == "messages/complete"]
    assert "tool" in complete or "ai" in complete
    assert any(part.event == "messages/metadata" for part in parts)


async def test_graphs_inside_are_told_by_namespace_when_asked_for(client: Client):
    thread = await new_thread(client)
    given = {"messages": [{"role": "human", "content": "How do streams resume?"}]}
    plain = await collect(client.runs.stream(thread, "deep_agent", input=given, stream_mode="updates"))
    assert all("|" not in part.event for part in plain)
    whole = await collect(
        client.runs.stream(
            await new_thread(client), "deep_agent", input=given, stream_mode="updates", stream_subgraphs=True
        )
    )
    assert any(part.event.startswith("updates|tools:") for part in whole)


async def test_a_stream_goes_on_behind_the_last_event_received(client: Client):
    thread = await new_thread(client)
    run = await client.runs.create(thread, "agent", input=GIVEN, stream_mode=["updates", "custom"])
    whole = await collect(client.runs.join_stream(thread, run["run_id"]))
    numbered = [part for part in whole if part.id and part.event != "metadata"]
    middle = numbered[len(numbered) // 2]
    rest = await collect(client.runs.join_stream(thread, run["run_id"], last_event_id=middle.id))
    behind = whole[max(at for at, part in enumerate(whole) if part.id == middle.id and part.event != "end") + 1 :]
    assert [(part.event, part.data) for part in rest] == [(part.event, part.data) for part in behind]
    assert await collect(client.runs.join_stream(thread, run["run_id"], last_event_id="-1")) == whole


async def test_a_resume_answers_what_waits(client: Client):
    thread = await new_thread(client)
    first: Any = await client.runs.wait(thread, "agent", input=GIVEN)
    assert first["__interrupt__"][0]["value"] == "May I go on?"
    assert (await client.threads.get(thread))["status"] == "interrupted"
    done: Any = await client.runs.wait(thread, "agent", command={"resume": "yes"})
    assert done["items"] == ["streamed", "tool", "asked", "sub"]
    assert "__interrupt__" not in done
    assert (await client.threads.get(thread))["status"] == "idle"


async def test_a_run_branches_from_a_checkpoint(client: Client):
    thread = await new_thread(client)
    await client.runs.wait(thread, "agent", input=GIVEN)
    history = await client.threads.get_history(thread)
    before_tool = next(state for state in history if state["next"] == ["call_tool"])
    again: Any = await client.runs.wait(thread, "agent", input=None, checkpoint=before_tool["checkpoint"])
    assert again["items"] == ["streamed", "tool"]
    parents = [state["parent_checkpoint"] for state in await client.threads.get_history(thread)]
    assert parents.count(before_tool["checkpoint"]) >= 1


async def test_a_run_stops_before_and_after_the_nodes_named(client: Client):
    thread = await new_thread(client)
    values: Any = await client.runs.wait(thread, "agent", input=GIVEN, interrupt_before=["call_tool"])
    assert values["items"] == ["streamed"]
    values = await client.runs.wait(thread, "agent", input=None, interrupt_after="*")
    assert values["items"] == ["streamed", "tool"]


async def test_stateless_runs_have_a_thread_of_their_own_that_is_not_listed(client: Client):
    assert (await client.runs.wait(None, "factory_agent", input={"text": "a"}))["text"] == "a echoed"
    parts = await collect(client.runs.stream(None, "factory_agent", input={"text": "b"}))
    assert parts[-2].data["text"] == "b echoed"
    run = await client.runs.create(None, "factory_agent", input={"text": "c"}, on_completion="keep")
    assert (await client.runs.join(run["thread_id"], run["run_id"]))["text"] == "c echoed"
    batch = await client.runs.create_batch(
        [{"assistant_id": "factory_agent", "input": {"text": "d"}}, {"assistant_id": "factory_agent"}]
    )
    assert len({each["thread_id"] for each in batch}) == 2
    assert await client.threads.search() == []


async def test_a_thread_that_is_not_there_is_made_if_asked_for(client: Client):
    thread = str(uuid4())
    with pytest.raises(NotFoundError):
        await client.runs.create(thread, "agent", input=GIVEN)
    values: Any = await client.runs.wait(thread, "factory_agent", input={"text": "a"}, if_not_exists="create")
    assert values["text"] == "a echoed"
    assert (await client.threads.get(thread))["thread_id"] == thread


async def test_a_busy_thread_does_with_a_second_run_what_it_asks_for(client: Client):
    thread = await new_thread(client)
    first = await started(client, thread)
    with pytest.raises(ConflictError, match="unfinished"):
        await client.runs.create(thread, "agent", input=GIVEN, multitask_strategy="reject")
    queued = await client.runs.create(thread, "factory_agent", input={"text": "a"})
    assert (await client.runs.get(thread, queued["run_id"]))["status"] == "pending"
    await client.runs.cancel(thread, first, wait=True)
    assert (await client.runs.join(thread, queued["run_id"]))["text"] == "a echoed"
    second = await started(client, thread)
    await client.runs.wait(thread, "factory_agent", input={"text": "b"}, multitask_strategy="interrupt")
    assert (await client.runs.get(thread, second))["status"] == "interrupted"
    third = await started(client, thread)
    await client.runs.wait(thread, "factory_agent", input={"text": "c"}, multitask_strategy="rollback")
    with pytest.raises(NotFoundError):
        await client.runs.get(thread, third)


async def test_runs_are_stopped_one_by_one_and_many_at_once(client: Client):
    thread = await new_thread(client)
    run = await started(client, thread)
    await client.runs.cancel(thread, run, wait=True)
    assert (await client.runs.get(thread, run))["status"] == "interrupted"
    await client.runs.cancel(thread, run)
    rolled = await started(client, thread)
    await client.runs.cancel(thread, rolled, action="rollback")
    with pytest.raises(NotFoundError):
        await client.runs.get(thread, rolled)
    one = await started(client, thread)
    waiting = (await client.runs.create(thread, "slow_agent", input=GIVEN, after_seconds=3600))["run_id"]
    await client.runs.cancel_many(thread_id=thread, run_ids=[waiting])
    await client.runs.cancel_many(status="all")
    statuses = {each["run_id"]: each["status"] for each in await client.runs.list(thread)}
    assert statuses == {run: "interrupted", one: "interrupted", waiting: "interrupted"}


async def test_a_run_stops_when_its_client_goes_if_asked_for(client: Client):
    thread = await new_thread(client)
    async for part in client.runs.stream(
        thread, "slow_agent", input=GIVEN, stream_mode="custom", on_disconnect="cancel"
    ):
        if part.event == "custom" and part.data.get("step") == "wait":
            break
    async with asyncio.timeout(20):
        while (await client.runs.list(thread))[0]["status"] != "interrupted":  # noqa: ASYNC110 - another process' doing
            await asyncio.sleep(0.02)


async def test_a_run_in_the_future_has_not_begun(client: Client):
    thread = await new_thread(client)
    run = await client.runs.create(thread, "factory_agent", input={"text": "a"}, after_seconds=3600)
    assert run["status"] == "pending"
    with pytest.raises(ConflictError):
        await client.runs.delete(thread, run["run_id"])
    await client.threads.delete(thread)


async def test_a_key_is_needed_and_may_come_either_way(served: Served):
    key = await served.key()
    async with httpx.AsyncClient(base_url=served.url) as plain:
        assert (await plain.post("/threads/search", json={})).status_code == 401
        assert (await plain.post("/threads/search", json={}, headers={"x-api-key": key})).status_code == 200
        bearer = {"authorization": f"Bearer {key}"}
        answer = await plain.get(f"/threads/{uuid4()}", headers=bearer)
        assert answer.status_code == 404
        assert isinstance(answer.json()["detail"], str)
        assert (await plain.get("/ok")).json() == {"ok": True}
        assert (await plain.get("/info")).status_code == 401
        assert (await plain.get("/info", headers=bearer)).json()["flags"]["event_streaming"] is True
