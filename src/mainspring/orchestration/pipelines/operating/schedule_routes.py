"""HTTP: schedules, and when a cron line would come."""

from typing import Annotated

from fastapi import APIRouter, Query, status

from mainspring.foundation.http import CurrentPrincipal, Paging
from mainspring.foundation.ids import read_id

from .cron import MAX_CRON, MAX_PREVIEW, MAX_TIMEZONE, explain
from .operating import Operating
from .run_routes import OPERATE, READ
from .schedule_schemas import (
    ScheduleAsked,
    ScheduleChange,
    SchedulePage,
    SchedulePreview,
    ScheduleShape,
    schedule_shape,
)
from .schemas import encode_given
from .types import SCHEDULE_PREFIX, ScheduleId, ScheduleTerms


def add_schedules(router: APIRouter, operating: Operating) -> None:
    """Schedules of the tenant."""
    _add_making(router, operating)
    _add_one(router, operating)


def _add_making(router: APIRouter, operating: Operating) -> None:
    @router.get("/schedules")
    async def list_schedules(principal: CurrentPrincipal, paging: Paging) -> SchedulePage:
        """Schedules with their next firings, newest first."""
        principal.require(READ)
        page = await operating.schedules.list(principal.tenant, paging)
        return SchedulePage(items=[schedule_shape(each) for each in page.items], next_cursor=page.next_cursor)

    @router.post("/schedules", status_code=status.HTTP_201_CREATED)
    async def create_schedule(principal: CurrentPrincipal, body: ScheduleAsked) -> ScheduleShape:
        """Have the clock start a pipeline: once for each instant, and once for all that were missed.

        422 for a cron line that never comes, a timezone that nobody knows, an input that does not fit.
        """
        principal.require(OPERATE)
        terms = ScheduleTerms(
            name=body.name,
            pipeline=body.pipeline,
            input=encode_given(body.input).decode(),
            cron=body.cron,
            timezone=body.timezone,
            is_paused=body.is_paused,
        )
        return schedule_shape(await operating.schedules.create(principal, terms))

    @router.get("/schedules:preview")
    async def preview_schedule(
        principal: CurrentPrincipal,
        cron: Annotated[str, Query(max_length=MAX_CRON)],
        timezone: Annotated[str, Query(max_length=MAX_TIMEZONE)] = "UTC",
        count: Annotated[int, Query(ge=1, le=MAX_PREVIEW)] = 5,
    ) -> SchedulePreview:
        """When a cron line would come next, in words and as instants in UTC."""
        principal.require(READ)
        upcoming = await operating.schedules.preview(principal.tenant, cron, timezone, count)
        return SchedulePreview(cron_text=explain(cron), upcoming=list(upcoming))


def _add_one(router: APIRouter, operating: Operating) -> None:
    @router.get("/schedules/{schedule}")
    async def get_schedule(principal: CurrentPrincipal, schedule: str) -> ScheduleShape:
        """One schedule with its next firings."""
        principal.require(READ)
        return schedule_shape(await operating.schedules.get(principal.tenant, _schedule_id(schedule)))

    @router.patch("/schedules/{schedule}")
    async def change_schedule(principal: CurrentPrincipal, schedule: str, body: ScheduleChange) -> ScheduleShape:
        """Change it, pause it or let it go on; the next firing is counted from now."""
        principal.require(OPERATE)
        changed = body.model_dump(exclude_unset=True)
        changed = {name: value for name, value in changed.items() if value is not None or name == "input"}
        if "input" in changed:
            changed["input"] = encode_given(changed["input"]).decode()
        found = await operating.schedules.change(principal, _schedule_id(schedule), **changed)
        return schedule_shape(found)

    @router.delete("/schedules/{schedule}", status_code=status.HTTP_204_NO_CONTENT)
    async def delete_schedule(principal: CurrentPrincipal, schedule: str) -> None:
        """Delete it; runs that it started go on."""
        principal.require(OPERATE)
        await operating.schedules.delete(principal, _schedule_id(schedule))


def _schedule_id(text: str) -> ScheduleId:
    return ScheduleId(read_id(SCHEDULE_PREFIX, text))
