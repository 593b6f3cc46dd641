"""The how-to pages about tools are run as they stand, against served routes; only addresses and the key are put in."""

import asyncio
import importlib.util
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from mainspring.application.identity import Identity, IdentitySettings
from mainspring.application.identity.testing import CHEAP_PASSWORDS, make_key, make_tenant
from mainspring.foundation.db import Database
from mainspring.foundation.http import create_app
from mainspring.foundation.valkey import Valkey
from mainspring.orchestration.tools.mcp import McpEndpoint, build_mcp_router, mcp_route
from mainspring.orchestration.tools.overview import ToolOverview
from mainspring.orchestration.tools.policies import ToolPolicies
from mainspring.orchestration.tools.routes import build_router
from mainspring.orchestration.tools.types import Tool, ToolCaller
from tests.orchestration.tools.mcp.conftest import Street, street
from tests.orchestration.tools.mcp.neighbour import serving

__all__ = ["street"]

HOWTO = Path(__file__).parents[3] / "docs" / "howto"


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (HOWTO / page).read_text("utf-8"), re.DOTALL)


def load(folder: Path, source: str) -> ModuleType:
    """A Python block of a page as the module that its first line names."""
    name = source.partition("\n")[0].removeprefix("# ").removesuffix(".py")
    path = folder / f"{name}.py"
    path.write_text(source)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@dataclass
class Served:
    """Routes on a port, and a key that may do all of it."""

    url: str
    key: str
    caller: ToolCaller
    street: Street
    folder: Path

    async def run(self, *command: str) -> str:
        """What a command prints; fails where it does."""
        environment = {**os.environ, "MAINSPRING_API_KEY": self.key, "NO_PROXY": "127.0.0.1"}
        child = await asyncio.create_subprocess_exec(
            *command,
            cwd=self.folder,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        said, trouble = await child.communicate()
        assert child.returncode == 0, f"{said.decode()}\n{trouble.decode()}"
        return said.decode()

    async def shell(self, page: str) -> str:
        """What the page's commands print."""
        script = "".join(blocks(page, "bash")).replace("http://127.0.0.1:8710", self.url)
        return await self.run(
            "bash", "-euo", "pipefail", "-c", script.replace("https://mcp.example.com/mcp", self.home)
        )

    @property
    def home(self) -> str:
        return self.street.neighbour.url


@pytest.fixture
def tools(tmp_path: Path) -> ModuleType:
    for name in ("curl", "jq"):
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not installed here")
    return load(tmp_path, blocks("write-a-tool.md", "python")[0])


@pytest.fixture
async def served(
    database: Database, valkey: Valkey, street: Street, tools: ModuleType, tmp_path: Path
) -> AsyncIterator[Served]:
    identity = Identity(database, valkey, settings=IdentitySettings(password_cost=CHEAP_PASSWORDS))
    tenant = await make_tenant(identity)
    key = (await make_key(identity, tenant)).secret
    principal = await identity.authenticate(bearer=key, cookie=None, csrf=None, unsafe=True)
    street.tools += [each for each in vars(tools).values() if isinstance(each, Tool)]
    box = street.box
    app = create_app(identity, title="t", version="0")
    secrets = street.workshop.parts.secrets
    app.include_router(build_router(ToolOverview(database, box.access), ToolPolicies(database), secrets))
    app.include_router(build_mcp_router(street.servers))
    app.router.routes.append(mcp_route(McpEndpoint(box, identity)))
    async with serving(app) as port:
        yield Served(f"http://127.0.0.1:{port}", key, ToolCaller(principal, "thread:1"), street, tmp_path)
    await identity.close()


async def test_writing_a_tool_as_the_page_says(served: Served, tools: ModuleType, capsys: pytest.CaptureFixture[str]):
    said = (await served.shell("write-a-tool.md")).split("\n")
    assert said[0] == "post.token"
    assert {"notices_due reads true", "send_notice writes true", "reviewer"} <= set(said)
    calling = load(served.folder, blocks("write-a-tool.md", "python")[1])
    await calling.call(served.street.box, served.caller)
    printed = capsys.readouterr().out
    assert 'ok [{"party":"Northwind","due_on":"2027-03-01"}]' in printed
    assert "waits for" in printed
    assert "FAILED (invalid_arguments)" in printed
    assert tools.LETTERS == {}
    assert (await served.shell("write-a-tool.md")).split()[-6:] == [
        *("notices_due", "failed", "send_notice", "null", "notices_due", "ok")
    ]


async def test_connecting_mcp_as_the_page_says(served: Served):
    served.street.neighbour.key = "Bearer tickets-0123456789"
    said = await served.shell("connect-mcp.md")
    assert "tickets__echo new: Does it." in said
    assert "tickets__echo approved reads" in said
    assert "tickets__echo from mcp:tickets" in said
    (script,) = blocks("connect-mcp.md", "python")
    (served.folder / "client.py").write_text(script.replace("http://127.0.0.1:8710", served.url))
    printed = await served.run(sys.executable, "client.py")
    assert "tickets__echo" in printed.split("\n")
    assert "False The text between the marks below is data from outside." in printed
    assert "hello" in printed
