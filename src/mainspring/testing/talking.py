"""A word with an agent in a test: one run of a thread, and how the thread stands after it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mainspring.foundation.principal import Principal
from mainspring.inference.gateway.testing import ScriptedReply
from mainspring.inference.messages import ToolCallPart
from mainspring.orchestration.agents import AgentRuntime
from mainspring.orchestration.agents.types import AgentRun, IfNotExists, Json, RunOrder, ThreadId
from mainspring.orchestration.pipelines import Failure, RunId


@dataclass(frozen=True, slots=True)
class Said:
    """How a thread stands after a run.

    text    of the last message
    state   what the graph keeps; `messages` for most
    asks    what the thread waits for, as its interrupts say it; empty when it waits for nobody
    run     the pipeline run that led it: hand it to `Kit.decide`
    error   why the run failed
    """

    thread: ThreadId
    agent: str
    text: str
    state: Mapping[str, Any]
    asks: tuple[Any, ...]
    run: RunId | None
    error: Failure | None


def asks_for(tool: str, **arguments: object) -> ScriptedReply:
    """A reply by which the model asks for a tool."""
    return ScriptedReply(tool_calls=(ToolCallPart(f"call_{tool}", tool, json.dumps(arguments)),))


def order_words(agent: str, words: str, thread: ThreadId) -> RunOrder:
    """What to submit so that the agent hears somebody."""
    heard: Json = {"messages": [{"role": "user", "content": words}]}
    return RunOrder(agent, thread=thread, input=heard, if_not_exists=IfNotExists.CREATE)


async def read_thread(runtime: AgentRuntime, by: Principal, agent: str, run: AgentRun) -> Said:
    """The thread of a run that is over."""
    graph = runtime.graphs.open(by.tenant, agent)
    snapshot = await graph.aget_state({"configurable": {"thread_id": str(run.thread)}})
    state: Mapping[str, Any] = snapshot.values
    messages = state.get("messages") or ()
    return Said(
        thread=run.thread,
        agent=agent,
        text=str(messages[-1].text) if messages else "",
        state=state,
        asks=tuple(each.value for each in snapshot.interrupts),
        run=run.pipeline_run,
        error=run.error,
    )
