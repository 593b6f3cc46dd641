"""What pipelines need to fan out, wait, start other runs, be undone, held and operated.

Code of the version before goes on working beside it: every new column has a default, and a run that is
inserted without an origin is its own.
"""

from alembic import op

from mainspring.migrations.isolation import allow_system, isolate

revision = "0013"
down_revision = "0012"

_RUN_MOVES = (
    "('queued', 'running'), ('queued', 'compensating'), ('queued', 'failed'), ('queued', 'cancelled'), "
    "('running', 'compensating'), ('running', 'succeeded'), ('running', 'failed'), ('running', 'cancelled'), "
    "('compensating', 'failed'), ('compensating', 'cancelled')"
)
_STEP_MOVES = (
    "('waiting', 'ready'), ('waiting', 'gathering'), ('waiting', 'cancelled'), "
    "('ready', 'running'), ('ready', 'cancelled'), "
    "('running', 'succeeded'), ('running', 'failed'), ('running', 'cancelled'), "
    "('running', 'waiting'), ('running', 'ready'), ('running', 'suspended'), ('running', 'gathering'), "
    "('suspended', 'succeeded'), ('suspended', 'failed'), ('suspended', 'cancelled'), ('suspended', 'ready'), "
    "('gathering', 'succeeded'), ('gathering', 'failed'), ('gathering', 'cancelled')"
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    _clock()
    _runs()
    _steps()
    _signals()
    _versions()
    _holds()
    _dead_letters()
    _schedules()


def _clock() -> None:
    """The clock that people wait by. Rehearsals move it; leases go by the real one."""
    op.execute("""
        create function mainspring_now() returns timestamptz language sql stable parallel safe as $$
            select now() + coalesce(nullif(current_setting('mainspring.clock_shift', true), '')::interval,
                                    interval '0')
        $$""")


def _runs() -> None:
    op.execute("""
        alter table run
            add column origin uuid,
            add column retry_of uuid,
            add column replay_of uuid,
            add column parent_run uuid references run (id) on delete cascade,
            add column parent_step text,
            add column parent_map_key text,
            add column owes_parent boolean not null default false,
            add column has_children boolean not null default false,
            add column fans_out boolean not null default false,
            add column initiator text[] not null default '{}',
            add column initiated_by text,
            add column cost_micros bigint not null default 0,
            add column cost_ceiling_micros bigint,
            add column ending text,
            drop constraint run_status_known,
            add constraint run_status_known check (
                status in ('queued', 'running', 'compensating', 'succeeded', 'failed', 'cancelled')),
            add constraint run_compensating_ends check (
                (status = 'compensating') <= (ending is not null) and ending in ('failed', 'cancelled')),
            add constraint run_child_has_place check (
                (parent_run is null) = (parent_step is null) and (parent_run is null) = (parent_map_key is null))""")
    op.execute("update run set origin = id")
    op.execute("alter table run alter column origin set not null")
    op.execute("""
        create function run_is_its_origin() returns trigger language plpgsql as $$
        begin
            new.origin := new.id;
            return new;
        end $$""")
    op.execute("""
        create trigger run_origin before insert on run for each row when (new.origin is null)
        execute function run_is_its_origin()""")
    op.execute("create index run_children on run (parent_run) where parent_run is not null")
    op.execute("create index run_owing on run (id) where owes_parent and finished_at is not null")
    op.execute(
        "create index run_orphaning on run (id) "
        "where has_children and status in ('compensating', 'failed', 'cancelled')"
    )
    op.execute("grant delete on run to mainspring_system")
    _guard("run", _RUN_MOVES)


def _steps() -> None:
    op.execute("""
        alter table step
            add column role text not null default 'work',
            add column origin uuid,
            add column item jsonb,
            add column tolerance real not null default 0,
            add column items integer,
            add column items_left integer,
            add column items_failed integer,
            add column undo_lane text,
            add column wake_at timestamptz,
            add column awaited text,
            add column fallback jsonb,
            drop constraint step_status_known,
            add constraint step_status_known check (
                status in ('waiting', 'ready', 'running', 'suspended', 'gathering',
                           'succeeded', 'failed', 'cancelled')),
            add constraint step_role_known check (role in ('work', 'compensation')),
            add constraint step_tolerance_is_share check (tolerance between 0 and 1),
            add constraint step_suspended_awaits check ((status = 'suspended') = (awaited is not null)),
            add constraint step_wake_is_suspended check (wake_at is null or status = 'suspended'),
            add constraint step_items_counted check (
                (items is null) = (items_left is null) and (items is null) = (items_failed is null)
                and items_left between 0 and items and items_failed between 0 and items
                and (status = 'gathering') <= (items is not null))""")
    op.execute("create index step_wake on step (wake_at) where status = 'suspended' and wake_at is not null")
    op.execute("create index step_awaiting on step (run_id, awaited) where status = 'suspended'")
    _guard("step", _STEP_MOVES)


def _signals() -> None:
    op.execute("""
        create table signal (
            run_id uuid not null references run (id) on delete cascade,
            name text not null,
            key text not null,
            tenant_id uuid not null,
            payload jsonb not null,
            received_at timestamptz not null default now(),
            primary key (run_id, name, key)
        )""")
    isolate(op, "signal")
    allow_system(op, "signal", "select, insert")


def _versions() -> None:
    """What each step of each version takes and returns; the platform's own, without tenants."""
    op.execute("""
        create table pipeline_version (
            name text not null,
            version integer not null,
            step text not null,
            input_schema jsonb not null,
            output_schema jsonb not null,
            fingerprint text not null,
            registered_at timestamptz not null default now(),
            primary key (name, version, step)
        )""")
    op.execute("grant select, insert on pipeline_version to mainspring_system")


def _holds() -> None:
    """Who is held back, and who weighs how much. A hold without a tenant is on everybody, and the platform's own."""
    op.execute("""
        create table hold (
            id uuid primary key,
            tenant_id uuid,
            pipeline text,
            step text,
            kind text not null,
            reason text not null,
            held_by text not null,
            held_at timestamptz not null default now(),
            constraint hold_kind_known check (kind in ('pause', 'drain')),
            constraint hold_step_has_pipeline check (step is null or pipeline is not null),
            constraint hold_once unique nulls not distinct (tenant_id, pipeline, step, kind)
        )""")
    isolate(op, "hold")
    allow_system(op, "hold", "select, insert, update, delete")
    op.execute("""
        create table tenant_share (
            tenant_id uuid primary key,
            weight integer not null default 1,
            max_running integer,
            constraint tenant_share_weight check (weight between 1 and 100),
            constraint tenant_share_max_running check (max_running > 0)
        )""")
    isolate(op, "tenant_share")
    op.execute("revoke insert, update, delete on tenant_share from mainspring_tenant")
    allow_system(op, "tenant_share", "select, insert, update, delete")


def _dead_letters() -> None:
    op.execute("""
        create table dead_letter (
            id uuid primary key,
            tenant_id uuid not null,
            run_id uuid not null references run (id) on delete cascade,
            step text not null,
            map_key text not null default '',
            pipeline text not null,
            version integer not null,
            error_code text not null,
            error_detail text not null,
            fingerprint text not null,
            failed_at timestamptz not null default now(),
            state text not null default 'open',
            reason text,
            decided_by text,
            decided_at timestamptz,
            replayed_as uuid,
            constraint dead_letter_once unique (run_id, step, map_key),
            constraint dead_letter_state_known check (state in ('open', 'replayed', 'discarded')),
            constraint dead_letter_decided check (
                (state = 'open') = (decided_at is null) and (state <> 'replayed' or replayed_as is not null))
        )""")
    op.execute("create index dead_letter_newest on dead_letter (tenant_id, state, id)")
    op.execute("create index dead_letter_alike on dead_letter (tenant_id, fingerprint, state, id)")
    isolate(op, "dead_letter")
    allow_system(op, "dead_letter", "select, insert, update")


def _schedules() -> None:
    op.execute("""
        create table schedule (
            id uuid primary key,
            tenant_id uuid not null,
            name text not null,
            pipeline text not null,
            input jsonb not null,
            cron text not null,
            timezone text not null default 'UTC',
            next_at timestamptz,
            is_paused boolean not null default false,
            initiator text[] not null default '{}',
            created_by text not null,
            created_at timestamptz not null default now(),
            constraint schedule_name unique (tenant_id, name)
        )""")
    op.execute("create index schedule_due on schedule (next_at) where not is_paused and next_at is not null")
    isolate(op, "schedule")
    allow_system(op, "schedule", "select, update")


def _guard(table: str, legal: str) -> None:
    """Replace the trigger that refuses changes of status: it fires for illegal ones only, so legal ones are free."""
    op.execute(f"drop trigger {table}_transition on {table}")
    op.execute(f"""
        create trigger {table}_transition before update on {table} for each row
        when (old.status is distinct from new.status and (old.status, new.status) not in ({legal}))
        execute function {table}_refuse_transition()""")
