"""`mainspring runs`: find runs of every tenant, look into one, and retry, replay, cancel, signal or follow it."""

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from mainspring.application.identity import operator
from mainspring.entry.client import Event
from mainspring.foundation.errors import InvalidInput
from mainspring.foundation.ids import TenantId, read_id, show_id
from mainspring.foundation.pagination import PageRequest, page_request
from mainspring.orchestration.pipelines import RUN_PREFIX, LiveEvents, Run, RunId, RunStatus, run_shape
from mainspring.orchestration.pipelines.operating import RunFilter, StepDetail, StepLine

from .desk import (
    Desk,
    LimitOption,
    NamedTenant,
    TenantOption,
    printable,
    read_since,
    with_desk,
    with_pipelines,
)
from .live import LiveView
from .output import JsonFlag, notes, screen, show_json, show_many, show_one, show_table
from .run_lines import (
    mute_run,
    mute_step,
    read_value,
    run_facts,
    run_line,
    show_value,
    step_line,
    step_row,
    wait_lines,
)

_MAX_VERSION = 2**31 - 1

runs = typer.Typer(help="Runs of every tenant: list, show, retry, replay, cancel, signal, watch.", no_args_is_help=True)

RunArgument = Annotated[str, typer.Argument(help="run_...")]


@runs.command("list")
def list_runs(  # noqa: PLR0913 - each option is a parameter
    tenant: TenantOption = None,
    status: Annotated[RunStatus | None, typer.Option(help="Only runs of this status.")] = None,
    pipeline: Annotated[str | None, typer.Option(help="Only runs of this pipeline.")] = None,
    version: Annotated[int | None, typer.Option(min=1, max=_MAX_VERSION, help="Only runs of this version.")] = None,
    step: Annotated[str | None, typer.Option(help="Only runs that stand at this step, or failed at it.")] = None,
    error: Annotated[str | None, typer.Option(help="Only runs that failed with this code.")] = None,
    subject: Annotated[str | None, typer.Option(help="Only runs about this, such as ctr_...")] = None,
    since: Annotated[str | None, typer.Option(help="Only of the last 90s, 15m, 6h, 3d.")] = None,
    limit: LimitOption = 50,
    json: JsonFlag = False,
) -> None:
    """List runs, newest first. What failures say is shown with --tenant; across tenants, their codes."""
    asked = RunFilter(
        status=status,
        pipeline=pipeline,
        version=version,
        step=step,
        error_code=error,
        subject=subject,
        created_after=read_since(since, datetime.now(UTC)),
    )

    async def read(desk: Desk) -> tuple[list[Run], dict[TenantId, str]]:
        named = await desk.find_tenant(tenant)
        page = await desk.operating.runs.list(named, page_request(limit, None), asked)
        return list(page.items), await desk.list_slugs()

    found, slugs = with_desk(read)
    rows = [run_line(run, slugs) for run in found]
    columns = ("id", "tenant", "pipeline", "status", "at", "error", "created")
    shown = rows if json else [{name: row[name] for name in columns} for row in rows]
    show_many("Runs", shown, "No run matches.", json)
    if len(rows) == limit and not json:
        notes.print(f"The newest {limit}; there may be more: narrow it down, or raise --limit.", markup=False)


@runs.command("show")
def show_run(run: RunArgument, tenant: TenantOption = None, json: JsonFlag = False) -> None:
    """Show a run with its steps. What failures say is shown with --tenant."""

    async def read(desk: Desk) -> tuple[Run, list[StepLine], str]:
        named, identifier, is_named = await _locate(desk, run, tenant)
        found = await desk.operating.pipelines.get_run(named, identifier)
        slug = (await desk.list_slugs()).get(named, show_id("ten", named))
        page = await desk.operating.runs.list_steps(named, identifier, PageRequest(200))
        if is_named:
            return found, list(page.items), slug
        return mute_run(found), [mute_step(step) for step in page.items], slug

    found, steps, slug = with_desk(read)
    if json:
        show_json({**run_shape(found).model_dump(mode="json"), "tenant": slug})
        return
    for name, value in run_facts(found, slug).items():
        if value is not None:
            screen.print(f"{name:>10}  {printable(value)}", markup=False, soft_wrap=True)
    show_table("Steps", [step_row(step) for step in steps], empty="The run has no steps.")
    for line in wait_lines(steps):
        screen.print(printable(line), markup=False, soft_wrap=True)


@runs.command("steps")
def show_steps(  # noqa: PLR0913 - each option is a parameter
    run: RunArgument,
    tenant: NamedTenant,
    step: Annotated[str | None, typer.Argument(help="Show this step's input, output and trace.")] = None,
    item: Annotated[int | None, typer.Option(min=0, help="Of this item of the step's fan-out.")] = None,
    items: Annotated[bool, typer.Option("--items", help="List the step's items instead.")] = False,
    limit: LimitOption = 200,
    json: JsonFlag = False,
) -> None:
    """List a run's steps or a step's items; with STEP, show what went in and came out, and where it failed."""

    async def read_lines(desk: Desk) -> list[StepLine]:
        named, identifier, _ = await _locate(desk, run, tenant)
        page = await desk.operating.runs.list_steps(named, identifier, page_request(limit, None), step=step)
        return list(page.items)

    async def read_step(desk: Desk) -> StepDetail:
        named, identifier, _ = await _locate(desk, run, tenant)
        return await desk.operating.runs.get_step(named, identifier, step or "", item=item)

    if step is None or items:
        lines = [step_line(each) for each in with_desk(read_lines)]
        show_many("Items" if items else "Steps", lines, "There are none.", json)
        return
    detail = with_desk(read_step)
    shown = {
        **step_line(detail.line),
        "input": read_value(detail.input),
        "output": read_value(detail.output),
        "trace": detail.trace,
    }
    if json:
        show_json(shown)
        return
    for name, value in shown.items():
        if value is not None:
            separator = "\n" if name in ("input", "output", "trace") else " "
            screen.print(f"{name}:{separator}{printable(show_value(value))}", markup=False, soft_wrap=True)


@runs.command("retry")
def retry_run(
    run: RunArgument,
    version: Annotated[
        int | None, typer.Option(min=1, max=_MAX_VERSION, help="Go on in this version; default: the run's own.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Go on from where a run failed, in a new run that takes over what is finished. Twice is the same as once."""
    _read_run(run)  # before everything is built, which takes seconds

    async def retry(desk: Desk) -> Run:
        named, identifier, _ = await _locate(desk, run, None)
        return await desk.operating.runs.retry(operator(named), identifier, version=version)

    _told(with_pipelines(retry), f"{run} goes on", json)


@runs.command("replay")
def replay_run(
    run: RunArgument,
    given: Annotated[
        Path | None, typer.Option("--input", help="JSON file with another input; - reads standard input.")
    ] = None,
    version: Annotated[
        int | None, typer.Option(min=1, max=_MAX_VERSION, help="In this version; default: the run's own.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Run it again from the beginning, in a new run: with its input or another, in its version or another."""
    _read_run(run)
    text = None if given is None else read_json_file(given)

    async def replay(desk: Desk) -> Run:
        named, identifier, _ = await _locate(desk, run, None)
        return await desk.operating.runs.replay(operator(named), identifier, given=text, version=version)

    _told(with_pipelines(replay), f"{run} is run again", json)


@runs.command("cancel")
def cancel_runs(
    run: Annotated[list[str] | None, typer.Argument(help="run_...; several may be named.")] = None,
    tenant: TenantOption = None,
    pipeline: Annotated[str | None, typer.Option(help="All unfinished runs of this pipeline.")] = None,
    step: Annotated[str | None, typer.Option(help="All unfinished runs that stand at this step.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All unfinished runs of the tenant.")] = False,
    json: JsonFlag = False,
) -> None:
    """Cancel runs by id, or with --tenant all that match. What is declared to be undone is undone."""
    asked = RunFilter(pipeline=pipeline, step=step)
    if bool(run) == (every or asked != RunFilter()):
        raise typer.BadParameter("name runs, or say --pipeline, --step or --all; one of both")
    if run:
        _cancel_named(run, json)
        return
    if tenant is None:
        raise typer.BadParameter("say of which tenant with --tenant")

    async def cancel(desk: Desk) -> dict[str, object]:
        principal = await desk.get_operator(tenant)
        action = await desk.operating.bulk.cancel_runs(principal, asked)
        while action.state == "running":
            notes.print(f"{action.done} cancelled ...", markup=False)
            await desk.operating.bulk.carry_on()
            action = await desk.operating.bulk.get(principal.tenant, action.id)
        return {"tenant": tenant, "cancelled": action.done, "skipped": action.skipped, "problem": action.last_problem}

    done = with_desk(cancel)
    show_one(done, f"Cancelled {done['cancelled']} runs of {tenant}; {done['skipped']} had ended before.", json)


@runs.command("signal")
def signal_run(
    run: RunArgument,
    name: Annotated[str, typer.Argument(help="What the step waits for.")],
    payload: Annotated[str, typer.Option(help="JSON of what it is told.")] = "null",
    key: Annotated[str, typer.Option(help="The same key tells it once.")] = "operator",
    json: JsonFlag = False,
) -> None:
    """Tell a run what a step of it waits for, or will."""
    try:
        value = msgspec.json.decode(payload)
    except msgspec.DecodeError as bad:
        raise InvalidInput(
            f"The payload is not JSON: {bad}. Quote it for the shell: --payload '{{\"a\": 1}}'."
        ) from None

    async def tell(desk: Desk) -> Run:
        named, identifier, _ = await _locate(desk, run, None)
        return await desk.operating.runs.signal(operator(named), identifier, name, value, key=key)

    _told(with_desk(tell), f"{run} was told {name}", json)


@runs.command("watch")
def watch_run(run: RunArgument, tenant: NamedTenant) -> None:
    """Follow a run as it happens, from its beginning to its end. Exit code 1 when it does not succeed."""
    view = LiveView(screen)

    async def follow(desk: Desk) -> None:
        named, identifier, _ = await _locate(desk, run, tenant)
        live = LiveEvents(desk.database, desk.valkey)
        try:
            async for event in live.iter_events(named, identifier):
                view.show(Event(str(event.id), event.type.value, _harmless(event.facts)))
        finally:
            await live.close()

    with_desk(follow)
    if view.status != "succeeded":
        screen.print(f"{view.status}: {printable(view.error)}", markup=False)
        raise typer.Exit(1)


def _harmless(facts: Mapping[str, object]) -> dict[str, object]:
    return {name: printable(value) if isinstance(value, str) else value for name, value in facts.items()}


def _cancel_named(named: list[str], json: bool) -> None:
    async def cancel(desk: Desk) -> list[dict[str, object]]:
        rows: list[dict[str, object]] = []
        for run in named:
            tenant, identifier, _ = await _locate(desk, run, None)
            ended = await desk.operating.pipelines.cancel(tenant, identifier)
            rows.append({"run": run, "status": ended.status.value})
        return rows

    show_many("Cancelled", with_desk(cancel), "None.", json)


async def _locate(desk: Desk, run: str, slug: str | None) -> tuple[TenantId, RunId, bool]:
    """Whose run it is, its id, and whether its tenant was named; NotFound when it is another's."""
    identifier = _read_run(run)
    named = await desk.find_tenant(slug)
    return named or await desk.operating.runs.get_tenant_of(identifier), identifier, named is not None


def _told(run: Run, sentence: str, json: bool) -> None:
    identifier = show_id(RUN_PREFIX, run.id)
    shown = {"run": identifier, "status": run.status.value, "version": run.version}
    show_one(shown, f"{sentence}: {identifier} is {run.status.value}.", json)


def read_json_file(file: Path) -> bytes:
    """The JSON in a file, or with - in standard input, as it stands there; InvalidInput when it is none."""
    try:
        text = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        msgspec.json.decode(text)
    except FileNotFoundError:
        raise InvalidInput(f"There is no file {file}; check the path.") from None
    except OSError as unreadable:
        raise InvalidInput(f"{file} cannot be read: {unreadable.strerror}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as bad:
        raise InvalidInput(f"What {file} holds is not JSON: {bad}.") from None
    return text


def _read_run(text: str) -> RunId:
    return RunId(read_id(RUN_PREFIX, text))
