"""Runs as the rest of the platform uses them: submit, look, cancel."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

import msgspec

from mainspring.foundation.db import Database, Row, TenantTransaction
from mainspring.foundation.errors import InvalidInput, NotFound
from mainspring.foundation.ids import TenantId, new_id, show_id
from mainspring.foundation.pagination import Page, PageRequest, cut_page, make_cursor
from mainspring.foundation.telemetry import get_logger
from mainspring.foundation.valkey import Valkey, ValkeyGone

from . import store
from .codec import decode, encode
from .doorbell import Doorbell
from .errors import IdempotencyKeyReused, PipelineInvalid, RunNotCancellable
from .pipeline import Pipeline
from .publisher import publish_now
from .settle import end_run
from .stream import stream_keys
from .types import ROUTINE, RUN_PREFIX, Failure, Run, RunId, RunStatus, Step, StepStatus, Urgency

log = get_logger(__name__)

Output = TypeVar("Output")

MAX_KEY_CHARACTERS = 200


class Pipelines:
    """The door to runs. Every method works for one tenant and sees no other."""

    def __init__(self, database: Database, valkey: Valkey) -> None:
        self._database = database
        self._valkey = valkey
        self._doorbell = Doorbell(valkey)

    async def submit(
        self,
        tenant: TenantId,
        pipeline: Pipeline,
        submitted: object,
        *,
        idempotency_key: str | None = None,
        subject: str | None = None,
        urgency: Urgency = ROUTINE,
    ) -> Run:
        """Store a run and ring for a worker; it is durable when this returns.

        submitted        the frozen input of the first steps, at most 1 MiB as JSON
        idempotency_key  the same key and work again answers the first run and starts nothing
        subject          what the run is about, such as `ctr_...`
        raises           IdempotencyKeyReused (same key, other work), PayloadRefused
        """
        async with self._database.tenant(tenant) as transaction:
            run = await self.submit_in(
                transaction, pipeline, submitted, idempotency_key=idempotency_key, subject=subject, urgency=urgency
            )
        await self.ring(pipeline)
        return run

    async def submit_in(
        self,
        transaction: TenantTransaction,
        pipeline: Pipeline,
        submitted: object,
        *,
        idempotency_key: str | None = None,
        subject: str | None = None,
        urgency: Urgency = ROUTINE,
    ) -> Run:
        """As `submit`, within the caller's transaction: its rows and the run commit together or not at all.

        Call `ring` after the commit; without it the run starts a second later.
        """
        _check_terms(idempotency_key, urgency)
        if not pipeline.steps:
            raise PipelineInvalid(f"pipeline {pipeline.name} has no steps; a run of it would never end")
        text = encode(submitted, f"The input of {pipeline.name}")
        run = RunId(new_id())
        row = {
            "id": run,
            "pipeline": pipeline.name,
            "version": pipeline.version,
            "subject": subject,
            "input": text,
            "priority": urgency.priority,
            "deadline": urgency.deadline,
            "idempotency_key": idempotency_key,
        }
        created_at = await store.insert_run(transaction, row, _step_rows(pipeline))
        if created_at is not None:
            return _queued(run, transaction.tenant, pipeline, created_at=created_at, subject=subject)
        assert idempotency_key is not None
        earlier = await store.find_by_key(transaction, idempotency_key, pipeline.name, text)
        if earlier is None or not earlier["is_same"]:
            raise IdempotencyKeyReused(
                f"The idempotency key {idempotency_key[:40]!r} was used before for other work. Send a new key."
            )
        return await self.get_run_in(transaction, RunId(earlier["id"]))

    async def ring(self, pipeline: Pipeline) -> None:
        """Wake workers that hold this pipeline; never fails, as it is only a hint."""
        await self._doorbell.ring(pipeline.lane(step.name) for step in pipeline.steps if not step.after)

    async def find_run(self, tenant: TenantId, run: RunId) -> Run | None:
        """The run, or None when the tenant has none of that id."""
        async with self._database.tenant(tenant) as transaction:
            row = await store.find_run(transaction, run)
        return read_run(row) if row else None

    async def get_run(self, tenant: TenantId, run: RunId) -> Run:
        """The run; NotFound in the same words whether it never was or is another tenant's."""
        async with self._database.tenant(tenant) as transaction:
            return await self.get_run_in(transaction, run)

    async def get_run_in(self, transaction: TenantTransaction, run: RunId) -> Run:
        """As `get_run`, within a transaction."""
        row = await store.find_run(transaction, run)
        if row is None:
            raise run_not_found(run)
        return read_run(row)

    async def list_runs(
        self,
        tenant: TenantId,
        request: PageRequest,
        *,
        status: RunStatus | None = None,
        subject: str | None = None,
    ) -> Page[Run]:
        """The tenant's runs, newest first."""
        before = _read_key(request.after)
        async with self._database.tenant(tenant) as transaction:
            rows = await store.list_runs(
                transaction, limit=request.limit + 1, before=before, status=status, subject=subject
            )
        shown, has_more = cut_page(rows, request)
        return Page(tuple(read_run(row) for row in shown), make_cursor(str(shown[-1]["id"])) if has_more else None)

    async def latest_runs(self, tenant: TenantId, subjects: Sequence[str]) -> dict[str, Run]:
        """The newest run about each subject; a subject without one is absent."""
        async with self._database.tenant(tenant) as transaction:
            rows = await store.latest_runs(transaction, subjects)
        return {row["subject"]: read_run(row) for row in rows}

    async def get_output(self, tenant: TenantId, run: RunId, step: str, kind: type[Output]) -> Output:
        """What a finished step of the run returned, read as `kind`; NotFound while it has not."""
        async with self._database.tenant(tenant) as transaction:
            rows = await store.read_outputs(transaction, run)
        output = next((row["output"] for row in rows if row["name"] == step), None)
        if output is None:
            raise run_not_found(run)
        return decode(output, kind)

    async def cancel(self, tenant: TenantId, run: RunId) -> Run:
        """End the run now, whatever its steps are doing; repeating it changes nothing.

        Steps in progress lose their lease in the same transaction and are stopped within a
        third of a lease, at once when Valkey is there to tell their workers.
        raises   NotFound, RunNotCancellable when the run has succeeded or failed
        """
        async with self._database.tenant(tenant) as transaction:
            before, milestones = await end_run(transaction, run, RunStatus.CANCELLED)
            if before is None:
                raise run_not_found(run)
            current = await self.get_run_in(transaction, run)
        if before.is_final and before is not RunStatus.CANCELLED:
            raise RunNotCancellable(
                f"The run {show_id(RUN_PREFIX, run)} has {before.value}; only an unfinished run can be cancelled."
            )
        await self._doorbell.ring_cancelled()
        await publish_now(self._valkey, milestones)
        return current

    async def cancel_about(self, tenant: TenantId, subject: str) -> None:
        """End every unfinished run about the subject; one that ends by itself meanwhile is fine."""
        async with self._database.tenant(tenant) as transaction:
            runs = [RunId(row["id"]) for row in await store.find_unfinished(transaction, subject)]
        for run in runs:
            async with self._database.tenant(tenant) as transaction:
                _, milestones = await end_run(transaction, run, RunStatus.CANCELLED)
            await publish_now(self._valkey, milestones)
        if runs:
            await self._doorbell.ring_cancelled()

    async def forget_in(self, transaction: TenantTransaction, subject: str) -> tuple[RunId, ...]:
        """Delete all runs about the subject, with outputs and stories; call `forget_live` after the commit."""
        return tuple(RunId(row["id"]) for row in await store.delete_runs(transaction, subject))

    async def forget_live(self, tenant: TenantId, runs: Sequence[RunId]) -> None:
        """Delete what Valkey holds of the runs; what is left while it is away expires within an hour."""
        keys = [key for run in runs for key in stream_keys(tenant, run)]
        with suppress(*ValkeyGone):
            if keys:
                await self._valkey.delete(*keys)


def run_not_found(run: UUID) -> NotFound:
    """The answer for unknown and foreign runs, worded as `foundation.ids.read_id` words it."""
    return NotFound(f"There is no {RUN_PREFIX}_... with the id {show_id(RUN_PREFIX, run)!r}.")


def read_run(row: Row) -> Run:
    """A run from its row with steps."""
    return Run(
        id=RunId(row["id"]),
        tenant=TenantId(row["tenant_id"]),
        pipeline=row["pipeline"],
        version=row["version"],
        status=RunStatus(row["status"]),
        created_at=row["created_at"],
        steps=tuple(_read_step(step) for step in row["steps"] or ()),
        subject=row["subject"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        error=_read_failure(row),
    )


def _read_step(row: Row) -> Step:
    return Step(
        name=row["name"],
        title=row["title"],
        status=StepStatus(row["status"]),
        attempt=row["attempt"],
        started_at=_read_instant(row["started_at"]),
        finished_at=_read_instant(row["finished_at"]),
        error=_read_failure(row),
    )


def _read_instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def _read_failure(row: Row) -> Failure | None:
    return Failure(row["error_code"], row["error_detail"] or "") if row["error_code"] else None


def _read_key(after: tuple[str, ...] | None) -> UUID | None:
    if after is None:
        return None
    try:
        (text,) = after
        return UUID(text)
    except ValueError:
        raise InvalidInput("The cursor is not one of this list; start again without it.") from None


def _step_rows(pipeline: Pipeline) -> str:
    rows = [
        {"name": step.name, "title": step.title, "lane": pipeline.lane(step.name), "after": step.after}
        for step in pipeline.steps
    ]
    return msgspec.json.encode(rows).decode()


def _queued(run: RunId, tenant: TenantId, pipeline: Pipeline, *, created_at: datetime, subject: str | None) -> Run:
    """The run as it was inserted."""
    steps = tuple(
        Step(step.name, step.title, StepStatus.WAITING if step.after else StepStatus.READY, attempt=0)
        for step in pipeline.steps
    )
    return Run(
        id=run,
        tenant=tenant,
        pipeline=pipeline.name,
        version=pipeline.version,
        status=RunStatus.QUEUED,
        created_at=created_at,
        steps=steps,
        subject=subject,
    )


def _check_terms(idempotency_key: str | None, urgency: Urgency) -> None:
    if idempotency_key is not None and not (
        1 <= len(idempotency_key) <= MAX_KEY_CHARACTERS and idempotency_key.isprintable()
    ):
        raise InvalidInput(
            f"The idempotency key has {len(idempotency_key)} characters; "
            f"use 1 to {MAX_KEY_CHARACTERS} printable ones, such as a UUID."
        )
    if not -100 <= urgency.priority <= 100:
        raise InvalidInput(f"priority is {urgency.priority}; it must be between -100 and 100.")
