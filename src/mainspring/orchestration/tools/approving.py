"""The approvals of this platform as tools ask for them: `PeopleApprove` is the `Approver` of every real toolbox."""

from mainspring.foundation.errors import Conflict
from mainspring.foundation.ids import TenantId
from mainspring.orchestration.approvals import (
    AlreadyConsumed,
    ApprovalId,
    Approvals,
    ContentChanged,
    NotApproved,
    Proposal,
    ProposalRefused,
    Verdict,
)
from mainspring.orchestration.pipelines.types import RunId

from .ports import ApprovalRequest, Asked, Granted, Pending, Refused
from .ports import Verdict as Outcome

_NO = {
    Verdict.REJECT: ("approval_rejected", "A person rejected this call"),
    Verdict.EXPIRED: ("approval_expired", "Nobody decided about this call in time"),
    Verdict.WITHDRAWN: ("approval_withdrawn", "The question whether to make this call was withdrawn"),
}


class PeopleApprove:
    """Asks in the tenant's inbox of approvals; `consume` uses a yes once, for the call that asked."""

    def __init__(self, approvals: Approvals) -> None:
        self._approvals = approvals

    async def ask(self, tenant: TenantId, request: ApprovalRequest) -> Asked | Refused:
        """As the port says. The run is told only where it named a signal: others look by calling again."""
        proposal = Proposal(
            action=request.action,
            arguments=dict(request.arguments),
            output=None,
            title=request.title,
            shown=request.shown,
            roles=request.roles,
            expires=request.expires,
        )
        run = RunId(request.run) if request.run is not None and request.signal is not None else None
        try:
            approval = await self._approvals.ask(
                tenant, proposal, key=request.key, run=run, signal=request.signal, initiator=request.initiator
            )
        except (ProposalRefused, Conflict) as refused:
            return Refused(refused.code, refused.detail)
        return Asked(approval.id, approval.digest)

    async def consume(self, tenant: TenantId, asked: Asked, *, key: str) -> Outcome:
        """As the port says."""
        approval = ApprovalId(asked.approval)
        decision = await self._approvals.find_decision(tenant, approval)
        if decision is not None and not decision.is_approved:
            code, said = _NO[decision.verdict]
            return Refused(code, f"{said}{f': {decision.reason}' if decision.reason else '.'}")
        digest = decision.digest if decision else asked.digest
        try:
            used = await self._approvals.consume(tenant, approval, digest, consumer=key)
        except NotApproved:
            return Pending()
        except ContentChanged as voided:
            return Refused("approval_voided", voided.detail)
        except AlreadyConsumed as used_up:
            return Refused("approval_consumed", used_up.detail)
        return Granted(used.arguments, used.by or "")
