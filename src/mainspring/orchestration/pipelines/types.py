"""The words of pipelines: a run is one execution of a pipeline, a step is one execution of a function in it.

States and their legal transitions (enforced by the database, see the migration):

    run    queued -> running -> succeeded | failed | cancelled
           running -> compensating -> failed | cancelled (what had succeeded is being undone)
    step   waiting -> ready -> running -> succeeded | failed | cancelled
           running -> waiting (retry, later) and running -> ready (lease lost or handed back)
           running -> suspended -> succeeded | failed (it awaits an instant, a signal or another run)
           running -> gathering -> succeeded | failed (it fanned out, and its items are being run)
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType, Protocol
from uuid import UUID

from mainspring.foundation.ids import TenantId

RunId = NewType("RunId", UUID)

RUN_PREFIX = "run"
"""Public ids of runs read `run_...` (see `foundation.ids`)."""

MAX_PAYLOAD_BYTES = 1_048_576
"""Upper bound of a run's input and of a step's output as JSON; larger things go to the object store, by reference."""

MAX_EMITTED_BYTES = 65_536
"""Upper bound of the data of one `step.emitted` as JSON."""

MAX_MESSAGE_CHARACTERS = 200_000
"""Upper bound of one streamed message; the whole text belongs in the step's output."""


class RunStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    COMPENSATING = "compensating"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Nothing can happen to the run any more."""
        return self in {RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELLED}


class StepStatus(StrEnum):
    WAITING = "waiting"
    READY = "ready"
    RUNNING = "running"
    SUSPENDED = "suspended"
    GATHERING = "gathering"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a run or step failed: a stable code, and a detail that is safe to show to the tenant."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Items:
    """How far a step is that fanned out: of `total` items `done` have ended, `failed` of them in failure."""

    total: int
    done: int
    failed: int


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a run as it stands now. `attempt` is 0 until it is first started.

    awaited  while it is suspended: `time`, `signal:<name>` or `run:<uuid>`
    wake_at  when it stops awaiting, if ever
    items    of a step that fanned out
    """

    name: str
    title: str
    status: StepStatus
    attempt: int
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: Failure | None = None
    is_compensation: bool = False
    awaited: str | None = None
    wake_at: datetime | None = None
    items: Items | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One run as it stands now, its steps in order of declaration, then those that undo.

    subject              what the run is about, as the submitter named it, such as `ctr_...`
    origin               the first run of a chain of retries: what has an effect is done once for it
    retry_of, replay_of  the run that this one repeats from where it failed, or as a whole
    parent               the run whose step started this one and waits for it
    initiated_by         name of who submitted it
    cost_micros          spent so far, with what runs that it started spent
    """

    id: RunId
    tenant: TenantId
    pipeline: str
    version: int
    status: RunStatus
    created_at: datetime
    steps: tuple[Step, ...]
    subject: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: Failure | None = None
    origin: RunId | None = None
    retry_of: RunId | None = None
    replay_of: RunId | None = None
    parent: RunId | None = None
    initiated_by: str | None = None
    cost_micros: int = 0
    cost_ceiling_micros: int | None = None


@dataclass(frozen=True, slots=True)
class ProcessPool:
    """A step runs in processes of its own, apart from the worker's event loop: for what is hungry or may crash.

    memory_mb  of address space that the step may take beyond what the process has when it is ready, at least 64
    processes  how many each worker keeps, and so how many of these steps it runs at once
    """

    memory_mb: int = 512
    processes: int = 1


@dataclass(frozen=True, slots=True)
class Urgency:
    """How a run competes with others of its tenant.

    priority  higher is claimed first; -100 to 100
    deadline  a run not finished by then fails with `deadline_exceeded`
    cost_ceiling_micros  a run that spends more fails with `cost_ceiling_reached`; None for the pipeline's own ceiling
    """

    priority: int = 0
    deadline: datetime | None = None
    cost_ceiling_micros: int | None = None


ROUTINE = Urgency()


class EventType(StrEnum):
    """The closed set of what a stream tells. Version 1; values are never reused."""

    RUN_STARTED = "run.started"
    STEP_STARTED = "step.started"
    STEP_PROGRESS = "step.progress"
    STEP_RETRYING = "step.retrying"
    STEP_SUSPENDED = "step.suspended"
    STEP_RESUMED = "step.resumed"
    STEP_GATHERED = "step.gathered"
    STEP_FINISHED = "step.finished"
    STEP_FAILED = "step.failed"
    STEP_EMITTED = "step.emitted"
    MESSAGE_DELTA = "message.delta"
    FINDING_ADDED = "finding.added"
    SNAPSHOT = "snapshot"
    RUN_COMPENSATING = "run.compensating"
    RUN_FINISHED = "run.finished"


@dataclass(frozen=True, slots=True, order=True)
class EventId:
    """A place in a run's story, `milestone-live` on the wire; ids of one run are totally ordered.

    milestone  number of the last milestone (Postgres) at or before this event
    live       0 for the milestone itself, else microseconds of Valkey's clock that order what came after it
    """

    milestone: int = 0
    live: int = 0

    def __str__(self) -> str:
        return f"{self.milestone}-{self.live}"


@dataclass(frozen=True, slots=True)
class FindingAdded:
    """A step found something worth showing at once.

    key   unique in the run, such as the finding's id: a repeated announcement is ignored
    """

    key: str
    severity: str
    title: str
    text: str


@dataclass(frozen=True)
class RunEvent:
    """One event of a run's story. `facts` are the fields of its type, as documented in the README.

    Without slots, as `wire.frame` keeps its bytes in it: a thousand clients may be told the same event.
    """

    id: EventId
    type: EventType
    run: RunId
    at: datetime
    facts: dict[str, object] = field(default_factory=dict[str, object])


class StepRun(Protocol):
    """What a step is told about itself, and how it tells others what it does.

    Telling is for people who watch: it never fails because Valkey is away, and nothing depends on it.
    """

    @property
    def tenant(self) -> TenantId:
        """Whose run it is."""
        ...

    @property
    def run_id(self) -> RunId:
        """The run this step belongs to."""
        ...

    @property
    def step(self) -> str:
        """The step's name."""
        ...

    @property
    def attempt(self) -> int:
        """1 for the first start, one more for each later one."""
        ...

    @property
    def idempotency_key(self) -> str:
        """The same for every attempt of this step or item, and for retries of the run.

        Hand it to whatever must not happen twice.
        """
        ...

    @property
    def item(self) -> int | None:
        """Which item of the list this is for, from 0; None when the step does not fan out."""
        ...

    @property
    def origin(self) -> RunId:
        """The first run of the chain of retries, the run itself when it is no retry."""
        ...

    @property
    def initiator(self) -> frozenset[str]:
        """The hands of who submitted the run (see `Principal.hands`); who initiates does not approve."""
        ...

    @property
    def cost_left(self) -> int | None:
        """Micros that may still be spent, as last heard; None for no ceiling."""
        ...

    @property
    def is_cancelled(self) -> bool:
        """Whether to stop now; for code in threads. Coroutines are cancelled by themselves."""
        ...

    async def progress(self, done: int, total: int, text: str) -> None:
        """Tell how far the step is; frequent calls are coalesced, the last one wins."""
        ...

    async def say(self, text: str) -> None:
        """Tell in a sentence what was found or done; the last one becomes the text of `step.finished`."""
        ...

    async def delta(self, message: str, text: str) -> None:
        """Append `text` to the streamed message of that name; coalesced to about 25 events a second.

        raises   PayloadRefused past MAX_MESSAGE_CHARACTERS in one attempt
        """
        ...

    async def emit(self, name: str, data: object) -> None:
        """Tell an event of one's own, `step.emitted`, to who watches now: in order, each once, gone with the stream.

        name    such as `tool.started`, at most 128 characters
        data    a JSON value of at most 64 KB
        raises  PayloadRefused
        """
        ...

    async def spend(self, micros: int) -> None:
        """Add to what the run has cost, and to the runs that wait for it; durable when it returns.

        raises   CostCeilingReached past the ceiling of any of them: the run fails with it, so let it pass
        """
        ...

    async def announce(self, *findings: FindingAdded) -> None:
        """Write findings to the run's durable story, each key once per run however often the step runs."""
        ...
