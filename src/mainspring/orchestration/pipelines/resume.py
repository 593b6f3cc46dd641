"""Waits that are over: a signal came, time passed, or the run that was started has ended.

A wait is answered once: the row must still be suspended and await just that. Then the step has ended like any
other, and `consequences` takes it from there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from mainspring.foundation.db import Row, SystemTransaction
from mainspring.foundation.telemetry import get_logger

from . import queue_store, waits_store
from .codec import find_unfit, show_text
from .consequences import Course, close, follow
from .outcomes import Ended, Outcome
from .queue_store import Transaction
from .story import Ending, Story
from .types import EventType, Failure, RunId, RunStatus, StepStatus

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What ends one wait: an output as JSON, or a failure."""

    run: RunId
    name: str
    map_key: str
    awaited: str
    text: str
    output: str | None = None
    failure: Failure | None = None


async def resume(transaction: Transaction, story: Story, answers: Sequence[Answer]) -> list[Ended]:
    """End the waits that these answer and tell of them; answers the steps that ended, for `follow`."""
    if not answers:
        return []
    by_place = {(each.run, each.name, each.map_key): each for each in answers}
    runs = sorted({each.run for each in answers})
    rows = await waits_store.resume_steps(transaction, runs, _rows(answers))
    ended: list[Ended] = []
    for row in rows:
        answer = by_place[row["run_id"], row["name"], row["map_key"]]
        _tell(story, row, answer)
        ended.append(Ended(answer.run, answer.name, answer.map_key, answer.failure))
    return ended


async def start_children(transaction: SystemTransaction, suspended: Sequence[Outcome]) -> set[str]:
    """Insert the runs that steps wait for from now on; answers the lanes where they start."""
    rows: list[dict[str, object]] = []
    lanes: set[str] = set()
    for outcome in suspended:
        suspension, lease = outcome.suspension, outcome.lease
        if suspension is None or (child := suspension.child) is None:
            continue
        lanes |= child.lanes
        rows.append(
            {
                "id": suspension.awaited.removeprefix("run:"),
                "parent_run": lease.run,
                "parent_step": lease.name,
                "parent_map_key": lease.map_key,
                "pipeline": child.pipeline,
                "version": child.version,
                "input": child.input,
                "subject": child.subject,
                "cost_ceiling_micros": child.cost_ceiling_micros,
                "steps": msgspec.Raw(child.steps.encode()),
            }
        )
    if rows:
        await waits_store.insert_children(transaction, msgspec.json.encode(rows).decode())
    return lanes


async def resume_answered(transaction: Transaction, story: Story, suspended: Sequence[Outcome]) -> list[Ended]:
    """Signals may have come before the step waited for them: the first that is of its type is the answer.

    One that is not was kept when nobody could tell what it was for. It is passed over, and the step waits on.
    """
    runs = sorted(
        {each.lease.run for each in suspended if each.suspension and each.suspension.awaited.startswith("signal:")}
    )
    found = await waits_store.find_answered(transaction, runs) if runs else []
    kinds = {
        (each.lease.run, each.lease.name, each.lease.map_key): each.suspension.kind
        for each in suspended
        if each.suspension
    }
    fitting = [await _first_fitting(transaction, row, kinds) for row in found]
    return await resume(transaction, story, [_signalled(row, row["output"]) for row in fitting if row])


async def _first_fitting(transaction: Transaction, row: Row, kinds: Mapping[tuple[RunId, str, str], Any]) -> Row | None:
    kind = kinds.get((row["run_id"], row["name"], row["map_key"]), Any)
    candidate: Row | None = row
    while candidate and (reason := find_unfit(candidate["output"], kind)):
        log.warning("signal_unfit", run=str(row["run_id"]), step=row["name"], awaited=row["awaited"], reason=reason)
        candidate = await waits_store.find_next_signal(transaction, candidate)
    return candidate


async def resume_signalled(transaction: Transaction, story: Story, rows: Sequence[Row], payload: str) -> Course:
    """The signal that these rows await has come."""
    ended = await resume(transaction, story, [_signalled(row, payload) for row in rows])
    return await follow(transaction, story, ended)


async def wake(transaction: SystemTransaction, rows: Sequence[Row]) -> tuple[Story, Course]:
    """End waits whose time has passed, of rows as `waits_store.find_awake` gives them.

    A run that was waited for until then is cancelled: nobody takes what it would give.
    """
    children = {row["awaited"]: UUID(child) for row in rows if (child := row["awaited"].partition("run:")[2])}
    locked = await queue_store.lock_runs(transaction, sorted({*(row["run_id"] for row in rows), *children.values()}))
    story = Story(locked)
    answers = {(each.run, each.name, each.map_key): each for each in map(_expired, rows)}
    ended = await resume(transaction, story, list(answers.values()))
    course = await follow(transaction, story, ended)
    over = {answers[each.run, each.name, each.map_key].awaited for each in ended}
    given_up = {child for awaited, child in children.items() if awaited in over}
    endings = {
        RunId(row["id"]): Ending(RunStatus.CANCELLED)
        for row in locked
        if row["id"] in given_up and row["status"] in {RunStatus.QUEUED, RunStatus.RUNNING}
    }
    await close(transaction, story, course, endings)
    await story.write(transaction)
    return story, course


def child_answer(row: Row) -> Answer:
    """What a run that ended answers the step that waits for it, of a row of `waits_store.find_owing`."""
    run, awaited = RunId(row["parent_run"]), f"run:{row['id']}"
    name, map_key = row["parent_step"], row["parent_map_key"]
    if row["status"] == "succeeded":
        return Answer(run, name, map_key, awaited, f"{row['pipeline']} has finished", output=row["output"])
    if row["fallback"] is not None:
        return Answer(run, name, map_key, awaited, f"{row['pipeline']} gave nothing", output=row["fallback"])
    detail = row["error_detail"] or f"The run of {row['pipeline']} was cancelled."
    failure = Failure(row["error_code"] or "run_cancelled", detail)
    return Answer(run, name, map_key, awaited, detail, failure=failure)


def _signalled(row: Row, payload: str) -> Answer:
    text = f"Received {row['awaited'].removeprefix('signal:')}"
    return Answer(RunId(row["run_id"]), row["name"], row["map_key"], row["awaited"], text, output=payload)


def _expired(row: Row) -> Answer:
    run, name, map_key, awaited = RunId(row["run_id"]), row["name"], row["map_key"], row["awaited"]
    until: datetime = row["wake_at"]
    if awaited == "time":
        elapsed = msgspec.json.encode({"until": f"{until.isoformat()}+00:00"}).decode()
        return Answer(run, name, map_key, awaited, "The time has come", output=elapsed)
    if row["fallback"] is not None:
        return Answer(run, name, map_key, awaited, "Waited long enough", output=row["fallback"])
    what = awaited.removeprefix("signal:") if awaited.startswith("signal:") else "the run it started"
    failure = Failure("wait_expired", f"{row['title']}: {what} did not come until {until:%Y-%m-%d %H:%M:%S} UTC.")
    return Answer(run, name, map_key, awaited, failure.detail, failure=failure)


def _tell(story: Story, row: Row, answer: Answer) -> None:
    place: dict[str, object] = {"step": answer.name}
    if answer.map_key:
        place["item"] = int(answer.map_key)
    if not answer.map_key or answer.awaited.startswith("signal:"):
        story.tell(answer.run, EventType.STEP_RESUMED, {**place, "text": show_text(answer.text)})
    if answer.failure:
        detail = show_text(answer.failure.detail)
        story.tell(answer.run, EventType.STEP_FAILED, {**place, "text": detail, "code": answer.failure.code})
    elif not answer.map_key:
        story.tell(answer.run, EventType.STEP_FINISHED, {**place, "text": row["title"]})


def _rows(answers: Sequence[Answer]) -> str:
    rows = [
        {
            "run_id": each.run,
            "name": each.name,
            "map_key": each.map_key,
            "awaited": each.awaited,
            "status": StepStatus.FAILED if each.failure else StepStatus.SUCCEEDED,
            "output": each.output,
            "error_code": each.failure.code if each.failure else None,
            "error_detail": show_text(each.failure.detail) if each.failure else None,
        }
        for each in answers
    ]
    return msgspec.json.encode(rows).decode()
