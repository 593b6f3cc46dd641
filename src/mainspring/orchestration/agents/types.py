"""The words of agents: an assistant configures a graph, a thread keeps its state, a run moves it on.

States (runs are guarded by the database, see migration 0016):

    run      pending -> running -> success | error | timeout | interrupted
             pending -> interrupted | error; an error goes on only when an operator retries its pipeline run
    thread   idle | busy | interrupted (waits for a person) | error

A run is pending until a worker begins it. One that stops at an interrupt ends in `success` and leaves its thread
`interrupted`, as LangGraph's server has it; a run is `interrupted` when somebody stopped it. At most one run of a
thread is led by a pipeline run; the others wait in order. Ids are plain UUIDs on the wire, as clients of LangGraph's
agent server expect them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from mainspring.foundation.ids import TenantId
from mainspring.orchestration.pipelines.types import Failure, RunId

AssistantId = NewType("AssistantId", UUID)
ThreadId = NewType("ThreadId", UUID)
AgentRunId = NewType("AgentRunId", UUID)
CronId = NewType("CronId", UUID)

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
"""A JSON value."""

JsonObject = dict[str, Json]
"""A JSON object."""

PIPELINE = "agents.run"
"""The pipeline that executes runs; its one step is `STEP`."""

STEP = "act"


class AgentRunStatus(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    SUCCESS = "success"
    ERROR = "error"
    TIMEOUT = "timeout"
    INTERRUPTED = "interrupted"

    @property
    def is_final(self) -> bool:
        """Nothing will happen to the run by itself any more."""
        return self not in {AgentRunStatus.PENDING, AgentRunStatus.RUNNING}


class ThreadStatus(StrEnum):
    IDLE = "idle"
    BUSY = "busy"
    INTERRUPTED = "interrupted"
    ERROR = "error"


class Multitask(StrEnum):
    """What becomes of a run that is submitted while its thread is busy.

    reject     it is refused (409 `thread_busy`)
    enqueue    it waits until those before it are done
    interrupt  what is there is stopped, its progress stays, and it starts
    rollback   what is there is stopped and undone, checkpoints and all, and it starts
    """

    REJECT = "reject"
    ENQUEUE = "enqueue"
    INTERRUPT = "interrupt"
    ROLLBACK = "rollback"


class StreamMode(StrEnum):
    """What a run tells of itself; each is an `emit` of that name. `messages-tuple` is `messages` on the wire here."""

    VALUES = "values"
    UPDATES = "updates"
    MESSAGES = "messages"
    MESSAGES_TUPLE = "messages-tuple"
    CUSTOM = "custom"
    DEBUG = "debug"
    TASKS = "tasks"
    CHECKPOINTS = "checkpoints"
    EVENTS = "events"
    TOOLS = "tools"
    LIFECYCLE = "lifecycle"


class Durability(StrEnum):
    """When checkpoints are written: before the next node starts, while it runs, or at the end only.

    After a lost worker a run goes on from its last checkpoint; with `exit` it starts again from its beginning.
    """

    SYNC = "sync"
    ASYNC = "async"
    EXIT = "exit"


class Cancellation(StrEnum):
    """`interrupt` keeps what was reached; `rollback` deletes the run and its checkpoints."""

    INTERRUPT = "interrupt"
    ROLLBACK = "rollback"


class OnCompletion(StrEnum):
    """What becomes of the thread of a stateless run."""

    DELETE = "delete"
    KEEP = "keep"


class IfNotExists(StrEnum):
    CREATE = "create"
    REJECT = "reject"


class TtlStrategy(StrEnum):
    """What becomes of a thread past its time: deleted, or reduced to its latest checkpoint."""

    DELETE = "delete"
    KEEP_LATEST = "keep_latest"


@dataclass(frozen=True, slots=True)
class Assistant:
    """A graph with a configuration of its own. `version` counts its changes from 1."""

    id: AssistantId
    tenant: TenantId
    graph: str
    name: str
    version: int
    config: JsonObject
    context: JsonObject
    metadata: JsonObject
    created_at: datetime
    updated_at: datetime
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Ttl:
    """How long a thread stays after its last use."""

    minutes: float
    strategy: TtlStrategy = TtlStrategy.DELETE


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation or task with a state that runs move on.

    values      the state after the last run, None before the first
    interrupts  task id -> the interrupts that wait there, each `{"id": ..., "value": ...}`
    error       of the last run, when the status is `error`
    """

    id: ThreadId
    tenant: TenantId
    status: ThreadStatus
    metadata: JsonObject
    config: JsonObject
    values: Json
    interrupts: JsonObject
    created_at: datetime
    updated_at: datetime
    state_updated_at: datetime
    graph: str | None = None
    error: JsonObject | None = None
    ttl: Ttl | None = None
    is_stateless: bool = False
    created_by: str | None = None


@dataclass(frozen=True, slots=True)
class StreamChoice:
    """What the client wants to be told; a run tells every mode but `debug` and `events` whatever is chosen.

    subgraphs  also what happens in graphs inside the graph, with their namespace
    """

    modes: tuple[StreamMode, ...] = (StreamMode.VALUES,)
    subgraphs: bool = False


@dataclass(frozen=True, slots=True)
class RunOrder:
    """What to run, as it is submitted.

    assistant         an assistant's id, or the name of a graph for its standard assistant
    thread            None for a stateless run: it gets a thread of its own
    input             for the graph; None to go on from where the thread stands
    command           `{"resume"?, "update"?, "goto"?}` instead of an input, as LangGraph's Command
    checkpoint        `{"checkpoint_id": ..., "checkpoint_ns"?: ...}` to branch from; None for the latest
    interrupt_before  names of nodes to stop at, or ("*",)
    delay_seconds     start no sooner than this
    kwargs            what only the HTTP layer reads again, such as feedback keys
    key               the same key again answers the first run and starts nothing
    """

    assistant: AssistantId | str
    thread: ThreadId | None = None
    input: Json = None
    command: JsonObject | None = None
    checkpoint: JsonObject | None = None
    config: JsonObject = field(default_factory=dict[str, Json])
    context: JsonObject = field(default_factory=dict[str, Json])
    metadata: JsonObject = field(default_factory=dict[str, Json])
    stream: StreamChoice = field(default_factory=StreamChoice)
    interrupt_before: tuple[str, ...] = ()
    interrupt_after: tuple[str, ...] = ()
    multitask: Multitask = Multitask.ENQUEUE
    durability: Durability = Durability.ASYNC
    on_completion: OnCompletion = OnCompletion.DELETE
    if_not_exists: IfNotExists = IfNotExists.REJECT
    delay_seconds: float = 0.0
    webhook: str | None = None
    key: str | None = None
    kwargs: JsonObject = field(default_factory=dict[str, Json])


@dataclass(frozen=True, slots=True)
class AgentRun:
    """One run as it stands now; `order` is what was submitted, with the assistant's and thread's own ids filled in.

    ordinal       1, 2, 3 ... in its thread, in order of submission
    pipeline_run  the pipeline run that leads or led it, whose story tells it; None while it waits in the thread
    is_stateless  its thread is its own
    """

    id: AgentRunId
    tenant: TenantId
    thread: ThreadId
    assistant: AssistantId
    graph: str
    status: AgentRunStatus
    order: RunOrder
    ordinal: int
    created_at: datetime
    updated_at: datetime
    is_stateless: bool = False
    pipeline_run: RunId | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: Failure | None = None
    cancel_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Cron:
    """Runs that start by themselves; `payload` is a run's order as it was sent."""

    id: CronId
    tenant: TenantId
    assistant: AssistantId
    thread: ThreadId | None
    schedule: str
    timezone: str | None
    end_at: datetime | None
    next_at: datetime | None
    is_enabled: bool
    on_run_completed: OnCompletion
    payload: JsonObject
    metadata: JsonObject
    created_by: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class StoreItem:
    """Something an agent remembers across threads."""

    namespace: tuple[str, ...]
    key: str
    value: Mapping[str, Json]
    created_at: datetime
    updated_at: datetime
