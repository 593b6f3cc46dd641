"""A test product: the four graphs that LangGraph's own client tests ask a server for, and some of ours.

agent          a message that streams, a tool, a question to a person, a graph inside the graph
tools_agent    a turn that calls a tool, and one that is done
deep_agent     a tool that is itself a graph
factory_agent  a graph that says what it was built for
slow_agent     waits until it is stopped
faulty_agent   fails
"""

import asyncio
import operator
from typing import Annotated, Any, TypedDict

from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import interrupt

from mainspring.orchestration.agents import Agent, AgentGraph, AgentTools


class Talk(TypedDict):
    """What the conversation holds; `items` collects which nodes were there."""

    messages: Annotated[list[AnyMessage], add_messages]
    value: str
    items: Annotated[list[str], operator.add]


class Note(TypedDict):
    """What the graph inside notes."""

    messages: Annotated[list[AnyMessage], add_messages]
    note: str


@tool
def search(query: str) -> str:
    """Look something up."""
    return f"found {query}"


def _report(step: str, phase: str) -> None:
    get_stream_writer()({"name": "progress", "step": step, "phase": phase})


async def _stream_message(state: Talk) -> dict[str, Any]:
    _report("stream_message", "start")
    reply = await FakeListChatModel(responses=["Hello, world!"]).ainvoke("Say hello.")
    _report("stream_message", "end")
    return {"messages": [reply], "value": "x", "items": ["streamed"]}


async def _call_tool(state: Talk) -> dict[str, Any]:
    _report("call_tool", "start")
    call = {"type": "tool_call", "id": "call-1", "name": "search", "args": {"query": "clauses"}}
    answer = await search.ainvoke(call)
    _report("call_tool", "end")
    return {"messages": [AIMessage(content="", tool_calls=[call]), answer], "items": ["tool"]}


async def _ask_human(state: Talk) -> dict[str, Any]:
    _report("ask_human", "start")
    answer = interrupt("May I go on?")
    _report("ask_human", "end")
    return {"messages": [AIMessage(content=f"You said {answer}.")], "items": ["asked"]}


async def _note(state: Note) -> dict[str, Any]:
    return {"messages": [AIMessage(content="Noted.")], "note": "made"}


def _note_graph() -> Any:
    inner = StateGraph(Note)
    inner.add_node("take_note", _note)
    inner.add_edge(START, "take_note")
    inner.add_edge("take_note", END)
    return inner.compile()


async def _run_subgraph(state: Talk) -> dict[str, Any]:
    noted = await _note_graph().ainvoke({"messages": [], "note": ""})
    return {"messages": noted["messages"], "items": ["sub"]}


def build_agent(tools: AgentTools) -> AgentGraph:
    """Four nodes in a row; the third asks a person."""
    graph = StateGraph(Talk)
    graph.add_node("stream_message", _stream_message)
    graph.add_node("call_tool", _call_tool)
    graph.add_node("ask_human", _ask_human)
    graph.add_node("run_subgraph", _run_subgraph)
    graph.add_edge(START, "stream_message")
    graph.add_edge("stream_message", "call_tool")
    graph.add_edge("call_tool", "ask_human")
    graph.add_edge("ask_human", "run_subgraph")
    graph.add_edge("run_subgraph", END)
    return graph


def _turn(state: MessagesState, call: str, arguments: dict[str, str]) -> dict[str, list[AnyMessage]]:
    """The first turn calls a tool, the next is done."""
    if any(isinstance(message, ToolMessage) for message in state["messages"]):
        return {"messages": [AIMessage(content="Done.")]}
    return {"messages": [AIMessage(content="", tool_calls=[{"id": "call-1", "name": call, "args": arguments}])]}


def _with_tools(think: Any, tools: list[Any]) -> AgentGraph:
    graph = StateGraph(MessagesState)
    graph.add_node("think", think)
    graph.add_node("tools", ToolNode(tools))
    graph.add_edge(START, "think")
    graph.add_conditional_edges("think", tools_condition)
    graph.add_edge("tools", "think")
    return graph


def build_tools_agent(tools: AgentTools) -> AgentGraph:
    """Calls `search` once."""

    async def think(state: MessagesState) -> dict[str, list[AnyMessage]]:
        return _turn(state, "search", {"query": "clauses"})

    return _with_tools(think, [search])


def build_deep_agent(tools: AgentTools) -> AgentGraph:
    """Calls a tool that is a graph with a model in it."""

    @tool
    async def research(question: str) -> str:
        """Find something out."""
        inner = StateGraph(MessagesState)
        inner.add_node("look", look)
        inner.add_edge(START, "look")
        inner.add_edge("look", END)
        found = await inner.compile(name="researcher").ainvoke({"messages": [HumanMessage(question)]})
        return str(found["messages"][-1].text)

    async def look(state: MessagesState) -> dict[str, list[AnyMessage]]:
        return {"messages": [await FakeListChatModel(responses=["Streams have numbers."]).ainvoke("Look.")]}

    async def think(state: MessagesState) -> dict[str, list[AnyMessage]]:
        return _turn(state, "research", {"question": "how streams resume"})

    return _with_tools(think, [research])


class Echo(TypedDict, total=False):
    """A text, and what the graph was built for."""

    text: str
    access_context: str
    is_for_execution: bool


def build_factory_agent(tools: AgentTools) -> AgentGraph:
    """Built anew for each use; the run that it is built for, if any, decides what it answers."""
    is_for_execution = tools.acting is not None
    purpose = "threads.create_run" if is_for_execution else "threads.read"

    async def echo(state: Echo) -> Echo:
        said = f"{state.get('text', '')} echoed"
        return {"text": said, "access_context": purpose, "is_for_execution": is_for_execution}

    graph = StateGraph(Echo)
    graph.add_node("echo", echo)
    graph.add_edge(START, "echo")
    graph.add_edge("echo", END)
    return graph


def build_slow_agent(tools: AgentTools) -> AgentGraph:
    """Begins, and waits for its cancellation."""

    async def wait(state: Talk) -> dict[str, Any]:
        _report("wait", "start")
        await asyncio.Event().wait()
        return {}

    graph = StateGraph(Talk)
    graph.add_node("begin", _stream_message)
    graph.add_node("wait", wait)
    graph.add_edge(START, "begin")
    graph.add_edge("begin", "wait")
    return graph


def build_faulty_agent(tools: AgentTools) -> AgentGraph:
    """Fails in its only node."""

    async def fail(state: Echo) -> Echo:
        raise ValueError("the stone is too heavy")

    graph = StateGraph(Echo)
    graph.add_node("fail", fail)
    graph.add_edge(START, "fail")
    return graph


AGENTS = (
    Agent("agent", title="Four steps", build=build_agent, description="Greets, looks up, asks and notes."),
    Agent("tools_agent", title="Tools", build=build_tools_agent),
    Agent("deep_agent", title="Graph in a tool", build=build_deep_agent),
    Agent("factory_agent", title="Built for its run", build=build_factory_agent),
    Agent("slow_agent", title="Slow", build=build_slow_agent),
    Agent("faulty_agent", title="Faulty", build=build_faulty_agent),
)
