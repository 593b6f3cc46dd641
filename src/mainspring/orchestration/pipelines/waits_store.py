"""The SQL of waits: steps that are suspended, the signals that answer them, and the runs they started."""

from collections.abc import Sequence
from typing import LiteralString
from uuid import UUID

from mainspring.foundation.db import Row, SystemTransaction, TenantTransaction

Transaction = SystemTransaction | TenantTransaction

# Purpose: insert runs that steps started, with their steps. Index: primary keys and run_children. Rows: one per run.
# `line` goes back along the retries of each parent, as far as the step was not undone; `former` is the run that the
# same step started there.
_INSERT_CHILDREN: LiteralString = """
with recursive child as materialized (
    select * from jsonb_to_recordset(%(rows)s::jsonb)
                  as child (id uuid, parent_run uuid, parent_step text, parent_map_key text, pipeline text,
                            version integer, input text, subject text, cost_ceiling_micros bigint, steps jsonb)
),
line (child, run) as (
    select child.id, above.retry_of
      from child cross join lateral (select retry_of from run where run.id = child.parent_run offset 0) as above
     where above.retry_of is not null
    union all
    select line.child, above.retry_of
      from line cross join lateral (select retry_of from run where run.id = line.run offset 0) as above
     where above.retry_of is not null
),
former as materialized (
    select distinct on (child.id) child.id, earlier.id as run, earlier.origin
      from child join line on line.child = child.id
           cross join lateral (
               select coalesce(step.origin, run.origin) as origin from step join run on run.id = step.run_id
                where step.run_id = child.parent_run and step.name = child.parent_step
                  and step.map_key = child.parent_map_key offset 0) as since
           cross join lateral (
               select id, origin from run
                where run.parent_run = line.run and run.parent_step = child.parent_step
                  and run.parent_map_key = child.parent_map_key and run.pipeline = child.pipeline offset 0
           ) as earlier
     where line.run >= since.origin
     order by child.id, earlier.id desc
),
inserted as (
    insert into run (id, tenant_id, pipeline, version, status, subject, input, priority, deadline, origin,
                     initiator, initiated_by, cost_ceiling_micros, parent_run, parent_step, parent_map_key,
                     owes_parent)
    select child.id, parent.tenant_id, child.pipeline, child.version, 'queued',
           coalesce(child.subject, parent.subject), child.input::jsonb, parent.priority, parent.deadline,
           coalesce(former.origin, child.id), parent.initiator, parent.initiated_by,
           least(child.cost_ceiling_micros,
                 case when parent.cost_ceiling_micros is not null
                      then greatest(parent.cost_ceiling_micros - parent.cost_micros, 0) end),
           child.parent_run, child.parent_step, child.parent_map_key, true
      from child join run as parent on parent.id = child.parent_run left join former on former.id = child.id
    returning id, tenant_id, priority
),
flagged as (
    update run set has_children = true where id = any (array(select parent_run from child)) and not has_children
)
insert into step (run_id, tenant_id, name, position, title, lane, after, status, priority, tolerance, undo_lane,
                  origin)
select inserted.id, inserted.tenant_id, declared.name, declared.nth - 1, declared.title, declared.lane,
       declared.after, case when cardinality(declared.after) = 0 then 'ready' else 'waiting' end,
       inserted.priority + coalesce(declared.priority, 0), coalesce(declared.tolerance, 0), declared.undo_lane,
       (select case when exists (
                    select 1 from step as undo
                     where undo.run_id = former.run and undo.name = 'undo:' || declared.name
                       and undo.status = 'succeeded')
               then inserted.id else step.origin end
          from step where step.run_id = former.run and step.name = declared.name and step.map_key = '')
  from inserted join child using (id) left join former using (id) cross join rows from (
       jsonb_to_recordset(child.steps)
           as (name text, title text, lane text, after text[], priority smallint, tolerance real,
               undo_lane text))
       with ordinality as declared (name, title, lane, after, priority, tolerance, undo_lane, nth)"""


async def suspend_steps(transaction: SystemTransaction, runs: Sequence[UUID], rows: str) -> list[Row]:
    """Suspend leased steps; answers those whose lease was still theirs, and when they wake.

    `rows` is a JSON array of objects with the fields of `wait` below (see `outcomes.suspension_rows_of`).
    """
    return await transaction.all(
        """
        update step
           set status = 'suspended', token = null, lease_until = null, input = null,
               error_code = null, error_detail = null, error_trace = null, awaited = wait.awaited,
               wake_at = coalesce(wait.wake_at, mainspring_now() + make_interval(secs => wait.wake_in)),
               fallback = wait.fallback::jsonb
          from jsonb_to_recordset(%(rows)s::jsonb)
               as wait (run_id uuid, name text, map_key text, token uuid, awaited text, wake_at timestamptz,
                        wake_in float8, fallback text)
         where step.run_id = wait.run_id and step.name = wait.name and step.map_key = wait.map_key
           and step.token = wait.token and step.run_id = any (%(runs)s)
        returning wait.token, step.wake_at""",
        runs=list(runs),
        rows=rows,
    )


async def resume_steps(transaction: Transaction, runs: Sequence[UUID], rows: str) -> list[Row]:
    """End suspended steps that still await what came; answers them.

    `rows` is a JSON array of objects with the fields of `come` below.
    """
    return await transaction.all(
        """
        update step
           set status = come.status, output = come.output::jsonb, awaited = null, wake_at = null, fallback = null,
               error_code = come.error_code, error_detail = come.error_detail, finished_at = now()
          from jsonb_to_recordset(%(rows)s::jsonb)
               as come (run_id uuid, name text, map_key text, awaited text, status text, output text,
                        error_code text, error_detail text)
         where step.run_id = come.run_id and step.name = come.name and step.map_key = come.map_key
           and step.status = 'suspended' and step.awaited = come.awaited and step.run_id = any (%(runs)s)
        returning step.run_id, step.name, step.map_key, step.title, step.tenant_id""",
        runs=list(runs),
        rows=rows,
    )


async def find_answered(transaction: Transaction, runs: Sequence[UUID]) -> list[Row]:
    """Suspended steps of the runs whose signal is there, with the first of that name and its `received_at` and `key`.

    Index: step_awaiting, then the signal's primary key.
    """
    return await transaction.all(
        """
        select step.run_id, step.name, step.map_key, step.awaited, first.payload::text as output, first.received_at,
               first.key
          from step cross join lateral (
               select payload, received_at, key from signal
                where signal.run_id = step.run_id and signal.name = substr(step.awaited, 8)
                order by received_at, key limit 1) as first
         where step.run_id = any (%(runs)s) and step.status = 'suspended' and step.awaited like 'signal:%%'""",
        runs=list(runs),
    )


async def find_awaiting(transaction: TenantTransaction, run: UUID, awaited: str) -> list[Row]:
    """Suspended steps of a run that await this. Index: step_awaiting."""
    return await transaction.all(
        """
        select run_id, name, map_key, awaited from step
         where run_id = %(run)s and tenant_id = %(tenant)s and status = 'suspended' and awaited = %(awaited)s""",
        run=run,
        tenant=transaction.tenant,
        awaited=awaited,
    )


async def insert_signal(transaction: TenantTransaction, run: UUID, name: str, key: str, payload: str) -> bool:
    """Keep a signal; False when one of that key is there.

    It is received now, with the run locked, and not when the transaction began: the first is the one that was kept
    first.
    """
    return (
        await transaction.run(
            """
            insert into signal (run_id, name, key, tenant_id, payload, received_at)
            values (%(run)s, %(name)s, %(key)s, %(tenant)s, %(payload)s::jsonb, clock_timestamp())
            on conflict do nothing""",
            run=run,
            name=name,
            key=key,
            tenant=transaction.tenant,
            payload=payload,
        )
        > 0
    )


async def find_next_signal(transaction: Transaction, last: Row) -> Row | None:
    """The signal of the same name that was received after `last`, a row of `find_answered` or of this; None: no more.

    Answers the row with `output`, `received_at` and `key` of that signal. Index: the primary key.
    """
    row = await transaction.first(
        """
        select payload::text as output, received_at, key from signal
         where run_id = %(run)s and name = %(name)s and (received_at, key) > (%(received_at)s, %(key)s)
         order by received_at, key limit 1""",
        run=last["run_id"],
        name=last["awaited"].removeprefix("signal:"),
        received_at=last["received_at"],
        key=last["key"],
    )
    return {**last, **row} if row else None


async def has_signal(transaction: TenantTransaction, run: UUID, name: str, key: str) -> bool:
    """Whether the run has received it."""
    row = await transaction.first(
        """
        select 1 from signal
         where run_id = %(run)s and tenant_id = %(tenant)s and name = %(name)s and key = %(key)s""",
        run=run,
        tenant=transaction.tenant,
        name=name,
        key=key,
    )
    return row is not None


async def find_awake(transaction: SystemTransaction, limit: int) -> list[Row]:
    """Suspended steps that have waited long enough. Index: step_wake."""
    return await transaction.all(
        """
        select run_id, name, map_key, title, awaited, fallback::text as fallback,
               wake_at at time zone 'utc' as wake_at
          from step where status = 'suspended' and wake_at <= mainspring_now() order by wake_at limit %(limit)s""",
        limit=limit,
    )


async def insert_children(transaction: SystemTransaction, rows: str) -> None:
    """Insert runs that steps started, on the terms of the run they belong to.

    `rows` is a JSON array of objects with the fields of `child` above. Each may spend what is left to its parent.
    The child of a retried run acts in the name of the one that the same step started before (`former`), so that no
    effect is repeated; what that one undid since is done anew.
    """
    await transaction.run(
        _INSERT_CHILDREN,
        rows=rows,
    )


async def find_owing(transaction: SystemTransaction, limit: int) -> list[Row]:
    """Ended runs whose parents have not been told, with what they gave. Index: run_owing."""
    return await transaction.all(
        """
        select child.id, child.parent_run, child.parent_step, child.parent_map_key, child.pipeline, child.status,
               child.error_code, child.error_detail, waiting.fallback::text as fallback,
               case when child.status = 'succeeded' then (
                   select output::text from step
                    where step.run_id = child.id and step.map_key = '' and step.role = 'work'
                    order by position desc limit 1) end as output
          from run as child left join step as waiting
               on waiting.run_id = child.parent_run and waiting.name = child.parent_step
                  and waiting.map_key = child.parent_map_key
         where child.is_owing
         order by child.id limit %(limit)s""",
        limit=limit,
    )


async def settle_debts(transaction: SystemTransaction, children: Sequence[UUID]) -> None:
    """These runs' parents have been told."""
    await transaction.run(
        "update run set owes_parent = false where id = any (%(children)s)",
        children=list(children),
    )


async def find_orphaning(transaction: SystemTransaction, limit: int) -> list[Row]:
    """Runs that ended badly while others may still run for them. Index: run_orphaning."""
    return await transaction.all(
        """
        select id from run where is_orphaning
         order by id limit %(limit)s""",
        limit=limit,
    )


async def find_children(transaction: Transaction, parents: Sequence[UUID], limit: int) -> list[Row]:
    """Unfinished runs that steps of these runs started. Index: run_children."""
    return await transaction.all(
        """
        select id, tenant_id from run
         where parent_run = any (%(parents)s) and status in ('queued', 'running') order by id limit %(limit)s""",
        parents=list(parents),
        limit=limit,
    )


async def forget_children(transaction: Transaction, parents: Sequence[UUID]) -> None:
    """No unfinished run is left that these runs started."""
    await transaction.run("update run set has_children = false where id = any (%(parents)s)", parents=list(parents))
