"""The worker process: claims steps, makes its rounds, and drains on SIGTERM.

Run as `python -m mainspring.entry.worker`, or `mainspring worker` by hand.
"""

import asyncio
import signal
from datetime import timedelta

import uvloop

from mainspring.entry.rounds import build_rounds, make_round
from mainspring.entry.wiring import build
from mainspring.foundation.settings import Settings, load_settings
from mainspring.foundation.telemetry import configure_logs
from mainspring.orchestration.pipelines import Worker


async def run_worker(settings: Settings) -> None:
    """Work until SIGTERM or Ctrl-C; what runs is finished or handed back."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with build(settings) as platform:
        worker = Worker(
            platform.database,
            platform.valkey,
            pipelines=platform.orchestration.all_pipelines,
            concurrency=settings.worker_concurrency,
            lease=timedelta(seconds=settings.lease_seconds),
            steps=frozenset(settings.worker_steps.split(",")) if settings.worker_steps else None,
        )
        if settings.ready_file:
            settings.ready_file.touch()
        delivery = platform.orchestration.delivery
        await asyncio.gather(
            worker.run(stop),
            delivery.sender.run(stop),
            delivery.consumer.run(stop),
            *(make_round(each, stop) for each in build_rounds(platform, stop)),
        )


def main() -> None:
    """Entry point of the process."""
    settings = load_settings()
    configure_logs(settings.log_level)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run_worker(settings))


if __name__ == "__main__":
    main()
