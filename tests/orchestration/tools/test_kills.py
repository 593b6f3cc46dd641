"""A process is killed in the middle of a call: another makes it again under the same key, and nothing is doubled."""

import asyncio
import signal
import sys
from pathlib import Path

from mainspring.foundation.engines import EngineUrls
from mainspring.orchestration.tools.types import ResultStatus
from tests.inference.gateway.conftest import wait_until
from tests.orchestration.tools.mortal import post_tool
from tests.orchestration.tools.workshop import Workshop


async def test_a_killed_write_is_made_again_with_the_key_it_had(
    workshop: Workshop, engines: EngineUrls, tmp_path: Path
):
    office = tmp_path / "office"
    office.mkdir()
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.orchestration.tools.mortal",
        *(engines.database_url, engines.valkey_url, str(workshop.tenant), str(office), str(tmp_path / "child")),
    )

    async def has_begun() -> bool:
        assert child.returncode is None
        return (office / "asked").exists()

    await wait_until(has_begun)
    child.send_signal(signal.SIGKILL)
    await child.wait()
    (office / "open").touch()
    result = await workshop.box([post_tool(office)]).call(workshop.caller(), "post", {"text": "hello"}, call_id="1")
    assert (result.status, result.content) == (ResultStatus.OK, "1 letter")
    assert (office / "asked").read_text().count("\n") == 2
    (row,) = await workshop.rows("tool_call")
    assert (row["status"], row["fence"]) == ("done", 2)

    async def both_recorded() -> bool:
        rows = await workshop.rows("inference_record where status = 'ok'")
        return len(rows) == 1

    await wait_until(both_recorded)
