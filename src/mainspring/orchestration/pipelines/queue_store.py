"""The SQL of the queue: settle and sweep; claiming is in `claiming.py`. Statements run for many tenants at once.

Locks are taken in one order: runs before steps, runs by id. A claim never waits (it skips what is
locked), and neither does a renewal, so none of these statements can deadlock with another.
"""

from collections.abc import Sequence
from uuid import UUID

from mainspring.foundation.db import Row, SystemTransaction, TenantTransaction

from .outcomes import Lease

Transaction = SystemTransaction | TenantTransaction


async def plan_by_index(transaction: Transaction) -> None:
    """Have the statements of this transaction planned once per connection, and by index.

    Planning a claim anew costs four times what running it does (0.8 against 0.2 ms on a free core). A plan
    that was made while the tables were small must not read all of them when they are not: so no sequential
    scans, and each join also bounds the table's side by `= any (array)`, an index condition in every plan.
    """
    await transaction.run(
        """
        select set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true)"""
    )


async def lock_runs(transaction: Transaction, runs: Sequence[UUID]) -> list[Row]:
    """Lock these runs against every other change, in order of id, and return them."""
    return await transaction.all(
        """
        select id, tenant_id, pipeline, version, subject, status, event_seq, now() as at, parent_run, has_children,
               cost_micros, cost_ceiling_micros, ending, error_code, error_detail
          from run
         where id = any (%(runs)b) order by id for no key update""",
        runs=list(runs),
    )


async def settle_steps(transaction: SystemTransaction, runs: Sequence[UUID], rows: str) -> list[Row]:
    """Write the outcomes of leased steps; answers those whose lease was still theirs.

    `rows` is a JSON array of objects with the fields of `done` below (see `outcomes.rows_of`), `runs` the
    runs they are of. A token is there only while the step is running.
    """
    return await transaction.all(
        """
        update step
           set status = done.status, token = null, lease_until = null, output = done.output::jsonb,
               error_code = done.error_code, error_detail = done.error_detail, error_trace = done.error_trace,
               input = done.input::jsonb, due_at = mainspring_now() + make_interval(secs => done.delay),
               failures = step.failures + done.failed, losses = step.losses + done.lost,
               finished_at = case when done.status in ('succeeded', 'failed') then now() end
          from jsonb_to_recordset(%(rows)s::jsonb)
               as done (run_id uuid, name text, map_key text, token uuid, status text, output text, error_code text,
                        error_detail text, error_trace text, input text, delay float8, failed integer, lost integer,
                        only_expired boolean)
         where step.run_id = done.run_id and step.name = done.name and step.map_key = done.map_key
           and step.token = done.token and step.run_id = any (%(runs)b)
           and (not done.only_expired or step.lease_until < now())
        returning done.token""",
        runs=list(runs),
        rows=rows,
    )


async def ready_successors(transaction: Transaction, runs: Sequence[UUID]) -> list[Row]:
    """Make steps ready whose every predecessor has succeeded; answers their lanes."""
    return await transaction.all(
        """
        update step set status = 'ready'
         where run_id = any (%(runs)b) and status = 'waiting' and due_at is null
           and cardinality(after) = (
               select count(*) from step as earlier
                where earlier.run_id = step.run_id and earlier.name = any (step.after) and earlier.map_key = ''
                  and earlier.status = 'succeeded')
        returning run_id, lane""",
        runs=list(runs),
    )


async def find_complete(transaction: Transaction, runs: Sequence[UUID]) -> list[Row]:
    """Those of the runs whose every step has succeeded, whatever became of the items of some."""
    return await transaction.all(
        """
        select run_id from step where run_id = any (%(runs)b) and map_key = ''
         group by run_id having bool_and(status = 'succeeded')""",
        runs=list(runs),
    )


async def cancel_steps(transaction: Transaction, runs: Sequence[UUID]) -> int:
    """Cancel every unfinished step of the runs; whoever holds one finds its token void."""
    return await transaction.run(
        """
        update step
           set status = 'cancelled', token = null, lease_until = null, due_at = null, awaited = null, wake_at = null,
               fallback = null, finished_at = now()
         where run_id = any (%(runs)b) and status in ('waiting', 'ready', 'running', 'suspended', 'gathering')""",
        runs=list(runs),
    )


async def advance_runs(transaction: Transaction, runs: Sequence[UUID], rows: str) -> int:
    """Write status, error and the number of the last event; `rows` is a JSON array of objects like `next` below.

    An error and how the run is to end, once they are known, stay.
    """
    return await transaction.run(
        """
        update run
           set status = next.status, event_seq = next.event_seq,
               error_code = coalesce(next.error_code, run.error_code),
               error_detail = coalesce(next.error_detail, run.error_detail), ending = coalesce(next.ending, run.ending),
               finished_at = case when next.status in ('succeeded', 'failed', 'cancelled') then now() end
          from jsonb_to_recordset(%(rows)s::jsonb)
               as next (id uuid, status text, event_seq integer, error_code text, error_detail text, ending text)
         where run.id = next.id and run.id = any (%(runs)b)""",
        runs=list(runs),
        rows=rows,
    )


async def write_events(transaction: Transaction, rows: str) -> int:
    """Append milestones; `rows` is a JSON array of objects like `told` below."""
    return await transaction.run(
        """
        insert into run_event (run_id, seq, tenant_id, type, facts, key)
        select told.run_id, told.seq, told.tenant_id, told.type, told.facts, told.key
          from jsonb_to_recordset(%(rows)s::jsonb)
               as told (run_id uuid, seq integer, tenant_id uuid, type text, facts jsonb, key text)""",
        rows=rows,
    )


async def find_expired(transaction: SystemTransaction, limit: int) -> list[Row]:
    """Running steps whose lease has passed; `settle_steps` checks again before it takes one away."""
    return await transaction.all(
        """
        select run_id, name, map_key, token, attempt, losses, tenant_id, alone is not distinct from token as was_alone
          from step
         where status = 'running' and lease_until < now() limit %(limit)s""",
        limit=limit,
    )


async def mark_alone(transaction: SystemTransaction, lease: Lease) -> bool:
    """Note that the step runs with nothing beside it under this lease; False when the lease is lost."""
    return bool(
        await transaction.run(
            """
            update step set alone = token
             where run_id = %(run)s and name = %(name)s and map_key = %(key)s and token = %(token)s""",
            run=lease.run,
            name=lease.name,
            key=lease.map_key,
            token=lease.token,
        )
    )


async def promote_due(transaction: SystemTransaction, limit: int) -> int:
    """Make steps ready whose time to be retried has come; how many they were."""
    return await transaction.run(
        """
        update step set status = 'ready', due_at = null
          from (select run_id, name, map_key from step
                 where status = 'waiting' and due_at <= mainspring_now()
                 order by due_at limit %(limit)s for no key update skip locked) as due
         where step.run_id = due.run_id and step.name = due.name and step.map_key = due.map_key""",
        limit=limit,
    )


async def find_overdue(transaction: SystemTransaction, limit: int) -> list[Row]:
    """Unfinished runs whose deadline has passed."""
    return await transaction.all(
        """
        select id, deadline at time zone 'utc' as deadline from run
         where overdue_at < mainspring_now() and status in ('queued', 'running') order by id limit %(limit)s""",
        limit=limit,
    )


async def insert_letters(transaction: Transaction, rows: str) -> int:
    """Keep a dead letter for each step that failed for good; `rows` is a JSON array of objects like `letter` below."""
    return await transaction.run(
        """
        insert into dead_letter (id, tenant_id, run_id, step, map_key, pipeline, version, error_code, error_detail,
                                 fingerprint)
        select letter.id, letter.tenant_id, letter.run_id, letter.step, letter.map_key, letter.pipeline,
               letter.version, letter.error_code, letter.error_detail, letter.fingerprint
          from jsonb_to_recordset(%(rows)s::jsonb)
               as letter (id uuid, tenant_id uuid, run_id uuid, step text, map_key text, pipeline text,
                          version integer, error_code text, error_detail text, fingerprint text)
            on conflict (run_id, step, map_key) do nothing""",
        rows=rows,
    )
