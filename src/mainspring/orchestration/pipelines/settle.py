"""Settling: one transaction that stores outcomes, wakes successors, ends runs and tells the story.

Outcomes of many runs and tenants share a transaction (a group commit). Each is taken or refused by
its own token, so that one zombie in a batch harms nobody. Every statement sees what the statements
before it and all transactions before it committed: the runs are locked first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from mainspring.foundation.db import SystemTransaction, TenantTransaction

from . import fan_store, queue_store, waits_store
from .consequences import Course, FanProgress, close, follow
from .outcomes import Ended, Outcome, item_rows_of, rows_of, suspension_rows_of
from .resume import resume_answered, start_children
from .story import Ending, Milestone, Story
from .types import Failure, RunId, RunStatus, StepStatus
from .wire import show_instant


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of a batch: to be made known after the commit.

    lanes      where steps became ready
    refused    outcomes whose lease was no longer theirs
    fans       how far fan-outs are
    needs_kin  a run ended that another one waits for, or that others ran for: sweep at once
    """

    milestones: tuple[Milestone, ...]
    lanes: frozenset[str]
    refused: tuple[Outcome, ...]
    fans: tuple[FanProgress, ...] = ()
    needs_kin: bool = False


async def settle(transaction: SystemTransaction, outcomes: Sequence[Outcome]) -> Settled:
    """Apply the outcomes whose tokens are valid, with everything that follows from them.

    Who settles all the time opens the transaction with `plans_once`.
    """
    runs = sorted({each.lease.run for each in outcomes})
    locked = await queue_store.lock_runs(transaction, runs)
    story = Story(locked)
    until = await _store(transaction, runs, outcomes)
    accepted = [each for each in outcomes if each.lease.token in until]
    for each in accepted:
        if not each.is_silent:
            woken = {"until": show_instant(wake_at)} if (wake_at := until[each.lease.token]) else {}
            story.tell(each.lease.run, each.event, {**each.lease.facts, **each.facts, **woken})
    ended = [_ended(each) for each in accepted if each.status in {StepStatus.SUCCEEDED, StepStatus.FAILED}]
    lanes = {_lane_of(locked, each) for each in accepted if each.status is StepStatus.READY}
    fanned = [each for each in accepted if each.status is StepStatus.GATHERING]
    lanes |= {_lane_of(locked, each) for each in fanned}
    suspended = [each for each in accepted if each.status is StepStatus.SUSPENDED]
    if suspended:
        lanes |= await start_children(transaction, suspended)
        ended += await resume_answered(transaction, story, suspended)
    course = await follow(transaction, story, ended, opened=[(each.lease.run, each.lease.name) for each in fanned])
    await story.write(transaction)
    refused = tuple(each for each in outcomes if each.lease.token not in until)
    return Settled(
        tuple(story.milestones), frozenset(lanes | course.lanes), refused, tuple(course.fans), story.needs_kin
    )


async def _store(
    transaction: SystemTransaction, runs: Sequence[RunId], outcomes: Sequence[Outcome]
) -> dict[UUID, datetime | None]:
    """Write the outcomes; answers the tokens that were valid, and when a suspended step wakes."""
    suspended = [each for each in outcomes if each.suspension is not None]
    fanned = [each for each in outcomes if each.items is not None]
    plain = [each for each in outcomes if each.suspension is None and each.items is None]
    taken: dict[UUID, datetime | None] = {}
    if plain:
        rows = await queue_store.settle_steps(transaction, runs, rows_of(plain))
        taken.update((row["token"], None) for row in rows)
    if suspended:
        rows = await waits_store.suspend_steps(transaction, runs, suspension_rows_of(suspended))
        taken.update((row["token"], row["wake_at"]) for row in rows)
    if fanned:
        rows = await fan_store.fan_out(transaction, runs, item_rows_of(fanned))
        taken.update((row["token"], None) for row in rows)
    return taken


async def end_run(
    transaction: SystemTransaction | TenantTransaction, run: RunId, status: RunStatus, failure: Failure | None = None
) -> tuple[RunStatus | None, tuple[Milestone, ...]]:
    """End a run from outside, whatever its steps are doing; answers what it was before, None when unknown.

    A run that has ended, or is being undone, stays as it is. Steps in progress lose their token in the same
    transaction. What is declared to be undone is undone before the run ends.
    """
    locked = await queue_store.lock_runs(transaction, [run])
    if not locked:
        return None, ()
    before = RunStatus(locked[0]["status"])
    if before.is_final or before is RunStatus.COMPENSATING:
        return before, ()
    story = Story(locked)
    await close(transaction, story, Course(), {run: Ending(status, failure)})
    await story.write(transaction)
    return before, tuple(story.milestones)


def _ended(outcome: Outcome) -> Ended:
    lease = outcome.lease
    failure = outcome.failure if outcome.status is StepStatus.FAILED else None
    return Ended(lease.run, lease.name, lease.map_key, failure)


def _lane_of(locked: Sequence[dict[str, object]], outcome: Outcome) -> str:
    row = next(row for row in locked if row["id"] == outcome.lease.run)
    return f"{row['pipeline']}@{row['version']}/{outcome.lease.name}"
