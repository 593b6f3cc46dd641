"""Deciding: one row, locked; who may; what was shown; and the decision, its story and its signal in one transaction."""

from mainspring.foundation.db import Row, TenantTransaction
from mainspring.foundation.errors import Conflict, Forbidden, InvalidInput
from mainspring.foundation.principal import Principal

from . import store
from .asking import check_delegate
from .content import Content, make_content
from .errors import AlreadyDecided, ContentChanged, DecidedTooLate, ProposalRefused, SamePerson
from .events import ApprovalDecided, ApprovalDelegated, ApprovalRequested, ApprovalWithdrawn
from .eyes import DECIDE, require_decider, show_hand
from .reading import approval_not_found, read_approval, read_decision, show_approval
from .record import Entry, announce, remember
from .signals import Calls
from .types import MAX_ASSIGNED, MAX_REASON_CHARACTERS, Approval, ApprovalId, Ruling, State, Verdict

WITHDRAW = "ai.analysis.trigger"
OPERATE = "run.operate"


async def decide(
    calls: Calls, transaction: TenantTransaction, principal: Principal, approval: ApprovalId, ruling: Ruling
) -> Row:
    """The row after the decision. Raises as `Approvals.decide`."""
    principal.require(DECIDE)
    _check_ruling(ruling)
    row = await get_locked(transaction, approval)
    current = read_approval(row)
    edited = _edited(current, ruling)
    if _is_repeated(current, principal, ruling, edited):
        return row
    require_decider(principal, current)
    _require_open(current, is_over=row["is_over"])
    if ruling.digest != current.digest:
        raise ContentChanged(
            f"The digest {ruling.digest[:64]!r} is not that of what is asked now, {current.digest!r}: it was changed "
            "after it was shown. Read it again."
        )
    if edited is not None:
        row = await _edit(transaction, principal, row, edited, ruling)
        if current.four_eyes:
            await announce(transaction, ApprovalRequested, row, assigned=current.assigned)
            return row
    return await _settle(calls, transaction, principal, row, ruling)


async def delegate(
    transaction: TenantTransaction, principal: Principal, approval: ApprovalId, to: str, reason: str | None
) -> Row:
    """The row after `to` was named as one who may decide. Raises as `Approvals.delegate`."""
    principal.require(DECIDE)
    check_delegate(to)
    _check_reason(reason)
    row = await get_locked(transaction, approval)
    current = read_approval(row)
    require_decider(principal, current)
    _require_open(current, is_over=row["is_over"])
    if current.four_eyes and to in current.initiator | current.editor:
        raise SamePerson(f"{to} began or edited what is to be decided; delegate it to somebody else.")
    if to in current.assigned:
        return row
    if len(current.assigned) >= MAX_ASSIGNED:
        raise Conflict(f"{MAX_ASSIGNED} may decide this already; ask one of them.")
    row = await store.widen(transaction, approval, assigned=[*current.assigned, to], is_escalation=False)
    await remember(transaction, row, Entry("delegated", principal, reason, facts={"to": to}))
    await announce(transaction, ApprovalDelegated, row, by=show_hand(principal), to=to)
    return row


async def withdraw(
    calls: Calls, transaction: TenantTransaction, principal: Principal, approval: ApprovalId, reason: str | None
) -> Row:
    """The row after whoever asked does not want it any more. Raises as `Approvals.withdraw`."""
    principal.require(WITHDRAW)
    _check_reason(reason)
    row = await get_locked(transaction, approval)
    current = read_approval(row)
    is_own = not principal.hands.isdisjoint(current.initiator | current.editor)
    if not is_own and OPERATE not in principal.permissions:
        raise Forbidden(
            f"{principal.name} did not begin this; ask who did, or a member with {OPERATE!r}, to withdraw it."
        )
    if current.state is State.WITHDRAWN:
        return row
    if current.state is not State.PENDING:
        raise _closed(current)
    return await close_withdrawn(calls, transaction, row, Entry("withdrawn", principal, reason))


async def close_withdrawn(calls: Calls, transaction: TenantTransaction, row: Row, entry: Entry) -> Row:
    """End a pending approval that is not wanted any more; the row is locked."""
    row = await store.close(transaction, row["id"], state=State.WITHDRAWN.value)
    await remember(transaction, row, entry)
    by = show_hand(entry.by) if entry.by else None
    await announce(transaction, ApprovalWithdrawn, row, by=by)
    await calls.tell_if_waiting(transaction, row, read_decision(row))
    return row


async def get_locked(transaction: TenantTransaction, approval: ApprovalId) -> Row:
    """The row, locked; NotFound in the same words whether it never was or is another tenant's."""
    row = await store.lock(transaction, approval)
    if row is None:
        raise approval_not_found(approval)
    return row


def _edited(current: Approval, ruling: Ruling) -> Content | None:
    if ruling.verdict is not Verdict.EDIT:
        return None
    return make_content(current.action, ruling.edited_arguments, current.output)


def _is_repeated(current: Approval, principal: Principal, ruling: Ruling, edited: Content | None) -> bool:
    """Whether the caller said just this already, and the answer was lost."""
    if edited is not None and edited.digest == current.digest and principal.hands == current.editor:
        return True
    said = Verdict.APPROVE if current.verdict is Verdict.EDIT and current.four_eyes else current.verdict
    return (
        edited is None
        and said is ruling.verdict
        and current.digest == ruling.digest
        and current.decided_hands == principal.hands
    )


def _require_open(current: Approval, *, is_over: bool) -> None:
    if current.state is not State.PENDING:
        raise _closed(current)
    if is_over:
        raise _expired(current)


def _closed(current: Approval) -> Conflict:
    match current.state:
        case State.EXPIRED:
            return _expired(current)
        case State.VOIDED:
            instead = show_approval(current.replaced_by) if current.replaced_by else "the new one"
            return ContentChanged(f"What was asked has changed, and this approval is void; decide {instead} instead.")
        case _:
            return AlreadyDecided(f"The approval is {current.state.value} already; what was decided stays.")


def _expired(current: Approval) -> DecidedTooLate:
    return DecidedTooLate(
        f"The time to decide was over at {current.expires_at:%Y-%m-%d %H:%M} UTC; whoever needs it asks again."
    )


async def _edit(transaction: TenantTransaction, principal: Principal, row: Row, edited: Content, ruling: Ruling) -> Row:
    if edited.digest == row["digest"]:
        raise ProposalRefused("The edited arguments are the ones that were proposed; approve it as it is.")
    hands = sorted(principal.hands)
    row = await store.edit(transaction, row["id"], content=edited.text, digest=edited.digest, hands=hands)
    await remember(transaction, row, Entry("edited", principal, ruling.reason))
    return row


async def _settle(calls: Calls, transaction: TenantTransaction, principal: Principal, row: Row, ruling: Ruling) -> Row:
    is_rejected = ruling.verdict is Verdict.REJECT
    approved = Verdict.APPROVE if row["revision"] == 1 else Verdict.EDIT
    values = {
        "state": (State.REJECTED if is_rejected else State.APPROVED).value,
        "verdict": (Verdict.REJECT if is_rejected else approved).value,
        "reason": ruling.reason,
        "digest": row["digest"],
        "by": show_hand(principal),
        "hands": sorted(principal.hands),
    }
    row = await store.decide(transaction, row["id"], values)
    await remember(transaction, row, Entry(row["state"], principal, ruling.reason))
    await announce(transaction, ApprovalDecided, row, verdict=row["verdict"], by=row["decided_by"])
    await calls.tell(transaction, row, read_decision(row))
    return row


def _check_ruling(ruling: Ruling) -> None:
    if ruling.verdict not in {Verdict.APPROVE, Verdict.REJECT, Verdict.EDIT}:
        raise InvalidInput(f"verdict is {ruling.verdict.value!r}; a person says approve, reject or edit.")
    has_arguments = ruling.edited_arguments is not None
    if has_arguments != (ruling.verdict is Verdict.EDIT):
        raise InvalidInput("edited_arguments belong to the verdict edit, which needs them, and to no other.")
    _check_reason(ruling.reason)


def _check_reason(reason: str | None) -> None:
    if reason is not None and (len(reason) > MAX_REASON_CHARACTERS or "\0" in reason):
        raise InvalidInput(f"reason has {len(reason):,} characters; it may have {MAX_REASON_CHARACTERS:,}, and no NUL.")
