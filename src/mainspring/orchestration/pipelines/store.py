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
           run.origin, run.retry_of, run.replay_of, run.parent_run, run.initiated_by, run.cost_micros,
           run.cost_ceiling_micros,
           (select jsonb_agg(jsonb_build_object(
                       'name', step.name, 'title', step.title, 'status', step.status, 'attempt', step.attempt,
                       'started_at', step.started_at, 'finished_at', step.finished_at,
                       'error_code', step.error_code, 'error_detail', step.error_detail,
                       'role', step.role, 'awaited', step.awaited, 'wake_at', step.wake_at,
                       'items', step.items, 'items_left', step.items_left, 'items_failed', step.items_failed)
                   order by step.role = 'compensation',
                            case step.role when 'work' then step.position else - step.position end)
              from step
             where step.run_id = run.id and step.map_key = ''
               and (not run.fans_out or step.name in (
                   with recursive named (name) as (
                       (select first.name from step as first where first.run_id = run.id order by name limit 1)
                       union all
                       select (select next.name from step as next
                                where next.run_id = run.id and next.name > named.name order by name limit 1)
                         from named where named.name is not null
                   )
                   select name from named))) as steps """

_FIND_RUN: LiteralString = _SELECT + "from run where id = %(run)s and tenant_id = %(tenant)s"

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
    `steps` is a JSON array of objects with the fields of `declared` below, in order (see `plan.step_rows`).
    """
    created = await transaction.first(
        """
        with created as (
            insert into run (id, tenant_id, pipeline, version, status, subject, input, priority, deadline,
                             idempotency_key, origin, retry_of, replay_of, initiator, initiated_by,
                             cost_ceiling_micros)
            values (%(id)s, %(tenant)s, %(pipeline)s, %(version)s, 'queued', %(subject)s, %(input)s::jsonb,
                    %(priority)s, %(deadline)s, %(idempotency_key)s, %(origin)s, %(retry_of)s, %(replay_of)s,
                    %(initiator)s, %(initiated_by)s, %(cost_ceiling_micros)s)
            on conflict (tenant_id, idempotency_key) do nothing
            returning id, created_at
        ),
        planned as (
            insert into step (run_id, tenant_id, name, position, title, lane, after, status, priority, tolerance,
                              undo_lane, origin)
            select created.id, %(tenant)s, declared.name, coalesce(declared.position, declared.nth - 1),
                   declared.title, declared.lane, declared.after,
                   coalesce(declared.status, case cardinality(declared.after) when 0 then 'ready' else 'waiting' end),
                   %(priority)s + coalesce(declared.priority, 0), coalesce(declared.tolerance, 0), declared.undo_lane,
                   declared.origin
              from created cross join rows from (
                   jsonb_to_recordset(%(steps)s::jsonb)
                       as (name text, title text, lane text, after text[], priority smallint, tolerance real,
                           undo_lane text, position smallint, status text, origin uuid))
                   with ordinality as declared (name, title, lane, after, priority, tolerance, undo_lane, position,
                                                status, origin, nth)
        )
        select created_at from created""",
        tenant=transaction.tenant,
        steps=steps,
        **row,
    )
    return created["created_at"] if created else None


async def find_by_key(
    transaction: TenantTransaction, key: str, pipeline: str, input_json: str, *, replay_of: UUID | None
) -> Row | None:
    """The run of an idempotency key, and whether it was for the same work: as a replay, also of the same run."""
    return await transaction.first(
        """
        select id, pipeline = %(pipeline)s and input = %(input)s::jsonb
                   and replay_of is not distinct from %(replay_of)s::uuid as is_same
          from run where tenant_id = %(tenant)s and idempotency_key = %(key)s""",
        tenant=transaction.tenant,
        key=key,
        pipeline=pipeline,
        input=input_json,
        replay_of=replay_of,
    )


async def find_run(transaction: TenantTransaction, run: RunId) -> Row | None:
    """One run with its steps."""
    return await transaction.first(_FIND_RUN, run=run, tenant=transaction.tenant)


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
    """Delete the runs about a subject with their steps and stories; answers their ids.

    They are locked in the order of all locks on runs, by id.
    """
    return await transaction.all(
        """
        with locked as materialized (
            select id from run where tenant_id = %(tenant)s and subject = %(subject)s order by id for update
        )
        delete from run where id = any (array(select id from locked)) and tenant_id = %(tenant)s returning id""",
        tenant=transaction.tenant,
        subject=subject,
    )


async def read_outputs(transaction: TenantTransaction, run: RunId) -> list[Row]:
    """The outputs of a run's finished steps, as JSON text."""
    return await transaction.all(
        """
        select name, output::text as output from step
         where run_id = %(run)s and tenant_id = %(tenant)s and map_key = '' and output is not null""",
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


async def holds_lease(transaction: TenantTransaction, run: RunId, name: str, map_key: str, token: UUID) -> bool:
    """Whether the step is still run under this token."""
    row = await transaction.first(
        """
        select 1 from step where run_id = %(run)s and tenant_id = %(tenant)s and name = %(name)s
           and map_key = %(map_key)s and token = %(token)s and status = 'running'""",
        run=run,
        tenant=transaction.tenant,
        name=name,
        map_key=map_key,
        token=token,
    )
    return row is not None


async def find_positions(transaction: SystemTransaction, runs: Sequence[UUID]) -> list[Row]:
    """The number of the last milestone of each run, for those who follow them."""
    return await transaction.all("select id, event_seq from run where id = any (%(runs)s)", runs=list(runs))


async def spend(transaction: TenantTransaction, run: RunId, micros: int) -> list[Row]:
    """Add to what the run and the runs that wait for it have spent; answers each one's cost and ceiling.

    They are locked in the order of all locks on runs, by id.
    """
    return await transaction.all(
        """
        with recursive line (id, parent_run) as (
            select id, parent_run from run where id = %(run)s and tenant_id = %(tenant)s
            union all
            select run.id, run.parent_run from line join run on run.id = line.parent_run
        ),
        locked as materialized (
            select id from run where id = any (array(select id from line)) order by id for no key update
        )
        update run set cost_micros = run.cost_micros + %(micros)s
         where id = any (array(select id from locked))
        returning id, cost_micros, cost_ceiling_micros""",
        run=run,
        tenant=transaction.tenant,
        micros=micros,
    )
