"""Tools: calls, what was read in a scope, policies, secrets, and MCP servers with what was approved of them."""

from alembic import op

from mainspring.migrations.isolation import allow_system, isolate

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    _calls()
    _policies()
    _servers()


def _calls() -> None:
    op.execute("""
        create table tool_call (
            tenant_id uuid not null,
            id uuid not null,
            scope text not null,
            call_id text not null,
            tool text not null,
            arguments_digest bytea not null,
            status text not null,
            fence integer not null default 1,
            leased_until timestamptz,
            approval_id uuid,
            approval_digest text,
            result_status text,
            error_code text,
            is_untrusted boolean not null default false,
            result bytea,
            record_id uuid,
            principal text not null,
            run_id uuid,
            step text,
            agent text,
            created_at timestamptz not null default now(),
            finished_at timestamptz,
            constraint tool_call_key primary key (tenant_id, id),
            constraint tool_call_once unique (tenant_id, scope, call_id),
            constraint tool_call_status_known check (status in ('running', 'awaiting', 'done')),
            constraint tool_call_running_has_lease check ((status = 'running') = (leased_until is not null)),
            constraint tool_call_done_has_result check ((status = 'done') = (result_status is not null)),
            constraint tool_call_awaiting_has_approval check (status <> 'awaiting' or approval_id is not null)
        )""")
    op.execute("create index tool_call_by_run on tool_call (tenant_id, run_id, id) where run_id is not null")
    op.execute("create index tool_call_age on tool_call (finished_at) where finished_at is not null")
    isolate(op, "tool_call")
    allow_system(op, "tool_call", "select, delete")
    op.execute("""
        create table tool_scope (
            tenant_id uuid not null,
            scope text not null,
            untrusted_since timestamptz not null default now(),
            source text not null,
            constraint tool_scope_key primary key (tenant_id, scope)
        )""")
    isolate(op, "tool_scope")


def _policies() -> None:
    op.execute("""
        create table tool_policy (
            tenant_id uuid not null,
            tool text not null,
            document jsonb not null,
            updated_at timestamptz not null default now(),
            updated_by text not null,
            constraint tool_policy_key primary key (tenant_id, tool)
        )""")
    isolate(op, "tool_policy")
    op.execute("""
        create table tool_secret (
            tenant_id uuid not null,
            name text not null,
            sealed bytea not null,
            created_at timestamptz not null default now(),
            created_by text not null,
            constraint tool_secret_key primary key (tenant_id, name)
        )""")
    isolate(op, "tool_secret")


def _servers() -> None:
    op.execute("""
        create table mcp_server (
            tenant_id uuid not null,
            id uuid not null,
            name text not null,
            transport text not null,
            address text not null,
            secret text,
            header text not null default 'Authorization',
            timeout_seconds real not null default 30,
            listed_at timestamptz,
            trouble text,
            created_at timestamptz not null default now(),
            created_by text not null,
            approved_at timestamptz,
            approved_by text,
            constraint mcp_server_key primary key (tenant_id, id),
            constraint mcp_server_name unique (tenant_id, name),
            constraint mcp_server_transport_known check (transport in ('http', 'stdio'))
        )""")
    isolate(op, "mcp_server")
    op.execute("""
        create table mcp_tool (
            tenant_id uuid not null,
            server_id uuid not null,
            name text not null,
            shown_as text not null,
            description text not null,
            input_schema jsonb not null,
            hints jsonb not null default '{}',
            digest text not null,
            approved_digest text,
            effects text not null default 'writes',
            seen_at timestamptz not null default now(),
            is_gone boolean not null default false,
            constraint mcp_tool_key primary key (tenant_id, server_id, name),
            constraint mcp_tool_shown_once unique (tenant_id, shown_as),
            constraint mcp_tool_effects_known check (effects in ('none', 'reads', 'writes')),
            constraint mcp_tool_of_server foreign key (tenant_id, server_id)
                references mcp_server (tenant_id, id) on delete cascade
        )""")
    isolate(op, "mcp_tool")
