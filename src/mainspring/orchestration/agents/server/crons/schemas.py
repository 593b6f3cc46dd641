"""Wire shapes of crons."""

from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, Field, JsonValue

from mainspring.orchestration.agents.server.runs.schemas import RunCreate
from mainspring.orchestration.agents.server.words import Body, Limit, Offset, show_instant
from mainspring.orchestration.agents.types import Cron, JsonObject, OnCompletion

TERMS = {"schedule", "timezone", "end_time", "enabled", "on_run_completed"}
"""What of a cron's body is about when it comes; all else is the run that it starts."""


class CronCreate(RunCreate):
    """A run to start again and again. `schedule` has five fields: minute, hour, day, month, weekday."""

    schedule: str = Field(max_length=100)
    timezone: str | None = Field(None, max_length=64, description="Such as Europe/Berlin; none: UTC.")
    end_time: datetime | None = None
    enabled: bool = True
    on_run_completed: OnCompletion = OnCompletion.DELETE

    def payload(self) -> JsonObject:
        """The run that it starts, as it was sent."""
        return self.model_dump(mode="json", exclude=TERMS, exclude_unset=True)


class CronPatch(Body):
    """What changes; `end_time: null` takes the end away."""

    schedule: str | None = Field(None, max_length=100)
    timezone: str | None = Field(None, max_length=64)
    end_time: datetime | None = None
    enabled: bool | None = None
    on_run_completed: OnCompletion | None = None
    input: JsonValue = None
    config: dict[str, JsonValue] | None = None
    context: dict[str, JsonValue] | None = None
    metadata: dict[str, JsonValue] | None = None
    webhook: str | None = Field(None, max_length=2_000)
    interrupt_before: Literal["*"] | list[str] | None = None
    interrupt_after: Literal["*"] | list[str] | None = None
    stream_mode: str | list[str] | None = None
    stream_subgraphs: bool | None = None
    stream_resumable: bool | None = None
    durability: Literal["sync", "async", "exit"] | None = None

    def payload(self) -> JsonObject:
        """What changes of the run that it starts."""
        return self.model_dump(mode="json", exclude=TERMS, exclude_unset=True)


class CronCount(Body):
    """Which crons to count."""

    assistant_id: str | None = None
    thread_id: str | None = None
    metadata: dict[str, JsonValue] | None = None


class CronSearch(CronCount):
    """Which crons, in which order, and which fields of them."""

    enabled: bool | None = None
    limit: Limit = 10
    offset: Offset = 0
    sort_by: Literal[
        "cron_id", "assistant_id", "thread_id", "created_at", "updated_at", "next_run_date", "end_time"
    ] = "created_at"
    sort_order: Literal["asc", "desc"] = "desc"
    select: list[str] | None = None


class CronShape(BaseModel):
    """A cron."""

    cron_id: str
    assistant_id: str
    thread_id: str | None
    schedule: str
    timezone: str | None
    end_time: str | None
    next_run_date: str | None
    enabled: bool
    on_run_completed: OnCompletion
    payload: dict[str, JsonValue]
    metadata: dict[str, JsonValue]
    user_id: str | None
    created_at: str
    updated_at: str


def show_cron(cron: Cron) -> JsonObject:
    """As `CronShape`."""
    return {
        "cron_id": str(cron.id),
        "assistant_id": str(cron.assistant),
        "thread_id": None if cron.thread is None else str(cron.thread),
        "schedule": cron.schedule,
        "timezone": cron.timezone,
        "end_time": show_instant(cron.end_at),
        "next_run_date": show_instant(cron.next_at),
        "enabled": cron.is_enabled,
        "on_run_completed": cron.on_run_completed.value,
        "payload": cron.payload,
        "metadata": cron.metadata,
        "user_id": cron.created_by,
        "created_at": show_instant(cron.created_at),
        "updated_at": show_instant(cron.updated_at),
    }


def aware(at: datetime | None) -> datetime | None:
    """The instant in UTC; one without a zone is taken for UTC."""
    if at is None:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
