"""The test kit: a product runs in a test as it does in production, with a model that is told what to say."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from mainspring.foundation.engines import EngineUrls
from mainspring.foundation.principal import Principal, PrincipalKind
from mainspring.inference.gateway import CallContext
from mainspring.inference.messages import InferenceRequest, user
from mainspring.orchestration.pipelines import Pipeline, RunStatus, StepRun
from mainspring.orchestration.products import Brought, Product, Services
from mainspring.orchestration.tools import Effects, ToolCaller, ToolContext, tool
from mainspring.testing import Kit, ScriptedReply, TurnedClock, running


@dataclass(frozen=True, slots=True)
class Letter:
    """What is asked for."""

    to: str


@dataclass(frozen=True, slots=True)
class Written:
    """What the model said."""

    text: str


def _letters(services: Services) -> Brought:
    write = Pipeline("letters.write", version=1)

    @write.step("draft", title="Draft the letter")
    async def draft(letter: Letter, run: StepRun) -> Written:
        request = InferenceRequest((user(f"Write to {letter.to}"),))
        said = await services.gateway.complete(request, context=CallContext(run.tenant, run=run.run_id, step=run.step))
        return Written(said.text)

    return Brought(pipelines=(write,))


LETTERS = Product("letters", title="Letters", build=_letters)


@pytest.fixture
async def kit(engines: EngineUrls) -> AsyncIterator[Kit]:
    async with running(LETTERS, replies=[ScriptedReply("Dear Ada,")], on=engines) as kit:
        yield kit


async def test_a_step_asks_the_scripted_model_and_its_output_is_kept(kit: Kit):
    (write,) = kit.platform.orchestration.brought.pipelines
    run = await kit.finish(write, Letter("Ada"))
    assert run.status is RunStatus.SUCCEEDED
    assert await kit.output(run, "draft", Written) == Written("Dear Ada,")
    assert "Write to Ada" in str(kit.model.requests)


async def test_the_whole_story_of_a_run_can_be_read(kit: Kit):
    (write,) = kit.platform.orchestration.brought.pipelines
    told = await kit.story(await kit.finish(write, Letter("Ada")))
    assert [event.type.value for event in told] == ["run.started", "step.started", "step.finished", "run.finished"]


async def test_a_step_calls_a_tool_as_agents_do_once_however_often_it_runs(engines: EngineUrls):
    sent: list[str] = []

    @tool(effects=Effects.WRITES, permission="ai.recommendation.approve")
    async def send_note(context: ToolContext, to: str) -> str:
        """Send a note."""
        sent.append(to)
        return f"sent to {to}"

    def build(services: Services) -> Brought:
        post = Pipeline("notes.post", version=1)

        @post.step("send", title="Send it", retries=1)
        async def send(letter: Letter, run: StepRun) -> Written:
            may = frozenset({"ai.recommendation.approve"} if letter.to != "Nobody" else ())
            principal = Principal(run.tenant, PrincipalKind.USER, "Notes", may, hands=run.initiator)
            caller = ToolCaller(principal, f"run:{run.run_id}", run=run.run_id, step=run.step)
            key, arguments = run.idempotency_key, {"to": letter.to}
            await services.tools.call(caller, "send_note", arguments, call_id=key)
            again = await services.tools.call(caller, "send_note", arguments, call_id=key)
            return Written(f"{again.status} {again.error.code if again.error else again.content}")

        return Brought(pipelines=(post,), tools=(send_note,))

    async with running(Product("notes", title="Notes", build=build), on=engines) as kit:
        (post,) = kit.platform.orchestration.brought.pipelines
        assert await kit.output(await kit.finish(post, Letter("Ada")), "send", Written) == Written("ok sent to Ada")
        refused = await kit.output(await kit.finish(post, Letter("Nobody")), "send", Written)
    assert sent == ["Ada"]
    assert refused == Written("failed tool_unknown")


def test_the_clock_goes_forward_only():
    clock = TurnedClock()
    before = clock()
    clock.turn(timedelta(days=7))
    assert clock() - before >= timedelta(days=7)
    with pytest.raises(ValueError, match="cannot be turned back"):
        clock.turn(timedelta(seconds=-1))
