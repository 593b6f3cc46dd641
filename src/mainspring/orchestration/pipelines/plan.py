"""The rows that a declared pipeline becomes when it is submitted."""

import msgspec

from mainspring.foundation.db import Row
from mainspring.foundation.ids import new_id
from mainspring.foundation.principal import Principal

from .errors import PipelineInvalid
from .pipeline import Pipeline
from .types import RunId, Urgency


def step_rows(pipeline: Pipeline) -> str:
    """The steps as a JSON array in order of declaration, for `store.insert_run`."""
    return msgspec.json.encode(declared_rows(pipeline)).decode()


def declared_rows(pipeline: Pipeline) -> list[dict[str, object]]:
    """The steps in order of declaration; what is as usual is left out."""
    if not pipeline.steps:
        raise PipelineInvalid(f"pipeline {pipeline.name} has no steps; a run of it would never end")
    rows: list[dict[str, object]] = []
    for step in pipeline.steps:
        row: dict[str, object] = {
            "name": step.name,
            "title": step.title,
            "lane": pipeline.lane(step.name),
            "after": step.after,
        }
        if step.priority:
            row["priority"] = step.priority
        if step.tolerance:
            row["tolerance"] = step.tolerance
        if (lane := pipeline.undo_lane(step.name)) is not None:
            row["undo_lane"] = lane
        rows.append(row)
    return rows


def first_lanes(pipeline: Pipeline) -> frozenset[str]:
    """Where a new run has steps that are ready."""
    return frozenset(pipeline.lane(step.name) for step in pipeline.steps if not step.after)


def new_row(
    pipeline: Pipeline,
    text: str,
    *,
    idempotency_key: str | None,
    subject: str | None,
    urgency: Urgency,
    by: Principal | None,
) -> Row:
    """The row of a fresh run, for `store.insert_run`; `text` is its input as JSON."""
    run = RunId(new_id())
    ceiling = urgency.cost_ceiling_micros
    return {
        "id": run,
        "pipeline": pipeline.name,
        "version": pipeline.version,
        "subject": subject,
        "input": text,
        "priority": urgency.priority,
        "deadline": urgency.deadline,
        "idempotency_key": idempotency_key,
        "origin": run,
        "retry_of": None,
        "replay_of": None,
        "initiator": sorted(by.hands) if by else [],
        "initiated_by": by.name if by else None,
        "cost_ceiling_micros": pipeline.cost_ceiling_micros if ceiling is None else ceiling,
    }


def repeated_row(
    earlier: Row, pipeline: Pipeline, text: str, *, idempotency_key: str | None, by: Principal | None
) -> Row:
    """The terms of a run that repeats `earlier`: its own, but no deadline, and the hands of both who asked."""
    return {
        "pipeline": pipeline.name,
        "version": pipeline.version,
        "subject": earlier["subject"],
        "input": text,
        "priority": earlier["priority"],
        "deadline": None,
        "idempotency_key": idempotency_key,
        "initiator": sorted({*earlier["initiator"], *(by.hands if by else ())}),
        "initiated_by": by.name if by else earlier["initiated_by"],
        "cost_ceiling_micros": earlier["cost_ceiling_micros"],
    }
