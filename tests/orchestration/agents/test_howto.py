"""The agents of docs/howto/build-an-agent.md work as they stand there."""

import re
from pathlib import Path
from typing import Any

import pytest

from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId
from mainspring.foundation.valkey import Valkey
from mainspring.inference.gateway.testing import ScriptedProvider, ScriptedReply, scripted_gateway
from mainspring.orchestration.agents.types import AgentRunStatus, IfNotExists, RunOrder
from tests.orchestration.agents.acting import new_thread, open_house, principal_of

PAGE = Path(__file__).parents[3] / "docs" / "howto" / "build-an-agent.md"


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    """What the page's blocks define, in one module."""
    names: dict[str, Any] = {"__name__": "build_an_agent"}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL):
        exec(compile(block, str(PAGE), "exec"), names)
    return names


async def test_the_writer_asks_and_is_resumed(
    page: dict[str, Any], database: Database, valkey: Valkey, tenant: TenantId, tmp_path: Path
):
    async with ScriptedProvider([ScriptedReply("Dear Grace, thank you.")]) as provider:
        gateway = await scripted_gateway(provider, database, tmp_path)
        house = open_house(database, valkey, page["writer"], page["clerk"], gateway=gateway)
        thread = new_thread()
        asked = RunOrder("writer", thread=thread, input={"wish": "thanks"}, if_not_exists=IfNotExists.CREATE)
        async with house.worker():
            run = await house.run(principal_of(tenant), asked)
            assert run.error is None
            ((waiting,),) = (await house.thread(tenant, thread))["interrupts"].values()
            assert waiting["value"]["draft"] == "Dear Grace, thank you."
            run = await house.run(principal_of(tenant), page["send_it"](thread))
        assert run.status is AgentRunStatus.SUCCESS
        assert (await house.thread(tenant, thread))["values"]["verdict"] == "yes"
        await gateway.close()
