"""Approvals: an action that a person decides, bound to its very content and used once."""

from .errors import (
    AlreadyConsumed,
    AlreadyDecided,
    ContentChanged,
    DecidedTooLate,
    NotApproved,
    NotAssigned,
    ProposalRefused,
    SamePerson,
)
from .service import Approvals
from .tasks import build_subscribers
from .types import (
    APPROVAL_PREFIX,
    Approval,
    ApprovalId,
    Decision,
    HistoryEntry,
    Json,
    Origin,
    Proposal,
    Seen,
    State,
    Verdict,
    Wanted,
)

__all__ = [
    "APPROVAL_PREFIX",
    "AlreadyConsumed",
    "AlreadyDecided",
    "Approval",
    "ApprovalId",
    "Approvals",
    "ContentChanged",
    "DecidedTooLate",
    "Decision",
    "HistoryEntry",
    "Json",
    "NotApproved",
    "NotAssigned",
    "Origin",
    "Proposal",
    "ProposalRefused",
    "SamePerson",
    "Seen",
    "State",
    "Verdict",
    "Wanted",
    "build_subscribers",
]
