"""Claiming: ready steps become leased ones, fairly between tenants, in one statement; and leases are renewed.

A claim never waits (it skips what is locked), and neither does a renewal, so none of these
statements can deadlock with another.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID

from mainspring.foundation.db import Row, SystemTransaction

from .queue_store import plan_by_index


@dataclass(frozen=True, slots=True)
class Shares:
    """How many places of a worker one tenant may have, and how many each has now."""

    each: int
    held: Mapping[UUID, int]


# Purpose: give `free` ready steps to one worker, in turn over the tenants that have some, and tell it.
# The ring of tenants with work in these lanes starts after the one served last; each tenant gets an
# equal share of what is free, and never more than `each` places of the worker in all.
# Index: step_ready, once per tenant and lane to walk the ring, and once more to pick.
# Rows: at most `free`.
_CLAIM: LiteralString = """
with recursive
ahead (tenant_id, place) as (
    (select following.tenant_id, 1
       from unnest(%(lanes)s::text[]) as open (lane) cross join lateral (
            select tenant_id from step
             where status = 'ready' and step.lane = open.lane and tenant_id > %(after)s
             order by tenant_id limit 1) as following
      order by 1 limit 1)
    union all
    select following.tenant_id, ahead.place + 1
      from ahead cross join lateral (
           select nearest.tenant_id
             from unnest(%(lanes)s::text[]) as open (lane) cross join lateral (
                  select tenant_id from step
                   where status = 'ready' and step.lane = open.lane and tenant_id > ahead.tenant_id
                   order by tenant_id limit 1) as nearest
            order by 1 limit 1) as following
     where ahead.place < %(free)s
),
behind (tenant_id, place) as (
    (select following.tenant_id, %(free)s + 1
       from unnest(%(lanes)s::text[]) as open (lane) cross join lateral (
            select tenant_id from step
             where status = 'ready' and step.lane = open.lane and tenant_id <= %(after)s
             order by tenant_id limit 1) as following
      where (select count(*) from ahead) < %(free)s
      order by 1 limit 1)
    union all
    select following.tenant_id, behind.place + 1
      from behind cross join lateral (
           select nearest.tenant_id
             from unnest(%(lanes)s::text[]) as open (lane) cross join lateral (
                  select tenant_id from step
                   where status = 'ready' and step.lane = open.lane
                     and tenant_id > behind.tenant_id and tenant_id <= %(after)s
                   order by tenant_id limit 1) as nearest
            order by 1 limit 1) as following
     where behind.place < 2 * %(free)s
),
ring as materialized (
    select tenant_id, place, %(each)s - coalesce(busy.steps, 0) as room
      from (select * from ahead union all select * from behind) as both_arcs
           left join unnest(%(tenants)s::uuid[], %(held)s::integer[]) as busy (tenant_id, steps) using (tenant_id)
     where coalesce(busy.steps, 0) < %(each)s
     order by place limit %(free)s
),
share as materialized (select ceil(%(free)s::numeric / greatest(count(*), 1))::bigint as steps from ring),
picked as materialized (
    select turn.* from ring cross join lateral (
        select candidate.*, open.room, ring.place
          from unnest(%(lanes)s::text[], %(rooms)s::integer[]) as open (lane, room) cross join lateral (
               select run_id, name, map_key, lane, priority from step
                where status = 'ready' and tenant_id = ring.tenant_id and step.lane = open.lane
                order by priority desc, run_id
                limit (select least(steps, open.room) from share)
                  for no key update skip locked) as candidate
         order by candidate.priority desc, candidate.run_id
         limit (select least(steps, ring.room) from share)) as turn
),
admitted as materialized (
    select * from (
        select picked.*, row_number() over (partition by lane order by place, priority desc, run_id) as nth
          from picked) as numbered
     where nth <= room
     order by place, priority desc, run_id
     limit %(free)s
),
held as materialized (
    select id, tenant_id, pipeline, status, event_seq, subject, input, origin, initiator, cost_micros,
           cost_ceiling_micros
      from run
     where id = any (array(select distinct run_id from admitted)) and status in ('queued', 'running', 'compensating')
     order by id for no key update skip locked
),
claimed as (
    update step
       set status = 'running', token = gen_random_uuid(), attempt = step.attempt + 1, due_at = null,
           lease_until = now() + make_interval(secs => %(lease)s), started_at = now(), finished_at = null
      from admitted join held on held.id = admitted.run_id
     where step.run_id = admitted.run_id and step.name = admitted.name and step.map_key = admitted.map_key
       and step.run_id = any (array(select run_id from admitted))
    returning step.run_id, step.name, step.map_key, step.token, step.attempt, step.failures, step.title, step.after,
              step.position, step.lane, step.tenant_id, step.item, step.origin as own_origin
),
placed as materialized (
    select claimed.*, held.input, held.subject, held.pipeline, held.status = 'queued' as is_first,
           coalesce(claimed.own_origin, held.origin) as origin, held.initiator, held.cost_micros,
           held.cost_ceiling_micros,
           held.event_seq + (held.status = 'queued')::integer
             + count(*) filter (where map_key = '')
                   over (partition by claimed.run_id order by position, map_key)::integer as seq
      from claimed join held on held.id = claimed.run_id
),
outline as materialized (
    select run_id, jsonb_agg(jsonb_build_object('name', name, 'title', title) order by position) as steps
      from step
     where run_id = any (array(select run_id from placed where is_first)) and map_key = '' and role = 'work'
     group by run_id
),
begun as (
    update run
       set status = case run.status when 'queued' then 'running' else run.status end,
           started_at = coalesce(started_at, now()), event_seq = last.seq
      from (select run_id, max(seq) as seq from placed group by run_id) as last
     where run.id = last.run_id and run.id = any (array(select run_id from placed)) and run.event_seq < last.seq
),
told as (
    insert into run_event (run_id, seq, tenant_id, type, facts)
    select run_id, seq, tenant_id, 'step.started',
           jsonb_build_object('step', name, 'text', title, 'attempt', attempt)
      from placed where map_key = ''
    union all
    select held.id, 1, held.tenant_id, 'run.started',
           jsonb_build_object('text', 'Started', 'pipeline', held.pipeline, 'steps', outline.steps)
      from outline join held on held.id = outline.run_id
)
select placed.run_id, placed.name, placed.map_key, placed.token, placed.attempt, placed.failures, placed.title,
       placed.lane, placed.tenant_id, placed.pipeline, placed.subject, placed.seq, placed.is_first,
       case when placed.item is null then placed.input::text end as input, placed.item::text as item, now() as at,
       placed.origin, placed.initiator, placed.cost_micros, placed.cost_ceiling_micros,
       case when placed.is_first then outline.steps end as outline,
       case when cardinality(placed.after) > 0 then (
           select jsonb_object_agg(earlier.name, earlier.output) from step as earlier
            where earlier.run_id = placed.run_id and earlier.name = any (placed.after)
              and earlier.map_key = '')::text end as earlier
  from placed left join outline on outline.run_id = placed.run_id
 order by placed.run_id, placed.seq"""


async def claim_steps(
    transaction: SystemTransaction, rooms: Mapping[str, int], *, free: int, lease: float, after: UUID, shares: Shares
) -> list[Row]:
    """Lease up to `free` ready steps, fairly between tenants, in lanes by the room there is in each."""
    await plan_by_index(transaction)
    return await transaction.all(
        _CLAIM,
        lanes=list(rooms),
        rooms=list(rooms.values()),
        free=free,
        lease=lease,
        after=after,
        each=shares.each,
        tenants=list(shares.held),
        held=list(shares.held.values()),
    )


async def find_rooms(transaction: SystemTransaction, lanes: Sequence[str], caps: Sequence[int]) -> list[Row]:
    """How many more steps may run now in each capped lane; 0 for a lane another worker is claiming from.

    The lock makes the count exact until this transaction ends: two claims never count at once.
    """
    return await transaction.all(
        """
        select capped.lane, case when pg_try_advisory_xact_lock(hashtextextended(capped.lane, 3))
               then greatest(0, capped.cap - (
                    select count(*) from step where step.lane = capped.lane and step.status = 'running'))::integer
               else 0 end as room
          from unnest(%(lanes)s::text[], %(caps)s::integer[]) as capped (lane, cap)
         order by capped.lane""",
        lanes=list(lanes),
        caps=list(caps),
    )


RENEW: LiteralString = """
with ours (run_id, name, map_key, token) as (
    select * from unnest(%(run_ids)s::uuid[], %(names)s::text[], %(map_keys)s::text[], %(tokens)s::uuid[])
),
held as materialized (
    select step.run_id, step.name, step.map_key from step join ours using (run_id, name, map_key, token)
       for no key update of step skip locked
),
renewed as (
    update step set lease_until = now() + make_interval(secs => %(lease)s) from held
     where step.run_id = held.run_id and step.name = held.name and step.map_key = held.map_key
)
select ours.token from ours left join step using (run_id, name, map_key, token) where step.run_id is null"""
"""Purpose: prolong the leases of one worker; answers the tokens that are valid no more. Index: primary key."""
