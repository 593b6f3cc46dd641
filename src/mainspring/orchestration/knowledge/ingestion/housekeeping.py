"""What keeps ingestion whole though its parts die: plain functions for a worker's loop, harmless in many workers.

A document that is stored and has no run, because who submitted died in between, gets one; one whose run failed while
nobody listened is marked so. The walk is over pending documents only, in pages, and goes on in the next call where
this one stopped.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from mainspring.foundation.db import SystemTransaction
from mainspring.foundation.ids import TenantId
from mainspring.orchestration.knowledge.homes import Homes
from mainspring.orchestration.pipelines import Pipelines, Run
from mainspring.orchestration.pipelines.types import RunId

from . import store
from .service import Ingestion, failure_of, subject_of
from .store import Place, Waiting
from .types import DocumentRef

UNTOUCHED_FOR = timedelta(seconds=30)
_PAGE = 500
_PAGES = 20


class Sweeper:
    """Looks after documents that wait, of all tenants."""

    def __init__(self, homes: Homes, ingestion: Ingestion, pipelines: Pipelines) -> None:
        self._homes = homes
        self._ingestion = ingestion
        self._pipelines = pipelines
        self._after: Place | None = None

    async def submit_pending(self, *, untouched_for: timedelta = UNTOUCHED_FOR) -> int:
        """Give a run to each document that waits without one; how many got one.

        untouched_for  what was changed since is left to who changed it
        """
        submitted = 0
        for _ in range(_PAGES):
            found = await self._find(untouched_for)
            for tenant, waiting in _by_tenant(found).items():
                submitted += await self._look_after(tenant, waiting)
            if self._after is None:
                break
        return submitted

    async def _find(self, untouched_for: timedelta) -> Sequence[Waiting]:
        async def find(transaction: SystemTransaction) -> Sequence[Waiting]:
            return await store.find_waiting(transaction, untouched_for=untouched_for, after=self._after, limit=_PAGE)

        found = await self._homes.everywhere(find, tenant_of=lambda each: each.tenant)
        # Each place answers a page of its own. What lies behind the end of a full one is left for the next page.
        found.sort(key=lambda each: (each.updated_at, each.document))
        page = found[:_PAGE]
        is_last = len(found) < _PAGE
        self._after = None if is_last else Place(page[-1].updated_at, page[-1].document)
        return page

    async def _look_after(self, tenant: TenantId, waiting: Sequence[Waiting]) -> int:
        """Every document whose newest run is over: the run that follows, or the reason why there is none."""
        newest = await self._pipelines.latest_runs(tenant, [subject_of(each.document) for each in waiting])
        submitted = 0
        for each in waiting:
            about = newest.get(subject_of(each.document))
            if about is not None and not about.status.is_final:
                continue
            noted = await self._noted(tenant, each.run, about)
            if noted is not None and not noted.status.is_final:
                continue
            if noted is not None and failure_of(noted) is not None:
                await self._ingestion.note_end(tenant, each.document, noted.id)
                continue
            given = DocumentRef(each.document, each.revision)
            submitted += await self._ingestion.submit_waiting(tenant, given, after=each.run)
        return submitted

    async def _noted(self, tenant: TenantId, run: UUID | None, about: Run | None) -> Run | None:
        """The run that the document names, which may be one of a product's own."""
        if run is None or (about is not None and about.id == run):
            return about if run is not None else None
        return await self._pipelines.find_run(tenant, RunId(run))


def _by_tenant(found: Sequence[Waiting]) -> Mapping[TenantId, Sequence[Waiting]]:
    grouped: dict[TenantId, list[Waiting]] = {}
    for each in found:
        grouped.setdefault(each.tenant, []).append(each)
    return grouped
