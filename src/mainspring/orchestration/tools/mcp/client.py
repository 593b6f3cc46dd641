"""Sessions with MCP servers: what they offer, and calls of it, by the official SDK over our own transport.

Every session is opened for one list or one call, and bounded as a whole. What a server says is read as data: names
that do not fit, schemas that cannot be checked and texts without end are left out. The SDK's own logs are kept quiet,
because they quote what servers send.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from hashlib import sha256
from typing import Any

import httpx2
import mcp_types
import msgspec
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from mainspring import __version__
from mainspring.foundation.db import forbid_open_transaction
from mainspring.foundation.errors import MainspringError
from mainspring.foundation.webguard import Gate
from mainspring.inference.gateway import check_arguments
from mainspring.inference.gateway.errors import InvalidRequest
from mainspring.orchestration.tools.errors import McpAway, McpFailure, ToolError
from mainspring.orchestration.tools.types import Empty, Json, Partial

from .guarded import GuardedTransport
from .types import DEFAULT_HEADER, McpLimits, Offered, Program, Server, Transport

_MOST_PAGES = 20
_MOST_NAME = 200
_SHOWN = 500


class McpClient:
    """Reaches MCP servers.

    programs  that the operator lets run, by the name that tenants use
    """

    def __init__(self, gate: Gate, *, programs: Mapping[str, Program] | None = None, limits: McpLimits | None = None):
        self._gate = gate
        self.programs = programs or {}
        self.limits = limits or McpLimits()
        logging.getLogger("mcp").setLevel(logging.CRITICAL)
        logging.getLogger("client").setLevel(logging.CRITICAL)

    def check_address(self, transport: Transport, address: str, *, has_secret: bool) -> None:
        """Raises UrlRefused, or McpFailure for a program that the operator has not named."""
        if transport is Transport.STDIO:
            self._program(address)
            return
        where = self._gate.check(address)
        if has_secret and where.scheme == "http" and not self._gate.is_internal(where.host, where.port):
            raise McpFailure(f"{where.origin} is not https; a secret is sent over https only.")

    async def list_tools(self, server: Server, secret: str | None) -> tuple[Offered, ...]:
        """What the server offers now, as far as it can be used. Raises McpFailure and its kin, UrlRefused."""
        async with self._session(server, secret) as client:
            return await self._walk(client)

    async def call(
        self, server: Server, secret: str | None, tool: str, arguments: Mapping[str, Json], *, key: str
    ) -> Json | Partial | Empty:
        """The answer as JSON or text; ToolError with the server's words where it says that it failed.

        key   sent as `mainspring/idempotency-key` in the call's `_meta`; servers may know it
        """
        meta: Any = {"mainspring/idempotency-key": key}
        asked = mcp_types.CallToolRequest(
            params=mcp_types.CallToolRequestParams(name=tool, arguments=dict(arguments), _meta=meta)
        )
        async with self._session(server, secret) as client:
            answer = await _send(client, asked)
        return _read_answer(answer)

    @asynccontextmanager
    async def _session(self, server: Server, secret: str | None) -> AsyncGenerator[Client]:
        forbid_open_transaction("an MCP server")
        seconds = server.timeout.total_seconds()
        guarded: GuardedTransport | None = None
        try:
            async with asyncio.timeout(seconds), AsyncExitStack() as opened:
                if server.transport is Transport.HTTP:
                    guarded = GuardedTransport(self._gate, max_bytes=self.limits.max_answer_bytes, seconds=seconds)
                    http = await opened.enter_async_context(
                        httpx2.AsyncClient(
                            transport=guarded, headers=_headers(server, secret), timeout=seconds, trust_env=False
                        )
                    )
                    reach: Any = streamable_http_client(
                        server.address, http_client=http, max_sse_event_size=self.limits.max_answer_bytes
                    )
                else:
                    reach = self._parameters(server.address)
                yield await opened.enter_async_context(self._client(reach, server.timeout))
        except TimeoutError:
            raise McpAway(f"The MCP server {server.name} did not answer within {seconds:g} s.") from None
        except (MCPError, httpx2.HTTPError, OSError, RuntimeError, ValueError) as failure:
            raise _explain(server, guarded, failure) from failure
        except BaseExceptionGroup as group:
            raise _explain(server, guarded, _first(group)) from group

    def _client(self, reach: Any, timeout: timedelta) -> Client:
        return Client(
            reach,
            read_timeout_seconds=timeout.total_seconds(),
            client_info=mcp_types.Implementation(name="mainspring", version=__version__),
            input_required_max_rounds=1,
            cache=None,
        )

    def _parameters(self, name: str) -> StdioServerParameters:
        program = self._program(name)
        return StdioServerParameters(
            command=program.command,
            args=list(program.arguments),
            env=dict(program.environment),
            cwd=program.folder,
        )

    def _program(self, name: str) -> Program:
        if name not in self.programs:
            known = ", ".join(sorted(self.programs)) or "none"
            raise McpFailure(f"The operator has configured no MCP program {name[:80]!r} (configured: {known}).")
        return self.programs[name]

    async def _walk(self, client: Client) -> tuple[Offered, ...]:
        found: dict[str, Offered] = {}
        cursor: str | None = None
        for _ in range(_MOST_PAGES):
            page = await client.list_tools(cursor=cursor)
            for tool in page.tools:
                offered = self._read_tool(tool)
                if offered is not None and len(found) < self.limits.max_tools:
                    found.setdefault(offered.name, offered)
            cursor = page.next_cursor
            if cursor is None:
                break
        return tuple(found.values())

    def _read_tool(self, tool: mcp_types.Tool) -> Offered | None:
        """The tool, unless its name or schema cannot be used."""
        text = msgspec.json.encode(tool.input_schema)
        is_named = 1 <= len(tool.name) <= _MOST_NAME and tool.name.isprintable()
        if not is_named or len(text) > self.limits.max_schema_bytes or b"\\u0000" in text:
            return None
        try:
            check_arguments(tool.input_schema, "{}")
        except InvalidRequest:
            return None
        hints = tool.annotations.model_dump(mode="json", exclude_none=True) if tool.annotations else {}
        told = [tool.name, tool.title, tool.description, tool.input_schema, hints]
        digest = sha256(msgspec.json.encode(told, order="sorted")).hexdigest()
        description = (tool.description or "").replace("\0", "")[: self.limits.max_description_characters]
        return Offered(tool.name, description, tool.input_schema, _plain(hints), digest)


async def _send(client: Client, asked: mcp_types.CallToolRequest) -> mcp_types.CallToolResult:
    """The answer, without what the SDK's own `call_tool` adds: a list of all tools, to hold the answer against a schema
    of the server's with patterns that may never end.
    """
    try:
        return await client.session.send_request(asked, mcp_types.CallToolResult)
    except MCPError as refused:
        if refused.code != mcp_types.HEADER_MISMATCH:
            raise
    await client.list_tools()  # now the session knows which arguments the server wants as headers as well
    return await client.session.send_request(asked, mcp_types.CallToolResult)


def _plain(hints: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in hints.items() if isinstance(value, bool)}


def _headers(server: Server, secret: str | None) -> dict[str, str]:
    if secret is None:
        return {}
    return {server.header: f"Bearer {secret}" if server.header == DEFAULT_HEADER else secret}


def _explain(server: Server, guarded: GuardedTransport | None, failure: BaseException) -> MainspringError:
    """What went wrong, as far as it can be told: our own transport knows better than the protocol."""
    if guarded is not None and guarded.trouble is not None:
        return guarded.trouble
    if isinstance(failure, MainspringError):
        return failure
    if isinstance(failure, MCPError):
        return McpFailure(f"The MCP server {server.name} answered with an error: {failure.message[:_SHOWN]}")
    if isinstance(failure, TimeoutError | OSError):
        return McpAway(f"The MCP server {server.name} could not be reached ({type(failure).__name__}).")
    return McpFailure(f"The MCP server {server.name} does not speak MCP as it should ({type(failure).__name__}).")


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    first: BaseException = group
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    if isinstance(first, asyncio.CancelledError | KeyboardInterrupt | SystemExit):
        raise first
    return first


def _read_answer(answer: mcp_types.CallToolResult) -> Json | Partial | Empty:
    texts, left_out = _texts(answer.content)
    text = "\n".join(texts)
    if answer.is_error:
        raise ToolError(text or "The tool failed and said nothing.")
    content: Json = answer.structured_content if answer.structured_content is not None else text
    if left_out:
        return Partial(content, f"Left out, as they cannot be shown as text: {', '.join(left_out)}.")
    return content


def _texts(blocks: Sequence[Any]) -> tuple[list[str], list[str]]:
    texts: list[str] = []
    left_out: list[str] = []
    for block in blocks:
        match block:
            case mcp_types.TextContent(text=text):
                texts.append(text)
            case mcp_types.ResourceLink(uri=uri, name=name):
                texts.append(f"{name}: {uri}")
            case mcp_types.EmbeddedResource(resource=mcp_types.TextResourceContents(text=text)):
                texts.append(text)
            case _:
                left_out.append(str(getattr(block, "mime_type", None) or block.type)[:80])
    return texts, left_out
