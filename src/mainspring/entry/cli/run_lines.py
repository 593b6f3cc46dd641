"""Runs, steps and payloads as the lines that commands print."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from uuid import UUID

import msgspec

from mainspring.foundation.ids import TenantId, show_id
from mainspring.orchestration.pipelines import RUN_PREFIX, Failure, Run
from mainspring.orchestration.pipelines.operating import Payload, StepLine, find_standing

from .desk import printable, show_time


def mute_run(run: Run) -> Run:
    """What may be shown without naming the tenant: the code of the failure, not what it says."""
    return replace(
        run, error=_mute(run.error), steps=tuple(replace(each, error=_mute(each.error)) for each in run.steps)
    )


def mute_step(step: StepLine) -> StepLine:
    """As `mute_run`."""
    return replace(step, error=_mute(step.error))


def show_error(error: Failure | None) -> str | None:
    """Code and, where it may be shown, what it says."""
    if error is None:
        return None
    return f"{error.code}: {printable(error.detail)}" if error.detail else error.code


def run_line(run: Run, slugs: dict[TenantId, str]) -> dict[str, object]:
    """A run in a list."""
    return {
        "id": show_id(RUN_PREFIX, run.id),
        "tenant": slugs.get(run.tenant, show_id("ten", run.tenant)),
        "pipeline": f"{run.pipeline}@{run.version}",
        "status": run.status.value,
        "at": ", ".join(find_standing(run)),
        "error": show_error(run.error),
        "subject": run.subject,
        "created": show_time(run.created_at),
        "finished": show_time(run.finished_at),
    }


def run_facts(run: Run, slug: str) -> dict[str, object]:
    """One run, fact by fact; what is not known is None."""
    return {
        "run": show_id(RUN_PREFIX, run.id),
        "tenant": slug,
        "pipeline": f"{run.pipeline}@{run.version}",
        "status": run.status.value,
        "subject": run.subject,
        "submitted": show_time(run.created_at),
        "by": run.initiated_by,
        "started": show_time(run.started_at),
        "finished": show_time(run.finished_at),
        "error": show_error(run.error),
        "retry of": show_id(RUN_PREFIX, run.retry_of) if run.retry_of else None,
        "replay of": show_id(RUN_PREFIX, run.replay_of) if run.replay_of else None,
        "child of": show_id(RUN_PREFIX, run.parent) if run.parent else None,
    }


def step_line(step: StepLine) -> dict[str, object]:
    """A step, or an item of one, in a list."""
    return {
        "step": step.name if step.item is None else f"{step.name}[{step.item}]",
        "status": step.status.value,
        "attempt": step.attempt,
        "started": show_time(step.started_at),
        "finished": show_time(step.finished_at),
        "waits_for": step.awaited,
        "until": show_time(step.wake_at or step.due_at),
        "error": show_error(step.error),
    }


def step_row(step: StepLine) -> dict[str, object]:
    """A step in a table; what it waits for is a line of its own (`wait_lines`)."""
    line = step_line(step)
    return {name: line[name] for name in ("step", "status", "attempt", "started", "finished", "error")}


def wait_lines(steps: Iterable[StepLine]) -> Iterator[str]:
    """What suspended steps wait for, and what the reader can do about it."""
    for step in steps:
        kind, _, name = (step.awaited or "").partition(":")
        until = f" until {show_time(step.wake_at)}" if step.wake_at else ""
        where = step.name if step.item is None else f"{step.name}[{step.item}]"
        match kind:
            case "time":
                yield f"{where} waits{until}."
            case "signal" if name.startswith("approval:"):
                yield f"{where} waits for a person{until}: mainspring approvals show {name.removeprefix('approval:')}"
            case "signal":
                yield f"{where} waits for the signal {name}{until}."
            case "run":
                child = show_id(RUN_PREFIX, UUID(name))
                yield f"{where} waits for another run{until}: mainspring runs show {child}"
            case _:
                continue


def read_value(payload: Payload | None) -> object:
    """Stored JSON as a value; the beginning of its text when it was cut."""
    if payload is None:
        return None
    if payload.is_cut:
        return f"{payload.text}\n... cut here; {payload.size} bytes in all"
    return msgspec.json.decode(payload.text)


def show_value(value: object) -> str:
    """A value as text: strings as they are, all else as JSON."""
    return value if isinstance(value, str) else msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def _mute(error: Failure | None) -> Failure | None:
    return replace(error, detail="") if error else None
