"""The real approvals and the fake ones agree on what a toolbox is told, and people decide what is done."""

from dataclasses import replace

import pytest

from mainspring.foundation.db import Database
from mainspring.foundation.principal import Principal
from mainspring.foundation.valkey import Valkey
from mainspring.orchestration.approvals import ApprovalId, Approvals, SamePerson, Verdict
from mainspring.orchestration.pipelines import Pipelines
from mainspring.orchestration.tools.approving import PeopleApprove
from mainspring.orchestration.tools.declaring import tool
from mainspring.orchestration.tools.types import Effects, ResultStatus, ToolContext, ToolPolicy, ToolResult
from tests.orchestration.tools.workshop import Workshop

SENT: list[str] = []


@tool(effects=Effects.WRITES)
async def send(context: ToolContext, to: str) -> str:
    """Send a letter."""
    SENT.append(to)
    return f"sent to {to}"


@pytest.fixture
def approvals(database: Database, valkey: Valkey) -> Approvals:
    SENT.clear()
    return Approvals(database, Pipelines(database, valkey))


@pytest.fixture
async def office(workshop: Workshop, approvals: Approvals) -> Workshop:
    await workshop.allow("send", ToolPolicy(needs_approval=True, approvers=("reviewer",)))
    return replace(workshop, parts=replace(workshop.parts, approver=PeopleApprove(approvals)))


def reviewer(workshop: Workshop, name: str) -> Principal:
    found = workshop.principal("ai.recommendation.approve", "ai.output.view", role="reviewer")
    return replace(found, name=name, hands=frozenset({f"user:usr_{name}"}))


async def call(office: Workshop, to: str = "bob", call_id: str = "1") -> ToolResult:
    return await office.box([send]).call(office.caller(), "send", {"to": to}, call_id=call_id)


async def test_a_person_approves_exactly_what_is_then_done_once(office: Workshop, approvals: Approvals):
    waits = await call(office)
    assert waits.status is ResultStatus.NEEDS_APPROVAL
    assert waits.approval is not None
    assert (await call(office)).approval == waits.approval
    approval = ApprovalId(waits.approval)
    seen = (await approvals.get(reviewer(office, "bob"), approval)).approval
    assert (seen.action, seen.arguments, seen.assigned) == ("tool:send", {"to": "bob"}, ("role:reviewer",))
    with pytest.raises(SamePerson):
        await approvals.decide(reviewer(office, "ada"), approval, Verdict.APPROVE, digest=seen.digest)
    await approvals.decide(reviewer(office, "bob"), approval, Verdict.APPROVE, digest=seen.digest)
    done = await call(office)
    assert (done.content, await call(office), SENT) == ("sent to bob", done, ["bob"])


async def test_a_person_rejects_with_a_reason_that_the_model_is_told(office: Workshop, approvals: Approvals):
    waits = await call(office)
    assert waits.approval is not None
    approval = ApprovalId(waits.approval)
    seen = (await approvals.get(reviewer(office, "bob"), approval)).approval
    await approvals.decide(
        reviewer(office, "bob"), approval, Verdict.REJECT, digest=seen.digest, reason="Bob has left."
    )
    refused = await call(office)
    assert refused.error is not None
    assert (refused.error.code, SENT) == ("approval_rejected", [])
    assert "Bob has left." in refused.error.detail


async def test_an_edit_that_a_second_person_approved_is_what_is_done(office: Workshop, approvals: Approvals):
    waits = await call(office)
    assert waits.approval is not None
    approval = ApprovalId(waits.approval)
    seen = (await approvals.get(reviewer(office, "bob"), approval)).approval
    edited = await approvals.decide(
        reviewer(office, "bob"), approval, Verdict.EDIT, digest=seen.digest, edited_arguments={"to": "bobby"}
    )
    if edited.verdict is None:  # under four eyes an edit waits for somebody else
        assert (await call(office)).status is ResultStatus.NEEDS_APPROVAL
        await approvals.decide(reviewer(office, "eve"), approval, Verdict.APPROVE, digest=edited.digest)
    assert (await call(office)).content == "sent to bobby"
    assert SENT == ["bobby"]


async def test_what_cannot_be_shown_to_a_person_is_not_done(office: Workshop):
    refused = await call(office, to="a\0b")
    assert refused.error is not None
    assert (refused.error.code, SENT) == ("proposal_refused", [])


async def test_where_nobody_can_be_asked_nothing_is_done(workshop: Workshop):
    SENT.clear()
    await workshop.allow("send", ToolPolicy(needs_approval=True))
    alone = replace(workshop, parts=replace(workshop.parts, approver=None))
    refused = await call(alone)
    assert refused.error is not None
    assert (refused.error.code, SENT) == ("approval_unavailable", [])


async def test_a_tool_that_always_asks_is_approved_each_time_whatever_the_policy_says(office: Workshop):
    await office.allow("send", ToolPolicy(allow_after_untrusted=True))
    asking = office.box([replace(send, always_asks=True)])
    waiting = await asking.call(office.caller(), "send", {"to": "bob"}, call_id="1")
    assert (waiting.status, SENT) == (ResultStatus.NEEDS_APPROVAL, [])
