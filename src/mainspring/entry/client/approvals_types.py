"""What the API answers about approvals.

`title`, `shown`, arguments and output quote models and strangers: whoever shows them escapes them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class ApprovalEntry:
    """One thing that happened to an approval, with the arguments as they were then."""

    event: str
    at: datetime
    revision: int
    digest: str
    by: str | None = None
    by_name: str | None = None
    reason: str | None = None
    arguments: Any = None
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Approval:
    """A question to people; what lists leave out is None or empty.

    state       pending, approved, rejected, expired, withdrawn, voided or consumed
    is_shown    false: it is not the key's to decide, nor its work, and what it is about is left out
    may_decide  whether the key may decide it now
    digest      of action, arguments and output: name it when you decide
    """

    id: str
    state: str
    action: str
    is_shown: bool
    may_decide: bool
    assigned: tuple[str, ...]
    four_eyes: bool
    digest: str
    revision: int
    asked_at: datetime
    expires_at: datetime
    title: str | None = None
    run: str | None = None
    escalated_at: datetime | None = None
    verdict: str | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    replaced_by: str | None = None
    arguments: Any = None
    output: Any = None
    shown: str | None = None
    shown_digest: str | None = None
    initiator: tuple[str, ...] = ()
    editor: tuple[str, ...] = ()
    escalate_at: datetime | None = None
    escalate_to: tuple[str, ...] = ()
    reason: str | None = None
    consumed_at: datetime | None = None
    history: tuple[ApprovalEntry, ...] = ()
