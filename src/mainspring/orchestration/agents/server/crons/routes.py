"""HTTP: runs that start by themselves."""

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from mainspring.foundation.http import CurrentPrincipal
from mainspring.orchestration.agents.server.assistants.service import Assistants
from mainspring.orchestration.agents.server.keys import KeyRoute
from mainspring.orchestration.agents.server.threads.routes import read_thread_id
from mainspring.orchestration.agents.server.words import EDIT, RUN, read_uuid, select
from mainspring.orchestration.agents.types import CronId

from .schemas import CronCount, CronCreate, CronPatch, CronSearch, CronShape, show_cron
from .service import Crons
from .store import CronFilter


def build_router(crons: Crons, assistants: Assistants) -> APIRouter:
    """The routes below /runs/crons and /threads/{thread}/runs/crons."""
    router = APIRouter(tags=["agents: crons"], route_class=KeyRoute)
    _add_finding(router, crons, assistants)
    _add_editing(router, crons)
    return router


def _add_finding(router: APIRouter, crons: Crons, assistants: Assistants) -> None:
    def narrow(wanted: CronCount) -> CronFilter:
        return CronFilter(
            assistant=None if wanted.assistant_id is None else assistants.identify(wanted.assistant_id),
            thread=None if wanted.thread_id is None else read_thread_id(wanted.thread_id),
            metadata=wanted.metadata,
        )

    @router.post("/runs/crons/search", response_model=list[CronShape])
    async def search_crons(principal: CurrentPrincipal, wanted: CronSearch) -> Response:
        """Crons by assistant, thread and metadata; `X-Pagination-Next` is the offset of the next page."""
        principal.require(RUN)
        base = narrow(wanted)
        chosen = CronFilter(
            assistant=base.assistant,
            thread=base.thread,
            is_enabled=wanted.enabled,
            metadata=base.metadata,
            sort_by=wanted.sort_by,
            is_descending=wanted.sort_order == "desc",
            limit=wanted.limit,
            offset=wanted.offset,
        )
        found = await crons.search(principal.tenant, chosen)
        headers = {"x-pagination-next": str(wanted.offset + wanted.limit)} if len(found) == wanted.limit else {}
        return JSONResponse([select(show_cron(each), wanted.select) for each in found], headers=headers)

    @router.post("/runs/crons/count")
    async def count_crons(principal: CurrentPrincipal, wanted: CronCount) -> int:
        """How many crons fit, counted up to 10,000."""
        principal.require(RUN)
        return await crons.count(principal.tenant, narrow(wanted))

    @router.get("/runs/crons/{cron}", response_model=CronShape)
    async def get_cron(principal: CurrentPrincipal, cron: str) -> Response:
        """One cron."""
        principal.require(RUN)
        return JSONResponse(show_cron(await crons.get(principal.tenant, _read_cron_id(cron))))


def _add_editing(router: APIRouter, crons: Crons) -> None:
    @router.post("/runs/crons", response_model=CronShape)
    async def create_cron(principal: CurrentPrincipal, wanted: CronCreate) -> Response:
        """Start a run by a schedule, each on a thread of its own."""
        principal.require(EDIT)
        return JSONResponse(show_cron(await crons.create(principal, None, wanted)))

    @router.post("/threads/{thread}/runs/crons", response_model=CronShape)
    async def create_cron_on_thread(principal: CurrentPrincipal, thread: str, wanted: CronCreate) -> Response:
        """Start a run on the thread by a schedule."""
        principal.require(EDIT)
        return JSONResponse(show_cron(await crons.create(principal, read_thread_id(thread), wanted)))

    @router.patch("/runs/crons/{cron}", response_model=CronShape)
    async def update_cron(principal: CurrentPrincipal, cron: str, change: CronPatch) -> Response:
        """Change when it comes and what it runs; `enabled: false` stops it."""
        principal.require(EDIT)
        return JSONResponse(show_cron(await crons.update(principal, _read_cron_id(cron), change)))

    @router.delete("/runs/crons/{cron}", status_code=204)
    async def delete_cron(principal: CurrentPrincipal, cron: str) -> Response:
        """Delete the cron; runs it started go on."""
        principal.require(EDIT)
        await crons.delete(principal.tenant, _read_cron_id(cron))
        return Response(status_code=204)


def _read_cron_id(text: str) -> CronId:
    return CronId(read_uuid(text, "cron"))
