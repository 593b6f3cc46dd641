"""One library played through: `python -m bench.queue.play NAME PLAN` prints its figures as a line of JSON.

    idle      one job at a time, from the call that enqueues it to the first line of its body
    burst     as many no-op jobs as take some seconds, stored before the worker starts; until all are recorded as done
    wide      the same number of no-op steps in jobs of several steps each, where a library has such
    backlog   one tenant's jobs of 50 ms are queued; how long another tenant's one waits
    kill      the worker is killed with SIGKILL while it works, and another is started

A worker is one process of its own, and only those started here are killed.
"""

import asyncio
import random
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import msgspec

from .libraries import make
from .marks import Marks
from .types import Job, Library, Place

BACKLOG_SECONDS = 0.05
WARM_UP = 10_000_000
PATIENCE = 30.0


class Plan(msgspec.Struct, frozen=True):
    """How much to measure. `backlogs` are measured one after the other; a share of 1 is a whole burst."""

    database_url: str
    valkey_url: str
    folder: str
    idle_jobs: int = 300
    burst_share: float = 1.0
    backlogs: tuple[int, ...] = (2_000,)
    killed_jobs: int = 200
    width: int | None = None


class Figures(msgspec.Struct, frozen=True):
    """What was measured; None was not.

    wide_steps_per_second  no-op steps in jobs of `Plan.width` steps
    waits        backlog -> milliseconds that another tenant's job waited behind it
    lost         jobs that had not run to their end 30 s after the kill
    ended_twice  jobs whose body ran to its end twice: its effect, were it not for idempotency keys
    done_twice   jobs that the library itself recorded as done twice
    recovered    seconds from the kill until the last job had run to its end
    """

    start_p50_ms: float | None = None
    start_p99_ms: float | None = None
    jobs_per_second: float | None = None
    wide_steps_per_second: float | None = None
    waits: dict[int, float] = {}
    lost: int | None = None
    ended_twice: int | None = None
    done_twice: int | None = None
    recovered: float | None = None


class Player:
    """Plays one library."""

    def __init__(self, name: str, plan: Plan) -> None:
        self._name = name
        self._plan = plan

    async def play(self) -> Figures:
        """All figures."""
        p50, p99 = await self._idle()
        speed = await self._burst()
        wide = await self._burst(self._plan.width) if self._plan.width else None
        waits = {backlog: await self._backlog(backlog) for backlog in self._plan.backlogs}
        figures = Figures(p50, p99, speed, wide, waits)
        return await self._kill(figures) if self._plan.killed_jobs else figures

    async def _idle(self) -> tuple[float, float]:
        async with self._at("idle") as (place, library, marks):
            worker = self._start(place)
            try:
                await self._warm_up(library, marks)
                waits = [await _time_one(library, marks, key) for key in range(self._plan.idle_jobs)]
            finally:
                _kill(worker)
        waits.sort()
        return round(statistics.median(waits), 2), round(waits[int(len(waits) * 0.99)], 2)

    async def _burst(self, width: int = 1) -> float:
        """No-op steps a second, in jobs of `width` steps."""
        async with self._at(f"burst{width}", concurrency=400, prefetch=400, width=width) as (place, library, marks):
            jobs = [Job(key) for key in range(int(library.burst * self._plan.burst_share) // width)]
            await library.enqueue_many(jobs)
            worker = self._start(place)
            try:
                if not await marks.wait(len(jobs), seconds=120):
                    raise TimeoutError(f"{self._name}: {len(marks.started)} of {len(jobs)} jobs were run in 120 s")
                last = max(marks.started.values())
                while await library.count_unsettled():
                    last = time.monotonic_ns()
                    await asyncio.sleep(0.01)
            finally:
                _kill(worker)
        return round(len(jobs) * width / (last - min(marks.started.values())) * 1e9)

    async def _backlog(self, queued: int) -> float:
        async with self._at(f"backlog{queued}") as (place, library, marks):
            await library.enqueue_many([Job(key, BACKLOG_SECONDS) for key in range(queued)])
            worker = self._start(place)
            try:
                await marks.wait(50)
                began = time.monotonic_ns()
                await library.enqueue(Job(WARM_UP, tenant=1))
                if not await marks.wait(key=WARM_UP):
                    return float("inf")
            finally:
                _kill(worker)
        return round((marks.started[WARM_UP] - began) / 1e6, 1)

    async def _kill(self, figures: Figures) -> Figures:
        async with self._at("kill") as (place, library, marks):
            jobs = [Job(key, 0.05 + 0.05 * (key % 11) / 10) for key in range(self._plan.killed_jobs)]
            await library.enqueue_many(jobs)
            worker = self._start(place)
            await marks.wait(ended=len(jobs) // 3)
            # Not at the instant a job has ended, when no library can have recorded it.
            await asyncio.sleep(random.Random(self._name).uniform(0.05, 0.1))
            _kill(worker)
            killed_at = time.monotonic()
            worker = self._start(place)
            try:
                await marks.wait(ended=len(jobs), seconds=PATIENCE)
                recovered = time.monotonic() - killed_at
                # Give what was done and not yet acknowledged the time to be run again, and the rest to be recorded.
                await asyncio.sleep(max(0.0, killed_at + 2.5 * place.redelivery - time.monotonic()))
                marks.read()
                done_twice, unsettled = await library.count_settled_twice(), await library.count_unsettled()
            finally:
                _kill(worker)
        return msgspec.structs.replace(
            figures,
            lost=max(len(jobs) - len(marks.ended), unsettled),
            ended_twice=sum(1 for times in marks.ends.values() if times > 1),
            done_twice=done_twice,
            recovered=round(recovered, 1),
        )

    @asynccontextmanager
    async def _at(
        self, part: str, *, concurrency: int = 16, prefetch: int = 16, width: int = 1
    ) -> AsyncGenerator[tuple[Place, Library, Marks]]:
        plan = self._plan
        place = Place(
            f"{self._name}_{part}",
            plan.database_url,
            plan.valkey_url,
            plan.folder,
            concurrency,
            prefetch,
            width=width,
        )
        library = make(self._name, place)
        await library.open()
        try:
            yield place, library, Marks(place.marks)
        finally:
            await library.close()

    def _start(self, place: Place) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "bench.queue.work", self._name, msgspec.json.encode(place).decode()]
        with (place.marks.parent / f"{place.namespace}.log").open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)

    async def _warm_up(self, library: Library, marks: Marks) -> None:
        for extra in range(20):
            await library.enqueue(Job(WARM_UP + extra))
            if not await marks.wait(key=WARM_UP + extra, seconds=30):
                raise TimeoutError(f"{self._name}: the worker ran nothing within 30 s; see its log in the folder")


async def _time_one(library: Library, marks: Marks, key: int) -> float:
    await asyncio.sleep(0.01)
    began = time.monotonic_ns()
    await library.enqueue(Job(key))
    await marks.wait(key=key)
    return (marks.started[key] - began) / 1e6


def _kill(worker: subprocess.Popen[bytes]) -> None:
    worker.send_signal(signal.SIGKILL)
    worker.wait()


def main() -> None:
    """Play one library and print its figures."""
    name, plan = sys.argv[1:]
    figures = asyncio.run(Player(name, msgspec.json.decode(plan, type=Plan)).play())
    print(msgspec.json.encode(figures).decode())


if __name__ == "__main__":
    main()
