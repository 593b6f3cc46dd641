"""What became of one attempt of a step, in the form in which it is settled.

A `Lease` is the right to decide about a step: its token is new for every claim, and the database
takes an outcome only from the holder of the present one. That is what stops a zombie.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import msgspec

from mainspring.foundation.ids import TenantId

from .codec import show_text
from .types import EventType, Failure, RunId, StepStatus


@dataclass(frozen=True, slots=True)
class Lease:
    """A step that somebody holds, and the token that proves it."""

    tenant: TenantId
    run: RunId
    name: str
    map_key: str
    token: UUID
    attempt: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """One attempt's end.

    delay         seconds until it may be started again; None but for a retry
    failed, lost  1 when this counts as an exception or as a lost worker, else 0
    only_expired  settle only if the lease has passed: for those who sweep
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


def released(lease: Lease) -> Outcome:
    """The worker goes down in good order: ready again at once, counted against nothing."""
    return Outcome(lease, StepStatus.READY, EventType.STEP_RETRYING, _moved(lease, "Moved to another worker"))


def lost(lease: Lease) -> Outcome:
    """Nobody renewed the lease: ready again at once."""
    facts = _moved(lease, "The worker was lost; starting this step again")
    return Outcome(lease, StepStatus.READY, EventType.STEP_RETRYING, facts, lost=1, only_expired=True)


def lost_for_good(lease: Lease, losses: int) -> Outcome:
    """Every worker that took the step was lost."""
    failure = Failure(
        "worker_lost",
        f"The step was started {losses + 1} times and each worker was lost. It may need more memory than a worker has.",
    )
    facts: dict[str, object] = {"text": failure.detail, "code": failure.code}
    return Outcome(lease, StepStatus.FAILED, EventType.STEP_FAILED, facts, failure=failure, lost=1, only_expired=True)


def rows_of(outcomes: Sequence[Outcome]) -> str:
    """The outcomes as the JSON rows that `queue_store.settle_steps` takes."""
    return msgspec.json.encode([_row(outcome) for outcome in outcomes]).decode()


def _row(outcome: Outcome) -> dict[str, object]:
    lease, failure = outcome.lease, outcome.failure
    return {
        "run_id": lease.run,
        "name": lease.name,
        "map_key": lease.map_key,
        "token": lease.token,
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


def _moved(lease: Lease, text: str) -> dict[str, object]:
    return {"text": text, "attempt": lease.attempt + 1, "in_seconds": 0}
