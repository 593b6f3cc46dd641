"""Which assistant a run is for: one that somebody configured, or the standard one of a graph.

The standard assistant of a graph has the same id for every tenant, and its row is written when it is first used.
"""

from dataclasses import dataclass
from uuid import NAMESPACE_URL, UUID, uuid5

from mainspring.foundation.db import Row, TenantTransaction

from . import store
from .agent import Agent, Agents
from .errors import AgentUnknown
from .types import AssistantId, JsonObject


@dataclass(frozen=True, slots=True)
class Chosen:
    """An assistant as a run needs it."""

    id: AssistantId
    agent: Agent
    config: JsonObject
    context: JsonObject


def standard_assistant(graph: str) -> AssistantId:
    """The id of a graph's standard assistant."""
    return AssistantId(uuid5(NAMESPACE_URL, f"mainspring:agent:{graph}"))


async def choose_assistant_in(transaction: TenantTransaction, agents: Agents, asked: AssistantId | str) -> Chosen:
    """The assistant of that id, or the standard one of the graph of that name; AgentUnknown when there is neither."""
    agent = agents.find(str(asked)) or _standard_of(agents, asked)
    if agent is not None:
        row = await _ensure_standard(transaction, agent)
    else:
        row = await _find(transaction, asked)
        agent = agents.find(row["graph"]) if row else None
    if row is None or agent is None:
        raise AgentUnknown(
            f"There is no assistant or agent {str(asked)[:80]!r}; agents are {', '.join(each.name for each in agents)}."
        )
    return Chosen(AssistantId(row["id"]), agent, row["config"], row["context"])


def _standard_of(agents: Agents, asked: AssistantId | str) -> Agent | None:
    return next((agent for agent in agents if str(standard_assistant(agent.name)) == str(asked)), None)


async def _find(transaction: TenantTransaction, asked: AssistantId | str) -> Row | None:
    try:
        identifier = UUID(str(asked))
    except ValueError:
        return None
    return await store.find_assistant(transaction, identifier)


async def _ensure_standard(transaction: TenantTransaction, agent: Agent) -> Row:
    identifier = standard_assistant(agent.name)
    return await store.find_assistant(transaction, identifier) or await store.insert_standard(
        transaction, identifier, graph=agent.name, name=agent.name, description=agent.description or None
    )
