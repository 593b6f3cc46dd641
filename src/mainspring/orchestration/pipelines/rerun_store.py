"""The SQL of runs that repeat others."""

from uuid import UUID

from mainspring.foundation.db import Row, TenantTransaction


async def read_terms(transaction: TenantTransaction, run: UUID) -> Row | None:
    """A run with the terms on which it was submitted."""
    return await transaction.first(
        """
        select id, pipeline, version, status, origin, subject, input::text as input, priority, deadline, initiator,
               initiated_by, cost_ceiling_micros
          from run where id = %(run)s and tenant_id = %(tenant)s""",
        run=run,
        tenant=transaction.tenant,
    )


async def read_states(transaction: TenantTransaction, run: UUID) -> list[Row]:
    """How each declared step of a run ended, and whether it, or an item of it, was undone."""
    return await transaction.all(
        """
        select name, status, items, origin,
               exists (select from step as undo
                        where undo.run_id = step.run_id and undo.name = 'undo:' || step.name
                          and undo.role = 'compensation' and undo.status = 'succeeded') as is_undone
          from step
         where run_id = %(run)s and tenant_id = %(tenant)s and map_key = '' and role = 'work'""",
        run=run,
        tenant=transaction.tenant,
    )


async def take_over(transaction: TenantTransaction, earlier: UUID, run: UUID, kept: str) -> None:
    """Copy what an earlier run finished into a new one, with the signals it received and what it has spent.

    `kept` is a JSON array of objects with the fields of `kept` below: steps that succeeded, and with `is_resumed`
    fan-outs that did not, of which the items that succeeded are kept and the others are ready again.
    """
    await transaction.run(
        """
        with kept as materialized (
            select * from jsonb_to_recordset(%(kept)s::jsonb)
                          as kept (name text, title text, lane text, after text[], position smallint, tolerance real,
                                   undo_lane text, is_resumed boolean)
        ),
        old as materialized (
            select step.*, kept.title as new_title, kept.lane as new_lane, kept.after as new_after,
                   kept.position as new_position, coalesce(kept.tolerance, 0) as new_tolerance,
                   kept.undo_lane as new_undo_lane,
                   step.map_key = '' and kept.is_resumed as is_gathering,
                   step.map_key <> '' and kept.is_resumed and step.status <> 'succeeded' as is_again
              from step join kept using (name)
             where step.run_id = %(earlier)s and step.tenant_id = %(tenant)s and step.role = 'work'
        ),
        again as (select name, count(*)::integer as items from old where is_again group by name),
        heard as (
            insert into signal (run_id, name, key, tenant_id, payload, received_at)
            select %(run)s, name, key, tenant_id, payload, received_at
              from signal where run_id = %(earlier)s and tenant_id = %(tenant)s
        ),
        flagged as (
            update run
               set fans_out = run.fans_out or exists (select from old where items is not null),
                   cost_micros = former.cost_micros
              from run as former
             where run.id = %(run)s and run.tenant_id = %(tenant)s
               and former.id = %(earlier)s and former.tenant_id = %(tenant)s
        )
        insert into step (run_id, name, map_key, tenant_id, position, title, lane, after, status, priority, tolerance,
                          undo_lane, attempt, output, error_code, error_detail, started_at, finished_at, origin, item,
                          items, items_left, items_failed)
        select %(run)s, old.name, old.map_key, %(tenant)s, new_position, new_title, new_lane,
               case when old.map_key = '' then new_after else '{}' end,
               case when is_gathering then 'gathering' when is_again then 'ready' else old.status end,
               old.priority, new_tolerance, new_undo_lane, case when is_again then 0 else old.attempt end,
               old.output, case when not is_again and not is_gathering then old.error_code end,
               case when not is_again and not is_gathering then old.error_detail end,
               case when not is_again then old.started_at end,
               case when not is_again and not is_gathering then old.finished_at end,
               old.origin, old.item, old.items,
               case when is_gathering then coalesce(again.items, 0) else old.items_left end,
               case when is_gathering then 0 else old.items_failed end
          from old left join again on again.name = old.name""",
        earlier=earlier,
        run=run,
        tenant=transaction.tenant,
        kept=kept,
    )
