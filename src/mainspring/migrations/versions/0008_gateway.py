"""What the gateway needs: wider records, policies, keys of providers, spend by day, and what it learns."""

from alembic import op

from mainspring.migrations.isolation import allow_system, isolate

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    # Records arrive by COPY in a temporary table, which only the platform's own role may make.
    op.execute(
        "do $$ begin execute format('grant temporary on database %I to mainspring_system', current_database()); end $$"
    )
    _widen_records()
    _create_policies()
    _create_learned()
    _log_changes()


def _widen_records() -> None:
    op.execute("""
        alter table inference_record
            add column key_id uuid,
            add column end_user text,
            add column residency text,
            add column release text,
            add column cache_write_tokens integer not null default 0,
            add column usage_source text not null default 'provider',
            add column structured text,
            add column own_key boolean not null default false""")
    op.execute("drop index inference_record_run")
    op.execute("create index inference_record_run on inference_record (tenant_id, run_id, id) where run_id is not null")
    op.execute("alter table inference_payload add column dialect text")


def _create_policies() -> None:
    op.execute("""
        create table gateway_policy (
            tenant_id uuid primary key,
            version integer not null,
            document jsonb not null,
            updated_at timestamptz not null default now(),
            updated_by text not null
        )""")
    isolate(op, "gateway_policy")
    allow_system(op, "gateway_policy", "select")
    op.execute("""
        create table tenant_data_key (
            tenant_id uuid not null,
            version integer not null,
            wrapped bytea not null,
            created_at timestamptz not null default now(),
            primary key (tenant_id, version)
        )""")
    isolate(op, "tenant_data_key")
    allow_system(op, "tenant_data_key", "select")
    op.execute("""
        create table provider_key (
            tenant_id uuid not null,
            provider text not null,
            sealed bytea not null,
            last_four text not null,
            created_at timestamptz not null default now(),
            created_by text not null,
            primary key (tenant_id, provider)
        )""")
    isolate(op, "provider_key")
    allow_system(op, "provider_key", "select")
    op.execute("""
        create table gateway_spend (
            tenant_id uuid not null,
            scope text not null,
            value text not null,
            spent_on date not null,
            cost_micros bigint not null,
            tokens bigint not null,
            calls bigint not null,
            primary key (tenant_id, scope, value, spent_on)
        )""")
    isolate(op, "gateway_spend")
    allow_system(op, "gateway_spend", "select, insert, update")


def _create_learned() -> None:
    op.execute("""
        create table semantic_entry (
            tenant_id uuid not null,
            id uuid not null,
            context bytea not null,
            feature text not null,
            embedding halfvec(384) not null,
            reply bytea not null,
            observations jsonb not null default '[]',
            hits integer not null default 0,
            shadowed integer not null default 0,
            wrong integer not null default 0,
            created_at timestamptz not null default now(),
            expires_at timestamptz not null,
            primary key (tenant_id, id)
        )""")
    op.execute("create index semantic_entry_context on semantic_entry (tenant_id, context)")
    op.execute("create index semantic_entry_age on semantic_entry (expires_at)")
    isolate(op, "semantic_entry")
    allow_system(op, "semantic_entry", "select, delete")
    op.execute("""
        create table route_outcome (
            tenant_id uuid not null,
            id uuid not null,
            model text not null,
            embedding halfvec(384) not null,
            score real not null check (score between 0 and 1),
            created_at timestamptz not null default now(),
            primary key (tenant_id, id)
        )""")
    isolate(op, "route_outcome")


def _log_changes() -> None:
    """Note which transaction changed what a tenant has configured, whoever changed it and however.

    A number of a transaction, unlike a time, tells for sure what was not committed at the last look.
    """
    op.execute("create unique index api_key_secret on api_key (secret_hash)")
    op.execute("""
        create table tenant_change (
            transaction bigint not null,
            tenant_id uuid not null,
            changed_at timestamptz not null default now(),
            primary key (transaction, tenant_id)
        )""")
    isolate(op, "tenant_change")
    allow_system(op, "tenant_change", "select, delete")
    op.execute("""
        create function log_tenant_change() returns trigger language plpgsql as $$
        declare changed uuid;
        begin
            if tg_table_name = 'tenant' then changed := new.id;
            elsif tg_op = 'DELETE' then changed := old.tenant_id;
            else changed := new.tenant_id;
            end if;
            insert into tenant_change (transaction, tenant_id)
            values (pg_current_xact_id()::text::bigint, changed) on conflict do nothing;
            return null;
        end $$""")
    for table, changes in {
        "tenant": "insert or update of ai_enabled",
        "membership": "update of role or delete",
        "api_key": "insert or update of scopes, expires_at, revoked_at or delete",
        "gateway_policy": "insert or update or delete",
        "provider_key": "insert or update or delete",
    }.items():
        when = f"after {changes} on {table} for each row"
        op.execute(f"create trigger {table}_change {when} execute function log_tenant_change()")
