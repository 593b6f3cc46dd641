"""Operating through the client: runs, dead letters, holds and schedules.

for group in client.dead_letters.groups():
    print(group.count, group.pipeline, group.step, group.example.error.detail)
done = client.dead_letters.wait(client.dead_letters.replay_many(fingerprint=group.fingerprint))
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import uuid4

import msgspec

from .operating_types import (
    BulkAction,
    DeadLetter,
    DeadLetterGroup,
    Hold,
    PipelineVersion,
    Schedule,
    StepContent,
    StepState,
)
from .paging import given, iter_items, path_of
from .transport import Transport
from .types import Run

_POLL_SECONDS = 0.5


class _Items(msgspec.Struct):
    items: msgspec.Raw


class RunsClient:
    """The part of the client that is `client.runs`. Every method raises ApiError."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def iter(
        self,
        *,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
        page_size: int = 50,
        **asked: str | int | None,
    ) -> Iterator[Run]:
        """Runs that match, newest first.

        asked  `status`, `pipeline`, `version`, `step` (runs that stand at it or failed at it), `error_code`,
               `subject`, `parent`
        """
        bounds = {
            "created_after": created_after.isoformat() if created_after else None,
            "created_before": created_before.isoformat() if created_before else None,
        }
        return iter_items(self._transport, Run, "/v1/runs", {**asked, **bounds, "limit": page_size})

    def get(self, run: str) -> Run:
        """A run with its steps."""
        return self._transport.read(Run, "GET", path_of("runs", run))

    def iter_steps(
        self, run: str, *, step: str | None = None, status: str | None = None, page_size: int = 50
    ) -> Iterator[StepState]:
        """The run's steps in order; with `step`, the items that it fanned out over."""
        options = {"step": step, "status": status, "limit": page_size}
        return iter_items(self._transport, StepState, path_of("runs", run, "steps"), options)

    def get_step(self, run: str, step: str, *, item: int | None = None) -> StepContent:
        """A step, or one item of its fan-out, with what went in and came out."""
        return self._transport.read(StepContent, "GET", path_of("runs", run, "steps", step), params=given(item=item))

    def list_pipelines(self) -> tuple[PipelineVersion, ...]:
        """Every version of every pipeline with its steps."""
        found = self._transport.read(_Items, "GET", "/v1/pipelines")
        return msgspec.json.decode(found.items, type=tuple[PipelineVersion, ...])

    def start(
        self, pipeline: str, submitted: Any, *, version: int | None = None, idempotency_key: str | None = None
    ) -> Run:
        """Start a pipeline; repeated attempts of one call, and of one key, start it once."""
        return self._repeat(
            path_of("pipelines", pipeline, "runs"), {"input": submitted, **given(version=version)}, idempotency_key
        )

    def retry(self, run: str, *, version: int | None = None) -> Run:
        """Go on from where it failed, in a new run; doing it twice is the same."""
        path = path_of("runs", run, "retry")
        return self._transport.read(Run, "POST", path, is_repeatable=True, json=given(version=version))

    def replay(
        self,
        run: str,
        *,
        submitted: Any = msgspec.UNSET,
        version: int | None = None,
        idempotency_key: str | None = None,
    ) -> Run:
        """Run it again from the beginning: with its input or another, in its version or another."""
        changed = {} if submitted is msgspec.UNSET else {"input": submitted}
        return self._repeat(path_of("runs", run, "replay"), {**changed, **given(version=version)}, idempotency_key)

    def signal(self, run: str, name: str, payload: Any = None, *, key: str | None = None) -> Run:
        """Tell it what a step of it waits for; the same key tells it once."""
        body = {"payload": payload, **given(key=key)}
        return self._transport.read(Run, "POST", path_of("runs", run, "signal", name), is_repeatable=True, json=body)

    def cancel(self, run: str) -> Run:
        """Ask it to stop; doing it twice is the same."""
        return self._transport.read(Run, "POST", path_of("runs", run, "cancel"), is_repeatable=True)

    def cancel_many(self, **asked: Any) -> BulkAction:
        """Cancel the unfinished runs that match; `all=True` for every one. See `wait`."""
        return self._transport.read(BulkAction, "POST", "/v1/runs:cancel", json=asked)

    def wait(self, action: BulkAction) -> BulkAction:
        """The action once it has finished."""
        return _wait(self._transport, action)

    def _repeat(self, path: str, body: dict[str, Any], key: str | None) -> Run:
        headers = {"idempotency-key": key or str(uuid4())}
        return self._transport.read(Run, "POST", path, is_repeatable=True, headers=headers, json=body)


class DeadLettersClient:
    """The part of the client that is `client.dead_letters`. Every method raises ApiError."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def groups(self, *, pipeline: str | None = None, step: str | None = None) -> tuple[DeadLetterGroup, ...]:
        """The causes of what is open, the most frequent first."""
        options = given(pipeline=pipeline, step=step)
        found = self._transport.read(_Items, "GET", "/v1/dead-letters/groups", params=options)
        return msgspec.json.decode(found.items, type=tuple[DeadLetterGroup, ...])

    def iter(
        self, *, state: str | None = "open", page_size: int = 50, **asked: str | int | None
    ) -> Iterator[DeadLetter]:
        """Dead letters, newest first; `asked` is `pipeline`, `version`, `step`, `error_code`, `fingerprint`, `run`."""
        return iter_items(
            self._transport, DeadLetter, "/v1/dead-letters", {**asked, "state": state, "limit": page_size}
        )

    def get(self, letter: str) -> DeadLetter:
        """One letter with what its step was given, and the trace."""
        return self._transport.read(DeadLetter, "GET", path_of("dead-letters", letter))

    def replay(self, letter: str) -> DeadLetter:
        """Retry its run from the failed step; doing it twice is the same."""
        return self._decide(letter, "replay", None)

    def discard(self, letter: str, reason: str) -> DeadLetter:
        """Decide that nothing will be done, and why."""
        return self._decide(letter, "discard", {"reason": reason})

    def restore(self, letter: str) -> DeadLetter:
        """Take a discard back."""
        return self._decide(letter, "restore", None)

    def replay_many(self, **asked: Any) -> BulkAction:
        """Replay the open letters that match, or all: each run once, however often this is asked. See `wait`."""
        return self._transport.read(BulkAction, "POST", "/v1/dead-letters:replay", is_repeatable=True, json=asked)

    def discard_many(self, reason: str, **asked: Any) -> BulkAction:
        """Discard the open letters that match, or all, for a reason. See `wait`."""
        body = {**asked, "reason": reason}
        return self._transport.read(BulkAction, "POST", "/v1/dead-letters:discard", is_repeatable=True, json=body)

    def wait(self, action: BulkAction) -> BulkAction:
        """The action once it has finished."""
        return _wait(self._transport, action)

    def _decide(self, letter: str, verdict: str, body: dict[str, str] | None) -> DeadLetter:
        path = path_of("dead-letters", letter, verdict)
        return self._transport.read(DeadLetter, "POST", path, is_repeatable=True, json=body)


class HoldsClient:
    """The part of the client that is `client.holds`. Every method raises ApiError."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> tuple[Hold, ...]:
        """What is held, the newest first."""
        found = self._transport.read(_Items, "GET", "/v1/holds")
        return msgspec.json.decode(found.items, type=tuple[Hold, ...])

    def pause(self, reason: str, *, pipeline: str | None = None, step: str | None = None) -> Hold:
        """Start nothing more of the pipeline, the step, or the tenant; the same hold twice is one."""
        return self._hold("pause", reason, pipeline, step)

    def drain(self, reason: str, *, pipeline: str | None = None, step: str | None = None) -> Hold:
        """Take nothing more in, and let what is there run out."""
        return self._hold("drain", reason, pipeline, step)

    def release(self, hold: str) -> Hold:
        """Let go."""
        return self._transport.read(Hold, "DELETE", path_of("holds", hold))

    def _hold(self, kind: str, reason: str, pipeline: str | None, step: str | None) -> Hold:
        body = {"kind": kind, "reason": reason, **given(pipeline=pipeline, step=step)}
        return self._transport.read(Hold, "POST", "/v1/holds", is_repeatable=True, json=body)


class SchedulesClient:
    """The part of the client that is `client.schedules`. Every method raises ApiError."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def iter(self, *, page_size: int = 50) -> Iterator[Schedule]:
        """Schedules, newest first."""
        return iter_items(self._transport, Schedule, "/v1/schedules", {"limit": page_size})

    def get(self, schedule: str) -> Schedule:
        """One schedule with its next firings."""
        return self._transport.read(Schedule, "GET", path_of("schedules", schedule))

    def create(self, name: str, pipeline: str, cron: str, submitted: Any, *, timezone: str = "UTC") -> Schedule:
        """Have the clock start a pipeline; `cron` has five fields, read on the clock of `timezone`."""
        body = {"name": name, "pipeline": pipeline, "cron": cron, "input": submitted, "timezone": timezone}
        return self._transport.read(Schedule, "POST", "/v1/schedules", json=body)

    def change(self, schedule: str, **changed: Any) -> Schedule:
        """Change any of `pipeline`, `input`, `cron`, `timezone`, `is_paused`."""
        return self._transport.read(Schedule, "PATCH", path_of("schedules", schedule), is_repeatable=True, json=changed)

    def delete(self, schedule: str) -> None:
        """Delete it; runs that it started go on."""
        self._transport.call("DELETE", path_of("schedules", schedule))


def _wait(transport: Transport, action: BulkAction) -> BulkAction:
    while action.state != "finished":
        transport.patience.sleep(_POLL_SECONDS)
        action = transport.read(BulkAction, "GET", path_of("bulk-actions", action.id))
    return action
