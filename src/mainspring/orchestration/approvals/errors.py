"""What the room refuses.

ProposalRefused      422 proposal_refused: cannot be asked, or edited so
NotAssigned          403 not_assigned: somebody else is to decide
SamePerson           403 four_eyes: who began or edited the work may not decide it
AlreadyDecided       409 approval_decided: somebody was first, or it was withdrawn
DecidedTooLate       409 approval_expired
ContentChanged       409 approval_voided: the content is not the one that was shown
NotApproved          409 approval_not_given: there is no approval to use
AlreadyConsumed      409 approval_consumed: it was used already
"""

from mainspring.foundation.errors import Conflict, Forbidden, InvalidInput


class ProposalRefused(InvalidInput):
    """A proposal, or an edit of one, cannot be shown to a person; the detail names the value and the limit."""

    code = "proposal_refused"


class NotAssigned(Forbidden):
    """The approval is for others to decide: neither the caller nor a role or team of theirs is named by it."""

    code = "not_assigned"


class SamePerson(Forbidden):
    """Four eyes: whoever began the work or edited it last, or a key or agent of theirs, may not decide it."""

    code = "four_eyes"


class AlreadyDecided(Conflict):
    """The approval is not pending any more: it was decided, withdrawn or used."""

    code = "approval_decided"


class DecidedTooLate(Conflict):
    """The time to decide is over; whoever needs it must ask again."""

    code = "approval_expired"


class ContentChanged(Conflict):
    """The digest is not that of the content as it stands: it was changed after it was shown or approved."""

    code = "approval_voided"


class NotApproved(Conflict):
    """The action may not be done: the approval is pending, was rejected, has expired or was withdrawn."""

    code = "approval_not_given"


class AlreadyConsumed(Conflict):
    """The decision was used already, by another consumer; each is good for once."""

    code = "approval_consumed"
