"""The worker process: claims steps, makes its rounds, and drains on SIGTERM.

Run as `python -m mainspring.entry.worker`, or `mainspring worker` by hand.
"""

import asyncio
import signal
import sys
from datetime import timedelta

import uvloop

from mainspring.entry.rounds import build_rounds, make_round
from mainspring.entry.wiring import build
from mainspring.foundation.collector import calm_collector
from mainspring.foundation.settings import Settings, load_settings
from mainspring.foundation.telemetry import configure_logs
from mainspring.orchestration.pipelines import PipelineInvalid, Worker


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
        await worker.register(stop)  # refuses here, before anybody takes this process for ready
        if settings.ready_file:
            settings.ready_file.touch()
        delivery = platform.orchestration.delivery
        calm_collector()
        async with asyncio.TaskGroup() as group:  # what fails for good ends the others: no process lives on in part
            group.create_task(worker.run(stop))
            group.create_task(delivery.sender.run(stop))
            group.create_task(delivery.consumer.run(stop))
            for each in build_rounds(platform, stop):
                group.create_task(make_round(each, stop))


def main() -> None:
    """Entry point of the process."""
    settings = load_settings()
    configure_logs(settings.log_level)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            runner.run(run_worker(settings))
        except PipelineInvalid as refused:  # says all there is to say; its trace would bury it
            sys.exit(f"mainspring: {refused.detail} [{refused.code}]")


if __name__ == "__main__":
    main()
