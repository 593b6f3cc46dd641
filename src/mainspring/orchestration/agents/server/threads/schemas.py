"""Wire shapes of threads and their states."""

from typing import Literal

from pydantic import BaseModel, Field, JsonValue

from mainspring.orchestration.agents.server.words import Body, Limit, Offset, read_uuid, show_instant
from mainspring.orchestration.agents.types import Json, JsonObject, Thread, ThreadStatus, Ttl, TtlStrategy

from .store import ThreadFilter

MAX_MINUTES = 5_256_000
"""Ten years."""


class TtlBody(Body):
    """How long the thread stays after its last use."""

    ttl: float = Field(gt=0, le=MAX_MINUTES, description="Minutes.")
    strategy: TtlStrategy = TtlStrategy.DELETE


class StepUpdate(Body):
    """One update of a state, as if a node had made it."""

    values: JsonValue = None
    command: dict[str, JsonValue] | None = None
    as_node: str | None = Field(None, max_length=200)


class Superstep(Body):
    """Updates that belong together."""

    updates: list[StepUpdate] = Field(min_length=1, max_length=100)


class ThreadCreate(Body):
    """A new thread, with a history if given."""

    thread_id: str | None = None
    metadata: dict[str, JsonValue] | None = None
    if_exists: Literal["raise", "do_nothing"] = "raise"
    ttl: TtlBody | float | None = None
    supersteps: list[Superstep] | None = Field(None, max_length=1_000)


class ThreadPatch(Body):
    """What changes; metadata is merged."""

    metadata: dict[str, JsonValue] | None = None
    ttl: TtlBody | float | None = None


class ThreadCount(Body):
    """Which threads to count."""

    metadata: dict[str, JsonValue] | None = None
    values: dict[str, JsonValue] | None = None
    status: ThreadStatus | None = None

    def filter(self) -> ThreadFilter:
        """As the store reads it."""
        return ThreadFilter(metadata=self.metadata, values=self.values, status=self.status)


class ThreadSearch(ThreadCount):
    """Which threads, in which order, and what of them. `extract` adds values by path, `values.messages[-1].content`."""

    ids: list[str] | None = Field(None, max_length=1_000)
    limit: Limit = 10
    offset: Offset = 0
    sort_by: Literal["thread_id", "status", "created_at", "updated_at", "state_updated_at"] = "updated_at"
    sort_order: Literal["asc", "desc"] = "desc"
    select: list[str] | None = None
    extract: dict[str, str] | None = Field(None, max_length=20)

    def filter(self) -> ThreadFilter:
        """As the store reads it."""
        return ThreadFilter(
            metadata=self.metadata,
            values=self.values,
            status=self.status,
            ids=None if self.ids is None else tuple(read_uuid(each, "thread") for each in self.ids),
            sort_by=self.sort_by,
            is_descending=self.sort_order == "desc",
            limit=self.limit,
            offset=self.offset,
        )


class ThreadPrune(Body):
    """Threads to delete, or to reduce to their latest state."""

    thread_ids: list[str] = Field(max_length=1_000)
    strategy: TtlStrategy = TtlStrategy.DELETE


class CheckpointBody(Body):
    """Which state; none: the latest."""

    thread_id: str | None = None
    checkpoint_ns: str | None = None
    checkpoint_id: str | None = None
    checkpoint_map: dict[str, JsonValue] | None = None


class StateWanted(Body):
    """Which state of a thread."""

    checkpoint: CheckpointBody
    subgraphs: bool = False
    select: list[str] | None = None


class StateUpdate(Body):
    """An edit of a thread's state by hand, as if the node `as_node` had made it."""

    values: JsonValue = None
    as_node: str | None = Field(None, max_length=200)
    checkpoint: CheckpointBody | None = None
    checkpoint_id: str | None = None


class BulkStateUpdate(Body):
    """Edits one after the other, each a superstep."""

    supersteps: list[Superstep] = Field(min_length=1, max_length=1_000)


class HistoryWanted(Body):
    """Which states, newest first."""

    limit: Limit = 10
    before: str | CheckpointBody | None = None
    metadata: dict[str, JsonValue] | None = None
    checkpoint: CheckpointBody | None = None
    select: list[str] | None = None


class ThreadShape(BaseModel):
    """A thread."""

    thread_id: str
    created_at: str
    updated_at: str
    state_updated_at: str
    metadata: dict[str, JsonValue]
    status: ThreadStatus
    config: dict[str, JsonValue]
    values: JsonValue
    interrupts: dict[str, JsonValue]
    error: JsonValue = None
    ttl: dict[str, JsonValue] | None = None


class CheckpointShape(BaseModel):
    """The name of a state."""

    thread_id: str
    checkpoint_ns: str
    checkpoint_id: str | None
    checkpoint_map: dict[str, JsonValue] | None = None


class StateShape(BaseModel):
    """A state of a thread: what it holds, what comes next, and what waits."""

    values: JsonValue
    next: list[str]
    checkpoint: CheckpointShape | None
    metadata: dict[str, JsonValue] | None
    created_at: str | None
    parent_checkpoint: CheckpointShape | None
    tasks: list[dict[str, JsonValue]]
    interrupts: list[JsonValue]


def read_ttl(body: TtlBody | float | None) -> Ttl | None:
    """The time to live; a bare number is minutes until it is deleted."""
    if body is None:
        return None
    if isinstance(body, TtlBody):
        return Ttl(body.ttl, body.strategy)
    return Ttl(TtlBody(ttl=body).ttl)


def show_thread(thread: Thread, *, with_ttl: bool = False) -> JsonObject:
    """As `ThreadShape`."""
    shown: JsonObject = {
        "thread_id": str(thread.id),
        "created_at": show_instant(thread.created_at),
        "updated_at": show_instant(thread.updated_at),
        "state_updated_at": show_instant(thread.state_updated_at),
        "metadata": thread.metadata,
        "status": thread.status.value,
        "config": thread.config,
        "values": thread.values,
        "interrupts": thread.interrupts,
        "error": dict(thread.error) if thread.error else None,
    }
    if with_ttl and thread.ttl:
        shown["ttl"] = {"ttl": thread.ttl.minutes, "strategy": thread.ttl.strategy.value}
    return shown


def extract(shown: JsonObject, paths: dict[str, str]) -> JsonObject:
    """Values by path, such as `values.messages[-1].content`; null where there is none."""
    return {name: _follow(shown, path) for name, path in paths.items()}


def _follow(value: Json, path: str) -> Json:
    for part in path.replace("[", ".[").split("."):
        if not part:
            continue
        if part.startswith("["):
            place = part[1:].rstrip("]")
            try:
                value = value[int(place)] if isinstance(value, list) else None
            except (ValueError, IndexError):
                return None
        else:
            value = value.get(part) if isinstance(value, dict) else None
    return value
