"""Tools and agents put together: what agents may call, how they run, and the servers that others reach them by."""

from contextlib import AsyncExitStack
from dataclasses import dataclass

from mainspring.entry.delivery_slice import delivery_settings
from mainspring.foundation.db import Database
from mainspring.foundation.settings import Settings
from mainspring.foundation.valkey import Valkey
from mainspring.foundation.vault import Vault
from mainspring.inference.gateway import Gateway, ToolCalls
from mainspring.orchestration.agents import AgentParts, AgentRuntime, Agents, Graphs, Rights, build_agent_runtime
from mainspring.orchestration.agents.server import AgentServer, build_agent_server
from mainspring.orchestration.approvals import Approvals
from mainspring.orchestration.delivery import build_direct
from mainspring.orchestration.knowledge import Search
from mainspring.orchestration.pipelines import LiveEvents, Pipelines, Privacy
from mainspring.orchestration.products import Brought
from mainspring.orchestration.tools import Flags, PeopleApprove
from mainspring.orchestration.tools.mcp import McpHosts, ToolBeneath, ToolServices, build_tools, read_programs
from mainspring.orchestration.tools.offering import Startable, run_tools, search_tool


@dataclass(frozen=True, slots=True)
class AgentFoundations:
    """What tools and agents stand on."""

    settings: Settings
    database: Database
    valkey: Valkey
    vault: Vault
    gateway: Gateway
    rights: Rights
    pipelines: Pipelines
    live: LiveEvents
    approvals: Approvals
    search: Search
    privacy: Privacy
    flags: Flags


@dataclass(frozen=True, slots=True)
class AgentServices:
    """The services of tools and agents."""

    tools: ToolServices
    runtime: AgentRuntime
    server: AgentServer


def build_agents(on: AgentFoundations, brought: Brought, opened: AsyncExitStack) -> AgentServices:
    """The services over what the products brought; what goes on by itself is ended with `opened`."""
    settings = on.settings
    tools = build_tools(
        ToolBeneath(
            on.database,
            on.valkey,
            on.vault,
            ToolCalls(on.gateway),
            approver=PeopleApprove(on.approvals),
            flags=on.flags,
            internal_hosts=frozenset(settings.listed(settings.mcp_hosts)),
            programs=read_programs(settings.mcp_file),
        ),
        [
            search_tool(on.search),
            *run_tools(on.pipelines, _startable(brought), closed=on.privacy),
            *brought.tools,
        ],
    )
    opened.push_async_callback(tools.close)
    graphs = Graphs(on.database, Agents(brought.agents), on.gateway, tools.toolbox)
    runtime = build_agent_runtime(AgentParts(on.database, on.pipelines, graphs, on.rights, on.approvals))
    posts = build_direct(on.database, on.vault, delivery_settings(settings))
    server = build_agent_server(on.database, on.valkey, on.live, runtime, posts=posts)
    opened.push_async_callback(server.close)
    return AgentServices(tools, runtime, server)


def mcp_hosts(settings: Settings) -> McpHosts:
    """By which names this server may be called as an MCP server."""
    return McpHosts(settings.listed(settings.mcp_public_hosts), settings.listed(settings.mcp_origins))


def _startable(brought: Brought) -> list[Startable]:
    """Pipelines whose input names nothing that a caller would need a right to, in their newest version."""
    newest = {pipeline.name: pipeline for pipeline in sorted(brought.pipelines, key=lambda each: each.version)}
    return [
        Startable(pipeline, pipeline.steps[0].input_type, "ai.analysis.trigger", f"Runs {name}.")
        for name, pipeline in newest.items()
        if name in brought.startable
    ]
