"""The HTTP routes of the inference records."""

from typing import Annotated

from fastapi import APIRouter, Query

from mainspring.foundation.http import CurrentPrincipal
from mainspring.foundation.ids import read_id
from mainspring.foundation.pagination import DEFAULT_LIMIT, MAX_LIMIT, page_request

from .records import Records
from .schemas import RecordPage, show_records


def build_router(records: Records) -> APIRouter:
    """All routes of the gateway's control plane."""
    router = APIRouter(prefix="/v1", tags=["records"])

    @router.get("/records")
    async def list_inference_records(
        principal: CurrentPrincipal,
        run: Annotated[str | None, Query(description="only the calls of this run, run_...")] = None,
        limit: Annotated[int, Query(description=f"items on a page, 1 to {MAX_LIMIT}")] = DEFAULT_LIMIT,
        cursor: Annotated[str | None, Query(description="next_cursor of the page before")] = None,
    ) -> RecordPage:
        """Model calls of the tenant, newest first: models, tokens, time, outcome. Never their contents.

        Needs `ai.output.view`. Errors: `forbidden` (403), `not_found` (404) for what is no run id,
        `invalid_input` (422) for a limit or cursor out of range.
        """
        of_run = read_id("run", run) if run else None
        page = page_request(limit, cursor)
        return show_records(await records.list_records(principal, run=of_run, page=page))

    return router
