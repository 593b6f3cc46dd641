"""The event protocol of threads, through LangGraph's client: numbered, replayed, resumed, over both transports."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest
from langgraph_sdk.stream.transport import ProtocolSseTransport, ProtocolWebSocketTransport
from websockets.exceptions import InvalidStatus

from mainspring.application.identity import Role

from .conftest import GIVEN, Client
from .serve import Served

ALL = ["values", "updates", "messages", "tools", "lifecycle", "input", "checkpoints", "tasks", "custom"]


async def until(events: Any, method: str, **data: Any) -> list[dict[str, Any]]:
    """Events up to the first of that method, with that in its data."""
    seen: list[dict[str, Any]] = []
    async with asyncio.timeout(20):
        async for event in events:
            seen.append(event)
            if event.get("method") == method and data.items() <= event["params"]["data"].items():
                return seen
    raise AssertionError(f"the stream ended before {method} {data}")


def transport_of(client: Client, thread: str) -> ProtocolSseTransport:
    return ProtocolSseTransport(client=client.http.client, thread_id=thread)


async def paused(client: Client) -> str:
    """A thread whose run waits for an answer."""
    thread = (await client.threads.create())["thread_id"]
    async with client.threads.stream(thread, assistant_id="agent") as stream:
        await stream.run.start(input=GIVEN)
        async for _ in stream.values:
            pass
        assert stream.interrupted
    return thread


async def test_a_fresh_stream_replays_all_that_was_told_before_what_is_new(client: Client):
    thread = await paused(client)
    first, second = transport_of(client, thread), transport_of(client, thread)
    before = await until(first.open_event_stream({"channels": ALL}).events, "lifecycle", event="interrupted")
    handle = second.open_event_stream({"channels": ALL})
    assert await until(handle.events, "lifecycle", event="interrupted") == before
    (question,) = [event for event in before if event["method"] == "input.requested"]
    answer = {"interrupt_id": question["params"]["data"]["interrupt_id"], "namespace": [], "response": "yes"}
    reply = await second.send_command({"id": 7, "method": "input.respond", "params": answer})
    assert reply is not None
    assert (reply["type"], reply["id"]) == ("success", 7)
    after = await until(handle.events, "lifecycle", event="completed")
    numbers = [event["seq"] for event in before + after]
    assert numbers == sorted(set(numbers))
    assert len({event["event_id"] for event in before + after}) == len(numbers)
    await first.close()
    await second.close()


async def test_a_stream_goes_on_behind_the_number_received(client: Client):
    thread = await paused(client)
    transport = transport_of(client, thread)
    whole = await until(transport.open_event_stream({"channels": ALL}).events, "lifecycle", event="interrupted")
    since = whole[len(whole) // 2]["seq"]
    rest = transport.open_event_stream({"channels": ALL, "since": since})
    assert await until(rest.events, "lifecycle", event="interrupted") == [each for each in whole if each["seq"] > since]
    await transport.close()


async def test_a_stream_carries_only_the_channels_and_namespaces_asked_for(client: Client):
    thread = (await client.threads.create())["thread_id"]
    await client.runs.wait(thread, "deep_agent", input={"messages": [{"role": "human", "content": "Look it up."}]})
    transport = transport_of(client, thread)
    tools = await until(
        transport.open_event_stream({"channels": ["tools", "lifecycle"]}).events,
        "lifecycle",
        event="completed",
        graph_name="deep_agent",
    )
    assert {event["method"] for event in tools} == {"tools", "lifecycle"}
    started = [event["params"]["namespace"] for event in tools if event["params"]["data"].get("event") == "started"]
    assert started
    inner = transport.open_event_stream({"channels": ["values", "lifecycle"], "namespaces": [["tools"]], "depth": 0})
    seen = await until(inner.events, "lifecycle", event="completed")
    assert {len(event["params"]["namespace"]) for event in seen} == {1}
    with pytest.raises(httpx.HTTPStatusError, match="422"):
        await transport.open_event_stream({"channels": ["nonsense"]}).ready
    await transport.close()


async def test_a_second_start_on_a_waiting_thread_is_the_answer(client: Client):
    thread = await paused(client)
    async with client.threads.stream(thread, assistant_id="agent") as stream:
        await stream.run.start(input="go on")
        assert (await stream.output)["items"] == ["streamed", "tool", "asked", "sub"]
    state = await client.threads.get_state(thread)
    assert "You said go on." in str(state["values"])


async def test_a_failed_run_fails_its_stream(client: Client):
    async with client.threads.stream(assistant_id="faulty_agent") as stream:
        await stream.run.start(input={"text": "lift"})
        with pytest.raises(RuntimeError, match="Run errored"):
            await stream.output


async def test_commands_look_at_states_and_go_back_to_one(client: Client):
    thread = await paused(client)
    transport = transport_of(client, thread)

    async def ask(method: str, **params: Any) -> Any:
        return await transport.send_command({"id": 1, "method": method, "params": params})

    assert (await ask("state.get", keys=["value"]))["result"]["values"] == {"value": "x"}
    assert (await ask("agent.getTree"))["result"]["tree"]["status"] == "interrupted"
    checkpoints = (await ask("state.listCheckpoints", limit=3))["result"]["checkpoints"]
    assert len(checkpoints) == 3
    forked = await ask("state.fork", checkpoint_id=checkpoints[-1]["id"])
    assert forked["result"]["thread_id"] == thread
    await client.runs.join(thread, forked["result"]["run_id"])
    assert (await ask("input.respond", interrupt_id="none", response=1))["error"] == "no_such_interrupt"
    assert (await ask("run.start"))["error"] == "invalid_argument"
    assert (await ask("run.start", assistant_id="nobody"))["error"] == "no_such_run"
    assert (await ask("input.inject"))["error"] == "not_supported"
    assert (await ask("dance"))["error"] == "unknown_command"
    await transport.close()


async def test_a_web_socket_carries_commands_and_events(served: Served, client: Client):
    key = await served.key()
    async with httpx.AsyncClient(base_url=served.url, headers={"x-api-key": key}) as http:
        transport = ProtocolWebSocketTransport(client=http, thread_id=str(uuid4()), headers={"x-api-key": key})
        handle = transport.open_event_stream({"channels": ALL})
        await handle.ready
        await transport.send_command(
            {"id": 1, "method": "run.start", "params": {"assistant_id": "agent", "input": GIVEN}}
        )
        events = await until(handle.events, "lifecycle", event="interrupted")
        assert {"values", "messages", "tools", "input.requested"} <= {event.get("method") for event in events}
        await transport.close()
        viewer = await served.key(Role.VIEWER)
        refused = ProtocolWebSocketTransport(client=http, thread_id=str(uuid4()), headers={"x-api-key": viewer})
        with pytest.raises(InvalidStatus, match="403"):
            await refused.open_event_stream({"channels": ALL}).ready
        await refused.close()


async def test_another_tenant_hears_nothing_of_a_thread_it_can_name(client: Client, stranger: Client):
    thread = await paused(client)
    theirs = transport_of(stranger, thread)
    handle = theirs.open_event_stream({"channels": ALL})
    await handle.ready
    reply = await theirs.send_command(
        {"id": 1, "method": "run.start", "params": {"assistant_id": "factory_agent", "input": {"text": "a"}}}
    )
    assert reply is not None
    events = await until(handle.events, "lifecycle", event="completed")
    assert {event["params"]["data"].get("graph_name") for event in events if event["method"] == "lifecycle"} == {
        "factory_agent"
    }
    assert "items" not in str(events)
    await theirs.close()


async def test_a_whole_thread_is_joined_run_by_run(client: Client):
    thread = (await client.threads.create())["thread_id"]
    await client.runs.wait(thread, "factory_agent", input={"text": "one"})
    await client.runs.wait(thread, "factory_agent", input={"text": "two"})
    said: list[str] = []
    seen = 0
    last = ""
    async for part in await client.threads.join_stream(thread, last_event_id="-"):
        last = part.id or last
        seen += part.event == "metadata" and part.data["status"] == "run_done"
        said += [part.data["text"]] if part.event == "values" and "is_for_execution" in part.data else []
        if seen == 2:
            break
    assert (said[0], said[-1]) == ("one echoed", "two echoed")
    async for part in await client.threads.join_stream(thread, last_event_id="2:0-0", stream_mode=["state_update"]):
        if part.event == "values":
            assert part.data["text"] == "two echoed"
            break


async def test_a_cancelled_run_ends_what_is_read_of_it(client: Client):
    async with client.threads.stream(assistant_id="slow_agent") as stream:
        run = (await stream.run.start(input=GIVEN))["run_id"]
        async for value in stream.values:
            if value.get("items") == ["streamed"]:
                await client.runs.cancel(stream.thread_id, run)
        assert not stream.interrupted
        with pytest.raises(RuntimeError, match="cancelled"):
            await stream.output
