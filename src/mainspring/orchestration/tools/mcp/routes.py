"""HTTP: the MCP servers whose tools a tenant uses."""

from fastapi import APIRouter, status

from mainspring.foundation.http import CurrentPrincipal
from mainspring.foundation.ids import read_id

from .schemas import (
    ApproveServerRequest,
    ChangeServerRequest,
    NewServerRequest,
    ServerList,
    ServerShape,
    read_change,
    read_new,
    server_shape,
)
from .servers import McpServers
from .types import SERVER_PREFIX


def build_mcp_router(servers: McpServers) -> APIRouter:
    """The routes below /v1/mcp-servers; all need `tool.manage`."""
    router = APIRouter(prefix="/v1/mcp-servers", tags=["tools"])
    _add_keeping(router, servers)
    _add_looking(router, servers)
    return router


def _add_keeping(router: APIRouter, servers: McpServers) -> None:
    @router.get("")
    async def list_mcp_servers(principal: CurrentPrincipal) -> ServerList:
        """Every server by name, with its tools as they were last seen. Needs `tool.manage`."""
        return ServerList(items=[server_shape(each) for each in await servers.list(principal)])

    @router.post("", status_code=status.HTTP_201_CREATED)
    async def register_mcp_server(principal: CurrentPrincipal, body: NewServerRequest) -> ServerShape:
        """Register a server and ask what it offers; nothing of it is used before it is approved.

        `url_refused` (422) for an address inside the operator's network; `conflict` (409) for a name that is taken.
        A server that does not answer is registered, with its `trouble`. Needs `tool.manage`.
        """
        return server_shape(await servers.register(principal, read_new(body)))

    @router.get("/{server}")
    async def get_mcp_server(principal: CurrentPrincipal, server: str) -> ServerShape:
        """One server with its tools as they were last seen. Needs `tool.manage`."""
        return server_shape(await servers.get(principal, read_id(SERVER_PREFIX, server)))

    @router.patch("/{server}")
    async def change_mcp_server(principal: CurrentPrincipal, server: str, body: ChangeServerRequest) -> ServerShape:
        """Reach a server in another way. Another address, secret or header takes its approval away.

        Needs `tool.manage`.
        """
        return server_shape(await servers.change(principal, read_id(SERVER_PREFIX, server), read_change(body)))

    @router.delete("/{server}", status_code=status.HTTP_204_NO_CONTENT)
    async def delete_mcp_server(principal: CurrentPrincipal, server: str) -> None:
        """Forget a server and its tools. Needs `tool.manage`."""
        await servers.delete(principal, read_id(SERVER_PREFIX, server))


def _add_looking(router: APIRouter, servers: McpServers) -> None:
    @router.post("/{server}/refresh")
    async def refresh_mcp_server(principal: CurrentPrincipal, server: str) -> ServerShape:
        """Ask the server now what it offers; what has changed is out of use. Needs `tool.manage`."""
        return server_shape(await servers.refresh(principal, read_id(SERVER_PREFIX, server)))

    @router.post("/{server}/approve")
    async def approve_mcp_server(principal: CurrentPrincipal, server: str, body: ApproveServerRequest) -> ServerShape:
        """Let its tools be used as they are, and say which of them only read. Needs `tool.manage`.

        `listing_changed` (409) when it offers something else than what has this `digest`.
        """
        identifier = read_id(SERVER_PREFIX, server)
        return server_shape(await servers.approve(principal, identifier, digest=body.digest, effects=body.effects))
