"""The words of operating: what an engineer who is paged looks at, and what can be done about it.

dead letter   a step, or one item of a fan-out, that failed for good: open -> replayed | discarded -> open
group         the dead letters of one cause: same pipeline, step, code and wording
hold          nothing is started (pause), or nothing new is taken in and what is there runs out (drain)
bulk action   one decision about many runs or dead letters, carried out in bounded batches
schedule      a pipeline started by the clock
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal, NewType
from uuid import UUID

from mainspring.foundation.ids import TenantId
from mainspring.orchestration.pipelines.types import Failure, RunId, RunStatus, StepStatus

LetterId = NewType("LetterId", UUID)
HoldId = NewType("HoldId", UUID)
BulkId = NewType("BulkId", UUID)
ScheduleId = NewType("ScheduleId", UUID)

LETTER_PREFIX, HOLD_PREFIX, BULK_PREFIX, SCHEDULE_PREFIX = "dead", "hold", "bulk", "sch"

MAX_SHOWN_BYTES = 262_144
"""A step's input, output or trace is shown up to this many bytes of JSON; more is cut, and said to be."""

MAX_REASON = 500


class LetterState(StrEnum):
    OPEN = "open"
    REPLAYED = "replayed"
    DISCARDED = "discarded"


class HoldKind(StrEnum):
    PAUSE = "pause"
    DRAIN = "drain"


class BulkKind(StrEnum):
    REPLAY = "replay"
    DISCARD = "discard"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs; None leaves a question open.

    step     runs that stand at this step now, or failed at it
    created  from `created_after` on, and before `created_before`
    """

    status: RunStatus | None = None
    pipeline: str | None = None
    version: int | None = None
    step: str | None = None
    error_code: str | None = None
    subject: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    parent: RunId | None = None


@dataclass(frozen=True, slots=True)
class LetterFilter:
    """Which dead letters; None leaves a question open. `fingerprint` names a group."""

    state: LetterState | None = LetterState.OPEN
    pipeline: str | None = None
    version: int | None = None
    step: str | None = None
    error_code: str | None = None
    fingerprint: str | None = None
    run: RunId | None = None


@dataclass(frozen=True, slots=True)
class StepLine:
    """One row of a run's steps: a step, its undoing (`role` compensation), or one item of a fan-out.

    item      its index in the list, None for the step itself
    awaited   what a suspended step waits for: `time`, `signal:<name>` or `run:<id>`
    wake_at   when it goes on or expires
    """

    name: str
    title: str
    role: str
    item: int | None
    status: StepStatus
    attempt: int
    failures: int
    losses: int
    lane: str
    after: tuple[str, ...]
    started_at: datetime | None
    finished_at: datetime | None
    due_at: datetime | None
    wake_at: datetime | None
    awaited: str | None
    error: Failure | None


@dataclass(frozen=True, slots=True)
class Payload:
    """Stored JSON as text, up to MAX_SHOWN_BYTES; `size` is of the whole, `is_cut` says whether some is missing."""

    text: str
    size: int

    @property
    def is_cut(self) -> bool:
        """Whether this is only the beginning."""
        return self.size > MAX_SHOWN_BYTES


@dataclass(frozen=True, slots=True)
class StepDetail:
    """A step's row with what went in and came out; `trace` is of its last failure."""

    line: StepLine
    subject: str | None
    input: Payload | None
    output: Payload | None
    trace: str | None


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter. `input` and `trace` are read with one letter, not with a list."""

    id: LetterId
    tenant: TenantId
    run: RunId
    subject: str | None
    pipeline: str
    version: int
    step: str
    item: int | None
    error: Failure
    fingerprint: str
    failed_at: datetime
    state: LetterState
    reason: str | None
    decided_by: str | None
    decided_at: datetime | None
    replayed_as: RunId | None
    input: Payload | None = None
    trace: str | None = None


@dataclass(frozen=True, slots=True)
class LetterGroup:
    """The open dead letters of one cause; `example` is the newest of them."""

    fingerprint: str
    pipeline: str
    step: str
    error_code: str
    count: int
    first_at: datetime
    last_at: datetime
    example: Letter


@dataclass(frozen=True, slots=True)
class Hold:
    """What is held: a pipeline, one step of it, or with neither all of the tenant. `tenant` None: every tenant."""

    id: HoldId
    kind: HoldKind
    tenant: TenantId | None
    pipeline: str | None
    step: str | None
    reason: str
    held_by: str
    held_at: datetime


@dataclass(frozen=True, slots=True)
class BulkAction:
    """One decision about many, as far as it has come.

    done      carried out
    skipped   left alone, the last reason in `last_problem`: decided meanwhile, still running, closed to the asker; and
              without a problem, by a replay, items that their step tolerates, of runs that have not failed
    """

    id: BulkId
    tenant: TenantId
    kind: BulkKind
    state: Literal["running", "finished"]
    done: int
    skipped: int
    asked_by: str
    asked_at: datetime
    finished_at: datetime | None
    reason: str | None
    last_problem: str | None


@dataclass(frozen=True, slots=True)
class ScheduleTerms:
    """What a schedule says: the pipeline and its input as JSON text, a cron line of five fields, and whose clock."""

    name: str
    pipeline: str
    input: str
    cron: str
    timezone: str = "UTC"
    is_paused: bool = False


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule as it stands; `upcoming` are its next firings, none while it is paused."""

    id: ScheduleId
    tenant: TenantId
    terms: ScheduleTerms
    created_by: str
    created_at: datetime
    last_fired_at: datetime | None
    last_run: RunId | None
    last_problem: str | None
    upcoming: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class PipelineShape:
    """One version of a pipeline as it is registered."""

    name: str
    version: int
    registered_at: datetime | None
    can_start: bool
    input_schema: str | None
    steps: tuple["StepShape", ...] = field(default_factory=tuple["StepShape", ...])


@dataclass(frozen=True, slots=True)
class StepShape:
    """A step's declaration: what it follows, and JSON Schemas of what it takes and gives, as text."""

    name: str
    title: str | None
    after: tuple[str, ...]
    input_schema: str | None
    output_schema: str | None
