"""Approvals as the HTTP API shows them, and what people send.

`title`, `shown`, arguments and output may hold what models and strangers wrote. They are data, sent as they are;
whoever puts them on a screen escapes them, and renders markdown without HTML and without what loads by itself.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from mainspring.foundation.ids import show_id
from mainspring.foundation.pagination import Page
from mainspring.orchestration.pipelines import RUN_PREFIX

from .reading import show_approval
from .types import MAX_REASON_CHARACTERS, Approval, HistoryEntry, Seen, State, Verdict

Reason = Annotated[str | None, Field(max_length=MAX_REASON_CHARACTERS)]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="SHA-256 of the content that was shown")]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DecideBody(_Asked):
    """What a person says about the content with this digest."""

    verdict: Literal["approve", "reject", "edit"]
    digest: Digest
    reason: Reason = None
    edited_arguments: Any = Field(default=None, description="for edit: what the action is to be called with instead")


class DelegateBody(_Asked):
    """Who may decide as well: `user:usr_...`, `team:team_...` or `role:...`."""

    to: Annotated[str, Field(max_length=80)]
    reason: Reason = None


class WithdrawBody(_Asked):
    """Why it is not wanted any more."""

    reason: Reason = None


class ApprovalSummary(BaseModel):
    """An approval in a list.

    is_shown false: it is not the caller's to decide nor their work, and `title` is left out; so are, of one alone, all
    that it is about and its history.
    """

    id: str = Field(examples=["apr_01k9x3v2m4e0n8q5t7w1y6z3ab"])
    state: State
    action: str
    title: str | None
    is_shown: bool
    may_decide: bool = Field(description="whether the caller may decide it now")
    assigned: list[str]
    four_eyes: bool
    digest: str
    revision: int
    run: str | None
    asked_at: datetime
    expires_at: datetime
    escalated_at: datetime | None
    verdict: Verdict | None
    decided_by: str | None
    decided_at: datetime | None
    replaced_by: str | None


class HistoryShape(BaseModel):
    """One thing that happened: requested, edited, delegated, escalated, handed_over, approved, rejected, ..."""

    event: str
    at: datetime
    by: str | None
    by_name: str | None
    reason: str | None
    revision: int
    digest: str
    arguments: Any
    facts: dict[str, Any]


class ApprovalShape(ApprovalSummary):
    """One approval with exactly what will be done: `action`, called with `arguments`, putting out `output`.

    shown         markdown, and data: escape it
    shown_digest  of the content that `shown` was written for; another one than `digest` after an edit
    """

    arguments: Any = None
    output: Any = None
    shown: str | None = None
    shown_digest: str
    initiator: list[str]
    editor: list[str]
    escalate_at: datetime | None
    escalate_to: list[str]
    reason: str | None
    consumed_at: datetime | None
    history: list[HistoryShape]


class ApprovalPage(BaseModel):
    """Approvals, newest first."""

    items: list[ApprovalSummary]
    next_cursor: str | None


def show_page(page: Page[Seen]) -> ApprovalPage:
    """A page for the wire."""
    items = [ApprovalSummary(**_summary(seen)) for seen in page.items]
    return ApprovalPage(items=items, next_cursor=page.next_cursor)


def show_seen(seen: Seen) -> ApprovalShape:
    """One approval for the wire, as far as the caller may read it."""
    approval, is_shown = seen.approval, seen.is_shown
    return ApprovalShape(
        **_summary(seen),
        arguments=approval.arguments if is_shown else None,
        output=approval.output if is_shown else None,
        shown=approval.shown if is_shown else None,
        shown_digest=approval.shown_digest,
        initiator=sorted(approval.initiator),
        editor=sorted(approval.editor),
        escalate_at=_utc(approval.escalate_at),
        escalate_to=list(approval.escalate_to),
        reason=approval.reason if is_shown else None,
        consumed_at=_utc(approval.consumed_at),
        history=[_entry(entry) for entry in approval.history] if is_shown else [],
    )


def _summary(seen: Seen) -> dict[str, Any]:
    approval: Approval = seen.approval
    return {
        "id": show_approval(approval.id),
        "state": approval.state,
        "action": approval.action,
        "title": approval.title if seen.is_shown else None,
        "is_shown": seen.is_shown,
        "may_decide": seen.may_decide,
        "assigned": list(approval.assigned),
        "four_eyes": approval.four_eyes,
        "digest": approval.digest,
        "revision": approval.revision,
        "run": show_id(RUN_PREFIX, approval.run) if approval.run else None,
        "asked_at": _utc(approval.asked_at),
        "expires_at": _utc(approval.expires_at),
        "escalated_at": _utc(approval.escalated_at),
        "verdict": approval.verdict,
        "decided_by": approval.decided_by,
        "decided_at": _utc(approval.decided_at),
        "replaced_by": show_approval(approval.replaced_by) if approval.replaced_by else None,
    }


def _entry(entry: HistoryEntry) -> HistoryShape:
    return HistoryShape(
        event=entry.event,
        at=entry.at.astimezone(UTC),
        by=entry.by,
        by_name=entry.by_name,
        reason=entry.reason,
        revision=entry.revision,
        digest=entry.digest,
        arguments=entry.arguments,
        facts=entry.facts,
    )


def _utc(at: datetime | None) -> datetime | None:
    return at.astimezone(UTC) if at else None
