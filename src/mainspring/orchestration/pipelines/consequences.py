"""What follows when steps end: lists are gathered, successors become ready, runs end or are undone.

Everything here happens in the transaction in which the steps end, with their runs locked; who settles outcomes,
answers waits or cancels comes through here, so that a run has one way to go on and one way to end.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

import msgspec

from mainspring.foundation.db import Row
from mainspring.foundation.ids import TenantId

from . import fan_store, queue_store, undo_store
from .dead_letters import bury
from .outcomes import Ended
from .pipeline import UNDO
from .queue_store import Transaction
from .story import Ending, Story
from .types import EventType, Failure, RunId, RunStatus, StepStatus

CEILING_REACHED = "cost_ceiling_reached"

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class FanProgress:
    """How far a fan-out is, for who watches. `floor` is the number of a milestone that precedes it."""

    tenant: TenantId
    run: RunId
    step: str
    attempt: int
    floor: int
    done: int
    total: int


@dataclass(slots=True)
class Course:
    """What became of the runs.

    lanes  where steps became ready
    fans   how far the fan-outs are of which items ended
    """

    lanes: set[str] = field(default_factory=set[str])
    fans: list[FanProgress] = field(default_factory=list[FanProgress])


async def follow(
    transaction: Transaction, story: Story, ended: Sequence[Ended], *, opened: Sequence[tuple[RunId, str]] = ()
) -> Course:
    """Do all that follows from these steps' ends; the caller writes the story.

    opened  fan-outs that have just begun, by run and name: an empty one is gathered at once
    """
    course = Course()
    if not ended and not opened:
        return course
    if any(each.failure for each in ended):
        await bury(transaction, story, ended)
    whole = [each for each in ended if not each.map_key]
    whole += await _count(transaction, story, course, [each for each in ended if each.map_key], opened)
    endings: dict[RunId, Ending] = {}
    for each in whole:
        if each.failure and not _is_undoing(each):
            endings.setdefault(each.run, Ending(RunStatus.FAILED, each.failure))
    for each in ended:  # an item must not spend its way past the ceiling by failing
        if each.failure and each.failure.code == CEILING_REACHED and not _is_undoing(each):
            endings[each.run] = Ending(RunStatus.FAILED, each.failure)
    await _advance(transaction, story, course, _distinct(each.run for each in whole if not _is_undoing(each)), endings)
    await close(transaction, story, course, endings)
    await _undo_on(transaction, story, course, _distinct(each.run for each in whole if _is_undoing(each)))
    return course


async def close(transaction: Transaction, story: Story, course: Course, endings: Mapping[RunId, Ending]) -> None:
    """Stop whatever the runs are doing; they end now, or once what succeeded has been undone."""
    if not endings:
        return
    runs = sorted(endings)
    await queue_store.cancel_steps(transaction, runs)
    undoing: set[UUID] = set()
    for row in await undo_store.undo_next(transaction, runs):
        undoing.add(row["run_id"])
        course.lanes.add(row["lane"])
    for run in runs:
        if run in undoing:
            story.undo(run, endings[run])
        else:
            story.end(run, endings[run])


async def _advance(
    transaction: Transaction, story: Story, course: Course, runs: Sequence[RunId], endings: dict[RunId, Ending]
) -> None:
    """Ready what can go on in runs that do not fail now, and end those that are complete."""
    advancing = [run for run in runs if run not in endings]
    if not advancing:
        return
    complete = {row["run_id"] for row in await queue_store.find_complete(transaction, advancing)}
    for run in advancing:
        if run in complete:
            story.end(run, Ending(RunStatus.SUCCEEDED))
        elif failure := _overspent(story.row(run)):
            endings[run] = Ending(RunStatus.FAILED, failure)
    going_on = [run for run in advancing if run not in complete and run not in endings]
    if going_on:
        course.lanes |= {row["lane"] for row in await queue_store.ready_successors(transaction, going_on)}


def _overspent(row: Row) -> Failure | None:
    ceiling = row["cost_ceiling_micros"]
    return over_ceiling(row["cost_micros"], ceiling) if ceiling is not None and row["cost_micros"] > ceiling else None


def over_ceiling(spent: int, ceiling: int) -> Failure:
    """How a run fails that spent too much."""
    return Failure(
        CEILING_REACHED, f"The run spent {spent} micros; its ceiling is {ceiling}. Submit it with a higher one."
    )


# Fan-outs


async def _count(
    transaction: Transaction,
    story: Story,
    course: Course,
    items: Sequence[Ended],
    opened: Sequence[tuple[RunId, str]],
) -> list[Ended]:
    """Take ended items off the counts; answers the fan-outs that ended with them."""
    if not items and not opened:
        return []
    ended, failed = Counter[tuple[RunId, str]](), Counter[tuple[RunId, str]]()
    first: dict[tuple[RunId, str], Failure] = {}
    for each in items:
        ended[each.run, each.name] += 1
        if each.failure:
            failed[each.run, each.name] += 1
            first.setdefault((each.run, each.name), each.failure)
    fans = _distinct((*opened, *ended))
    rows = [{"run_id": run, "name": name, "ended": ended[run, name], "failed": failed[run, name]} for run, name in fans]
    runs = sorted({run for run, _ in fans})
    counts = await fan_store.count_items(transaction, runs, msgspec.json.encode(rows).decode())
    gathered: list[tuple[Row, Failure | None]] = []
    for count in counts:
        key = (RunId(count["run_id"]), str(count["name"]))
        course.fans.append(_progress(story, count))
        if (over := _beyond_tolerance(count, first.get(key))) or count["items_left"] == 0:
            gathered.append((count, over))
    return await _gather(transaction, story, runs, gathered) if gathered else []


def _beyond_tolerance(count: Row, first: Failure | None) -> Failure | None:
    """Why the fan-out fails, if it does; one that undoes goes through all its items before."""
    tolerated = math.floor(round(count["tolerance"], 6) * count["items"] + 1e-6)
    failed, is_over = count["items_failed"], count["items_left"] == 0
    if failed <= tolerated or (count["name"].startswith(UNDO) and not is_over):
        return None
    last = f" One of them: {first.detail}" if first else ""
    return Failure(
        "items_failed", f"{count['title']}: {failed} of {count['items']} items failed, {tolerated} may.{last}"
    )


async def _gather(
    transaction: Transaction, story: Story, runs: Sequence[UUID], gathered: Sequence[tuple[Row, Failure | None]]
) -> list[Ended]:
    rows: list[dict[str, object]] = []
    ended: list[Ended] = []
    for count, failure in gathered:
        run, name = RunId(count["run_id"]), str(count["name"])
        total, failed = count["items"], count["items_failed"]
        row: dict[str, object] = {"run_id": run, "name": name}
        text = f"{total - failed} of {total} done" if failed else f"All {total} done"
        if failure:
            rows.append(
                {**row, "status": StepStatus.FAILED, "error_code": failure.code, "error_detail": failure.detail}
            )
            story.tell(run, EventType.STEP_FAILED, {"step": name, "text": failure.detail, "code": failure.code})
        else:
            output = {"total": total, "failed": failed}
            rows.append({**row, "status": StepStatus.SUCCEEDED, "output": output})
            story.tell(run, EventType.STEP_GATHERED, {"step": name, "text": text, "total": total, "failed": failed})
            story.tell(run, EventType.STEP_FINISHED, {"step": name, "text": text})
        ended.append(Ended(run, name, failure=failure))
    await fan_store.gather(transaction, runs, msgspec.json.encode(rows).decode())
    return ended


def _progress(story: Story, count: Row) -> FanProgress:
    row = story.row(count["run_id"])
    return FanProgress(
        tenant=row["tenant_id"],
        run=row["id"],
        step=count["name"],
        attempt=count["attempt"],
        floor=row["event_seq"],
        done=count["items"] - count["items_left"],
        total=count["items"],
    )


# Compensation


async def _undo_on(transaction: Transaction, story: Story, course: Course, runs: Sequence[RunId]) -> None:
    """Start the next compensation of runs in which one has ended, for good or bad; end those that have no more."""
    if not runs:
        return
    going_on: set[UUID] = set()
    for row in await undo_store.undo_next(transaction, runs):
        going_on.add(row["run_id"])
        course.lanes.add(row["lane"])
    over = [run for run in runs if run not in going_on]
    if not over:
        return
    left = {row["run_id"]: row["titles"] for row in await undo_store.count_not_undone(transaction, over)}
    for run in over:
        row = story.row(run)
        story.end(run, Ending(RunStatus(row["ending"]), _with_remains(row, left.get(run))))


def _with_remains(row: Row, titles: Sequence[str] | None) -> Failure | None:
    """The run's error, and what could not be undone."""
    failure = Failure(row["error_code"], row["error_detail"] or "") if row["error_code"] else None
    if not titles:
        return failure
    remains = f"Not undone: {', '.join(title.removeprefix('Undo: ') for title in titles)}; see the dead letters."
    if failure is None:
        return Failure("compensation_failed", remains)
    return Failure(failure.code, f"{failure.detail} {remains}")


def _is_undoing(ended: Ended) -> bool:
    return ended.name.startswith(UNDO)


def _distinct(things: Iterable[Thing]) -> list[Thing]:
    return list(dict.fromkeys(things))
