"""pgqueuer: jobs in Postgres over asyncpg, woken by LISTEN, completions logged in batches, all tables logged."""

from collections.abc import Sequence
from datetime import timedelta
from importlib import import_module
from typing import Any

import msgspec
import uvloop

from bench.queue.bodies import make_body
from bench.queue.types import Job, Place


class Adapter:
    """See `types.Library`."""

    burst = 20_000

    def __init__(self, place: Place) -> None:
        self._place = place

    async def open(self) -> None:
        asyncpg, drivers = import_module("asyncpg"), import_module("pgqueuer.db")
        self._connection = await asyncpg.connect(self._place.database_url)
        self._queries = import_module("pgqueuer.queries").Queries(drivers.AsyncpgDriver(self._connection))
        if not await self._queries.schema_is_installed():
            await self._queries.install()

    async def close(self) -> None:
        await self._connection.close()

    async def enqueue(self, job: Job) -> None:
        await self._queries.enqueue(self._place.namespace, _payload(job), 0)

    async def enqueue_many(self, jobs: Sequence[Job]) -> None:
        for first in range(0, len(jobs), 1000):
            some = jobs[first : first + 1000]
            await self._queries.enqueue(
                [self._place.namespace] * len(some), [_payload(job) for job in some], [0] * len(some)
            )

    async def count_unsettled(self) -> int:
        return await self._connection.fetchval(
            "select count(*) from pgqueuer where entrypoint = $1", self._place.namespace
        )

    async def count_settled_twice(self) -> int | None:
        rows = await self._connection.fetch(
            """select job_id from pgqueuer_log where entrypoint = $1 and status = 'successful'
                group by job_id having count(*) > 1""",
            self._place.namespace,
        )
        return len(rows)

    def work(self) -> None:
        uvloop.run(self._work())

    async def _work(self) -> None:
        asyncpg, pgqueuer = import_module("asyncpg"), import_module("pgqueuer")
        pool = await asyncpg.create_pool(self._place.database_url, min_size=2, max_size=4)
        worker = pgqueuer.PgQueuer.from_asyncpg_pool(pool)
        place, body = self._place, make_body(self._place)

        @worker.entrypoint(place.namespace)
        async def work(job: Any) -> None:
            key, seconds = msgspec.json.decode(job.payload, type=tuple[int, float])
            await body(key, seconds)

        await worker.run(
            dequeue_timeout=timedelta(seconds=place.redelivery),
            batch_size=max(1, place.concurrency // 2),
            max_concurrent_tasks=place.concurrency,
            heartbeat_timeout=timedelta(seconds=place.redelivery),
        )


def _payload(job: Job) -> bytes:
    return msgspec.json.encode((job.key, job.seconds))
