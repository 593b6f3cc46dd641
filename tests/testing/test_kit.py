"""The test kit: a product runs in a test as it does in production, with a model that is told what to say."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from mainspring.foundation.engines import EngineUrls
from mainspring.foundation.principal import Principal, PrincipalKind
from mainspring.inference.gateway import CallContext
from mainspring.inference.messages import InferenceRequest, user
from mainspring.orchestration.pipelines import Pipeline, RunStatus, StepRun, Undo, Wait, for_signal
from mainspring.orchestration.pipelines.operating import ScheduleTerms
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


async def test_what_a_test_leaves_is_not_run_by_the_next_one(engines: EngineUrls):
    asked, may_go_on = asyncio.Event(), asyncio.Event()

    def build(services: Services) -> Brought:
        wait = Pipeline("letters.wait", version=1)

        @wait.step("ask", title="Ask", retries=3)
        async def ask(letter: Letter, run: StepRun) -> Written:
            asked.set()
            await may_go_on.wait()
            request = InferenceRequest((user(f"Write to {letter.to}"),))
            said = await services.gateway.complete(request, context=CallContext(run.tenant, run=run.run_id))
            return Written(said.text)

        return Brought(pipelines=(wait,), startable=frozenset({"letters.wait"}))

    waiting = Product("waiting", title="Waiting", build=build)
    async with running(waiting, on=engines) as first:
        left = await first.submit(first.pipeline("letters.wait"), Letter("Ada"))
        terms = ScheduleTerms("each-morning", "letters.wait", '{"to": "Ada"}', "0 7 * * *", "UTC")
        operating = first.platform.orchestration.operating
        await operating.schedules.create(first.operator, terms)
        await asked.wait()
    may_go_on.set()
    async with running(waiting, replies=[ScriptedReply("Dear Ben,"), ScriptedReply("Dear?")], on=engines) as second:
        found = await second.pipelines.get_run(first.tenant, left.id)
        assert found.status is RunStatus.CANCELLED
        await second.pass_time(timedelta(days=2))
        run = await second.finish(second.pipeline("letters.wait"), Letter("Ben"))
        assert await second.output(run, "ask", Written) == Written("Dear Ben,")
        assert len(second.model.requests) == 1


async def test_what_a_run_did_is_undone_before_the_kit_goes(engines: EngineUrls):
    undone: list[str] = []

    def build(services: Services) -> Brought:
        keep = Pipeline("letters.keep", version=1)

        @keep.step("file", title="File it")
        async def file(letter: Letter, run: StepRun) -> Written:
            return Written(letter.to)

        @keep.step("sign", title="Wait for a signature", after=("file",))
        async def sign(written: Written, run: StepRun) -> Wait[Letter]:
            return for_signal("signed")

        @keep.compensation("file")
        async def forget(undo: Undo[Letter, Written], run: StepRun) -> None:
            undone.append(undo.output.text)

        return Brought(pipelines=(keep,))

    async with running(Product("keeping", title="Keeping", build=build), on=engines) as kit:
        run = await kit.finish(kit.pipeline("letters.keep"), Letter("Ada"))
        assert not run.status.is_final
    assert undone == ["Ada"]


def test_the_clock_goes_forward_only():
    clock = TurnedClock()
    before = clock()
    clock.turn(timedelta(days=7))
    assert clock() - before >= timedelta(days=7)
    with pytest.raises(ValueError, match="cannot be turned back"):
        clock.turn(timedelta(seconds=-1))
