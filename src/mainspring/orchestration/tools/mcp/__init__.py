"""MCP both ways: tools of other servers for a tenant's agents, and the tenant's own tools for other agents."""

from .client import McpClient
from .parts import HOSTS_SETTING, ToolBeneath, ToolServices, build_tools
from .programs import read_programs
from .routes import build_mcp_router
from .servers import McpServers
from .serving import KEY_OF_META, MCP_PATH, McpEndpoint, McpHosts, mcp_route
from .toolset import McpTools
from .types import McpLimits, NewServer, Program, ServerChange, ServerTool, ServerView, ToolState, Transport

__all__ = [
    "HOSTS_SETTING",
    "KEY_OF_META",
    "MCP_PATH",
    "McpClient",
    "McpEndpoint",
    "McpHosts",
    "McpLimits",
    "McpServers",
    "McpTools",
    "NewServer",
    "Program",
    "ServerChange",
    "ServerTool",
    "ServerView",
    "ToolBeneath",
    "ToolServices",
    "ToolState",
    "Transport",
    "build_mcp_router",
    "build_tools",
    "mcp_route",
    "read_programs",
]
