"""The gateway as a process, with everything it talks to failing around it: the fast forms."""

from collections.abc import AsyncIterator

import pytest

from mainspring.foundation.engines import EngineUrls

from .asking import Ask, ask
from .running import Dialect, House, open_house


@pytest.fixture(scope="module")
async def house(engines: EngineUrls, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with open_house(engines, tmp_path_factory.mktemp("house")) as opened:
        yield opened
        assert [gateway.complaints() for gateway in opened.gateways] == [[]] * len(opened.gateways)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("served", ["openai", "anthropic"])
@pytest.mark.parametrize("asked", ["openai", "anthropic"])
async def test_a_call_is_answered_recorded_and_booked_once(
    house: House, asked: Dialect, served: Dialect, stream: bool
) -> None:
    member, case = await house.member(), house.case(served)
    told = await ask(house, member, case, Ask(asked, stream))
    assert (told.status, told.text, told.is_whole) == (200, "This is a scripted reply.", True)
    (record,) = await house.books_agree(member, 1)
    assert (record["status"], record["attempts"], record["cost_micros"]) == ("ok", 1, 12 * 2 + 7 * 10)
    assert case.asked == (1, 0)
