"""The worker process: claims steps, relays the outbox, and drains on SIGTERM.

Run as `python -m mainspring.entry.worker`, or `mainspring worker` by hand.
"""

import asyncio
import itertools
import signal
from collections.abc import Awaitable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import TypeVar

import uvloop

from mainspring.entry.wiring import Platform, build
from mainspring.foundation.clock import now
from mainspring.foundation.db import Database, DatabaseGone
from mainspring.foundation.outbox import Subscriber, purge, relay
from mainspring.foundation.settings import Settings, load_settings
from mainspring.foundation.telemetry import configure_logs, get_logger
from mainspring.inference.gateway import purge_payloads
from mainspring.inference.gateway.cache import forget_expired
from mainspring.orchestration.knowledge import build_subscribers as build_knowledge_subscribers
from mainspring.orchestration.pipelines import Worker

log = get_logger(__name__)

Done = TypeVar("Done")

_RELAY_EVERY_SECONDS = 1.0
_KNOWLEDGE_EVERY_SECONDS = 30.0
_HOUSE_EVERY_SECONDS = 3600.0


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
            pipelines=[*platform.orchestration.brought.pipelines, *platform.orchestration.knowledge.pipelines],
            concurrency=settings.worker_concurrency,
            lease=timedelta(seconds=settings.lease_seconds),
            steps=frozenset(settings.worker_steps.split(",")) if settings.worker_steps else None,
        )
        if settings.ready_file:
            settings.ready_file.touch()
        await asyncio.gather(
            worker.run(stop),
            _relay_outbox(platform, stop),
            _tend_knowledge(platform, stop),
            _watch_knowledge(platform, stop),
            _keep_house(platform, stop),
        )


async def _relay_outbox(platform: Platform, stop: asyncio.Event) -> None:
    subscribers = merge_subscribers(
        platform.orchestration.brought.subscribers,
        build_knowledge_subscribers(platform.orchestration.knowledge.services.ingestion),
    )
    while not stop.is_set():
        try:
            await relay(platform.database, subscribers)
        except DatabaseGone as gone:
            log.warning("outbox_waits_for_database", error=type(gone).__name__)
        try:
            await asyncio.wait_for(stop.wait(), _RELAY_EVERY_SECONDS)
        except TimeoutError:
            continue


def merge_subscribers(*rooms: Mapping[str, tuple[Subscriber, ...]]) -> Mapping[str, tuple[Subscriber, ...]]:
    """Who hears each topic, of all rooms."""
    merged: dict[str, tuple[Subscriber, ...]] = {}
    for room in rooms:
        for topic, subscribers in room.items():
            merged[topic] = (*merged.get(topic, ()), *subscribers)
    return merged


async def _tend_knowledge(platform: Platform, stop: asyncio.Event) -> None:
    """Every half minute, take up what is due or was left lying: sources, documents without a run, deletions."""
    knowledge = platform.orchestration.knowledge
    while not stop.is_set():
        done = {
            "submitted": await do_duty("submit_pending", knowledge.sweeper.submit_pending()),
            "synchronised": await do_duty("sync_due", knowledge.services.sources.sync_due()),
            "rebuilt": await do_duty("submit_orphaned", knowledge.upkeep.submit_orphaned()),
            "deleted": await do_duty("sweep_deletions", knowledge.services.documents.sweep()),
        }
        if any(done.values()):
            log.info("knowledge_tended", **done)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _KNOWLEDGE_EVERY_SECONDS)


async def do_duty(name: str, duty: Awaitable[Done]) -> Done | None:
    """What a duty of a loop did; None when it failed.

    It comes again. What goes wrong in it, for one tenant's sake, must stop neither the other duties nor the steps
    that this process works on.
    """
    try:
        return await duty
    except DatabaseGone as gone:
        log.warning("duty_waits_for_database", duty=name, error=type(gone).__name__)
    except Exception as failure:  # the edge of a loop: whatever it was, the worker works on
        log.exception("duty_failed", duty=name, error=type(failure).__name__)
    return None


async def _watch_knowledge(platform: Platform, stop: asyncio.Event) -> None:
    """Each hour, look after indexes: old ones go, large ones are promoted, and the day's checks are made."""
    knowledge = platform.orchestration.knowledge
    for hour in itertools.count():
        purged = await do_duty("purge_retired", knowledge.upkeep.purge_retired())
        kept = await do_duty("keep_promotions", knowledge.promotions.keep_unless(stop))
        checked = await do_duty("keep_watch", knowledge.watch.keep_watch(stop))
        strays = await do_duty("sweep_strays", knowledge.upkeep.sweep_strays()) if hour % 24 == 0 else 0
        log.info("knowledge_watched", purged=purged, promotions=str(kept), checked=checked, strays=strays)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _HOUSE_EVERY_SECONDS)
        if stop.is_set():
            return


async def _keep_house(platform: Platform, stop: asyncio.Event) -> None:
    """Each hour, let go of what has served its time; several workers doing so is harmless."""
    kept = timedelta(days=platform.settings.payload_days)
    while not stop.is_set():
        try:
            events = await purge(platform.database)
            payloads = await purge_payloads(platform.database, before=now() - kept)
            replies = await forget_replies(platform.database)
            log.info("house_kept", events=events, payloads=payloads, cached_replies=replies)
        except DatabaseGone as gone:
            log.warning("house_waits_for_database", error=type(gone).__name__)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _HOUSE_EVERY_SECONDS)


async def forget_replies(database: Database) -> int:
    """Every kept reply whose time is over, in batches, so that no transaction is long; how many they were."""
    forgotten = 0
    while batch := await forget_expired(database):
        forgotten += batch
    return forgotten


def main() -> None:
    """Entry point of the process."""
    settings = load_settings()
    configure_logs(settings.log_level)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run_worker(settings))


if __name__ == "__main__":
    main()
