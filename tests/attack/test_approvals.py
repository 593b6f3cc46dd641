"""Getting something done that nobody else approved: by HTTP, by the room's door, and by hand-written SQL."""

import asyncio
import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import LiteralString

import psycopg
import pytest

from mainspring.application.identity import Role
from mainspring.foundation.db import Database
from mainspring.foundation.errors import NotFound
from mainspring.foundation.ids import new_id, show_id
from mainspring.orchestration.approvals import (
    AlreadyConsumed,
    AlreadyDecided,
    Approval,
    ContentChanged,
    DecidedTooLate,
    Decision,
    NotAssigned,
    ProposalRefused,
    SamePerson,
    State,
    Verdict,
)
from tests.orchestration.approvals.office import (
    PAYMENT,
    Office,
    agent_of,
    approvals,
    identity,
    office,
    other_office,
)

__all__ = ["approvals", "identity", "office", "other_office"]

EVERYONE = replace(PAYMENT, roles=("role:owner", "role:admin", "role:reviewer"))


async def test_another_tenants_approval_does_not_exist(office: Office, other_office: Office):
    stranger = await other_office.person(Role.OWNER)
    asked = await office.ask(EVERYONE)
    path = f"/v1/approvals/{show_id('apr', asked.id)}"
    nobodys = f"/v1/approvals/{show_id('apr', new_id())}"
    said = {"verdict": "approve", "digest": asked.digest}
    probes = [("decide", said), ("delegate", {"to": "role:owner"}), ("withdraw", {})]
    async with other_office.browser(stranger) as browser:
        for method, suffix, body in [("GET", "", None), *(("POST", f"/{name}", body) for name, body in probes)]:
            theirs = await browser.request(method, path + suffix, json=body)
            none = await browser.request(method, nobodys + suffix, json=body)
            assert (theirs.status_code, none.status_code) == (404, 404)
            assert (
                theirs.text.replace(path, nobodys).replace(path[-30:], nobodys[-30:]).partition('"request_id"')[0]
                == (none.text.partition('"request_id"')[0])
            )
        assert (await browser.get("/v1/approvals")).json()["items"] == []
    with pytest.raises(NotFound):
        await office.approvals.consume(other_office.tenant, asked.id, asked.digest)


async def test_nobody_approves_what_they_began_or_edited_last(office: Office):
    owner = await office.member(Role.OWNER)
    for asked in (await office.ask(EVERYONE, by=owner), await office.ask(EVERYONE, editor=owner)):
        for verdict, arguments in ((Verdict.APPROVE, None), (Verdict.REJECT, None), (Verdict.EDIT, [1])):
            with pytest.raises(SamePerson):
                await office.approvals.decide(owner, asked.id, verdict, digest=asked.digest, edited_arguments=arguments)


async def test_nobody_approves_their_own_work_through_a_key(office: Office):
    """The key is even named as one who may decide; its hand is still its maker's."""
    owner = await office.member(Role.OWNER)
    key = await office.key_of(owner)
    named = replace(EVERYONE, roles=(*EVERYONE.roles, *key.subjects))
    asked = await office.ask(named, by=owner)
    with pytest.raises(SamePerson):
        await office.approve(key, asked)
    by_key = await office.ask(named, by=key)
    for hand in (owner, key, await office.key_of(owner)):
        with pytest.raises((SamePerson, NotAssigned)):
            await office.approve(hand, by_key)


async def test_a_key_decides_only_where_it_is_named(office: Office):
    analyst, owner = await office.members(Role.ANALYST, Role.OWNER)
    key = await office.key_of(owner)
    with pytest.raises(NotAssigned):
        await office.approve(key, await office.ask(EVERYONE, by=analyst))
    pretending = replace(key, subjects=key.subjects | owner.subjects)
    with pytest.raises(NotAssigned):
        await office.approve(pretending, await office.ask(EVERYONE, by=analyst))
    named = await office.ask(replace(EVERYONE, roles=tuple(key.subjects)), by=analyst)
    assert (await office.approve(key, named)).state is State.APPROVED


async def test_an_agent_decides_nothing_whoever_owns_it(office: Office):
    owner, reviewer = await office.members(Role.OWNER, Role.REVIEWER)
    asked = await office.ask(EVERYONE, by=agent_of(owner))
    for agent in (agent_of(owner), agent_of(owner, "other"), agent_of(reviewer)):
        with pytest.raises(NotAssigned):
            await office.approve(agent, asked)


async def test_nobody_approves_what_their_agent_began(office: Office):
    owner, reviewer = await office.members(Role.OWNER, Role.REVIEWER)
    asked = await office.ask(EVERYONE, by=agent_of(owner))
    with pytest.raises(SamePerson):
        await office.approve(owner, asked)
    assert (await office.approve(reviewer, asked)).state is State.APPROVED


async def test_nobody_gets_there_by_a_chain_of_delegates(office: Office):
    initiator, first, second = await office.members(Role.OWNER, Role.REVIEWER, Role.ADMIN)
    (own,), (seconds,) = initiator.hands, second.hands
    asked = await office.ask(by=initiator)
    with pytest.raises(NotAssigned):
        await office.approvals.delegate(initiator, asked.id, seconds)
    with pytest.raises(SamePerson):
        await office.approvals.delegate(first, asked.id, own)
    await office.approvals.delegate(first, asked.id, seconds)
    widened = await office.approvals.delegate(second, asked.id, "role:owner")
    with pytest.raises(SamePerson):
        await office.approve(initiator, widened)
    with pytest.raises(SamePerson):
        await office.approvals.delegate(initiator, asked.id, "role:analyst")


async def test_two_editors_do_not_approve_each_others_half(office: Office):
    """Who edited last is out, and so is who began; only the editor before may look at the last edit."""
    first, second = await office.members(Role.REVIEWER, Role.REVIEWER)
    asked = await office.ask()
    edit = office.approvals.decide
    one = await edit(first, asked.id, Verdict.EDIT, digest=asked.digest, edited_arguments=[1])
    two = await edit(second, asked.id, Verdict.EDIT, digest=one.digest, edited_arguments=[2])
    with pytest.raises(SamePerson):
        await office.approve(second, two)
    assert (await office.approve(first, two)).state is State.APPROVED


async def test_a_principal_without_a_hand_decides_nothing_under_four_eyes(office: Office):
    faceless = replace(await office.member(), hands=frozenset())
    with pytest.raises(SamePerson):
        await office.approve(faceless, await office.ask())


async def test_a_decision_that_is_sent_again_is_one_decision(office: Office):
    first, second = await office.members(Role.REVIEWER, Role.REVIEWER)
    asked = await office.ask()
    approved = await office.approve(first, asked)
    assert await office.approve(first, asked) == approved
    for person, verdict in ((first, Verdict.REJECT), (second, Verdict.APPROVE), (second, Verdict.REJECT)):
        with pytest.raises(AlreadyDecided):
            await office.approvals.decide(person, asked.id, verdict, digest=asked.digest)
    await office.approvals.consume(office.tenant, asked.id, asked.digest)
    await office.approve(first, asked)
    with pytest.raises(AlreadyConsumed):
        await office.approvals.consume(office.tenant, asked.id, asked.digest)


async def test_a_decision_about_something_else_is_refused(office: Office):
    reviewer, asked = await office.member(), await office.ask()
    other = await office.ask(replace(PAYMENT, output="other"))
    for digest in ("0" * 64, other.digest, asked.digest.upper(), asked.digest[:-1], ""):
        with pytest.raises(ContentChanged):
            await office.approvals.decide(reviewer, asked.id, Verdict.APPROVE, digest=digest)
    await office.approve(reviewer, asked)
    with pytest.raises(ContentChanged):
        await office.approvals.consume(office.tenant, asked.id, other.digest)


async def test_a_decision_after_the_time_is_refused_also_before_anybody_swept(office: Office):
    reviewer = await office.member()
    asked = await office.ask(replace(PAYMENT, expires=timedelta(microseconds=1)))
    with pytest.raises(DecidedTooLate):
        await office.approve(reviewer, asked)
    assert (await office.approvals.get(reviewer, asked.id)).may_decide is False


async def test_of_two_who_decide_at_once_one_does(office: Office):
    people = await office.members(*[Role.REVIEWER] * 6)
    verdicts = [Verdict.APPROVE, Verdict.REJECT] * 3
    for _ in range(5):
        asked = await office.ask()
        said = [
            office.approvals.decide(person, asked.id, verdict, digest=asked.digest)
            for person, verdict in zip(people, verdicts, strict=True)
        ]
        answers = await asyncio.gather(*said, return_exceptions=True)
        won = [answer for answer in answers if isinstance(answer, Approval)]
        assert len(won) == 1
        assert all(isinstance(answer, (Approval, AlreadyDecided)) for answer in answers)
        history = (await office.approvals.get(people[0], asked.id)).approval.history
        assert [entry.event for entry in history] == ["requested", won[0].state.value]


async def test_of_many_who_use_a_decision_at_once_one_does(office: Office):
    reviewer = await office.member()
    for _ in range(5):
        asked = await office.ask()
        await office.approve(reviewer, asked)
        uses = [office.approvals.consume(office.tenant, asked.id, asked.digest, consumer=str(n)) for n in range(8)]
        answers = await asyncio.gather(*uses, return_exceptions=True)
        assert sum(isinstance(answer, Decision) for answer in answers) == 1
        assert all(isinstance(answer, (Decision, AlreadyConsumed)) for answer in answers)


async def test_an_edit_and_an_approval_at_once_never_approve_what_was_not_shown(office: Office):
    first, second = await office.members(Role.REVIEWER, Role.REVIEWER)
    for _ in range(8):
        asked = await office.ask()
        await asyncio.gather(
            office.approvals.decide(first, asked.id, Verdict.EDIT, digest=asked.digest, edited_arguments=["evil"]),
            office.approve(second, asked),
            return_exceptions=True,
        )
        found = (await office.approvals.get(second, asked.id)).approval
        assert (found.state, found.arguments) in [
            (State.APPROVED, PAYMENT.arguments),
            (State.PENDING, ["evil"]),
        ]


async def test_a_revision_and_a_use_at_once_are_one_or_the_other(office: Office):
    reviewer = await office.member()
    for _ in range(8):
        asked = await office.ask()
        await office.approve(reviewer, asked)
        used, revised = await asyncio.gather(
            office.approvals.consume(office.tenant, asked.id, asked.digest),
            office.approvals.revise(office.tenant, asked.id, replace(PAYMENT, output="x"), editor=frozenset()),
            return_exceptions=True,
        )
        assert isinstance(used, Decision) != isinstance(revised, Approval)
        assert isinstance(used, (Decision, ContentChanged))
        assert isinstance(revised, (Approval, AlreadyDecided))


async def test_one_key_asked_by_many_at_once_is_one_question(office: Office):
    asked = await asyncio.gather(*[office.ask(key="same") for _ in range(8)])
    assert len({each.id for each in asked}) == 1


async def test_huge_arguments_reach_nobody(office: Office):
    reviewer, asked = await office.person(), await office.ask()
    huge = {"text": "x" * 300_000}
    with pytest.raises(ProposalRefused, match="262,144"):
        await office.ask(replace(PAYMENT, arguments=huge))
    path = f"/v1/approvals/{show_id('apr', asked.id)}/decide"
    async with office.browser(reviewer) as browser:
        edit = {"verdict": "edit", "digest": asked.digest}
        answer = await browser.post(path, json={**edit, "edited_arguments": huge})
        assert (answer.status_code, answer.json()["code"]) == (422, "proposal_refused")
        deep = f'{{"verdict":"edit","digest":"{asked.digest}","edited_arguments":{"[" * 900}{"]" * 900}}}'
        answer = await browser.post(path, content=deep, headers={"content-type": "application/json"})
        assert answer.status_code in {400, 422}
        answer = await browser.post(path, json={**edit, "edited_arguments": "x" * 2_000_001})
        assert answer.status_code == 413


# By hand, in a tenant's own role: what no statement may write.

_SET = "update approval set "
_DECIDED = (
    "state = 'approved', verdict = 'approve', decided_digest = digest, decided_by = 'user:x', decided_at = now(), "
    "decided_hands = "
)
PENDING_ATTACKS: dict[str, tuple[LiteralString, str]] = {
    "approved by the initiator": (_SET + _DECIDED + "initiator", "approval_four_eyes"),
    "approved by the last editor": (_SET + _DECIDED + "editor", "approval_four_eyes"),
    "approved by the initiator's key": (_SET + _DECIDED + "array['key:k'] || initiator", "approval_four_eyes"),
    "approved by nobody": (_SET + _DECIDED + "'{}'", "approval_four_eyes"),
    "approved without a decision": (_SET + "state = 'approved'", "approval_decided_where_it_must"),
    "used without a decision": (_SET + "state = 'consumed', consumed_at = now()", "approval_transition"),
    "decided over another digest": (
        _SET + _DECIDED.replace("= digest", "= repeat('0', 64)") + "array['user:other']",
        "approval_decided_as_shown",
    ),
    "four eyes switched off": (_SET + "four_eyes = false", "approval_fixed"),
    "the initiator forgotten": (_SET + "initiator = '{}'", "approval_fixed"),
    "the editor forgotten": (_SET + "editor = '{}'", "approval_edited"),
    "the time stretched": (_SET + "expires_at = expires_at + interval '1 year'", "approval_fixed"),
    "the text changed": (_SET + "shown = 'Nothing to see'", "approval_fixed"),
    "the digest changed": (_SET + "digest = repeat('0', 64)", "approval_digest_of_content"),
    "the content changed": (
        _SET + "content = '{}', revision = revision + 1, editor = array['user:x']",
        "approval_digest_of_content",
    ),
    "the content changed by nobody": (
        _SET + "content = '{}', digest = encode(sha256('{}'), 'hex'), revision = revision + 1, editor = '{}'",
        "approval_edited",
    ),
    "edited and approved at once": (
        _SET
        + "content = '{}', digest = encode(sha256('{}'), 'hex'), revision = revision + 1, editor = array['user:x'], "
        + _DECIDED.replace("= digest", "= encode(sha256('{}'), 'hex')")
        + "array['user:y']",
        "approval_edited",
    ),
    "another tenant's": (_SET + "tenant_id = gen_random_uuid()", "approval_fixed"),
}
ENDED_ATTACKS: dict[str, tuple[LiteralString, str]] = {
    "asked again": (_SET + "state = 'pending'", "approval_transition"),
    "turned into a yes": (_SET + "state = 'approved'", "approval_transition"),
    "decided by another": (_SET + "decided_hands = array['user:other']", "approval_final"),
    "the reason changed": (_SET + "reason = 'because'", "approval_final"),
    "the verdict changed": (_SET + "verdict = 'edit'", "approval_final"),
    "the content changed": (
        _SET + "content = '{}', digest = encode(sha256('{}'), 'hex'), decided_digest = encode(sha256('{}'), 'hex')",
        "approval_final",
    ),
}


async def run_by_hand(database: Database, office: Office, approval: Approval, statement: LiteralString) -> None:
    async with database.tenant(office.tenant) as transaction:
        await transaction.run(statement + " where id = %(id)s", id=approval.id)


@pytest.mark.parametrize(("statement", "constraint"), PENDING_ATTACKS.values(), ids=PENDING_ATTACKS)
async def test_the_database_refuses_to_bend_a_pending_approval(
    office: Office, database: Database, statement: LiteralString, constraint: str
):
    initiator, editor = await office.members(Role.ANALYST, Role.REVIEWER)
    asked = await office.ask(by=initiator, editor=editor)
    with pytest.raises(psycopg.errors.CheckViolation) as refused:
        await run_by_hand(database, office, asked, statement)
    assert refused.value.diag.constraint_name == constraint
    assert (await office.approvals.get(editor, asked.id)).approval.history[-1].event == "requested"


async def test_the_same_statement_is_taken_from_another_hand(office: Office, database: Database):
    """So that the refusals above are about the hand, and not about the statement."""
    asked = await office.ask(by=await office.member())
    await run_by_hand(database, office, asked, _SET + _DECIDED + "array['user:other']")
    assert (await office.approvals.consume(office.tenant, asked.id, asked.digest)).by == "user:x"


@pytest.mark.parametrize(("statement", "constraint"), ENDED_ATTACKS.values(), ids=ENDED_ATTACKS)
@pytest.mark.parametrize("ending", ["rejected", "consumed"])
async def test_the_database_refuses_to_touch_what_has_ended(
    office: Office, database: Database, statement: LiteralString, constraint: str, ending: str
):
    reviewer, asked = await office.member(), await office.ask()
    if ending == "rejected":
        await office.approvals.decide(reviewer, asked.id, Verdict.REJECT, digest=asked.digest)
    else:
        await office.approve(reviewer, asked)
        await office.approvals.consume(office.tenant, asked.id, asked.digest)
    with pytest.raises(psycopg.errors.CheckViolation) as refused:
        await run_by_hand(database, office, asked, statement)
    assert refused.value.diag.constraint_name == constraint


async def test_the_database_refuses_a_second_use_and_a_late_decision(office: Office, database: Database):
    reviewer, asked = await office.member(), await office.ask()
    await office.approve(reviewer, asked)
    await office.approvals.consume(office.tenant, asked.id, asked.digest, consumer="first")
    with pytest.raises(psycopg.errors.CheckViolation):
        await run_by_hand(database, office, asked, _SET + "consumed_by = 'second', consumed_at = now()")
    late = await office.ask(replace(PAYMENT, expires=timedelta(microseconds=1)))
    with pytest.raises(psycopg.errors.CheckViolation) as refused:
        await run_by_hand(database, office, late, _SET + _DECIDED + "array['user:other']")
    assert refused.value.diag.constraint_name == "approval_expired"


async def test_the_database_takes_no_approval_that_begins_decided(office: Office, database: Database):
    columns = (
        "tenant_id, id, key, action, title, shown, content, digest, shown_digest, assigned, four_eyes, initiator, "
        "editor, asked_at, expires_at, state, verdict, decided_digest, decided_by, decided_hands, decided_at"
    )
    statement = (
        "insert into approval (" + columns + ") values (%(tenant)s, %(id)s, 'k', 'a', 't', 's', '{}', %(digest)s,"
        " %(digest)s, '{}', true, array['user:me'], '{}', now(), now() + interval '1 day', 'approved', 'approve',"
        " %(digest)s, 'user:other', array['user:other'], now())"
    )
    digest = hashlib.sha256(b"{}").hexdigest()
    async with database.tenant(office.tenant) as transaction:
        with pytest.raises(psycopg.errors.CheckViolation) as refused:
            await transaction.run(statement, tenant=office.tenant, id=new_id(), digest=digest)
    assert refused.value.diag.constraint_name == "approval_begins_undecided"


@pytest.mark.parametrize(
    "statement",
    [
        "delete from approval where id = %(id)s",
        "update approval_history set reason = 'x' where approval_id = %(id)s",
        "delete from approval_history where approval_id = %(id)s",
        "truncate approval_history",
        "alter table approval disable trigger all",
        "set session_replication_role = replica",
    ],
)
async def test_the_history_is_only_added_to(office: Office, database: Database, statement: LiteralString):
    asked = await office.ask()
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with database.tenant(office.tenant) as transaction:
            await transaction.run(statement, id=asked.id)


@pytest.mark.parametrize("table", ["approval", "approval_history"])
async def test_a_tenants_role_sees_its_own_rows_only(
    office: Office, other_office: Office, database: Database, table: LiteralString
):
    await office.ask()
    for tenant, expected in ((office, 1), (other_office, 0)):
        async with database.tenant(tenant.tenant) as transaction:
            row = await transaction.one(f"select count(*) as found from {table}")
        assert row["found"] == expected


async def test_the_platforms_role_decides_nothing(office: Office, database: Database):
    asked = await office.ask()
    for statement in (_SET + "state = 'expired' where id = %(id)s", "select * from approval_history"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with database.system() as transaction:
                await transaction.run(statement, id=asked.id)
