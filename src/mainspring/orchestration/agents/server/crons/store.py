"""All SQL of crons."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from mainspring.foundation.db import Row, SystemTransaction, TenantTransaction
from mainspring.orchestration.agents.types import AssistantId, Cron, CronId, JsonObject, OnCompletion, ThreadId


@dataclass(frozen=True, slots=True)
class CronTerms:
    """What a cron does, and when."""

    assistant: AssistantId
    thread: ThreadId | None
    schedule: str
    timezone: str | None
    end_at: datetime | None
    next_at: datetime | None
    is_enabled: bool
    on_run_completed: OnCompletion
    payload: JsonObject
    metadata: JsonObject


@dataclass(frozen=True, slots=True)
class CronFilter:
    """Which crons, in which order. None: any."""

    assistant: UUID | None = None
    thread: UUID | None = None
    is_enabled: bool | None = None
    metadata: JsonObject | None = None
    sort_by: str = "created_at"
    is_descending: bool = True
    limit: int = 10
    offset: int = 0


async def read_clock(transaction: TenantTransaction | SystemTransaction) -> datetime:
    """The time that crons go by."""
    row = await transaction.one("select mainspring_now() as at")
    return row["at"]


async def insert_cron(
    transaction: TenantTransaction, cron: CronId, terms: CronTerms, *, caller: str, created_by: str
) -> Cron:
    """A new cron; `caller` is the principal on whose behalf its runs start, as JSON."""
    row = await transaction.one(
        "insert into agent_cron (tenant_id, id, assistant_id, thread_id, schedule, timezone, end_at, next_at,"
        " is_enabled, on_run_completed, payload, metadata, caller, created_by)"
        " values (%(tenant)s, %(id)s, %(assistant)s, %(thread)s, %(schedule)s, %(timezone)s, %(end_at)s, %(next_at)s,"
        " %(is_enabled)s, %(on_run_completed)s, %(payload)s::jsonb, %(metadata)s::jsonb, %(caller)s::jsonb,"
        " %(created_by)s) returning *",
        tenant=transaction.tenant,
        id=cron,
        caller=caller,
        created_by=created_by,
        **_values(terms),
    )
    return read_cron(row)


async def find_cron(transaction: TenantTransaction, cron: CronId) -> Cron | None:
    """The cron, kept from changing until the transaction ends."""
    row = await transaction.first(
        "select * from agent_cron where tenant_id = %(tenant)s and id = %(id)s for update",
        tenant=transaction.tenant,
        id=cron,
    )
    return read_cron(row) if row else None


async def update_cron(transaction: TenantTransaction, cron: CronId, terms: CronTerms, *, caller: str) -> Cron:
    """Put other terms in force; its runs start on behalf of `caller`."""
    row = await transaction.one(
        "update agent_cron set assistant_id = %(assistant)s, thread_id = %(thread)s, schedule = %(schedule)s,"
        " timezone = %(timezone)s, end_at = %(end_at)s, next_at = %(next_at)s, is_enabled = %(is_enabled)s,"
        " on_run_completed = %(on_run_completed)s, payload = %(payload)s::jsonb, metadata = %(metadata)s::jsonb,"
        " caller = %(caller)s::jsonb, updated_at = now() where tenant_id = %(tenant)s and id = %(id)s returning *",
        tenant=transaction.tenant,
        id=cron,
        caller=caller,
        **_values(terms),
    )
    return read_cron(row)


async def delete_cron(transaction: TenantTransaction, cron: CronId) -> bool:
    """Whether there was one."""
    deleted = await transaction.run(
        "delete from agent_cron where tenant_id = %(tenant)s and id = %(id)s", tenant=transaction.tenant, id=cron
    )
    return deleted == 1


async def search_crons(transaction: TenantTransaction, wanted: CronFilter) -> list[Cron]:
    """Crons, one page by number: the protocol has no other."""
    rows = await transaction.all(
        "select * from (select *, case %(sort_by)s"
        " when 'cron_id' then id::text when 'assistant_id' then assistant_id::text"
        " when 'thread_id' then thread_id::text"
        " when 'next_run_date' then to_char(next_at at time zone 'UTC', 'YYYYMMDDHH24MISSUS')"
        " when 'end_time' then to_char(end_at at time zone 'UTC', 'YYYYMMDDHH24MISSUS')"
        " when 'updated_at' then to_char(updated_at at time zone 'UTC', 'YYYYMMDDHH24MISSUS')"
        " else to_char(created_at at time zone 'UTC', 'YYYYMMDDHH24MISSUS') end as place"
        " from agent_cron where tenant_id = %(tenant)s"
        " and (%(assistant)s::uuid is null or assistant_id = %(assistant)s)"
        " and (%(thread)s::uuid is null or thread_id = %(thread)s)"
        " and (%(is_enabled)s::boolean is null or is_enabled = %(is_enabled)s)"
        " and (%(metadata)s::jsonb is null or metadata @> %(metadata)s::jsonb)"
        ") as found order by case when %(descending)s then null else place end,"
        " case when %(descending)s then place end desc nulls last, id limit %(limit)s offset %(offset)s",
        **_parameters(transaction, wanted),
        sort_by=wanted.sort_by,
        descending=wanted.is_descending,
        limit=wanted.limit,
        offset=wanted.offset,
    )
    return [read_cron(row) for row in rows]


async def count_crons(transaction: TenantTransaction, wanted: CronFilter) -> int:
    """How many fit, counted up to 10,000."""
    row = await transaction.one(
        "select count(*) as found from (select from agent_cron where tenant_id = %(tenant)s"
        " and (%(assistant)s::uuid is null or assistant_id = %(assistant)s)"
        " and (%(thread)s::uuid is null or thread_id = %(thread)s)"
        " and (%(is_enabled)s::boolean is null or is_enabled = %(is_enabled)s)"
        " and (%(metadata)s::jsonb is null or metadata @> %(metadata)s::jsonb) limit 10000) as fitting",
        **_parameters(transaction, wanted),
    )
    return row["found"]


async def list_due(transaction: SystemTransaction, *, limit: int) -> list[Row]:
    """Crons of every tenant whose time has come, the longest waiting first."""
    return await transaction.all(
        "select * from agent_cron where is_enabled and next_at <= mainspring_now() order by next_at limit %(limit)s",
        limit=limit,
    )


async def move_on(
    transaction: TenantTransaction, cron: CronId, *, fired_at: datetime, next_at: datetime | None
) -> bool:
    """Note that the cron has fired; whether nobody else had."""
    moved = await transaction.run(
        "update agent_cron set next_at = %(next_at)s"
        " where tenant_id = %(tenant)s and id = %(id)s and next_at = %(fired_at)s",
        tenant=transaction.tenant,
        id=cron,
        fired_at=fired_at,
        next_at=next_at,
    )
    return moved == 1


def read_cron(row: Row) -> Cron:
    """The cron in a row."""
    return Cron(
        id=row["id"],
        tenant=row["tenant_id"],
        assistant=row["assistant_id"],
        thread=row["thread_id"],
        schedule=row["schedule"],
        timezone=row["timezone"],
        end_at=row["end_at"],
        next_at=row["next_at"],
        is_enabled=row["is_enabled"],
        on_run_completed=OnCompletion(row["on_run_completed"]),
        payload=row["payload"],
        metadata=row["metadata"],
        created_by=row["created_by"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def _values(terms: CronTerms) -> dict[str, object]:
    return {
        "assistant": terms.assistant,
        "thread": terms.thread,
        "schedule": terms.schedule,
        "timezone": terms.timezone,
        "end_at": terms.end_at,
        "next_at": terms.next_at,
        "is_enabled": terms.is_enabled,
        "on_run_completed": terms.on_run_completed.value,
        "payload": msgspec.json.encode(terms.payload).decode(),
        "metadata": msgspec.json.encode(terms.metadata).decode(),
    }


def _parameters(transaction: TenantTransaction, wanted: CronFilter) -> dict[str, object]:
    return {
        "tenant": transaction.tenant,
        "assistant": wanted.assistant,
        "thread": wanted.thread,
        "is_enabled": wanted.is_enabled,
        "metadata": None if wanted.metadata is None else msgspec.json.encode(wanted.metadata).decode(),
    }
