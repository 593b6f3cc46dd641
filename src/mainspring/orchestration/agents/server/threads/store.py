"""All SQL of threads as the server edits and lists them; what their runs do to them is the runtime's."""

from dataclasses import dataclass
from uuid import UUID

import msgspec

from mainspring.foundation.db import Row, TenantTransaction
from mainspring.orchestration.agents.types import JsonObject, Thread, ThreadId, ThreadStatus, Ttl, TtlStrategy


@dataclass(frozen=True, slots=True)
class ThreadFilter:
    """Which threads, in which order. None: any. `hands`: theirs, and the tenant's own."""

    metadata: JsonObject | None = None
    values: JsonObject | None = None
    status: ThreadStatus | None = None
    ids: tuple[UUID, ...] | None = None
    hands: tuple[str, ...] | None = None
    sort_by: str = "updated_at"
    is_descending: bool = True
    limit: int = 10
    offset: int = 0


async def insert_thread(
    transaction: TenantTransaction,
    thread: ThreadId,
    *,
    metadata: JsonObject,
    graph: str | None,
    ttl: Ttl | None,
    owner: str | None,
) -> Thread | None:
    """The new thread, or None when the tenant has one of that id."""
    row = await transaction.first(
        "insert into agent_thread (tenant_id, id, graph, metadata, ttl_minutes, ttl_strategy, expires_at, owner)"
        " values (%(tenant)s, %(id)s, %(graph)s, %(metadata)s::jsonb, %(ttl)s::real, %(strategy)s,"
        " mainspring_now() + make_interval(secs => %(ttl)s::float * 60), %(owner)s)"
        " on conflict do nothing returning *",
        tenant=transaction.tenant,
        id=thread,
        graph=graph,
        metadata=_json(metadata),
        ttl=ttl.minutes if ttl else None,
        strategy=(ttl.strategy if ttl else TtlStrategy.DELETE).value,
        owner=owner,
    )
    return read_thread(row) if row else None


async def find_thread(transaction: TenantTransaction, thread: ThreadId) -> Thread | None:
    """The thread."""
    row = await transaction.first(
        "select * from agent_thread where tenant_id = %(tenant)s and id = %(id)s",
        tenant=transaction.tenant,
        id=thread,
    )
    return read_thread(row) if row else None


async def update_thread(
    transaction: TenantTransaction, thread: ThreadId, *, metadata: JsonObject, ttl: Ttl | None
) -> Thread | None:
    """Merge metadata; a time to live, if given, counts from now."""
    row = await transaction.first(
        "update agent_thread set metadata = metadata || %(metadata)s::jsonb, updated_at = now(),"
        " ttl_minutes = coalesce(%(ttl)s::real, ttl_minutes), ttl_strategy = coalesce(%(strategy)s, ttl_strategy),"
        " expires_at = coalesce(mainspring_now() + make_interval(secs => %(ttl)s::float * 60), expires_at)"
        " where tenant_id = %(tenant)s and id = %(id)s returning *",
        tenant=transaction.tenant,
        id=thread,
        metadata=_json(metadata),
        ttl=ttl.minutes if ttl else None,
        strategy=ttl.strategy.value if ttl else None,
    )
    return read_thread(row) if row else None


async def set_state(transaction: TenantTransaction, thread: Thread) -> None:
    """Note the values, interrupts and status that a thread has after its state was edited by hand."""
    await transaction.run(
        "update agent_thread set values = %(values)s::jsonb, interrupts = %(interrupts)s::jsonb, updated_at = now(),"
        " state_updated_at = now(), graph = coalesce(graph, %(graph)s),"
        " status = case when status = 'busy' then status else %(status)s end"
        " where tenant_id = %(tenant)s and id = %(id)s",
        tenant=transaction.tenant,
        id=thread.id,
        graph=thread.graph,
        status=thread.status.value,
        values=msgspec.json.encode(thread.values).decode(),
        interrupts=_json(thread.interrupts),
    )


async def list_unfinished(transaction: TenantTransaction, thread: ThreadId) -> list[UUID]:
    """The thread's runs that have not ended, newest first."""
    rows = await transaction.all(
        "select id from agent_run where tenant_id = %(tenant)s and thread_id = %(id)s"
        " and status in ('pending', 'running') order by id desc",
        tenant=transaction.tenant,
        id=thread,
    )
    return [row["id"] for row in rows]


async def delete_thread(transaction: TenantTransaction, thread: ThreadId) -> bool:
    """Whether there was one; its runs and crons go with it, its checkpoints do not."""
    deleted = await transaction.run(
        "delete from agent_thread where tenant_id = %(tenant)s and id = %(id)s", tenant=transaction.tenant, id=thread
    )
    return deleted == 1


async def copy_thread(
    transaction: TenantTransaction, thread: ThreadId, copy: ThreadId, *, owner: str | None
) -> Thread | None:
    """A second thread with the same state, without runs and history; None when there is no such thread."""
    row = await transaction.first(
        "insert into agent_thread (tenant_id, id, graph, status, metadata, config, values, interrupts,"
        " ttl_minutes, ttl_strategy, expires_at, owner)"
        " select tenant_id, %(copy)s, graph, case status when 'busy' then 'idle' else status end, metadata, config,"
        " values, interrupts, ttl_minutes, ttl_strategy,"
        " mainspring_now() + make_interval(secs => ttl_minutes::float * 60), %(owner)s"
        " from agent_thread where tenant_id = %(tenant)s and id = %(id)s returning *",
        tenant=transaction.tenant,
        id=thread,
        copy=copy,
        owner=owner,
    )
    return read_thread(row) if row else None


async def search_threads(transaction: TenantTransaction, wanted: ThreadFilter) -> list[Thread]:
    """Threads, one page by number: the protocol has no other."""
    rows = await transaction.all(
        "select * from (select *, case %(sort_by)s"
        " when 'thread_id' then id::text when 'status' then status"
        " when 'created_at' then to_char(created_at at time zone 'UTC', 'YYYYMMDDHH24MISSUS')"
        " when 'state_updated_at' then to_char(state_updated_at at time zone 'UTC', 'YYYYMMDDHH24MISSUS')"
        " else to_char(updated_at at time zone 'UTC', 'YYYYMMDDHH24MISSUS') end as place"
        " from agent_thread"
        " where tenant_id = %(tenant)s and not is_stateless"
        " and (%(metadata)s::jsonb is null or metadata @> %(metadata)s::jsonb)"
        " and (%(values)s::jsonb is null or values @> %(values)s::jsonb)"
        " and (%(status)s::text is null or status = %(status)s)"
        " and (%(ids)s::uuid[] is null or id = any(%(ids)s::uuid[]))"
        " and (%(hands)s::text[] is null or owner is null or owner = any(%(hands)s::text[]))"
        ") as found order by case when %(descending)s then null else place end,"
        " case when %(descending)s then place end desc, id limit %(limit)s offset %(offset)s",
        **_parameters(transaction, wanted),
        sort_by=wanted.sort_by,
        descending=wanted.is_descending,
        limit=wanted.limit,
        offset=wanted.offset,
    )
    return [read_thread(row) for row in rows]


async def count_threads(transaction: TenantTransaction, wanted: ThreadFilter) -> int:
    """How many fit, counted up to 10,000."""
    row = await transaction.one(
        "select count(*) as found from (select from agent_thread"
        " where tenant_id = %(tenant)s and not is_stateless"
        " and (%(metadata)s::jsonb is null or metadata @> %(metadata)s::jsonb)"
        " and (%(values)s::jsonb is null or values @> %(values)s::jsonb)"
        " and (%(status)s::text is null or status = %(status)s)"
        " and (%(ids)s::uuid[] is null or id = any(%(ids)s::uuid[]))"
        " and (%(hands)s::text[] is null or owner is null or owner = any(%(hands)s::text[]))"
        " limit 10000) as fitting",
        **_parameters(transaction, wanted),
    )
    return row["found"]


def read_thread(row: Row) -> Thread:
    """The thread in a row."""
    minutes = row["ttl_minutes"]
    return Thread(
        id=row["id"],
        tenant=row["tenant_id"],
        status=ThreadStatus(row["status"]),
        metadata=row["metadata"],
        config=row["config"],
        values=row["values"],
        interrupts=row["interrupts"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        state_updated_at=row["state_updated_at"],
        graph=row["graph"],
        error=row["error"],
        ttl=None if minutes is None else Ttl(minutes, TtlStrategy(row["ttl_strategy"])),
        is_stateless=row["is_stateless"],
    )


def _parameters(transaction: TenantTransaction, wanted: ThreadFilter) -> dict[str, object]:
    return {
        "tenant": transaction.tenant,
        "metadata": _json(wanted.metadata),
        "values": _json(wanted.values),
        "status": wanted.status.value if wanted.status else None,
        "ids": None if wanted.ids is None else list(wanted.ids),
        "hands": None if wanted.hands is None else list(wanted.hands),
    }


def _json(value: JsonObject | None) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()
