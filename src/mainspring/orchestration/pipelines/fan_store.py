"""The SQL of fan-outs: a step becomes one row for each item, which are counted on the step's own row as they end.

The counts are exact, because a run's row is locked by whoever lets its steps end; so nobody ever counts rows.
"""

from collections.abc import Sequence
from uuid import UUID

from mainspring.foundation.db import Row, SystemTransaction, TenantTransaction

Transaction = SystemTransaction | TenantTransaction


async def fan_out(transaction: SystemTransaction, runs: Sequence[UUID], rows: str) -> list[Row]:
    """Turn leased steps into gathering ones with an item row for each item, ready; answers whose lease was theirs.

    `rows` is a JSON array of objects with the fields of `spread` below (see `outcomes.item_rows_of`).
    Items follow nothing: what they are given is on their row.
    """
    return await transaction.all(
        """
        with spread as materialized (
            select * from jsonb_to_recordset(%(rows)s::jsonb)
                          as spread (run_id uuid, name text, map_key text, token uuid, items jsonb)
        ),
        gathering as (
            update step
               set status = 'gathering', token = null, lease_until = null, input = null,
                   error_code = null, error_detail = null, error_trace = null,
                   items = jsonb_array_length(spread.items), items_left = jsonb_array_length(spread.items),
                   items_failed = 0
              from spread
             where step.run_id = spread.run_id and step.name = spread.name and step.map_key = spread.map_key
               and step.token = spread.token and step.run_id = any (%(runs)s)
            returning step.run_id, step.tenant_id, step.name, spread.token, step.position,
                      step.title, step.lane, step.priority, step.undo_lane, step.origin, spread.items
        ),
        inserted as (
            insert into step (run_id, name, map_key, tenant_id, position, title, lane, after, status, priority,
                              undo_lane, origin, item)
            select run_id, name, lpad((item.nth - 1)::text, 5, '0'), tenant_id, position, title, lane, '{}', 'ready',
                   priority, undo_lane, origin, item.value
              from gathering cross join jsonb_array_elements(gathering.items) with ordinality as item (value, nth)
        ),
        flagged as (
            update run set fans_out = true
             where id = any (array(select run_id from gathering)) and id = any (%(runs)s) and not fans_out
        )
        select token, run_id, name, lane from gathering""",
        runs=list(runs),
        rows=rows,
    )


async def count_items(transaction: Transaction, runs: Sequence[UUID], rows: str) -> list[Row]:
    """Take items that ended off the counts of their steps; answers how the counts stand.

    `rows` is a JSON array of objects with the fields of `counted` below; a count of 0 only asks.
    """
    return await transaction.all(
        """
        update step
           set items_left = step.items_left - counted.ended, items_failed = step.items_failed + counted.failed
          from jsonb_to_recordset(%(rows)s::jsonb) as counted (run_id uuid, name text, ended integer, failed integer)
         where step.run_id = counted.run_id and step.name = counted.name and step.map_key = ''
           and step.status = 'gathering' and step.run_id = any (%(runs)s)
        returning step.run_id, step.name, step.title, step.items, step.items_left, step.items_failed, step.tolerance,
                  step.attempt""",
        runs=list(runs),
        rows=rows,
    )


async def gather(transaction: Transaction, runs: Sequence[UUID], rows: str) -> int:
    """End gathering steps; `rows` is a JSON array of objects with the fields of `done` below."""
    return await transaction.run(
        """
        update step
           set status = done.status, output = done.output, error_code = done.error_code,
               error_detail = done.error_detail, finished_at = now()
          from jsonb_to_recordset(%(rows)s::jsonb)
               as done (run_id uuid, name text, status text, output jsonb, error_code text, error_detail text)
         where step.run_id = done.run_id and step.name = done.name and step.map_key = ''
           and step.status = 'gathering' and step.run_id = any (%(runs)s)""",
        runs=list(runs),
        rows=rows,
    )


async def read_items(transaction: TenantTransaction, run: UUID, name: str) -> list[Row]:
    """The items of a fan-out in order: output as JSON text, or the error of one that failed."""
    return await transaction.all(
        """
        select map_key, output::text as output, error_code, error_detail from step
         where run_id = %(run)s and tenant_id = %(tenant)s and name = %(name)s and map_key <> '' order by map_key""",
        run=run,
        tenant=transaction.tenant,
        name=name,
    )


async def measure_items(transaction: TenantTransaction, run: UUID, name: str) -> int:
    """How many bytes the outputs of a fan-out have, as they are stored."""
    row = await transaction.one(
        """
        select coalesce(sum(pg_column_size(output)), 0)::bigint as bytes from step
         where run_id = %(run)s and tenant_id = %(tenant)s and name = %(name)s and map_key <> ''""",
        run=run,
        tenant=transaction.tenant,
        name=name,
    )
    return row["bytes"]


async def read_output(transaction: TenantTransaction, run: UUID, name: str, map_key: str) -> str:
    """The output of one finished step or item, as JSON text."""
    row = await transaction.one(
        """
        select output::text as output from step
         where run_id = %(run)s and tenant_id = %(tenant)s and name = %(name)s and map_key = %(map_key)s""",
        run=run,
        tenant=transaction.tenant,
        name=name,
        map_key=map_key,
    )
    return row["output"]
