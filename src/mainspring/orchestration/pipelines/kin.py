"""Runs that start others: a child's end is brought to the step that waits, a parent's end to its children.

Both are owed in Postgres (`owes_parent`, `has_children`) from the transaction that makes them due, and done in a
later one: locks on runs are taken in the order of their ids, which a parent and its children cannot share with a
batch of others. The worker that settled the end sweeps at once; any worker's sweep is the net.
"""

from uuid import UUID

from mainspring.foundation.db import SystemTransaction
from mainspring.foundation.ids import new_id

from . import queue_store, waits_store
from .consequences import Course, follow
from .resume import child_answer, resume
from .settle import end_run
from .story import Milestone, Story
from .types import RunId, RunStatus

MAX_OWING = 200


def id_after(parent: UUID) -> UUID:
    """A fresh id that sorts after the parent's, whatever the clocks of the two machines say."""
    fresh = new_id()
    if fresh > parent:
        return fresh
    late = (parent.int >> 80) + 1
    return UUID(int=late << 80 | fresh.int & ((1 << 80) - 1))


async def tell_parents(transaction: SystemTransaction) -> tuple[Story, Course] | None:
    """Resume steps whose runs have ended; None when there are none."""
    rows = await waits_store.find_owing(transaction, MAX_OWING)
    if not rows:
        return None
    parents = {row["parent_run"] for row in rows}
    children = [row["id"] for row in rows]
    story = Story(await queue_store.lock_runs(transaction, sorted(parents.union(children))))
    ended = await resume(transaction, story, [child_answer(row) for row in rows])
    course = await follow(transaction, story, ended)
    await story.write(transaction)
    await waits_store.settle_debts(transaction, children)
    return story, course


async def end_orphans(transaction: SystemTransaction) -> list[Milestone]:
    """Cancel a few of the runs whose parents ended without them; those with none left are done."""
    milestones: list[Milestone] = []
    parents: list[UUID] = [row["id"] for row in await waits_store.find_orphaning(transaction, MAX_OWING)]
    if not parents:
        return milestones
    children = [row["id"] for row in await waits_store.find_children(transaction, parents, MAX_OWING)]
    await queue_store.lock_runs(transaction, sorted([*parents, *children]))
    for child in children:
        _, told = await end_run(transaction, RunId(child), RunStatus.CANCELLED)
        milestones += told
    if len(children) < MAX_OWING:
        await waits_store.forget_children(transaction, parents)
    return milestones
