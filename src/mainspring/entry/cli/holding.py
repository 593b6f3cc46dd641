"""`mainspring hold`: pause or drain a pipeline, a step or a tenant, or everything; list what is held, let go."""

from typing import Annotated

import typer

from mainspring.foundation.errors import InvalidInput
from mainspring.foundation.ids import TenantId, read_id, show_id
from mainspring.orchestration.pipelines.operating import HOLD_PREFIX, Hold, HoldId, HoldKind

from .desk import Desk, printable, show_time, with_desk
from .output import JsonFlag, show_many, show_one

hold = typer.Typer(help="Holds: pause or drain, list, release.", no_args_is_help=True)

OnlyTenant = Annotated[str | None, typer.Option("--tenant", help="Short name of the tenant; default: every tenant.")]
OnlyPipeline = Annotated[str | None, typer.Option("--pipeline", help="Only this pipeline.")]
OnlyStep = Annotated[str | None, typer.Option("--step", help="Only this step of it.")]
Reason = Annotated[str, typer.Option(help="Why, for those who wonder.")]


@hold.command("pause")
def pause(
    reason: Reason,
    tenant: OnlyTenant = None,
    pipeline: OnlyPipeline = None,
    step: OnlyStep = None,
    json: JsonFlag = False,
) -> None:
    """Start nothing more; runs are still taken in and wait. What runs is finished."""
    _hold(HoldKind.PAUSE, tenant, (pipeline, step), reason, json)


@hold.command("drain")
def drain(
    reason: Reason,
    tenant: OnlyTenant = None,
    pipeline: OnlyPipeline = None,
    step: OnlyStep = None,
    json: JsonFlag = False,
) -> None:
    """Take no new runs in, and let run out what is there."""
    _hold(HoldKind.DRAIN, tenant, (pipeline, step), reason, json)


@hold.command("list")
def list_holds(tenant: OnlyTenant = None, json: JsonFlag = False) -> None:
    """List what is held, the newest first."""

    async def read(desk: Desk) -> list[dict[str, object]]:
        slugs = await desk.list_slugs()
        found = await desk.operating.holds.list(await desk.find_tenant(tenant))
        return [_line(each, slugs) for each in found]

    show_many("Holds", with_desk(read), "Nothing is held.", json)


@hold.command("release")
def release(
    identifier: Annotated[str, typer.Argument(metavar="HOLD", help="hold_...; see `mainspring hold list`.")],
    json: JsonFlag = False,
) -> None:
    """Let go: what waited is started again at once."""

    async def end(desk: Desk) -> dict[str, object]:
        slugs = await desk.list_slugs()
        return _line(await desk.operating.holds.release(None, HoldId(read_id(HOLD_PREFIX, identifier))), slugs)

    ended = with_desk(end)
    show_one(ended, f"Released {ended['held']} of {ended['tenant']}.", json)


def _hold(kind: HoldKind, slug: str | None, held: tuple[str | None, str | None], reason: str, json: bool) -> None:
    async def make(desk: Desk) -> dict[str, object]:
        tenant = await desk.find_tenant(slug)
        await _check_known(desk, *held)
        made = await desk.operating.holds.hold(tenant, kind, held, reason=reason, by="The operator")
        return _line(made, await desk.list_slugs())

    made = with_desk(make)
    words = {HoldKind.PAUSE: "is paused", HoldKind.DRAIN: "is drained"}
    show_one(made, f"{made['held']} of {made['tenant']} {words[kind]}; `mainspring hold release {made['id']}`", json)


async def _check_known(desk: Desk, pipeline: str | None, step: str | None) -> None:
    """InvalidInput for what no worker has ever run: a name that is mistyped would hold nothing, and say it does."""
    if pipeline is None:
        return
    shapes = await desk.operating.runs.list_pipelines()
    steps = {each.name for shape in shapes if shape.name == pipeline for each in shape.steps}
    if not steps:
        known = ", ".join(sorted({shape.name for shape in shapes})) or "none"
        raise InvalidInput(f"No worker has run a pipeline named {pipeline!r}; there are {known}.")
    if step is not None and step not in steps:
        raise InvalidInput(f"{pipeline} has no step {step!r}; it has {', '.join(sorted(steps))}.")


def _line(each: Hold, slugs: dict[TenantId, str]) -> dict[str, object]:
    return {
        "id": show_id(HOLD_PREFIX, each.id),
        "kind": each.kind.value,
        "tenant": slugs.get(each.tenant, show_id("ten", each.tenant)) if each.tenant else "every tenant",
        "held": f"{each.pipeline}/{each.step}" if each.step else each.pipeline or "everything",
        "reason": printable(each.reason),
        "by": printable(each.held_by),
        "since": show_time(each.held_at),
    }
