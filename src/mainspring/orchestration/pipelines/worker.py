"""The worker: claims, runs and settles steps until told to stop; it may be killed at any instant.

Loops, each of which outlives a restart of Postgres or Valkey:

    claim    as many steps as there are free places, when the doorbell rings, a place falls free, or each second
    settle   outcomes that came in since the last commit, all in one transaction
    sweep    each second: expired leases, retries that are due, deadlines
    listen   to the doorbell
    publish  to the live streams (`publisher.py`)

and one thread that renews leases (`leases.py`). Nothing that matters is kept in memory only: an
attempt that is not settled comes back when its lease expires.

A step that has lost workers before may be what ends them. It is a suspect: the worker that claims it
takes nothing new, lets end what runs, and runs the suspects one by one with nothing beside them. So
what a poisonous step ends is its own run, and not those of its neighbours.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import msgspec

from mainspring.foundation.clock import now
from mainspring.foundation.db import Database, DatabaseGone, Row
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.stopping import stop_all
from mainspring.foundation.telemetry import bind, get_logger
from mainspring.foundation.valkey import Valkey

from . import claiming, queue_store, store
from .backlog import PaceNotes, forget_pace, tell_pace
from .backoff import Backoff
from .doorbell import Doorbell, listen
from .errors import PipelineInvalid
from .execute import execute
from .inputs import Claim, read_claim
from .leases import LeaseKeeper
from .outcomes import Outcome, released
from .pipeline import Pipeline, StepDefinition
from .pools import PooledFunction
from .publisher import Publisher
from .settle import Settled
from .settler import Settler
from .step_run import LiveStepRun
from .story import Milestone
from .sweep import sweep
from .types import EventType, RunId, StepStatus
from .versions import register

log = get_logger(__name__)

SWEEP_SECONDS = 1.0
ECHO_SECONDS = 0.02
MAX_CLAIM = 100
"""Several smaller claims follow each other, so that one batch is settled while the next is claimed."""
DRAIN_SECONDS = 5.0
MAX_LAPS = 8
"""How often a claim that found only tenants who can take nothing goes on at once where it stopped."""


@dataclass(slots=True, eq=False)
class _Held:
    """A step that this worker runs, or has run and not yet settled."""

    claim: Claim
    run: LiveStepRun
    lane: str
    started_at: float = 0.0
    task: asyncio.Task[None] | None = None


class Worker:
    """Runs steps of the given pipelines, `concurrency` at once.

    lease  how long a step stays ours without renewal: how soon others take over after a kill
    steps  run only steps of these names; None for all
    """

    def __init__(
        self,
        database: Database,
        valkey: Valkey,
        *,
        pipelines: Sequence[Pipeline],
        concurrency: int = 16,
        lease: timedelta = timedelta(seconds=15),
        steps: frozenset[str] | None = None,
    ) -> None:
        self._database = database
        self._valkey = valkey
        self._concurrency = concurrency
        self._lease_seconds = lease.total_seconds()
        self._id = str(new_id())
        self._pipelines = pipelines
        self._definitions = _lanes(pipelines, steps)
        outlines = {f"{pipeline.name}@{pipeline.version}": _outline(pipeline) for pipeline in pipelines}
        self._lanes = {
            lane: claiming.Lane(outlines[lane.rpartition("/")[0]], each.concurrency, each.concurrency_per_tenant)
            for lane, each in self._definitions.items()
        }
        self._pools = {lane: pool for lane, each in self._definitions.items() if (pool := each.pool)}
        self._capped = {lane for lane, each in self._lanes.items() if each.is_capped}
        self._doorbell = Doorbell(valkey, ringer=self._id)
        self._publisher = Publisher(valkey, find_floor=self._find_floor, clock=now)
        self._chance = random.SystemRandom()
        self._held: dict[UUID, _Held] = {}
        self._suspects: dict[UUID, _Held] = {}
        self._tenants: Counter[UUID] = Counter()
        self._pace = PaceNotes()
        self._turn = self._any_turn()
        self._bell = asyncio.Event()
        self._sweep_bell = asyncio.Event()
        self._sweeping = asyncio.Lock()
        self._is_draining = False
        self._is_releasing = False
        self._settler = Settler(database, self._make_known)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._keeper = LeaseKeeper(database, self._lease_seconds, self._hear_lost)

    @property
    def held(self) -> int:
        """How many steps run here now, or wait to be settled."""
        return len(self._held)

    async def run(self, stop: asyncio.Event, *, grace: timedelta = timedelta(seconds=20)) -> None:
        """Work until `stop` is set; then finish what runs within `grace` and hand the rest back.

        raises   PipelineInvalid when a version of a pipeline has other types than it had before
        """
        await self.register(stop)
        self._loop = asyncio.get_running_loop()
        self._keeper.start()
        log.info("worker_started", worker=self._id, lanes=len(self._definitions), concurrency=self._concurrency)
        try:
            async with asyncio.TaskGroup() as group:
                claiming = group.create_task(self._claim_forever())
                listening = listen(self._valkey, on_ready=self._hear_ready, on_cancelled=self._keeper.check_now)
                others = [
                    group.create_task(work)
                    for work in (self._settler.run(), self._sweep_forever(), listening, self._publisher.run())
                ]
                await stop.wait()
                await self._stop_claiming(claiming)
                await self._drain(grace.total_seconds())
                await stop_all(others)
        finally:
            self._keeper.stop()
            await asyncio.to_thread(self._keeper.join, 2.0)
            log.info("worker_stopped", worker=self._id, left=len(self._held))

    async def register(self, stop: asyncio.Event) -> None:
        """Make the types of its pipelines known, waiting for the database if need be; `run` does so too.

        raises   PipelineInvalid as `run`
        """
        backoff = Backoff()
        while True:
            try:
                await register(self._database, self._pipelines)
                return
            except DatabaseGone as away:
                log.warning("register_failed", error=type(away).__name__)
                if stop.is_set():
                    return
                await backoff.wait()

    # Claiming

    async def _claim_forever(self) -> None:
        backoff = Backoff()
        was_rung, laps = True, 0
        while not self._is_draining:
            try:
                await self._run_suspect_alone()
                free = 0 if self._suspects else self._concurrency - len(self._held)
                claimed = await self._claim(min(free, MAX_CLAIM)) if free > 0 else claiming.Claimed()
                backoff.reset()
            except DatabaseGone as away:
                log.warning("claim_failed", error=type(away).__name__)
                await backoff.wait()
                continue
            rows = claimed.rows
            laps = laps + 1 if claimed.is_more and not rows else 0
            if 0 < laps <= MAX_LAPS or len(rows) == MAX_CLAIM or len({row["tenant_id"] for row in rows}) > 1:
                continue  # there may be more: equal shares of several tenants can leave places free
            # A claim skips runs that are locked at that instant: after a ring for nothing, look once more.
            is_echo = was_rung and free > 0 and not rows
            was_rung = await _wait(self._bell, ECHO_SECONDS if is_echo else SWEEP_SECONDS)

    async def _claim(self, free: int) -> claiming.Claimed:
        asked = claiming.Claiming(
            self._lanes, free, self._lease_seconds, self._turn, self._shares(), self._pooled_rooms()
        )
        async with self._database.system(plans_once=True) as transaction:
            claimed = await claiming.claim_steps(transaction, asked)
        claims = [read_claim(row, self._definitions[row["lane"]]) for row in claimed.rows]
        self._keeper.hold([claim.lease for claim in claims])
        # With nothing to take, start somewhere else next time: a tenant whose rows are locked holds up no other.
        self._turn = claimed.turn or self._any_turn()
        for claim, row in zip(claims, claimed.rows, strict=True):
            self._take(claim, row["lane"])
        # In the queue before anything that the steps say, and yet not sent before they run.
        self._publisher.tell(
            [each for row in claimed.rows for each in _start_milestones(row, self._lanes[row["lane"]].outline)]
        )
        return claimed

    def _pooled_rooms(self) -> dict[str, int]:
        """How many more steps the processes of each pool can take: more would only wait here, and time out."""
        if not self._pools:
            return {}
        taken = Counter(held.lane for held in self._held.values())
        return {lane: max(0, pool.processes - taken[lane]) for lane, pool in self._pools.items()}

    def _any_turn(self) -> claiming.Turn:
        return claiming.Turn(UUID(int=self._chance.getrandbits(128)))

    def _shares(self) -> claiming.Shares:
        """A quarter of the places is kept from any one tenant: its slow steps must not hold up the others."""
        return claiming.Shares(self._concurrency - self._concurrency // 4, self._tenants)

    def _take(self, claim: Claim, lane: str) -> None:
        held = _Held(claim, LiveStepRun(claim, database=self._database, publisher=self._publisher), lane)
        self._held[claim.lease.token] = held
        self._tenants[claim.lease.tenant] += 1
        if claim.is_suspect:
            self._suspects[claim.lease.token] = held
            self._bell.set()
        else:
            self._start(held)

    def _start(self, held: _Held) -> None:
        held.started_at = time.monotonic()
        held.task = asyncio.create_task(self._execute(held), name=f"step {held.claim.definition.name}")

    async def _run_suspect_alone(self) -> None:
        """Start the worst of the suspects when nothing runs; raises one of `DatabaseGone`."""
        if not self._suspects or any(held.task for held in self._held.values()):
            return
        held = max(self._suspects.values(), key=lambda each: each.claim.losses)
        async with self._database.system() as transaction:
            is_ours = await queue_store.mark_alone(transaction, held.claim.lease)
        if is_ours and not self._is_draining:
            log.info("suspect_alone", run=str(held.claim.lease.run), step=held.claim.lease.name)
            self._start(held)
        elif not is_ours:
            self._forget([held.claim.lease.token])

    async def _execute(self, held: _Held) -> None:
        lease = held.claim.lease
        with bind(tenant=lease.tenant, run=lease.run, step=lease.name):
            try:
                outcome = await execute(held.claim, held.run, self._chance, self._database)
            except asyncio.CancelledError:
                if not self._is_releasing or held.run.is_cancelled:
                    self._forget([lease.token])
                    return
                outcome = released(lease)
            if outcome.status is not StepStatus.READY:
                has_succeeded = outcome.failure is None
                self._pace.note(held.lane, time.monotonic() - held.started_at, has_succeeded=has_succeeded)
            self._settler.put(outcome)

    def _forget(self, tokens: Sequence[UUID]) -> None:
        shares = self._shares()
        is_capped = bool(self._pools) or any(held >= shares.each for held in shares.held.values())
        was_full = is_capped or bool(self._suspects) or len(self._held) >= self._concurrency
        self._keeper.drop(tokens)
        for token in tokens:
            self._suspects.pop(token, None)
            if held := self._held.pop(token, None):
                self._let_go(held.claim.lease.tenant)
        if was_full or self._is_draining:
            self._bell.set()

    def _let_go(self, tenant: TenantId) -> None:
        self._tenants[tenant] -= 1
        if not self._tenants[tenant]:
            del self._tenants[tenant]

    # Leases

    def _hear_lost(self, tokens: Sequence[UUID]) -> None:
        """In the keeper's thread: stop the steps whose lease is no longer ours."""
        assert self._loop is not None
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop_lost, tokens)

    def _stop_lost(self, tokens: Sequence[UUID]) -> None:
        for token in tokens:
            held = self._held.get(token)
            if held and held.task and not held.task.done():
                log.info("lease_lost", run=str(held.claim.lease.run), step=held.claim.lease.name)
                held.run.is_cancelled = True
                held.task.cancel()
        self._forget([token for token in tokens if token in self._held and not self._held[token].task])
        self._keeper.drop(tokens)

    # After a commit

    async def _make_known(self, batch: Sequence[Outcome], settled: Settled) -> None:
        self._publisher.tell(settled.milestones)
        self._forget([outcome.lease.token for outcome in batch])
        self._publisher.tell_fans(settled.fans)
        for delay in {delay for outcome in batch if (delay := outcome.due_in) is not None}:
            self._loop_now().call_later(delay + 0.005, self._sweep_bell.set)
        if settled.needs_kin:
            self._sweep_bell.set()
        lanes = settled.lanes | self._freed_lanes(batch)
        if lanes & self._definitions.keys():
            self._bell.set()
        if lanes:
            await self._doorbell.ring(lanes)

    def _freed_lanes(self, batch: Sequence[Outcome]) -> set[str]:
        """Capped lanes in which there is room again."""
        names = {outcome.lease.name for outcome in batch} if self._capped else set[str]()
        return {lane for lane in self._capped if lane.rpartition("/")[2] in names}

    # Hints and the net below them

    async def _sweep_forever(self) -> None:
        backoff = Backoff()
        while True:
            try:
                await self.sweep_now()
                backoff.reset()
            except DatabaseGone as away:
                log.warning("sweep_failed", error=type(away).__name__)
                await backoff.wait()
                continue
            self._publisher.touch([held.claim.lease for held in self._held.values()])
            await tell_pace(self._valkey, self._id, self._pace, taken=len(self._held), total=self._concurrency)
            await _wait(self._sweep_bell, SWEEP_SECONDS * self._chance.uniform(0.8, 1.2))

    async def sweep_now(self) -> bool:
        """Take up what has become due, as is done each second; whether there may be more of it.

        raises   one of `DatabaseGone`
        """
        async with self._sweeping:  # whoever asks for it is told of what a sweep under way has taken up as well
            swept = await sweep(self._database)
        self._publisher.tell(swept.milestones)
        if swept.has_ready:
            self._bell.set()
        if swept.has_more:
            self._sweep_bell.set()
        return swept.has_more

    def _hear_ready(self, rung: set[str]) -> None:
        if self._id not in rung and (not rung or rung & self._definitions.keys()):
            self._bell.set()

    # Going down

    async def _stop_claiming(self, claiming: asyncio.Task[None]) -> None:
        """Let a claim that is under way come in: its steps are ours already and must not wait for their leases."""
        self._is_draining = True
        self._bell.set()
        await asyncio.wait([claiming], timeout=DRAIN_SECONDS)
        claiming.cancel()

    async def _drain(self, grace: float) -> None:
        """Finish what runs, hand back what does not finish in time, and let the last commits through."""
        log.info("worker_draining", worker=self._id, running=len(self._held))
        for held in [each for each in self._suspects.values() if not each.task]:
            self._settler.put(released(held.claim.lease))
        await self._wait_until_idle(grace)
        self._is_releasing = True
        for held in list(self._held.values()):
            if held.task and not held.task.done():
                held.task.cancel()
        await self._wait_until_idle(DRAIN_SECONDS)
        await self._publisher.drain(1.0)
        await forget_pace(self._valkey, self._id)
        for lane in self._pools:
            function = self._definitions[lane].function
            if isinstance(function, PooledFunction):
                await function.close()

    async def _wait_until_idle(self, seconds: float) -> None:
        until = self._loop_now().time() + seconds
        while self._held and (rest := until - self._loop_now().time()) > 0:
            await _wait(self._bell, rest)

    async def _find_floor(self, tenant: TenantId, run: RunId) -> int:
        async with self._database.system() as transaction:
            rows = await store.find_positions(transaction, [run])
        return rows[0]["event_seq"] if rows else 0

    def _loop_now(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()


def _lanes(pipelines: Sequence[Pipeline], steps: frozenset[str] | None) -> dict[str, StepDefinition]:
    lanes = {
        pipeline.lane(step.name): step
        for pipeline in pipelines
        for step in (*pipeline.steps, *pipeline.compensations)
        if steps is None or (step.undoes or step.name) in steps
    }
    missing = (steps or frozenset()) - {step.name for step in lanes.values()}
    if missing:
        raise PipelineInvalid(f"No pipeline has a step named {', '.join(sorted(missing))}; check the worker's steps.")
    return lanes


def _outline(pipeline: Pipeline) -> str:
    """The steps of a pipeline as `run.started` tells them."""
    return msgspec.json.encode([{"name": step.name, "title": step.title} for step in pipeline.steps]).decode()


def _start_milestones(row: Row, outline: str) -> list[Milestone]:
    """What the claim wrote to the story, as `store.read_story` would return it."""
    tenant, run = TenantId(row["tenant_id"]), RunId(row["run_id"])
    milestones: list[Milestone] = []
    if row["is_first"]:
        opening = {"text": "Started", "pipeline": row["pipeline"], "steps": msgspec.Raw(outline.encode())}
        milestones.append(Milestone(tenant, run, 1, EventType.RUN_STARTED, row["at"], opening))
    if not row["map_key"]:  # items of a fan-out start in silence
        facts = {"step": row["name"], "text": row["title"], "attempt": row["attempt"]}
        milestones.append(Milestone(tenant, run, row["seq"], EventType.STEP_STARTED, row["at"], facts, row["attempt"]))
    return milestones


async def _wait(event: asyncio.Event, seconds: float) -> bool:
    """Whether the event came in time; it is cleared."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    event.clear()
    return True
