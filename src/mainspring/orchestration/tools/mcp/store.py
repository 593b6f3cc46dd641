"""SQL of MCP servers and of what was seen at them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from mainspring.foundation.db import Row, TenantTransaction

_UPSERT_TOOL = """
    insert into mcp_tool (tenant_id, server_id, name, shown_as, description, input_schema, hints, digest)
    values (%(tenant)s, %(server)s, %(name)s, %(shown_as)s, %(description)s, %(input_schema)s, %(hints)s, %(digest)s)
    on conflict (tenant_id, server_id, name) do update
       set digest = excluded.digest, is_gone = false, seen_at = now(), description = excluded.description,
           input_schema = excluded.input_schema, hints = excluded.hints"""

_TOOLS = """
    select t.*, s.name as server_name from mcp_tool t
      join mcp_server s on s.tenant_id = t.tenant_id and s.id = t.server_id
     where t.tenant_id = %(tenant)s and (%(server)s::uuid is null or t.server_id = %(server)s)
     order by t.server_id, t.name"""


async def insert_server(transaction: TenantTransaction, server: dict[str, Any]) -> Row | None:
    """The new server; None when the name is taken."""
    return await transaction.first(
        """
        insert into mcp_server (tenant_id, id, name, transport, address, secret, header, timeout_seconds, created_by)
        values (%(tenant)s, %(id)s, %(name)s, %(transport)s, %(address)s, %(secret)s, %(header)s, %(seconds)s, %(by)s)
        on conflict (tenant_id, name) do nothing
        returning *""",
        tenant=transaction.tenant,
        **server,
    )


async def find_server(transaction: TenantTransaction, server: UUID) -> Row | None:
    """One server of the tenant."""
    return await transaction.first(
        "select * from mcp_server where tenant_id = %(tenant)s and id = %(id)s",
        tenant=transaction.tenant,
        id=server,
    )


async def list_servers(transaction: TenantTransaction) -> list[Row]:
    """Every server of the tenant, by name."""
    return await transaction.all(
        "select * from mcp_server where tenant_id = %(tenant)s order by name", tenant=transaction.tenant
    )


async def count_servers(transaction: TenantTransaction) -> int:
    """How many servers the tenant has; they are few."""
    row = await transaction.one(
        "select count(*) as count from mcp_server where tenant_id = %(tenant)s", tenant=transaction.tenant
    )
    return row["count"]


async def update_server(transaction: TenantTransaction, server: UUID, change: dict[str, Any]) -> Row | None:
    """Change how a server is reached; None when there is none."""
    return await transaction.first(
        """
        update mcp_server set address = coalesce(%(address)s, address), secret = coalesce(%(secret)s, secret),
                              header = coalesce(%(header)s, header),
                              timeout_seconds = coalesce(%(seconds)s, timeout_seconds)
         where tenant_id = %(tenant)s and id = %(id)s
        returning *""",
        tenant=transaction.tenant,
        id=server,
        **change,
    )


async def delete_server(transaction: TenantTransaction, server: UUID) -> bool:
    """Whether there was such a server; its tools go with it."""
    return (
        await transaction.run(
            "delete from mcp_server where tenant_id = %(tenant)s and id = %(id)s",
            tenant=transaction.tenant,
            id=server,
        )
        == 1
    )


async def note_listing(transaction: TenantTransaction, server: UUID, trouble: str | None) -> None:
    """Note that the server was asked now, and what went wrong."""
    await transaction.run(
        """
        update mcp_server set listed_at = now(), trouble = %(trouble)s
         where tenant_id = %(tenant)s and id = %(id)s""",
        tenant=transaction.tenant,
        id=server,
        trouble=trouble,
    )


async def lock_server(transaction: TenantTransaction, server: UUID) -> Row | None:
    """The server, held until the transaction ends: two listings of it are stored one after the other."""
    return await transaction.first(
        "select * from mcp_server where tenant_id = %(tenant)s and id = %(id)s for update",
        tenant=transaction.tenant,
        id=server,
    )


async def store_tools(transaction: TenantTransaction, server: UUID, tools: Sequence[dict[str, Any]]) -> None:
    """Take what the server offers now; tools that it offers no more are gone, and what was approved stays noted."""
    await transaction.run(
        """
        update mcp_tool set is_gone = true
         where tenant_id = %(tenant)s and server_id = %(server)s and name <> all(%(names)s)""",
        tenant=transaction.tenant,
        server=server,
        names=[tool["name"] for tool in tools],
    )
    await transaction.run(
        """
        delete from mcp_tool
         where tenant_id = %(tenant)s and server_id = %(server)s and is_gone and approved_digest is null""",
        tenant=transaction.tenant,
        server=server,
    )
    rows = [
        {
            **tool,
            "tenant": transaction.tenant,
            "server": server,
            "input_schema": Jsonb(tool["input_schema"]),
            "hints": Jsonb(tool["hints"]),
        }
        for tool in tools
    ]
    if rows:
        await transaction.many(_UPSERT_TOOL, rows)


async def list_tools(transaction: TenantTransaction, server: UUID | None = None) -> list[Row]:
    """Tools that were seen at one server, or at all of them, with `server_name`."""
    return await transaction.all(_TOOLS, tenant=transaction.tenant, server=server)


async def find_tool(transaction: TenantTransaction, shown_as: str) -> Row | None:
    """A tool by the name under which models know it."""
    return await transaction.first(
        "select * from mcp_tool where tenant_id = %(tenant)s and shown_as = %(shown_as)s",
        tenant=transaction.tenant,
        shown_as=shown_as,
    )


async def approve_tools(transaction: TenantTransaction, server: UUID, *, effects: dict[str, str], by: str) -> None:
    """Pin what the server offers now."""
    await transaction.run(
        """
        update mcp_tool set approved_digest = digest, effects = coalesce(%(effects)s::jsonb ->> name, effects)
         where tenant_id = %(tenant)s and server_id = %(server)s and not is_gone""",
        tenant=transaction.tenant,
        server=server,
        effects=Jsonb(effects),
    )
    await transaction.run(
        """
        update mcp_server set approved_at = now(), approved_by = %(by)s
         where tenant_id = %(tenant)s and id = %(server)s""",
        tenant=transaction.tenant,
        server=server,
        by=by,
    )


async def withdraw_approval(transaction: TenantTransaction, server: UUID) -> None:
    """Nothing of the server is approved any more."""
    where = {"tenant": transaction.tenant, "server": server}
    await transaction.run(
        "update mcp_tool set approved_digest = null where tenant_id = %(tenant)s and server_id = %(server)s", **where
    )
    await transaction.run(
        """
        update mcp_server set approved_at = null, approved_by = null, listed_at = null
         where tenant_id = %(tenant)s and id = %(server)s""",
        **where,
    )
