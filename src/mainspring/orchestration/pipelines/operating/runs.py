"""Runs as who is paged works with them: find them, look into their steps, start, retry, replay and signal them.

Reading what went in and came out always names the tenant; the operator, who sees every tenant's runs in lists, sees
there how they go and nothing of what they say.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import UNSET

from mainspring.foundation.db import Database, Row, TenantTransaction
from mainspring.foundation.errors import InvalidInput, NotFound
from mainspring.foundation.ids import TenantId
from mainspring.foundation.pagination import Page, PageRequest, cut_page, make_cursor
from mainspring.foundation.principal import Principal
from mainspring.orchestration.pipelines.service import Pipelines, callers_key, read_run, run_not_found
from mainspring.orchestration.pipelines.types import Failure, Run, RunId, StepStatus

from . import letters_store, runs_store
from .declared import Declared, read_input
from .reading import read_item, read_payload, read_uuid
from .registered import list_shapes
from .types import (
    MAX_SHOWN_BYTES,
    PipelineShape,
    RunFilter,
    StepDetail,
    StepLine,
)

MAX_SIGNAL_BYTES = 65_536

_STANDING = frozenset(
    {StepStatus.READY, StepStatus.RUNNING, StepStatus.SUSPENDED, StepStatus.GATHERING, StepStatus.FAILED}
)

OnTaken = Callable[[TenantTransaction, int], Awaitable[None]]


class RunDesk:
    """Everything about runs that is not following one. A tenant of None is the operator's."""

    def __init__(self, database: Database, pipelines: Pipelines, declared: Declared) -> None:
        self._database = database
        self._pipelines = pipelines
        self._declared = declared

    async def list(self, tenant: TenantId | None, request: PageRequest, asked: RunFilter) -> Page[Run]:
        """Runs that match, newest first."""
        (before,) = request.key(read_uuid)
        async with self._database.tenant(tenant) if tenant else self._database.system() as transaction:
            rows = await runs_store.list_runs(
                transaction, named_terms(asked), tenant=tenant, before=before, limit=request.limit + 1
            )
        shown, has_more = cut_page(rows, request)
        runs = tuple(map(read_run, shown))
        runs = runs if tenant else tuple(map(_without_words, runs))
        return Page(runs, make_cursor(str(shown[-1]["id"])) if has_more else None)

    async def get_tenant_of(self, run: RunId) -> TenantId:
        """Whose run it is, for the operator; NotFound when there is none."""
        async with self._database.system() as transaction:
            tenant = await runs_store.find_tenant_of(transaction, run)
        if tenant is None:
            raise run_not_found(run)
        return TenantId(tenant)

    async def list_steps(
        self,
        tenant: TenantId,
        run: RunId,
        request: PageRequest,
        *,
        step: str | None = None,
        status: StepStatus | None = None,
    ) -> Page[StepLine]:
        """The run's steps in order, or with `step` the items that step fanned out over."""
        await self._pipelines.get_run(tenant, run)
        after = request.key(int, str, str)
        async with self._database.tenant(tenant) as transaction:
            rows = await runs_store.list_steps(
                transaction, run, step=step, status=status, after=after, limit=request.limit + 1
            )
        shown, has_more = cut_page(rows, request)
        last = (str(shown[-1]["position"]), shown[-1]["map_key"], shown[-1]["name"]) if has_more else ()
        return Page(tuple(map(_step_line, shown)), make_cursor(*last) if has_more else None)

    async def get_step(self, tenant: TenantId, run: RunId, step: str, *, item: int | None = None) -> StepDetail:
        """One step, or one item of it, with input, output and trace, each up to MAX_SHOWN_BYTES."""
        key = "" if item is None else f"{item:05}"
        async with self._database.tenant(tenant) as transaction:
            row = await runs_store.find_step(transaction, run, step, key, most=MAX_SHOWN_BYTES)
        if row is None:
            await self._pipelines.get_run(tenant, run)
            what = f"step {step[:63]!r}" if item is None else f"item {item} of the step {step[:63]!r}"
            raise NotFound(f"The run has no {what}; its steps are at /steps.")
        return StepDetail(
            line=_step_line(row),
            subject=row["subject"],
            input=read_payload(row["input"], row["input_size"]),
            output=read_payload(row["output"], row["output_size"]),
            trace=row["trace"],
        )

    async def start(
        self,
        principal: Principal,
        name: str,
        given: bytes,
        *,
        version: int | None = None,
        idempotency_key: str | None = None,
    ) -> Run:
        """Start a pipeline by its name with JSON as its input.

        raises   PipelineUnknown, Forbidden for one that callers may not start, InvalidInput naming what does not fit
        """
        pipeline = self._declared.get(name, version)
        self._declared.require_start(name)
        key = callers_key(idempotency_key)
        return await self._pipelines.submit(
            principal.tenant, pipeline, read_input(pipeline, given), idempotency_key=key, by=principal
        )

    async def retry(
        self, principal: Principal, run: RunId, *, version: int | None = None, on_taken: OnTaken | None = None
    ) -> Run:
        """Go on from where a run failed or was cancelled, in a new run that takes over what is finished.

        A run is retried once: asked again, this answers the run that took it over. Its open dead letters are replayed.
        version   to go on in; default: the run's own
        on_taken  is told how many letters that were, in the transaction that marks them
        raises    NotFound, PipelineUnknown, RunUnfinished, PipelineDraining, BacklogFull
        """
        before = await self._pipelines.get_run(principal.tenant, run)
        pipeline = self._declared.get(before.pipeline, version or before.version)
        await self._pipelines.look()
        async with self._database.tenant(principal.tenant) as transaction:
            taken = await self._pipelines.rerun_in(transaction, run, from_failed=True, pipeline=pipeline, by=principal)
            count = await letters_store.mark_replayed(transaction, run, replayed_as=taken.id, by=principal.name)
            if on_taken:
                await on_taken(transaction, count)
        await self._pipelines.ring(pipeline)
        return taken

    async def replay(
        self,
        principal: Principal,
        run: RunId,
        *,
        given: bytes | None = None,
        version: int | None = None,
        idempotency_key: str | None = None,
    ) -> Run:
        """Run it again from the beginning, with its own input or another, in its version or another.

        given   JSON of another input; for pipelines that callers may start only
        raises  NotFound, PipelineUnknown, PipelineDraining, BacklogFull, Forbidden, InvalidInput for an input that
                does not fit the version
        """
        before = await self._pipelines.get_run(principal.tenant, run)
        pipeline = self._declared.get(before.pipeline, version or before.version)
        submitted: object = UNSET
        if given is not None:
            self._declared.require_start(before.pipeline)
            submitted = read_input(pipeline, given)
        return await self._pipelines.rerun(
            principal.tenant,
            run,
            from_failed=False,
            pipeline=pipeline,
            submitted=submitted,
            idempotency_key=callers_key(idempotency_key),
            by=principal,
        )

    async def signal(self, principal: Principal, run: RunId, name: str, payload: object, *, key: str) -> Run:
        """Tell a run something that a step of it waits for, or will wait for; the same key tells it once."""
        if len(msgspec.json.encode(payload)) > MAX_SIGNAL_BYTES:
            raise InvalidInput(f"The signal's payload is over {MAX_SIGNAL_BYTES} bytes; store it and send its id.")
        await self._pipelines.signal(principal.tenant, run, name, payload, key=key)
        return await self._pipelines.get_run(principal.tenant, run)

    async def list_pipelines(self) -> tuple[PipelineShape, ...]:
        """Every version that is declared here or was registered by a worker, by name, the newest first."""
        async with self._database.system() as transaction:
            rows = await runs_store.list_versions(transaction, None)
        return list_shapes(rows, self._declared)


def named_terms(asked: RunFilter) -> dict[str, object]:
    """The filter by the names of the statement. Ids are times: bounds of creation become bounds of ids."""
    return {
        "status": asked.status,
        "pipeline": asked.pipeline,
        "version": asked.version,
        "step": asked.step,
        "error_code": asked.error_code,
        "subject": asked.subject,
        "parent": asked.parent,
        "first": first_id_at(asked.created_after) if asked.created_after else None,
        "end": first_id_at(asked.created_before) if asked.created_before else None,
    }


def first_id_at(instant: datetime) -> UUID:
    """The lowest UUIDv7 of the instant's millisecond."""
    milliseconds = min(max(int(instant.timestamp() * 1000), 0), 2**48 - 1)
    return UUID(int=milliseconds << 80)


def find_standing(run: Run) -> tuple[str, ...]:
    """The steps that a run stands at now, or failed at."""
    return tuple(step.name for step in run.steps if step.status in _STANDING)


def _without_words(run: Run) -> Run:
    """The run with codes of failures and nothing that they say."""
    steps = tuple(replace(step, error=_code_only(step.error)) for step in run.steps)
    return replace(run, error=_code_only(run.error), steps=steps)


def _code_only(error: Failure | None) -> Failure | None:
    return replace(error, detail="") if error else None


def _failure(row: Row) -> Failure | None:
    return Failure(row["error_code"], row["error_detail"] or "") if row["error_code"] else None


def _step_line(row: Row) -> StepLine:
    return StepLine(
        name=row["name"],
        title=row["title"],
        role=row["role"],
        item=read_item(row["map_key"]),
        status=StepStatus(row["status"]),
        attempt=row["attempt"],
        failures=row["failures"],
        losses=row["losses"],
        lane=row["lane"],
        after=tuple(row["after"]),
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        due_at=row["due_at"],
        wake_at=row["wake_at"],
        awaited=row["awaited"],
        error=_failure(row),
    )
