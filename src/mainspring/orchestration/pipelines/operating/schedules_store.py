"""The SQL of schedules. A firing and the next instant are written in one transaction, under the schedule's lock."""

from collections.abc import Mapping
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from mainspring.foundation.db import Row, SystemTransaction, TenantTransaction

_COLUMNS: LiteralString = """id, tenant_id, name, pipeline, input::text as input, cron, timezone, next_at, is_paused,
           initiator, created_by, created_at,
           (select fired_at from schedule_firing where schedule_id = schedule.id) as last_fired_at,
           (select run_id from schedule_firing where schedule_id = schedule.id) as last_run,
           (select problem from schedule_firing where schedule_id = schedule.id) as last_problem """


async def read_now(transaction: TenantTransaction | SystemTransaction) -> datetime:
    """The instant that everything people wait for goes by."""
    return (await transaction.one("select mainspring_now() as now"))["now"]


async def add_schedule(transaction: TenantTransaction, row: Mapping[str, object]) -> Row | None:
    """Insert one; None when the tenant has a schedule of that name."""
    return await transaction.first(
        """
        insert into schedule (tenant_id, id, name, pipeline, input, cron, timezone, next_at, is_paused, initiator,
                              created_by, created_at)
        values (%(tenant)s, %(id)s, %(name)s, %(pipeline)s, %(input)s::jsonb, %(cron)s, %(timezone)s, %(next_at)s,
                %(is_paused)s, %(initiator)s, %(by)s, mainspring_now())
        on conflict (tenant_id, name) do nothing
        returning """  # noqa: S608 - constants
        + _COLUMNS,
        tenant=transaction.tenant,
        **row,
    )


async def list_schedules(transaction: TenantTransaction, *, before: UUID | None, limit: int) -> list[Row]:
    """The tenant's schedules, newest first."""
    return await transaction.all(
        "select "
        + _COLUMNS
        + """from schedule
            where tenant_id = %(tenant)s and (%(before)s::uuid is null or id < %(before)s)
            order by id desc limit %(limit)s""",
        tenant=transaction.tenant,
        before=before,
        limit=limit,
    )


async def find_schedule(transaction: TenantTransaction, schedule: UUID) -> Row | None:
    """One schedule, locked for a change."""
    return await transaction.first(
        "select " + _COLUMNS + "from schedule where id = %(schedule)s and tenant_id = %(tenant)s for no key update",
        schedule=schedule,
        tenant=transaction.tenant,
    )


async def update_schedule(transaction: TenantTransaction, schedule: UUID, row: Mapping[str, object]) -> Row:
    """Write new terms and the next instant."""
    return await transaction.one(
        """
        update schedule
           set pipeline = %(pipeline)s, input = %(input)s::jsonb, cron = %(cron)s, timezone = %(timezone)s,
               next_at = %(next_at)s, is_paused = %(is_paused)s
         where id = %(schedule)s and tenant_id = %(tenant)s
        returning """  # noqa: S608 - constants
        + _COLUMNS,
        schedule=schedule,
        tenant=transaction.tenant,
        **row,
    )


async def delete_schedule(transaction: TenantTransaction, schedule: UUID) -> int:
    """Delete one; its runs stay."""
    return await transaction.run(
        "delete from schedule where id = %(schedule)s and tenant_id = %(tenant)s",
        schedule=schedule,
        tenant=transaction.tenant,
    )


async def count_schedules(transaction: TenantTransaction) -> int:
    """How many the tenant has; they are limited."""
    row = await transaction.one(
        "select count(*) as count from schedule where tenant_id = %(tenant)s", tenant=transaction.tenant
    )
    return int(row["count"])


async def find_due(transaction: SystemTransaction, limit: int) -> list[Row]:
    """Schedules of any tenant whose instant has come, the longest due first. Index: schedule_due."""
    return await transaction.all(
        """
        select id, tenant_id, next_at, mainspring_now() - next_at as waited from schedule
         where not is_paused and next_at <= mainspring_now() order by next_at limit %(limit)s""",
        limit=limit,
    )


async def lock_due(transaction: TenantTransaction, schedule: UUID, instant: datetime) -> Row | None:
    """The schedule if it is still due at that instant and nobody else fires it."""
    return await transaction.first(
        "select "  # noqa: S608 - constants
        + _COLUMNS
        + """, mainspring_now() as now from schedule
            where id = %(schedule)s and tenant_id = %(tenant)s and next_at = %(instant)s and not is_paused
              for no key update skip locked""",
        schedule=schedule,
        tenant=transaction.tenant,
        instant=instant,
    )


async def note_firing(
    transaction: TenantTransaction,
    schedule: UUID,
    *,
    instant: datetime,
    next_at: datetime | None,
    run: UUID | None,
    problem: str | None,
) -> None:
    """The schedule was fired at `instant`, or could not be, for the reason in `problem`."""
    await transaction.run(
        """
        with fired as (
            update schedule set next_at = %(next_at)s where id = %(schedule)s and tenant_id = %(tenant)s
            returning id, tenant_id
        )
        insert into schedule_firing as last (schedule_id, tenant_id, fired_at, run_id, problem)
        select id, tenant_id, %(instant)s, %(run)s, %(problem)s from fired
        on conflict (schedule_id) do update
           set fired_at = excluded.fired_at, run_id = coalesce(excluded.run_id, last.run_id),
               problem = excluded.problem""",
        schedule=schedule,
        tenant=transaction.tenant,
        instant=instant,
        next_at=next_at,
        run=run,
        problem=problem,
    )
