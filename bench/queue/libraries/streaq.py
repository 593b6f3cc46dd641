"""streaq: a stream in Valkey with renewed leases; results are not kept, as nobody asks for them."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from importlib import import_module

import uvloop
from redis.asyncio import Redis

from bench.queue.bodies import make_body
from bench.queue.types import Job, Place


class Adapter:
    """See `types.Library`."""

    burst = 4_000

    def __init__(self, place: Place) -> None:
        self._place = place
        self._worker = import_module("streaq").Worker(
            redis_url=place.valkey_url,
            concurrency=place.concurrency,
            prefetch=place.prefetch,
            queue_name=place.namespace,
            idle_timeout=place.redelivery,
            handle_signals=False,
        )
        self._task = self._worker.task(name="work", ttl=0)(make_body(place))
        self._opened = AsyncExitStack()

    async def open(self) -> None:
        await self._opened.enter_async_context(self._worker)

    async def close(self) -> None:
        await self._opened.aclose()

    async def enqueue(self, job: Job) -> None:
        await self._task.enqueue(job.key, job.seconds)

    async def enqueue_many(self, jobs: Sequence[Job]) -> None:
        for first in range(0, len(jobs), 500):
            some = jobs[first : first + 500]
            await self._worker.enqueue_many([self._task.enqueue(job.key, job.seconds) for job in some])

    async def count_unsettled(self) -> int:
        async with Redis.from_url(self._place.valkey_url) as valkey:
            found = 0
            for stream in self._worker._streams:
                for group in await valkey.xinfo_groups(stream):
                    found += group["pending"] + (group["lag"] or 0)
        return found

    async def count_settled_twice(self) -> int | None:
        return None

    def work(self) -> None:
        uvloop.run(self._worker.run_async())
