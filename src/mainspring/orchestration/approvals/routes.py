"""HTTP: what waits for a person, exactly what will be done, and the person's word on it."""

from fastapi import APIRouter

from mainspring.foundation.http import CurrentPrincipal, Paging
from mainspring.foundation.ids import read_id
from mainspring.orchestration.pipelines import RUN_PREFIX, RunId

from .deciding import WITHDRAW
from .eyes import DECIDE, READ
from .schemas import (
    ApprovalPage,
    ApprovalShape,
    DecideBody,
    DelegateBody,
    WithdrawBody,
    show_page,
    show_seen,
)
from .service import Approvals
from .types import APPROVAL_PREFIX, ApprovalId, State, Verdict, Wanted


def build_router(approvals: Approvals) -> APIRouter:
    """The routes below /v1/approvals."""
    router = APIRouter(prefix="/v1/approvals", tags=["approvals"])
    _add_reading(router, approvals)
    _add_deciding(router, approvals)
    return router


def _add_reading(router: APIRouter, approvals: Approvals) -> None:
    @router.get("")
    async def list_approvals(
        principal: CurrentPrincipal,
        paging: Paging,
        status: State | None = None,
        mine: bool = False,
        run: str | None = None,
    ) -> ApprovalPage:
        """Approvals, newest first. `mine=true`: what the caller may decide now. Needs `ai.output.view`.

        Titles are left out of those that are not the caller's to decide, nor their own work.
        """
        principal.require(READ)
        waiting = RunId(read_id(RUN_PREFIX, run)) if run is not None else None
        return show_page(await approvals.list(principal, paging, Wanted(status, waiting, mine)))

    @router.get("/{approval}")
    async def get_approval(principal: CurrentPrincipal, approval: str) -> ApprovalShape:
        """Exactly what will be done, and what happened so far. Needs `ai.output.view`.

        `shown` is markdown that may quote anybody: escape it. What is not the caller's to decide nor their own work
        is told without what it is about.
        """
        principal.require(READ)
        return await _show(approvals, principal, _id(approval))


def _add_deciding(router: APIRouter, approvals: Approvals) -> None:
    @router.post("/{approval}/decide")
    async def decide_approval(principal: CurrentPrincipal, approval: str, body: DecideBody) -> ApprovalShape:
        """Approve, reject or edit the content with this digest. Needs `ai.recommendation.approve`, and to be assigned.

        Under four eyes an edit is shown to another person, under its new digest. 403 `not_assigned`, `four_eyes`; 409
        `approval_decided`, `approval_expired`, `approval_voided` (the content is another now), `run_finished`;
        422 `proposal_refused`. The same word again is answered alike.
        """
        principal.require(DECIDE)
        identifier = _id(approval)
        await approvals.decide(
            principal,
            identifier,
            Verdict(body.verdict),
            digest=body.digest,
            reason=body.reason,
            edited_arguments=body.edited_arguments,
        )
        return await _show(approvals, principal, identifier)

    @router.post("/{approval}/delegate")
    async def delegate_approval(principal: CurrentPrincipal, approval: str, body: DelegateBody) -> ApprovalShape:
        """Let a person, team or role decide as well. Needs `ai.recommendation.approve`, and to be one who may decide.

        403 `not_assigned`, `four_eyes`; 409 as for a decision. Repeating it changes nothing.
        """
        principal.require(DECIDE)
        identifier = _id(approval)
        await approvals.delegate(principal, identifier, body.to, reason=body.reason)
        return await _show(approvals, principal, identifier)

    @router.post("/{approval}/withdraw")
    async def withdraw_approval(
        principal: CurrentPrincipal, approval: str, body: WithdrawBody | None = None
    ) -> ApprovalShape:
        """Take it back: for who began or edited the work, or with `run.operate`. Needs `ai.analysis.trigger`.

        The run that waits is told. 409 when it was decided or has expired. Repeating it changes nothing.
        """
        principal.require(WITHDRAW)
        identifier = _id(approval)
        await approvals.withdraw(principal, identifier, reason=body.reason if body else None)
        return await _show(approvals, principal, identifier)


async def _show(approvals: Approvals, principal: CurrentPrincipal, approval: ApprovalId) -> ApprovalShape:
    return show_seen(await approvals.get(principal, approval))


def _id(text: str) -> ApprovalId:
    return ApprovalId(read_id(APPROVAL_PREFIX, text))
