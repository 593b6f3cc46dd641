"""The SQL of compensation: what undoes a step is a row beside it, made when its turn comes."""

from collections.abc import Sequence
from uuid import UUID

from mainspring.foundation.db import Row, SystemTransaction, TenantTransaction

Transaction = SystemTransaction | TenantTransaction


async def undo_next(transaction: Transaction, runs: Sequence[UUID]) -> list[Row]:
    """Make the compensation ready of the last step of each run that is not undone; answers runs and lanes.

    Of a fan-out each item that succeeded is undone, and counted on a gathering row as items are. Steps are undone
    one after the other, the last declared first. A run with nothing left to undo is absent.
    """
    return await transaction.all(
        """
        with undoable as materialized (
            select * from step
             where run_id = any (%(runs)s) and role = 'work' and status = 'succeeded' and undo_lane is not null
               and (map_key <> '' or items is null)
               and not exists (
                   select from step as undo
                    where undo.run_id = step.run_id and undo.name = 'undo:' || step.name
                      and undo.map_key = step.map_key)
        ),
        turn as (select run_id, max(position) as position from undoable group by run_id),
        undone as materialized (select undoable.* from undoable join turn using (run_id, position)),
        counted as (
            select run_id, name, tenant_id, position, undo_lane, priority, count(*)::integer as items
              from undone where map_key <> ''
             group by run_id, name, tenant_id, position, undo_lane, priority
        ),
        gathering as (
            insert into step (run_id, name, tenant_id, position, title, lane, after, status, priority, role, items,
                              items_left, items_failed)
            select counted.run_id, 'undo:' || counted.name, counted.tenant_id, counted.position,
                   'Undo: ' || step.title, counted.undo_lane, '{}', 'gathering', counted.priority, 'compensation',
                   counted.items, counted.items, 0
              from counted join step on step.run_id = counted.run_id and step.name = counted.name and step.map_key = ''
        )
        insert into step (run_id, name, map_key, tenant_id, position, title, lane, after, status, priority, role,
                          origin, item)
        select run_id, 'undo:' || name, map_key, tenant_id, position, 'Undo: ' || title, undo_lane, after, 'ready',
               priority, 'compensation', origin, item
          from undone
        returning run_id, lane""",
        runs=list(runs),
    )


async def count_not_undone(transaction: Transaction, runs: Sequence[UUID]) -> list[Row]:
    """How many compensations of each run failed for good."""
    return await transaction.all(
        """
        select run_id, array_agg(title order by position desc) as titles from step
         where run_id = any (%(runs)s) and role = 'compensation' and map_key = '' and status = 'failed'
         group by run_id""",
        runs=list(runs),
    )
