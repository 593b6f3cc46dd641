"""How fast the pipeline engine is: steps per second, time from submit to start, and the wait behind a busy tenant.

    python -m bench.pipelines [--steps 20000] [--json FILE]

Everything runs on throwaway embedded engines with fsync on, one worker in this process. The steps
do nothing, so the figures are those of the engine alone: claims, leases, stories and settling.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import uvloop

from mainspring.foundation.collector import calm_collector
from mainspring.foundation.db import Database
from mainspring.foundation.engines import EmbeddedEngines
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.valkey import Valkey, open_valkey
from mainspring.migrations import migrate
from mainspring.orchestration.pipelines import Pipeline, Pipelines, StepRun, Worker

WIDE = 10


@dataclass(frozen=True, slots=True)
class Nothing:
    """The input and output of a step that does nothing."""

    number: int = 0


@dataclass(slots=True)
class Clocked:
    """A pipeline whose steps note when they start.

    seconds  how long each step takes
    """

    pipeline: Pipeline
    started: dict[object, float]
    count: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait_for(self, run: object) -> float:
        """When the run's first step started."""
        while run not in self.started:
            self.news.clear()
            await self.news.wait()
        return self.started[run]


def clocked(name: str, *, width: int = 1, seconds: float = 0) -> Clocked:
    """A pipeline of `width` parallel steps."""
    made = Clocked(Pipeline(f"bench.{name}", version=1), {})

    async def work(nothing: Nothing, run: StepRun) -> Nothing:
        made.count += 1
        made.started.setdefault(run.run_id, time.perf_counter())
        made.news.set()
        if seconds:
            await asyncio.sleep(seconds)
        return nothing

    for number in range(width):
        made.pipeline.step(f"step{number}", title="Do nothing")(work)
    return made


@dataclass(frozen=True, slots=True)
class Bench:
    """The platform that is measured."""

    database: Database
    valkey: Valkey
    pipelines: Pipelines

    @asynccontextmanager
    async def worker(self, clocked: Clocked, *, concurrency: int) -> AsyncGenerator[None]:
        """One worker, drained on exit."""
        worker = Worker(self.database, self.valkey, pipelines=[clocked.pipeline], concurrency=concurrency)
        stop = asyncio.Event()
        running = asyncio.create_task(worker.run(stop, grace=timedelta(seconds=30)))
        await asyncio.sleep(0.3)
        yield
        stop.set()
        await running

    async def enqueue(self, tenant: TenantId, clocked: Clocked, runs: int) -> None:
        """Many runs, some hundred in each transaction."""
        for first in range(0, runs, 500):
            async with self.database.tenant(tenant) as transaction:
                for number in range(first, min(runs, first + 500)):
                    await self.pipelines.submit_in(transaction, clocked.pipeline, Nothing(number))

    async def count_unfinished(self, tenant: TenantId) -> int:
        """Runs of the tenant that have not ended."""
        async with self.database.tenant(tenant) as transaction:
            row = await transaction.one(
                "select count(*) as unfinished from run where finished_at is null and tenant_id = %(tenant)s",
                tenant=tenant,
            )
        return row["unfinished"]


async def measure_throughput(bench: Bench, steps: int, width: int) -> float:
    """Steps per second of one worker over runs of `width` steps each, until every run is settled."""
    tenant, many = TenantId(new_id()), clocked(f"throughput{width}", width=width)
    await bench.enqueue(tenant, many, steps // width)
    began = time.perf_counter()
    async with bench.worker(many, concurrency=400):
        while await bench.count_unfinished(tenant):  # noqa: ASYNC110 - the rows say when it is done
            await asyncio.sleep(0.05)
        seconds = time.perf_counter() - began
    return steps // width * width / seconds


async def measure_start(bench: Bench, runs: int) -> list[float]:
    """Milliseconds from calling `submit` to the first line of the step, one run at a time."""
    tenant, one = TenantId(new_id()), clocked("start")
    waits: list[float] = []
    async with bench.worker(one, concurrency=16):
        for _ in range(runs):
            began = time.perf_counter()
            run = await bench.pipelines.submit(tenant, one.pipeline, Nothing())
            waits.append((await one.wait_for(run.id) - began) * 1000)
            await asyncio.sleep(0.01)
    return sorted(waits)


async def measure_fairness(bench: Bench, queued: int) -> float:
    """Milliseconds that a tenant's first step waits while another has `queued` runs of 50 ms each."""
    busy, quiet, slow = TenantId(new_id()), TenantId(new_id()), clocked("fairness", seconds=0.05)
    await bench.enqueue(busy, slow, queued)
    async with bench.worker(slow, concurrency=16):
        while slow.count < 50:  # noqa: ASYNC110 - a step of this process will count it up
            await asyncio.sleep(0.01)
        began = time.perf_counter()
        run = await bench.pipelines.submit(quiet, slow.pipeline, Nothing())
        waited = (await slow.wait_for(run.id) - began) * 1000
        async with bench.database.raw() as connection:
            await connection.execute("update step set status = 'cancelled' where status = 'ready'")
    return waited


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the sorted values lie."""
    return values[min(len(values) - 1, int(len(values) * share))]


async def measure(database_url: str, valkey_url: str, steps: int) -> dict[str, float]:
    """All figures."""
    database, valkey = await Database.open(database_url), open_valkey(valkey_url)
    bench = Bench(database, valkey, Pipelines(database, valkey))
    calm_collector()  # as the worker's own process does
    starts = await measure_start(bench, 300)
    figures = {
        "start_p50_ms": statistics.median(starts),
        "start_p99_ms": percentile(starts, 0.99),
        "fair_wait_ms": await measure_fairness(bench, 2_000),
        "steps_per_second_single": await measure_throughput(bench, steps, 1),
        "steps_per_second_wide": await measure_throughput(bench, steps, WIDE),
    }
    await valkey.aclose()
    await database.close()
    return {name: round(value, 2) for name, value in figures.items()}


LABELS = {
    "start_p50_ms": "submit to start, p50 (ms)",
    "start_p99_ms": "submit to start, p99 (ms)",
    "fair_wait_ms": "wait behind a tenant with 2,000 queued runs (ms)",
    "steps_per_second_single": "no-op steps/s, runs of one step",
    "steps_per_second_wide": f"no-op steps/s, runs of {WIDE} steps",
}


def main() -> None:
    """Start engines, measure, print a table and a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        engines = EmbeddedEngines(Path(folder))
        try:
            urls = engines.start()
            migrate(urls.database_admin_url, login=urls.login)
            figures = uvloop.run(measure(urls.database_url, urls.valkey_url, options.steps))
        finally:
            engines.stop()
    for name, label in LABELS.items():
        print(f"{label:<52} {figures[name]:>12,.2f}")
    print(json.dumps(figures))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
