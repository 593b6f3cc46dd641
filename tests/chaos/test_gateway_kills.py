"""kill -9 of the gateway in mid-load: what a caller saw is recorded, what was started says so, the books agree.

Short form: two kills. `make test-chaos` runs the long form, with a second gateway that goes on.
"""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest

from mainspring.foundation.db import Row
from mainspring.foundation.engines import EngineUrls
from mainspring.foundation.ids import read_id
from mainspring.inference.gateway.policy import Limit, TenantPolicy
from tests.inference.gateway.asking import Ask, Told, ask
from tests.inference.gateway.running import Case, House, Member, RunningGateway, open_house
from tests.upstream import Reply

POLICY = TenantPolicy(limits=(Limit(scope="tenant", budget_per_month_micros=10**12, concurrency=10**6),))
CALLERS = 24


@pytest.fixture
async def house(engines: EngineUrls, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with open_house(engines, tmp_path_factory.mktemp("killed"), gateways=2) as opened:
        yield opened


async def keep_calling(house: House, member: Member, case: Case, gateway: RunningGateway, seen: list[Told]) -> None:
    """Call again and again, streamed and not; what comes of it is kept."""
    number = 0
    while True:
        number += 1
        told = await ask(house, member, case, Ask(stream=bool(number % 3), timeout=5, gateway=gateway))
        seen.append(told)
        if not told.status:
            await asyncio.sleep(0.05)  # nobody listens


def assert_recorded(seen: list[Told], rows: list[Row]) -> None:
    records = {row["id"]: row for row in rows}
    known = [told for told in seen if told.id]
    missing = [told for told in known if read_id("inf", told.id) not in records]
    assert missing == []
    for told in known:
        record = records[read_id("inf", told.id)]
        if told.is_whole:
            assert record["status"] == "ok", told
        elif record["status"] == "broken":
            assert record["error_code"] in ("process_died", "model_stream_broken"), told
        else:  # its last piece was recorded, then lost on the way
            assert record["status"] in ("ok", "cancelled"), told


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kills", [2, pytest.param(12, marks=pytest.mark.slow)])
async def test_a_killed_gateway_loses_no_answer_and_no_micro(house: House, kills: int) -> None:
    member, case, chance = await house.member(POLICY), house.case(), random.Random(kills)
    case.always(eu=Reply(chunks=20, pause=0.005))
    killed, other = house.gateways
    seen: list[Told] = []
    callers = [
        asyncio.create_task(keep_calling(house, member, case, gateway, seen))
        for gateway in (killed, other)
        for _ in range(CALLERS // 2)
    ]
    for _ in range(kills):
        await asyncio.sleep(0.3 + chance.random() / 2)  # load, and a moment that nobody chose
        killed.kill()
        await killed.start()
    await asyncio.sleep(0.3)
    for caller in callers:
        caller.cancel()
    await asyncio.gather(*callers, return_exceptions=True)
    rows = await house.all_settled(member, unrecorded=kills)
    assert_recorded(seen, rows)
    assert sum(told.is_whole for told in seen) > 20 * kills, "there was no load"
    assert any(row["error_code"] == "process_died" for row in rows), "no call was cut off"
    assert all(row["output_tokens"] == 0 for row in rows if row["error_code"] == "process_died")
    for gateway in house.gateways:
        await gateway.stop()
    assert [list((gateway.data_dir / "spool").iterdir()) for gateway in house.gateways] == [[], []]
