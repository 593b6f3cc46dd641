"""Measure the limits of the gateway: `python -m bench.limits [--json] [--pairs N] [--at-once N] [--plain]`.

A pair is one reserve and its settlement. It prints pairs per second, and the CPU microseconds per pair of
this process and of Valkey (its own, started for the run; the figure is from its INFO). Calls are made by
`--at-once` tasks, so that many leave in one write, as in a busy gateway. With `--plain` the event loop is
asyncio's instead of uvloop.

- rate   one scope with requests per minute only: nothing is held, so nothing is settled
- n x 4  that many scopes, each with requests and tokens per minute, concurrency and a monthly budget
"""

import argparse
import asyncio
import json
import resource
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path

import uvloop

from mainspring.foundation.engines.process import ChildProcess, find_free_port
from mainspring.foundation.engines.valkey import child_spec
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.valkey_wire import ValkeyWire
from mainspring.inference.gateway.limits import Checks, Limiter, Scopes, Spent, Subject, compile_checks
from mainspring.inference.gateway.policy import Limit, TenantPolicy

LEASE = timedelta(minutes=10)
PLENTY = 10**9


class NothingSpent:
    """Totals of a tenant without history."""

    async def read(self, tenant: TenantId, subjects: Sequence[Subject], day: date) -> Mapping[Subject, Spent]:
        """Nothing."""
        return {}


@dataclass(frozen=True, slots=True)
class Figures:
    """What one set of checks costs."""

    checks: str
    pairs_per_second: int
    client_cpu_us: float
    valkey_cpu_us: float
    total_cpu_us: float


def main() -> int:
    """Print one line per set of checks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object per line")
    parser.add_argument("--pairs", type=int, default=60_000)
    parser.add_argument("--at-once", type=int, default=64)
    parser.add_argument("--plain", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        port = find_free_port()
        server = ChildProcess(child_spec(Path(folder), Path(folder) / "log", port, "bench"))
        server.start()
        try:
            run = asyncio.run if arguments.plain else uvloop.run
            for figures in run(measure(f"redis://:bench@127.0.0.1:{port}", arguments.pairs, arguments.at_once)):
                print(json.dumps(asdict(figures)) if arguments.json else _line(figures))
        finally:
            server.stop()
    return 0


async def measure(url: str, pairs: int, at_once: int) -> list[Figures]:
    """All sets, one after the other, each with tenants of its own."""
    wire = await ValkeyWire(url, reply_timeout=timedelta(seconds=5)).start()
    limiter = Limiter(wire, NothingSpent())
    found: list[Figures] = []
    for name, checks in _sets():
        await _run(limiter, checks, 2_000, at_once)
        await wire.call(b"PING")
        started, mine, theirs = time.perf_counter(), _own_cpu(), await _valkey_cpu(wire)
        await _run(limiter, checks, pairs, at_once)
        await wire.call(b"PING")
        seconds, mine, theirs = time.perf_counter() - started, _own_cpu() - mine, await _valkey_cpu(wire) - theirs
        client, server = mine / pairs * 1e6, theirs / pairs * 1e6
        found.append(
            Figures(name, round(pairs / seconds), round(client, 1), round(server, 1), round(client + server, 1))
        )
    await wire.close()
    return found


def _sets() -> list[tuple[str, Checks]]:
    def scopes(feature: str) -> Scopes:
        return Scopes(TenantId(new_id()), user="ann", key="k1", model="fast", feature=feature)

    full = [
        Limit(
            scope=scope,
            requests_per_minute=PLENTY,
            tokens_per_minute=PLENTY,
            concurrency=PLENTY,
            budget_per_month_micros=PLENTY * 1000,
        )
        for scope in ("tenant", "user", "key", "model", "feature")
    ]
    rate = (Limit(scope="tenant", requests_per_minute=PLENTY),)
    return [
        ("rate", compile_checks(TenantPolicy(limits=rate), scopes("chat"))),
        ("1 x 4", compile_checks(TenantPolicy(limits=tuple(full[:1])), scopes("chat"))),
        ("3 x 4", compile_checks(TenantPolicy(limits=tuple(full[:3])), scopes("chat"))),
        ("5 x 4", compile_checks(TenantPolicy(limits=tuple(full)), scopes("chat"))),
    ]


async def _run(limiter: Limiter, checks: Checks, pairs: int, at_once: int) -> None:
    async def caller() -> None:
        for _ in range(pairs // at_once):
            hold = await limiter.reserve(checks, new_id(), tokens=1000, cost_micros=500, lease=LEASE)
            limiter.settle(hold, tokens=400, cost_micros=200)

    await asyncio.gather(*[caller() for _ in range(at_once)])


def _own_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def _valkey_cpu(wire: ValkeyWire) -> float:
    reply = await wire.call(b"INFO", b"cpu")
    assert isinstance(reply, bytes)
    lines = dict(line.split(":", 1) for line in reply.decode().splitlines() if ":" in line)
    return float(lines["used_cpu_user"]) + float(lines["used_cpu_sys"])


def _line(figures: Figures) -> str:
    return (
        f"{figures.checks:>5} checks: {figures.pairs_per_second:,} pairs/s, CPU per pair "
        f"{figures.client_cpu_us} us here and {figures.valkey_cpu_us} us in Valkey, {figures.total_cpu_us} us together"
    )


if __name__ == "__main__":
    raise SystemExit(main())
