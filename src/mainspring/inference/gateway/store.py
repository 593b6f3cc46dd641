"""SQL of the inference records.

Records arrive by COPY in temporary tables of the session, which cost no write-ahead log, and move
from there in one statement each: row-level security allows no COPY into the tables themselves.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from struct import Struct
from uuid import UUID

import msgspec
from psycopg import AsyncConnection

from mainspring.foundation.db import Row, SystemTransaction, TenantTransaction

from .spool import Spend, SpooledCall
from .types import InferenceRecord

_ARRIVALS = """
    create temporary table if not exists arriving_record on commit delete rows as
      select id, at, operation, model_asked, stream, residency, tenant_id, principal, key_id, end_user, run_id, step,
             session, feature, trace_id, span_id, parent_span_id, prompt_name, prompt_version, idempotency_key,
             release, provider, region, model_served, route_reason, cache_status, input_tokens, cached_tokens,
             cache_write_tokens, output_tokens, reasoning_tokens, usage_source, cost_micros, currency, price_version,
             own_key, latency_ms, ttft_ms, attempts, structured, finish_reason, status, error_code
        from inference_record with no data;
    create temporary table if not exists arriving_payload on commit delete rows as
      select tenant_id, record_id, at, dialect, input, output from inference_payload with no data"""

_COPY_RECORDS = "copy arriving_record from stdin"
_COPY_PAYLOADS = "copy arriving_payload from stdin (format binary)"

_KEEP_RECORDS = """
    insert into inference_record
      (id, at, operation, model_asked, stream, residency, tenant_id, principal, key_id, end_user, run_id, step,
       session, feature, trace_id, span_id, parent_span_id, prompt_name, prompt_version, idempotency_key,
       release, provider, region, model_served, route_reason, cache_status, input_tokens, cached_tokens,
       cache_write_tokens, output_tokens, reasoning_tokens, usage_source, cost_micros, currency, price_version,
       own_key, latency_ms, ttft_ms, attempts, structured, finish_reason, status, error_code)
    select * from arriving_record on conflict do nothing"""

_KEEP_PAYLOADS = """
    insert into inference_payload (tenant_id, record_id, at, dialect, input, output)
    select * from arriving_payload on conflict do nothing"""

_ADD_SPEND = """
    insert into gateway_spend as kept (tenant_id, scope, value, spent_on, cost_micros, tokens, calls)
    select * from unnest(%(tenants)s::uuid[], %(scopes)s::text[], %(values)s::text[], %(days)s::date[],
                         %(costs)s::bigint[], %(tokens)s::bigint[], %(calls)s::bigint[])
    on conflict (tenant_id, scope, value, spent_on) do update
       set cost_micros = kept.cost_micros + excluded.cost_micros,
           tokens = kept.tokens + excluded.tokens,
           calls = kept.calls + excluded.calls"""

_LONGEST_VALUE = 500  # characters, so that a row of the books fits in its index
_LINES_AT_ONCE, _PAYLOADS_AT_ONCE = 250, 50
_BINARY_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_BINARY_END = b"\xff\xff"
_ROW = Struct(">hi16si16siq")
_LENGTH = Struct(">i")
_NULL = _LENGTH.pack(-1)
_POSTGRES_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_SELECT_RECORDS = """
    select * from inference_record
     where tenant_id = %(tenant)s
       and (%(run)s::uuid is null or run_id = %(run)s)
       and (%(before)s::uuid is null or id < %(before)s)
     order by id desc limit %(limit)s"""


async def insert_calls(
    connection: AsyncConnection[Row], calls: Sequence[SpooledCall], *, may_be_known: bool = True
) -> None:
    """Store calls of any tenants and add what they spent; those that are there already change nothing.

    connection     of `Database.raw`, in its transaction
    may_be_known   some may have been stored before: a dead process's, or those of a commit that failed
    """
    new = await _new(connection, calls) if may_be_known else calls
    await connection.execute(_ARRIVALS)
    async with connection.cursor().copy(_COPY_RECORDS) as copy:
        for some in _pieces(new, _LINES_AT_ONCE):
            await copy.write(b"\n".join([*(call.last.line for call in some), b""]))
            await asyncio.sleep(0)
    await connection.execute(_KEEP_RECORDS)
    if payloads := [call for call in new if call.input or call.output]:
        async with connection.cursor().copy(_COPY_PAYLOADS) as copy:
            await copy.write(_BINARY_HEAD)
            for some in _pieces(payloads, _PAYLOADS_AT_ONCE):
                await copy.write(b"".join([_payload_row(call) for call in some]))
                await asyncio.sleep(0)
            await copy.write(_BINARY_END)
        await connection.execute(_KEEP_PAYLOADS)
    await add_spend(connection, new)


def _pieces(calls: Sequence[SpooledCall], size: int) -> Iterator[Sequence[SpooledCall]]:
    """The calls by parts, between which the calls of others get their turn."""
    return (calls[start : start + size] for start in range(0, len(calls), size))


async def _new(connection: AsyncConnection[Row], calls: Sequence[SpooledCall]) -> list[SpooledCall]:
    cursor = await connection.execute(
        """
        select r.id from inference_record r
          join unnest(%(tenants)s::uuid[], %(ids)s::uuid[]) as asked (tenant_id, id) using (tenant_id, id)""",
        {
            "tenants": [UUID(bytes=call.last.tenant) for call in calls],
            "ids": [UUID(bytes=call.last.id) for call in calls],
        },
    )
    known = {row["id"].bytes for row in await cursor.fetchall()}
    return [call for call in calls if call.last.id not in known]


def _payload_row(call: SpooledCall) -> bytes:
    """A row in COPY's binary format: what was said is bytes, which text would double."""
    last = call.last
    at = datetime.fromisoformat(last.line.split(b"\t", 2)[1].decode()) - _POSTGRES_EPOCH
    head = _ROW.pack(6, 16, last.tenant, 16, last.id, 8, at // _MICROSECOND)
    dialect = call.dialect.encode() if call.dialect else None
    return head + _field(dialect) + _field(call.input) + _field(call.output)


def _field(content: bytes | None) -> bytes:
    return _NULL if content is None else _LENGTH.pack(len(content)) + content


async def add_spend(connection: AsyncConnection[Row], calls: Iterable[SpooledCall]) -> None:
    """Add what calls of any tenants spent; who adds a call twice has spent it twice."""
    sums: dict[tuple[bytes, str, str, int], list[int]] = defaultdict(lambda: [0, 0, 0])
    for call in calls:
        if spend := call.last.spend:
            _add(sums, call.last.tenant, spend)
    if not sums:
        return
    ordered = sorted(sums.items())  # one order for everybody: two shippers never wait for each other in a ring
    await connection.execute(
        _ADD_SPEND,
        {
            "tenants": [UUID(bytes=key[0]) for key, _ in ordered],
            "scopes": [key[1] for key, _ in ordered],
            "values": [key[2] for key, _ in ordered],
            "days": [date.fromordinal(key[3]) for key, _ in ordered],
            "costs": [total[0] for _, total in ordered],
            "tokens": [total[1] for _, total in ordered],
            "calls": [total[2] for _, total in ordered],
        },
    )


def _add(sums: dict[tuple[bytes, str, str, int], list[int]], tenant: bytes, spend: Spend) -> None:
    for scope, named in spend.scopes:
        value = named if len(named) <= _LONGEST_VALUE and "\0" not in named else _fit(named)
        total = sums[tenant, scope, value, spend.day]
        total[0] += spend.cost_micros
        total[1] += spend.tokens
        total[2] += 1


def _fit(value: str) -> str:
    """A value as the books can hold it: without NUL, and what is too long with a digest for its rest."""
    value = value.replace("\0", "")
    if len(value) <= _LONGEST_VALUE:
        return value
    return f"{value[: _LONGEST_VALUE - 17]}~{sha256(value.encode('utf-8', 'replace')).hexdigest()[:16]}"


async def select_records(
    transaction: TenantTransaction, *, run: UUID | None, before: UUID | None, limit: int
) -> list[InferenceRecord]:
    """Records of the tenant, newest first, older than `before`."""
    rows = await transaction.all(_SELECT_RECORDS, tenant=transaction.tenant, run=run, before=before, limit=limit)
    return [_record(row) for row in rows]


async def find_record(transaction: TenantTransaction, record: UUID) -> InferenceRecord | None:
    """One record of the tenant."""
    row = await transaction.first(
        "select * from inference_record where tenant_id = %(tenant)s and id = %(id)s",
        tenant=transaction.tenant,
        id=record,
    )
    return _record(row) if row else None


async def find_payload(transaction: TenantTransaction, record: UUID) -> Row | None:
    """`input` and `output`, sealed, and `dialect`; None when they were not kept, or are gone."""
    return await transaction.first(
        "select dialect, input, output from inference_payload where tenant_id = %(tenant)s and record_id = %(id)s",
        tenant=transaction.tenant,
        id=record,
    )


async def delete_payloads(transaction: SystemTransaction, *, before: datetime, limit: int) -> int:
    """Delete up to `limit` payloads of calls made before an instant; the records stay."""
    return await transaction.run(
        """
        delete from inference_payload where (tenant_id, record_id) in
          (select tenant_id, record_id from inference_payload where at < %(before)s limit %(limit)s)""",
        before=before,
        limit=limit,
    )


async def delete_payloads_of(transaction: TenantTransaction, runs: Sequence[UUID]) -> int:
    """Delete the payloads of all calls of the runs; the records stay."""
    return await transaction.run(
        """
        delete from inference_payload where (tenant_id, record_id) in
          (select tenant_id, id from inference_record where tenant_id = %(tenant)s and run_id = any(%(runs)s))""",
        tenant=transaction.tenant,
        runs=list(runs),
    )


def _record(row: Row) -> InferenceRecord:
    return msgspec.convert(row, InferenceRecord)
