"""`mainspring dead`: dead letters of every tenant, grouped by cause, looked into, replayed, discarded for a reason."""

from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from mainspring.application.identity import operator
from mainspring.foundation.ids import TenantId, read_id, show_id
from mainspring.foundation.pagination import page_request
from mainspring.foundation.principal import Principal
from mainspring.orchestration.pipelines import RUN_PREFIX
from mainspring.orchestration.pipelines.operating import (
    LETTER_PREFIX,
    BulkAction,
    BulkKind,
    Letter,
    LetterFilter,
    LetterId,
    LetterState,
)

from .desk import Desk, LimitOption, NamedTenant, TenantOption, printable, show_time, with_desk, with_pipelines
from .output import JsonFlag, notes, screen, show_json, show_many
from .run_lines import read_value, show_error, show_value

dead = typer.Typer(
    help="Dead letters, steps that failed for good: groups, list, show, replay, discard, restore.",
    no_args_is_help=True,
)

LetterArguments = Annotated[list[str] | None, typer.Argument(help="dead_...; several may be named.")]
PipelineOption = Annotated[str | None, typer.Option(help="Only of this pipeline.")]
StepOption = Annotated[str | None, typer.Option(help="Only of this step.")]
GroupOption = Annotated[str | None, typer.Option("--group", help="Only of this group, by its fingerprint.")]
_TOLERATED = "skipped: items that their step tolerates; their runs have not failed"
AllFlag = Annotated[bool, typer.Option("--all", help="All open ones, of every tenant or of --tenant.")]


@dead.command("groups")
def list_groups(
    tenant: TenantOption = None, pipeline: PipelineOption = None, step: StepOption = None, json: JsonFlag = False
) -> None:
    """List the causes of what is open, the most frequent first; with --tenant also what an example says."""

    async def read(desk: Desk) -> list[dict[str, object]]:
        slugs = await desk.list_slugs()
        named = await desk.find_tenant(tenant)
        groups = await desk.operating.letters.list_groups(named, pipeline=pipeline, step=step)
        return [
            {
                "group": group.fingerprint,
                "tenant": _slug(slugs, group.example.tenant),
                "pipeline": group.pipeline,
                "step": group.step,
                "error": show_error(group.example.error),
                "count": group.count,
                "since": show_time(group.first_at),
                "last": show_time(group.last_at),
                "example": show_id(LETTER_PREFIX, group.example.id),
            }
            for group in groups
        ]

    show_many("Dead letters by cause", with_desk(read), "No dead letter is open.", json)


@dead.command("list")
def list_letters(  # noqa: PLR0913 - each option is a parameter
    tenant: TenantOption = None,
    state: Annotated[LetterState, typer.Option(help="open, replayed or discarded.")] = LetterState.OPEN,
    pipeline: PipelineOption = None,
    step: StepOption = None,
    group: GroupOption = None,
    error: Annotated[str | None, typer.Option(help="Only with this code.")] = None,
    limit: LimitOption = 50,
    json: JsonFlag = False,
) -> None:
    """List dead letters, newest first. What failures say is shown with --tenant; across tenants, their codes."""
    asked = LetterFilter(state=state, pipeline=pipeline, step=step, fingerprint=group, error_code=error)

    async def read(desk: Desk) -> list[dict[str, object]]:
        slugs = await desk.list_slugs()
        page = await desk.operating.letters.list(await desk.find_tenant(tenant), page_request(limit, None), asked)
        return [_line(letter, slugs) for letter in page.items]

    rows = with_desk(read)
    if state is LetterState.OPEN and not json:
        rows = [{name: row[name] for name in row if name not in ("state", "replayed_as")} for row in rows]
    show_many("Dead letters", rows, f"No dead letter is {state.value}.", json)


@dead.command("show")
def show_letter(
    letter: Annotated[str, typer.Argument(help="dead_...")], tenant: NamedTenant, json: JsonFlag = False
) -> None:
    """Show a dead letter with what its step was given, and the trace of the failure."""

    async def read(desk: Desk) -> tuple[Letter, str]:
        principal = await desk.get_operator(tenant)
        return await desk.operating.letters.get(principal.tenant, _read(letter)), tenant

    found, slug = with_desk(read)
    shown = {
        **_line(found, {found.tenant: slug}),
        "reason": found.reason,
        "decided_by": found.decided_by,
        "input": read_value(found.input),
        "trace": found.trace,
    }
    if json:
        show_json(shown)
        return
    for name, value in shown.items():
        if value is not None:
            separator = "\n" if name in ("input", "trace") else " "
            screen.print(f"{name}:{separator}{printable(show_value(value))}", markup=False, soft_wrap=True)


@dead.command("replay")
def replay_letters(  # noqa: PLR0913 - each option is a parameter
    letter: LetterArguments = None,
    tenant: TenantOption = None,
    group: GroupOption = None,
    pipeline: PipelineOption = None,
    step: StepOption = None,
    every: AllFlag = False,
    json: JsonFlag = False,
) -> None:
    """Retry the runs of dead letters from the failed step: each run once, however often this is said."""
    asked = LetterFilter(pipeline=pipeline, step=step, fingerprint=group)
    _check_choice(letter, asked, every)

    async def one(desk: Desk, principal: Principal, identifier: LetterId) -> Letter:
        return await desk.operating.letters.replay(principal, identifier)

    async def many(desk: Desk, principal: Principal) -> BulkAction:
        return await desk.operating.bulk.replay_letters(principal, asked)

    rows = with_pipelines(lambda desk: _decide(desk, letter, tenant, one=one, many=many))
    _told("Replayed", rows, json)


@dead.command("discard")
def discard_letters(  # noqa: PLR0913 - each option is a parameter
    reason: Annotated[str, typer.Option(help="Why nothing will be done about it.")],
    letter: LetterArguments = None,
    tenant: TenantOption = None,
    group: GroupOption = None,
    pipeline: PipelineOption = None,
    step: StepOption = None,
    every: AllFlag = False,
    json: JsonFlag = False,
) -> None:
    """Decide that nothing will be done about dead letters, and why. `restore` takes one back."""
    asked = LetterFilter(pipeline=pipeline, step=step, fingerprint=group)
    _check_choice(letter, asked, every)

    async def one(desk: Desk, principal: Principal, identifier: LetterId) -> Letter:
        return await desk.operating.letters.discard(principal, identifier, reason)

    async def many(desk: Desk, principal: Principal) -> BulkAction:
        return await desk.operating.bulk.discard_letters(principal, asked, reason)

    rows = with_desk(lambda desk: _decide(desk, letter, tenant, one=one, many=many))
    _told("Discarded", rows, json)


@dead.command("restore")
def restore_letters(
    letter: Annotated[list[str], typer.Argument(help="dead_...; several may be named.")], json: JsonFlag = False
) -> None:
    """Take discards back: the letters are open again."""

    async def one(desk: Desk, principal: Principal, identifier: LetterId) -> Letter:
        return await desk.operating.letters.restore(principal, identifier)

    rows = with_desk(lambda desk: _decide_named(desk, letter, one))
    _told("Restored", rows, json)


_One = Callable[[Desk, Principal, LetterId], Awaitable[Letter]]
_Many = Callable[[Desk, Principal], Awaitable[BulkAction]]


async def _decide(
    desk: Desk, letters: list[str] | None, slug: str | None, *, one: _One, many: _Many
) -> list[dict[str, object]]:
    """Decide about the named letters, or about all that match of one tenant or of each."""
    if letters:
        return await _decide_named(desk, letters, one)
    slugs = await desk.list_slugs()
    named = await desk.find_tenant(slug)
    rows: list[dict[str, object]] = []
    for tenant in [named] if named else list(slugs):
        action = await many(desk, operator(tenant))
        while action.state == "running":
            notes.print(f"{_slug(slugs, tenant)}: {action.done} done ...", markup=False)
            await desk.operating.bulk.carry_on()
            action = await desk.operating.bulk.get(tenant, action.id)
        if named or action.done or action.skipped:
            rows.append(
                {
                    "tenant": _slug(slugs, tenant),
                    "done": action.done,
                    "skipped": action.skipped,
                    "problem": printable(action.last_problem) if action.last_problem else None,
                    "note": explain_skipped(action),
                }
            )
    return rows


def explain_skipped(action: BulkAction) -> str | None:
    """What was passed over without a problem, in words."""
    is_replay = action.kind is BulkKind.REPLAY
    return _TOLERATED if is_replay and action.skipped and not action.last_problem else None


async def _decide_named(desk: Desk, letters: list[str], one: _One) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for text in letters:
        identifier = _read(text)
        tenant = await desk.operating.letters.get_tenant_of(identifier)
        decided = await one(desk, operator(tenant), identifier)
        replayed = show_id(RUN_PREFIX, decided.replayed_as) if decided.replayed_as else None
        rows.append({"id": text, "state": decided.state.value, "replayed_as": replayed})
    return rows


def _check_choice(letters: list[str] | None, asked: LetterFilter, every: bool) -> None:
    if bool(letters) == (every or asked != LetterFilter()):
        raise typer.BadParameter("name letters, or say --group, --pipeline, --step or --all; one of both")


def _told(title: str, rows: list[dict[str, object]], json: bool) -> None:
    show_many(title, rows, "No open dead letter matches.", json)


def _line(letter: Letter, slugs: dict[TenantId, str]) -> dict[str, object]:
    return {
        "id": show_id(LETTER_PREFIX, letter.id),
        "tenant": _slug(slugs, letter.tenant),
        "run": show_id(RUN_PREFIX, letter.run),
        "at": f"{letter.pipeline}@{letter.version}/{letter.step}" + ("" if letter.item is None else f"[{letter.item}]"),
        "error": show_error(letter.error),
        "failed": show_time(letter.failed_at),
        "state": letter.state.value,
        "replayed_as": show_id(RUN_PREFIX, letter.replayed_as) if letter.replayed_as else None,
    }


def _slug(slugs: dict[TenantId, str], tenant: TenantId) -> str:
    return slugs.get(tenant, show_id("ten", tenant))


def _read(text: str) -> LetterId:
    return LetterId(read_id(LETTER_PREFIX, text))
