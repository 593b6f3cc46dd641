"""The safety net, swept each second by every worker: whatever no hint told of is found here.

Expired leases go back to ready; a step that keeps losing workers in which nothing else runs fails its
run; retries that are due become ready; waits end whose time has passed or whose run has ended; runs past
their deadline end, and those whose parent has ended. Several workers may sweep at once: each row is
taken by one of them, because outcomes are settled by token and only while the lease is expired, and
waits are answered only while they last.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import psycopg

from mainspring.foundation.db import Database, DatabaseGone, Row, SystemTransaction
from mainspring.foundation.ids import TenantId
from mainspring.foundation.telemetry import get_logger

from . import queue_store, waits_store
from .consequences import Course
from .kin import end_orphans, tell_parents
from .outcomes import SUSPECT_FROM, Lease, Outcome, lost, lost_for_good
from .resume import wake
from .settle import end_run, settle
from .story import Milestone, Story
from .types import Failure, RunId, RunStatus

log = get_logger(__name__)

MAX_LOSSES = 5
"""How often a step may lose its worker, from the second time on while running alone, before it is the cause."""

MAX_SWEPT = 200
MAX_PROMOTED = 1_000


@dataclass(slots=True)
class Swept:
    """What a sweep did, to be made known."""

    milestones: list[Milestone] = field(default_factory=list[Milestone])
    has_ready: bool = False
    has_more: bool = False

    def add(self, story: Story, course: Course) -> None:
        """What followed when waits ended."""
        self.milestones += story.milestones
        self.has_ready = self.has_ready or bool(course.lanes)
        self.has_more = self.has_more or story.needs_kin


async def sweep(database: Database) -> Swept:
    """Sweep once; raises one of `DatabaseGone`. What Postgres refuses of it holds up nothing else of it."""
    swept = Swept()
    for work in (_promote, _take_back, _wake, _end_overdue):
        if not await _tried(database, work, swept) and work is _take_back:
            await _take_back_apart(database, swept)
    await sweep_kin(database, swept)
    return swept


async def sweep_kin(database: Database, swept: Swept) -> None:
    """Bring the ends of runs to those that wait for them, and to those that ran for them."""
    for work in (_tell_parents, _end_orphans):
        await _tried(database, work, swept)


async def _tried(database: Database, work: Callable[[SystemTransaction, Swept], Awaitable[None]], swept: Swept) -> bool:
    """Do it in a transaction of its own; False, and a line in the log, when Postgres refused it."""
    try:
        async with database.system() as transaction:
            await work(transaction, swept)
    except DatabaseGone:
        raise
    except psycopg.Error as refusal:
        log.error("sweep_refused", work=work.__name__, error=type(refusal).__name__)
        return False
    return True


async def _take_back_apart(database: Database, swept: Swept) -> None:
    """One lease that cannot be taken back must not keep all the others."""
    async with database.system() as transaction:
        rows = await queue_store.find_expired(transaction, MAX_SWEPT)
    for row in rows:

        async def take_one(transaction: SystemTransaction, swept: Swept, row: Row = row) -> None:
            await _settle_lost(transaction, swept, [row])

        await _tried(database, take_one, swept)


async def _promote(transaction: SystemTransaction, swept: Swept) -> None:
    promoted = await queue_store.promote_due(transaction, MAX_PROMOTED)
    swept.has_ready = promoted > 0
    swept.has_more = promoted == MAX_PROMOTED


async def _tell_parents(transaction: SystemTransaction, swept: Swept) -> None:
    if told := await tell_parents(transaction):
        swept.add(*told)


async def _end_orphans(transaction: SystemTransaction, swept: Swept) -> None:
    swept.milestones += await end_orphans(transaction)


async def _wake(transaction: SystemTransaction, swept: Swept) -> None:
    rows = await waits_store.find_awake(transaction, MAX_SWEPT)
    if rows:
        swept.add(*await wake(transaction, rows))
    swept.has_more = swept.has_more or len(rows) == MAX_SWEPT


async def _take_back(transaction: SystemTransaction, swept: Swept) -> None:
    if rows := await queue_store.find_expired(transaction, MAX_SWEPT):
        await _settle_lost(transaction, swept, rows)


async def _settle_lost(transaction: SystemTransaction, swept: Swept, rows: Sequence[Row]) -> None:
    await queue_store.plan_by_index(transaction)
    settled = await settle(transaction, [_outcome(row) for row in rows])
    log.warning("leases_expired", steps=len(settled.milestones))
    swept.milestones += settled.milestones
    swept.has_ready = swept.has_ready or bool(settled.lanes)
    swept.has_more = swept.has_more or settled.needs_kin


def _outcome(row: Row) -> Outcome:
    lease = Lease(
        TenantId(row["tenant_id"]), RunId(row["run_id"]), row["name"], row["map_key"], row["token"], row["attempt"]
    )
    if row["losses"] >= SUSPECT_FROM and not row["was_alone"]:
        return lost(lease, counts=False)
    return lost(lease) if row["losses"] < MAX_LOSSES else lost_for_good(lease, row["losses"])


async def _end_overdue(transaction: SystemTransaction, swept: Swept) -> None:
    rows = await queue_store.find_overdue(transaction, MAX_SWEPT)
    swept.has_more = swept.has_more or len(rows) == MAX_SWEPT
    for row in rows:
        failure = Failure(
            "deadline_exceeded", f"The run was not finished by its deadline, {row['deadline']:%Y-%m-%d %H:%M:%S} UTC."
        )
        _, milestones = await end_run(transaction, RunId(row["id"]), RunStatus.FAILED, failure)
        swept.milestones += milestones
