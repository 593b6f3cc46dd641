"""A move in a process of its own, as the command runs it, so that it can be killed as processes are.

    python moving.py '{"servers": [[null, url, admin_url], ...], "tenant": "...", "tier": "schema", "database": null}'

Prints each step as a line, the last one with the seconds that writers were locked out.
"""

import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from uuid import UUID

from mainspring.foundation.ids import TenantId
from mainspring.orchestration.knowledge.homes import Mover, Pace, Place, Server, Tier

DONE = "Locked for "


async def move_apart(
    servers: Mapping[str | None, Server],
    tenant: TenantId,
    target: Place,
    *,
    documents: int = 20,
    kill_at: Callable[[int, str], bool] = lambda number, line: False,
) -> float | None:
    """Seconds that writers were locked out; None when the process was killed at the line that `kill_at` picks."""
    order = {
        "servers": [[name, server.url, server.admin_url] for name, server in servers.items()],
        "tenant": str(tenant),
        "tier": target.tier.value,
        "database": target.database,
        "documents": documents,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(Path(__file__)), json.dumps(order), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    number, last = 0, ""
    async for line in process.stdout:
        last = line.decode().strip()
        if kill_at(number, last):
            process.kill()
        number += 1
    code = await process.wait()
    if last.startswith(DONE):
        return float(last.removeprefix(DONE))
    assert code == -9, last
    return None


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _main(order: dict[str, object]) -> None:
    servers = {name: Server(url, admin) for name, url, admin in order["servers"]}  # pyright: ignore
    tenant, tier = TenantId(UUID(str(order["tenant"]))), Tier(str(order["tier"]))
    database = order["database"]
    target = Place.of_tenant(tenant, tier, None if database is None else str(database))
    pace = Pace(documents=int(str(order["documents"])))
    moved = Mover(servers, pace=pace, tell=_tell).move(tenant, target)
    _tell(f"{DONE}{moved.locked_seconds if moved else 0.0}")


if __name__ == "__main__":
    _main(json.loads(sys.argv[1]))
