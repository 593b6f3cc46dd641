"""Schedules: pipelines that the clock starts, once for each instant, however many workers look at the clock.

Due schedules are found by `next_at`. Firing locks the schedule, submits the run under the key `schedule:<id>:<instant>`
and writes the next instant, in one transaction: it happens wholly or not at all, and once. After a time without
workers one firing makes up for all that were missed; a pause makes up for none.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from mainspring.foundation.db import Database, Row, TenantTransaction
from mainspring.foundation.errors import Conflict, InvalidInput, MainspringError, NotFound
from mainspring.foundation.ids import TenantId, new_id, show_id
from mainspring.foundation.pagination import Page, PageRequest, cut_page, make_cursor
from mainspring.foundation.principal import Principal, PrincipalKind
from mainspring.foundation.telemetry import get_logger
from mainspring.orchestration.pipelines.codec import encode
from mainspring.orchestration.pipelines.service import Pipelines
from mainspring.orchestration.pipelines.types import Run, RunId

from . import schedules_store
from .cron import next_firing, preview
from .declared import Declared, read_input
from .errors import PipelineUnknown, ScheduleInvalid
from .reading import read_uuid
from .types import SCHEDULE_PREFIX, Schedule, ScheduleId, ScheduleTerms

log = get_logger(__name__)

MAX_SCHEDULES = 200
MAX_NAME = 100
UPCOMING = 5
_DUE_AT_ONCE = 100
_PATIENCE = timedelta(minutes=5)


class Schedules:
    """A tenant's schedules. Changing one starts nothing by itself."""

    def __init__(self, database: Database, declared: Declared) -> None:
        self._database = database
        self._declared = declared

    async def create(self, principal: Principal, terms: ScheduleTerms) -> Schedule:
        """A new schedule; its first firing is the next instant of its cron line.

        raises   ScheduleInvalid, PipelineUnknown, Forbidden, InvalidInput for an input that does not fit, Conflict
        """
        checked = self._check(terms)
        async with self._database.tenant(principal.tenant) as transaction:
            if await schedules_store.count_schedules(transaction) >= MAX_SCHEDULES:
                raise Conflict(f"The tenant has {MAX_SCHEDULES} schedules, which is the limit; delete one first.")
            now = await schedules_store.read_now(transaction)
            row = await schedules_store.add_schedule(
                transaction,
                {
                    **_row(checked, now),
                    "id": new_id(),
                    "name": checked.name,
                    "initiator": sorted(principal.hands),
                    "by": principal.name,
                },
            )
        if row is None:
            raise Conflict(f"There is a schedule {terms.name!r} already; change that one, or take another name.")
        return _read(row, now)

    async def list(self, tenant: TenantId, request: PageRequest) -> Page[Schedule]:
        """The tenant's schedules, newest first, each with its next firing only: working out more takes time."""
        (before,) = request.key(read_uuid)
        async with self._database.tenant(tenant) as transaction:
            rows = await schedules_store.list_schedules(transaction, before=before, limit=request.limit + 1)
        shown, has_more = cut_page(rows, request)
        cursor = make_cursor(str(shown[-1]["id"])) if has_more else None
        return Page(tuple(_read(row) for row in shown), cursor)

    async def get(self, tenant: TenantId, schedule: ScheduleId) -> Schedule:
        """One schedule with its next firings."""
        async with self._database.tenant(tenant) as transaction:
            return _read(await _get(transaction, schedule), await schedules_store.read_now(transaction))

    async def change(self, principal: Principal, schedule: ScheduleId, **changed: object) -> Schedule:
        """Change any of `pipeline`, `input`, `cron`, `timezone`, `is_paused`; the next firing is counted from now.

        raises   as `create`
        """
        async with self._database.tenant(principal.tenant) as transaction:
            now = await schedules_store.read_now(transaction)
            before = _read(await _get(transaction, schedule), now)
            terms = self._check(replace(before.terms, **changed))  # pyright: ignore[reportArgumentType] - the route's shape
            return _read(await schedules_store.update_schedule(transaction, schedule, _row(terms, now)), now)

    async def delete(self, principal: Principal, schedule: ScheduleId) -> None:
        """Delete it; runs that it started go on. NotFound when it is gone already."""
        async with self._database.tenant(principal.tenant) as transaction:
            if not await schedules_store.delete_schedule(transaction, schedule):
                raise schedule_not_found(schedule)

    async def preview(self, tenant: TenantId, cron: str, timezone: str, count: int) -> tuple[datetime, ...]:
        """The next `count` firings of a cron line, in UTC, whether or not a schedule has it."""
        async with self._database.tenant(tenant) as transaction:
            now = await schedules_store.read_now(transaction)
        return preview(cron, timezone, now, count)

    def _check(self, terms: ScheduleTerms) -> ScheduleTerms:
        """The terms with the input as it will be stored."""
        if not 1 <= len(terms.name) <= MAX_NAME or not terms.name.isprintable() or terms.name != terms.name.strip():
            raise InvalidInput(f"The name {terms.name[:MAX_NAME]!r} must have 1 to {MAX_NAME} printable characters.")
        pipeline = self._declared.get(terms.pipeline)
        self._declared.require_start(terms.pipeline)
        value = read_input(pipeline, terms.input)
        next_firing(terms.cron, terms.timezone, datetime.now(UTC))
        return replace(terms, input=encode(value, f"The input of {pipeline.name}"))


async def fire_due(database: Database, pipelines: Pipelines, declared: Declared) -> int:
    """Start what is due now; how many runs were started. Every worker may call this each second.

    What refuses (the input no longer fits, the pipeline drains, too much is queued for five minutes) skips that
    instant, and the schedule shows why.
    """
    async with database.system() as transaction:
        due = await schedules_store.find_due(transaction, _DUE_AT_ONCE)
    started = 0
    for row in due:
        run = await _fire(database, pipelines, declared, row)
        started += run is not None
    return started


async def _fire(database: Database, pipelines: Pipelines, declared: Declared, due: Row) -> Run | None:
    tenant, schedule, instant = TenantId(due["tenant_id"]), ScheduleId(due["id"]), due["next_at"]
    try:
        async with database.tenant(tenant) as transaction:
            row = await schedules_store.lock_due(transaction, schedule, instant)
            if row is None:
                return None
            pipeline = declared.get(row["pipeline"])
            run = await pipelines.submit_in(
                transaction,
                pipeline,
                read_input(pipeline, row["input"]),
                idempotency_key=f"schedule:{schedule}:{instant.astimezone(UTC):%Y-%m-%dT%H:%M}",
                by=_clockwork(tenant, row),
            )
            await _note(transaction, row, run=run.id, problem=None)
    except MainspringError as refusal:
        may_pass = refusal.retryable or isinstance(refusal, PipelineUnknown)  # another worker may know the pipeline
        log.warning("schedule_refused", schedule=str(schedule), code=refusal.code)
        if may_pass and due["waited"] < _PATIENCE:
            return None
        await _skip(database, tenant, schedule, instant, refusal)
        return None
    await pipelines.ring(pipeline)
    return run


async def _skip(
    database: Database, tenant: TenantId, schedule: ScheduleId, instant: datetime, refusal: MainspringError
) -> None:
    async with database.tenant(tenant) as transaction:
        row = await schedules_store.lock_due(transaction, schedule, instant)
        if row is not None:
            problem = f"{refusal.detail[:400]} [{refusal.code}]"
            await _note(transaction, row, run=None, problem=problem, goes_on=not isinstance(refusal, ScheduleInvalid))


async def _note(
    transaction: TenantTransaction, row: Row, *, run: RunId | None, problem: str | None, goes_on: bool = True
) -> None:
    """Write what the firing came to, and the first instant after now: one firing makes up for all that were missed.

    Without one, such as in a timezone that was abolished, it stands still until it is changed, and holds up no other.
    """
    await schedules_store.note_firing(
        transaction,
        row["id"],
        instant=row["next_at"],
        next_at=next_firing(row["cron"], row["timezone"], row["now"]) if goes_on else None,
        run=run,
        problem=problem,
    )


def _clockwork(tenant: TenantId, row: Row) -> Principal:
    """Who starts it: the schedule, by the hands of who made it."""
    name = f"schedule {row['name']}"
    return Principal(tenant, PrincipalKind.SYSTEM, name, frozenset(), hands=frozenset(row["initiator"]))


def schedule_not_found(schedule: ScheduleId) -> NotFound:
    """The answer for unknown and foreign schedules."""
    return NotFound(f"There is no {SCHEDULE_PREFIX}_... with the id {show_id(SCHEDULE_PREFIX, schedule)!r}.")


async def _get(transaction: TenantTransaction, schedule: ScheduleId) -> Row:
    row = await schedules_store.find_schedule(transaction, schedule)
    if row is None:
        raise schedule_not_found(schedule)
    return row


def _row(terms: ScheduleTerms, now: datetime) -> dict[str, object]:
    return {
        "pipeline": terms.pipeline,
        "input": terms.input,
        "cron": terms.cron,
        "timezone": terms.timezone,
        "is_paused": terms.is_paused,
        "next_at": next_firing(terms.cron, terms.timezone, now),
    }


def _read(row: Row, now: datetime | None = None) -> Schedule:
    """A schedule from its row, with UPCOMING firings after `now`, or only the one that is written."""
    terms = ScheduleTerms(
        name=row["name"],
        pipeline=row["pipeline"],
        input=row["input"],
        cron=row["cron"],
        timezone=row["timezone"],
        is_paused=row["is_paused"],
    )
    return Schedule(
        id=ScheduleId(row["id"]),
        tenant=TenantId(row["tenant_id"]),
        terms=terms,
        created_by=row["created_by"],
        created_at=row["created_at"],
        last_fired_at=row["last_fired_at"],
        last_run=RunId(row["last_run"]) if row["last_run"] else None,
        last_problem=row["last_problem"],
        upcoming=() if terms.is_paused else _upcoming(row, now),
    )


def _upcoming(row: Row, now: datetime | None) -> tuple[datetime, ...]:
    if row["next_at"] is None:  # it could not be worked out any more; the last problem says why
        return ()
    return (row["next_at"],) if now is None else preview(row["cron"], row["timezone"], now, UPCOMING)
