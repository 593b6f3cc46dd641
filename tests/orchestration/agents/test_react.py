"""The stock agent on the real gateway, toolbox and approvals; only the model's words are scripted."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pydantic import BaseModel

from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId, new_id, show_id
from mainspring.foundation.outbox import OutboxEvent
from mainspring.foundation.principal import Principal, PrincipalKind
from mainspring.foundation.valkey import Valkey
from mainspring.foundation.vault import LocalKeyWrapper, Vault
from mainspring.inference.gateway import CallContext, Gateway, ToolCalls
from mainspring.inference.gateway.testing import ScriptedProvider, ScriptedReply, scripted_gateway
from mainspring.inference.messages import InferenceRequest, Role, ToolCallPart, Usage
from mainspring.orchestration.agents import AgentLimits, build_subscribers, react_agent, sweep
from mainspring.orchestration.agents.models import GatewayChatModel
from mainspring.orchestration.agents.types import AgentRunStatus, IfNotExists, RunOrder, ThreadId
from mainspring.orchestration.approvals import Approvals, Verdict
from mainspring.orchestration.pipelines import EventType, LiveEvents, Pipelines
from mainspring.orchestration.tools import (
    Claims,
    Effects,
    PeopleApprove,
    Rates,
    Toolbox,
    ToolContext,
    ToolParts,
    ToolPolicies,
    ToolPolicy,
    ToolSecrets,
    tool,
)
from tests.orchestration.agents.acting import House, emitted, new_thread, open_house, principal_of

Script = Callable[[InferenceRequest], ScriptedReply]


@dataclass(slots=True)
class Stage:
    """What the scripted model says, and what its tools did."""

    script: Script = lambda _: ScriptedReply("Nothing to say.")
    paid: list[tuple[str, int, str]] = field(default_factory=list[tuple[str, int, str]])
    asked: list[str] = field(default_factory=list[str])

    def say(self, request: InferenceRequest) -> ScriptedReply:
        """What the script has for this request."""
        return self.script(request)


def call(name: str, arguments: dict[str, Any], call_id: str = "call-1") -> ScriptedReply:
    return ScriptedReply(tool_calls=(ToolCallPart(call_id, name, msgspec.json.encode(arguments).decode()),))


def in_turn(*replies: ScriptedReply) -> Script:
    """One reply after the other, by how many the model has given since the conversation began."""

    def choose(request: InferenceRequest) -> ScriptedReply:
        given = sum(message.role is Role.ASSISTANT for message in request.messages)
        return replies[min(given, len(replies) - 1)]

    return choose


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
async def gateway(database: Database, tmp_path: Path, stage: Stage) -> AsyncIterator[Gateway]:
    async with ScriptedProvider(stage.say) as provider:
        opened = await scripted_gateway(provider, database, tmp_path)
        yield opened
        await opened.close()


@pytest.fixture
def approvals(database: Database, valkey: Valkey) -> Approvals:
    return Approvals(database, Pipelines(database, valkey))


@pytest.fixture
async def house(
    database: Database, valkey: Valkey, gateway: Gateway, stage: Stage, approvals: Approvals
) -> AsyncIterator[House]:
    @tool()
    async def weather(city: str) -> str:
        """The weather in a city."""
        stage.asked.append(city)
        return f"Rain in {city}"

    @tool(effects=Effects.WRITES)
    async def pay(context: ToolContext, to: str, cents: int) -> str:
        """Send money."""
        stage.paid.append((to, cents, context.idempotency_key))
        return "Paid."

    vault = Vault(database, LocalKeyWrapper([bytes(range(32))]))
    parts = ToolParts(
        database,
        Claims(database, vault),
        Rates(valkey),
        ToolSecrets(database, vault),
        ToolCalls(gateway),
        approver=PeopleApprove(approvals),
    )
    clerk = react_agent(
        "clerk",
        title="Clerk",
        instructions="Help.",
        tools=(weather, pay),
        model="openai/scripted",
        limits=AgentLimits(loops=2, recursion=30),
    )
    opened = open_house(
        database, valkey, clerk, gateway=gateway, toolbox=Toolbox([weather, pay], parts), approvals=approvals
    )
    async with opened.worker():
        yield opened


@pytest.fixture
async def live(database: Database, valkey: Valkey) -> AsyncIterator[LiveEvents]:
    opened = LiveEvents(database, valkey)
    yield opened
    await opened.close()


def ask(text: str, thread: ThreadId | None = None) -> RunOrder:
    return RunOrder(
        "clerk",
        thread=thread,
        input={"messages": [{"role": "user", "content": text}]},
        if_not_exists=IfNotExists.CREATE,
    )


def texts(row: dict[str, Any]) -> list[str]:
    return [message["content"] for message in row["values"]["messages"]]


async def test_an_agent_calls_its_tool_and_answers(house: House, tenant: TenantId, stage: Stage, live: LiveEvents):
    stage.script = in_turn(call("weather", {"city": "Oslo"}), ScriptedReply("It rains in Oslo."))
    run = await house.run(principal_of(tenant), ask("How is Oslo?"))
    assert run.status is AgentRunStatus.SUCCESS, run.error
    row = await house.thread(tenant, run.thread)
    assert texts(row) == ["How is Oslo?", "", "Rain in Oslo", "It rains in Oslo."]
    assert stage.asked == ["Oslo"]
    story = await house.story(live, run)
    deltas = [event.facts["delta"] for event in story if event.type is EventType.MESSAGE_DELTA]
    assert "".join(str(each) for each in deltas) == "It rains in Oslo."
    words = [
        data["data"]["delta"]["text"]
        for data in emitted(story, "messages")
        if data["data"].get("event") == "content-block-delta" and data["data"]["delta"]["type"] == "text-delta"
    ]
    assert "".join(words) == "It rains in Oslo."
    said = [event.facts["text"] for event in story if event.type is EventType.STEP_PROGRESS]
    assert said


async def test_model_calls_are_recorded_with_run_and_thread(
    house: House, tenant: TenantId, stage: Stage, gateway: Gateway, database: Database
):
    stage.script = in_turn(ScriptedReply("Hello."))
    run = await house.run(principal_of(tenant), ask("Hi"))
    await gateway.close()
    async with database.tenant(tenant) as transaction:
        (row,) = await transaction.all("select * from inference_record where operation = 'chat'")
    assert (row["run_id"], row["step"], row["session"]) == (run.pipeline_run, "act", str(run.thread))
    assert row["feature"] == "agent:clerk"


async def person(tenant: TenantId) -> Principal:
    """Somebody who may approve, and did not ask."""
    return Principal(
        tenant,
        PrincipalKind.USER,
        "Grace",
        frozenset({"ai.recommendation.approve", "ai.output.view"}),
        subjects=frozenset({"role:reviewer"}),
        hands=frozenset({"user:usr_grace"}),
    )


async def deliver(house: House, tenant: TenantId, topic: str, payload: dict[str, Any]) -> None:
    """What the relay does with a fact."""
    event = OutboxEvent(new_id(), tenant, topic, payload, None)  # type: ignore[arg-type]
    for subscriber in build_subscribers(house.runtime)[topic]:
        await subscriber(event)


async def wait_for_payment(house: House, tenant: TenantId, stage: Stage, approvals: Approvals) -> tuple[ThreadId, Any]:
    """A thread that wants to pay, and the approval it waits for."""
    admin = replace(principal_of(tenant, "tool.manage"), subjects=frozenset({"role:admin"}))
    await ToolPolicies(house.database).put(admin, "pay", ToolPolicy(needs_approval=True, approvers=("reviewer",)))
    stage.script = in_turn(call("pay", {"to": "Fabrikam", "cents": 125_000}), ScriptedReply("Done."))
    thread = new_thread()
    run = await house.run(replace(principal_of(tenant), hands=frozenset({"user:usr_ada"})), ask("Pay them", thread))
    assert run.status is AgentRunStatus.SUCCESS, run.error
    async with house.database.tenant(tenant) as transaction:
        awaited = await transaction.one("select * from agent_awaited_approval")
    return thread, (await approvals.get(await person(tenant), awaited["approval_id"])).approval


async def test_a_call_that_a_person_must_allow_waits_and_goes_on_when_it_is_approved(
    house: House, tenant: TenantId, stage: Stage, approvals: Approvals
):
    thread, approval = await wait_for_payment(house, tenant, stage, approvals)
    row = await house.thread(tenant, thread)
    assert (row["status"], stage.paid) == ("interrupted", [])
    ((waiting,),) = row["interrupts"].values()
    assert waiting["value"]["approval"] == show_id("apr", approval.id)
    assert approval.initiator >= {"user:usr_ada", "agent:clerk"}
    await approvals.decide(await person(tenant), approval.id, Verdict.APPROVE, digest=approval.digest, reason="Fine.")
    for _ in range(2):  # facts may be delivered twice
        await deliver(house, tenant, "approval.decided", {"approval": show_id("apr", approval.id)})
    runs = await house.runtime.runs.list_of_thread(tenant, thread)
    assert len(runs) == 2
    ended = await house.runtime.runs.wait(tenant, runs[0].id, timeout=timedelta(seconds=20))
    assert ended.status is AgentRunStatus.SUCCESS, ended.error
    assert [each[:2] for each in stage.paid] == [("Fabrikam", 125_000)]
    row = await house.thread(tenant, thread)
    assert (row["status"], texts(row)[-1]) == ("idle", "Done.")


async def test_a_rejected_call_is_not_made_and_the_model_is_told(
    house: House, tenant: TenantId, stage: Stage, approvals: Approvals
):
    thread, approval = await wait_for_payment(house, tenant, stage, approvals)
    await approvals.decide(
        await person(tenant), approval.id, Verdict.REJECT, digest=approval.digest, reason="Too much."
    )
    await deliver(house, tenant, "approval.decided", {"approval": show_id("apr", approval.id)})
    (newest, _) = await house.runtime.runs.list_of_thread(tenant, thread)
    await house.runtime.runs.wait(tenant, newest.id, timeout=timedelta(seconds=20))
    row = await house.thread(tenant, thread)
    assert stage.paid == []
    assert "approval_rejected" in texts(row)[2]


async def test_a_thread_that_is_resumed_before_anybody_decided_waits_again(
    house: House, tenant: TenantId, stage: Stage, approvals: Approvals
):
    thread, approval = await wait_for_payment(house, tenant, stage, approvals)
    eager = RunOrder("clerk", thread=thread, command={"resume": "go on"})
    run = await house.run(replace(principal_of(tenant), hands=frozenset({"user:usr_ada"})), eager)
    assert run.status is AgentRunStatus.SUCCESS
    row = await house.thread(tenant, thread)
    assert (row["status"], stage.paid) == ("interrupted", [])
    await approvals.decide(await person(tenant), approval.id, Verdict.APPROVE, digest=approval.digest, reason=None)
    await deliver(house, tenant, "approval.decided", {"approval": show_id("apr", approval.id)})
    runs = await house.runtime.runs.list_of_thread(tenant, thread)
    await house.runtime.runs.wait(tenant, runs[0].id, timeout=timedelta(seconds=20))
    assert len(stage.paid) == 1


async def test_a_decision_that_came_before_the_thread_waited_is_found_by_the_sweep(
    house: House, tenant: TenantId, stage: Stage, approvals: Approvals
):
    thread, approval = await wait_for_payment(house, tenant, stage, approvals)
    await approvals.decide(await person(tenant), approval.id, Verdict.APPROVE, digest=approval.digest, reason=None)
    async with house.database.tenant(tenant) as transaction:
        await transaction.run("update agent_awaited_approval set created_at = now() - interval '1 minute'")
    await sweep(house.runtime)
    newest, _ = await house.runtime.runs.list_of_thread(tenant, thread)
    await house.runtime.runs.wait(tenant, newest.id, timeout=timedelta(seconds=20))
    assert len(stage.paid) == 1


async def test_an_agent_that_goes_in_circles_is_stopped(house: House, tenant: TenantId, stage: Stage):
    turns = iter(range(100))
    stage.script = lambda _: call("weather", {"city": "Oslo"}, f"call-{next(turns)}")
    run = await house.run(principal_of(tenant), ask("How is Oslo?"))
    assert run.error is not None
    assert run.error.code == "agent_loop_detected"
    assert stage.asked == ["Oslo", "Oslo"]


async def test_a_model_that_asks_for_an_unknown_tool_is_told_so(house: House, tenant: TenantId, stage: Stage):
    stage.script = in_turn(call("wether", {"city": "Oslo"}), ScriptedReply("Sorry."))
    run = await house.run(principal_of(tenant), ask("How is Oslo?"))
    assert run.status is AgentRunStatus.SUCCESS
    assert "tool_unknown" in texts(await house.thread(tenant, run.thread))[2]


class Person(BaseModel):
    name: str
    age: int


async def test_a_model_answers_with_a_value_and_counts_what_it_used(gateway: Gateway, tenant: TenantId, stage: Stage):
    stage.script = in_turn(ScriptedReply('{"name": "Ada", "age": 36}', usage=Usage(input_tokens=10, output_tokens=4)))
    counted: list[tuple[str | None, Usage]] = []

    async def spend(model: str | None, usage: Usage) -> None:
        counted.append((model, usage))

    model = GatewayChatModel(gateway, CallContext(tenant), spend=spend, model="openai/scripted")
    assert await model.with_structured_output(Person).ainvoke("Who?") == Person(name="Ada", age=36)
    message = await model.ainvoke("Who?")
    assert message.usage_metadata is not None
    assert message.usage_metadata["total_tokens"] == 14
    assert [(name, usage.output_tokens) for name, usage in counted] == [("openai/scripted", 4)] * 2
