"""The words of approvals: an action that somebody proposes, a person who decides it, and one use of the decision.

    pending -> approved | rejected | expired | withdrawn | voided
    approved -> consumed | voided

The database refuses every other transition, and any change of what has ended. What is decided is the content: action,
arguments and output in canonical JSON, named by its digest.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NewType
from uuid import UUID

from mainspring.foundation.ids import TenantId
from mainspring.orchestration.pipelines.types import RunId

ApprovalId = NewType("ApprovalId", UUID)

Json = Any
"""None, booleans, numbers, strings, and lists and string-keyed dicts of them."""

APPROVAL_PREFIX = "apr"
"""Public ids of approvals read `apr_...`."""

MAX_CONTENT_BYTES = 262_144
"""Upper bound of action, arguments and output together, as canonical JSON; larger things go by reference."""

MAX_SHOWN_CHARACTERS = 50_000
MAX_REASON_CHARACTERS = 2_000
MAX_ASSIGNED = 50
LONGEST_WAIT = timedelta(days=366)


class State(StrEnum):
    """How an approval stands."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    VOIDED = "voided"
    CONSUMED = "consumed"


class Verdict(StrEnum):
    """What became of the question. A person says the first three; who waits is told the last two as well.

    edit  approved with other arguments than were proposed
    """

    APPROVE = "approve"
    REJECT = "reject"
    EDIT = "edit"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Proposal:
    """An action that needs a person, exactly as it will be done.

    action          what is called, such as the name of a tool; 1 to 200 characters
    arguments       what it is called with; JSON whose integers a double holds exactly
    output          what it would put out, such as the drafted text; None when there is nothing yet
    title           one line for the inbox
    shown           markdown for the person, up to 50,000 characters. It may quote what models and strangers wrote, and
                    is data: whoever shows it escapes it
    roles           who may decide, by subject: `role:reviewer`, `team:team_...`, `user:usr_...`; an API key may only
                    where it is named itself (`key:key_...`)
    expires         how long there is to decide, up to 366 days
    escalate_after  when nobody has decided by then, `escalate_to` may decide too
    four_eyes       whoever began the work or edited it last may not decide it
    """

    action: str
    arguments: Json
    output: Json
    title: str
    shown: str
    roles: tuple[str, ...]
    expires: timedelta
    escalate_after: timedelta | None = None
    escalate_to: tuple[str, ...] = ()
    four_eyes: bool = True


@dataclass(frozen=True, slots=True)
class Origin:
    """Who asks, and who waits for the answer.

    key        the same key and content is the same question; another content under it voids the former
    run        the run that waits; None for a caller that looks by itself
    signal     what the run is woken by; None: `approval:apr_...`
    initiator  hands of who began the work; editor: hands of who changed it last
    """

    key: str
    run: RunId | None = None
    signal: str | None = None
    initiator: frozenset[str] = frozenset()
    editor: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a person says.

    digest            of the content that the person was shown
    edited_arguments  of an edit: what the action is to be called with instead
    """

    verdict: Verdict
    digest: str
    reason: str | None = None
    edited_arguments: Json = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided, as a waiting run is told and a consumer gets it.

    approval   public id
    arguments  to call the action with: as proposed, or as edited
    by         who decided, such as `user:usr_...`; None when nobody did
    digest     of the content that was decided: hand it to `consume`
    """

    approval: str
    verdict: Verdict
    arguments: Json
    by: str | None
    at: datetime
    digest: str
    reason: str | None = None

    @property
    def is_approved(self) -> bool:
        """Whether the action may be done, by whoever consumes the decision."""
        return self.verdict in {Verdict.APPROVE, Verdict.EDIT}


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One thing that happened to an approval; entries are never changed."""

    event: str
    at: datetime
    revision: int
    digest: str
    by: str | None
    by_name: str | None
    reason: str | None
    arguments: Json
    facts: dict[str, object]


@dataclass(frozen=True, slots=True)
class Approval:
    """A question as it stands.

    digest          SHA-256 of the content as it is now; `shown_digest`: of the content that `shown` was written for
    revision        1, and one more for each edit
    assigned        who may decide now: the roles asked, those it escalated to, and delegates
    replaced_by     the question that took its place
    """

    id: ApprovalId
    tenant: TenantId
    key: str
    state: State
    action: str
    arguments: Json
    output: Json
    title: str
    shown: str
    digest: str
    shown_digest: str
    revision: int
    assigned: tuple[str, ...]
    four_eyes: bool
    initiator: frozenset[str]
    editor: frozenset[str]
    run: RunId | None
    signal: str | None
    asked_at: datetime
    expires_at: datetime
    escalate_at: datetime | None
    escalate_to: tuple[str, ...]
    escalated_at: datetime | None
    verdict: Verdict | None = None
    reason: str | None = None
    decided_by: str | None = None
    decided_hands: frozenset[str] = frozenset()
    decided_at: datetime | None = None
    consumed_by: str | None = None
    consumed_at: datetime | None = None
    replaced_by: ApprovalId | None = None
    history: tuple[HistoryEntry, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Seen:
    """An approval as one caller may see it.

    is_shown    the caller may read what it is about: it is, or was, theirs to decide, or their own work. All others are
                told that it is there and how it stands
    may_decide  the caller may decide it now
    """

    approval: Approval
    is_shown: bool
    may_decide: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which approvals to list; is_mine: those that the caller may decide now."""

    state: State | None = None
    run: RunId | None = None
    is_mine: bool = False
