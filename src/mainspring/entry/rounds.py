"""What a worker does beside its steps, each round in turn and again after a while.

A duty is a service's method that looks for what is due, does it, and may be done by several workers at once. A round is
some of them, one after the other; rounds wait for nobody but themselves.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from mainspring.entry.wiring import Platform
from mainspring.foundation.clock import now
from mainspring.foundation.db import Database, DatabaseGone
from mainspring.foundation.outbox import RELAYED_AT_ONCE, Subscribers, join_subscribers, purge, relay
from mainspring.foundation.telemetry import get_logger
from mainspring.inference.gateway import purge_payloads
from mainspring.inference.gateway.cache import forget_expired
from mainspring.orchestration.agents import build_subscribers as build_agent_subscribers
from mainspring.orchestration.agents import sweep as sweep_agents
from mainspring.orchestration.approvals import build_subscribers as build_approval_subscribers
from mainspring.orchestration.knowledge import build_subscribers as build_knowledge_subscribers
from mainspring.orchestration.pipelines.operating import fire_due, purge_runs
from mainspring.orchestration.tools import purge_tool_calls

log = get_logger(__name__)

Done = TypeVar("Done")
Duty = Callable[[], Awaitable[object]]

_DAY_ROUNDS = 24


@dataclass(frozen=True, slots=True)
class Round:
    """Duties by name, begun anew `every` seconds after the last has ended.

    rarely   how many rounds lie between two times of a duty, for those that need not be done each time
    """

    name: str
    every: float
    duties: dict[str, Duty]
    rarely: dict[str, int]


def build_rounds(platform: Platform, stop: asyncio.Event) -> tuple[Round, ...]:
    """Every round of a worker."""
    parts, database = platform.orchestration, platform.database
    knowledge = parts.knowledge
    subscribers = join_subscribers(
        parts.brought.subscribers,
        build_approval_subscribers(parts.approvals),
        build_agent_subscribers(parts.agents.runtime),
        parts.agents.server.build_subscribers(),
        parts.delivery.build_subscribers(),
        build_knowledge_subscribers(knowledge.services.ingestion),
    )
    runs_for = timedelta(days=platform.settings.run_days)
    payloads_for = timedelta(days=platform.settings.payload_days)
    return (
        _round("outbox", 1, relay=lambda: relay_all(database, subscribers, stop)),
        _round("schedules", 1, fired=lambda: fire_due(database, parts.pipelines, parts.operating.declared)),
        _round("bulk_actions", 1, carried=parts.operating.bulk.carry_on),
        _round("agents", 2, swept=lambda: sweep_agents(parts.agents.runtime), crons=parts.agents.server.fire_crons),
        _round("approvals", 1, expired=parts.approvals.expire_due, escalated=parts.approvals.escalate_due),
        _round(
            "knowledge_tended",
            30,
            submitted=knowledge.sweeper.submit_pending,
            synchronised=knowledge.services.sources.sync_due,
            rebuilt=knowledge.upkeep.submit_orphaned,
            deleted=knowledge.services.documents.sweep,
        ),
        Round(
            "knowledge_watched",
            3600,
            {
                "purged": knowledge.upkeep.purge_retired,
                "promotions": lambda: knowledge.promotions.keep_unless(stop),
                "checked": lambda: knowledge.watch.keep_watch(stop),
                "strays": knowledge.upkeep.sweep_strays,
            },
            {"strays": _DAY_ROUNDS},
        ),
        _round(
            "house_kept",
            3600,
            events=lambda: purge(database),
            runs=lambda: purge_runs(database, now() - runs_for),
            deliveries=parts.delivery.sender.purge,
            tool_calls=lambda: purge_tool_calls(database, before=now() - runs_for),
            payloads=lambda: purge_payloads(database, before=now() - payloads_for),
            cached_replies=lambda: forget_replies(database),
        ),
    )


def _round(name: str, every: float, **duties: Duty) -> Round:
    return Round(name, every, duties, {})


async def make_round(made: Round, stop: asyncio.Event) -> None:
    """Do the round's duties until the worker stops."""
    number = 0
    while not stop.is_set():
        due = {name: duty for name, duty in made.duties.items() if number % made.rarely.get(name, 1) == 0}
        done = {name: await do_duty(name, duty()) for name, duty in due.items()}
        if any(done.values()):
            log.info(
                made.name, **{name: found if isinstance(found, int) else str(found) for name, found in done.items()}
            )
        number += 1
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), made.every)


async def do_duty(name: str, duty: Awaitable[Done]) -> Done | None:
    """What a duty did; None when it failed.

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


async def relay_all(database: Database, subscribers: Subscribers, stop: asyncio.Event) -> None:
    """Deliver events until none is due: a busy minute must not wait for quiet seconds."""
    while await relay(database, subscribers) == RELAYED_AT_ONCE and not stop.is_set():
        continue


async def forget_replies(database: Database) -> int:
    """Every kept reply whose time is over, in batches, so that no transaction is long; how many they were."""
    forgotten = 0
    while batch := await forget_expired(database):
        forgotten += batch
    return forgotten
