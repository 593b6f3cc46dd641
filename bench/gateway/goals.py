"""The promises of the gateway, each beside what was measured."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .results import Results
from .table import added


@dataclass(frozen=True, slots=True)
class Goal:
    """`read` gives the figure for a contender; it must be at least, or at most, the limit."""

    what: str
    limit: float
    is_least: bool
    read: Callable[[Results, str], float | None]


def _rps(scenario: str) -> Callable[[Results, str], float | None]:
    return lambda results, name: results.figure(name, scenario, lambda each: each.load.rps)


def _per_core(results: Results, name: str) -> float | None:
    """Requests a second that one full core would serve, gateway and engines together."""
    cost = results.figure(name, "ns_c64", lambda each: each.cpu_per_thousand)
    return 1000 / cost if cost else None


def _added(scenario: str, percentile: str) -> Callable[[Results, str], float | None]:
    return lambda results, name: added(results, name, scenario, percentile)


def _memory(results: Results, name: str) -> float | None:
    return results.median(name, lambda run: run.pss)


def _start(results: Results, name: str) -> float | None:
    return results.median(name, lambda run: run.start_seconds)


GOALS = (
    Goal("requests/s on one core, 64 connections", 10_000, True, _rps("ns_c64")),
    Goal("requests/s by CPU time (1000 / CPU-s per 1k)", 10_000, True, _per_core),
    Goal("added p50 at one connection, ms", 0.3, False, _added("ns_c1", "p50")),
    Goal("added p99 at one connection, ms", 2.0, False, _added("ns_c1", "p99")),
    Goal("added p50 at 100 req/s, 60 ms upstream, ms", 0.6, False, _added("ns_rate100", "p50")),
    Goal("streams/s of 50 chunks", 1_800, True, _rps("st_c64")),
    Goal("requests/s with bodies of 64 KB", 5_000, True, _rps("big_c16")),
    Goal("gateway's PSS after the load, MiB", 100, False, _memory),
    Goal("start to first 200, s", 1.0, False, _start),
)


def show_goals(results: Results, name: str) -> str:
    """One line for each goal that was measured."""
    return f"### {name}: goals\n\n" + "\n".join(_lines(results, name))


def _lines(results: Results, name: str) -> Iterator[str]:
    for goal in GOALS:
        value = goal.read(results, name)
        if value is None:
            continue
        is_met = value >= goal.limit if goal.is_least else value <= goal.limit
        bound = "at least" if goal.is_least else "at most"
        yield f"- {'met   ' if is_met else 'MISSED'} {goal.what}: {value:,.2f} ({bound} {goal.limit:,g})"
