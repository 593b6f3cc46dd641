"""What a crash leaves half done is put right by the sweep; ceilings, long states and expiry."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypedDict

import pytest
from langgraph.graph import START, StateGraph

from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.outbox import OutboxEvent
from mainspring.foundation.valkey import Valkey
from mainspring.orchestration.agents import (
    Agent,
    AgentGraph,
    AgentLimits,
    AgentTools,
    FrameJoiner,
    build_subscribers,
    sweep,
)
from mainspring.orchestration.agents.errors import AgentUnknown
from mainspring.orchestration.agents.runs import AgentJob
from mainspring.orchestration.agents.types import AgentRun, AgentRunStatus, IfNotExists, RunOrder, ThreadId
from mainspring.orchestration.pipelines import Failure, LiveEvents
from mainspring.orchestration.pipelines import RunStatus as PipelineStatus
from tests.orchestration.agents.acting import House, emitted, new_thread, open_house, principal_of, wait_until


class Text(TypedDict, total=False):
    text: str


def long_winded(kit: AgentTools) -> AgentGraph:
    async def talk(state: Text) -> Text:
        return {"text": "ä😀" * 50_000}

    graph = StateGraph(Text)
    graph.add_node("talk", talk)
    graph.add_edge(START, "talk")
    return graph


def spender(kit: AgentTools) -> AgentGraph:
    async def spend(state: Text) -> Text:
        assert kit.acting is not None
        await kit.acting.run.spend(60)
        return {"text": state.get("text", "") + "."}

    graph = StateGraph(Text)
    graph.add_node("spend", spend)
    graph.add_edge(START, "spend")
    graph.add_edge("spend", "spend")
    return graph


@dataclass(slots=True)
class Moods:
    """An agent whose second node raises while the mood is bad."""

    is_bad: bool = True
    ran: list[str] = field(default_factory=list[str])

    def build(self, kit: AgentTools) -> AgentGraph:
        async def first(state: Text) -> Text:
            self.ran.append("first")
            return {"text": "first"}

        async def second(state: Text) -> Text:
            self.ran.append("second")
            if self.is_bad:
                raise ValueError("not today")
            return {"text": "second"}

        graph = StateGraph(Text)
        graph.add_node("first", first)
        graph.add_node("second", second)
        graph.add_edge(START, "first")
        graph.add_edge("first", "second")
        return graph


@pytest.fixture
def moody() -> Moods:
    return Moods()


@pytest.fixture
def house(database: Database, valkey: Valkey, moody: Moods) -> House:
    return open_house(
        database,
        valkey,
        Agent("long", "Long", long_winded),
        Agent("moody", "Moody", moody.build),
        Agent("spender", "Spender", spender, limits=AgentLimits(cost_ceiling_micros=200)),
    )


@pytest.fixture
async def live(database: Database, valkey: Valkey) -> AsyncIterator[LiveEvents]:
    opened = LiveEvents(database, valkey)
    yield opened
    await opened.close()


def order(thread: ThreadId, agent: str = "long", **more: Any) -> RunOrder:
    return RunOrder(agent, thread=thread, input={"text": ""}, if_not_exists=IfNotExists.CREATE, **more)


async def run_sql(house: House, tenant: TenantId, sql: str) -> None:
    async with house.database.tenant(tenant) as transaction:
        await transaction.run(sql)  # type: ignore[arg-type]


async def test_a_state_longer_than_a_live_event_is_told_whole(house: House, tenant: TenantId, live: LiveEvents):
    async with house.worker():
        run = await house.run(principal_of(tenant), order(new_thread()))
    joiner = FrameJoiner()
    pieces = emitted(await house.story(live, run), "values")
    frames = [whole for data in pieces if (whole := joiner.add(data)) is not None]
    assert len(pieces) > len(frames)
    assert frames[-1]["data"] == {"text": "ä😀" * 50_000}


async def test_a_long_part_of_a_mode_that_nobody_asked_for_is_left_out(
    house: House, tenant: TenantId, live: LiveEvents
):
    async with house.worker():
        run = await house.run(principal_of(tenant), order(new_thread()))
    left_out = emitted(await house.story(live, run), "checkpoints")[-1]
    assert left_out["omitted"]
    assert left_out["size"] > 200_000


async def test_a_run_that_costs_too_much_is_stopped(house: House, tenant: TenantId):
    thread = new_thread()
    async with house.worker():
        run = await house.run(principal_of(tenant), order(thread, "spender"))
    assert run.error is not None
    assert (run.status, run.error.code) == (AgentRunStatus.ERROR, "cost_ceiling_reached")
    assert (await house.thread(tenant, thread))["values"] == {"text": "..."}


async def test_a_run_whose_time_has_come_is_led_by_the_sweep(house: House, tenant: TenantId):
    run = await house.runtime.runs.submit(principal_of(tenant), order(new_thread(), delay_seconds=3600))
    await sweep(house.runtime)
    assert (await house.runtime.runs.get(tenant, run.id)).pipeline_run is None
    await run_sql(house, tenant, "update agent_run set due_at = now()")
    async with house.worker():
        await sweep(house.runtime)
        ended = await house.runtime.runs.wait(tenant, run.id, timeout=timedelta(seconds=20))
    assert ended.status is AgentRunStatus.SUCCESS


async def lost(house: House, tenant: TenantId) -> AgentRun:
    """A run whose pipeline run was cancelled by an operator, before any worker took it."""
    run = await house.runtime.runs.submit(principal_of(tenant), order(new_thread()))
    assert run.pipeline_run is not None
    await house.pipelines.cancel(tenant, run.pipeline_run)
    return run


async def test_a_run_whose_pipeline_run_ended_without_it_ends_by_the_sweep(house: House, tenant: TenantId):
    run = await lost(house, tenant)
    waiting = await house.runtime.runs.submit(principal_of(tenant), order(run.thread))
    await run_sql(house, tenant, "update agent_run set updated_at = now() - interval '5 minutes'")
    await sweep(house.runtime)
    assert (await house.runtime.runs.get(tenant, run.id)).status is AgentRunStatus.INTERRUPTED
    assert (await house.runtime.runs.get(tenant, waiting.id)).pipeline_run is not None


async def test_it_ends_as_soon_as_the_end_of_its_pipeline_run_is_heard_of(house: House, tenant: TenantId):
    run = await lost(house, tenant)
    payload = {"pipeline": "agents.run", "run": str(run.pipeline_run), "status": "cancelled"}
    for subscriber in build_subscribers(house.runtime)["run.finished"]:
        await subscriber(OutboxEvent(new_id(), tenant, "run.finished", payload, run.created_at))
    assert (await house.runtime.runs.get(tenant, run.id)).status is AgentRunStatus.INTERRUPTED


async def test_a_run_whose_pipeline_run_failed_says_why(house: House, tenant: TenantId):
    run = await house.runtime.runs.submit(principal_of(tenant), order(new_thread()))
    assert run.pipeline_run is not None
    failure = Failure("worker_lost", "Every worker was lost.")
    assert await house.runtime.ending.end_lost(tenant, run.pipeline_run, PipelineStatus.FAILED, failure)
    assert not await house.runtime.ending.end_lost(tenant, run.pipeline_run, PipelineStatus.FAILED, failure)
    ended = await house.runtime.runs.get(tenant, run.id)
    assert (ended.status, ended.error) == (AgentRunStatus.ERROR, failure)


async def test_a_failed_run_goes_on_where_it_was_when_its_pipeline_run_is_retried(
    house: House, tenant: TenantId, moody: Moods
):
    thread = new_thread()
    async with house.worker():
        run = await house.run(principal_of(tenant), order(thread, "moody"))
        assert run.status is AgentRunStatus.ERROR
        moody.is_bad = False
        await house.pipelines.submit(tenant, house.runtime.pipeline, AgentJob(run.id))

        async def is_done() -> bool:
            return (await house.runtime.runs.get(tenant, run.id)).status is AgentRunStatus.SUCCESS

        await wait_until(is_done)
    assert moody.ran == ["first", "second", "second"]
    assert (await house.thread(tenant, thread))["status"] == "idle"


async def test_what_a_stopped_run_left_running_is_cancelled_by_the_sweep(house: House, tenant: TenantId):
    run = await house.runtime.runs.submit(principal_of(tenant), order(new_thread()))
    await run_sql(house, tenant, "update agent_run set status = 'interrupted', finished_at = now(), is_stopping = true")
    await sweep(house.runtime)
    assert run.pipeline_run is not None
    assert (await house.pipelines.get_run(tenant, run.pipeline_run)).status == "cancelled"


async def test_a_thread_past_its_time_goes_with_runs_and_checkpoints(house: House, tenant: TenantId):
    async with house.worker():
        run = await house.run(principal_of(tenant), RunOrder("long", input={"text": ""}))
    await run_sql(house, tenant, "update agent_thread set expires_at = now() - interval '1 second'")
    await sweep(house.runtime)
    with pytest.raises(AgentUnknown):
        await house.runtime.runs.get(tenant, run.id)
    async with house.database.tenant(tenant) as transaction:
        for table in ("agent_thread", "checkpoints", "checkpoint_blobs", "checkpoint_writes"):
            assert await transaction.all(f"select 1 from {table}") == []  # type: ignore[arg-type]


async def test_a_long_thread_keeps_its_latest_checkpoints_only(house: House, tenant: TenantId):
    thread = new_thread()
    async with house.worker():
        for _ in range(9):
            await house.run(principal_of(tenant), order(thread))
    async with house.database.tenant(tenant) as transaction:
        row = await transaction.one("select count(*) as n from checkpoints")
    assert row["n"] == 20
