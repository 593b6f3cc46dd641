"""What a run leaves behind, read from its thread's latest checkpoint."""

from typing import Any
from uuid import UUID

from langchain_core.runnables import RunnableConfig
from langgraph.types import StateSnapshot

from mainspring.foundation.errors import NotFound
from mainspring.foundation.ids import read_id
from mainspring.orchestration.agents.runs.ending import Outcome
from mainspring.orchestration.agents.tools import INTERRUPT_KIND
from mainspring.orchestration.agents.types import AgentRun, AgentRunStatus, Json, JsonObject
from mainspring.orchestration.pipelines.types import Failure
from mainspring.orchestration.tools.types import APPROVAL_PREFIX

from .frames import show_interrupt, to_json
from .graphs import Graph


async def read_outcome(graph: Graph, run: AgentRun, status: AgentRunStatus, failure: Failure | None = None) -> Outcome:
    """The run's outcome with the state that its thread has now."""
    config: RunnableConfig = {"configurable": {"thread_id": str(run.thread)}}
    snapshot = await graph.aget_state(config)
    return Outcome(
        status,
        failure,
        values=to_json(snapshot.values),
        interrupts=interrupts_of(snapshot),
        has_next=bool(snapshot.next),
        approvals=tuple(_approvals(snapshot)) if failure is None else (),
    )


def interrupts_of(snapshot: StateSnapshot) -> JsonObject:
    """Task id -> the interrupts that wait there, for tasks that have any."""
    found: JsonObject = {}
    for task in snapshot.tasks:
        waiting: list[Json] = [show_interrupt(each) for each in task.interrupts]
        if waiting:
            found[task.id] = waiting
    return found


def _approvals(snapshot: StateSnapshot) -> list[tuple[UUID, str]]:
    found: list[tuple[UUID, str]] = []
    for task in snapshot.tasks:
        for interrupt in task.interrupts:
            approval = _approval_in(interrupt.value)
            if approval is not None:
                found.append((approval, interrupt.id))
    return found


def _approval_in(value: Any) -> UUID | None:
    if not isinstance(value, dict) or value.get("kind") != INTERRUPT_KIND:  # pyright: ignore[reportUnknownMemberType] - JSON
        return None
    try:
        return read_id(APPROVAL_PREFIX, str(value.get("approval")))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType] - JSON
    except NotFound:
        return None
