"""Settling: one transaction that stores outcomes, wakes successors, ends runs and tells the story.

Outcomes of many runs and tenants share a transaction (a group commit). Each is taken or refused by
its own token, so that one zombie in a batch harms nobody. Every statement sees what the statements
before it and all transactions before it committed: the runs are locked first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mainspring.foundation.db import SystemTransaction, TenantTransaction

from . import queue_store
from .outcomes import Outcome, rows_of
from .story import Ending, Milestone, Story
from .types import Failure, RunId, RunStatus, StepStatus


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of a batch: to be made known after the commit.

    lanes    where steps became ready
    refused  outcomes whose lease was no longer theirs
    """

    milestones: tuple[Milestone, ...]
    lanes: frozenset[str]
    refused: tuple[Outcome, ...]


async def settle(transaction: SystemTransaction, outcomes: Sequence[Outcome]) -> Settled:
    """Apply the outcomes whose tokens are valid, with everything that follows from them."""
    await queue_store.plan_by_index(transaction)
    runs = sorted({each.lease.run for each in outcomes})
    locked = await queue_store.lock_runs(transaction, runs)
    story = Story(locked)
    rows = await queue_store.settle_steps(transaction, runs, rows_of(outcomes))
    taken = {row["token"] for row in rows}
    accepted = [each for each in outcomes if each.lease.token in taken]
    for each in accepted:
        story.tell(each.lease.run, each.event, {"step": each.lease.name, **each.facts})
    lanes = {_lane_of(locked, each) for each in accepted if each.status is StepStatus.READY}
    failures = {each.lease.run: each.failure for each in reversed(accepted) if each.status is StepStatus.FAILED}
    advancing = sorted({each.lease.run for each in accepted if each.status is StepStatus.SUCCEEDED} - failures.keys())
    if advancing:
        lanes |= {row["lane"] for row in await queue_store.ready_successors(transaction, advancing)}
        for row in await queue_store.find_complete(transaction, advancing):
            story.end(row["run_id"], Ending(RunStatus.SUCCEEDED))
    if failures:
        await queue_store.cancel_steps(transaction, sorted(failures))
        for run, failure in failures.items():
            story.end(run, Ending(RunStatus.FAILED, failure))
    await story.write(transaction)
    refused = tuple(each for each in outcomes if each.lease.token not in taken)
    return Settled(tuple(story.milestones), frozenset(lanes), refused)


async def end_run(
    transaction: SystemTransaction | TenantTransaction, run: RunId, status: RunStatus, failure: Failure | None = None
) -> tuple[RunStatus | None, tuple[Milestone, ...]]:
    """End a run from outside, whatever its steps are doing; answers what it was before, None when unknown.

    A run that has ended stays as it is. Steps in progress lose their token in the same transaction.
    """
    locked = await queue_store.lock_runs(transaction, [run])
    if not locked:
        return None, ()
    before = RunStatus(locked[0]["status"])
    if before.is_final:
        return before, ()
    story = Story(locked)
    await queue_store.cancel_steps(transaction, [run])
    story.end(run, Ending(status, failure))
    await story.write(transaction)
    return before, tuple(story.milestones)


def _lane_of(locked: Sequence[dict[str, object]], outcome: Outcome) -> str:
    row = next(row for row in locked if row["id"] == outcome.lease.run)
    return f"{row['pipeline']}@{row['version']}/{outcome.lease.name}"
