"""A process that begins a call and hangs in it, to be killed; and the post office that both processes use."""

import asyncio
import sys
from pathlib import Path
from uuid import UUID

from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId
from mainspring.foundation.principal import Principal, PrincipalKind
from mainspring.foundation.valkey import open_valkey
from mainspring.foundation.vault import LocalKeyWrapper, Vault
from mainspring.inference.gateway import ToolCalls
from mainspring.inference.gateway.testing import ScriptedProvider, scripted_gateway
from mainspring.orchestration.tools.claims import Claims
from mainspring.orchestration.tools.declaring import tool
from mainspring.orchestration.tools.rates import Rates
from mainspring.orchestration.tools.secrets import ToolSecrets
from mainspring.orchestration.tools.service import Toolbox, ToolParts
from mainspring.orchestration.tools.types import Effects, Tool, ToolCaller, ToolContext
from tests.orchestration.tools.workshop import LEASE


def post_tool(office: Path) -> Tool:
    """Posts one letter for each key, then waits until the office is open."""

    @tool(effects=Effects.WRITES)
    async def post(context: ToolContext, text: str) -> str:
        """Post a letter."""
        (office / f"{context.idempotency_key}.letter").write_text(text)
        with (office / "asked").open("a") as asked:
            asked.write(f"{context.idempotency_key}\n")
        while not (office / "open").exists():  # noqa: ASYNC110 - another process opens it
            await asyncio.sleep(0.02)
        return f"{_count(office)} letter"

    return post


def _count(office: Path) -> int:
    return len(list(office.glob("*.letter")))


async def main(database_url: str, valkey_url: str, tenant: str, office: str, folder: str) -> None:
    """Begin the call."""
    database = await Database.open(database_url, connections=2)
    vault = Vault(database, LocalKeyWrapper([bytes(range(32))]))
    async with ScriptedProvider() as provider:
        gateway = await scripted_gateway(provider, database, Path(folder))
        parts = ToolParts(
            database,
            Claims(database, vault, lease=LEASE),
            Rates(open_valkey(valkey_url)),
            ToolSecrets(database, vault),
            ToolCalls(gateway),
        )
        principal = Principal(TenantId(UUID(tenant)), PrincipalKind.USER, "Ada", frozenset())
        box = Toolbox([post_tool(Path(office))], parts)
        await box.call(ToolCaller(principal, "thread:1"), "post", {"text": "hello"}, call_id="1")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
