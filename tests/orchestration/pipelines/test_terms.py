"""What a run is submitted with and held to: hands, cost; what steps emit; how pipelines are found and versioned."""

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.principal import Principal, PrincipalKind
from mainspring.orchestration.pipelines import (
    CostCeilingReached,
    EventType,
    LiveEvents,
    PayloadRefused,
    Pipeline,
    PipelineInvalid,
    RunStatus,
    StepRun,
    StepStatus,
    Urgency,
)
from mainspring.orchestration.pipelines.dead_letters import fingerprint
from mainspring.orchestration.pipelines.kin import id_after
from mainspring.orchestration.pipelines.testing import RecordedStepRun

from .conftest import Engine
from .scenes import Number
from .test_fan_out import Numbers


def spender(*, catches: bool = False, ceiling: int | None = 100) -> Pipeline:
    """Spends what it is told, then goes on to a second step."""
    pipeline = Pipeline(f"tests.spender_{catches}".lower(), version=1, cost_ceiling_micros=ceiling)

    @pipeline.step("spend", title="Spend")
    async def spend(number: Number, run: StepRun) -> Number:
        try:
            await run.spend(number.value)
        except CostCeilingReached:
            if not catches:
                raise
        return Number(-1 if run.cost_left is None else run.cost_left)

    @pipeline.step("after", title="After", after=("spend",))
    async def after(number: Number, run: StepRun) -> Number:
        return number

    return pipeline


@pytest.mark.parametrize("catches", [False, True])
async def test_a_run_that_spends_past_its_ceiling_fails(engine: Engine, tenant: TenantId, catches: bool) -> None:
    pipeline = spender(catches=catches)
    async with engine.worker(pipeline):
        within = await engine.pipelines.submit(tenant, pipeline, Number(100))
        beyond = await engine.pipelines.submit(tenant, pipeline, Number(101))
        raised = await engine.pipelines.submit(tenant, pipeline, Number(101), urgency=Urgency(cost_ceiling_micros=200))
        ended = [await engine.finished(tenant, run.id) for run in (within, beyond, raised)]
    assert [run.status for run in ended] == [RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.SUCCEEDED]
    assert [run.cost_micros for run in ended] == [100, 101, 101]
    assert ended[1].error is not None
    assert ended[1].error.code == "cost_ceiling_reached"
    assert ended[1].steps[1].status is StepStatus.CANCELLED, "nothing more starts"
    assert await engine.pipelines.get_output(tenant, raised.id, "after", Number) == Number(99)


async def test_an_item_past_the_ceiling_fails_the_run_whatever_is_tolerated(engine: Engine, tenant: TenantId) -> None:
    pipeline = Pipeline("tests.fan_spender", version=1, cost_ceiling_micros=25)

    @pipeline.step("spend", title="Spend", each="submitted.values", tolerance=1)
    async def spend(number: Number, run: StepRun) -> Number:
        await run.spend(10)
        return number

    async with engine.worker(pipeline, concurrency=2):
        run = await engine.pipelines.submit(tenant, pipeline, Numbers(tuple(Number(each) for each in range(30))))
        ended = await engine.finished(tenant, run.id)
    assert (ended.status, ended.error and ended.error.code) == (RunStatus.FAILED, "cost_ceiling_reached")
    assert ended.cost_micros < 60


async def test_steps_know_whose_hands_the_run_is_from(engine: Engine, tenant: TenantId) -> None:
    pipeline = Pipeline("tests.hands", version=1)
    seen: list[frozenset[str]] = []

    @pipeline.step("look", title="Look")
    async def look(number: Number, run: StepRun) -> Number:
        seen.append(run.initiator)
        assert run.origin == run.run_id
        return number

    hands = frozenset({"user:usr_ann", "key:key_1"})
    ann = Principal(tenant, PrincipalKind.USER, "Ann", frozenset(), hands=hands)
    async with engine.worker(pipeline):
        run = await engine.pipelines.submit(tenant, pipeline, Number(1), by=ann)
        ended = await engine.finished(tenant, run.id)
    assert seen == [hands]
    assert ended.initiated_by == "Ann"


async def test_what_a_step_emits_comes_in_order_and_whole(engine: Engine, tenant: TenantId, live: LiveEvents) -> None:
    pipeline = Pipeline("tests.emitter", version=1)
    go = asyncio.Event()

    @pipeline.step("emit", title="Emit")
    async def emit(number: Number, run: StepRun) -> Number:
        await go.wait()
        for index in range(number.value):
            await run.emit("tool.started", {"index": index})
        with pytest.raises(PayloadRefused, match="65536"):
            await run.emit("too.large", "x" * 70_000)
        with pytest.raises(PayloadRefused, match="must start with a letter"):
            await run.emit("Bad Name", 1)
        return number

    async with engine.worker(pipeline):
        run = await engine.pipelines.submit(tenant, pipeline, Number(300))
        following = live.iter_events(tenant, run.id, after=None)
        go.set()
        events = [event async for event in following]
    emitted = [event.facts for event in events if event.type is EventType.STEP_EMITTED]
    assert [facts["data"] for facts in emitted] == [{"index": index} for index in range(300)]
    assert {(facts["step"], facts["name"]) for facts in emitted} == {("emit", "tool.started")}


def test_steps_in_files_of_their_own_are_found_in_order_of_their_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "discovered_steps"
    package.mkdir()
    (package / "__init__.py").touch()
    source = """
from mainspring.orchestration.pipelines import StepRun
from tests.orchestration.pipelines.scenes import Number
def declare(pipeline, factor):
    @pipeline.step("{name}", title="{name}", after={after})
    async def step(number: Number, run: StepRun) -> Number:
        return Number(number.value * factor)
"""
    (package / "b_second.py").write_text(source.format(name="second", after=("first",)))
    (package / "a_first.py").write_text(source.format(name="first", after=()))
    (package / "_shared.py").write_text("raise RuntimeError('not to be imported')")
    monkeypatch.syspath_prepend(tmp_path)
    pipeline = Pipeline("tests.discovered", version=1)
    pipeline.discover("discovered_steps", 3)
    assert [step.name for step in pipeline.steps] == ["first", "second"]
    (package / "c_third.py").write_text("")
    with pytest.raises(PipelineInvalid, match="no function declare"):
        Pipeline("tests.discovered", version=1).discover("discovered_steps", 3)
    with pytest.raises(PipelineInvalid, match="is not a package"):
        pipeline.discover("discovered_steps.a_first")
    for name in [name for name in sys.modules if name.startswith("discovered_steps")]:
        monkeypatch.delitem(sys.modules, name)


@dataclass(frozen=True, slots=True)
class Other:
    text: str


async def test_a_worker_whose_version_has_other_types_than_before_refuses_to_start(
    engine: Engine, tenant: TenantId
) -> None:
    def versioned(kind: type, version: int) -> Pipeline:
        pipeline = Pipeline("tests.versioned", version=version)

        async def step(given: object, run: StepRun) -> object:
            return given

        step.__annotations__ = {"given": kind, "run": StepRun, "return": kind}
        pipeline.step("only", title="Only")(step)
        return pipeline

    for _ in range(2):
        async with engine.worker(versioned(Number, 1)):
            pass
    with pytest.raises(PipelineInvalid, match="Raise the version"):
        async with engine.worker(versioned(Other, 1)):
            pass
    async with engine.worker(versioned(Other, 2)):
        pass


def test_failures_that_differ_in_ids_and_numbers_are_alike() -> None:
    def of(detail: str) -> str:
        return fingerprint("tests.any", "step", "code", detail)

    assert of("Page 3 of doc_01k9x3v2m4e0n8q5t7w1y6z3ab is empty.") == of(
        "Page 17 of doc_01k9x3v2m4e0n8q5t7w1y6zzzz is empty."
    )
    assert of("Run 01a2021f-ebe5-7f11-99a0-47827f3e0b29 ended") == of("Run 01a2021f-ebf0-71c4-9e0f-869c4b2e73a4 ended")
    assert of("The bank is closed.") != of("The shop is closed.")


def test_a_childs_id_sorts_after_its_parents_whatever_the_clocks_say() -> None:
    ahead = type(new_id())(int=new_id().int + (600_000 << 80))
    made = {id_after(ahead) for _ in range(100)}
    assert len(made) == 100
    assert all(child > ahead and child.version == 7 for child in made)


async def test_the_recorded_run_spends_and_emits_as_the_engine_does() -> None:
    run = RecordedStepRun(step="act", item=3, cost_ceiling_micros=10)
    await run.emit("values", {"a": 1})
    await run.spend(10)
    assert run.cost_left == 0
    with pytest.raises(CostCeilingReached):
        await run.spend(1)
    assert run.emitted == [("values", {"a": 1})]
    assert run.idempotency_key.endswith("/act/00003")
