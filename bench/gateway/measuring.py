"""One run of one contender: start it, load it scenario by scenario, and read what it cost."""

import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .contenders import Absent, Contender, Endpoint, Site, tail
from .processes import cpu_seconds, drain, memory
from .results import Load, Measured, Run
from .rig import Rig
from .scenarios import SCENARIOS, Scenario, request_body

_READY_SECONDS = 60
_SLOW_RATE = 400
_LONGEST = 10.0

Announce = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run measures: `scale` multiplies every time, `warmup` is seconds before each scenario."""

    scenarios: tuple[Scenario, ...]
    scale: float
    warmup: float = 1.0


def measure(contender: Contender, rig: Rig, core: int, plan: Plan, announce: Announce) -> Run:
    """Start, measure, stop; Absent when it does not come up."""
    folder = rig.folder / f"run-{time.monotonic_ns()}"
    folder.mkdir(mode=0o755)
    with contender.start(Site(folder, rig.upstream, core, rig.core)) as endpoint:
        start_seconds = await_first_answer(endpoint) - endpoint.started_at
        drain(endpoint.processes)
        idle, scenarios = memory(endpoint.processes), dict[str, Measured]()
        for scenario in plan.scenarios:
            measured = _measure_scenario(scenario, endpoint, rig, plan)
            scenarios[scenario.name] = measured
            announce(_line(contender.name, scenario, measured))
        after = memory(endpoint.processes)
        return Run(
            name=contender.name,
            start_seconds=round(start_seconds, 2),
            idle_pss=idle.pss,
            pss=after.pss,
            peak=after.peak,
            engines_pss=memory(endpoint.engines).pss,
            scenarios=scenarios,
        )


def await_first_answer(endpoint: Endpoint) -> float:
    """When the first call was answered with 200, on the monotonic clock; Absent when none is in a minute."""
    url = f"http://127.0.0.1:{endpoint.port}{endpoint.path}"
    headers = {"Content-Type": "application/json", **endpoint.headers}
    if endpoint.keys:
        headers["Authorization"] = f"Bearer {endpoint.keys[0]}"
    body = request_body(SCENARIOS["ns_c1"], endpoint.fast_model)
    problem, deadline = "nothing was tried", time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=20) as answer:
                answer.read()
            return time.monotonic()
        except urllib.error.HTTPError as refused:
            problem = f"{refused.code} {refused.read(300)!r}"
        except OSError as away:
            problem = str(away)
        if any(not _is_alive(pid) for pid in endpoint.processes):
            raise Absent(f"it ended before its first answer; its last words: {_last_words(endpoint)}")
        time.sleep(0.02)
    raise Absent(f"no answer in {_READY_SECONDS} s: {problem}; its last words: {_last_words(endpoint)}")


def _last_words(endpoint: Endpoint) -> str:
    return tail(endpoint.log) if endpoint.log else "none"


def _measure_scenario(scenario: Scenario, endpoint: Endpoint, rig: Rig, plan: Plan) -> Measured:
    everything = (*endpoint.processes, *endpoint.engines)
    drain(endpoint.processes)
    warm = rig.load(scenario.lasting(plan.warmup), endpoint)
    drain(endpoint.processes)
    rig.take_counts()
    lasting = scenario.lasting(_seconds(scenario, plan, warm))
    cpu, engines_cpu, began = cpu_seconds(everything), cpu_seconds(endpoint.engines), time.monotonic()
    load = rig.load(lasting, endpoint)
    spent, seconds = cpu_seconds(everything) - cpu, time.monotonic() - began
    by_engines, answered = cpu_seconds(endpoint.engines) - engines_cpu, load.ok + load.bad
    return Measured(
        load=load,
        cpu_per_thousand=round(spent / answered * 1000, 4) if answered else 0.0,
        engines_share=round(by_engines / spent, 3) if spent else 0.0,
        core_busy=round(spent / seconds, 2),
        upstream_requests=rig.take_counts().requests,
        pss=memory(endpoint.processes).pss,
    )


def _seconds(scenario: Scenario, plan: Plan, warm: Load) -> float:
    """A slow gateway gets longer: every connection should finish a few requests."""
    seconds = scenario.seconds * plan.scale
    if scenario.rate or warm.rps >= _SLOW_RATE:
        return seconds
    return min(_LONGEST, max(seconds, 4 * scenario.connections / max(warm.rps, 8)))


def _is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return ") Z " not in stat.read()
    except OSError:
        return False


def _line(name: str, scenario: Scenario, measured: Measured) -> str:
    load = measured.load
    latency = f"p50 {load.lat_ms.p50:>8.2f}  p99 {load.lat_ms.p99:>8.2f} ms"
    cost = f"CPU {measured.cpu_per_thousand:>7.3f} s/1k  core {measured.core_busy:.2f}  {measured.pss:>6.1f} MiB"
    line = f"{name:<26} {scenario.name:<10} {load.rps:>9,.0f}/s  {latency}  {cost}"
    if abs(measured.upstream_requests - load.ok) > scenario.connections + load.ok // 100:
        line += f"  the mock got {measured.upstream_requests:,} for {load.ok:,} answers"
    if load.bad or load.errors:
        line += f"  FAILED {load.bad} answers, {load.errors} connections; {load.codes} {load.bad_sample[:160]}"
    return line


def pick_scenarios(names: Sequence[str]) -> tuple[Scenario, ...]:
    """The named scenarios, in the order of the table."""
    unknown = sorted(set(names) - set(SCENARIOS))
    if unknown:
        raise ValueError(f"there is no scenario {', '.join(unknown)}; choose from {', '.join(SCENARIOS)}")
    return tuple(scenario for name, scenario in SCENARIOS.items() if name in names)
