"""The room's tables as the migration makes them."""

from sqlalchemy import (
    REAL,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects import postgresql

from mainspring.foundation.tables import metadata


def _tenant() -> Column[object]:
    return Column("tenant_id", postgresql.UUID, nullable=False)


def _text(name: str, default: str | None = None) -> Column[str]:
    return Column(name, Text, nullable=False, server_default=text(f"'{default}'") if default is not None else None)


def _instant(name: str, *, is_now: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=not is_now, server_default=text("now()") if is_now else None)


tool_call_table = Table(
    "tool_call",
    metadata,
    _tenant(),
    Column("id", postgresql.UUID, nullable=False),
    _text("scope"),
    _text("call_id"),
    _text("tool"),
    Column("arguments_digest", LargeBinary, nullable=False),
    _text("status"),
    Column("fence", Integer, nullable=False, server_default=text("1")),
    _instant("leased_until"),
    Column("approval_id", postgresql.UUID),
    Column("approval_digest", Text),
    Column("result_status", Text),
    Column("error_code", Text),
    Column("is_untrusted", Boolean, nullable=False, server_default=text("false")),
    Column("result", LargeBinary),
    Column("record_id", postgresql.UUID),
    _text("principal"),
    Column("run_id", postgresql.UUID),
    Column("step", Text),
    Column("agent", Text),
    _instant("created_at", is_now=True),
    _instant("finished_at"),
    PrimaryKeyConstraint("tenant_id", "id", name="tool_call_key"),
    UniqueConstraint("tenant_id", "scope", "call_id", name="tool_call_once"),
    CheckConstraint("status in ('running', 'awaiting', 'done')", name="tool_call_status_known"),
    CheckConstraint("(status = 'running') = (leased_until is not null)", name="tool_call_running_has_lease"),
    CheckConstraint("(status = 'done') = (result_status is not null)", name="tool_call_done_has_result"),
    CheckConstraint("status <> 'awaiting' or approval_id is not null", name="tool_call_awaiting_has_approval"),
    Index("tool_call_by_run", "tenant_id", "run_id", "id", postgresql_where=text("run_id is not null")),
    Index("tool_call_age", "finished_at", postgresql_where=text("finished_at is not null")),
)

tool_scope_table = Table(
    "tool_scope",
    metadata,
    _tenant(),
    _text("scope"),
    _instant("untrusted_since", is_now=True),
    _text("source"),
    PrimaryKeyConstraint("tenant_id", "scope", name="tool_scope_key"),
)

tool_policy_table = Table(
    "tool_policy",
    metadata,
    _tenant(),
    _text("tool"),
    Column("document", postgresql.JSONB, nullable=False),
    _instant("updated_at", is_now=True),
    _text("updated_by"),
    PrimaryKeyConstraint("tenant_id", "tool", name="tool_policy_key"),
)

tool_secret_table = Table(
    "tool_secret",
    metadata,
    _tenant(),
    _text("name"),
    Column("sealed", LargeBinary, nullable=False),
    _instant("created_at", is_now=True),
    _text("created_by"),
    PrimaryKeyConstraint("tenant_id", "name", name="tool_secret_key"),
)

mcp_server_table = Table(
    "mcp_server",
    metadata,
    _tenant(),
    Column("id", postgresql.UUID, nullable=False),
    _text("name"),
    _text("transport"),
    _text("address"),
    Column("secret", Text),
    _text("header", "Authorization"),
    Column("timeout_seconds", REAL, nullable=False, server_default=text("30")),
    _instant("listed_at"),
    Column("trouble", Text),
    _instant("created_at", is_now=True),
    _text("created_by"),
    _instant("approved_at"),
    Column("approved_by", Text),
    PrimaryKeyConstraint("tenant_id", "id", name="mcp_server_key"),
    UniqueConstraint("tenant_id", "name", name="mcp_server_name"),
    CheckConstraint("transport in ('http', 'stdio')", name="mcp_server_transport_known"),
)

mcp_tool_table = Table(
    "mcp_tool",
    metadata,
    _tenant(),
    Column("server_id", postgresql.UUID, nullable=False),
    _text("name"),
    _text("shown_as"),
    _text("description"),
    Column("input_schema", postgresql.JSONB, nullable=False),
    Column("hints", postgresql.JSONB, nullable=False, server_default=text("'{}'")),
    _text("digest"),
    Column("approved_digest", Text),
    _text("effects", "writes"),
    _instant("seen_at", is_now=True),
    Column("is_gone", Boolean, nullable=False, server_default=text("false")),
    PrimaryKeyConstraint("tenant_id", "server_id", "name", name="mcp_tool_key"),
    UniqueConstraint("tenant_id", "shown_as", name="mcp_tool_shown_once"),
    CheckConstraint("effects in ('none', 'reads', 'writes')", name="mcp_tool_effects_known"),
    ForeignKeyConstraint(
        ["tenant_id", "server_id"],
        ["mcp_server.tenant_id", "mcp_server.id"],
        name="mcp_tool_of_server",
        ondelete="CASCADE",
    ),
)
