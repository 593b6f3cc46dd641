"""The stock agent: a model that may call tools until it has an answer. No knowledge of graphs is needed.

helper = react_agent("helper", title="Helper", instructions="Answer from the handbook.", tools=(search,))
"""

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessage, SystemMessage
from langgraph.graph import END, START, MessagesState, StateGraph

from mainspring.orchestration.tools.types import Tool

from .agent import Agent, AgentGraph, AgentLimits
from .tools import AgentTools

THINK = "think"
USE_TOOLS = "use_tools"


def react_agent(  # noqa: PLR0913 - each is one word of a declaration
    name: str,
    *,
    title: str,
    instructions: str,
    tools: Sequence[Tool] = (),
    model: str | None = None,
    limits: AgentLimits = AgentLimits(),  # noqa: B008 - frozen
    description: str = "",
) -> Agent:
    """An agent of two nodes: `think` asks the model, `use_tools` does what it asked for, until it asks for nothing.

    instructions  what the model is told before the conversation
    model         of the catalogue; None for the configured capable one, else the default
    """

    def build(kit: AgentTools) -> AgentGraph:
        return _graph(kit, instructions, model)

    return Agent(name, title, build, description or instructions, tuple(tools), limits)


def _plain(reply: AIMessage) -> AIMessage:
    """The reply with its words as one text: streamed replies are put together as a list of blocks."""
    return reply.model_copy(update={"content": str(reply.text)})


def _graph(kit: AgentTools, instructions: str, model: str | None) -> StateGraph[Any, Any, Any, Any]:
    async def think(state: MessagesState) -> dict[str, list[Any]]:
        chat = (kit.model(model) if model else kit.capable_model() or kit.model()).bind_tools(kit.offered)
        reply = await chat.ainvoke([SystemMessage(instructions), *state["messages"]])
        return {"messages": [_plain(reply)]}

    async def use_tools(state: MessagesState) -> dict[str, list[Any]]:
        return {"messages": await kit.answer_calls(state["messages"])}

    def decide(state: MessagesState) -> str:
        last = state["messages"][-1]
        return USE_TOOLS if isinstance(last, AIMessage) and last.tool_calls else END

    graph = StateGraph(MessagesState)
    graph.add_node(THINK, think)
    graph.add_node(USE_TOOLS, use_tools)
    graph.add_edge(START, THINK)
    graph.add_conditional_edges(THINK, decide, [USE_TOOLS, END])
    graph.add_edge(USE_TOOLS, THINK)
    return graph
