"""Tools put together: the toolbox with everything that stands around it, MCP both ways among it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mainspring.foundation.db import Database
from mainspring.foundation.valkey import Valkey
from mainspring.foundation.vault import Vault
from mainspring.foundation.webguard import Gate, Reach
from mainspring.inference.gateway import ToolCalls
from mainspring.orchestration.tools.claims import Claims
from mainspring.orchestration.tools.overview import ToolOverview
from mainspring.orchestration.tools.policies import ToolPolicies
from mainspring.orchestration.tools.ports import AllFlags, Approver, Flags
from mainspring.orchestration.tools.rates import Rates
from mainspring.orchestration.tools.secrets import ToolSecrets
from mainspring.orchestration.tools.service import Toolbox, ToolParts
from mainspring.orchestration.tools.types import Tool

from .client import McpClient
from .servers import McpServers
from .toolset import McpTools
from .types import Program

HOSTS_SETTING = "MAINSPRING_MCP_HOSTS"


@dataclass(frozen=True, slots=True)
class ToolBeneath:
    """What tools stand on.

    approver        None where nobody can be asked
    internal_hosts  hosts inside the operator's network at which MCP servers may be, as `host` or `host:port`
    programs        MCP servers that the operator lets run here
    """

    database: Database
    valkey: Valkey
    vault: Vault
    records: ToolCalls
    approver: Approver | None = None
    flags: Flags = field(default_factory=AllFlags)
    internal_hosts: frozenset[str] = frozenset()
    programs: Mapping[str, Program] = field(default_factory=dict[str, Program])


@dataclass(frozen=True, slots=True)
class ToolServices:
    """The services of the room, for the API's routes, agents and the MCP endpoint; `close` them in the end."""

    toolbox: Toolbox
    overview: ToolOverview
    policies: ToolPolicies
    secrets: ToolSecrets
    servers: McpServers
    source: McpTools

    async def close(self) -> None:
        """Stop what goes on by itself."""
        await self.source.close()


def build_tools(beneath: ToolBeneath, tools: Iterable[Tool]) -> ToolServices:
    """The room on its engines.

    tools    the platform's own and those of its products; ToolInvalid when two have one name
    """
    database, secrets = beneath.database, ToolSecrets(beneath.database, beneath.vault)
    reach = Reach(HOSTS_SETTING, "MCP servers", internal_hosts=beneath.internal_hosts)
    client = McpClient(Gate(reach), programs=beneath.programs)
    servers = McpServers(database, secrets, client)
    parts = ToolParts(
        database,
        Claims(database, beneath.vault),
        Rates(beneath.valkey),
        secrets,
        beneath.records,
        approver=beneath.approver,
        flags=beneath.flags,
    )
    source = McpTools(database, servers, client)
    toolbox = Toolbox(tools, parts, sources=[source])
    overview = ToolOverview(database, toolbox.access)
    return ToolServices(toolbox, overview, ToolPolicies(database), secrets, servers, source)
