"""What is watched, read at once: backlog and age of each lane, rates and places of the workers, what was given up.

Counts come from Postgres by indexes that hold only what they count; rates and places are what the workers told of
themselves through Valkey in the last seconds. While it is away they are absent, never guessed.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from math import ceil

from mainspring.foundation.db import Database, Row
from mainspring.foundation.valkey import Valkey
from mainspring.orchestration.pipelines.backlog import WINDOW_SECONDS, LanePace, Pace, read_pace

from . import figures_store
from .lanes import split_lane

TARGET_WAIT_SECONDS = 30.0
"""Autoscaling asks for as many workers as clear what waits in this time."""


More = Callable[[], Awaitable[Mapping[str, float]]]
"""Further gauges of other rooms by name, such as `webhook_backlog`."""


@dataclass(frozen=True, slots=True)
class LaneRates:
    """Steps of a lane that ended well and badly each second, over the last minute, and the seconds that one took."""

    finished_per_second: float
    failed_per_second: float
    mean_seconds: float | None


@dataclass(frozen=True, slots=True)
class Places:
    """Steps that workers run, and how many they could."""

    workers: int
    taken: int
    total: int


@dataclass(frozen=True, slots=True)
class LaneFigures:
    """One lane, `pipeline@version/step`. `oldest_seconds` is None when nothing is ready."""

    lane: str
    pipeline: str
    version: int
    step: str
    ready: int
    running: int
    suspended: int
    retrying: int
    oldest_seconds: float | None
    rates: LaneRates | None
    is_held: bool


@dataclass(frozen=True, slots=True)
class Figures:
    """The whole installation at one moment.

    letters   open dead letters by pipeline and step
    holds     by kind
    """

    lanes: tuple[LaneFigures, ...]
    letters: Mapping[tuple[str, str], int]
    holds: Mapping[str, int]
    bulk_actions: int
    schedule_late_seconds: float
    places: Places
    more: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, slots=True)
class StepDemand:
    """How many workers a step asks for, over all pipelines and versions that have a step of that name.

    places  steps that should run at once
    """

    step: str
    places: float
    desired_workers: int
    backlog: int
    running: int
    oldest_seconds: float


async def read_figures(database: Database, valkey: Valkey, *, more: More | None = None) -> Figures:
    """Everything that is watched, of all tenants, without anything of theirs."""
    pace = await read_pace(valkey)
    gauges = await more() if more else {}
    async with database.system() as transaction:
        lanes = await figures_store.count_lanes(transaction)
        ages = {row["lane"]: row["seconds"] for row in await figures_store.find_ages(transaction)}
        letters = await figures_store.count_letters(transaction)
        holds = await figures_store.count_holds(transaction)
        delays = await figures_store.find_delays(transaction)
    held = {(row["pipeline"], row["step"]) for row in holds if row["is_everybodys"]}
    kinds: dict[str, int] = {"pause": 0, "drain": 0}
    for row in holds:
        kinds[row["kind"]] += row["count"]
    return Figures(
        lanes=tuple(_lane(row, ages.get(row["lane"]), pace, held) for row in _with_idle(lanes, pace)),
        letters={(row["pipeline"], row["step"]): row["count"] for row in letters},
        holds=kinds,
        bulk_actions=delays["bulk_actions"],
        schedule_late_seconds=delays["schedule_late_seconds"],
        places=Places(pace.workers, pace.taken, pace.total),
        more=gauges,
    )


def demands(figures: Figures, *, places_per_worker: int, target_wait: float = TARGET_WAIT_SECONDS) -> list[StepDemand]:
    """What each step asks for, by name. A step that is held, by the operator for everybody, asks for nothing.

    Places are needed for what runs, and for as much of what is ready as must start at once to be through in
    `target_wait` seconds; where nobody knows how long a step takes, that is all of it.
    """
    found: dict[str, list[LaneFigures]] = {}
    for lane in figures.lanes:
        found.setdefault(lane.step, []).append(lane)
    needed = {step: sum(_places(lane, target_wait) for lane in lanes) for step, lanes in found.items()}
    return [
        StepDemand(
            step=step,
            places=needed[step],
            desired_workers=ceil(needed[step] / places_per_worker),
            backlog=sum(lane.ready for lane in lanes),
            running=sum(lane.running for lane in lanes),
            oldest_seconds=max((lane.oldest_seconds or 0.0 for lane in lanes), default=0.0),
        )
        for step, lanes in sorted(found.items())
    ]


def _places(lane: LaneFigures, target_wait: float) -> float:
    if lane.is_held:
        return lane.running
    mean = lane.rates.mean_seconds if lane.rates else None
    share = 1.0 if mean is None else min(1.0, mean / target_wait)
    return lane.running + lane.ready * share


def _with_idle(rows: list[Row], pace: Pace) -> list[Row]:
    """The counted lanes, and those where nothing waits or runs but something ended lately."""
    idle = sorted(pace.lanes.keys() - {row["lane"] for row in rows})
    none = dict.fromkeys(("ready", "running", "suspended", "retrying"), 0)
    return sorted([*rows, *({"lane": lane, **none} for lane in idle)], key=lambda row: row["lane"])


def _lane(row: Row, age: float | None, pace: Pace, held: set[tuple[str | None, str | None]]) -> LaneFigures:
    name = str(row["lane"])
    pipeline, version, step = split_lane(name)
    return LaneFigures(
        lane=name,
        pipeline=pipeline,
        version=version,
        step=step,
        ready=row["ready"],
        running=row["running"],
        suspended=row["suspended"],
        retrying=row["retrying"],
        oldest_seconds=None if age is None else max(0.0, age),
        rates=_rates(pace.lanes.get(name)),
        is_held=not held.isdisjoint({(None, None), (pipeline, None), (pipeline, step)}),
    )


def _rates(pace: LanePace | None) -> LaneRates | None:
    if pace is None:
        return None
    return LaneRates(pace.succeeded / WINDOW_SECONDS, pace.failed / WINDOW_SECONDS, pace.mean_seconds)
