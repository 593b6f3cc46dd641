"""`mainspring schedules`: pipelines that the clock starts, of one tenant."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from mainspring.foundation.ids import read_id, show_id
from mainspring.foundation.pagination import page_request
from mainspring.orchestration.pipelines import RUN_PREFIX
from mainspring.orchestration.pipelines.operating import (
    SCHEDULE_PREFIX,
    Schedule,
    ScheduleId,
    ScheduleTerms,
    next_firing,
)

from .desk import Desk, NamedTenant, printable, show_time, with_desk, with_pipelines
from .output import JsonFlag, show_many, show_one
from .runs import read_json_file

schedules = typer.Typer(
    help="Schedules of a tenant: list, create, pause, resume, delete, preview.", no_args_is_help=True
)

ScheduleArgument = Annotated[str, typer.Argument(help="sch_...")]
Timezone = Annotated[str, typer.Option(help="Whose clock, such as Europe/Berlin.")]
Cron = Annotated[str, typer.Argument(help="Five fields, such as '30 7 * * MON-FRI'.")]


@schedules.command("list")
def list_schedules(tenant: NamedTenant, json: JsonFlag = False) -> None:
    """List schedules with their next firing and what the last one came to."""

    async def read(desk: Desk) -> list[dict[str, object]]:
        principal = await desk.get_operator(tenant)
        page = await desk.operating.schedules.list(principal.tenant, page_request(200, None))
        return [_line(each) for each in page.items]

    show_many("Schedules", with_desk(read), f"{tenant} has none.", json)


@schedules.command("create")
def create_schedule(  # noqa: PLR0913 - each option is a parameter
    name: Annotated[str, typer.Argument(help="What to call it.")],
    pipeline: Annotated[str, typer.Argument(help="Which pipeline it starts.")],
    cron: Cron,
    tenant: NamedTenant,
    given: Annotated[Path, typer.Option("--input", help="JSON file with the input; - reads standard input.")],
    timezone: Timezone = "UTC",
    json: JsonFlag = False,
) -> None:
    """Have the clock start a pipeline: once for each instant, and once for all that were missed."""
    next_firing(cron, timezone, datetime.now(UTC))  # before everything is built, which takes seconds
    terms = ScheduleTerms(name, pipeline, read_json_file(given).decode(), cron, timezone)

    async def create(desk: Desk) -> dict[str, object]:
        return _line(await desk.operating.schedules.create(await desk.get_operator(tenant), terms))

    made = with_pipelines(create)
    show_one(made, f"Created {made['id']}; it starts {pipeline} next at {made['next']} UTC.", json)


@schedules.command("pause")
def pause_schedule(schedule: ScheduleArgument, tenant: NamedTenant, json: JsonFlag = False) -> None:
    """Let it start nothing until it is resumed; what is missed meanwhile is not made up for."""
    made = _change(schedule, tenant, is_paused=True)
    show_one(made, f"{schedule} is paused.", json)


@schedules.command("resume")
def resume_schedule(schedule: ScheduleArgument, tenant: NamedTenant, json: JsonFlag = False) -> None:
    """Let it go on, from now."""
    made = _change(schedule, tenant, is_paused=False)
    show_one(made, f"{schedule} goes on, next at {made['next']} UTC.", json)


@schedules.command("delete")
def delete_schedule(schedule: ScheduleArgument, tenant: NamedTenant, json: JsonFlag = False) -> None:
    """Delete it; runs that it started go on."""

    async def delete(desk: Desk) -> dict[str, object]:
        await desk.operating.schedules.delete(await desk.get_operator(tenant), _read(schedule))
        return {"id": schedule, "state": "deleted"}

    show_one(with_desk(delete), f"Deleted {schedule}.", json)


@schedules.command("preview")
def preview_schedule(
    cron: Cron,
    tenant: NamedTenant,
    timezone: Timezone = "UTC",
    count: Annotated[int, typer.Option(min=1, max=20)] = 5,
    json: JsonFlag = False,
) -> None:
    """Show when a cron line would come next, in UTC."""

    async def read(desk: Desk) -> list[dict[str, object]]:
        principal = await desk.get_operator(tenant)
        found = await desk.operating.schedules.preview(principal.tenant, cron, timezone, count)
        return [{"at": show_time(instant)} for instant in found]

    show_many("Next firings", with_desk(read), "It never comes.", json)


def _change(schedule: str, slug: str, *, is_paused: bool) -> dict[str, object]:
    identifier = _read(schedule)

    async def change(desk: Desk) -> dict[str, object]:
        principal = await desk.get_operator(slug)
        return _line(await desk.operating.schedules.change(principal, identifier, is_paused=is_paused))

    return with_pipelines(change)


def _line(each: Schedule) -> dict[str, object]:
    return {
        "id": show_id(SCHEDULE_PREFIX, each.id),
        "name": printable(each.terms.name),
        "pipeline": each.terms.pipeline,
        "cron": each.terms.cron,
        "timezone": each.terms.timezone,
        "next": show_time(each.upcoming[0]) if each.upcoming else "paused",
        "last": show_time(each.last_fired_at),
        "last_run": show_id(RUN_PREFIX, each.last_run) if each.last_run else None,
        "problem": printable(each.last_problem) if each.last_problem else None,
    }


def _read(text: str) -> ScheduleId:
    return ScheduleId(read_id(SCHEDULE_PREFIX, text))
