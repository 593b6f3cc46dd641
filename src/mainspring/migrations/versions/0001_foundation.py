"""Roles, the vector extension, and the outbox."""

from alembic import op

from mainspring.migrations.isolation import allow_system, isolate

revision = "0001"
down_revision = None

# Roles belong to the whole cluster: another database of it may have made them a moment ago.
_ROLE = """
do $$ begin
  create role {name} nologin noinherit;
exception when duplicate_object or unique_violation then null;
end $$"""


def upgrade() -> None:
    for name in ("mainspring_tenant", "mainspring_system", "mainspring_app"):
        op.execute(_ROLE.format(name=name))
    op.execute("grant mainspring_tenant, mainspring_system to mainspring_app")
    op.execute("grant usage on schema public to mainspring_tenant, mainspring_system, mainspring_app")
    op.execute("create extension if not exists vector")
    op.execute("""
        create table outbox (
            id uuid primary key,
            tenant_id uuid not null,
            topic text not null,
            payload jsonb not null,
            created_at timestamptz not null default now(),
            delivered_at timestamptz,
            attempts integer not null default 0,
            due_at timestamptz not null default now()
        )""")
    op.execute("create index outbox_undelivered on outbox (created_at, id) where delivered_at is null")
    isolate(op, "outbox")
    allow_system(op, "outbox", "select, insert, update, delete")
