"""What tests of agents share: agents that work, a worker that runs them, and a principal to do so."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from langchain_core.runnables import RunnableConfig

from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.principal import Principal, PrincipalKind
from mainspring.foundation.valkey import Valkey
from mainspring.inference.gateway import Gateway
from mainspring.orchestration.agents import Agent, AgentParts, AgentRuntime, Agents, Graphs, build_agent_runtime
from mainspring.orchestration.agents.types import AgentRun, RunOrder, ThreadId
from mainspring.orchestration.approvals import Approvals
from mainspring.orchestration.pipelines import LiveEvents, Pipelines, Worker
from mainspring.orchestration.pipelines.types import EventType, RunEvent
from mainspring.orchestration.tools import Toolbox


def principal_of(tenant: TenantId, *permissions: str) -> Principal:
    """A person of the tenant."""
    return Principal(tenant, PrincipalKind.USER, "Ada", frozenset({"agent.run", *permissions}))


async def wait_until(claim: Callable[[], Awaitable[bool]], *, seconds: float = 20) -> None:
    """Return as soon as the claim holds; fail when it does not in time."""
    async with asyncio.timeout(seconds):
        while not await claim():  # noqa: ASYNC110 - the claim may be about another process
            await asyncio.sleep(0.01)


@dataclass(frozen=True, slots=True)
class House:
    """Agents and all that runs them."""

    database: Database
    valkey: Valkey
    pipelines: Pipelines
    runtime: AgentRuntime

    @asynccontextmanager
    async def worker(self, *, lease: float = 15) -> AsyncGenerator[Worker]:
        """A worker in this process, drained on exit."""
        worker = Worker(
            self.database,
            self.valkey,
            pipelines=[self.runtime.pipeline],
            concurrency=8,
            lease=timedelta(seconds=lease),
        )
        stop = asyncio.Event()
        running = asyncio.create_task(worker.run(stop, grace=timedelta(seconds=2)))
        try:
            yield worker
        finally:
            stop.set()
            await running

    async def run(self, principal: Principal, order: RunOrder) -> AgentRun:
        """Submit a run and wait for its end."""
        submitted = await self.runtime.runs.submit(principal, order)
        return await self.runtime.runs.wait(principal.tenant, submitted.id, timeout=timedelta(seconds=20))

    async def thread(self, tenant: TenantId, thread: ThreadId) -> dict[str, Any]:
        """A thread's row."""
        async with self.database.tenant(tenant) as transaction:
            return await transaction.one("select * from agent_thread where id = %(id)s", id=thread)

    async def story(self, live: LiveEvents, run: AgentRun) -> list[RunEvent]:
        """Everything that a run told."""
        assert run.pipeline_run is not None
        return [event async for event in live.iter_events(run.tenant, run.pipeline_run)]

    async def state(self, run: AgentRun) -> Any:
        """The state of a run's thread."""
        graph = self.runtime.graphs.open(run.tenant, run.graph)
        return await graph.aget_state({"configurable": {"thread_id": str(run.thread)}})


def emitted(story: list[RunEvent], name: str) -> list[Any]:
    """The data of the live events of that name."""
    return [
        event.facts["data"] for event in story if event.type is EventType.STEP_EMITTED and event.facts["name"] == name
    ]


def new_thread() -> ThreadId:
    """A thread's id that nobody has used."""
    return ThreadId(new_id())


def checkpoint_of(config: RunnableConfig) -> str:
    """The id of the checkpoint that a config names."""
    return config.get("configurable", {})["checkpoint_id"]


def open_house(
    database: Database,
    valkey: Valkey,
    *agents: Agent,
    gateway: Gateway | None = None,
    toolbox: Toolbox | None = None,
    approvals: Approvals | None = None,
) -> House:
    """The agents with a door of their own; nothing runs until `worker`."""
    pipelines = Pipelines(database, valkey)
    graphs = Graphs(database, Agents(agents), gateway, toolbox)
    return House(
        database, valkey, pipelines, build_agent_runtime(AgentParts(database, pipelines, graphs, approvals=approvals))
    )
