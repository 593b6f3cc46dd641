"""`contracts_ask`: questions about a tenant's contracts, answered with citations that stand.

    begin -> think <-> use_tools -> check        with a capable model, and AI switched on
    begin -> look                                without: no model decides, writes or is asked anything

Both ways call the same tools through the toolbox. What a model wrote is checked against the contracts before it is an
answer; when nothing of it holds, or the model does not answer, the other way does, and the answer says so.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from typing import Any

import msgspec
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, MessagesState, StateGraph

from mainspring.inference.gateway import AiSwitch
from mainspring.inference.gateway.errors import AiDisabled, ModelError
from mainspring.orchestration.agents import Agent, AgentGraph, AgentLimits, AgentTools
from mainspring.orchestration.tools import Json, ResultStatus, Tool, ToolResult, show_to_model

from .checking import check_answer
from .desk import Desk
from .extractive import nothing
from .looking import Looking, prepare_draft
from .telling import describe, places, read_as, write_answer
from .tools import COMPUTE, DRAFT
from .types import AGENT, Answer, Cited, Computed, Method

NO_MODEL = "no model that can decide for itself is configured"
AI_OFF = "AI is switched off for this tenant"
NOT_FOUND = "what the model wrote could not be found in the contracts"
CHECKED = (
    "Written by a model over clauses that its tools found. Each sentence was checked against the words that it cites; "
    "read the clause before you rely on it."
)
_NOTHING = "NOTHING RELEVANT"
_SAME_CALL = 3
_MOST_QUESTION = 4_000


class AskState(MessagesState, total=False):
    """The conversation, and the latest answer in parts.

    answer   as `types.Answer`, in JSON
    why      there is no model's answer; empty while a model is at work
    dropped  what was left out of a model's answer
    """

    answer: dict[str, Any]
    why: str
    dropped: int


def build_agent(desk: Desk, tools: tuple[Tool, ...], ai_switch: AiSwitch) -> Agent:
    """The agent over these tools.

    ai_switch  whether the tenant lets models read its contracts
    """

    def build(kit: AgentTools) -> AgentGraph:
        return _graph(_Nodes(kit, desk, ai_switch))

    return Agent(
        AGENT,
        "Ask your contracts",
        build,
        description="Answers questions about your contracts with citations, computes dates, and drafts amendments "
        "that a person approves.",
        tools=tools,
        limits=AgentLimits(recursion=40),
    )


def _graph(nodes: "_Nodes") -> StateGraph[Any, Any, Any, Any]:
    graph = StateGraph(AskState)
    graph.add_node("begin", nodes.begin)
    graph.add_node("think", nodes.think)
    graph.add_node("use_tools", nodes.use_tools)
    graph.add_node("check", nodes.check)
    graph.add_node("look", nodes.look)
    graph.add_edge(START, "begin")
    graph.add_conditional_edges("begin", _after_beginning, ["look", "think"])
    graph.add_conditional_edges("think", _after_thinking, ["look", "use_tools", "check"])
    graph.add_edge("use_tools", "think")
    graph.add_conditional_edges("check", _after_checking, ["look", END])
    graph.add_edge("look", END)
    return graph


class _Nodes:
    """The nodes of one run."""

    def __init__(self, kit: AgentTools, desk: Desk, ai_switch: AiSwitch) -> None:
        self._kit = kit
        self._desk = desk
        self._ai_switch = ai_switch

    async def begin(self, state: AskState) -> dict[str, Any]:
        """Decide which way; a new question forgets what was said of the last one."""
        acting = self._kit.acting
        assert acting is not None, "the graph runs for somebody"
        why = NO_MODEL if self._kit.gateway is None or self._kit.gateway.capable_model() is None else ""
        if not await self._ai_switch.is_enabled(acting.principal.tenant):
            why = AI_OFF
        return {"why": why, "dropped": 0, "answer": {}}

    async def think(self, state: AskState) -> dict[str, Any]:
        """Ask the model; when it does not answer, the way without one is taken."""
        chat = self._kit.capable_model()
        assert chat is not None, "`begin` found one"
        prompt = files(__package__ or "").joinpath("prompts", "ask.v1.md").read_text("utf-8")
        try:
            reply = await chat.bind_tools(self._kit.offered).ainvoke([SystemMessage(prompt), *state["messages"]])
        except (ModelError, AiDisabled) as failure:
            return {"why": f"the model did not answer ({failure.code})"}
        return {"messages": [reply.model_copy(update={"content": str(reply.text)})]}

    async def use_tools(self, state: AskState) -> dict[str, Any]:
        """Do what the model asked for, one call after the other."""
        last = state["messages"][-1]
        calls = last.tool_calls if isinstance(last, AIMessage) else []
        made = _made(state["messages"])
        return {"messages": [await self._answer_call(call, made) for call in calls]}

    async def _answer_call(self, call: Any, made: "Counter[str]") -> ToolMessage:
        if made[_key(call)] > _SAME_CALL:
            text = "This very call was made before; its answer stands above. Answer with what there is."
            return ToolMessage(text, name=call["name"], tool_call_id=call["id"], status="error")
        arguments: dict[str, Json] = dict(call["args"])
        result = await self._call_for_model(call["name"], arguments, call["id"])
        computed = read_as(Computed, result) if call["name"] == COMPUTE else None
        return ToolMessage(
            show_to_model(result),
            name=call["name"],
            tool_call_id=call["id"],
            status="error" if result.status is ResultStatus.FAILED else "success",
            artifact={
                "status": result.status.value,
                "is_untrusted": result.is_untrusted,
                "lines": [line.text for line in computed.lines] if computed else [],
            },
        )

    async def _call_for_model(self, name: str, arguments: Mapping[str, Json], call_id: str) -> ToolResult:
        if name != DRAFT:
            return await self._call(name, arguments, call_id)
        prepared = await prepare_draft(
            lambda tool, given: self._call(tool, given, f"{call_id}-read"),
            {key: value for key, value in arguments.items() if key not in ("old_text", "redline")},
        )
        return prepared if isinstance(prepared, ToolResult) else await self._call(name, prepared[0], call_id)

    async def check(self, state: AskState) -> dict[str, Any]:
        """Keep of the model's answer what stands in the contracts."""
        acting, last = self._kit.acting, state["messages"][-1]
        assert acting is not None, "the graph runs for somebody"
        text = str(last.text)
        if text.strip().rstrip(".").upper() == _NOTHING:
            return await self._finish(nothing(await self._count(), "the model found nothing that answers"), last.id)
        turn = _since_question(state["messages"])
        lines = [
            str(line)
            for each in turn
            if isinstance(each, ToolMessage)
            for line in (each.artifact or {}).get("lines", ())
        ]
        checked = await check_answer(text, lambda one: self._desk.open(acting.principal, one), computed=lines)
        if not checked.sentences:
            return {"why": NOT_FOUND, "dropped": checked.dropped}
        answer = Answer(Method.MODEL, CHECKED, checked.sentences, checked.dropped)
        return await self._finish(answer, last.id)

    async def look(self, state: AskState) -> dict[str, Any]:
        """Answer without a model."""
        acting, question = self._kit.acting, _question(state["messages"])
        assert acting is not None, "the graph runs for somebody"
        asked = str(question.text)[:_MOST_QUESTION] if question else ""
        counted = Counter[str]()

        async def call(name: str, arguments: Mapping[str, Json]) -> ToolResult:
            counted[name] += 1
            return await self._call(name, arguments, f"{question.id if question else ''}-{name}-{counted[name]}")

        looking = Looking(self._desk, acting.principal, call, state.get("why") or NO_MODEL)
        answer = await looking.answer(asked)
        return await self._finish(replace(answer, dropped=state.get("dropped", 0)), _unchecked(state["messages"]))

    async def _call(self, name: str, arguments: Mapping[str, Json], call_id: str) -> ToolResult:
        result = await self._kit.call(name, arguments, call_id=call_id)
        await self._tell("tool", describe(name, arguments, result), tool=name, places=places(result))
        return result

    async def _count(self) -> int:
        acting = self._kit.acting
        return len(await self._desk.contracts(acting.principal)) if acting else 0

    async def _finish(self, answer: Answer, message: str | None) -> dict[str, Any]:
        for sentence in answer.sentences:
            await self._tell("sentence", sentence.text, places=sentence.citations)
        said = AIMessage(write_answer(answer), id=message)
        return {"messages": [said], "answer": msgspec.to_builtins(answer), "why": ""}

    async def _tell(self, kind: str, text: str, *, tool: str | None = None, places: Sequence[Cited] = ()) -> None:
        """To clients of LangGraph as a custom event, and to everybody as what the run is doing."""
        get_stream_writer()(
            {"type": kind, "text": text, "tool": tool, "citations": [msgspec.to_builtins(each) for each in places]}
        )
        if self._kit.acting is not None and kind == "tool":
            await self._kit.acting.run.say(text[:500])


def _after_beginning(state: AskState) -> str:
    return "look" if state.get("why") else "think"


def _after_checking(state: AskState) -> str:
    return "look" if state.get("why") else END


def _after_thinking(state: AskState) -> str:
    if state.get("why"):
        return "look"
    last = state["messages"][-1]
    return "use_tools" if isinstance(last, AIMessage) and last.tool_calls else "check"


def _question(messages: Sequence[BaseMessage]) -> HumanMessage | None:
    return next((each for each in reversed(messages) if isinstance(each, HumanMessage)), None)


def _since_question(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    asked = [place for place, each in enumerate(messages) if isinstance(each, HumanMessage)]
    return list(messages[asked[-1] :] if asked else messages)


def _computed(messages: Sequence[BaseMessage]) -> list[str]:
    """The lines of arithmetic that tools gave since the question."""
    told = [each.artifact or {} for each in _since_question(messages) if isinstance(each, ToolMessage)]
    return [str(line) for artifact in told for line in artifact.get("lines", ())]


def _made(messages: Sequence[BaseMessage]) -> "Counter[str]":
    """How often each call was made since the question."""
    turn = [each for each in _since_question(messages) if isinstance(each, AIMessage)]
    return Counter(_key(call) for each in turn for call in each.tool_calls)


def _key(call: Any) -> str:
    return f"{call['name']} {msgspec.json.encode(call['args'], order='sorted').decode()}"


def _unchecked(messages: Sequence[BaseMessage]) -> str | None:
    """The id of a model's answer that did not hold: it is replaced."""
    last = messages[-1] if messages else None
    return last.id if isinstance(last, AIMessage) and not last.tool_calls else None
