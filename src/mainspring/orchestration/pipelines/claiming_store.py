"""The SQL of claiming: who has ready steps, who may run how many, what is paused; and the renewal of leases."""

from collections.abc import Mapping, Sequence
from typing import LiteralString

from mainspring.foundation.db import Row, SystemTransaction

# Purpose: lease ready steps to one worker, at most `free`, in turn over the tenants that have some, and tell it.
# Index: step_ready, once per tenant and lane to walk the ring, and once more to pick; then rows by their place.
# No set is joined to another of as many rows: each row carries what the next part needs. Steps are found again by
# their place, for one that changed since is not taken; runs by their id, for `held` locks what they have become
# since the statement began, which lies elsewhere, and its story must go on from there.
# Rows: one per step, at most `free`; without any, one that holds only where the ring ended. Unless it
# `heeds_restraint`, nothing is claimed while anything is paused or any tenant capped: so nobody has to ask before.
_CLAIM: LiteralString = """
with recursive
restraint as materialized (
    select exists (select from hold where kind = 'pause')
        or exists (select from tenant_share where max_running is not null) as is_there
),
ahead (tenant_id, place) as (
    (select following.tenant_id, 1
       from unnest(%(lanes)b::text[]) as open (lane) cross join lateral (
            select tenant_id from step
             where status = 'ready' and step.lane = open.lane and tenant_id > %(after)s
             order by tenant_id limit 1) as following
      order by 1 limit 1)
    union all
    select following.tenant_id, ahead.place + 1
      from ahead cross join lateral (
           select nearest.tenant_id
             from unnest(%(lanes)b::text[]) as open (lane) cross join lateral (
                  select tenant_id from step
                   where status = 'ready' and step.lane = open.lane and tenant_id > ahead.tenant_id
                   order by tenant_id limit 1) as nearest
            order by 1 limit 1) as following
     where ahead.place < %(walk)s
),
behind (tenant_id, place) as (
    (select following.tenant_id, %(walk)s + 1
       from unnest(%(lanes)b::text[]) as open (lane) cross join lateral (
            select tenant_id from step
             where status = 'ready' and step.lane = open.lane and tenant_id <= %(after)s
             order by tenant_id limit 1) as following
      where (select count(*) from ahead) < %(walk)s
      order by 1 limit 1)
    union all
    select following.tenant_id, behind.place + 1
      from behind cross join lateral (
           select nearest.tenant_id
             from unnest(%(lanes)b::text[]) as open (lane) cross join lateral (
                  select tenant_id from step
                   where status = 'ready' and step.lane = open.lane
                     and tenant_id > behind.tenant_id and tenant_id <= %(after)s
                   order by tenant_id limit 1) as nearest
            order by 1 limit 1) as following
     where behind.place < 2 * %(walk)s
),
walked as materialized (
    select * from (select * from ahead union all select * from behind) as both_arcs
     where %(heeds_restraint)s or (select not is_there from restraint)
     order by place limit %(walk)s
),
ring as materialized (
    select * from (
        select walked.tenant_id, walked.place, coalesce(tenant_share.weight, 1) as weight,
               least(
                   case walked.tenant_id when %(turn_of)s::uuid then %(credit)s else %(free)s end,
                   %(each)s - coalesce(busy.steps, 0),
                   case when tenant_share.max_running is null then %(free)s
                        when %(may_count)s then tenant_share.max_running - (
                             select count(*) from step
                              where status = 'running' and step.tenant_id = walked.tenant_id)::integer
                        else 0 end) as room
          from walked
               left join unnest(%(tenants)s::uuid[], %(held)s::integer[]) as busy (tenant_id, steps) using (tenant_id)
               left join tenant_share using (tenant_id)
         where walked.tenant_id <> all (%(paused)s::uuid[])) as able
     where room > 0
     order by place limit %(ring)s
),
share as materialized (select greatest(sum(weight), 1)::numeric as weights from ring),
picked as materialized (
    select turn.*, ring.place, ring.weight
      from ring cross join lateral (
        select candidate.*, open.room, open.outline
          from unnest(%(lanes)b::text[], %(rooms)s::integer[], %(caps)s::integer[], %(outlines)b::text[])
               as open (lane, room, cap, outline)
               cross join lateral (
               select step.ctid as spot, run_id, name, map_key, lane, priority from step
                where status = 'ready' and tenant_id = ring.tenant_id and step.lane = open.lane
                order by priority desc, run_id
                limit (select least(
                           ceil(%(free)s * ring.weight / weights)::bigint, ring.room, open.room,
                           case when open.cap is not null then greatest(0, open.cap - (
                               select count(*) from step as busy
                                where busy.status = 'running' and busy.lane = open.lane
                                  and busy.tenant_id = ring.tenant_id)) end)
                         from share)
                  for no key update skip locked) as candidate
         where (ring.tenant_id, open.lane) not in (
               select * from unnest(%(paused_tenants)s::uuid[], %(paused_lanes)s::text[]))
         order by candidate.priority desc, candidate.run_id
         limit (select least(ceil(%(free)s * ring.weight / weights)::bigint, ring.room) from share)) as turn
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
    select id, pipeline, status, event_seq, input, origin, initiator, cost_micros, cost_ceiling_micros
      from run
     where id = any (array(select distinct run_id from admitted)) and status in ('queued', 'running', 'compensating')
     order by id for no key update skip locked
),
chosen as materialized (
    select held.*, admitted.spot, admitted.place, admitted.weight, admitted.outline
      from admitted join held on held.id = admitted.run_id
),
claimed as (
    update step
       set status = 'running', token = gen_random_uuid(), attempt = step.attempt + 1, due_at = null,
           lease_until = now() + make_interval(secs => %(lease)s), started_at = now(), finished_at = null
      from chosen
     where step.ctid = chosen.spot
    returning step.run_id, step.name, step.map_key, step.token, step.attempt, step.failures, step.losses, step.title,
              step.after, step.position, step.lane, step.tenant_id, step.item,
              coalesce(step.origin, chosen.origin) as origin,
              chosen.pipeline, chosen.status = 'queued' as is_queued, chosen.event_seq, chosen.input,
              chosen.initiator, chosen.cost_micros, chosen.cost_ceiling_micros,
              chosen.place, chosen.weight, chosen.outline
),
placed as materialized (
    select claimed.*,
           event_seq + is_queued::integer + count(*) filter (where map_key = '') over in_run::integer as seq,
           is_queued and row_number() over in_run = 1 as is_first
      from claimed
    window in_run as (partition by run_id order by position, map_key)
),
begun as (
    update run
       set status = case run.status when 'queued' then 'running' else run.status end,
           started_at = coalesce(started_at, now()), event_seq = last.seq
      from (select run_id, max(seq) as seq from placed group by run_id) as last
     where run.id = last.run_id and run.id = any (array(select id from held)) and run.event_seq < last.seq
),
told as (
    insert into run_event (run_id, seq, tenant_id, type, facts)
    select run_id, 1, tenant_id, 'run.started',
           jsonb_build_object('text', 'Started', 'pipeline', pipeline, 'steps', outline::jsonb)
      from placed where is_first
    union all
    select run_id, seq, tenant_id, 'step.started',
           jsonb_build_object('step', name, 'text', title, 'attempt', attempt)
      from placed where map_key = ''
),
walk_end as (
    select count(*) = %(walk)s as is_more, (array_agg(tenant_id order by place desc))[1] as ring_end from walked
)
select restraint.is_there as is_restrained, walk_end.is_more,
       case when placed.run_id is null then walk_end.ring_end end as ring_end,
       placed.place, placed.weight,
       placed.run_id, placed.name, placed.map_key, placed.token, placed.attempt, placed.failures, placed.losses,
       placed.title, placed.lane, placed.tenant_id, placed.pipeline, placed.seq, placed.is_first,
       case when placed.item is null then placed.input::text end as input, placed.item::text as item, now() as at,
       placed.origin, placed.initiator, placed.cost_micros, placed.cost_ceiling_micros,
       case when cardinality(placed.after) > 0 then (
           select jsonb_object_agg(earlier.name, earlier.output) from step as earlier
            where earlier.run_id = placed.run_id and earlier.name = any (placed.after)
              and earlier.map_key = '')::text end as earlier
  from restraint cross join walk_end left join placed on true
 order by placed.run_id, placed.seq"""


async def find_restraint(transaction: SystemTransaction) -> Row:
    """Whether anything is paused (`pauses`), and any tenant capped (`caps_tenants`)."""
    return await transaction.one(
        """
        select exists (select from hold where kind = 'pause') as pauses,
               exists (select from tenant_share where max_running is not null) as caps_tenants"""
    )


async def claim_ready(transaction: SystemTransaction, asked: Mapping[str, object]) -> list[Row]:
    """Lease ready steps; `asked` has the parameters of the statement by name (see `claiming.claim_steps`)."""
    return await transaction.all(_CLAIM, **asked)


async def try_lanes(transaction: SystemTransaction, lanes: Sequence[str]) -> list[Row]:
    """Keep others from counting these lanes until this transaction ends; `is_ours` is false where another one does."""
    return await transaction.all(
        """
        select lane, pg_try_advisory_xact_lock(hashtextextended(lane, 3)) as is_ours
          from unnest(%(lanes)s::text[]) as asked (lane) order by lane""",
        lanes=list(lanes),
    )


async def count_running(transaction: SystemTransaction, lanes: Sequence[str]) -> list[Row]:
    """How many steps of each lane run now."""
    return await transaction.all(
        """
        select asked.lane, (
               select count(*) from step where step.lane = asked.lane and step.status = 'running')::integer as running
          from unnest(%(lanes)s::text[]) as asked (lane)""",
        lanes=list(lanes),
    )


async def list_pauses(transaction: SystemTransaction) -> list[Row]:
    """Everything that is paused. Rows: few."""
    return await transaction.all("select tenant_id, pipeline, step from hold where kind = 'pause'")


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
