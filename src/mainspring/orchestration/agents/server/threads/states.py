"""A thread's states: the one it is in, those it went through, and edits by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.errors import InvalidUpdateError
from langgraph.types import Command, StateSnapshot, StateUpdate

from mainspring.foundation.db import Database
from mainspring.orchestration.agents.errors import AgentInputInvalid
from mainspring.orchestration.agents.runtime import Graphs, privately
from mainspring.orchestration.agents.runtime.frames import to_json
from mainspring.orchestration.agents.runtime.graphs import Graph
from mainspring.orchestration.agents.types import Json, JsonObject, Thread, ThreadStatus

from . import store


@dataclass(frozen=True, slots=True)
class Edit:
    """One update of a state, as if the node `as_node` had made it."""

    values: Json
    as_node: str | None = None
    command: JsonObject | None = None


@dataclass(frozen=True, slots=True)
class HistoryChoice:
    """Which states; `before` and `checkpoint` name one as `{"checkpoint_id": ...}`."""

    limit: int = 10
    before: Mapping[str, object] | None = None
    metadata: JsonObject | None = None
    checkpoint: Mapping[str, object] | None = None


class States:
    """The states of every tenant's threads, read and edited through their graphs."""

    def __init__(self, database: Database, graphs: Graphs) -> None:
        self._database = database
        self._graphs = graphs

    async def get(
        self, thread: Thread, checkpoint: Mapping[str, object] | None = None, *, subgraphs: bool = False
    ) -> JsonObject:
        """The thread's state, at a checkpoint or the latest; an empty one before its first run."""
        graph = self._bind(thread)
        if graph is None:
            return _empty(thread)
        with privately():
            snapshot = await graph.aget_state(thread_config(thread, checkpoint), subgraphs=subgraphs)
        return show_state(snapshot)

    async def history(self, thread: Thread, wanted: HistoryChoice) -> list[JsonObject]:
        """States the thread went through, newest first."""
        graph = self._bind(thread)
        if graph is None:
            return []
        before = thread_config(thread, wanted.before) if wanted.before else None
        found = graph.aget_state_history(
            thread_config(thread, wanted.checkpoint), filter=wanted.metadata, before=before, limit=wanted.limit
        )
        with privately():
            return [show_state(each) async for each in found]

    async def edit(
        self, thread: Thread, supersteps: Sequence[Sequence[Edit]], checkpoint: Mapping[str, object] | None = None
    ) -> JsonObject:
        """Change the state by hand, superstep by superstep; the name of the state that came of it.

        raises   ThreadBusy while a run leads the thread, AgentInputInvalid for what the graph refuses
        """
        graph = self._bind(thread, guarded=True)
        if graph is None:
            raise AgentInputInvalid(
                f"The thread {thread.id} has no graph yet; start a run on it, or create it with a graph_id."
            )
        updates = [[_as_update(edit) for edit in step] for step in supersteps]
        try:
            with privately():
                config = await graph.abulk_update_state(thread_config(thread, checkpoint), updates)
        except (InvalidUpdateError, KeyError, TypeError, ValueError) as refused:
            raise AgentInputInvalid(f"The graph {thread.graph} refuses the update: {str(refused)[:500]}") from None
        await self._note(thread, graph)
        return show_checkpoint(config) or {}

    async def _note(self, thread: Thread, graph: Graph) -> None:
        """Show the new state with the thread, too."""
        with privately():
            snapshot = await graph.aget_state(thread_config(thread))
        waiting: JsonObject = {task.id: to_json(list(task.interrupts)) for task in snapshot.tasks if task.interrupts}
        status = ThreadStatus.INTERRUPTED if snapshot.next else ThreadStatus.IDLE
        values = to_json(snapshot.values)
        async with self._database.tenant(thread.tenant) as transaction:
            await store.set_state(transaction, replace(thread, values=values, interrupts=waiting, status=status))

    def _bind(self, thread: Thread, *, guarded: bool = False) -> Graph | None:
        if thread.graph is None:
            return None
        return self._graphs.open(thread.tenant, thread.graph, thread=thread.id if guarded else None)


def thread_config(thread: Thread, configurable: Mapping[str, object] | None = None) -> RunnableConfig:
    """The config that names a thread's state."""
    return {"configurable": {"thread_id": str(thread.id), "checkpoint_ns": "", **(configurable or {})}}


def show_state(snapshot: StateSnapshot) -> JsonObject:
    """A state as `StateShape`."""
    metadata = cast("Mapping[str, Any] | None", snapshot.metadata)
    return {
        "values": to_json(snapshot.values),
        "next": list(snapshot.next),
        "tasks": [_show_task(task) for task in snapshot.tasks],
        "metadata": to_json(metadata),
        "created_at": snapshot.created_at,
        "checkpoint": show_checkpoint(snapshot.config),
        "parent_checkpoint": show_checkpoint(snapshot.parent_config),
        "interrupts": [_show_interrupt(each) for each in snapshot.interrupts],
        "checkpoint_id": _configurable(snapshot.config).get("checkpoint_id"),
        "parent_checkpoint_id": _configurable(snapshot.parent_config).get("checkpoint_id"),
    }


def show_checkpoint(config: RunnableConfig | None) -> JsonObject | None:
    """The name of a state, as `CheckpointShape`."""
    configurable = _configurable(config)
    if not configurable:
        return None
    shown: JsonObject = {
        "thread_id": configurable.get("thread_id"),
        "checkpoint_ns": configurable.get("checkpoint_ns", ""),
        "checkpoint_id": configurable.get("checkpoint_id"),
    }
    inner = configurable.get("checkpoint_map")
    return {**shown, "checkpoint_map": inner} if inner else shown


def _show_task(task: Any) -> JsonObject:
    state = task.state
    shown: JsonObject = {
        "id": task.id,
        "name": task.name,
        "path": to_json(task.path),
        "error": None if task.error is None else str(task.error),
        "interrupts": [_show_interrupt(each) for each in task.interrupts],
        "checkpoint": None,
        "state": None,
        "result": to_json(task.result),
    }
    if isinstance(state, StateSnapshot):
        return {**shown, "state": show_state(state), "checkpoint": show_checkpoint(state.config)}
    return {**shown, "checkpoint": show_checkpoint(state)} if state else shown


def _show_interrupt(interrupt: Any) -> JsonObject:
    return {"id": interrupt.id, "value": to_json(interrupt.value)}


def _configurable(config: RunnableConfig | None) -> JsonObject:
    found = to_json((config or {}).get("configurable"))
    return found if isinstance(found, dict) else {}


def _as_update(edit: Edit) -> StateUpdate:
    values: Any = edit.values
    if edit.command is not None:
        values = Command(
            update=edit.command.get("update"),
            resume=edit.command.get("resume"),
            goto=cast("Any", edit.command.get("goto") or ()),
        )
    return StateUpdate(values=values, as_node=edit.as_node)


def _empty(thread: Thread) -> JsonObject:
    name: JsonObject = {"thread_id": str(thread.id), "checkpoint_ns": "", "checkpoint_id": None}
    return {
        "values": {},
        "next": [],
        "tasks": [],
        "metadata": {},
        "created_at": None,
        "checkpoint": name,
        "parent_checkpoint": None,
        "interrupts": [],
    }
