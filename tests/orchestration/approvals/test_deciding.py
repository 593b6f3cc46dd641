"""What people and producers do with an approval, on the real database."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mainspring.application.identity import Role
from mainspring.foundation.db import Database
from mainspring.foundation.errors import Conflict, Forbidden, InvalidInput, NotFound
from mainspring.foundation.ids import new_id, show_id
from mainspring.foundation.pagination import PageRequest, page_request
from mainspring.foundation.principal import Principal
from mainspring.orchestration.approvals import (
    AlreadyConsumed,
    AlreadyDecided,
    ApprovalId,
    ContentChanged,
    DecidedTooLate,
    NotApproved,
    NotAssigned,
    ProposalRefused,
    SamePerson,
    State,
    Verdict,
    Wanted,
)
from tests.orchestration.approvals.office import PAYMENT, Office

FIRST = PageRequest()
AT_ONCE = timedelta(microseconds=1)


def show_hand_of(person: Principal) -> str:
    """The one hand of a person."""
    (hand,) = person.hands
    return hand


async def topics(database: Database, office: Office) -> list[str]:
    """What was announced for the tenant, in order."""
    async with database.system() as transaction:
        rows = await transaction.all(
            "select topic from outbox where tenant_id = %(tenant)s and topic like 'approval.%%' order by id",
            tenant=office.tenant,
        )
    return [row["topic"] for row in rows]


async def test_a_reviewer_approves_and_the_decision_is_used_once(office: Office, database: Database):
    analyst, reviewer = await office.member(Role.ANALYST), await office.member()
    asked = await office.ask(by=analyst)
    decided = await office.approvals.decide(
        reviewer, asked.id, Verdict.APPROVE, digest=asked.digest, reason="It is due."
    )
    assert (decided.state, decided.decided_hands) == (State.APPROVED, reviewer.hands)
    decision = await office.approvals.consume(office.tenant, asked.id, asked.digest)
    assert decision.is_approved
    assert decision.arguments == PAYMENT.arguments
    assert (decision.by, decision.reason) == (show_hand_of(reviewer), "It is due.")
    with pytest.raises(AlreadyConsumed):
        await office.approvals.consume(office.tenant, asked.id, asked.digest)
    assert await topics(database, office) == ["approval.requested", "approval.decided"]


async def test_the_history_tells_what_happened_and_with_what_content(office: Office):
    analyst, first, second = await office.member(Role.ANALYST), await office.member(), await office.member()
    asked = await office.ask(by=analyst)
    to = show_hand_of(second)
    await office.approvals.delegate(first, asked.id, to, reason="On leave.")
    less = {"to": "Fabrikam", "amount_cents": 100_000}
    edited = await office.approvals.decide(
        first, asked.id, Verdict.EDIT, digest=asked.digest, edited_arguments=less, reason="Too much."
    )
    await office.approve(second, edited)
    await office.approvals.consume(office.tenant, asked.id, edited.digest, consumer="step-1")
    history = (await office.approvals.get(second, asked.id)).approval.history
    assert [entry.event for entry in history] == ["requested", "delegated", "edited", "approved", "consumed"]
    assert [entry.revision for entry in history] == [1, 1, 2, 2, 2]
    assert [entry.arguments for entry in history[1:3]] == [PAYMENT.arguments, less]
    assert (history[1].by, history[1].facts, history[1].reason) == (show_hand_of(first), {"to": to}, "On leave.")
    assert history[4].facts == {"by": "step-1"}


async def test_the_same_question_again_is_the_same_approval(office: Office):
    asked = await office.ask(key="invoice-17")
    again = await office.ask(replace(PAYMENT, arguments=dict(reversed(PAYMENT.arguments.items()))), key="invoice-17")
    assert again == asked
    assert (await office.ask(key="invoice-18")).id != asked.id


async def test_a_changed_output_voids_what_was_asked(office: Office, database: Database):
    reviewer = await office.member()
    asked = await office.ask(key="invoice-17")
    changed = await office.ask(replace(PAYMENT, output="Invoice 71"), key="invoice-17")
    with pytest.raises(ContentChanged, match=show_id("apr", changed.id)):
        await office.approve(reviewer, asked)
    voided = (await office.approvals.get(reviewer, asked.id)).approval
    assert (voided.state, voided.replaced_by) == (State.VOIDED, changed.id)
    assert [entry.event for entry in voided.history] == ["requested", "voided"]
    assert await topics(database, office) == ["approval.requested", "approval.requested", "approval.voided"]
    assert (await office.approve(reviewer, changed)).state is State.APPROVED


async def test_a_changed_output_voids_what_was_approved_already(office: Office):
    reviewer = await office.member()
    asked = await office.ask(key="invoice-17")
    await office.approve(reviewer, asked)
    changed = await office.approvals.revise(
        office.tenant, asked.id, replace(PAYMENT, output="Invoice 71"), editor=frozenset()
    )
    with pytest.raises(ContentChanged):
        await office.approvals.consume(office.tenant, asked.id, asked.digest)
    with pytest.raises(NotApproved):
        await office.approvals.consume(office.tenant, changed.id, changed.digest)
    assert await office.approvals.find_decision(office.tenant, asked.id) is None


async def test_a_former_content_that_comes_back_is_asked_anew(office: Office):
    first = await office.ask(key="k")
    second = await office.ask(replace(PAYMENT, output="other"), key="k")
    third = await office.ask(key="k")
    assert len({first.id, second.id, third.id}) == 3
    assert (third.state, third.digest) == (State.PENDING, first.digest)


async def test_what_was_done_already_cannot_be_voided(office: Office):
    asked = await office.ask(key="k")
    await office.approve(await office.member(), asked)
    await office.approvals.consume(office.tenant, asked.id, asked.digest)
    with pytest.raises(AlreadyConsumed):
        await office.ask(replace(PAYMENT, output="other"), key="k")
    with pytest.raises(AlreadyDecided):
        await office.approvals.revise(office.tenant, asked.id, replace(PAYMENT, output="o"), editor=frozenset())


async def test_whoever_revised_it_does_not_decide_it(office: Office):
    reviewer, other = await office.member(), await office.member()
    asked = await office.ask()
    revised = await office.approvals.revise(
        office.tenant, asked.id, replace(PAYMENT, output="other"), editor=reviewer.hands
    )
    with pytest.raises(SamePerson):
        await office.approve(reviewer, revised)
    assert (await office.approve(other, revised)).state is State.APPROVED


async def test_under_four_eyes_an_edit_needs_another_person(office: Office):
    first, second = await office.member(), await office.member()
    asked = await office.ask()
    edited = await office.approvals.decide(
        first, asked.id, Verdict.EDIT, digest=asked.digest, edited_arguments={"amount_cents": 1}
    )
    assert (edited.state, edited.revision, edited.editor) == (State.PENDING, 2, first.hands)
    assert edited.digest != asked.digest == edited.shown_digest
    with pytest.raises(SamePerson):
        await office.approve(first, edited)
    with pytest.raises(ContentChanged):
        await office.approve(second, asked)
    approved = await office.approve(second, edited)
    assert approved.verdict is Verdict.EDIT
    decision = await office.approvals.consume(office.tenant, asked.id, edited.digest)
    assert decision.arguments == {"amount_cents": 1}


async def test_after_an_edit_the_producer_still_asks_the_same_question(office: Office):
    reviewer = await office.member()
    asked = await office.ask(key="k")
    edited = await office.approvals.decide(reviewer, asked.id, Verdict.EDIT, digest=asked.digest, edited_arguments=1)
    assert (await office.ask(key="k")).digest == edited.digest


async def test_without_four_eyes_an_edit_is_approved_at_once(office: Office):
    reviewer = await office.member()
    asked = await office.ask(replace(PAYMENT, four_eyes=False), by=reviewer)
    edited = await office.approvals.decide(reviewer, asked.id, Verdict.EDIT, digest=asked.digest, edited_arguments=[1])
    assert (edited.state, edited.verdict) == (State.APPROVED, Verdict.EDIT)
    assert (await office.approvals.consume(office.tenant, asked.id, edited.digest)).arguments == [1]


async def test_an_edit_that_changes_nothing_is_refused(office: Office):
    reviewer = await office.member()
    asked = await office.ask()
    with pytest.raises(ProposalRefused, match="approve it as it is"):
        await office.approvals.decide(
            reviewer, asked.id, Verdict.EDIT, digest=asked.digest, edited_arguments=PAYMENT.arguments
        )


async def test_arguments_come_with_an_edit_and_with_nothing_else(office: Office):
    reviewer, asked = await office.member(), await office.ask()
    with pytest.raises(InvalidInput):
        await office.approvals.decide(reviewer, asked.id, Verdict.EDIT, digest=asked.digest)
    with pytest.raises(InvalidInput):
        await office.approvals.decide(reviewer, asked.id, Verdict.APPROVE, digest=asked.digest, edited_arguments=1)
    with pytest.raises(InvalidInput):
        await office.approvals.decide(reviewer, asked.id, Verdict.EXPIRED, digest=asked.digest)


async def test_a_rejection_is_final_and_nothing_is_done(office: Office):
    first, second = await office.member(), await office.member()
    asked = await office.ask(key="k")
    await office.approvals.decide(first, asked.id, Verdict.REJECT, digest=asked.digest, reason="Not ours.")
    with pytest.raises(AlreadyDecided):
        await office.approve(second, asked)
    with pytest.raises(NotApproved):
        await office.approvals.consume(office.tenant, asked.id, asked.digest)
    decision = await office.approvals.find_decision(office.tenant, asked.id)
    assert decision is not None
    assert not decision.is_approved
    assert (await office.ask(key="k")).state is State.REJECTED


async def test_the_same_word_again_is_answered_alike_and_said_once(office: Office, database: Database):
    reviewer, asked = await office.member(), await office.ask()
    first = await office.approve(reviewer, asked)
    assert await office.approve(reviewer, asked) == first
    assert await topics(database, office) == ["approval.requested", "approval.decided"]
    other = await office.ask()
    for _ in range(2):
        edited = await office.approvals.decide(
            reviewer, other.id, Verdict.EDIT, digest=other.digest, edited_arguments=1
        )
        assert (edited.state, edited.revision) == (State.PENDING, 2)


async def test_the_same_consumer_is_answered_again(office: Office):
    asked = await office.ask()
    await office.approve(await office.member(), asked)
    first = await office.approvals.consume(office.tenant, asked.id, asked.digest, consumer="step")
    assert await office.approvals.consume(office.tenant, asked.id, asked.digest, consumer="step") == first
    with pytest.raises(AlreadyConsumed):
        await office.approvals.consume(office.tenant, asked.id, asked.digest, consumer="other step")


async def test_a_role_decides_only_where_it_was_asked(office: Office):
    reviewer, admin = await office.member(), await office.member(Role.ADMIN)
    asked = await office.ask()
    with pytest.raises(NotAssigned, match="role:reviewer"):
        await office.approve(admin, asked)
    assert (await office.approve(reviewer, asked)).state is State.APPROVED


async def test_who_is_asked_but_lacks_the_permission_decides_nothing(office: Office):
    analyst = await office.member(Role.ANALYST)
    asked = await office.ask(replace(PAYMENT, roles=("role:analyst", show_hand_of(analyst))))
    with pytest.raises(Forbidden, match=r"ai\.recommendation\.approve"):
        await office.approve(analyst, asked)


async def test_a_delegate_may_decide_and_so_may_who_delegated(office: Office, database: Database):
    reviewer, admin, owner = await office.members(Role.REVIEWER, Role.ADMIN, Role.OWNER)
    asked = await office.ask()
    delegated = await office.approvals.delegate(reviewer, asked.id, show_hand_of(admin))
    assert delegated.assigned == ("role:reviewer", show_hand_of(admin))
    assert await office.approvals.delegate(reviewer, asked.id, show_hand_of(admin)) == delegated
    further = await office.approvals.delegate(admin, asked.id, "role:owner")
    assert (await office.approve(owner, further)).decided_hands == owner.hands
    assert (await topics(database, office)).count("approval.delegated") == 2


@pytest.mark.parametrize("to", ["key:key_" + "0" * 26, "user:ada", "role:", "everybody", "user:usr_" + "0" * 26 + "\n"])
async def test_only_people_teams_and_roles_are_delegated_to(office: Office, to: str):
    reviewer, asked = await office.member(), await office.ask()
    with pytest.raises(InvalidInput):
        await office.approvals.delegate(reviewer, asked.id, to)


async def test_who_asked_may_withdraw_and_others_may_not(office: Office, database: Database):
    analyst, colleague = await office.member(Role.ANALYST), await office.member(Role.ANALYST)
    asked = await office.ask(by=analyst)
    with pytest.raises(Forbidden):
        await office.approvals.withdraw(colleague, asked.id)
    withdrawn = await office.approvals.withdraw(analyst, asked.id, reason="Paid by hand.")
    assert withdrawn.state is State.WITHDRAWN
    assert (await office.approvals.withdraw(analyst, asked.id)).state is State.WITHDRAWN
    told = await office.approvals.find_decision(office.tenant, asked.id)
    assert told is not None
    assert told.verdict is Verdict.WITHDRAWN
    with pytest.raises(AlreadyDecided):
        await office.approve(await office.member(), asked)
    assert await topics(database, office) == ["approval.requested", "approval.withdrawn"]
    decided = await office.ask(by=analyst)
    await office.approve(await office.member(), decided)
    with pytest.raises(AlreadyDecided):
        await office.approvals.withdraw(analyst, decided.id)


async def test_what_nobody_decided_in_time_expires(office: Office, database: Database):
    reviewer = await office.member()
    asked = await office.ask(replace(PAYMENT, expires=AT_ONCE), key="k")
    with pytest.raises(DecidedTooLate):
        await office.approve(reviewer, asked)
    while await office.approvals.expire_due():
        pass
    told = await office.approvals.find_decision(office.tenant, asked.id)
    assert told is not None
    assert (told.verdict, told.by, told.is_approved) == (Verdict.EXPIRED, None, False)
    expired = (await office.approvals.get(reviewer, asked.id)).approval
    assert expired.state is State.EXPIRED
    assert [entry.event for entry in expired.history] == ["requested", "expired"]
    with pytest.raises(DecidedTooLate):
        await office.approve(reviewer, asked)
    with pytest.raises(NotApproved):
        await office.approvals.consume(office.tenant, asked.id, asked.digest)
    assert await topics(database, office) == ["approval.requested", "approval.expired"]


async def test_what_is_decided_is_left_alone_by_the_clock(office: Office):
    reviewer, asked = await office.member(), await office.ask()
    await office.approve(reviewer, asked)
    await office.approvals.expire_due()
    await office.approvals.escalate_due()
    assert (await office.approvals.get(reviewer, asked.id)).approval.state is State.APPROVED


async def test_overdue_questions_escalate_once_to_more_people(office: Office, database: Database):
    admin = await office.member(Role.ADMIN)
    later = replace(PAYMENT, escalate_after=AT_ONCE, escalate_to=("role:admin",))
    asked = await office.ask(later)
    with pytest.raises(NotAssigned):
        await office.approve(admin, asked)
    while await office.approvals.escalate_due():
        pass
    widened = (await office.approvals.get(admin, asked.id)).approval
    assert widened.assigned == ("role:reviewer", "role:admin")
    assert widened.escalated_at is not None
    assert (await office.approve(admin, asked)).state is State.APPROVED
    assert await topics(database, office) == ["approval.requested", "approval.escalated", "approval.decided"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"action": ""},
        {"action": "a" * 201},
        {"title": "two\nlines"},
        {"shown": "x" * 50_001},
        {"shown": "\0"},
        {"roles": ()},
        {"roles": ("everybody",)},
        {"roles": ("role:reviewer",) * 51},
        {"expires": timedelta()},
        {"expires": timedelta(days=367)},
        {"escalate_after": timedelta(days=1)},
        {"escalate_after": timedelta(days=30), "escalate_to": ("role:admin",)},
        {"arguments": {"n": 2**53}},
    ],
)
async def test_a_proposal_that_nobody_could_decide_is_refused(office: Office, wrong: dict[str, object]):
    with pytest.raises(ProposalRefused):
        await office.ask(replace(PAYMENT, **wrong))


async def test_the_inbox_is_what_the_caller_may_decide_now(office: Office):
    reviewer, admin, analyst = await office.members(Role.REVIEWER, Role.ADMIN, Role.ANALYST)
    theirs = await office.ask(by=analyst)
    await office.ask(by=reviewer)
    await office.ask(editor=reviewer)
    await office.ask(replace(PAYMENT, roles=("role:admin",)))
    await office.ask(replace(PAYMENT, expires=AT_ONCE))
    await office.approve(await office.member(), await office.ask())
    lenient = await office.ask(replace(PAYMENT, four_eyes=False), by=reviewer)
    mine = await office.approvals.list(reviewer, FIRST, Wanted(is_mine=True))
    assert [seen.approval.id for seen in mine.items] == [lenient.id, theirs.id]
    everything = await office.approvals.list(reviewer, FIRST)
    assert {seen.approval.id for seen in everything.items if seen.may_decide} == {lenient.id, theirs.id}
    assert len(everything.items) == 7
    assert len((await office.approvals.list(admin, FIRST, Wanted(is_mine=True))).items) == 1
    approved = await office.approvals.list(reviewer, FIRST, Wanted(state=State.APPROVED))
    assert [seen.approval.state for seen in approved.items] == [State.APPROVED]


async def test_the_list_is_read_page_by_page(office: Office):
    reviewer = await office.member()
    asked = [(await office.ask()).id for _ in range(5)]
    page = await office.approvals.list(reviewer, PageRequest(limit=2))
    seen = [each.approval.id for each in page.items]
    while page.next_cursor:
        page = await office.approvals.list(reviewer, page_request(2, page.next_cursor))
        seen += [each.approval.id for each in page.items]
    assert seen == asked[::-1]


async def test_others_are_told_that_it_is_there_and_not_what_it_is_about(office: Office):
    analyst, colleague = await office.member(Role.ANALYST), await office.member(Role.ANALYST)
    asked = await office.ask(by=analyst)
    assert (await office.approvals.get(analyst, asked.id)).is_shown
    assert not (await office.approvals.get(colleague, asked.id)).is_shown
    assert (await office.approvals.get(await office.member(), asked.id)).is_shown


async def test_an_unknown_approval_is_not_found_by_anybody(office: Office):
    reviewer, nobodys = await office.member(), ApprovalId(new_id())
    with pytest.raises(NotFound):
        await office.approvals.get(reviewer, nobodys)
    with pytest.raises(NotFound):
        await office.approvals.consume(office.tenant, nobodys, "0" * 64)


async def test_a_question_has_a_limit_of_deciders(office: Office):
    reviewer = await office.member()
    crowd = tuple(f"user:{show_id('usr', new_id())}" for _ in range(49))
    asked = await office.ask(replace(PAYMENT, roles=("role:reviewer", *crowd)))
    with pytest.raises(Conflict):
        await office.approvals.delegate(reviewer, asked.id, "role:admin")
