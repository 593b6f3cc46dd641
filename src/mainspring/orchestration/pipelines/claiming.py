"""Claiming: ready steps become leased ones, fairly between tenants, in one statement; and leases are renewed.

The ring of tenants that have ready steps is walked from where the last claim stopped. Each tenant
takes a turn of as many steps as it weighs, so that the shares of free places are as the weights are.
What limits a lane or a tenant is counted in rows here, under a lock that keeps two workers from
counting at once; nothing is counted in memory or in Valkey. Paused lanes and tenants are left out.

A claim never waits (it skips what is locked), and neither does a renewal, so none of these
statements can deadlock with another.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import LiteralString
from uuid import UUID

from mainspring.foundation.db import Row, SystemTransaction

SLACK = 16
"""How many tenants that can take nothing the ring may pass by without another claim."""


@dataclass(frozen=True, slots=True)
class Turn:
    """Where in the ring of tenants a claim begins.

    after   the tenant served last
    credit  how many more steps its turn has; 0 when the next tenant begins one
    """

    after: UUID
    credit: int = 0

    @property
    def start(self) -> UUID:
        """The id behind which the ring begins: just before the tenant whose turn goes on."""
        return UUID(int=max(0, self.after.int - 1)) if self.credit else self.after


@dataclass(frozen=True, slots=True)
class Shares:
    """How many places of a worker one tenant may have, and how many each has now."""

    each: int
    held: Mapping[UUID, int]


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane a worker claims from, and its caps over all workers; None for none.

    outline         the steps of its pipeline as `run.started` tells them, as JSON
    cap             steps that may run at once
    cap_per_tenant  steps of one tenant that may run at once
    """

    outline: str = "[]"
    cap: int | None = None
    cap_per_tenant: int | None = None

    @property
    def is_capped(self) -> bool:
        """Whether something is counted before a claim."""
        return self.cap is not None or self.cap_per_tenant is not None


@dataclass(frozen=True, slots=True)
class Pauses:
    """What is paused now.

    lanes    for everybody
    tenants  altogether
    pairs    (tenant, lane)
    """

    lanes: frozenset[str] = frozenset()
    tenants: frozenset[UUID] = frozenset()
    pairs: frozenset[tuple[UUID, str]] = frozenset()


NOTHING_PAUSED = Pauses()


@dataclass(frozen=True, slots=True)
class Claiming:
    """What a worker asks for.

    free   places to fill
    lease  seconds a step is theirs without renewal
    """

    lanes: Mapping[str, Lane]
    free: int
    lease: float
    turn: Turn
    shares: Shares


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a worker got.

    rows     one for each step: see the last `select` of the statement
    turn     where the next claim begins; None when no tenant had anything ready
    is_more  the ring was longer than this claim could walk
    """

    rows: list[Row] = field(default_factory=list[Row])
    turn: Turn | None = None
    is_more: bool = False


# Purpose: lease ready steps to one worker, at most `free`, in turn over the tenants that have some, and tell it.
# Index: step_ready, once per tenant and lane to walk the ring, and once more to pick; then rows by their place.
# No set is joined to another of as many rows: each row carries what the next part needs.
# Rows: one per step, at most `free`; without any, one that holds only where the ring ended.
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
     where ahead.place < %(walk)s
),
behind (tenant_id, place) as (
    (select following.tenant_id, %(walk)s + 1
       from unnest(%(lanes)s::text[]) as open (lane) cross join lateral (
            select tenant_id from step
             where status = 'ready' and step.lane = open.lane and tenant_id <= %(after)s
             order by tenant_id limit 1) as following
      where (select count(*) from ahead) < %(walk)s
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
     where behind.place < 2 * %(walk)s
),
walked as materialized (
    select * from (select * from ahead union all select * from behind) as both_arcs order by place limit %(walk)s
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
          from unnest(%(lanes)s::text[], %(rooms)s::integer[], %(caps)s::integer[], %(outlines)s::text[])
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
    select run.ctid as run_spot, id, pipeline, status, event_seq, subject, input, origin, initiator, cost_micros,
           cost_ceiling_micros
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
    returning step.run_id, step.name, step.map_key, step.token, step.attempt, step.failures, step.title, step.after,
              step.position, step.lane, step.tenant_id, step.item, coalesce(step.origin, chosen.origin) as origin,
              chosen.run_spot, chosen.pipeline, chosen.status = 'queued' as is_queued, chosen.event_seq,
              chosen.subject, chosen.input, chosen.initiator, chosen.cost_micros, chosen.cost_ceiling_micros,
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
      from (select run_spot, max(seq) as seq from placed group by run_spot) as last
     where run.ctid = last.run_spot and run.event_seq < last.seq
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
select walk_end.is_more, walk_end.ring_end, placed.place, placed.weight,
       placed.run_id, placed.name, placed.map_key, placed.token, placed.attempt, placed.failures, placed.title,
       placed.lane, placed.tenant_id, placed.pipeline, placed.subject, placed.seq, placed.is_first,
       case when placed.item is null then placed.input::text end as input, placed.item::text as item, now() as at,
       placed.origin, placed.initiator, placed.cost_micros, placed.cost_ceiling_micros,
       case when cardinality(placed.after) > 0 then (
           select jsonb_object_agg(earlier.name, earlier.output) from step as earlier
            where earlier.run_id = placed.run_id and earlier.name = any (placed.after)
              and earlier.map_key = '')::text end as earlier
  from walk_end left join placed on true
 order by placed.run_id, placed.seq"""


# Purpose: as `queue_store.plan_by_index`, and whether anything is paused and any tenant capped: mostly not.
_PREPARE: LiteralString = """
select set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true),
       exists (select from hold where kind = 'pause') as pauses,
       exists (select from tenant_share where max_running is not null) as caps_tenants"""


async def claim_steps(transaction: SystemTransaction, asked: Claiming) -> Claimed:
    """Lease up to `free` ready steps, fairly between tenants, within every cap, and leave out what is paused."""
    found = await transaction.one(_PREPARE)
    pauses = await read_pauses(transaction, list(asked.lanes)) if found["pauses"] else NOTHING_PAUSED
    lanes = {lane: each for lane, each in asked.lanes.items() if lane not in pauses.lanes}
    rooms = await _find_rooms(transaction, lanes, asked.free, counts_tenants=found["caps_tenants"])
    may_count = rooms.pop(_TENANTS, 0) > 0
    if not rooms:
        return Claimed()
    # Whether a tenant can take something in a lane is only seen there: let some more of them try.
    is_restrained = bool(pauses.pairs) or any(lanes[lane].cap_per_tenant is not None for lane in rooms)
    rows = await transaction.all(
        _CLAIM,
        lanes=list(rooms),
        rooms=list(rooms.values()),
        caps=[lanes[lane].cap_per_tenant for lane in rooms],
        outlines=[lanes[lane].outline for lane in rooms],
        free=asked.free,
        ring=asked.free + SLACK * is_restrained,
        walk=asked.free + SLACK + len(pauses.tenants),
        lease=asked.lease,
        after=asked.turn.start,
        turn_of=asked.turn.after if asked.turn.credit else None,
        credit=asked.turn.credit,
        each=asked.shares.each,
        tenants=list(asked.shares.held),
        held=list(asked.shares.held.values()),
        may_count=may_count,
        paused=list(pauses.tenants),
        paused_tenants=[tenant for tenant, _ in pauses.pairs],
        paused_lanes=[lane for _, lane in pauses.pairs],
    )
    return _read(rows, asked)


def _read(rows: list[Row], asked: Claiming) -> Claimed:
    head = rows[0]
    if head["run_id"] is None:
        return Claimed([], Turn(head["ring_end"]) if head["ring_end"] else None, head["is_more"])
    last = max(rows, key=lambda row: row["place"])
    tenant = last["tenant_id"]
    goes_on = asked.turn.credit > 0 and tenant == asked.turn.after
    credit = asked.turn.credit if goes_on else last["weight"]
    credit -= sum(1 for row in rows if row["place"] == last["place"])
    # A turn goes on only where the places ran out before it did.
    return Claimed(rows, Turn(tenant, max(0, credit) if len(rows) == asked.free else 0), head["is_more"])


_TENANTS = ""
"""Stands among the lanes for the tenants that may run only so many steps at once."""


async def _find_rooms(
    transaction: SystemTransaction, lanes: Mapping[str, Lane], free: int, *, counts_tenants: bool
) -> dict[str, int]:
    """How many more steps may run now in each lane that has room, and under `_TENANTS` 1 when tenants may be counted.

    The locks are taken before anything is counted, so that what their last holders committed is seen: two
    claims never count at once, and a lane that another worker is claiming from has no room.
    """
    rooms = dict.fromkeys(lanes, free)
    capped = [lane for lane, each in lanes.items() if each.is_capped] + [_TENANTS] * counts_tenants
    if not capped:
        return rooms
    rows = await transaction.all(
        """
        select lane, pg_try_advisory_xact_lock(hashtextextended(lane, 3)) as is_ours
          from unnest(%(lanes)s::text[]) as asked (lane) order by lane""",
        lanes=capped,
    )
    rooms |= {row["lane"]: free if row["is_ours"] else 0 for row in rows}
    caps = {lane: cap for lane in lanes if rooms[lane] and (cap := lanes[lane].cap) is not None}
    if caps:
        counted = await _count_running(transaction, list(caps))
        rooms |= {row["lane"]: caps[row["lane"]] - row["running"] for row in counted}
    return {lane: room for lane, room in rooms.items() if room > 0}


async def _count_running(transaction: SystemTransaction, lanes: Sequence[str]) -> list[Row]:
    return await transaction.all(
        """
        select asked.lane, (
               select count(*) from step where step.lane = asked.lane and step.status = 'running')::integer as running
          from unnest(%(lanes)s::text[]) as asked (lane)""",
        lanes=list(lanes),
    )


async def read_pauses(transaction: SystemTransaction, lanes: Sequence[str]) -> Pauses:
    """What is paused of these lanes."""
    paused: set[str] = set()
    tenants: set[UUID] = set()
    pairs: set[tuple[UUID, str]] = set()
    for row in await transaction.all("select tenant_id, pipeline, step from hold where kind = 'pause'"):
        tenant, pipeline = row["tenant_id"], row["pipeline"]
        matching = [lane for lane in lanes if is_held(lane, pipeline, row["step"])]
        if tenant is None:
            paused.update(matching)
        elif pipeline is None:
            tenants.add(tenant)
        else:
            pairs.update((tenant, lane) for lane in matching)
    return Pauses(frozenset(paused), frozenset(tenants), frozenset(pairs))


def is_held(lane: str, pipeline: str | None, step: str | None) -> bool:
    """Whether a hold on a pipeline (None: all) and a step (None: all) is on this lane, whatever its version."""
    name, _, rest = lane.partition("@")
    return (pipeline is None or name == pipeline) and (step is None or rest.partition("/")[2] == step)


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
