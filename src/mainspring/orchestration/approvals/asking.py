"""Asking: a question is its key and its content.

The same key and content asked again is the same approval, so that a step that is run again asks nobody twice. Another
content under the key voids what was asked and even what was approved, unless it was used already. A run that takes
over the work of one that has ended, under the same key, waits for the same approval; if that had expired or was
withdrawn with the run, it is asked anew.
"""

import re
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from mainspring.foundation.db import Row, TenantTransaction
from mainspring.foundation.errors import InvalidInput
from mainspring.foundation.ids import new_id

from . import store
from .content import Content, make_content
from .errors import AlreadyConsumed, AlreadyDecided, ProposalRefused
from .events import ApprovalRequested, ApprovalVoided
from .reading import read_decision, show_approval
from .record import Entry, announce, remember
from .signals import Calls
from .types import (
    LONGEST_WAIT,
    MAX_ASSIGNED,
    MAX_SHOWN_CHARACTERS,
    ApprovalId,
    Origin,
    Proposal,
    State,
)

Text = TypeVar("Text", str, str | None)

_ID = "[0-7][0-9a-hjkmnp-tv-z]{25}"
_PERSON = rf"user:usr_{_ID}|team:team_{_ID}|role:[a-z_]{{1,40}}"
_DECIDER = re.compile(rf"{_PERSON}|key:key_{_ID}")
_DELEGATE = re.compile(_PERSON)
_MOST_KEY_CHARACTERS = 200
_MOST_TITLE_CHARACTERS = 200


async def ask(calls: Calls, transaction: TenantTransaction, proposal: Proposal, origin: Origin) -> Row:
    """The row of the approval, new or as it stands. Raises as `Approvals.ask`."""
    _check(proposal, origin)
    content = make_content(proposal.action, proposal.arguments, proposal.output)
    while True:
        former = await store.lock_by_key(transaction, origin.key)
        if former is not None:
            return await _ask_again(calls, transaction, former, proposal, origin)
        # Somebody may ask under this key between the two statements; then theirs is found by the next round.
        if (row := await _insert(transaction, ApprovalId(new_id()), proposal, content, origin)) is not None:
            return row


async def revise(transaction: TenantTransaction, former: Row, proposal: Proposal, *, editor: frozenset[str]) -> Row:
    """The row of the approval that takes the place of `former`, for whoever waits for that one."""
    origin = Origin(former["key"], former["run_id"], former["signal"], frozenset(former["initiator"]), editor)
    _check(proposal, origin)
    state = State(former["state"])
    if state not in {State.PENDING, State.APPROVED}:
        raise AlreadyDecided(f"The approval is {state.value}; ask anew under another key instead of revising it.")
    if state is State.APPROVED:  # the run has heard of it, and a late word under that name would not be heard
        origin = replace(origin, signal=None)
    content = make_content(proposal.action, proposal.arguments, proposal.output)
    return former if content.digest == former["digest"] else await _replace(transaction, former, proposal, origin)


def check_delegate(subject: str) -> None:
    """InvalidInput unless a person, team or role is named; an API key decides only where it was asked."""
    if not _DELEGATE.fullmatch(subject):
        raise InvalidInput(
            f"{subject[:80]!r} is nobody to delegate to; name `user:usr_...`, `team:team_...` or `role:...`."
        )


async def _ask_again(
    calls: Calls, transaction: TenantTransaction, former: Row, proposal: Proposal, origin: Origin
) -> Row:
    state = State(former["state"])
    is_same = make_content(proposal.action, proposal.arguments, proposal.output).digest == former["shown_digest"]
    is_other_run = origin.run is not None and origin.run != former["run_id"]
    if is_same and not (is_other_run and _is_asked_anew(former, origin)):
        return await _hand_over(calls, transaction, former, origin) if is_other_run else former
    if state is State.CONSUMED:
        raise AlreadyConsumed(
            f"What {origin.key[:80]!r} asked for was approved and done; other work needs another key."
        )
    return await _replace(transaction, former, proposal, origin)


def _is_asked_anew(former: Row, origin: Origin) -> bool:
    """Whether another run that needs the same cannot wait for this: it is over, or would be decided by who began it."""
    state = State(former["state"])
    is_widened = state is State.PENDING and not origin.initiator <= frozenset(former["initiator"])
    return is_widened or state in {State.EXPIRED, State.WITHDRAWN}


async def _hand_over(calls: Calls, transaction: TenantTransaction, former: Row, origin: Origin) -> Row:
    """Let another run wait for the same approval, or hear at once what was decided."""
    assert origin.run is not None
    signal = origin.signal or signal_name(former["id"])
    if State(former["state"]) is State.PENDING:
        row = await store.rebind(transaction, former["id"], run=origin.run, signal=signal)
        await remember(transaction, row, Entry("handed_over", hands=origin.initiator))
        return row
    await calls.tell_if_waiting(transaction, {**former, "run_id": origin.run, "signal": signal}, read_decision(former))
    return former


async def _replace(transaction: TenantTransaction, former: Row, proposal: Proposal, origin: Origin) -> Row:
    identifier = ApprovalId(new_id())
    left = await store.replace(transaction, former["id"], by=identifier)
    content = make_content(proposal.action, proposal.arguments, proposal.output)
    # Whoever began it before, under this key, has not become another person by its being asked again.
    origin = replace(origin, initiator=origin.initiator | frozenset(former["initiator"]))
    row = await _insert(transaction, identifier, proposal, content, origin)
    assert row is not None, "the former holds the key's lock"
    if left["state"] != former["state"]:
        replaced_by = show_approval(identifier)
        await remember(transaction, left, Entry("voided", hands=origin.editor, facts={"replaced_by": replaced_by}))
        await announce(transaction, ApprovalVoided, left, replaced_by=replaced_by)
    return row


async def _insert(
    transaction: TenantTransaction, identifier: ApprovalId, proposal: Proposal, content: Content, origin: Origin
) -> Row | None:
    row = await store.insert(
        transaction,
        {
            "id": identifier,
            "key": origin.key,
            "action": proposal.action,
            "title": proposal.title,
            "shown": proposal.shown,
            "content": content.text,
            "digest": content.digest,
            "assigned": list(dict.fromkeys(proposal.roles)),
            "four_eyes": proposal.four_eyes,
            "initiator": sorted(origin.initiator),
            "editor": sorted(origin.editor),
            "run": origin.run,
            "signal": (origin.signal or signal_name(identifier)) if origin.run else None,
            "expires": proposal.expires,
            "escalate_after": proposal.escalate_after,
            "escalate_to": list(proposal.escalate_to),
        },
    )
    if row is not None:
        await remember(transaction, row, Entry("requested", hands=origin.initiator | origin.editor))
        await announce(transaction, ApprovalRequested, row, assigned=tuple(row["assigned"]))
    return row


def signal_name(approval: ApprovalId) -> str:
    """What a run waits for unless it says otherwise."""
    return f"approval:{show_approval(approval)}"


def _check(proposal: Proposal, origin: Origin) -> None:
    _check_text("key", origin.key, _MOST_KEY_CHARACTERS)
    _check_text("action", proposal.action, _MOST_KEY_CHARACTERS)
    _check_text("title", proposal.title, _MOST_TITLE_CHARACTERS)
    if len(proposal.shown) > MAX_SHOWN_CHARACTERS or "\0" in proposal.shown:
        raise ProposalRefused(
            f"shown has {len(proposal.shown):,} characters; it may have {MAX_SHOWN_CHARACTERS:,}, and no NUL. "
            "Show what matters, and link the rest."
        )
    _check_deciders("roles", proposal.roles, is_needed=True)
    _check_deciders("escalate_to", proposal.escalate_to, is_needed=proposal.escalate_after is not None)
    _check_times(proposal)


def _check_text(name: str, text: str, limit: int) -> None:
    if not (1 <= len(text) <= limit and text.isprintable()):
        raise ProposalRefused(f"{name} has {len(text)} characters; give it 1 to {limit} printable ones.")


def _check_deciders(name: str, subjects: tuple[str, ...], *, is_needed: bool) -> None:
    wrong = [subject for subject in subjects if not _DECIDER.fullmatch(subject)]
    if wrong:
        raise ProposalRefused(
            f"{name}: {wrong[0][:80]!r} is nobody who decides; name `role:...`, `team:team_...`, `user:usr_...` or "
            "`key:key_...`."
        )
    if len(subjects) > MAX_ASSIGNED or (is_needed and not subjects):
        raise ProposalRefused(f"{name} names {len(subjects)}; it may be 1 to {MAX_ASSIGNED}.")


def _check_times(proposal: Proposal) -> None:
    if not timedelta() < proposal.expires <= LONGEST_WAIT:
        raise ProposalRefused(
            f"expires is {proposal.expires}; it must be above 0 and at most {LONGEST_WAIT.days} days."
        )
    after = proposal.escalate_after
    if after is not None and not timedelta() < after < proposal.expires:
        raise ProposalRefused(f"escalate_after is {after}; it must be above 0 and before it expires.")
