"""The HTTP routes of amendments; questions are asked at /v1/agents, as of every agent."""

from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Query, Response

from mainspring.foundation.http import CallerFirst, CurrentPrincipal, Paging
from mainspring.foundation.ids import read_id
from mainspring.showcase.contracts.service import VIEW
from mainspring.showcase.contracts.types import ContractId

from .amending import AMENDMENT_PREFIX, AmendmentId
from .amendments import Amendments
from .drafts import to_docx, to_markdown
from .schemas import AmendmentPage, AmendmentShape, show_amendment, show_amendments

_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def build_asking_router(amendments: Amendments) -> APIRouter:
    """Reading amendments. They are drafted by the agent and never changed."""
    router = APIRouter(prefix="/v1", route_class=CallerFirst, tags=["amendments"])

    @router.get("/contracts/{contract}/amendments")
    async def list_amendments(principal: CurrentPrincipal, contract: str, paging: Paging) -> AmendmentPage:
        """The amendments drafted for a contract, newest first."""
        principal.require(VIEW)
        return show_amendments(await amendments.list_page(principal, ContractId(read_id("ctr", contract)), paging))

    @router.get("/amendments/{amendment}")
    async def get_amendment(principal: CurrentPrincipal, amendment: str) -> AmendmentShape:
        """One amendment with its redline."""
        principal.require(VIEW)
        found, _ = await amendments.get(principal, _amendment(amendment))
        return show_amendment(found)

    @router.get("/amendments/{amendment}/file", response_class=Response)
    async def download_amendment(
        principal: CurrentPrincipal,
        amendment: str,
        form: Annotated[Literal["docx", "md"], Query(alias="format")] = "docx",
    ) -> Response:
        """The amendment as a Word file with a tracked change, or as Markdown."""
        principal.require(VIEW)
        found, contract = await amendments.get(principal, _amendment(amendment))
        name = f"{contract.name}.amendment"
        if form == "md":
            return _attachment(to_markdown(found, contract).encode(), "text/markdown; charset=utf-8", f"{name}.md")
        return _attachment(to_docx(found, contract), _DOCX, f"{name}.docx")

    return router


def _amendment(text: str) -> AmendmentId:
    return AmendmentId(read_id(AMENDMENT_PREFIX, text))


def _attachment(content: bytes, media_type: str, name: str) -> Response:
    disposition = f"attachment; filename*=UTF-8''{quote(name)}"
    return Response(content, media_type=media_type, headers={"content-disposition": disposition})
