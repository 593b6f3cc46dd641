"""One process of the fleet: `python -m bench.chaos.cast api|worker NEWEST_VERSION PORT CLOCK_MINUTES`.

A clock that is off is put in place before anything else is imported; the kernel's own cannot be set for one process.
"""

import asyncio
import signal
import sys
import time
from datetime import UTC, datetime, timedelta

_OFF_BY = timedelta(minutes=float(sys.argv[4]))
if _OFF_BY:
    from mainspring.foundation import clock

    _true_time = time.time
    clock.now = lambda: datetime.now(UTC) + _OFF_BY
    time.time = lambda: _true_time() + _OFF_BY.total_seconds()

import uvicorn  # noqa: E402

from bench.chaos.product import make_product  # noqa: E402
from mainspring.entry.api import make_app  # noqa: E402
from mainspring.entry.wiring import build  # noqa: E402
from mainspring.foundation.settings import load_settings  # noqa: E402
from mainspring.foundation.telemetry import configure_logs  # noqa: E402
from mainspring.orchestration.pipelines import Worker  # noqa: E402


async def serve(version: int, port: int) -> None:
    """The API."""
    async with build(load_settings(), products=(make_product(version),)) as platform:
        app = make_app(platform, has_console=False)
        config = uvicorn.Config(app, port=port, log_config=None, access_log=False, timeout_graceful_shutdown=2)
        await uvicorn.Server(config).serve()


async def work(version: int) -> None:
    """A worker of all versions up to `version`."""
    settings, stop = load_settings(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with build(settings, products=(make_product(version),)) as platform:
        worker = Worker(
            platform.database,
            platform.valkey,
            pipelines=platform.orchestration.brought.pipelines,
            lease=timedelta(seconds=settings.lease_seconds),
        )
        assert settings.ready_file is not None
        settings.ready_file.touch()
        await worker.run(stop, grace=timedelta(seconds=2))


if __name__ == "__main__":
    configure_logs("warning")
    role, newest, port = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    asyncio.run(serve(newest, port) if role == "api" else work(newest))
