"""Agents as they are declared, and what a graph is given when it is built.

    clerk = Agent("clerk", title="Clerk", build=build_clerk, tools=(search, file_note))

    def build_clerk(tools: AgentTools) -> StateGraph[State]: ...

A graph is built anew for each run, so that its models and tools belong to that run; and once more, without one,
whenever a thread's state is looked at. So `build` does nothing but declare nodes and edges.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from langgraph.graph import StateGraph
from langgraph.pregel import Pregel

from mainspring.orchestration.tools.types import Tool

from .errors import AgentInvalid, AgentUnknown
from .loops import LOOP_LIMIT
from .tools import AgentTools

AgentGraph = StateGraph[Any, Any, Any, Any] | Pregel[Any, Any, Any, Any]
"""What `build` returns: a graph that is not compiled yet, or one that was compiled without a checkpointer."""

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")


@dataclass(frozen=True, slots=True)
class AgentLimits:
    """Where an agent is stopped.

    recursion            steps of the graph in one run; a run's config may ask for fewer
    cost_ceiling_micros  what the models of one run may cost; None for no ceiling
    time                 from a run's first start to its end, restarts included; waits for people do not count
    loops                how often the same tool is called with the same arguments since a person last spoke
    history              checkpoints of a thread that stay after a run, for going back
    """

    recursion: int = 50
    cost_ceiling_micros: int | None = None
    time: timedelta = timedelta(minutes=30)
    loops: int = LOOP_LIMIT
    history: int = 20


@dataclass(frozen=True, slots=True, eq=False)
class Agent:
    """A graph by a name: the `graph_id` of its assistants.

    build  makes the graph from what it is given; plain and quick, no work at import
    tools  what its models may ask for
    """

    name: str
    title: str
    build: Callable[[AgentTools], AgentGraph] = field(repr=False)
    description: str = ""
    tools: tuple[Tool, ...] = ()
    limits: AgentLimits = AgentLimits()

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise AgentInvalid(f"agent name {self.name!r} must be lower case with - or _, at most 63 characters")
        if self.limits.recursion < 1 or self.limits.history < 1 or self.limits.loops < 1:
            raise AgentInvalid(f"agent {self.name}: the limits recursion, loops and history start at 1")


class Agents:
    """The agents there are, by name."""

    def __init__(self, agents: Iterable[Agent] = ()) -> None:
        self._agents: dict[str, Agent] = {}
        for agent in agents:
            if agent.name in self._agents:
                raise AgentInvalid(f"two agents are named {agent.name!r}; a graph's name is never reused")
            self._agents[agent.name] = agent

    def __iter__(self) -> Iterator[Agent]:
        return iter(self._agents.values())

    def __len__(self) -> int:
        return len(self._agents)

    def __contains__(self, name: object) -> bool:
        return name in self._agents

    def find(self, name: str) -> Agent | None:
        """The agent of that name, or None."""
        return self._agents.get(name)

    def get(self, name: str) -> Agent:
        """The agent of that name; AgentUnknown when there is none."""
        agent = self._agents.get(name)
        if agent is None:
            raise AgentUnknown(f"There is no agent named {name[:80]!r}; there are {', '.join(self._agents) or 'none'}.")
        return agent
