"""An MCP server of somebody else, made with the official SDK and served over real HTTP; tests say how it behaves."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import mcp_types as wire
import uvicorn
from mcp.server.lowlevel.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send


def offer(name: str, description: str = "Does it.", **properties: dict[str, Any]) -> wire.Tool:
    schema = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    return wire.Tool(name=name, description=description, input_schema=schema)


def text(words: str, *, is_error: bool = False) -> wire.CallToolResult:
    return wire.CallToolResult(content=[wire.TextContent(type="text", text=words)], is_error=is_error)


@dataclass
class Neighbour:
    """What it offers and answers; `seen` holds the headers of requests, `calls` the calls."""

    tools: list[wire.Tool] = field(default_factory=lambda: [offer("echo", words={"type": "string"})])
    answer: Callable[[str, dict[str, Any]], wire.CallToolResult] = lambda name, arguments: text(str(arguments["words"]))
    key: str | None = None
    raw: Response | None = None
    hold: asyncio.Event | None = None
    hold_list: asyncio.Event | None = None
    seen: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list[tuple[str, dict[str, Any]]])
    metas: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    listed: int = 0
    url: str = ""
    port: int = 0

    async def list_tools(self, context: Any, params: Any) -> wire.ListToolsResult:
        self.listed += 1
        if self.hold_list is not None:
            await self.hold_list.wait()
        return wire.ListToolsResult(tools=self.tools)

    async def call_tool(self, context: Any, params: wire.CallToolRequestParams) -> wire.CallToolResult:
        self.calls.append((params.name, params.arguments or {}))
        self.metas.append(dict(params.meta or {}))
        if self.hold is not None:
            await self.hold.wait()
        return self.answer(params.name, params.arguments or {})

    def wrap(self, inner: ASGIApp) -> ASGIApp:
        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                return
            headers = {name.decode(): value.decode() for name, value in scope["headers"]}
            self.seen.append(headers)
            refused = Response(status_code=401) if self.key and headers.get("authorization") != self.key else None
            answer = refused or self.raw
            await (answer(scope, receive, send) if answer else inner(scope, receive, send))

        return serve


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncGenerator[int]:
    """The application on a free port of this machine."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        config = uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined] # pyright: ignore
        running = asyncio.create_task(server._serve(sockets=[listening]))  # pyright: ignore[reportPrivateUsage] - without signals
        try:
            while not server.started:  # noqa: ASYNC110 - the server has no event for it
                await asyncio.sleep(0.01)
            yield port
        finally:
            server.should_exit = True
            await running


@asynccontextmanager
async def neighbouring(neighbour: Neighbour) -> AsyncGenerator[Neighbour]:
    """The neighbour at home: `url` is where."""
    server = Server(
        "neighbour",
        on_list_tools=neighbour.list_tools,
        on_call_tool=neighbour.call_tool,
        get_tool_input_schema=lambda name: None,
    )

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        manager = StreamableHTTPSessionManager(server, stateless=True)
        async with manager.run():
            await manager.handle_request(scope, receive, send)

    async with serving(neighbour.wrap(answer)) as port:
        neighbour.port, neighbour.url = port, f"http://127.0.0.1:{port}/mcp"
        yield neighbour
