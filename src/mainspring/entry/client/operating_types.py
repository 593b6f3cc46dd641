"""What the API answers about steps, dead letters, bulk actions, holds and schedules, as frozen values."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .types import RunError


@dataclass(frozen=True, slots=True)
class StepState:
    """A step of a run, or with `item` one item of its fan-out."""

    name: str
    title: str
    role: str
    item: int | None
    status: str
    attempt: int
    failures: int
    lane: str
    after: tuple[str, ...]
    started_at: datetime | None = None
    finished_at: datetime | None = None
    due_at: datetime | None = None
    wake_at: datetime | None = None
    awaited: str | None = None
    error: RunError | None = None


@dataclass(frozen=True, slots=True)
class StoredJson:
    """Stored JSON: its `value`, or the beginning of its `text` when `is_cut`; `size` in bytes is of the whole."""

    size: int
    is_cut: bool
    value: Any = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class StepContent:
    """A step with what went in and came out; `trace` is of its last failure."""

    name: str
    title: str
    item: int | None
    status: str
    attempt: int
    input: StoredJson | None
    output: StoredJson | None
    trace: str | None
    error: RunError | None = None


@dataclass(frozen=True, slots=True)
class PipelineStep:
    """A step as it is declared, with JSON Schemas of what it takes and gives."""

    name: str
    title: str | None
    after: tuple[str, ...]
    input_schema: Any
    output_schema: Any


@dataclass(frozen=True, slots=True)
class PipelineVersion:
    """One version of a pipeline; `can_start` says whether it is started from outside."""

    name: str
    version: int
    can_start: bool
    input_schema: Any
    steps: tuple[PipelineStep, ...]
    registered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A step, or one item of a fan-out, that failed for good. `input` and `trace` come with one letter only."""

    id: str
    run: str
    pipeline: str
    version: int
    step: str
    error: RunError
    fingerprint: str
    failed_at: datetime
    state: str
    item: int | None = None
    subject: str | None = None
    reason: str | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    replayed_as: str | None = None
    input: StoredJson | None = None
    trace: str | None = None


@dataclass(frozen=True, slots=True)
class DeadLetterGroup:
    """Open dead letters of one cause; `example` is the newest."""

    fingerprint: str
    pipeline: str
    step: str
    error_code: str
    count: int
    first_at: datetime
    last_at: datetime
    example: DeadLetter


@dataclass(frozen=True, slots=True)
class BulkAction:
    """One decision about many, as far as it has come."""

    id: str
    kind: str
    state: str
    done: int
    skipped: int
    asked_by: str
    asked_at: datetime
    finished_at: datetime | None = None
    reason: str | None = None
    last_problem: str | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """What is held: a pipeline, one step of it, or with neither everything of the tenant."""

    id: str
    kind: str
    pipeline: str | None
    step: str | None
    reason: str
    held_by: str
    held_at: datetime


@dataclass(frozen=True, slots=True)
class Schedule:
    """A pipeline that the clock starts; `upcoming` are its next firings in UTC: one in lists, none while paused."""

    id: str
    name: str
    pipeline: str
    input: Any
    cron: str
    cron_text: str
    timezone: str
    is_paused: bool
    upcoming: tuple[datetime, ...]
    created_by: str
    created_at: datetime
    last_fired_at: datetime | None = None
    last_run: str | None = None
    last_problem: str | None = None
