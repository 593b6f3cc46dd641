"""A product for rehearsals: what a stack under test lacks otherwise, found by its entry point as any product is.

A pipeline that fails when it is told to, one that waits for a person, tools that read, write and hold a secret, and an
agent that calls the tools it is given, in that order, so that no model is needed to say what an agent does.
"""

import operator
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, TypedDict

from langgraph.graph import END, START, StateGraph

from mainspring.orchestration.agents import Agent, AgentTools
from mainspring.orchestration.approvals import Approvals, Decision, Proposal
from mainspring.orchestration.pipelines import Abandon, Pipeline, StepRun, Wait
from mainspring.orchestration.products import Brought, Product, Services
from mainspring.orchestration.tools import Effects, ToolContext, tool
from mainspring.orchestration.tools.types import Json, ResultStatus


@dataclass(frozen=True, slots=True)
class Order:
    """What a run is to do; `words` come back, in its output or in its failure."""

    words: str = ""
    fails: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """What came of it."""

    words: str


@tool(effects=Effects.WRITES)
async def note_down(context: ToolContext, words: str) -> str:
    """Write something down."""
    return f"noted {words}"


@tool(effects=Effects.READS, untrusted_output=True)
async def open_letter(words: str) -> str:
    """Read a letter that a stranger wrote."""
    return words


@tool(effects=Effects.READS, secrets=("mail.token",))
async def look_at_mail(context: ToolContext, tells: bool = False) -> str:
    """Look at the mail; with `tells` it says more than it should."""
    secret = await context.secret("mail.token")
    if tells:
        raise RuntimeError(f"cannot log in with {secret}")
    return f"{len(secret)} letters; the key is {secret}"


class Errand(TypedDict, total=False):
    """Calls to make, and what they came to."""

    calls: list[dict[str, Any]]
    answers: Annotated[list[Any], operator.add]


def build_errand(kit: AgentTools) -> StateGraph[Any, Any, Any, Any]:
    """One node that makes the calls in their order."""

    async def work(state: Errand) -> dict[str, Any]:
        answers: list[Json] = []
        for number, call in enumerate(state.get("calls", [])):
            done = f"{len(state.get('answers', []))}-{number}"
            result = await kit.call(call["name"], call.get("arguments", {}), call_id=done)
            said = result.error.detail if result.status is ResultStatus.FAILED and result.error else result.content
            answers.append({"status": result.status.value, "said": said})
        return {"answers": answers}

    graph: StateGraph[Any, Any, Any, Any] = StateGraph(Errand)
    graph.add_node("work", work)
    graph.add_edge(START, "work")
    graph.add_edge("work", END)
    return graph


def _build_failing() -> Pipeline:
    failing = Pipeline("rehearsal.act", version=1)

    @failing.step("act", title="Act")
    async def act(order: Order, run: StepRun) -> Done:
        await run.say(order.words)
        if order.fails:
            raise Abandon(order.words or "It was told to fail.", code="rehearsed")
        return Done(order.words)

    return failing


def _build_asking(approvals: Approvals) -> Pipeline:
    asking = Pipeline("rehearsal.ask", version=1)

    @asking.step("ask", title="Ask")
    async def ask(order: Order, run: StepRun) -> Wait[Decision]:
        proposal = Proposal(
            action="rehearsal.act",
            arguments={"words": order.words},
            output=None,
            title="Act",
            shown=f"Say {order.words}.",
            roles=("role:reviewer", "role:owner"),
            expires=timedelta(days=1),
        )
        return await approvals.ask_step(run, proposal)

    @asking.step("use", title="Use", after=("ask",))
    async def use(decision: Decision, run: StepRun) -> Done:
        used = await approvals.consume_step(run, decision)
        return Done(str(used.arguments))

    return asking


def build(services: Services) -> Brought:
    """All of it."""
    return Brought(
        pipelines=(_build_failing(), _build_asking(services.approvals)),
        agents=(Agent("errand", "Errand", build_errand, tools=(note_down, open_letter, look_at_mail)),),
        startable=frozenset({"rehearsal.act", "rehearsal.ask"}),
    )


product = Product("rehearsal", title="Rehearsal", build=build)
