"""The MCP servers of a tenant: registered, looked at, approved by a person, and watched for change.

What is approved is a digest of each tool's name, title, description, schema and hints. A server that changes one of
them afterwards has another digest, and the tool is out of use until somebody looks again: a description is read by
models, so whoever may change it unseen could tell them what to do.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from mainspring.foundation.db import Database, Row, TenantTransaction
from mainspring.foundation.errors import Conflict, InvalidInput, MainspringError, NotFound
from mainspring.foundation.ids import TenantId, new_id, show_id
from mainspring.foundation.principal import Principal
from mainspring.foundation.telemetry import get_logger
from mainspring.orchestration.tools.declaring import SECRET_NAME
from mainspring.orchestration.tools.errors import ListingChanged, McpFailure
from mainspring.orchestration.tools.secrets import Revealed, ToolSecrets
from mainspring.orchestration.tools.types import Effects

from . import store
from .client import McpClient
from .reading import read_server, read_tool, shown_as, view
from .types import SERVER_PREFIX, NewServer, Offered, Server, ServerChange, ServerTool, ServerView, ToolState

log = get_logger(__name__)

MANAGE = "tool.manage"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}")
_FORBIDDEN_HEADERS = frozenset({"host", "content-length", "content-type", "accept", "connection", "transfer-encoding"})
_LONGEST = timedelta(minutes=5)
_MOST_SERVERS = 50
_MOST_ADDRESS = 2_000


class McpServers:
    """Use cases on the MCP servers of a tenant; all need `tool.manage`."""

    def __init__(self, database: Database, secrets: ToolSecrets, client: McpClient) -> None:
        self._database = database
        self._secrets = secrets
        self._client = client

    async def register(self, principal: Principal, new: NewServer) -> ServerView:
        """Note a server and ask what it offers. Nothing of it is used before `approve`.

        A server that does not answer is registered all the same, and says what the trouble is.
        raises   InvalidInput, UrlRefused, McpFailure for an address that may not be used; Conflict for a known name
        """
        principal.require(MANAGE)
        self._check(new)
        row = {
            "id": new_id(),
            "name": new.name,
            "transport": new.transport.value,
            "address": new.address,
            "secret": new.secret,
            "header": new.header,
            "seconds": new.timeout.total_seconds(),
            "by": principal.name,
        }
        async with self._database.tenant(principal.tenant) as transaction:
            if await store.count_servers(transaction) >= _MOST_SERVERS:
                raise InvalidInput(f"There are {_MOST_SERVERS} MCP servers, which is the limit; delete one first.")
            stored = await store.insert_server(transaction, row)
        if stored is None:
            raise Conflict(f"There is an MCP server {new.name!r} already; choose another name, or change that one.")
        return await self._list_now(principal.tenant, read_server(stored))

    async def change(self, principal: Principal, server: UUID, change: ServerChange) -> ServerView:
        """Reach the server in another way. Another address, secret or header takes the approval away."""
        principal.require(MANAGE)
        async with self._database.tenant(principal.tenant) as transaction:
            present = read_server(await _get(transaction, server))
        merged = NewServer(
            present.name,
            change.address or present.address,
            present.transport,
            change.secret or present.secret,
            change.header or present.header,
            change.timeout or present.timeout,
        )
        self._check(merged)
        row = {
            "address": change.address,
            "secret": change.secret,
            "header": change.header,
            "seconds": change.timeout.total_seconds() if change.timeout else None,
        }
        is_other = (merged.address, merged.secret, merged.header) != (present.address, present.secret, present.header)
        async with self._database.tenant(principal.tenant) as transaction:
            stored = await store.update_server(transaction, server, row)
            if stored is not None and is_other:
                await store.withdraw_approval(transaction, server)
        if stored is None:
            raise _not_found(server)
        return await self._list_now(principal.tenant, read_server(stored))

    async def get(self, principal: Principal, server: UUID) -> ServerView:
        """A server with its tools as they were last seen."""
        principal.require(MANAGE)
        return await self._view(principal.tenant, server)

    async def list(self, principal: Principal) -> list[ServerView]:
        """Every server by name, with its tools as they were last seen."""
        principal.require(MANAGE)
        async with self._database.tenant(principal.tenant) as transaction:
            servers = [read_server(row) for row in await store.list_servers(transaction)]
            rows = await store.list_tools(transaction)
        return [view(each, [read_tool(row) for row in rows if row["server_id"] == each.id]) for each in servers]

    async def refresh(self, principal: Principal, server: UUID) -> ServerView:
        """Ask the server now what it offers."""
        principal.require(MANAGE)
        async with self._database.tenant(principal.tenant) as transaction:
            found = read_server(await _get(transaction, server))
        return await self._list_now(principal.tenant, found)

    async def approve(
        self, principal: Principal, server: UUID, *, digest: str, effects: Mapping[str, Effects] | None = None
    ) -> ServerView:
        """Let the tools be used as they are now.

        digest   of the view that was looked at; ListingChanged when the server offers something else since
        effects  by tool; those that are not named keep theirs, which is WRITES until somebody says otherwise
        """
        principal.require(MANAGE)
        said = effects or {}
        async with self._database.tenant(principal.tenant) as transaction:
            row = await store.lock_server(transaction, server)
            if row is None:
                raise _not_found(server)
            present = view(read_server(row), await _tools(transaction, server))
            if present.digest != digest:
                raise ListingChanged(
                    f"The digest {digest[:64]!r} is not that of what {row['name']} offers now, {present.digest!r}. "
                    "Look at its tools again."
                )
            unknown = said.keys() - {each.offered.name for each in present.tools}
            if unknown:
                raise InvalidInput(f"effects names {min(unknown)[:80]!r}, which {row['name']} does not offer.")
            named = {name: effect.value for name, effect in said.items()}
            await store.approve_tools(transaction, server, effects=named, by=principal.name)
        return await self._view(principal.tenant, server)

    async def delete(self, principal: Principal, server: UUID) -> None:
        """Forget a server and its tools."""
        principal.require(MANAGE)
        async with self._database.tenant(principal.tenant) as transaction:
            if not await store.delete_server(transaction, server):
                raise _not_found(server)

    async def look_again(self, tenant: TenantId, server: Server) -> None:
        """Ask what the server offers, and store it; a failure is noted and does not raise."""
        secret = Revealed(self._secrets, tenant, (server.secret,) if server.secret else ())
        offered: tuple[Offered, ...] | None = None
        trouble: str | None = None
        try:
            value = await secret(server.secret) if server.secret else None
            offered = await self._client.list_tools(server, value)
        except MainspringError as failure:
            trouble = secret.strike(failure.detail)[:1000].replace("\0", "")
            log.warning("mcp_server_not_listed", server=str(server.id), code=failure.code)
        async with self._database.tenant(tenant) as transaction:
            if await store.lock_server(transaction, server.id) is None:
                return
            await store.note_listing(transaction, server.id, trouble)
            if offered is not None:
                await store.store_tools(transaction, server.id, [_row(server, each) for each in offered])
                changed = [each for each in await _tools(transaction, server.id) if each.state is ToolState.CHANGED]
                if changed:
                    log.warning("mcp_tools_changed", server=str(server.id), tools=len(changed))

    async def _list_now(self, tenant: TenantId, server: Server) -> ServerView:
        await self.look_again(tenant, server)
        return await self._view(tenant, server.id)

    async def _view(self, tenant: TenantId, server: UUID) -> ServerView:
        async with self._database.tenant(tenant) as transaction:
            found = read_server(await _get(transaction, server))
            return view(found, await _tools(transaction, server))

    def _check(self, new: NewServer) -> None:
        if not _NAME.fullmatch(new.name):
            raise InvalidInput(f"The name {new.name[:80]!r} must be 1 to 31 of a-z, 0-9 and -, the first a letter.")
        if not (1 <= len(new.address) <= _MOST_ADDRESS and new.address.isprintable()):
            raise InvalidInput(f"The address has {len(new.address)} characters; give 1 to {_MOST_ADDRESS:,} of them.")
        if new.secret is not None and not SECRET_NAME.fullmatch(new.secret):
            raise InvalidInput("secret is the name of a tool secret (PUT /v1/tool-secrets/{name}), never its value.")
        if not _HEADER.fullmatch(new.header) or new.header.lower() in _FORBIDDEN_HEADERS:
            raise InvalidInput(f"The header {new.header[:80]!r} cannot carry a secret; use Authorization or X-Api-Key.")
        if not timedelta(0) < new.timeout <= _LONGEST:
            raise InvalidInput(f"The timeout must be above 0 and at most {_LONGEST.total_seconds():g} s.")
        try:
            self._client.check_address(new.transport, new.address, has_secret=new.secret is not None)
        except McpFailure as unknown:
            raise InvalidInput(unknown.detail) from None


async def _get(transaction: TenantTransaction, server: UUID) -> Row:
    row = await store.find_server(transaction, server)
    if row is None:
        raise _not_found(server)
    return row


async def _tools(transaction: TenantTransaction, server: UUID) -> list[ServerTool]:
    return [read_tool(row) for row in await store.list_tools(transaction, server)]


def _not_found(server: UUID) -> NotFound:
    return NotFound(f"There is no {SERVER_PREFIX}_... with the id {show_id(SERVER_PREFIX, server)!r}.")


def _row(server: Server, offered: Offered) -> dict[str, object]:
    return {
        "name": offered.name,
        "shown_as": shown_as(server.name, offered.name),
        "description": offered.description,
        "input_schema": offered.input_schema,
        "hints": offered.hints,
        "digest": offered.digest,
    }
