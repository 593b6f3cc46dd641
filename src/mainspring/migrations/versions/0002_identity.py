"""Tenants, people, memberships, API keys and sessions."""

from alembic import op

from mainspring.migrations.isolation import CURRENT_TENANT, allow_system, isolate

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    _tenants()
    _people()
    _keys()
    _sessions()


def _tenants() -> None:
    op.execute("""
        create table tenant (
            id uuid primary key,
            slug text not null constraint tenant_slug_unique unique,
            name text not null,
            ai_enabled boolean not null default true,
            created_at timestamptz not null default now()
        )""")
    op.execute("alter table tenant enable row level security")
    op.execute("alter table tenant force row level security")
    op.execute(
        "create policy tenant_isolation on tenant for all to mainspring_tenant "
        f"using (id = {CURRENT_TENANT}) with check (id = {CURRENT_TENANT})"
    )
    op.execute("grant select, insert, update on tenant to mainspring_tenant")
    allow_system(op, "tenant", "select")


def _people() -> None:
    op.execute("""
        create table user_account (
            id uuid primary key,
            email text not null,
            name text not null,
            password_hash text,
            created_at timestamptz not null default now()
        )""")
    op.execute("create unique index user_account_email_unique on user_account (lower(email))")
    op.execute("""
        create table membership (
            tenant_id uuid not null references tenant (id) on delete cascade,
            id uuid not null,
            user_id uuid not null references user_account (id),
            name text not null,
            role text not null constraint membership_role_known
                check (role in ('owner', 'admin', 'reviewer', 'analyst', 'viewer')),
            password_hash text,
            created_at timestamptz not null default now(),
            primary key (tenant_id, id),
            constraint membership_once unique (tenant_id, user_id)
        )""")
    op.execute("create index membership_user on membership (user_id)")
    isolate(op, "membership")
    allow_system(op, "membership", "select")
    # A tenant sees the people whose membership it sees, and of them not the hash of their own password.
    op.execute("alter table user_account enable row level security")
    op.execute("alter table user_account force row level security")
    op.execute(
        "create policy tenant_isolation on user_account for select to mainspring_tenant "
        "using (exists (select 1 from membership where membership.user_id = user_account.id))"
    )
    op.execute("grant select (id, email, name, created_at) on user_account to mainspring_tenant")
    allow_system(op, "user_account", "select, insert")


def _keys() -> None:
    op.execute("""
        create table api_key (
            tenant_id uuid not null references tenant (id) on delete cascade,
            id uuid not null,
            name text not null,
            prefix text not null constraint api_key_prefix_unique unique,
            secret_hash bytea not null,
            scopes text[] not null,
            created_by uuid references user_account (id),
            parent_id uuid,
            created_at timestamptz not null default now(),
            expires_at timestamptz,
            revoked_at timestamptz,
            last_used_at timestamptz,
            primary key (tenant_id, id),
            foreign key (tenant_id, parent_id) references api_key (tenant_id, id)
        )""")
    isolate(op, "api_key")
    allow_system(op, "api_key", "select")
    op.execute("grant update (last_used_at) on api_key to mainspring_system")


def _sessions() -> None:
    op.execute("""
        create table session (
            tenant_id uuid not null references tenant (id) on delete cascade,
            id uuid not null,
            token_hash bytea not null constraint session_token_unique unique,
            user_id uuid not null references user_account (id),
            created_at timestamptz not null default now(),
            expires_at timestamptz not null,
            revoked_at timestamptz,
            primary key (tenant_id, id)
        )""")
    op.execute("create index session_of_user on session (tenant_id, user_id)")
    isolate(op, "session")
    allow_system(op, "session", "select")
    op.execute("grant update (revoked_at) on session to mainspring_system")
