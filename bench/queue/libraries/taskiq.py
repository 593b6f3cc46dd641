"""taskiq with taskiq-redis: a Redis stream with acknowledgement after execution and redelivery of what lies idle."""

import asyncio
from collections.abc import Sequence
from importlib import import_module

import uvloop
from redis.asyncio import Redis

from bench.queue.bodies import make_body
from bench.queue.types import Job, Place


class Adapter:
    """See `types.Library`."""

    burst = 10_000

    def __init__(self, place: Place) -> None:
        self._place = place
        self._broker = import_module("taskiq_redis").RedisStreamBroker(
            place.valkey_url,
            queue_name=place.namespace,
            idle_timeout=place.redelivery * 1000,
            unacknowledged_lock_timeout=place.redelivery,
        )
        self._task = self._broker.register_task(make_body(place), task_name="work")

    async def open(self) -> None:
        await self._broker.startup()

    async def close(self) -> None:
        await self._broker.shutdown()

    async def enqueue(self, job: Job) -> None:
        await self._task.kiq(job.key, job.seconds)

    async def enqueue_many(self, jobs: Sequence[Job]) -> None:
        for first in range(0, len(jobs), 100):
            await asyncio.gather(*(self.enqueue(job) for job in jobs[first : first + 100]))

    async def count_unsettled(self) -> int:
        """What was handed out and not acknowledged, and what was not handed out."""
        async with Redis.from_url(self._place.valkey_url) as valkey:
            (group,) = await valkey.xinfo_groups(self._place.namespace)
        return group["pending"] + (group["lag"] or 0)

    async def count_settled_twice(self) -> int | None:
        return None

    def work(self) -> None:
        uvloop.run(self._work())

    async def _work(self) -> None:
        self._broker.is_worker_process = True
        await import_module("taskiq.api").run_receiver_task(
            self._broker,
            max_async_tasks=self._place.concurrency,
            run_startup=True,
            ack_time=import_module("taskiq.acks").AcknowledgeType.WHEN_EXECUTED,
        )
