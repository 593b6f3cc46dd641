"""A worker process to be killed: `python mortal.py DATABASE_URL VALKEY_URL OBJECTS_URL`, until SIGTERM.

It runs `knowledge.ingest` with the fake embedder, a little slowed down so that a kill finds it in the middle, and
looks after documents that nobody submitted, as the worker of the platform does.
"""

import asyncio
import signal
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[4]))

from mainspring.foundation.db import Database, DatabaseGone
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.objects import ObjectStore
from mainspring.foundation.valkey import open_valkey
from mainspring.orchestration.pipelines import Worker
from tests.orchestration.knowledge.ingestion.works import Works, open_works

LEASE_SECONDS = 1.5
UNTOUCHED_FOR = timedelta(seconds=1)


async def slowly() -> None:
    """What a model's answer takes."""
    await asyncio.sleep(0.1)


async def look_after(works: Works, stop: asyncio.Event) -> None:
    """What the platform's worker does beside its steps."""
    while not stop.is_set():
        with suppress(*DatabaseGone):
            await works.sweeper.submit_pending(untouched_for=UNTOUCHED_FOR)
            await works.workshop.documents.sweep()
            await works.deliver()
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), 0.3)


async def work(database_url: str, valkey_url: str, objects_url: str) -> None:
    """Run steps until told to stop."""
    database, valkey = await Database.open(database_url, connections=6), open_valkey(valkey_url)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    works = open_works(database, valkey, ObjectStore.open(objects_url), TenantId(new_id()))
    works.embedder.mood = slowly
    worker = Worker(database, valkey, pipelines=[works.ingest], concurrency=4, lease=timedelta(seconds=LEASE_SECONDS))
    await asyncio.gather(worker.run(stop, grace=timedelta(seconds=1)), look_after(works, stop))
    await valkey.aclose()
    await database.close()


if __name__ == "__main__":
    asyncio.run(work(*sys.argv[1:4]))
