"""celery on Valkey: late acknowledgement, redelivery after the visibility timeout, a pool of threads."""

import asyncio
import time
from collections.abc import Callable, Sequence
from importlib import import_module

from redis import Redis

from bench.queue.marks import mark
from bench.queue.types import Job, Place


class Adapter:
    """See `types.Library`."""

    burst = 5_000

    def __init__(self, place: Place) -> None:
        self._place = place
        self._app = import_module("celery").Celery("bench", broker=place.valkey_url)
        self._app.conf.update(
            task_default_queue=place.namespace,
            task_acks_late=True,
            task_reject_on_worker_lost=True,
            task_ignore_result=True,
            worker_prefetch_multiplier=max(1, place.prefetch // place.concurrency),
            worker_hijack_root_logger=False,
            broker_connection_retry_on_startup=True,
            broker_transport_options={
                "visibility_timeout": place.redelivery,
                "unacked_restore_interval": 1,
                "unacked_restore_throttle": 1,
            },
        )
        self._task = self._app.task(name="work")(_body(place))

    async def open(self) -> None:
        """It connects when it first sends."""

    async def close(self) -> None:
        self._app.close()

    async def enqueue(self, job: Job) -> None:
        self._task.delay(job.key, job.seconds)

    async def enqueue_many(self, jobs: Sequence[Job]) -> None:
        await asyncio.to_thread(self._send, jobs)

    def _send(self, jobs: Sequence[Job]) -> None:
        with self._app.producer_or_acquire() as producer:
            for job in jobs:
                self._task.apply_async((job.key, job.seconds), producer=producer)

    async def count_unsettled(self) -> int:
        with Redis.from_url(self._place.valkey_url) as valkey:
            return int(valkey.llen(self._place.namespace)) + int(valkey.hlen("unacked"))

    async def count_settled_twice(self) -> int | None:
        return None

    def work(self) -> None:
        self._app.worker_main(
            [
                *("worker", "--pool=threads", f"--concurrency={self._place.concurrency}", "--loglevel=ERROR"),
                *("--without-gossip", "--without-mingle", "--without-heartbeat"),
            ]
        )


def _body(place: Place) -> Callable[[int, float], None]:
    def work(key: int, seconds: float) -> None:
        mark(place.marks, "S", key)
        if seconds:
            time.sleep(seconds)
            mark(place.marks, "E", key)

    return work
