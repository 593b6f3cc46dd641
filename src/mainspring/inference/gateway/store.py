"""SQL of the inference records."""

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime
from uuid import UUID

import msgspec

from mainspring.foundation.db import Row, SystemTransaction, TenantTransaction

from .spool import SpooledCall
from .types import InferenceRecord

_INSERT_RECORDS = """
    insert into inference_record
    select * from json_populate_recordset(null::inference_record, %(records)s::json)
    on conflict do nothing"""

_INSERT_PAYLOADS = """
    insert into inference_payload (tenant_id, record_id, at, input, output)
    select * from unnest(%(tenants)s::uuid[], %(ids)s::uuid[], %(ats)s::timestamptz[],
                         %(inputs)s::bytea[], %(outputs)s::bytea[])
    on conflict do nothing"""

_SELECT_RECORDS = """
    select * from inference_record
     where tenant_id = %(tenant)s
       and (%(run)s::uuid is null or run_id = %(run)s)
       and (%(before)s::uuid is null or id < %(before)s)
     order by id desc limit %(limit)s"""


async def insert_calls(transaction: SystemTransaction, calls: Sequence[SpooledCall]) -> None:
    """Store calls of any tenants; those that are there already are left as they are."""
    payloads = [call for call in calls if call.input or call.output]
    await transaction.run(_INSERT_RECORDS, records=_as_json([call.record for call in calls]))
    await transaction.run(
        _INSERT_PAYLOADS,
        tenants=[call.record.tenant_id for call in payloads],
        ids=[call.record.id for call in payloads],
        ats=[call.record.at for call in payloads],
        inputs=[call.input for call in payloads],
        outputs=[call.output for call in payloads],
    )


async def select_records(
    transaction: TenantTransaction, *, run: UUID | None, before: UUID | None, limit: int
) -> list[InferenceRecord]:
    """Records of the tenant, newest first, older than `before`."""
    rows = await transaction.all(_SELECT_RECORDS, tenant=transaction.tenant, run=run, before=before, limit=limit)
    return [_record(row) for row in rows]


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


def _as_json(records: Sequence[InferenceRecord]) -> str:
    encoded = msgspec.json.encode(records)
    if b"\\u0000" in encoded:  # Postgres keeps no NUL in text
        encoded = msgspec.json.encode([_without_nul(record) for record in records])
    return encoded.decode()


def _without_nul(record: InferenceRecord) -> InferenceRecord:
    texts = {field.name: getattr(record, field.name) for field in fields(record)}
    return replace(record, **{n: t.replace("\0", "") for n, t in texts.items() if isinstance(t, str) and "\0" in t})


def _record(row: Row) -> InferenceRecord:
    return msgspec.convert(row, InferenceRecord)
