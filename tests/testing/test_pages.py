"""What the pages about building a product say, done: the first product, declaring a pipeline, testing a product."""

import re
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from datetime import timedelta
from importlib import import_module, invalidate_caches
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mainspring.entry.cli.new import write_product
from mainspring.foundation.engines import EngineUrls
from mainspring.orchestration.pipelines import Run, RunStatus
from mainspring.testing import Kit, ScriptedReply, running

DOCS = Path(__file__).parents[2] / "docs"
NOTE = [ScriptedReply("A short note.")]


def blocks_of(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (DOCS / page).read_text("utf-8"), re.DOTALL)


def load(folder: Path, name: str, source: str) -> ModuleType:
    (folder / f"{name}.py").write_text(source)
    invalidate_caches()
    return import_module(name)


def find_tests(module: ModuleType) -> list[Callable[..., Coroutine[Any, Any, None]]]:
    return [value for name, value in vars(module).items() if name.startswith("test_")]


def forget(*names: str) -> None:
    for name in [each for each in sys.modules if each.partition(".")[0] in names]:
        del sys.modules[name]


@pytest.fixture
def letters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The product that `mainspring new letters` writes, to be imported."""
    write_product("letters", tmp_path / "letters", "Letters")
    monkeypatch.syspath_prepend(str(tmp_path / "letters" / "src"))
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path / "letters"
    forget("letters", "page_tests", "page_agent")


async def test_a_step_is_added_as_the_tutorial_says(engines: EngineUrls, letters: Path, tmp_path: Path):
    step, test = blocks_of("tutorial/first-product.md")
    (letters / "src" / "letters" / "steps" / "shout.py").write_text(step)
    async with running(import_module("letters").product, replies=NOTE, on=engines) as kit:
        (shouts,) = find_tests(load(tmp_path, "page_tests", test))
        await shouts(kit)


async def test_a_product_is_tested_as_the_page_says(engines: EngineUrls, letters: Path, tmp_path: Path):
    fixtures, tests, talks = blocks_of("howto/test-your-product.md")
    assert fixtures.partition("\n")[2] in (letters / "tests" / "conftest.py").read_text() + "\n"
    for test in find_tests(load(tmp_path, "page_tests", tests)):
        async with running(import_module("letters").product, replies=NOTE, on=engines) as kit:
            await test(kit)
    (talk,) = find_tests(load(tmp_path, "page_agent", talks))
    await talk(engines)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The module of the page about pipelines; processes of its own import it too."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    yield load(tmp_path, "page_shop", "\n\n".join(blocks_of("howto/declare-a-pipeline.md")))
    forget("page_shop")


@pytest.fixture
async def kit(engines: EngineUrls, shop: ModuleType) -> AsyncIterator[Kit]:
    async with running(shop.product, on=engines) as kit:
        yield kit


async def _reserved(kit: Kit, shop: ModuleType, *articles: str) -> Run:
    order = shop.Order(tuple(shop.Line(article, 2) for article in articles))
    return await kit.settle(await shop.take(kit.pipelines, kit.person(), order))


async def test_an_order_is_priced_waits_is_paid_and_closed(kit: Kit, shop: ModuleType):
    run = await _reserved(kit, shop, "pen", "ink", "pen", "nothing")
    assert await kit.output(run, "total", shop.Total) == shop.Total(2280, (3,))
    await shop.tell(kit.pipelines, run, 2280)
    assert not (await kit.settle(run)).status.is_final  # it is invoiced, and kept for returns
    await kit.pass_time(timedelta(days=31))
    ended = await kit.settle(run)
    assert ended.status is RunStatus.SUCCEEDED
    assert await kit.output(run, "close", shop.Invoice) == shop.Invoice("Paid: 22.80, 4 lines")


async def test_an_order_that_is_not_paid_gives_its_goods_back(kit: Kit, shop: ModuleType):
    run = await _reserved(kit, shop, "pen")
    assert list(shop.STOCK.values()) == [240]
    await kit.pass_time(timedelta(days=15))
    ended = await kit.settle(run)
    assert (ended.status, ended.error and ended.error.code) == (RunStatus.FAILED, "wait_expired")
    assert shop.STOCK == {}


async def test_too_many_failed_items_fail_the_run(kit: Kit, shop: ModuleType):
    assert (await _reserved(kit, shop, "pen", "nothing")).status is RunStatus.FAILED


async def test_advice_is_counted_in_a_process_of_its_own_retried_and_paid_for(kit: Kit, shop: ModuleType):
    run = await kit.finish(shop.advice, shop.Text("three more words"))
    assert await kit.output(run, "ask", shop.Text) == shop.Text("3 words, 8800 micros left")
    dear = await kit.finish(shop.advice, shop.Text("word " * 30))
    assert dear.error
    assert dear.error.code == "cost_ceiling_reached"
