"""A provider that fails four times in ten, or stalls in mid-stream: every call is told the truth and booked once.

All of it is long; each fault on its own is met in `tests/inference/gateway/test_gateway_process.py`.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest

from mainspring.foundation.engines import EngineUrls
from mainspring.inference.gateway.policy import Limit, TenantPolicy
from tests.inference.gateway.asking import Ask, Told, ask
from tests.inference.gateway.running import Case, Dialect, House, Member, open_house
from tests.upstream import Fault, Reply

pytestmark = pytest.mark.slow

MONEY = (Limit(scope="tenant", budget_per_month_micros=10**12, concurrency=10**6),)
SHARE = 0.4


@pytest.fixture
async def house(engines: EngineUrls, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with open_house(engines, tmp_path_factory.mktemp("failing")) as opened:
        opened.eu.upstream.fail_share = SHARE
        yield opened
        assert opened.gateway.complaints() == []


@pytest.fixture(params=[200, 2000])
def count(request: pytest.FixtureRequest) -> int:
    return request.param


async def call_in_turns(house: House, member: Member, cases: list[Case], count: int) -> list[Told]:
    """So many calls, a few at a time, in both dialects, streamed and not."""
    turns, dialects = asyncio.Semaphore(8), ("openai", "anthropic")

    async def one(number: int) -> Told:
        asked: Dialect = "openai" if dialects[number % 2] == "openai" else "anthropic"
        async with turns:
            return await ask(house, member, cases[number % len(cases)], Ask(asked, bool(number % 3), timeout=20))

    return await asyncio.gather(*[one(number) for number in range(count)])


@pytest.mark.timeout(300)
async def test_with_a_second_deployment_no_caller_sees_a_failure(house: House, count: int) -> None:
    member = await house.member(TenantPolicy(limits=MONEY, retry_share=1.0))
    cases = [house.case(dialect) for dialect in ("openai", "anthropic") for _ in range(10)]
    found = await call_in_turns(house, member, cases, count)
    assert [told for told in found if not told.is_whole] == []
    rows = await house.books_agree(member, count, seconds=30)
    assert {row["status"] for row in rows} == {"ok"}
    asked = sum(sum(case.asked) for case in cases)
    attempts = sum(row["attempts"] for row in rows)
    assert count < attempts <= asked, "every failure is an attempt; a kept connection that was reset may add one"
    assert sum(case.asked[1] for case in cases) > 0


@pytest.mark.timeout(300)
async def test_with_one_deployment_a_failure_is_told_and_costs_nothing(house: House, count: int) -> None:
    member = await house.member(TenantPolicy(limits=MONEY, retry_share=1.0, residency="eu"))
    cases = [house.case(dialect) for dialect in ("openai", "anthropic") for _ in range(count // 10)]
    found = await call_in_turns(house, member, cases, count)
    rows = await house.books_agree(member, count, seconds=30)
    failed = [told for told in found if not told.is_whole]
    assert len(failed) < count * SHARE / 2, "retries did not help"
    assert {told.status for told in failed} <= {429, 503, 529}
    assert all(told.error for told in failed)
    assert sum(row["status"] == "error" for row in rows) == len(failed)
    assert {row["cost_micros"] for row in rows if row["status"] == "error"} <= {0}
    assert sum(case.asked[1] for case in cases) == 0


@pytest.mark.timeout(180)
async def test_a_stream_that_stalls_ends_with_an_error_after_a_minute_of_silence(house: House) -> None:
    house.eu.upstream.fail_share = 0.0
    member = await house.member(TenantPolicy(limits=MONEY))
    cases = [house.case("openai"), house.case("anthropic")]
    for case in cases:
        case.always(eu=Reply(text="one two three four", fault=Fault.STALL, fault_after=3, pause=0.02))
    async with asyncio.timeout(75):
        found = await asyncio.gather(*[ask(house, member, case, Ask(stream=True)) for case in cases])
    for told in found:
        assert told.error
        assert (told.is_whole, told.is_cut) == (False, False)
    rows = await house.books_agree(member, 2)
    assert {row["status"] for row in rows} == {"broken"}
    assert sorted(row["output_tokens"] for row in rows) == sorted(len(told.text.split()) for told in found)
