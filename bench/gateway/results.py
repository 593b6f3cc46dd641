"""What was measured: plain data, written as JSON with --json, from which every table is made."""

import statistics
from collections.abc import Callable, Sequence

import msgspec


class Percentiles(msgspec.Struct, frozen=True):
    """Milliseconds; -1 where nothing was measured."""

    p50: float
    p99: float
    p95: float = -1


class Load(msgspec.Struct, frozen=True):
    """What the load generator saw. `rps` counts answers of status 200 (streams with at least one event)."""

    seconds: float
    ok: int
    bad: int
    errors: int
    reconnects: int
    rps: float
    lat_ms: Percentiles
    codes: dict[str, int]
    bad_sample: str = ""
    ttft_ms: Percentiles | None = None
    maxgap_ms: Percentiles | None = None
    events_per_s: float = 0


class Measured(msgspec.Struct, frozen=True):
    """One scenario of one run.

    cpu_per_thousand   CPU-seconds of gateway and engines for 1,000 requests
    engines_share      how much of that the engines took, 0 to 1
    core_busy          share of its core that was used
    upstream_requests  what reached the mock: unlike `ok`, something was cached, retried or lost
    pss                MiB of the gateway itself, afterwards
    """

    load: Load
    cpu_per_thousand: float
    engines_share: float
    core_busy: float
    upstream_requests: int
    pss: float


class Run(msgspec.Struct, frozen=True):
    """One start of one contender; memory in MiB, of the gateway itself and of its engines."""

    name: str
    start_seconds: float
    idle_pss: float
    pss: float
    peak: float
    engines_pss: float
    scenarios: dict[str, Measured]


class Missing(msgspec.Struct, frozen=True):
    """A contender that could not be measured, and why."""

    name: str
    reason: str


class Results(msgspec.Struct, frozen=True):
    """Everything of one call of the bench."""

    surroundings: str
    notes: dict[str, str]
    runs: list[Run]
    missing: list[Missing]

    def names(self) -> list[str]:
        """Who was measured, in the order of the first run."""
        return list(dict.fromkeys(run.name for run in self.runs))

    def of(self, name: str) -> list[Run]:
        """The runs of one contender."""
        return [run for run in self.runs if run.name == name]

    def median(self, name: str, read: Callable[[Run], float]) -> float | None:
        """The median over a contender's runs."""
        return _median([read(run) for run in self.of(name)])

    def figure(self, name: str, scenario: str, read: Callable[[Measured], float | None]) -> float | None:
        """The median of one figure of one scenario; None where it was not measured."""
        measured = [run.scenarios[scenario] for run in self.of(name) if scenario in run.scenarios]
        return _median([value for each in measured if (value := read(each)) is not None])

    def failures(self, name: str) -> int:
        """Answers that were no success, and connections that broke."""
        each = [measured.load for run in self.of(name) for measured in run.scenarios.values()]
        return sum(load.bad + load.errors for load in each)


def _median(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None
