"""A worker process to be killed: `python mortal.py DATABASE_URL VALKEY_URL PIPELINE [poison]`, until SIGTERM.

With `poison` it runs steps that end its process.
"""

import asyncio
import signal
import sys
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from mainspring.foundation.db import Database
from mainspring.foundation.valkey import open_valkey
from mainspring.orchestration.pipelines import Worker
from tests.orchestration.pipelines.scenes import poisonous, talkative

LEASE_SECONDS = 0.6


async def work(database_url: str, valkey_url: str, name: str, kind: str = "") -> None:
    """Run steps until told to stop."""
    database, valkey = await Database.open(database_url, connections=4), open_valkey(valkey_url)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    pipeline = poisonous(name) if kind else talkative(words=20, pause=0.01, name=name)
    worker = Worker(database, valkey, pipelines=[pipeline], concurrency=8, lease=timedelta(seconds=LEASE_SECONDS))
    await worker.run(stop, grace=timedelta(seconds=1))
    await valkey.aclose()
    await database.close()


if __name__ == "__main__":
    asyncio.run(work(*sys.argv[1:]))
