"""Runs, their steps, and the story of each run."""

from alembic import op

from mainspring.migrations.isolation import allow_system, isolate

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    _runs()
    _steps()
    _events()
    for table in ("run", "step", "run_event"):
        isolate(op, table)
        allow_system(op, table, "select, insert, update")
    op.execute("revoke update, delete on run_event from mainspring_tenant")
    op.execute("revoke update on run_event from mainspring_system")


def _runs() -> None:
    op.execute("""
        create table run (
            id uuid primary key,
            tenant_id uuid not null,
            pipeline text not null,
            version integer not null,
            status text not null,
            subject text,
            input jsonb not null,
            priority smallint not null default 0,
            deadline timestamptz,
            idempotency_key text,
            event_seq integer not null default 0,
            error_code text,
            error_detail text,
            created_at timestamptz not null default now(),
            started_at timestamptz,
            finished_at timestamptz,
            constraint run_status_known
                check (status in ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
            constraint run_final_has_end
                check ((finished_at is not null) = (status in ('succeeded', 'failed', 'cancelled'))),
            constraint run_idempotency unique (tenant_id, idempotency_key)
        )""")
    op.execute("create index run_newest on run (tenant_id, id)")
    op.execute("create index run_by_subject on run (tenant_id, subject, id) where subject is not null")
    op.execute(
        "create index run_deadline on run (deadline) where deadline is not null and status in ('queued', 'running')"
    )
    _guard(
        "run",
        "('queued', 'running'), ('queued', 'failed'), ('queued', 'cancelled'), "
        "('running', 'succeeded'), ('running', 'failed'), ('running', 'cancelled')",
    )


def _steps() -> None:
    op.execute("""
        create table step (
            run_id uuid not null references run (id) on delete cascade,
            name text not null,
            map_key text not null default '',
            tenant_id uuid not null,
            position smallint not null,
            title text not null,
            lane text not null,
            after text[] not null,
            status text not null,
            priority smallint not null default 0,
            attempt integer not null default 0,
            failures integer not null default 0,
            losses integer not null default 0,
            token uuid,
            lease_until timestamptz,
            due_at timestamptz,
            output jsonb,
            input jsonb,
            error_code text,
            error_detail text,
            error_trace text,
            started_at timestamptz,
            finished_at timestamptz,
            primary key (run_id, name, map_key),
            constraint step_status_known
                check (status in ('waiting', 'ready', 'running', 'succeeded', 'failed', 'cancelled')),
            constraint step_running_is_leased
                check ((status = 'running') = (token is not null and lease_until is not null)),
            constraint step_due_is_waiting check (due_at is null or status = 'waiting'),
            constraint step_output_is_success check ((status = 'succeeded') = (output is not null))
        ) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0)""")
    op.execute("create index step_ready on step (lane, tenant_id, priority desc, run_id) where status = 'ready'")
    op.execute("create index step_leased on step (lane, lease_until) where status = 'running'")
    op.execute("create index step_due on step (due_at) where status = 'waiting' and due_at is not null")
    _guard(
        "step",
        "('waiting', 'ready'), ('waiting', 'cancelled'), ('ready', 'running'), ('ready', 'cancelled'), "
        "('running', 'succeeded'), ('running', 'failed'), ('running', 'cancelled'), "
        "('running', 'waiting'), ('running', 'ready')",
    )


def _events() -> None:
    op.execute("""
        create table run_event (
            run_id uuid not null references run (id) on delete cascade,
            seq integer not null,
            tenant_id uuid not null,
            type text not null,
            facts jsonb not null,
            key text,
            at timestamptz not null default now(),
            primary key (run_id, seq),
            constraint run_event_seq_positive check (seq > 0)
        )""")
    op.execute("create unique index run_event_once on run_event (run_id, key) where key is not null")


def _guard(table: str, legal: str) -> None:
    """Refuse each change of status that is not in `legal`; the trigger fires for those only, so legal ones are free."""
    op.execute(f"""
        create function {table}_refuse_transition() returns trigger language plpgsql as $$
        begin
            raise exception '{table} cannot go from % to %', old.status, new.status
                using errcode = 'check_violation', constraint = '{table}_transition';
        end $$""")
    op.execute(f"""
        create trigger {table}_transition before update on {table} for each row
        when (old.status is distinct from new.status and (old.status, new.status) not in ({legal}))
        execute function {table}_refuse_transition()""")
