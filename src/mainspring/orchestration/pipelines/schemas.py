"""Runs as the HTTP API shows them."""

from pydantic import BaseModel, Field

from mainspring.foundation.ids import show_id

from .types import RUN_PREFIX, Failure, Run, RunId, RunStatus, Step, StepStatus
from .wire import show_instant


class ErrorShape(BaseModel):
    """Why a run or step failed."""

    code: str
    detail: str


class ItemsShape(BaseModel):
    """How far a step is that fanned out."""

    total: int
    done: int
    failed: int


class StepShape(BaseModel):
    """One step of a run; `attempt` is 0 until it is first started.

    `awaited` is there while it is suspended: `time`, `signal:<name>` or `run:<uuid>`.
    """

    name: str
    title: str
    status: StepStatus
    attempt: int
    started_at: str | None
    finished_at: str | None
    error: ErrorShape | None
    is_compensation: bool
    awaited: str | None
    wake_at: str | None
    items: ItemsShape | None


class RunShape(BaseModel):
    """One run as it stands."""

    id: str = Field(examples=["run_01k9x3v2m4e0n8q5t7w1y6z3ab"])
    pipeline: str
    version: int
    status: RunStatus
    subject: str | None
    created_at: str
    started_at: str | None
    finished_at: str | None
    steps: list[StepShape]
    error: ErrorShape | None
    retry_of: str | None
    replay_of: str | None
    parent: str | None
    initiated_by: str | None
    cost_micros: int
    cost_ceiling_micros: int | None


class EventPage(BaseModel):
    """Events after the id asked for; ask again with `after=next`. `is_over`: nothing will follow."""

    items: list[dict[str, object]]
    next: str | None
    is_over: bool


def run_shape(run: Run) -> RunShape:
    """A run for the wire."""
    return RunShape(
        id=show_id(RUN_PREFIX, run.id),
        pipeline=run.pipeline,
        version=run.version,
        status=run.status,
        subject=run.subject,
        created_at=show_instant(run.created_at),
        started_at=show_instant(run.started_at) if run.started_at else None,
        finished_at=show_instant(run.finished_at) if run.finished_at else None,
        steps=[_step_shape(step) for step in run.steps],
        error=_error_shape(run.error),
        retry_of=_run_id(run.retry_of),
        replay_of=_run_id(run.replay_of),
        parent=_run_id(run.parent),
        initiated_by=run.initiated_by,
        cost_micros=run.cost_micros,
        cost_ceiling_micros=run.cost_ceiling_micros,
    )


def show_run(run: Run) -> dict[str, object]:
    """A run as plain JSON values, for a snapshot."""
    return run_shape(run).model_dump(mode="json")


def _step_shape(step: Step) -> StepShape:
    return StepShape(
        name=step.name,
        title=step.title,
        status=step.status,
        attempt=step.attempt,
        started_at=show_instant(step.started_at) if step.started_at else None,
        finished_at=show_instant(step.finished_at) if step.finished_at else None,
        error=_error_shape(step.error),
        is_compensation=step.is_compensation,
        awaited=step.awaited,
        wake_at=show_instant(step.wake_at) if step.wake_at else None,
        items=ItemsShape(total=step.items.total, done=step.items.done, failed=step.items.failed)
        if step.items
        else None,
    )


def _run_id(run: RunId | None) -> str | None:
    return show_id(RUN_PREFIX, run) if run else None


def _error_shape(error: Failure | None) -> ErrorShape | None:
    return ErrorShape(code=error.code, detail=error.detail) if error else None
