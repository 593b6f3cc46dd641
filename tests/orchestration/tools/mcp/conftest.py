"""A tenant with an MCP server next door."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from mainspring.foundation.clock import now
from mainspring.foundation.webguard import Gate, Reach
from mainspring.orchestration.tools.mcp import McpClient, McpLimits, McpServers, McpTools, NewServer, ServerView
from mainspring.orchestration.tools.service import Toolbox
from mainspring.orchestration.tools.types import Effects, Tool, ToolResult
from tests.orchestration.tools.mcp.neighbour import Neighbour, neighbouring
from tests.orchestration.tools.workshop import Workshop


@dataclass
class Street:
    """A toolbox that reaches the neighbour, and the clock by which lists grow old."""

    workshop: Workshop
    neighbour: Neighbour
    gate: Gate
    client: McpClient
    servers: McpServers
    later: timedelta = timedelta(0)
    tools: list[Tool] = field(default_factory=list[Tool])

    def clock(self) -> datetime:
        return now() + self.later

    @property
    def box(self) -> Toolbox:
        database = self.workshop.parts.database
        source = McpTools(database, self.servers, self.client, clock=self.clock)
        return self.workshop.box(self.tools, sources=[source])

    async def register(self, **facts: object) -> ServerView:
        new = NewServer("next-door", self.neighbour.url, **facts)  # pyright: ignore[reportArgumentType] - a test's own
        return await self.servers.register(self.workshop.admin, new)

    async def approve(self, view: ServerView, **effects: Effects) -> ServerView:
        return await self.servers.approve(self.workshop.admin, view.server.id, digest=view.digest, effects=effects)

    async def settle(self) -> UUID:
        """The neighbour registered and approved, its `echo` as one that only reads."""
        view = await self.approve(await self.register(), echo=Effects.READS)
        return view.server.id

    async def call(self, name: str = "next-door__echo", call_id: str = "1", **arguments: object) -> ToolResult:
        return await self.box.call(self.workshop.caller(), name, arguments, call_id=call_id)


@pytest.fixture
async def street(workshop: Workshop) -> AsyncIterator[Street]:
    async with neighbouring(Neighbour()) as neighbour:
        reach = Reach("MAINSPRING_MCP_HOSTS", "MCP servers", internal_hosts=frozenset({f"127.0.0.1:{neighbour.port}"}))
        gate = Gate(reach)
        client = McpClient(gate, limits=McpLimits(max_answer_bytes=100_000))
        servers = McpServers(workshop.parts.database, workshop.parts.secrets, client)
        yield Street(workshop, neighbour, gate, client, servers)
