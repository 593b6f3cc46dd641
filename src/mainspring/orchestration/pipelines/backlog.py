"""How much waits, and what is done about it: refused at the door, told as pace, shared by weight.

    Gate(database, limit=200_000)         asked by every submit: 409 pipeline_draining, 429 backlog_full
    PaceNotes().note(lane, seconds, ok)   what a worker keeps of the last minute
    tell_pace(valkey, worker, notes, taken=, total=)     what it tells each second, forgotten after ten
    read_pace(valkey) -> Pace             the rates of each lane and the places of all workers
    count_lanes(database, lanes) -> tuple[TenantLane, ...]
    set_share(database, tenant, Share(weight, max_running)), find_share(database, tenant) -> Share

Counting is bounded and done at most once a second for a tenant, in each process; so the limit is kept
to within what is submitted in a second.
"""

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from contextvars import Context
from dataclasses import dataclass, field
from typing import cast
from uuid import UUID

import msgspec

from mainspring.foundation.db import Database, DatabaseGone, TenantTransaction
from mainspring.foundation.errors import InvalidInput
from mainspring.foundation.ids import TenantId
from mainspring.foundation.telemetry import get_logger
from mainspring.foundation.valkey import Valkey, ValkeyGone

from . import backlog_store
from .errors import BacklogFull, PipelineDraining

log = get_logger(__name__)

BACKLOG_LIMIT = 200_000
"""Ready steps a tenant may have before more runs are refused."""

FRESH_SECONDS = 1.0
RETRY_AFTER_SECONDS = 5
MAX_TENANTS = 10_000
WINDOW_SECONDS = 60.0
PACE_SECONDS = 10
"""How long after its last word a worker is taken for gone."""

_WORKERS = "pipelines:workers"
"""Sorted set of the ids of workers by the second of their last word. Expires after PACE_SECONDS without any."""


class Gate:
    """Decides whether a run may be submitted.

    limit   ready steps of one tenant, above which its submits are refused
    """

    def __init__(self, database: Database, *, limit: int = BACKLOG_LIMIT) -> None:
        self._database = database
        self._limit = limit
        self._drains: Sequence[tuple[UUID | None, str | None, str]] = ()
        self._read_at = float("-inf")
        self._counts: dict[TenantId, tuple[float, int]] = {}
        self._refreshing: asyncio.Task[None] | None = None

    async def look(self) -> None:
        """Learn of drains, at most once a second; call it before the transaction is opened."""
        if time.monotonic() - self._read_at >= FRESH_SECONDS:
            await self._read_drains()

    async def check(
        self, transaction: TenantTransaction, pipeline: str, *, steps: int = 1
    ) -> PipelineDraining | BacklogFull | None:
        """Why a run of `steps` ready steps may not be submitted now; None when it may, and then it is counted."""
        if time.monotonic() - self._read_at >= FRESH_SECONDS:
            self._look_soon()
        for tenant, name, reason in self._drains:
            if tenant in {None, transaction.tenant} and name in {None, pipeline}:
                return PipelineDraining(
                    f"{pipeline} takes no new runs while it is drained ({reason}). Submit again when it is released."
                )
        return await self._check_backlog(transaction, steps)

    async def _check_backlog(self, transaction: TenantTransaction, steps: int) -> BacklogFull | None:
        tenant, now = transaction.tenant, time.monotonic()
        counted_at, ready = self._counts.get(tenant, (float("-inf"), 0))
        if now - counted_at >= FRESH_SECONDS:
            if len(self._counts) >= MAX_TENANTS:
                self._counts.clear()
            counted_at, ready = now, await backlog_store.count_ready(transaction, self._limit + 1)
        fits = ready + steps <= self._limit
        self._counts[tenant] = (counted_at, ready + steps if fits else ready)
        if fits:
            return None
        return BacklogFull(
            f"{ready} steps are ready to run; the limit is {self._limit}. "
            f"Submit again in {RETRY_AFTER_SECONDS} s, when some of them are done.",
            retry_after_seconds=RETRY_AFTER_SECONDS,
        )

    async def _read_drains(self) -> None:
        async with self._database.system() as transaction:
            rows = await backlog_store.list_drains(transaction)
        self._drains = [(row["tenant_id"], row["pipeline"], row["reason"]) for row in rows]
        self._read_at = time.monotonic()

    def _look_soon(self) -> None:
        """Within a transaction there is no second one: read in a task that knows nothing of it, for the next time."""
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.get_running_loop().create_task(self._look_quietly(), context=Context())

    async def _look_quietly(self) -> None:
        try:
            await self._read_drains()
        except DatabaseGone as away:
            log.debug("drains_unread", error=type(away).__name__)


class LanePace(msgspec.Struct, frozen=True):
    """What ended in a lane within the last minute: how many well, how many badly, and the seconds they took."""

    succeeded: int = 0
    failed: int = 0
    seconds: float = 0.0

    @property
    def mean_seconds(self) -> float | None:
        """What one step took; None when none ended."""
        ended = self.succeeded + self.failed
        return self.seconds / ended if ended else None

    def add(self, other: "LanePace") -> "LanePace":
        """Both together."""
        return LanePace(self.succeeded + other.succeeded, self.failed + other.failed, self.seconds + other.seconds)


class PaceNotes:
    """What a worker has done in the last minute, in slices of a second."""

    def __init__(self) -> None:
        self._slices: deque[tuple[int, dict[str, LanePace]]] = deque()

    def note(self, lane: str, seconds: float, *, has_succeeded: bool) -> None:
        """A step of the lane ended after so many seconds."""
        at = int(time.monotonic())
        if not self._slices or self._slices[-1][0] != at:
            self._slices.append((at, {}))
        lanes = self._slices[-1][1]
        lanes[lane] = lanes.get(lane, LanePace()).add(LanePace(int(has_succeeded), int(not has_succeeded), seconds))

    def sum_up(self) -> dict[str, LanePace]:
        """The last minute, lane by lane."""
        oldest = time.monotonic() - WINDOW_SECONDS
        while self._slices and self._slices[0][0] < oldest:
            self._slices.popleft()
        return _sum(lanes for _, lanes in self._slices)


class _Told(msgspec.Struct, frozen=True):
    taken: int
    total: int
    lanes: dict[str, LanePace]


@dataclass(frozen=True, slots=True)
class Pace:
    """What all workers did in the last minute, and how many places they have and use now."""

    workers: int = 0
    taken: int = 0
    total: int = 0
    lanes: Mapping[str, LanePace] = field(default_factory=dict[str, LanePace])


async def tell_pace(valkey: Valkey, worker: str, notes: PaceNotes, *, taken: int, total: int) -> None:
    """Tell what this worker does; nothing depends on it, so it never fails."""
    told = msgspec.json.encode(_Told(taken, total, notes.sum_up()))
    try:
        async with valkey.pipeline(transaction=False) as pipe:
            pipe.set(_worker_key(worker), told, ex=PACE_SECONDS)
            pipe.zadd(_WORKERS, {worker: time.time()})
            pipe.expire(_WORKERS, PACE_SECONDS)
            await pipe.execute()
    except ValkeyGone as away:
        log.debug("pace_untold", error=type(away).__name__)


async def forget_pace(valkey: Valkey, worker: str) -> None:
    """The worker goes down: its places are gone at once."""
    try:
        await valkey.zrem(_WORKERS, worker)
        await valkey.delete(_worker_key(worker))
    except ValkeyGone as away:
        log.debug("pace_untold", error=type(away).__name__)


async def read_pace(valkey: Valkey) -> Pace:
    """What the workers that are there have told; nothing while Valkey is away."""
    try:
        workers = cast("list[bytes]", await valkey.zrangebyscore(_WORKERS, time.time() - PACE_SECONDS, "+inf"))
        told = await valkey.mget([_worker_key(worker.decode()) for worker in workers]) if workers else []
    except ValkeyGone as away:
        log.warning("pace_unread", error=type(away).__name__)
        return Pace()
    found = [msgspec.json.decode(each, type=_Told) for each in told if each]
    return Pace(
        workers=len(found),
        taken=sum(each.taken for each in found),
        total=sum(each.total for each in found),
        lanes=_sum(each.lanes for each in found),
    )


@dataclass(frozen=True, slots=True)
class TenantLane:
    """What one tenant has in one lane."""

    lane: str
    tenant: TenantId
    ready: int
    running: int


async def count_lanes(database: Database, lanes: Sequence[str]) -> tuple[TenantLane, ...]:
    """What is ready and what runs in these lanes, tenant by tenant; for the operator."""
    async with database.system() as transaction:
        rows = await backlog_store.count_tenant_lanes(transaction, list(lanes))
    return tuple(TenantLane(row["lane"], TenantId(row["tenant_id"]), row["ready"], row["running"]) for row in rows)


@dataclass(frozen=True, slots=True)
class Share:
    """A tenant's part of the workers.

    weight       1 to 100: of places that several want, each gets as many as its weight says
    max_running  steps that may run at once over all workers; None for no limit
    """

    weight: int = 1
    max_running: int | None = None


async def set_share(database: Database, tenant: TenantId, share: Share) -> None:
    """Set a tenant's share, from the next claim on; InvalidInput when it is out of bounds. For the operator."""
    if not 1 <= share.weight <= 100:
        raise InvalidInput(f"weight is {share.weight}; it must be between 1 and 100.")
    if share.max_running is not None and share.max_running < 1:
        raise InvalidInput(f"max_running is {share.max_running}; it must be 1 or more, or nothing. Pause instead.")
    async with database.system() as transaction:
        await backlog_store.write_share(transaction, tenant, share.weight, share.max_running)


async def find_share(database: Database, tenant: TenantId) -> Share:
    """The tenant's share; weight 1 without a cap when nothing was set."""
    async with database.system() as transaction:
        row = await backlog_store.read_share(transaction, tenant)
    return Share(row["weight"], row["max_running"]) if row else Share()


def _sum(parts: Iterable[Mapping[str, LanePace]]) -> dict[str, LanePace]:
    found: dict[str, LanePace] = {}
    for part in parts:
        for lane, pace in part.items():
            found[lane] = found.get(lane, LanePace()).add(pace)
    return found


def _worker_key(worker: str) -> str:
    """What one worker told last, as JSON. Expires after PACE_SECONDS."""
    return f"pipelines:worker:{worker}"
