"""Runs from submission to their end: state, story, interrupts, branches, limits, double-texting."""

import asyncio
import operator
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt

from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.valkey import Valkey
from mainspring.orchestration.agents import Agent, AgentGraph, AgentLimits, AgentTools
from mainspring.orchestration.agents.errors import AgentRunNotCancellable, AgentUnknown, ThreadBusy
from mainspring.orchestration.agents.types import (
    AgentRunId,
    AgentRunStatus,
    Cancellation,
    Durability,
    IfNotExists,
    Multitask,
    RunOrder,
    StreamChoice,
    StreamMode,
    ThreadId,
)
from mainspring.orchestration.pipelines import LiveEvents
from tests.orchestration.agents.acting import House, checkpoint_of, emitted, new_thread, open_house, principal_of


class State(TypedDict, total=False):
    trail: Annotated[list[str], operator.add]
    size: int


class Doors:
    """Events that nodes wait for, by name, and how often nodes ran."""

    def __init__(self) -> None:
        self.entered: dict[str, asyncio.Event] = {}
        self.opened: dict[str, asyncio.Event] = {}
        self.ran: list[str] = []

    def entry(self, name: str) -> asyncio.Event:
        return self.entered.setdefault(name, asyncio.Event())

    def open(self, name: str) -> asyncio.Event:
        return self.opened.setdefault(name, asyncio.Event())


def walker(doors: Doors) -> Agent:
    """first -> second -> third; `second` waits at a door when the trail begins with `wait`."""

    def build(kit: AgentTools) -> AgentGraph:
        async def first(state: State) -> State:
            doors.ran.append("first")
            get_stream_writer()({"seen": len(state.get("trail", []))})
            return {"trail": ["first"]}

        async def second(state: State) -> State:
            doors.ran.append("second")
            last = [each for each in state.get("trail", []) if each.startswith("wait")]
            if last:
                doors.entry(last[-1]).set()
                await doors.open(last[-1]).wait()
            return {"trail": ["second"]}

        async def third(state: State) -> State:
            doors.ran.append("third")
            return {"trail": ["third"]}

        graph = StateGraph(State)
        graph.add_node("first", first)
        graph.add_node("second", second)
        graph.add_node("third", third)
        graph.add_edge(START, "first")
        graph.add_edge("first", "second")
        graph.add_edge("second", "third")
        graph.add_edge("third", END)
        return graph

    return Agent("walker", "Walker", build)


def asker(kit: AgentTools) -> AgentGraph:
    async def ask(state: State) -> State:
        answer = interrupt({"question": "Shall I?"})
        return {"trail": [f"told {answer}"]}

    async def finish(state: State) -> State:
        return {"trail": ["done"]}

    graph = StateGraph(State)
    graph.add_node("ask", ask)
    graph.add_node("finish", finish)
    graph.add_edge(START, "ask")
    graph.add_edge("ask", "finish")
    graph.add_edge("finish", END)
    return graph


def circler(kit: AgentTools) -> AgentGraph:
    async def again(state: State) -> State:
        return {"trail": ["again"]}

    graph = StateGraph(State)
    graph.add_node("again", again)
    graph.add_edge(START, "again")
    graph.add_edge("again", "again")
    return graph


def faller(kit: AgentTools) -> AgentGraph:
    async def fall(state: State) -> State:
        raise ValueError("the floor is gone")

    graph = StateGraph(State)
    graph.add_node("fall", fall)
    graph.add_edge(START, "fall")
    return graph


def sleeper(kit: AgentTools) -> AgentGraph:
    async def sleep(state: State) -> State:
        await asyncio.Event().wait()
        return {}

    graph = StateGraph(State)
    graph.add_node("sleep", sleep)
    graph.add_edge(START, "sleep")
    return graph


@pytest.fixture
def doors() -> Doors:
    return Doors()


@pytest.fixture
async def house(database: Database, valkey: Valkey, doors: Doors) -> AsyncIterator[House]:
    opened = open_house(
        database,
        valkey,
        walker(doors),
        Agent("asker", "Asker", asker),
        Agent("circler", "Circler", circler, limits=AgentLimits(recursion=7)),
        Agent("faller", "Faller", faller),
        Agent("sleeper", "Sleeper", sleeper, limits=AgentLimits(time=timedelta(seconds=0.3))),
    )
    async with opened.worker():
        yield opened


@pytest.fixture
async def live(database: Database, valkey: Valkey) -> AsyncIterator[LiveEvents]:
    opened = LiveEvents(database, valkey)
    yield opened
    await opened.close()


def order(thread: ThreadId, trail: list[str] | None = None, **more: Any) -> RunOrder:
    given = {"input": {"trail": trail or []}} if "command" not in more and "input" not in more else {}
    merged: dict[str, Any] = {
        "assistant": "walker",
        "thread": thread,
        "if_not_exists": IfNotExists.CREATE,
        **given,
        **more,
    }
    return RunOrder(**merged)


async def test_a_run_moves_its_thread_on_and_tells_every_mode(house: House, tenant: TenantId, live: LiveEvents):
    thread = new_thread()
    run = await house.run(principal_of(tenant), order(thread, ["go"]))
    assert (run.status, run.error) == (AgentRunStatus.SUCCESS, None)
    row = await house.thread(tenant, thread)
    assert (row["status"], row["graph"]) == ("idle", "walker")
    assert row["values"] == {"trail": ["go", "first", "second", "third"]}
    story = await house.story(live, run)
    assert [data["status"] for data in emitted(story, "end")] == ["success"]
    assert emitted(story, "metadata") == [{"run_id": str(run.id), "attempt": 1}]
    assert [list(data["data"]) for data in emitted(story, "updates")] == [["first"], ["second"], ["third"]]
    assert emitted(story, "values")[-1]["data"]["trail"][-1] == "third"
    assert emitted(story, "custom") == [{"ns": [], "data": {"seen": 1}}]
    assert len(emitted(story, "tasks")) == 6
    assert emitted(story, "checkpoints")
    assert emitted(story, "debug") == []


async def test_debug_is_told_when_it_was_asked_for(house: House, tenant: TenantId, live: LiveEvents):
    chosen = StreamChoice((StreamMode.DEBUG,))
    run = await house.run(principal_of(tenant), order(new_thread(), stream=chosen))
    assert {data["data"]["type"] for data in emitted(await house.story(live, run), "debug")} == {
        "task",
        "task_result",
        "checkpoint",
    }


async def test_a_thread_goes_on_where_it_stood(house: House, tenant: TenantId):
    thread = new_thread()
    await house.run(principal_of(tenant), order(thread, ["one"]))
    await house.run(principal_of(tenant), order(thread, ["two"]))
    row = await house.thread(tenant, thread)
    assert row["values"]["trail"] == ["one", "first", "second", "third", "two", "first", "second", "third"]
    runs = await house.runtime.runs.list_of_thread(tenant, thread)
    assert [each.ordinal for each in runs] == [2, 1]


@pytest.mark.parametrize("durability", list(Durability))
async def test_every_durability_comes_to_the_same_end(house: House, tenant: TenantId, durability: Durability):
    run = await house.run(principal_of(tenant), order(new_thread(), ["go"], durability=durability))
    assert (await house.state(run)).values["trail"] == ["go", "first", "second", "third"]


async def test_an_interrupt_waits_in_the_thread_and_a_command_resumes_it(
    house: House, tenant: TenantId, live: LiveEvents
):
    thread = new_thread()
    run = await house.run(principal_of(tenant), order(thread, ["hi"], assistant="asker"))
    assert run.status is AgentRunStatus.SUCCESS
    row = await house.thread(tenant, thread)
    assert row["status"] == "interrupted"
    ((waiting,),) = row["interrupts"].values()
    assert waiting["value"] == {"question": "Shall I?"}
    assert emitted(await house.story(live, run), "values")[-1]["interrupts"] == [waiting]
    again = await house.run(principal_of(tenant), order(thread, assistant="asker", command={"resume": "yes"}))
    assert again.status is AgentRunStatus.SUCCESS
    row = await house.thread(tenant, thread)
    assert (row["status"], row["interrupts"]) == ("idle", {})
    assert row["values"]["trail"] == ["hi", "told yes", "done"]


async def test_a_command_updates_and_goes_where_it_says(house: House, tenant: TenantId):
    thread = new_thread()
    await house.run(principal_of(tenant), order(thread, ["one"], interrupt_before=("second",)))
    command = {"update": {"trail": ["changed"]}, "goto": "third"}
    run = await house.run(principal_of(tenant), order(thread, command=command))
    assert run.status is AgentRunStatus.SUCCESS
    trail = (await house.state(run)).values["trail"]
    assert trail[:3] == ["one", "first", "changed"]
    assert "third" in trail


async def test_static_interrupts_stop_before_and_after_a_node(house: House, tenant: TenantId, doors: Doors):
    thread = new_thread()
    first = await house.run(principal_of(tenant), order(thread, ["go"], interrupt_before=("second",)))
    assert (await house.thread(tenant, thread))["status"] == "interrupted"
    assert (await house.state(first)).next == ("second",)
    await house.run(principal_of(tenant), order(thread, input=None, interrupt_after=("second",)))
    assert doors.ran == ["first", "second"]
    last = await house.run(principal_of(tenant), order(thread, input=None))
    assert doors.ran == ["first", "second", "third"]
    assert (await house.state(last)).next == ()


async def test_a_run_branches_from_an_earlier_checkpoint(house: House, tenant: TenantId):
    thread = new_thread()
    run = await house.run(principal_of(tenant), order(thread, ["go"]))
    graph = house.runtime.graphs.open(tenant, "walker")
    history = [each async for each in graph.aget_state_history({"configurable": {"thread_id": str(thread)}})]
    earlier = next(each for each in history if each.next == ("second",))
    checkpoint = {"checkpoint_id": checkpoint_of(earlier.config)}
    branch = await house.run(principal_of(tenant), order(thread, ["other"], checkpoint=checkpoint))
    assert branch.status is AgentRunStatus.SUCCESS
    assert (await house.state(run)).values["trail"] == ["go", "first", "other", "first", "second", "third"]


async def test_an_agent_that_never_ends_is_stopped_at_its_ceiling_of_steps(house: House, tenant: TenantId):
    thread = new_thread()
    run = await house.run(principal_of(tenant), order(thread, assistant="circler"))
    assert run.error is not None
    assert (run.status, run.error.code) == (AgentRunStatus.ERROR, "agent_step_limit")
    row = await house.thread(tenant, thread)
    assert row["status"] == "error"
    assert row["values"]["trail"] == ["again"] * 7


async def test_an_error_of_a_node_ends_the_run_and_is_told(house: House, tenant: TenantId, live: LiveEvents):
    thread = new_thread()
    run = await house.run(principal_of(tenant), order(thread, assistant="faller"))
    assert run.error is not None
    assert (run.status, run.error.code) == (AgentRunStatus.ERROR, "agent_failed")
    (told,) = emitted(await house.story(live, run), "end")
    assert told == {"status": "error", "error": {"error": "ValueError", "message": "the floor is gone"}}
    assert (await house.thread(tenant, thread))["error"]["error"] == "agent_failed"


async def test_a_run_that_takes_too_long_times_out(house: House, tenant: TenantId):
    run = await house.run(principal_of(tenant), order(new_thread(), assistant="sleeper"))
    assert run.status is AgentRunStatus.TIMEOUT


async def test_a_second_run_waits_its_turn(house: House, tenant: TenantId, doors: Doors):
    thread, me = new_thread(), principal_of(tenant)
    first = await house.runtime.runs.submit(me, order(thread, ["wait 1"]))
    await doors.entry("wait 1").wait()
    others = [await house.runtime.runs.submit(me, order(thread, [f"n {n}"])) for n in range(3)]
    assert [each.pipeline_run for each in others] == [None] * 3
    doors.open("wait 1").set()
    for each in (first, *others):
        assert (await house.runtime.runs.wait(tenant, each.id)).status is AgentRunStatus.SUCCESS
    trail = (await house.thread(tenant, thread))["values"]["trail"]
    assert [each for each in trail if each.startswith(("wait", "n "))] == ["wait 1", "n 0", "n 1", "n 2"]


async def test_a_second_run_is_refused_where_that_was_asked_for(house: House, tenant: TenantId, doors: Doors):
    thread, me = new_thread(), principal_of(tenant)
    first = await house.runtime.runs.submit(me, order(thread, ["wait 1"]))
    await doors.entry("wait 1").wait()
    with pytest.raises(ThreadBusy):
        await house.runtime.runs.submit(me, order(thread, multitask=Multitask.REJECT))
    doors.open("wait 1").set()
    await house.runtime.runs.wait(tenant, first.id)
    assert len(await house.runtime.runs.list_of_thread(tenant, thread)) == 1


async def test_a_second_run_interrupts_the_first_and_keeps_what_it_reached(
    house: House, tenant: TenantId, doors: Doors
):
    thread, me = new_thread(), principal_of(tenant)
    first = await house.runtime.runs.submit(me, order(thread, ["wait 1"]))
    await doors.entry("wait 1").wait()
    after = order(thread, ["wait no more", "new"], multitask=Multitask.INTERRUPT, assistant="asker")
    second = await house.run(me, after)
    assert (await house.runtime.runs.get(tenant, first.id)).status is AgentRunStatus.INTERRUPTED
    assert second.status is AgentRunStatus.SUCCESS
    trail = (await house.state(second)).values["trail"]
    assert trail == ["wait 1", "first", "wait no more", "new"]


async def test_a_second_run_rolls_the_first_back(house: House, tenant: TenantId, doors: Doors):
    thread, me = new_thread(), principal_of(tenant)
    await house.run(me, order(thread, ["zero"]))
    first = await house.runtime.runs.submit(me, order(thread, ["wait 1"]))
    await doors.entry("wait 1").wait()
    second = await house.run(me, order(thread, ["new"], multitask=Multitask.ROLLBACK))
    with pytest.raises(AgentUnknown):
        await house.runtime.runs.get(tenant, first.id)
    trail = (await house.state(second)).values["trail"]
    assert trail == ["zero", "first", "second", "third", "new", "first", "second", "third"]


async def test_many_runs_submitted_at_once_to_one_thread_run_one_after_the_other(house: House, tenant: TenantId):
    thread, me = new_thread(), principal_of(tenant)
    runs = await asyncio.gather(*[house.runtime.runs.submit(me, order(thread, [f"n {n}"])) for n in range(8)])
    for each in runs:
        assert (await house.runtime.runs.wait(tenant, each.id)).status is AgentRunStatus.SUCCESS
    trail = (await house.thread(tenant, thread))["values"]["trail"]
    assert [trail[start + 1 : start + 4] for start in range(0, 32, 4)] == [["first", "second", "third"]] * 8
    assert sorted(each.ordinal for each in runs) == list(range(1, 9))


async def test_cancel_stops_a_run_and_the_next_one_starts(house: House, tenant: TenantId, doors: Doors):
    thread, me = new_thread(), principal_of(tenant)
    first = await house.runtime.runs.submit(me, order(thread, ["wait 1"]))
    await doors.entry("wait 1").wait()
    second = await house.runtime.runs.submit(me, order(thread, ["next"], assistant="asker"))
    stopped = await house.runtime.runs.cancel(tenant, first.id)
    assert stopped is not None
    assert stopped.status is AgentRunStatus.INTERRUPTED
    assert (await house.runtime.runs.wait(tenant, second.id)).status is AgentRunStatus.SUCCESS
    with pytest.raises(AgentRunNotCancellable):
        await house.runtime.runs.cancel(tenant, first.id)


async def test_cancel_with_rollback_leaves_the_thread_as_it_was(house: House, tenant: TenantId, doors: Doors):
    thread, me = new_thread(), principal_of(tenant)
    before = await house.run(me, order(thread, ["zero"]))
    first = await house.runtime.runs.submit(me, order(thread, ["wait 1"]))
    await doors.entry("wait 1").wait()
    assert await house.runtime.runs.cancel(tenant, first.id, Cancellation.ROLLBACK) is None
    assert (await house.state(before)).values["trail"] == ["zero", "first", "second", "third"]
    assert (await house.thread(tenant, thread))["status"] == "idle"


async def test_another_tenant_finds_no_run_and_stops_none(
    house: House, tenant: TenantId, other_tenant: TenantId, doors: Doors
):
    thread = new_thread()
    run = await house.runtime.runs.submit(principal_of(tenant), order(thread, ["wait 1"]))
    with pytest.raises(AgentUnknown):
        await house.runtime.runs.get(other_tenant, run.id)
    with pytest.raises(AgentUnknown):
        await house.runtime.runs.cancel(other_tenant, run.id)
    assert await house.runtime.runs.list_of_thread(other_tenant, thread) == ()
    theirs = await house.run(principal_of(other_tenant), order(thread, ["theirs"]))
    assert (await house.state(theirs)).values["trail"] == ["theirs", "first", "second", "third"]
    doors.open("wait 1").set()
    assert (await house.runtime.runs.wait(tenant, run.id)).status is AgentRunStatus.SUCCESS
    assert (await house.state(run)).values["trail"] == ["wait 1", "first", "second", "third"]


async def test_the_same_key_starts_one_run(house: House, tenant: TenantId):
    me, thread, key = principal_of(tenant), new_thread(), str(new_id())
    first = await house.run(me, order(thread, key=key))
    assert (await house.runtime.runs.submit(me, order(thread, key=key))).id == first.id


async def test_a_stateless_run_has_a_thread_of_its_own_that_goes_later(house: House, tenant: TenantId):
    run = await house.run(principal_of(tenant), RunOrder("walker", input={"trail": ["alone"]}))
    row = await house.thread(tenant, run.thread)
    assert row["is_stateless"]
    assert row["expires_at"] is not None
    assert row["values"]["trail"][-1] == "third"


async def test_an_unknown_thread_or_agent_is_refused(house: House, tenant: TenantId):
    me = principal_of(tenant)
    with pytest.raises(AgentUnknown):
        await house.runtime.runs.submit(me, RunOrder("walker", thread=new_thread()))
    with pytest.raises(AgentUnknown):
        await house.runtime.runs.submit(me, RunOrder("nobody"))
    with pytest.raises(AgentUnknown):
        await house.runtime.runs.get(tenant, AgentRunId(new_id()))


async def test_a_run_starts_no_sooner_than_it_may(house: House, tenant: TenantId):
    thread, me = new_thread(), principal_of(tenant)
    later = await house.runtime.runs.submit(me, order(thread, ["later"], delay_seconds=3600))
    assert later.pipeline_run is None
    now = await house.run(me, order(thread, ["now"]))
    assert now.status is AgentRunStatus.SUCCESS
    assert (await house.thread(tenant, thread))["status"] == "busy"


async def test_text_that_postgres_cannot_keep_is_kept_without_what_it_cannot(house: House, tenant: TenantId):
    run = await house.run(principal_of(tenant), order(new_thread(), ["a\0b", "\\u0000"], metadata={"\0k": "v"}))
    assert run.status is AgentRunStatus.SUCCESS
    assert run.order.metadata == {"k": "v"}
    assert (await house.thread(tenant, run.thread))["values"]["trail"][:2] == ["ab", "\\u0000"]


async def test_a_config_of_a_client_cannot_reach_into_langgraph(house: House, tenant: TenantId):
    thread, config = new_thread(), {"configurable": {"thread_id": "another", "__pregel_send": "x", "mine": 1}}
    run = await house.run(principal_of(tenant), order(thread, ["go"], config=config))
    assert run.status is AgentRunStatus.SUCCESS
    assert (await house.state(run)).values["trail"] == ["go", "first", "second", "third"]


async def test_a_run_takes_the_configuration_of_its_thread_and_over_it_its_own(house: House, tenant: TenantId):
    thread = new_thread()
    await house.run(principal_of(tenant), order(thread))
    async with house.database.tenant(tenant) as transaction:
        config = """{"tags": ["t"], "configurable": {"a": 1, "b": 1}}"""
        await transaction.run("update agent_thread set config = %(config)s::text::jsonb", config=config)
    run = await house.run(principal_of(tenant), order(thread, config={"configurable": {"b": 2}}))
    assert run.order.config == {"tags": ["t"], "configurable": {"a": 1, "b": 2}}
