"""Measure the gateway beside nginx, TensorZero and the LiteLLM proxy; tables on standard output.

    python -m bench.gateway                    everything, about 18 minutes on two cores
    python -m bench.gateway --short            ours alone, some 15 seconds; exit code 1 when a request fails
    python -m bench.gateway --features         what each feature of ours costs
    python -m bench.gateway --memory 1000000   whether our memory stays flat
    python -m bench.gateway --also 'mine={python} /path/gateway.py --port {port} --upstream {upstream}'

See bench/gateway/README.md for what is sent and how to read the figures.
"""

import argparse
import os
import platform
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from .configuration import CALLER_TLS, COMMITTED, FEATURES, TLS, WHOLE
from .contenders import Absent, Command, Contender, Direct, LiteLlm, Nginx, TensorZero
from .goals import show_goals
from .growth import measure_growth
from .measuring import Plan, measure, pick_scenarios
from .ours import Ours
from .peers import install_peers
from .processes import raise_priority
from .results import Missing, Results, Run
from .rig import Rig, open_rig
from .scenarios import SCENARIOS
from .table import show, show_features

_HOME = Path(__file__).parents[2] / ".bench"
_SHORT = ("ns_c1", "ns_c64", "st_c64")
_FEATURES = ("ns_c1", "ns_c64", "st_c64")


@dataclass(frozen=True, slots=True)
class Cores:
    """Where the load generator and the mock run, and where the gateway with its engines."""

    load: int
    gateway: int


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and answer whether everything was answered."""
    options = _read(arguments)
    # Without this, SIGTERM would end us and leave what was started running.
    signal.signal(signal.SIGTERM, _end)
    cores = _pick_cores()
    if not options.polite:
        raise_priority()
    with open_rig(cores.load, with_tls=options.tls or options.features) as rig:
        if options.memory:
            return 0 if measure_growth(Ours(WHOLE), rig, cores.gateway, options.memory, _announce) else 1
        results = _measure(_contenders(options), rig, cores, options)
    print(show_features(results, WHOLE.name) if options.features else show(results), end="\n\n")
    if results.of(WHOLE.name):
        print(show_goals(results, WHOLE.name))
    if options.json:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(results)))
    return 1 if any(results.failures(name) for name in results.names()) or not results.of(WHOLE.name) else 0


def _read(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="NAMES", help="comma-separated rows of the table, such as direct,Mainspring")
    parser.add_argument("--peers", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--also", action="append", default=[], metavar="NAME=COMMAND", help="any other gateway")
    parser.add_argument("--tls", action=argparse.BooleanOptionalAction, default=True, help="an upstream with TLS, too")
    parser.add_argument("--features", action="store_true", help="ours with each feature switched")
    parser.add_argument("--memory", type=int, metavar="N", help="only: is our memory flat over N requests?")
    parser.add_argument("--short", action="store_true", help="what CI runs: direct and ours, three scenarios")
    parser.add_argument("--scenarios", default=None, metavar="NAMES", help=f"of {','.join(SCENARIOS)}")
    parser.add_argument("--scale", type=float, default=0.5, help="multiplies every measuring time")
    parser.add_argument("--runs", type=int, default=3, help="the tables show the medians")
    parser.add_argument("--polite", action="store_true", help="do not raise priorities")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    if options.short:
        options.runs, options.scale, options.tls = 1, 0.2, False
    if options.memory or options.short:
        options.tls = options.features = False
    return options


def _contenders(options: argparse.Namespace) -> list[Contender]:
    """Who is measured, in the order of the table."""
    also = [Command(*each.split("=", 1)) for each in options.also]
    if options.features:
        return [Direct(), *map(Ours, FEATURES), *also]
    if options.short:
        return [Direct(), Ours(WHOLE)]
    tls: list[Contender] = (
        [Nginx(with_tls=True, runs=2), Ours(TLS, runs=2), Ours(CALLER_TLS, runs=2)] if options.tls else []
    )
    peers: list[Contender] = [Nginx(), *tls[:1], TensorZero(None), LiteLlm(None)] if options.peers else []
    chosen: list[Contender] = [Direct(), *peers, Ours(WHOLE), *tls[1:], Ours(COMMITTED, runs=2), *also]
    if options.only:
        chosen = [each for each in chosen if each.name in options.only.split(",")]
    if any(isinstance(each, TensorZero | LiteLlm) for each in chosen):
        interpreter = install_peers(_HOME, _announce)
        chosen = [type(each)(interpreter) if isinstance(each, TensorZero | LiteLlm) else each for each in chosen]
    return chosen


def _measure(contenders: Sequence[Contender], rig: Rig, cores: Cores, options: argparse.Namespace) -> Results:
    """Run after run over all contenders, so that what drifts on the machine falls on all of them."""
    default = _SHORT if options.short else _FEATURES if options.features else tuple(SCENARIOS)
    scenarios = pick_scenarios(options.scenarios.split(",") if options.scenarios else default)
    plan = Plan(scenarios, options.scale, warmup=0.3 if options.short else 1.0)
    runs: list[Run] = []
    missing: dict[str, Missing] = {}
    for number in range(options.runs):
        for contender in contenders:
            if contender.name in missing or number >= contender.runs:
                continue
            try:
                runs.append(measure(contender, rig, cores.gateway, plan, _announce))
            except Absent as absent:
                _announce(f"{contender.name}: not measured: {absent}")
                missing[contender.name] = Missing(contender.name, str(absent))
    notes = {contender.name: contender.note for contender in contenders}
    return Results(_surroundings(cores), notes, runs, list(missing.values()))


def _pick_cores() -> Cores:
    """The first core for the load, the second for the gateway; one core has to do for both where there is no other."""
    first, *others = sorted(os.sched_getaffinity(0))
    if not others:
        _announce("There is one core only: the load generator takes time from the gateway; figures are low.")
    return Cores(first, others[0] if others else first)


def _surroundings(cores: Cores) -> str:
    now, load = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"), os.getloadavg()[0]
    processor = next((line.partition(":")[2].strip() for line in _processors() if line.startswith("model name")), "?")
    return (
        f"{now}: {os.cpu_count()} cores of {processor}, Python {platform.python_version()}, {platform.system()} "
        f"{platform.release()}; gateway on core {cores.gateway}, load on core {cores.load}; load average {load:.2f}"
    )


def _processors() -> list[str]:
    return Path("/proc/cpuinfo").read_text().splitlines()


def _end(number: int, frame: object) -> None:
    sys.exit(128 + number)


def _announce(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
