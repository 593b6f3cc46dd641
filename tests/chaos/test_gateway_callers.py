"""Many callers of two gateways that share one allowance: exactly what it admits reaches a provider."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from mainspring.foundation.engines import EngineUrls
from mainspring.inference.gateway.policy import Limit, TenantPolicy
from mainspring.inference.gateway.tokens import estimate_input_tokens
from tests.inference.gateway.asking import Ask, Told, ask
from tests.inference.gateway.running import INPUT_MICROS, OUTPUT_MICROS, Case, House, Member, open_house
from tests.upstream import Fault, Reply, Tokens

ADMITTED = 37
OUTPUT = 50


@pytest.fixture(scope="module")
async def house(engines: EngineUrls, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with open_house(engines, tmp_path_factory.mktemp("pair"), gateways=2) as opened:
        yield opened
        assert [gateway.complaints() for gateway in opened.gateways] == [[], []]


@pytest.fixture(params=[200, pytest.param(1000, marks=pytest.mark.slow)])
def crowd(request: pytest.FixtureRequest) -> int:
    return request.param


async def call_all(house: House, member: Member, case: Case, crowd: int) -> list[Told]:
    """So many calls at once, half of them at each gateway."""
    ways = [Ask(stream=bool(n // 2 % 2), max_tokens=OUTPUT, gateway=house.gateways[n % 2]) for n in range(crowd)]
    return await asyncio.gather(*[ask(house, member, case, way) for way in ways])


def assert_admitted(found: list[Told], case: Case, count: int) -> None:
    assert sum(told.is_whole for told in found) == count
    refused = [told for told in found if not told.is_whole]
    assert {told.status for told in refused} == {429}
    assert all(told.error and told.error["message"] for told in refused)
    assert case.asked == (count, 0)


async def test_a_budget_is_never_overspent_by_a_unit(house: House, crowd: int) -> None:
    case = house.case()
    tokens = [estimate_input_tokens(Ask(stream=stream).body(case.name)) for stream in (False, True)]
    most, least = max(tokens), min(tokens)
    cost = (most * INPUT_MICROS + OUTPUT * OUTPUT_MICROS) // 1_000_000
    assert (most - least) * INPUT_MICROS * ADMITTED < cost * 1_000_000, "one call more would fit"
    limit = Limit(scope="tenant", budget_per_month_micros=ADMITTED * cost)
    member = await house.member(TenantPolicy(limits=(limit,)))
    case.always(eu=Reply(usage=Tokens(input=most, output=OUTPUT)))
    found = await call_all(house, member, case, crowd)
    assert_admitted(found, case, ADMITTED)
    rows = await house.books_agree(member, ADMITTED)
    assert sum(row["cost_micros"] for row in rows) == ADMITTED * cost


async def test_no_call_of_a_day_is_admitted_twice(house: House, crowd: int) -> None:
    member, case = await house.member(TenantPolicy(limits=(Limit(scope="key", calls_per_day=ADMITTED),))), house.case()
    assert_admitted(await call_all(house, member, case, crowd), case, ADMITTED)
    await house.records(member, ADMITTED)


async def test_a_rate_admits_its_burst_and_no_more(house: House, crowd: int) -> None:
    limit = Limit(scope="tenant", requests_per_minute=3)  # the next one fits after 20 seconds
    member, case = await house.member(TenantPolicy(limits=(limit,))), house.case()
    assert_admitted(await call_all(house, member, case, crowd), case, 3)
    await house.records(member, 3)


async def test_no_more_run_at_once_than_may(house: House, crowd: int) -> None:
    limits = (Limit(scope="tenant", concurrency=ADMITTED, budget_per_month_micros=10**12),)
    member, case = await house.member(TenantPolicy(limits=limits)), house.case()
    case.always(eu=Fault.HANG)
    calls = [
        asyncio.create_task(ask(house, member, case, Ask(stream=bool(n % 3), gateway=house.gateways[n % 2])))
        for n in range(crowd)
    ]
    refused = 0
    for each in asyncio.as_completed(calls):
        refused += (await each).status == 429
        if refused == crowd - ADMITTED:
            break
    await case.eu.upstream.until(lambda _: case.asked == (ADMITTED, 0))
    assert (await house.counted(member.tenant)).live == ADMITTED
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    rows = await house.books_agree(member, ADMITTED)
    assert {row["status"] for row in rows} == {"cancelled"}
    case.always(eu=Reply())
    assert (await ask(house, member, case)).is_whole, "the places are not free again"
