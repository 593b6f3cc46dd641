"""Approvals from their rows."""

from collections.abc import Sequence
from uuid import UUID

from mainspring.foundation.db import Row
from mainspring.foundation.errors import NotFound
from mainspring.foundation.ids import TenantId, show_id
from mainspring.orchestration.pipelines.types import RunId

from .content import read_content
from .types import APPROVAL_PREFIX, Approval, ApprovalId, Decision, HistoryEntry, State, Verdict

_CLOSED = {State.EXPIRED.value: Verdict.EXPIRED, State.WITHDRAWN.value: Verdict.WITHDRAWN}


def read_approval(row: Row, history: Sequence[Row] = ()) -> Approval:
    """An approval from its row; of a list's row, without arguments, output, text and what concerns the run's signal."""
    arguments, output = read_content(row["content"]) if "content" in row else (None, None)
    return Approval(
        id=ApprovalId(row["id"]),
        tenant=TenantId(row["tenant_id"]),
        key=row["key"],
        state=State(row["state"]),
        action=row["action"],
        arguments=arguments,
        output=output,
        title=row["title"],
        shown=row.get("shown", ""),
        digest=row["digest"],
        shown_digest=row["shown_digest"],
        revision=row["revision"],
        assigned=tuple(row["assigned"]),
        four_eyes=row["four_eyes"],
        initiator=frozenset(row["initiator"]),
        editor=frozenset(row["editor"]),
        run=RunId(row["run_id"]) if row["run_id"] else None,
        signal=row.get("signal"),
        asked_at=row["asked_at"],
        expires_at=row["expires_at"],
        escalate_at=row.get("escalate_at"),
        escalate_to=tuple(row.get("escalate_to", ())),
        escalated_at=row["escalated_at"],
        verdict=Verdict(row["verdict"]) if row["verdict"] else None,
        reason=row.get("reason"),
        decided_by=row["decided_by"],
        decided_hands=frozenset(row["decided_hands"] or ()),
        decided_at=row["decided_at"],
        consumed_by=row.get("consumed_by"),
        consumed_at=row.get("consumed_at"),
        replaced_by=ApprovalId(row["replaced_by"]) if row["replaced_by"] else None,
        history=tuple(_read_entry(entry) for entry in history),
    )


def read_decision(row: Row) -> Decision:
    """What who waits is told of an approval that was decided, or closed without a decision."""
    verdict = _CLOSED.get(row["state"]) or Verdict(row["verdict"])
    arguments, _ = read_content(row["content"])
    at = row["decided_at"] or row["closed_at"]
    name, digest = show_approval(row["id"]), row["digest"]
    return Decision(name, verdict, arguments, row["decided_by"], at, digest, reason=row["reason"])


def find_decision(row: Row) -> Decision | None:
    """As `read_decision`; None while it is pending, and of what was voided."""
    state = State(row["state"])
    return None if state in {State.PENDING, State.VOIDED} else read_decision(row)


def show_approval(approval: UUID) -> str:
    """The public id."""
    return show_id(APPROVAL_PREFIX, approval)


def approval_not_found(approval: UUID) -> NotFound:
    """The answer for unknown and foreign approvals, worded as `foundation.ids.read_id` words it."""
    return NotFound(f"There is no {APPROVAL_PREFIX}_... with the id {show_approval(approval)!r}.")


def _read_entry(row: Row) -> HistoryEntry:
    arguments, _ = read_content(row["content"])
    return HistoryEntry(
        event=row["event"],
        at=row["at"],
        revision=row["revision"],
        digest=row["digest"],
        by=row["by_subject"],
        by_name=row["by_name"],
        reason=row["reason"],
        arguments=arguments,
        facts=row["facts"],
    )
