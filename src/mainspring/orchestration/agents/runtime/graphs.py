"""Graphs ready to use: built, with the checkpoints and the memory of one tenant."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from langgraph.graph import StateGraph
from langgraph.pregel import Pregel

from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId
from mainspring.inference.gateway import Gateway
from mainspring.orchestration.agents.agent import Agent, Agents
from mainspring.orchestration.agents.checkpoints import Fence, IdleOnly, TenantSaver
from mainspring.orchestration.agents.memory import TenantStore
from mainspring.orchestration.agents.tools import Acting, AgentTools
from mainspring.orchestration.agents.types import Json, JsonObject, ThreadId
from mainspring.orchestration.tools import Toolbox

Graph = Pregel[Any, Any, Any, Any]


@dataclass(frozen=True, slots=True)
class Graphs:
    """Builds graphs of the registered agents.

    toolbox  None where no agent has tools
    """

    database: Database
    agents: Agents
    gateway: Gateway | None = None
    toolbox: Toolbox | None = None

    def open(
        self, tenant: TenantId, name: str, *, thread: ThreadId | None = None, config: JsonObject | None = None
    ) -> Graph:
        """An agent's graph for looking at states and changing them by hand; not for running.

        thread  whose state may be changed, while no run leads it; None to read only
        config  the `configurable` part of a configuration, for graphs that differ by it
        raises  AgentUnknown; ThreadBusy when a state is changed while a run leads the thread
        """
        agent = self.agents.get(name)
        saver = TenantSaver(self.database, tenant, guard=IdleOnly(thread) if thread else None)
        kit = AgentTools(agent.name, self.gateway, config=config or dict[str, Json]())
        return self._compile(agent, kit, saver, tenant)

    async def for_run(self, acting: Acting, fence: Fence, on_refused: Callable[[], None]) -> Graph:
        """An agent's graph for a run, writing as its leading attempt only; `on_refused` when it is that no more."""
        run = acting.agent_run
        agent = self.agents.get(run.graph)
        names = [tool.name for tool in agent.tools]
        offered = await self.toolbox.offer(acting.principal, names) if self.toolbox and names else ()
        configurable = run.order.config.get("configurable")
        kit = AgentTools(
            agent.name,
            self.gateway,
            self.toolbox,
            acting,
            offered,
            configurable if isinstance(configurable, dict) else dict[str, Json](),
            agent.limits.loops,
        )
        saver = TenantSaver(self.database, run.tenant, guard=fence, on_refused=on_refused)
        return self._compile(agent, kit, saver, run.tenant)

    def _compile(self, agent: Agent, kit: AgentTools, saver: TenantSaver, tenant: TenantId) -> Graph:
        built = agent.build(kit)
        store = TenantStore(self.database, tenant)
        if isinstance(built, StateGraph):
            return built.compile(checkpointer=saver, store=store, name=agent.name)
        return built.copy(update={"checkpointer": saver, "store": store, "name": agent.name})
