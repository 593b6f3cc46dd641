"""The HTTP routes of contract intelligence: parse, authorise, call the service, shape the answer."""

from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, File, Form, Header, Query, Response, UploadFile

from mainspring.foundation.errors import TooLarge
from mainspring.foundation.http import CallerFirst, CurrentPrincipal, Paging
from mainspring.foundation.ids import read_id
from mainspring.orchestration.pipelines import RunStatus

from .report import Report, compose_report
from .reporting import render_docx, render_markdown
from .schemas import (
    AnalyzeAgain,
    ContractPage,
    ContractShape,
    DecideFinding,
    FindingPage,
    FindingShape,
    PlaybookPage,
    PlaybookShape,
    PlaybookText,
    ReportShape,
    SavePlaybook,
    Submitted,
    TextShape,
)
from .schemas import Decision as DecisionName
from .schemas import Severity as SeverityName
from .service import VIEW, Contracts, StoredReport
from .shapes import (
    show_contract,
    show_contracts,
    show_finding,
    show_findings,
    show_playbook,
    show_playbook_text,
    show_report,
    show_submission,
    show_text,
)
from .types import ContractId, Decision, Edit, FindingId, Severity

_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def build_router(contracts: Contracts, *, max_upload_bytes: int) -> APIRouter:
    """Every route below /v1/contracts and /v1/playbooks."""
    router = APIRouter(prefix="/v1", route_class=CallerFirst)
    _add_submitting(router, contracts, max_upload_bytes)
    _add_reading(router, contracts)
    _add_findings(router, contracts)
    _add_playbooks(router, contracts)
    return router


def _add_submitting(router: APIRouter, contracts: Contracts, max_upload_bytes: int) -> None:
    @router.post(
        "/contracts",
        status_code=202,
        tags=["contracts"],
        responses={200: {"model": Submitted, "description": "The same bytes were here before"}},
    )
    async def upload_contract(
        principal: CurrentPrincipal,
        response: Response,
        file: Annotated[UploadFile, File(description="PDF with a text layer, DOCX, Markdown or plain text")],
        playbook: Annotated[str | None, Form(max_length=60)] = None,
        idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
    ) -> Submitted:
        """Upload a contract and start its analysis. Answers at once; follow `stream_url`."""
        content = await file.read(max_upload_bytes + 1)
        if len(content) > max_upload_bytes:
            limit = max_upload_bytes // 1_000_000
            raise TooLarge(
                f"{_name(file)} is over the limit of {limit} MB: split it, or raise MAINSPRING_MAX_UPLOAD_MEGABYTES."
            )
        submission = await contracts.submit(
            principal, _name(file), content, playbook=playbook, idempotency_key=idempotency_key
        )
        shown = show_submission(submission)
        response.headers["location"] = f"/v1/contracts/{shown.contract.id}"
        if submission.is_duplicate:
            response.status_code = 200
        return shown

    @router.post("/contracts/{contract}/runs", status_code=202, tags=["contracts"])
    async def analyze_contract_again(
        principal: CurrentPrincipal, contract: str, body: AnalyzeAgain | None = None
    ) -> Submitted:
        """Analyse a stored contract again, with another playbook if one is named."""
        again = await contracts.analyze_again(principal, _contract(contract), body.playbook if body else None)
        return show_submission(again)

    @router.delete("/contracts/{contract}", status_code=204, tags=["contracts"])
    async def delete_contract(principal: CurrentPrincipal, contract: str) -> None:
        """Delete a contract with everything that was made of it."""
        await contracts.delete(principal, _contract(contract))


def _add_reading(router: APIRouter, contracts: Contracts) -> None:
    @router.get("/contracts", tags=["contracts"])
    async def list_contracts(
        principal: CurrentPrincipal,
        paging: Paging,
        q: Annotated[str | None, Query(max_length=200, description="part of the name or title")] = None,
        status: Annotated[RunStatus | None, Query(description="how the newest analysis stands")] = None,
    ) -> ContractPage:
        """Contracts, newest first."""
        page = await contracts.list_page(principal, paging, name=q, status=status)
        return show_contracts(page, await contracts.runs_of(principal.tenant, page.items))

    @router.get("/contracts/{contract}", tags=["contracts"])
    async def get_contract(principal: CurrentPrincipal, contract: str) -> ContractShape:
        """One contract and where its analysis stands."""
        found = await contracts.get(principal, _contract(contract))
        runs = await contracts.runs_of(principal.tenant, (found,))
        return show_contract(found, runs.get(found.id))

    @router.get("/contracts/{contract}/file", tags=["contracts"], response_class=Response)
    async def download_contract(principal: CurrentPrincipal, contract: str) -> Response:
        """The file as it was uploaded."""
        found, content = await contracts.read_original(principal, _contract(contract))
        return _attachment(content, found.media_type, found.name)

    @router.get("/contracts/{contract}/text", tags=["contracts"])
    async def get_contract_text(principal: CurrentPrincipal, contract: str) -> TextShape:
        """The contract's text with pages, clauses and their categories."""
        return show_text(*await contracts.read_text(principal, _contract(contract)))

    @router.get("/contracts/{contract}/report", tags=["contracts"], response_model=ReportShape)
    async def get_contract_report(
        principal: CurrentPrincipal,
        contract: str,
        form: Annotated[Literal["json", "md", "docx"], Query(alias="format")] = "json",
    ) -> ReportShape | Response:
        """The finished report as JSON, Markdown or DOCX."""
        report = await contracts.read_report(principal, _contract(contract))
        runs = await contracts.runs_of(principal.tenant, (report.contract,))
        shown = show_report(report, runs.get(report.contract.id))
        if form == "md":
            return _attachment(
                render_markdown(_composed(report)).encode(), "text/markdown; charset=utf-8", f"{shown.contract.name}.md"
            )
        if form == "docx":
            return _attachment(render_docx(_composed(report)), _DOCX, f"{shown.contract.name}.report.docx")
        return shown


def _add_findings(router: APIRouter, contracts: Contracts) -> None:
    @router.get("/contracts/{contract}/findings", tags=["findings"])
    async def list_findings(
        principal: CurrentPrincipal,
        contract: str,
        paging: Paging,
        severity: SeverityName | None = None,
        decision: DecisionName | None = None,
    ) -> FindingPage:
        """Findings of the newest finished analysis, most severe first."""
        page = await contracts.list_findings(
            principal,
            _contract(contract),
            paging,
            severity=Severity(severity) if severity else None,
            decision=Decision(decision) if decision else None,
        )
        return show_findings(page)

    @router.patch("/contracts/{contract}/findings/{finding}", tags=["findings"])
    async def decide_finding(
        principal: CurrentPrincipal, contract: str, finding: str, body: DecideFinding
    ) -> FindingShape:
        """Accept, dismiss or edit a finding; the decision `open` undoes."""
        edited = body.edited
        edit = edited and Edit(edited.title, Severity(edited.severity) if edited.severity else None, edited.suggestion)
        decided = await contracts.decide(
            principal,
            _contract(contract),
            FindingId(read_id("fnd", finding)),
            Decision(body.decision),
            reason=body.reason,
            edited=edit,
        )
        return show_finding(decided)


def _add_playbooks(router: APIRouter, contracts: Contracts) -> None:
    playbooks = contracts.playbooks

    @router.get("/playbooks", tags=["playbooks"])
    async def list_playbooks(principal: CurrentPrincipal) -> PlaybookPage:
        """The tenant's playbooks, the shipped ones among them."""
        principal.require(VIEW)
        newest = await playbooks.list_newest(principal.tenant)
        return PlaybookPage(items=[show_playbook(each, is_default=is_default) for each, is_default in newest])

    @router.get("/playbooks/{name}", tags=["playbooks"])
    async def get_playbook(principal: CurrentPrincipal, name: str, version: int | None = None) -> PlaybookText:
        """A playbook's rules as YAML, the newest version unless one is named."""
        principal.require(VIEW)
        found = await playbooks.get(principal.tenant, name, version)
        return show_playbook_text(found, is_default=name == await playbooks.default_name(principal.tenant))

    @router.get("/playbooks/{name}/versions", tags=["playbooks"])
    async def list_playbook_versions(principal: CurrentPrincipal, name: str) -> PlaybookPage:
        """Every version of a playbook, newest first."""
        principal.require(VIEW)
        found = await playbooks.versions(principal.tenant, name)
        is_default = name == await playbooks.default_name(principal.tenant)
        return PlaybookPage(items=[show_playbook(each, is_default=is_default) for each in found])

    @router.put("/playbooks/{name}", tags=["playbooks"])
    async def save_playbook(principal: CurrentPrincipal, name: str, body: SavePlaybook) -> PlaybookShape:
        """Save a new version; every problem in the YAML is named with its line."""
        principal.require("playbook.edit")
        saved = await playbooks.save(
            principal, name, body.yaml, is_default=body.is_default, base_version=body.base_version
        )
        return show_playbook(saved, is_default=name == await playbooks.default_name(principal.tenant))


def _composed(report: StoredReport) -> Report:
    return compose_report(report.contract, report.body, chunks=report.chunks, findings=report.findings)


def _contract(text: str) -> ContractId:
    return ContractId(read_id("ctr", text))


def _name(file: UploadFile) -> str:
    """The file's own name, without folders and control characters, of at most 200 characters."""
    name = (file.filename or "").replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(letter for letter in name if letter.isprintable()).strip()[-200:] or "contract"


def _attachment(content: bytes, media_type: str, name: str) -> Response:
    disposition = f"attachment; filename*=UTF-8''{quote(name)}"
    return Response(content, media_type=media_type, headers={"content-disposition": disposition})
