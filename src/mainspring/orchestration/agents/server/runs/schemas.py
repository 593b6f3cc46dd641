"""Wire shapes of runs, and what a request for one means to the runtime."""

from typing import Literal

from pydantic import BaseModel, Field, JsonValue

from mainspring.orchestration.agents.server.words import Body, read_uuid, show_instant
from mainspring.orchestration.agents.types import (
    AgentRun,
    Durability,
    IfNotExists,
    JsonObject,
    Multitask,
    OnCompletion,
    RunOrder,
    StreamChoice,
    StreamMode,
    ThreadId,
)

Nodes = Literal["*"] | list[str] | None

_MEANS: dict[StreamMode, tuple[StreamMode, ...]] = {
    StreamMode.MESSAGES_TUPLE: (StreamMode.MESSAGES,),
    StreamMode.DEBUG: (StreamMode.TASKS, StreamMode.CHECKPOINTS),
    StreamMode.EVENTS: (StreamMode.MESSAGES, StreamMode.UPDATES, StreamMode.CUSTOM),
}
_MADE_HERE = {StreamMode.MESSAGES_TUPLE, StreamMode.DEBUG, StreamMode.EVENTS}
EVERYTHING = tuple(each for each in StreamMode if each not in _MADE_HERE)
"""What a run tells whose thread is followed by the event protocol."""


class CommandBody(Body):
    """Instead of an input: answer what waits, change the state, go somewhere."""

    update: JsonValue = None
    resume: JsonValue = None
    goto: JsonValue = None


class RunCheckpoint(Body):
    """The state to go on from."""

    thread_id: str | None = None
    checkpoint_ns: str | None = None
    checkpoint_id: str | None = None
    checkpoint_map: dict[str, JsonValue] | None = None


class RunCreate(Body):
    """A run to start.

    `stream_resumable` is accepted: every stream can be resumed here. `feedback_keys` and `langsmith_tracer` are
    accepted and do nothing: traces are Mainspring's own.
    """

    assistant_id: str = Field(max_length=200)
    input: JsonValue = None
    command: CommandBody | None = None
    config: dict[str, JsonValue] | None = None
    context: dict[str, JsonValue] | None = None
    metadata: dict[str, JsonValue] | None = None
    checkpoint: RunCheckpoint | None = None
    checkpoint_id: str | None = None
    checkpoint_during: bool | None = None
    durability: Durability | None = None
    interrupt_before: Nodes = None
    interrupt_after: Nodes = None
    webhook: str | None = Field(None, max_length=2_000)
    stream_mode: StreamMode | list[StreamMode] | None = None
    stream_subgraphs: bool = False
    stream_resumable: bool = False
    feedback_keys: list[str] | None = None
    on_disconnect: Literal["cancel", "continue"] = "continue"
    on_completion: OnCompletion = OnCompletion.DELETE
    multitask_strategy: Multitask = Multitask.ENQUEUE
    if_not_exists: IfNotExists = IfNotExists.REJECT
    after_seconds: float = Field(0, ge=0, le=31_536_000)

    @property
    def modes(self) -> frozenset[str]:
        """The stream modes asked for."""
        asked = [self.stream_mode] if isinstance(self.stream_mode, StreamMode) else self.stream_mode
        return frozenset(each.value for each in asked or [StreamMode.VALUES])

    def order(self, thread: ThreadId | None) -> RunOrder:
        """What the runtime is to do."""
        checkpoint: JsonObject | None = None
        if self.checkpoint is not None:
            checkpoint = self.checkpoint.model_dump(exclude_none=True, exclude={"thread_id"})
        elif self.checkpoint_id:
            checkpoint = {"checkpoint_id": self.checkpoint_id}
        return RunOrder(
            assistant=self.assistant_id,
            thread=thread,
            input=self.input,
            command=self.command.model_dump(exclude_unset=True) if self.command else None,
            checkpoint=checkpoint or None,
            config=self.config or {},
            context=self.context or {},
            metadata=self.metadata or {},
            stream=StreamChoice(_needed(self.modes), subgraphs=self.stream_subgraphs),
            interrupt_before=_nodes(self.interrupt_before),
            interrupt_after=_nodes(self.interrupt_after),
            multitask=self.multitask_strategy,
            durability=self._durability(),
            on_completion=self.on_completion,
            if_not_exists=self.if_not_exists,
            delay_seconds=self.after_seconds,
            webhook=self.webhook,
            kwargs={"stream_mode": [*sorted(self.modes)], "stream_subgraphs": self.stream_subgraphs},
        )

    def _durability(self) -> Durability:
        if self.durability is not None:
            return self.durability
        return Durability.EXIT if self.checkpoint_during is False else Durability.ASYNC


class RunInBatch(RunCreate):
    """One of several runs."""

    thread_id: str | None = None

    def order_itself(self) -> RunOrder:
        """What the runtime is to do, on the thread named."""
        return self.order(None if self.thread_id is None else ThreadId(read_uuid(self.thread_id, "thread")))


class RunsCancel(Body):
    """Which runs to stop: those named, or a tenant's of a status."""

    thread_id: str | None = None
    run_ids: list[str] | None = Field(None, max_length=1_000)
    status: Literal["pending", "running", "all"] | None = None


class AgentRunShape(BaseModel):
    """A run."""

    run_id: str
    thread_id: str
    assistant_id: str
    created_at: str
    updated_at: str
    status: str
    metadata: dict[str, JsonValue]
    kwargs: dict[str, JsonValue]
    multitask_strategy: Multitask


def show_run(run: AgentRun) -> JsonObject:
    """As `AgentRunShape`."""
    order = run.order
    kwargs: JsonObject = {
        **order.kwargs,
        "input": order.input,
        "command": order.command,
        "config": order.config,
        "context": order.context,
        "interrupt_before": list(order.interrupt_before),
        "interrupt_after": list(order.interrupt_after),
        "webhook": order.webhook,
    }
    shown: JsonObject = {
        "run_id": str(run.id),
        "thread_id": str(run.thread),
        "assistant_id": str(run.assistant),
        "created_at": show_instant(run.created_at),
        "updated_at": show_instant(run.updated_at),
        "status": run.status.value,
        "metadata": order.metadata,
        "kwargs": kwargs,
        "multitask_strategy": order.multitask.value,
    }
    if run.error is not None:
        shown["error"] = {"error": run.error.code, "message": run.error.detail}
    return shown


def _needed(modes: frozenset[str]) -> tuple[StreamMode, ...]:
    """What the run has to tell so that the modes asked for can be made; always its values."""
    needed = {StreamMode.VALUES}
    for mode in modes:
        needed.update(_MEANS.get(StreamMode(mode), (StreamMode(mode),)))
    return tuple(sorted(needed))


def _nodes(nodes: Nodes) -> tuple[str, ...]:
    if nodes is None:
        return ()
    return (nodes,) if isinstance(nodes, str) else tuple(nodes)
