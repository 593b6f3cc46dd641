"""The state machine of runs and steps, held against a pure model by whatever sequence of events can be thought of.

Seeded and the same each time; `MAINSPRING_LONG_TESTS=1` looks much further. The engine's own functions are called
as workers call them, on a real Postgres, with the clock moved by hand.
"""

import asyncio
import os
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any, TypeVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from msgspec import Raw

from mainspring.foundation.db import Database
from mainspring.foundation.engines import EngineUrls
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.valkey import open_valkey
from mainspring.orchestration.pipelines import (
    Failure,
    Gathered,
    Pipeline,
    Pipelines,
    RunEnded,
    RunStatus,
    StepRun,
    Undo,
    Wait,
)
from mainspring.orchestration.pipelines.claiming import Claiming, Lane, Shares, Turn, claim_steps
from mainspring.orchestration.pipelines.inputs import Claim, read_claim
from mainspring.orchestration.pipelines.outcomes import (
    Lease,
    Outcome,
    Suspension,
    failed,
    fanned_out,
    released,
    retried,
    succeeded,
    suspended,
)
from mainspring.orchestration.pipelines.queue_store import mark_alone
from mainspring.orchestration.pipelines.settle import Settled, end_run, settle
from mainspring.orchestration.pipelines.sweep import sweep

from .run_model import FAN, UNFINISHED, RunModel
from .scenes import Number
from .test_fan_out import Numbers

IS_LONG = os.environ.get("MAINSPRING_LONG_TESTS") == "1"
EXPIRES = 100.0
OUTCOMES = (
    *("succeed", "retry", "succeed", "hand back", "succeed", "lose"),
    *("succeed", "lose alone", "retry later", "fail", "succeed"),
)
LEGAL = {"queued", "running", "compensating", "succeeded", "failed", "cancelled"}
_names = count()
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Joined:
    fan: Gathered[Number]
    ask: Number


def declared() -> Pipeline:
    """The pipeline of the model. Its functions are never called: the machine decides what comes of each attempt."""
    pipeline = Pipeline(f"tests.machine{os.getpid()}_{next(_names)}", version=1)

    @pipeline.step("root", title="Root")
    async def root(number: Number, run: StepRun) -> Numbers:
        raise AssertionError("the machine decides")

    @pipeline.step("fan", title="Fan", after=("root",), each="root.values", tolerance=0.34)
    async def fan(number: Number, run: StepRun) -> Number:
        raise AssertionError("the machine decides")

    @pipeline.step("ask", title="Ask", after=("root",))
    async def ask(numbers: Numbers, run: StepRun) -> Wait[Number]:
        raise AssertionError("the machine decides")

    @pipeline.step("join", title="Join", after=("fan", "ask"))
    async def join(joined: Joined, run: StepRun) -> Number:
        raise AssertionError("the machine decides")

    @pipeline.compensation("root")
    async def undo_root(undo: Undo[Number, Numbers], run: StepRun) -> None:
        raise AssertionError("the machine decides")

    @pipeline.compensation("fan")
    async def undo_fan(undo: Undo[Number, Number], run: StepRun) -> None:
        raise AssertionError("the machine decides")

    return pipeline


@dataclass(slots=True)
class Rig:
    """The engines, and a loop to call them from where nothing is awaited."""

    urls: EngineUrls
    runner: asyncio.Runner = field(default_factory=asyncio.Runner)
    shift: timedelta = field(default_factory=timedelta)
    database: Database = field(init=False)
    pipelines: Pipelines = field(init=False)

    def open(self) -> None:
        self.database = self.do(Database.open(self.urls.database_url, connections=2, clock_shift=lambda: self.shift))
        self.pipelines = Pipelines(self.database, open_valkey(self.urls.valkey_url))

    def do(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self.runner.run(work)

    def close(self) -> None:
        self.do(self.database.close())
        self.runner.close()


class Machine(RuleBasedStateMachine):
    """One run: everything that may happen to it, in any order."""

    rig: Rig

    def __init__(self) -> None:
        super().__init__()
        self.tenant = TenantId(new_id())
        self.pipeline = declared()
        self.lanes = {
            self.pipeline.lane(each.name): each for each in (*self.pipeline.steps, *self.pipeline.compensations)
        }
        self.rig.shift = timedelta()
        self.run = self.rig.do(self.rig.pipelines.submit(self.tenant, self.pipeline, Number(3))).id
        self.items = 3
        self.model = RunModel(tolerated=1)
        self.held: dict[tuple[str, str], Claim] = {}
        self.zombies: list[Lease] = []
        self.keys: dict[tuple[str, str], set[str]] = {}
        self.effects: dict[str, int] = {}

    @initialize(items=st.integers(0, 4))
    def choose(self, items: int) -> None:
        """How many items there are, of which a third may fail."""
        self.items, self.model.tolerated = items, items // 3

    # What a worker does

    @precondition(lambda self: self.model.of("ready"))
    @rule(places=st.integers(1, 4))
    def claim(self, places: int) -> None:
        terms = Claiming({lane: Lane() for lane in self.lanes}, places, 60, Turn(UUID(int=0)), Shares(places, {}))

        async def work() -> list[dict[str, Any]]:
            async with self.rig.database.system() as transaction:
                return (await claim_steps(transaction, terms)).rows

        rows = self.rig.do(work())
        assert len(rows) == min(places, len(self.model.of("ready"))), "what is ready is claimed"
        for row in rows:
            claim = read_claim(row, self.lanes[row["lane"]])
            place = (claim.lease.name, claim.lease.map_key)
            self.model.claim(place)
            self.held[place] = claim
            self.keys.setdefault(place, set()).add(f"{claim.origin}/{claim.lease.place}")

    def _settle(self, outcome: Outcome, *, is_taken: bool = True) -> None:
        async def work() -> Settled:
            async with self.rig.database.system() as transaction:
                return await settle(transaction, [outcome])

        settled = self.rig.do(work())
        assert bool(settled.refused) is not is_taken

    @precondition(lambda self: not self.model.is_over)
    @rule(choice=st.integers(0, 20), what=st.sampled_from(OUTCOMES))
    def work(self, choice: int, what: str) -> None:
        """What the worker holds comes to an end somehow; with empty hands it takes what there is."""
        if not self.held:
            self.claim(4)
            return
        place = sorted(self.held)[choice % len(self.held)]
        claim = self.held.pop(place)
        self.zombies.append(claim.lease)
        match what:
            case "fail":
                self._settle(failed(claim.lease, Failure("broken", "It broke."), trace="", given=None))
                self.model.fail(place)
            case "retry" | "retry later":
                delay = 5.0 if what == "retry" else 40.0
                self._settle(retried(claim.lease, Failure("later", "Later."), delay=delay, trace=""))
                self.model.retry(place, delay)
            case "hand back":
                self._settle(released(claim.lease))
                self.model.steps[place] = "ready"
            case "lose" | "lose alone":
                is_alone = what == "lose alone"
                self._lose(claim.lease, is_alone=is_alone)
                self.model.lose(place, is_alone=is_alone)
            case _:
                self._succeed(place, claim)

    @precondition(lambda self: not self.model.is_over)
    @rule(choice=st.integers(0, 20))
    def work_well(self, choice: int) -> None:
        self.work(choice, "succeed")

    def _succeed(self, place: tuple[str, str], claim: Claim) -> None:
        if place == FAN:
            self._settle(fanned_out(claim.lease, [Raw(b'{"value": 1}')] * self.items))
            self.model.fan_out(self.items)
            return
        if place[0] == "ask":
            wait = Suspension("signal:go", EXPIRES)
            self._settle(suspended(claim.lease, wait, "Asked"))
            self.model.suspend(EXPIRES)
            return
        key = f"{claim.origin}/{claim.lease.place}"
        self.effects[key] = self.effects.get(key, 0) + 1
        self._settle(succeeded(claim.lease, '{"value": 1}', "Done"))
        self.model.succeed(place)

    def _lose(self, lease: Lease, *, is_alone: bool) -> None:
        async def work() -> None:
            async with self.rig.database.system() as transaction:
                if is_alone:
                    await mark_alone(transaction, lease)
                await transaction.run(
                    """
                    update step set lease_until = now() - interval '1 second'
                     where token = %(token)s and run_id = %(run)s""",
                    token=lease.token,
                    run=lease.run,
                )
            await sweep(self.rig.database)

        self.rig.do(work())

    @precondition(lambda self: self.zombies)
    @rule(choice=st.integers(0, 20))
    def a_zombie_comes_back(self, choice: int) -> None:
        lease = self.zombies[choice % len(self.zombies)]
        self._settle(succeeded(lease, '{"value": 666}', "Too late"), is_taken=False)

    # What others do

    @rule(key=st.sampled_from(["a", "b"]), really=st.integers(0, 3))
    def signal(self, key: str, really: int) -> None:
        if really != 2:  # mostly not yet, so that there is something to wait for
            return
        is_open = not self.model.is_over and self.model.status != "compensating"
        try:
            self.rig.do(self.rig.pipelines.signal(self.tenant, self.run, "go", {"value": 1}, key=key))
        except RunEnded:
            assert not is_open
        else:
            assert is_open or self.model.has_signal
        if is_open:
            self.model.signal()

    @rule(seconds=st.sampled_from([10.0, 20.0, 45.0]))
    def time_passes(self, seconds: float) -> None:
        self.rig.shift += timedelta(seconds=seconds)
        self.rig.do(sweep(self.rig.database))
        self.model.advance(seconds)

    @precondition(lambda self: not self.model.is_over)
    @rule(really=st.integers(0, 7))
    def cancel(self, really: int) -> None:
        if really != 5:  # runs that are cancelled at once show little
            return

        async def work() -> RunStatus | None:
            async with self.rig.database.tenant(self.tenant) as transaction:
                return (await end_run(transaction, self.run, RunStatus.CANCELLED))[0]

        assert self.rig.do(work()) == self.model.status
        self.model.close("cancelled")

    # What always holds

    @invariant()
    def the_run_is_as_the_model_says(self) -> None:
        run, steps, events, letters = self.rig.do(self._read())
        assert run["status"] == self.model.status
        assert steps == self.model.steps
        self._drop_void()
        assert {place for place in steps if steps[place] == "running"} == self.held.keys()
        assert letters == self.model.letters, "one dead letter for each failure"
        assert [row["seq"] for row in events] == list(range(1, run["event_seq"] + 1)), "no number is missing"
        ends = [row["seq"] for row in events if row["type"] == "run.finished"]
        assert ends == ([len(events)] if self.model.is_over else []), "one end, and nothing after it"
        if self.model.is_over:
            assert not UNFINISHED & set(steps.values()), "nothing goes on after the end"
        assert all(len(keys) == 1 for keys in self.keys.values()), "every attempt has the same key"
        assert all(times == 1 for times in self.effects.values()), "an effect is settled once"

    def _drop_void(self) -> None:
        """What the worker holds of a run that has been closed is a zombie from now on."""
        for place in [place for place in self.held if self.model.steps[place] != "running"]:
            self.zombies.append(self.held.pop(place).lease)

    async def _read(self) -> tuple[dict[str, Any], dict[Any, Any], list[dict[str, Any]], set[Any]]:
        async with self.rig.database.tenant(self.tenant) as transaction:
            run = await transaction.one("select status, event_seq from run where id = %(run)s", run=self.run)
            steps = await transaction.all("select name, map_key, status from step where run_id = %(run)s", run=self.run)
            events = await transaction.all(
                "select seq, type from run_event where run_id = %(run)s order by seq", run=self.run
            )
            letters = await transaction.all(
                "select step, map_key from dead_letter where run_id = %(run)s", run=self.run
            )
        assert run["status"] in LEGAL
        return (
            run,
            {(row["name"], row["map_key"]): row["status"] for row in steps},
            events,
            {(row["step"], row["map_key"]) for row in letters},
        )


@pytest.mark.timeout(7_200 if IS_LONG else 120)
def test_runs_do_what_the_model_says_whatever_happens(engines: EngineUrls) -> None:
    rig = Machine.rig = Rig(engines)
    rig.open()
    try:
        run_state_machine_as_test(
            Machine,
            settings=settings(
                max_examples=2_000 if IS_LONG else 120,
                stateful_step_count=100 if IS_LONG else 60,
                derandomize=True,
                deadline=None,
                database=None,
                suppress_health_check=(HealthCheck.too_slow, HealthCheck.filter_too_much),
            ),
        )
    finally:
        rig.close()
