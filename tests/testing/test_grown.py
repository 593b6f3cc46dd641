"""A step that is added in a file of its own: new runs have it, those under way end as they were begun."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from mainspring import Brought, Elapsed, Pipeline, Product, RunStatus, Services, StepRun, Wait, for_time
from mainspring.foundation.engines import EngineUrls
from mainspring.testing import running

_NEW_STEP = """
from mainspring import Pipeline, StepRun
from tests.testing.test_grown import Page


def declare(pipeline: Pipeline) -> None:
    @pipeline.step("count", title="Count", after=("read",))
    async def count(page: Page, run: StepRun) -> Page:
        return Page(page.words + 1)
"""


@dataclass(frozen=True, slots=True)
class Page:
    """What is read."""

    words: int


@pytest.fixture
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    """A package for steps, empty."""
    folder = tmp_path / f"steps_{abs(hash(request.node.name))}"
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    return folder


def _product(package: str) -> Product:
    def build(services: Services) -> Brought:
        read = Pipeline("tests.grown", version=1)

        @read.step("read", title="Read")
        async def read_page(page: Page, run: StepRun) -> Page:
            return page

        @read.step("rest", title="Wait an hour", after=("read",))
        async def rest(page: Page, run: StepRun) -> Wait[Elapsed]:
            return for_time(timedelta(hours=1))

        read.discover(package)
        return Brought(pipelines=(read,))

    return Product("grown", title="Grown", build=build)


def _names(steps: Sequence[object]) -> list[str]:
    return [str(getattr(step, "name", "")) for step in steps]


async def test_a_new_file_adds_a_step_to_new_runs_only(engines: EngineUrls, steps: Path):
    product = _product(steps.name)
    async with running(product, on=engines, keeps_runs=True) as kit:
        tenant, earlier = kit.tenant, await kit.finish(kit.pipeline("tests.grown"), Page(2))
    (steps / "count.py").write_text(_NEW_STEP)
    async with running(product, on=engines) as kit:  # the next deployment: the same code, and one file more
        later = await kit.finish(kit.pipeline("tests.grown"), Page(3))
        await kit.pass_time(timedelta(hours=1))
        assert (await kit.settle(later)).status is RunStatus.SUCCEEDED
        assert await kit.output(later, "count", Page) == Page(4)
        kit.work_for(tenant)
        ended = await kit.settle(earlier)
    assert (ended.status, _names(ended.steps)) == (RunStatus.SUCCEEDED, ["read", "rest"])
    assert _names(later.steps) == ["read", "rest", "count"]
