"""procrastinate: jobs in Postgres, woken by LISTEN; stalled jobs are retried by a task of the application's own."""

import asyncio
import os
from collections.abc import Sequence
from importlib import import_module

import uvloop

from bench.queue.bodies import make_body
from bench.queue.types import Job, Place


class Adapter:
    """See `types.Library`."""

    burst = 3_000

    def __init__(self, place: Place) -> None:
        procrastinate = import_module("procrastinate")
        self._place = place
        self._app = procrastinate.App(
            connector=procrastinate.PsycopgConnector(conninfo=place.database_url, min_size=4, max_size=16)
        )
        self._task = self._app.task(queue=place.namespace, name="work")(make_body(place))

    async def open(self) -> None:
        await self._app.open_async()
        if not await self._app.check_connection_async():
            await self._app.schema_manager.apply_schema_async()

    async def close(self) -> None:
        await self._app.close_async()

    async def enqueue(self, job: Job) -> None:
        await self._task.defer_async(key=job.key, seconds=job.seconds)

    async def enqueue_many(self, jobs: Sequence[Job]) -> None:
        for first in range(0, len(jobs), 500):
            rows = [{"key": job.key, "seconds": job.seconds} for job in jobs[first : first + 500]]
            await self._task.batch_defer_async(*rows)

    async def count_unsettled(self) -> int:
        row = await self._app.connector.execute_query_one_async(
            """select count(*) as found from procrastinate_jobs
                where queue_name = %(queue)s and status in ('todo', 'doing')""",
            queue=self._place.namespace,
        )
        return row["found"]

    async def count_settled_twice(self) -> int | None:
        rows = await self._app.connector.execute_query_all_async(
            """select job_id from procrastinate_events join procrastinate_jobs as job on job.id = job_id
                where job.queue_name = %(queue)s and type = 'succeeded' group by job_id having count(*) > 1""",
            queue=self._place.namespace,
        )
        return len(rows)

    def work(self) -> None:
        uvloop.run(self._work())

    async def _work(self) -> None:
        await self.open()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._retry_stalled())
            await self._app.run_worker_async(
                queues=[self._place.namespace],
                concurrency=self._place.concurrency,
                name=str(os.getpid()),
                update_heartbeat_interval=self._place.redelivery / 3,
                stalled_worker_timeout=self._place.redelivery,
                install_signal_handlers=False,
            )

    async def _retry_stalled(self) -> None:
        """What its guide has a periodic task do, each second instead of every ten minutes."""
        manager = self._app.job_manager
        while True:
            await asyncio.sleep(1)
            for job in await manager.get_stalled_jobs(seconds_since_heartbeat=self._place.redelivery):
                await manager.retry_job(job)
