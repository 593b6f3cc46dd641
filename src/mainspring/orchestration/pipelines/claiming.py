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
from uuid import UUID

from mainspring.foundation.db import Row, SystemTransaction

from . import claiming_store

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
    rooms  steps that this worker can take at most of a lane, where that is not all
    """

    lanes: Mapping[str, Lane]
    free: int
    lease: float
    turn: Turn
    shares: Shares
    rooms: Mapping[str, int] = field(default_factory=dict[str, int])


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


async def claim_steps(transaction: SystemTransaction, asked: Claiming) -> Claimed:
    """Lease up to `free` ready steps, fairly between tenants, within every cap, and leave out what is paused.

    Who claims all the time opens the transaction with `plans_once`.
    """
    if any(lane.is_capped for lane in asked.lanes.values()):
        return await _claim_restrained(transaction, asked)
    rooms = _fitting(dict.fromkeys(asked.lanes, asked.free), asked)
    if not rooms:
        return Claimed()
    rows = await claiming_store.claim_ready(transaction, _terms(asked, rooms))
    if rows[0]["is_restrained"]:  # and has claimed nothing
        return await _claim_restrained(transaction, asked)
    return _read(rows, asked)


async def _claim_restrained(transaction: SystemTransaction, asked: Claiming) -> Claimed:
    """Claim where something is paused or capped: find out what first."""
    found = await claiming_store.find_restraint(transaction)
    pauses = await read_pauses(transaction, list(asked.lanes)) if found["pauses"] else NOTHING_PAUSED
    lanes = {lane: each for lane, each in asked.lanes.items() if lane not in pauses.lanes}
    rooms = await _find_rooms(transaction, lanes, asked.free, counts_tenants=found["caps_tenants"])
    may_count = rooms.pop(_TENANTS, 0) > 0
    rooms = _fitting(rooms, asked)
    if not rooms:
        return Claimed()
    # Whether a tenant can take something in a lane is only seen there: let some more of them try.
    tries_more = bool(pauses.pairs) or any(lanes[lane].cap_per_tenant is not None for lane in rooms)
    terms = _terms(asked, rooms, pauses) | {
        "heeds_restraint": True,
        "may_count": may_count,
        "ring": asked.free + SLACK * tries_more,
    }
    return _read(await claiming_store.claim_ready(transaction, terms), asked)


def _fitting(rooms: Mapping[str, int], asked: Claiming) -> dict[str, int]:
    """The lanes with room, here as well as over all workers."""
    return {lane: room for lane, each in rooms.items() if (room := min(each, asked.rooms.get(lane, each))) > 0}


def _terms(asked: Claiming, rooms: Mapping[str, int], pauses: Pauses = NOTHING_PAUSED) -> dict[str, object]:
    """The parameters of the statement, where nothing is capped."""
    lanes = [asked.lanes[lane] for lane in rooms]
    return {
        "heeds_restraint": False,
        "lanes": list(rooms),
        "rooms": list(rooms.values()),
        "caps": [lane.cap_per_tenant for lane in lanes],
        "outlines": [lane.outline for lane in lanes],
        "free": asked.free,
        "ring": asked.free,
        "walk": asked.free + SLACK + len(pauses.tenants),
        "lease": asked.lease,
        "after": asked.turn.start,
        "turn_of": asked.turn.after if asked.turn.credit else None,
        "credit": asked.turn.credit,
        "each": asked.shares.each,
        "tenants": list(asked.shares.held),
        "held": list(asked.shares.held.values()),
        "may_count": False,
        "paused": list(pauses.tenants),
        "paused_tenants": [tenant for tenant, _ in pauses.pairs],
        "paused_lanes": [lane for _, lane in pauses.pairs],
    }


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
    rows = await claiming_store.try_lanes(transaction, capped)
    rooms |= {row["lane"]: free if row["is_ours"] else 0 for row in rows}
    caps = {lane: cap for lane in lanes if rooms[lane] and (cap := lanes[lane].cap) is not None}
    if caps:
        counted = await claiming_store.count_running(transaction, list(caps))
        rooms |= {row["lane"]: caps[row["lane"]] - row["running"] for row in counted}
    return {lane: room for lane, room in rooms.items() if room > 0}


async def read_pauses(transaction: SystemTransaction, lanes: Sequence[str]) -> Pauses:
    """What is paused of these lanes."""
    paused: set[str] = set()
    tenants: set[UUID] = set()
    pairs: set[tuple[UUID, str]] = set()
    for row in await claiming_store.list_pauses(transaction):
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
