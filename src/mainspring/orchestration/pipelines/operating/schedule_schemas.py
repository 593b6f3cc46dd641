"""Schedules as the HTTP API shows and takes them."""

from typing import Annotated

from pydantic import BaseModel, Field, JsonValue, StringConstraints

from mainspring.foundation.ids import show_id

from .cron import MAX_CRON, MAX_TIMEZONE, explain
from .schemas import Asked, Instant, Name, read_json, run_id
from .types import SCHEDULE_PREFIX, Schedule


class ScheduleAsked(Asked):
    """A pipeline that the clock starts: `cron` has five fields, read on the clock of `timezone`."""

    name: Name
    pipeline: Name
    input: JsonValue
    cron: Annotated[str, StringConstraints(max_length=MAX_CRON)]
    timezone: Annotated[str, StringConstraints(max_length=MAX_TIMEZONE)] = "UTC"
    is_paused: bool = False


class ScheduleChange(Asked):
    """What to change; absent fields stay."""

    pipeline: Name | None = None
    input: JsonValue = None
    cron: Annotated[str, StringConstraints(max_length=MAX_CRON)] | None = None
    timezone: Annotated[str, StringConstraints(max_length=MAX_TIMEZONE)] | None = None
    is_paused: bool | None = None


class ScheduleShape(BaseModel):
    """A schedule; `upcoming` are its next firings in UTC: one in lists, none while it is paused."""

    id: str = Field(examples=["sch_01k9x3v2m4e0n8q5t7w1y6z3ab"])
    name: str
    pipeline: str
    input: JsonValue
    cron: str
    cron_text: str
    timezone: str
    is_paused: bool
    upcoming: list[Instant]
    last_fired_at: Instant | None
    last_run: str | None
    last_problem: str | None
    created_by: str
    created_at: Instant


class SchedulePage(BaseModel):
    """One page of schedules, newest first."""

    items: list[ScheduleShape]
    next_cursor: str | None


class SchedulePreview(BaseModel):
    """When a cron line comes, in words and as instants in UTC."""

    cron_text: str
    upcoming: list[Instant]


def schedule_shape(schedule: Schedule) -> ScheduleShape:
    """A schedule for the wire."""
    terms = schedule.terms
    return ScheduleShape(
        id=show_id(SCHEDULE_PREFIX, schedule.id),
        name=terms.name,
        pipeline=terms.pipeline,
        input=read_json(terms.input),
        cron=terms.cron,
        cron_text=explain(terms.cron),
        timezone=terms.timezone,
        is_paused=terms.is_paused,
        upcoming=list(schedule.upcoming),
        last_fired_at=schedule.last_fired_at,
        last_run=run_id(schedule.last_run),
        last_problem=schedule.last_problem,
        created_by=schedule.created_by,
        created_at=schedule.created_at,
    )
