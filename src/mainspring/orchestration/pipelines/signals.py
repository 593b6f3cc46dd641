"""Signals: what the world tells a run, kept in Postgres whether or not a step waits for it yet."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from mainspring.foundation.db import TenantTransaction
from mainspring.foundation.errors import InvalidInput
from mainspring.foundation.ids import show_id

from . import queue_store, waits_store
from .codec import encode, find_unfit
from .errors import PayloadRefused, RunEnded
from .pipeline import Pipeline
from .resume import resume_signalled
from .run_rows import run_not_found
from .story import Milestone, Story
from .types import RUN_PREFIX, RunId, RunStatus
from .waits import is_signal_name

MAX_KEY_CHARACTERS = 200

Known = Mapping[tuple[str, int], Pipeline]
"""Pipelines by name and version."""


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a signal, to be made known after the commit (`Pipelines.make_known`)."""

    milestones: tuple[Milestone, ...] = ()
    lanes: frozenset[str] = frozenset()


async def receive(
    transaction: TenantTransaction,
    run: RunId,
    name: str,
    payload: object,
    *,
    key: str,
    known: Known | None = None,
) -> Told:
    """Keep the signal, and end every wait for it; one of the same name and key again changes nothing.

    known   declarations to check it against, when a step waits for it; PayloadRefused names what does not fit
    """
    if not is_signal_name(name):
        raise InvalidInput(
            f"The signal name {name[:80]!r} must start with a letter and have at most 128 of the characters "
            "a-z 0-9 _ . : -"
        )
    if not (1 <= len(key) <= MAX_KEY_CHARACTERS and key.isprintable()):
        raise InvalidInput(f"The key of the signal must have 1 to {MAX_KEY_CHARACTERS} printable characters.")
    text = encode(payload, f"The payload of the signal {name!r}")
    locked = await queue_store.lock_runs(transaction, [run])
    if not locked:
        raise run_not_found(run)
    if await waits_store.has_signal(transaction, run, name, key):
        return Told()
    status = RunStatus(locked[0]["status"])
    if status.is_final or status is RunStatus.COMPENSATING:
        raise RunEnded(
            f"The run {show_id(RUN_PREFIX, run)} is {status.value}; the signal {name!r} cannot reach it any more."
        )
    awaiting = await waits_store.find_awaiting(transaction, run, f"signal:{name}")
    if pipeline := (known or {}).get((locked[0]["pipeline"], locked[0]["version"])):
        _check_fits(text, name, pipeline, {row["name"] for row in awaiting})
    await waits_store.insert_signal(transaction, run, name, key, text)
    story = Story(locked)
    # What waits now found nothing that fits when it began to wait; what begins later takes the first that does.
    course = await resume_signalled(transaction, story, awaiting, text)
    await story.write(transaction)
    return Told(tuple(story.milestones), frozenset(course.lanes))


def _check_fits(text: str, name: str, pipeline: Pipeline, steps: Collection[str]) -> None:
    for step in sorted(steps):
        if reason := find_unfit(text, pipeline.get_step(step).output_type):
            raise PayloadRefused(
                f"The payload of the signal {name!r} is not what the step {step!r} of {pipeline.name}@"
                f"{pipeline.version} waits for: {reason}."
            )
