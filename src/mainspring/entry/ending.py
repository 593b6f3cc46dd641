"""Ending what tenants have begun, so that nothing of theirs runs any more and nothing would begin.

For tests that share engines: workers take steps of every tenant, and rounds tend to every tenant. What one test leaves
behind would be run by the next one's worker, and be answered by the next one's model.
"""

import asyncio
from collections.abc import Iterable
from contextlib import suppress

from mainspring.application.identity import operator
from mainspring.entry.orchestration_slice import Orchestration
from mainspring.foundation.db import DatabaseGone
from mainspring.foundation.ids import TenantId
from mainspring.foundation.pagination import PageRequest
from mainspring.foundation.telemetry import get_logger
from mainspring.orchestration.agents.types import Cancellation
from mainspring.orchestration.pipelines import Run, RunNotCancellable, RunStatus
from mainspring.orchestration.pipelines.operating import RunFilter

log = get_logger(__name__)

_PATIENCE_SECONDS = 5.0
_LOOK_SECONDS = 0.01
_PAGE = PageRequest(200)


async def end_all(parts: Orchestration, tenants: Iterable[TenantId]) -> None:
    """Delete the tenants' schedules and cancel their unfinished runs, while a worker undoes what is to be undone.

    Takes 5 seconds at most; what it could not end by then, or because Postgres is away, is said in the log.
    """
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            for tenant in tenants:
                await _delete_schedules(parts, tenant)
                await _cancel_agents(parts, tenant)
                await _cancel_runs(parts, tenant)
    except (*DatabaseGone, TimeoutError) as gone:
        log.warning("tenants_not_ended", error=type(gone).__name__)


async def _delete_schedules(parts: Orchestration, tenant: TenantId) -> None:
    while found := (await parts.operating.schedules.list(tenant, _PAGE)).items:
        for schedule in found:
            await parts.operating.schedules.delete(operator(tenant), schedule.id)


async def _cancel_agents(parts: Orchestration, tenant: TenantId) -> None:
    """Those that wait for their thread too, which have no run yet."""
    who = operator(tenant)
    while found := await parts.agents.server.desk.list_unfinished(who, None, "all"):
        await parts.agents.server.desk.cancel_many(who, found, None, Cancellation.INTERRUPT)


async def _cancel_runs(parts: Orchestration, tenant: TenantId) -> None:
    while found := await _list(parts, tenant, RunStatus.QUEUED, RunStatus.RUNNING):
        for run in found:
            with suppress(RunNotCancellable):  # it has ended meanwhile
                await parts.pipelines.cancel(tenant, run.id)
    while await _list(parts, tenant, RunStatus.COMPENSATING):  # noqa: ASYNC110 - the truth is in Postgres
        await asyncio.sleep(_LOOK_SECONDS)


async def _list(parts: Orchestration, tenant: TenantId, *statuses: RunStatus) -> list[Run]:
    pages = [await parts.operating.runs.list(tenant, _PAGE, RunFilter(status=status)) for status in statuses]
    return [run for page in pages for run in page.items]
