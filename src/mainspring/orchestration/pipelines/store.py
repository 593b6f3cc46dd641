"""The SQL of runs as others see them: submit, read, list, tell. The queue's own SQL is in `queue_store.py`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from mainspring.foundation.db import Row, SystemTransaction, TenantTransaction

from .types import RunId

_SELECT: LiteralString = """
    select run.id, run.tenant_id, run.pipeline, run.version, run.status, run.subject, run.event_seq,
           run.error_code, run.error_detail, run.created_at, run.started_at, run.finished_at,
           (select jsonb_agg(jsonb_build_object(
                       'name', step.name, 'title', step.title, 'status', step.status, 'attempt', step.attempt,
                       'started_at', step.started_at, 'finished_at', step.finished_at,
                       'error_code', step.error_code, 'error_detail', step.error_detail)
                   order by step.position, step.map_key)
              from step where step.run_id = run.id) as steps """

_FIND_RUN: LiteralString = _SELECT + "from run where id = %(run)s and tenant_id = %(tenant)s"

# Purpose: one page of a tenant's runs, newest first. Index: run_newest, or run_by_subject. Rows: `limit`.
_LIST_RUNS: LiteralString = (
    _SELECT
    + """
      from run
     where tenant_id = %(tenant)s
       and (%(before)s::uuid is null or id < %(before)s)
       and (%(status)s::text is null or status = %(status)s)
       and (%(subject)s::text is null or subject = %(subject)s)
     order by id desc limit %(limit)s"""
)

# Purpose: the newest run of each subject on a page. Index: run_by_subject, once per subject.
_LATEST_RUNS: LiteralString = (
    _SELECT  # noqa: S608 - two constants
    + """
      from unnest(%(subjects)s::text[]) as asked (subject) cross join lateral (
           select * from run where run.tenant_id = %(tenant)s and run.subject = asked.subject
            order by run.id desc limit 1) as run"""
)


async def insert_run(transaction: TenantTransaction, row: Mapping[str, object], steps: str) -> datetime | None:
    """Insert a queued run and its steps, those that follow none being ready; answers when it was created.

    None when the idempotency key is taken, after waiting for a transaction that is just taking it.
    `steps` is a JSON array of objects with name, title, lane and after, in order.
    """
    created = await transaction.first(
        """
        with created as (
            insert into run (id, tenant_id, pipeline, version, status, subject, input, priority, deadline,
                             idempotency_key)
            values (%(id)s, %(tenant)s, %(pipeline)s, %(version)s, 'queued', %(subject)s, %(input)s::jsonb,
                    %(priority)s, %(deadline)s, %(idempotency_key)s)
            on conflict (tenant_id, idempotency_key) do nothing
            returning id, created_at
        ),
        planned as (
            insert into step (run_id, tenant_id, name, position, title, lane, after, status, priority)
            select created.id, %(tenant)s, declared.name, declared.nth - 1, declared.title, declared.lane,
                   declared.after, case when cardinality(declared.after) = 0 then 'ready' else 'waiting' end,
                   %(priority)s
              from created cross join rows from (
                   jsonb_to_recordset(%(steps)s::jsonb) as (name text, title text, lane text, after text[]))
                   with ordinality as declared (name, title, lane, after, nth)
        )
        select created_at from created""",
        tenant=transaction.tenant,
        steps=steps,
        **row,
    )
    return created["created_at"] if created else None


async def find_by_key(transaction: TenantTransaction, key: str, pipeline: str, input_json: str) -> Row | None:
    """The run submitted under an idempotency key, and whether it was for the same work."""
    return await transaction.first(
        """
        select id, pipeline = %(pipeline)s and input = %(input)s::jsonb as is_same from run
         where tenant_id = %(tenant)s and idempotency_key = %(key)s""",
        tenant=transaction.tenant,
        key=key,
        pipeline=pipeline,
        input=input_json,
    )


async def find_run(transaction: TenantTransaction, run: RunId) -> Row | None:
    """One run with its steps."""
    return await transaction.first(_FIND_RUN, run=run, tenant=transaction.tenant)


async def list_runs(
    transaction: TenantTransaction, *, limit: int, before: UUID | None, status: str | None, subject: str | None
) -> list[Row]:
    """Runs of the tenant, newest first, from below `before`."""
    return await transaction.all(
        _LIST_RUNS, tenant=transaction.tenant, limit=limit, before=before, status=status, subject=subject
    )


async def latest_runs(transaction: TenantTransaction, subjects: Sequence[str]) -> list[Row]:
    """The newest run about each of the subjects."""
    return await transaction.all(_LATEST_RUNS, tenant=transaction.tenant, subjects=list(subjects))


async def find_unfinished(transaction: TenantTransaction, subject: str) -> list[Row]:
    """The runs about a subject that have not ended."""
    return await transaction.all(
        """
        select id from run where tenant_id = %(tenant)s and subject = %(subject)s and status in ('queued', 'running')
         order by id""",
        tenant=transaction.tenant,
        subject=subject,
    )


async def delete_runs(transaction: TenantTransaction, subject: str) -> list[Row]:
    """Delete the runs about a subject with their steps and stories; answers their ids."""
    return await transaction.all(
        "delete from run where tenant_id = %(tenant)s and subject = %(subject)s returning id",
        tenant=transaction.tenant,
        subject=subject,
    )


async def read_outputs(transaction: TenantTransaction, run: RunId) -> list[Row]:
    """The outputs of a run's finished steps, as JSON text."""
    return await transaction.all(
        """
        select name, output::text as output from step
         where run_id = %(run)s and tenant_id = %(tenant)s and output is not null""",
        run=run,
        tenant=transaction.tenant,
    )


async def read_story(transaction: TenantTransaction, run: RunId, after: int) -> list[Row]:
    """The milestones of a run that follow number `after`, in order."""
    return await transaction.all(
        """
        select seq, type, facts, at from run_event
         where run_id = %(run)s and tenant_id = %(tenant)s and seq > %(after)s order by seq""",
        run=run,
        tenant=transaction.tenant,
        after=after,
    )


async def find_told_keys(transaction: TenantTransaction, run: RunId, keys: Sequence[str]) -> list[Row]:
    """Which of the keys the run's story holds already."""
    return await transaction.all(
        "select key from run_event where run_id = %(run)s and tenant_id = %(tenant)s and key = any (%(keys)s)",
        run=run,
        tenant=transaction.tenant,
        keys=list(keys),
    )


async def holds_lease(transaction: TenantTransaction, run: RunId, name: str, token: UUID) -> bool:
    """Whether the step is still run under this token."""
    row = await transaction.first(
        """
        select 1 from step where run_id = %(run)s and tenant_id = %(tenant)s and name = %(name)s
           and token = %(token)s and status = 'running'""",
        run=run,
        tenant=transaction.tenant,
        name=name,
        token=token,
    )
    return row is not None


async def find_positions(transaction: SystemTransaction, runs: Sequence[UUID]) -> list[Row]:
    """The number of the last milestone of each run, for those who follow them."""
    return await transaction.all("select id, event_seq from run where id = any (%(runs)s)", runs=list(runs))
