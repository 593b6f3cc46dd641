"""Ours: a pipeline of `width` steps with everything on: outputs, story, outbox, leases, row-level security."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import uvloop

from bench.queue.marks import mark
from bench.queue.types import Job, Place
from mainspring.foundation.collector import calm_collector
from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId
from mainspring.foundation.valkey import open_valkey
from mainspring.orchestration.pipelines import Pipeline, Pipelines, StepRun, Worker

TENANTS = (TenantId(UUID(int=1)), TenantId(UUID(int=2)))
BULK = 500


@dataclass(frozen=True, slots=True)
class Work:
    """The input and output of the step."""

    key: int
    seconds: float


class Adapter:
    """See `types.Library`."""

    burst = 20_000

    def __init__(self, place: Place) -> None:
        self._place = place
        self._pipeline = _pipeline(place)

    async def open(self) -> None:
        self._database = await Database.open(self._place.database_url)
        self._valkey = open_valkey(self._place.valkey_url)
        self._pipelines = Pipelines(self._database, self._valkey)

    async def close(self) -> None:
        await self._valkey.aclose()
        await self._database.close()

    async def enqueue(self, job: Job) -> None:
        await self._pipelines.submit(
            TENANTS[job.tenant], self._pipeline, Work(job.key, job.seconds), idempotency_key=self._key(job)
        )

    async def enqueue_many(self, jobs: Sequence[Job]) -> None:
        for first in range(0, len(jobs), BULK):
            async with self._database.tenant(TENANTS[jobs[first].tenant]) as transaction:
                for job in jobs[first : first + BULK]:
                    await self._pipelines.submit_in(
                        transaction, self._pipeline, Work(job.key, job.seconds), idempotency_key=self._key(job)
                    )

    async def count_unsettled(self) -> int:
        return await self._count(
            "select count(*) as found from run where pipeline = %(pipeline)s and finished_at is null"
        )

    async def count_settled_twice(self) -> int | None:
        return await self._count("""
            select count(*) as found from (
                select 1 from run join run_event on run_event.run_id = run.id
                 where run.pipeline = %(pipeline)s and run_event.type in ('step.finished', 'run.finished')
                 group by run.id, run_event.type having count(*) > 1) as twice""")

    def work(self) -> None:
        uvloop.run(self._work())

    async def _work(self) -> None:
        await self.open()
        worker = Worker(
            self._database,
            self._valkey,
            pipelines=[self._pipeline],
            concurrency=self._place.concurrency,
            lease=timedelta(seconds=self._place.redelivery),
        )
        calm_collector()  # as the worker's own process does
        await worker.run(asyncio.Event())

    async def _count(self, sql: str) -> int:
        async with self._database.raw() as connection:
            cursor = await connection.execute(sql.encode(), {"pipeline": self._pipeline.name})
            row = await cursor.fetchone()
        assert row is not None
        return row["found"]

    def _key(self, job: Job) -> str:
        return f"{self._place.namespace}/{job.key}"


def _pipeline(place: Place) -> Pipeline:
    made = Pipeline(f"bench.{place.namespace}", version=1)

    async def work(asked: Work, run: StepRun) -> Work:
        mark(place.marks, "S", asked.key)
        if asked.seconds:
            await asyncio.sleep(asked.seconds)
            mark(place.marks, "E", asked.key)
        return asked

    for number in range(place.width):
        made.step(f"work{number}", title="Work")(work)
    return made
