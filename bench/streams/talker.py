"""The worker: runs that say `rate` times a second what time it is. `python -m bench.streams.talker RATE SECONDS`."""

import asyncio
import signal
import sys
import time
from dataclasses import dataclass

from mainspring.foundation.db import Database
from mainspring.foundation.settings import load_settings
from mainspring.foundation.valkey import open_valkey
from mainspring.orchestration.pipelines import Pipeline, StepRun, Worker

NAME = "bench.talk"
MAX_RUNS = 200


@dataclass(frozen=True, slots=True)
class Talk:
    """How many times a second, from when on (Unix seconds), for how long."""

    rate: float
    begin_at: float
    seconds: float


def build_pipeline() -> Pipeline:
    """One step, which talks."""
    talk = Pipeline(NAME, version=1)

    @talk.step("talk", title="Talk", concurrency=None)
    async def say(given: Talk, run: StepRun) -> Talk:
        await asyncio.sleep(max(0.0, given.begin_at - time.time()))
        loop = asyncio.get_running_loop()
        begun, told = loop.time(), 0
        while loop.time() < begun + given.seconds:
            await run.delta("time", f"{time.time_ns()} ")
            told += 1
            await asyncio.sleep(max(0.0, begun + told / given.rate - loop.time()))
        return given

    return talk


async def work() -> None:
    """Until SIGTERM."""
    settings, stop = load_settings(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    assert settings.database_url is not None
    assert settings.valkey_url is not None
    database = await Database.open(settings.database_url.get_secret_value())
    valkey = open_valkey(settings.valkey_url.get_secret_value())
    assert settings.ready_file is not None
    settings.ready_file.touch()
    # Room for more than will be asked for, as a tenant may have three quarters of a worker's places.
    await Worker(database, valkey, pipelines=[build_pipeline()], concurrency=MAX_RUNS * 2).run(stop)
    await valkey.aclose()
    await database.close()


if __name__ == "__main__":
    sys.exit(asyncio.run(work()))
