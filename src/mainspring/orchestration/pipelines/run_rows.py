"""Runs between the rows of Postgres and `types.Run`."""

from datetime import UTC, datetime
from uuid import UUID

from mainspring.foundation.db import Row
from mainspring.foundation.errors import NotFound
from mainspring.foundation.ids import TenantId, show_id

from .pipeline import Pipeline
from .types import RUN_PREFIX, Failure, Items, Run, RunId, RunStatus, Step, StepStatus


def run_not_found(run: UUID) -> NotFound:
    """The answer for unknown and foreign runs, worded as `foundation.ids.read_id` words it."""
    return NotFound(f"There is no {RUN_PREFIX}_... with the id {show_id(RUN_PREFIX, run)!r}.")


def read_run(row: Row) -> Run:
    """A run from its row with steps."""
    return Run(
        id=RunId(row["id"]),
        tenant=TenantId(row["tenant_id"]),
        pipeline=row["pipeline"],
        version=row["version"],
        status=RunStatus(row["status"]),
        created_at=row["created_at"],
        steps=tuple(_read_step(step) for step in row["steps"] or ()),
        subject=row["subject"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        error=_read_failure(row),
        origin=RunId(row["origin"]),
        retry_of=row["retry_of"],
        replay_of=row["replay_of"],
        parent=row["parent_run"],
        initiated_by=row["initiated_by"],
        cost_micros=row["cost_micros"],
        cost_ceiling_micros=row["cost_ceiling_micros"],
    )


def queued_run(tenant: TenantId, pipeline: Pipeline, row: Row, created_at: datetime) -> Run:
    """The run as it was inserted from `row`, all its steps to come."""
    steps = tuple(
        Step(step.name, step.title, StepStatus.WAITING if step.after else StepStatus.READY, attempt=0)
        for step in pipeline.steps
    )
    return Run(
        id=row["id"],
        tenant=tenant,
        pipeline=pipeline.name,
        version=pipeline.version,
        status=RunStatus.QUEUED,
        created_at=created_at,
        steps=steps,
        subject=row["subject"],
        origin=row["origin"],
        retry_of=row["retry_of"],
        replay_of=row["replay_of"],
        initiated_by=row["initiated_by"],
        cost_ceiling_micros=row["cost_ceiling_micros"],
    )


def _read_step(row: Row) -> Step:
    return Step(
        name=row["name"],
        title=row["title"],
        status=StepStatus(row["status"]),
        attempt=row["attempt"],
        started_at=_read_instant(row["started_at"]),
        finished_at=_read_instant(row["finished_at"]),
        error=_read_failure(row),
        is_compensation=row["role"] == "compensation",
        awaited=row["awaited"],
        wake_at=_read_instant(row["wake_at"]),
        items=_read_items(row),
    )


def _read_items(row: Row) -> Items | None:
    if row["items"] is None:
        return None
    return Items(row["items"], row["items"] - row["items_left"], row["items_failed"])


def _read_instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def _read_failure(row: Row) -> Failure | None:
    return Failure(row["error_code"], row["error_detail"] or "") if row["error_code"] else None
