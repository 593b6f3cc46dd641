"""The approved tools of a tenant's MCP servers, as tools of the toolbox.

What a model is told is what was approved, word for word. Before a call the server's list is looked at again when it is
older than a minute, so that a change takes the tool out of use before it is called, not after.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from mainspring.foundation.clock import Clock, now
from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId
from mainspring.foundation.stopping import stop_all
from mainspring.foundation.telemetry import get_logger
from mainspring.orchestration.tools.types import Effects, Json, Tool, ToolContext

from . import store
from .client import McpClient
from .reading import read_server, read_tool
from .servers import McpServers
from .types import Server, ServerTool, ToolState

log = get_logger(__name__)

PERMISSION = "agent.run"
"""What a caller needs for a tool of an MCP server, unless the tenant's policy says otherwise."""

_OVERHEAD = timedelta(seconds=5)
_LIST_AT_ONCE = 8


class McpTools:
    """A `ToolSource` over the MCP servers of tenants; close it in the end.

    clock   replaced in tests only
    """

    def __init__(self, database: Database, servers: McpServers, client: McpClient, *, clock: Clock = now) -> None:
        self._database = database
        self._servers = servers
        self._client = client
        self._clock = clock
        self._turns = asyncio.Semaphore(_LIST_AT_ONCE)
        self._looking: dict[UUID, asyncio.Lock] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def find(self, tenant: TenantId, name: str) -> Tool | None:
        """The tool, if it is offered now as it was approved."""
        if "__" not in name or "\0" in name:
            return None
        found = await self._find(tenant, name)
        if found is None:
            return None
        if self._is_stale(found[0]):
            await self._look_again(tenant, found[0])
            found = await self._find(tenant, name)
        return self._tool(*found) if found and found[1].state is ToolState.APPROVED else None

    async def list_tools(self, tenant: TenantId) -> Sequence[Tool]:
        """All that are offered as they were approved; lists that are old are read again first, all at once.

        A server that is slow to answer is waited for a moment only: what is known of it will do to be offered.
        """
        servers, tools = await self._read(tenant)
        stale = [each for each in servers.values() if each.approved_at is not None and self._is_stale(each)]
        if stale:
            await self._refresh(tenant, stale)
            servers, tools = await self._read(tenant)
        return [self._tool(servers[server], tool) for server, tool in tools if tool.state is ToolState.APPROVED]

    async def close(self) -> None:
        """Stop looking at servers."""
        await stop_all(self._tasks)

    async def _refresh(self, tenant: TenantId, servers: Sequence[Server]) -> None:
        tasks = [asyncio.create_task(self._look_again(tenant, each)) for each in servers]
        self._tasks.update(tasks)
        for task in tasks:
            task.add_done_callback(self._ended)
        await asyncio.wait(tasks, timeout=self._client.limits.patience.total_seconds())

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (failure := task.exception()):
            log.warning("mcp_server_not_looked_at", error=type(failure).__name__)

    async def _find(self, tenant: TenantId, name: str) -> tuple[Server, ServerTool] | None:
        async with self._database.tenant(tenant) as transaction:
            row = await store.find_tool(transaction, name)
            server = await store.find_server(transaction, row["server_id"]) if row else None
        return (read_server(server), read_tool(row)) if row and server else None

    async def _read(self, tenant: TenantId) -> tuple[dict[UUID, Server], list[tuple[UUID, ServerTool]]]:
        async with self._database.tenant(tenant) as transaction:
            servers = [read_server(row) for row in await store.list_servers(transaction)]
            rows = await store.list_tools(transaction) if servers else []
        known = {each.id: each for each in servers}
        return known, [(row["server_id"], read_tool(row)) for row in rows if row["server_id"] in known]

    def _is_stale(self, server: Server) -> bool:
        seen: datetime | None = server.listed_at
        return seen is None or self._clock() - seen > self._client.limits.fresh_for

    async def _look_again(self, tenant: TenantId, server: Server) -> None:
        lock = self._looking.setdefault(server.id, asyncio.Lock())
        try:
            async with lock, self._turns:
                async with self._database.tenant(tenant) as transaction:
                    row = await store.find_server(transaction, server.id)
                if row is not None and self._is_stale(read_server(row)):  # else somebody has looked meanwhile
                    await self._servers.look_again(tenant, server)
        finally:
            if not lock.locked():
                self._looking.pop(server.id, None)

    def _tool(self, server: Server, tool: ServerTool) -> Tool:
        async def invoke(context: ToolContext, arguments: Mapping[str, Json]) -> Json:
            secret = await context.secret(server.secret) if server.secret else None
            key = context.idempotency_key
            return await self._client.call(server, secret, tool.offered.name, arguments, key=key)

        return Tool(
            name=tool.shown_as,
            title=tool.offered.name,
            description=tool.offered.description,
            parameters=tool.offered.input_schema,
            invoke=invoke,
            effects=tool.effects,
            is_repeatable=tool.effects is not Effects.WRITES,
            untrusted_output=True,
            permission=PERMISSION,
            timeout=server.timeout + _OVERHEAD,
            secrets=(server.secret,) if server.secret else (),
            source=f"mcp:{server.name}",
        )
