"""The one place that says whether somebody may decide: asked by the right people, and not by those who did the work.

Two questions, in this order. Is the approval assigned to the caller? A person is assigned by themselves, a team or
their role; an API key only where the key itself is named; an agent and the platform never: an approval is for people.
And do the caller's hands (see `Principal.hands`) touch those of the initiator or of the last editor? A key or an agent
acts by the hand of its person too, so going through one of them changes nothing, nor does being a delegate.
The database holds the second rule as well (constraint `approval_four_eyes`).
"""

from mainspring.foundation.errors import Forbidden
from mainspring.foundation.principal import Principal, PrincipalKind

from .errors import NotAssigned, SamePerson
from .types import Approval

DECIDE = "ai.recommendation.approve"
READ = "ai.output.view"

_KEY = "key:"


def voices(principal: Principal) -> frozenset[str]:
    """As whom the caller may be assigned an approval."""
    match principal.kind:
        case PrincipalKind.USER:
            return principal.subjects
        case PrincipalKind.API_KEY:
            return frozenset(subject for subject in principal.subjects if subject.startswith(_KEY))
        case _:
            return frozenset()


def is_assigned(principal: Principal, approval: Approval) -> bool:
    """Whether the caller is one of those who were asked."""
    return not voices(principal).isdisjoint(approval.assigned)


def require_decider(principal: Principal, approval: Approval) -> None:
    """Raise unless the caller may decide the approval as it stands, or pass it on.

    raises  Forbidden without `ai.recommendation.approve`, NotAssigned, SamePerson
    """
    principal.require(DECIDE)
    if not is_assigned(principal, approval):
        raise NotAssigned(
            f"{principal.name} is not among those who may decide this; ask one of {', '.join(approval.assigned)}, "
            "who may also delegate it."
        )
    if not approval.four_eyes:
        return
    if not principal.hands:
        raise SamePerson(f"Nobody knows by whose hand {principal.name} acts; sign in as a person to decide this.")
    if not principal.hands.isdisjoint(approval.initiator):
        raise SamePerson(f"{principal.name} began the work that is to be decided; it needs another person.")
    if not principal.hands.isdisjoint(approval.editor):
        raise SamePerson(f"{principal.name} edited it last; another person has to decide the edit.")


def may_decide(principal: Principal, approval: Approval) -> bool:
    """Whether `require_decider` would let the caller."""
    try:
        require_decider(principal, approval)
    except Forbidden:
        return False
    return True


def may_read(principal: Principal, approval: Approval) -> bool:
    """Whether the caller sees what the approval is about: it is theirs to decide, or theirs, or they decided it."""
    own = approval.initiator | approval.editor | approval.decided_hands
    return is_assigned(principal, approval) or not principal.hands.isdisjoint(own)


def show_hand(principal: Principal) -> str:
    """The caller as one word, for the record: a person, else the key or agent itself."""
    return min(principal.hands, key=_directness, default=principal.kind.value)


def _directness(hand: str) -> tuple[int, str]:
    """What acted comes before the person that it belongs to; a person has one hand only."""
    return hand.startswith("user:"), hand
