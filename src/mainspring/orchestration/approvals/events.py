"""What approvals announce through the outbox: ids and small facts, no word of the content.

Each is written in the transaction that made it true. Ids are in their public form.
"""

from dataclasses import asdict, dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class ApprovalEvent:
    """A fact about one approval.

    key  as the asker named it; run: the run that waits, if one does
    """

    topic: ClassVar[str]
    approval: str
    key: str
    action: str
    digest: str
    revision: int
    run: str | None

    def payload(self) -> dict[str, object]:
        """The fields of the event."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ApprovalRequested(ApprovalEvent):
    """Somebody in `assigned` is to decide; told again for each edit that another person has to look at."""

    topic: ClassVar[str] = "approval.requested"
    assigned: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ApprovalDecided(ApprovalEvent):
    topic: ClassVar[str] = "approval.decided"
    verdict: str
    by: str


@dataclass(frozen=True, slots=True)
class ApprovalExpired(ApprovalEvent):
    topic: ClassVar[str] = "approval.expired"


@dataclass(frozen=True, slots=True)
class ApprovalEscalated(ApprovalEvent):
    """Nobody has decided in time; `assigned` is who may now."""

    topic: ClassVar[str] = "approval.escalated"
    assigned: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ApprovalDelegated(ApprovalEvent):
    topic: ClassVar[str] = "approval.delegated"
    by: str
    to: str


@dataclass(frozen=True, slots=True)
class ApprovalWithdrawn(ApprovalEvent):
    """`by` is None where the run that waited has ended."""

    topic: ClassVar[str] = "approval.withdrawn"
    by: str | None


@dataclass(frozen=True, slots=True)
class ApprovalVoided(ApprovalEvent):
    """The content changed; `replaced_by` is the question to decide instead."""

    topic: ClassVar[str] = "approval.voided"
    replaced_by: str
