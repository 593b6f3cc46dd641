"""What became of one attempt of a step, in the form in which it is settled.

A `Lease` is the right to decide about a step: its token is new for every claim, and the database
takes an outcome only from the holder of the present one. That is what stops a zombie.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Raw

from mainspring.foundation.ids import TenantId

from .codec import show_text
from .flow import Child
from .types import EventType, Failure, RunId, StepStatus

SOON_SECONDS = 60.0
"""What is due sooner is remembered by the worker; the rest is found by sweeping."""

SUSPECT_FROM = 2
"""A step that has lost so many workers runs alone from then on, and only what it loses alone is held against it."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A step that somebody holds, and the token that proves it.

    map_key  which item of a fan-out, from `00000`; empty for a step that is no item
    """

    tenant: TenantId
    run: RunId
    name: str
    map_key: str
    token: UUID
    attempt: int

    @property
    def place(self) -> str:
        """The step or its item, told apart from its siblings."""
        return f"{self.name}/{self.map_key}" if self.map_key else self.name

    @property
    def facts(self) -> dict[str, object]:
        """How events name it."""
        return {"step": self.name, "item": int(self.map_key)} if self.map_key else {"step": self.name}


@dataclass(frozen=True, slots=True)
class Suspension:
    """What a step waits for from now on.

    awaited   `time`, `signal:<name>` or `run:<uuid>`
    until     an instant, or seconds from now
    child     the run to insert, whose id `awaited` names
    kind      the type of what answers it
    """

    awaited: str
    until: datetime | float | None = None
    fallback: str | None = None
    child: Child | None = None
    kind: Any = Any


@dataclass(frozen=True, slots=True)
class Outcome:
    """One attempt's end.

    delay         seconds until it may be started again; None but for a retry
    failed, lost  1 when this counts as an exception or as a lost worker, else 0
    only_expired  settle only if the lease has passed: for those who sweep
    suspension    set when the step is suspended
    items         set when it fans out: the items as JSON
    """

    lease: Lease
    status: StepStatus
    event: EventType
    facts: dict[str, object] = field(default_factory=dict[str, object])
    output: str | None = None
    failure: Failure | None = None
    trace: str | None = None
    input: str | None = None
    delay: float | None = None
    failed: int = 0
    lost: int = 0
    only_expired: bool = False
    suspension: Suspension | None = None
    items: Sequence[Raw] | None = None

    @property
    def due_in(self) -> float | None:
        """Seconds until something is to happen, when that is soon."""
        soon = self.delay if self.suspension is None else self.suspension.until
        return soon if isinstance(soon, float) and soon < SOON_SECONDS else None

    @property
    def is_silent(self) -> bool:
        """Items of a fan-out tell only of failures and of waits for people."""
        match self.status:
            case StepStatus.SUSPENDED:
                assert self.suspension is not None
                return bool(self.lease.map_key) and not self.suspension.awaited.startswith("signal:")
            case StepStatus.GATHERING:
                return True
            case StepStatus.FAILED:
                return False
            case _:
                return bool(self.lease.map_key)


@dataclass(frozen=True, slots=True)
class Ended:
    """A step or item that has ended; `failure` is None when it succeeded."""

    run: RunId
    name: str
    map_key: str = ""
    failure: Failure | None = None


def succeeded(lease: Lease, output: str, text: str) -> Outcome:
    """The step returned; `text` says what it found."""
    return Outcome(lease, StepStatus.SUCCEEDED, EventType.STEP_FINISHED, {"text": show_text(text)}, output=output)


def retried(lease: Lease, failure: Failure, *, delay: float, trace: str) -> Outcome:
    """The step raised something that may pass: again after `delay` seconds."""
    facts: dict[str, object] = {
        "text": show_text(failure.detail),
        "attempt": lease.attempt + 1,
        "in_seconds": round(delay, 1),
    }
    return Outcome(
        lease, StepStatus.WAITING, EventType.STEP_RETRYING, facts, failure=failure, trace=trace, delay=delay, failed=1
    )


def failed(lease: Lease, failure: Failure, *, trace: str, given: str | None) -> Outcome:
    """The step will not succeed; the row keeps input, error and trace as the dead letter."""
    facts: dict[str, object] = {"text": show_text(failure.detail), "code": failure.code}
    return Outcome(
        lease, StepStatus.FAILED, EventType.STEP_FAILED, facts, failure=failure, trace=trace, input=given, failed=1
    )


def suspended(lease: Lease, suspension: Suspension, text: str) -> Outcome:
    """The function is over, and the step waits; `until` is told when the database knows it."""
    facts: dict[str, object] = {"text": show_text(text), "awaited": suspension.awaited}
    return Outcome(lease, StepStatus.SUSPENDED, EventType.STEP_SUSPENDED, facts, suspension=suspension)


def fanned_out(lease: Lease, items: Sequence[Raw]) -> Outcome:
    """The step becomes one step for each of the items."""
    return Outcome(lease, StepStatus.GATHERING, EventType.STEP_PROGRESS, items=items)


def released(lease: Lease) -> Outcome:
    """The worker goes down in good order: ready again at once, counted against nothing."""
    return Outcome(lease, StepStatus.READY, EventType.STEP_RETRYING, _moved(lease, "Moved to another worker"))


def lost(lease: Lease, *, counts: bool = True) -> Outcome:
    """Nobody renewed the lease: ready again at once.

    counts  whether the step may have been the cause
    """
    facts = _moved(lease, "The worker was lost; starting this step again")
    return Outcome(lease, StepStatus.READY, EventType.STEP_RETRYING, facts, lost=int(counts), only_expired=True)


def lost_for_good(lease: Lease, losses: int) -> Outcome:
    """Every worker that ran the step alone was lost."""
    failure = Failure(
        "worker_lost",
        f"The step lost {losses + 1} workers, the last {losses + 1 - SUSPECT_FROM} of them with nothing else running "
        "in them. It may need more memory than a worker has, or end its process.",
    )
    facts: dict[str, object] = {"text": failure.detail, "code": failure.code}
    return Outcome(lease, StepStatus.FAILED, EventType.STEP_FAILED, facts, failure=failure, lost=1, only_expired=True)


def rows_of(outcomes: Sequence[Outcome]) -> str:
    """The outcomes as the JSON rows that `queue_store.settle_steps` takes."""
    return msgspec.json.encode([_row(outcome) for outcome in outcomes]).decode()


def _row(outcome: Outcome) -> dict[str, object]:
    lease, failure = outcome.lease, outcome.failure
    return {
        **_key(lease),
        "status": outcome.status,
        "output": outcome.output,
        "error_code": failure.code if failure else None,
        "error_detail": show_text(failure.detail) if failure else None,
        "error_trace": outcome.trace,
        "input": outcome.input,
        "delay": outcome.delay,
        "failed": outcome.failed,
        "lost": outcome.lost,
        "only_expired": outcome.only_expired,
    }


def suspension_rows_of(outcomes: Sequence[Outcome]) -> str:
    """Outcomes that suspend, as the JSON rows that `waits_store.suspend_steps` takes."""
    rows: list[dict[str, object]] = []
    for outcome in outcomes:
        suspension = outcome.suspension
        assert suspension is not None
        until = suspension.until
        rows.append(
            {
                **_key(outcome.lease),
                "awaited": suspension.awaited,
                "wake_at": until if isinstance(until, datetime) else None,
                "wake_in": None if isinstance(until, datetime) else until,
                "fallback": suspension.fallback,
            }
        )
    return msgspec.json.encode(rows).decode()


def item_rows_of(outcomes: Sequence[Outcome]) -> str:
    """Outcomes that fan out, as the JSON rows that `fan_store.fan_out` takes."""
    return msgspec.json.encode([{**_key(each.lease), "items": each.items} for each in outcomes]).decode()


def _key(lease: Lease) -> dict[str, object]:
    return {"run_id": lease.run, "name": lease.name, "map_key": lease.map_key, "token": lease.token}


def _moved(lease: Lease, text: str) -> dict[str, object]:
    return {"text": text, "attempt": lease.attempt + 1, "in_seconds": 0}
