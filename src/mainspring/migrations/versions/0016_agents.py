"""Agents: assistants, threads, their runs, crons, the store, and the checkpoints of graphs."""

from alembic import op

from mainspring.migrations.isolation import allow_system, isolate

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    _assistants()
    _threads()
    _runs()
    _run_indexes()
    _run_transitions()
    _waits()
    _crons()
    _store()
    _checkpoints()
    _opened()


def _assistants() -> None:
    op.execute("""
        create table agent_assistant (
            tenant_id uuid not null,
            id uuid not null,
            graph text not null,
            name text not null,
            description text,
            version integer not null default 1,
            config jsonb not null default '{}',
            context jsonb not null default '{}',
            metadata jsonb not null default '{}',
            created_at timestamptz not null default now(),
            updated_at timestamptz not null default now(),
            primary key (tenant_id, id)
        )""")
    op.execute("create index agent_assistant_newest on agent_assistant (tenant_id, created_at, id)")
    op.execute("""
        create table agent_assistant_version (
            tenant_id uuid not null,
            assistant_id uuid not null,
            version integer not null,
            graph text not null,
            name text not null,
            description text,
            config jsonb not null default '{}',
            context jsonb not null default '{}',
            metadata jsonb not null default '{}',
            created_at timestamptz not null default now(),
            primary key (tenant_id, assistant_id, version),
            constraint agent_assistant_version_of foreign key (tenant_id, assistant_id)
                references agent_assistant (tenant_id, id) on delete cascade
        )""")


def _threads() -> None:
    op.execute("""
        create table agent_thread (
            tenant_id uuid not null,
            id uuid not null,
            graph text,
            status text not null default 'idle',
            metadata jsonb not null default '{}',
            config jsonb not null default '{}',
            "values" jsonb,
            interrupts jsonb not null default '{}',
            error jsonb,
            is_stateless boolean not null default false,
            last_ordinal bigint not null default 0,
            created_by text,
            ttl_minutes real,
            ttl_strategy text not null default 'delete',
            expires_at timestamptz,
            created_at timestamptz not null default now(),
            updated_at timestamptz not null default now(),
            state_updated_at timestamptz not null default now(),
            primary key (tenant_id, id),
            constraint agent_thread_status_known check (status in ('idle', 'busy', 'interrupted', 'error')),
            constraint agent_thread_ttl_known check (ttl_strategy in ('delete', 'keep_latest'))
        )""")
    op.execute("create index agent_thread_newest on agent_thread (tenant_id, updated_at, id)")
    op.execute("create index agent_thread_metadata on agent_thread using gin (metadata jsonb_path_ops)")
    op.execute("create index agent_thread_expiring on agent_thread (expires_at) where expires_at is not null")


def _runs() -> None:
    op.execute("""
        create table agent_run (
            tenant_id uuid not null,
            id uuid not null,
            thread_id uuid not null,
            ordinal bigint not null,
            assistant_id uuid not null,
            graph text not null,
            status text not null default 'pending',
            multitask text not null default 'enqueue',
            input jsonb,
            command jsonb,
            checkpoint jsonb,
            config jsonb not null default '{}',
            context jsonb not null default '{}',
            metadata jsonb not null default '{}',
            kwargs jsonb not null default '{}',
            caller jsonb not null,
            stream_modes text[] not null default '{values}',
            stream_subgraphs boolean not null default false,
            interrupt_before text[] not null default '{}',
            interrupt_after text[] not null default '{}',
            durability text not null default 'async',
            on_completion text not null default 'keep',
            webhook text,
            due_at timestamptz,
            key text,
            pipeline_run uuid,
            attempt integer not null default 0,
            is_stopping boolean not null default false,
            is_open boolean not null default false,
            cancel_reason text,
            error_code text,
            error_detail text,
            created_at timestamptz not null default now(),
            updated_at timestamptz not null default now(),
            started_at timestamptz,
            finished_at timestamptz,
            primary key (tenant_id, id),
            constraint agent_run_of foreign key (tenant_id, thread_id)
                references agent_thread (tenant_id, id) on delete cascade,
            constraint agent_run_status_known
                check (status in ('pending', 'running', 'success', 'error', 'timeout', 'interrupted')),
            constraint agent_run_multitask_known check (multitask in ('reject', 'enqueue', 'interrupt', 'rollback')),
            constraint agent_run_durability_known check (durability in ('sync', 'async', 'exit')),
            constraint agent_run_completion_known check (on_completion in ('keep', 'delete')),
            constraint agent_run_running_is_led check (status <> 'running' or pipeline_run is not null),
            constraint agent_run_final_has_end
                check ((finished_at is not null) = (status in ('success', 'error', 'timeout', 'interrupted'))),
            constraint agent_run_key unique (tenant_id, key)
        )""")


def _run_indexes() -> None:
    op.execute("create index agent_run_of_thread on agent_run (tenant_id, thread_id, id)")
    op.execute("""
        create unique index agent_run_one_running on agent_run (tenant_id, thread_id)
         where status in ('pending', 'running') and pipeline_run is not null""")
    op.execute("""
        create index agent_run_waiting on agent_run (due_at, id)
         where status = 'pending' and pipeline_run is null""")
    op.execute("create index agent_run_unfinished on agent_run (pipeline_run) where status in ('pending', 'running')")
    op.execute("create index agent_run_stopping on agent_run (id) where is_stopping")
    op.execute("create index agent_run_open on agent_run (tenant_id, thread_id) where is_open")


def _run_transitions() -> None:
    op.execute("""
        create function agent_run_refuse_transition() returns trigger language plpgsql as $$
        begin
            raise exception 'agent_run cannot go from % to %', old.status, new.status
                using errcode = 'check_violation', constraint = 'agent_run_transition';
        end $$""")
    # A failed run may go on when an operator retries its pipeline run; every other end is for ever.
    op.execute("""
        create trigger agent_run_transition before update on agent_run for each row
        when (old.status is distinct from new.status and (old.status, new.status) not in (
            ('pending', 'running'), ('pending', 'error'), ('pending', 'timeout'), ('pending', 'interrupted'),
            ('running', 'success'), ('running', 'error'), ('running', 'timeout'), ('running', 'interrupted'),
            ('error', 'running'), ('timeout', 'running')))
        execute function agent_run_refuse_transition()""")


def _waits() -> None:
    op.execute("""
        create table agent_awaited_approval (
            tenant_id uuid not null,
            approval_id uuid not null,
            thread_id uuid not null,
            run_id uuid not null,
            interrupt_id text not null,
            created_at timestamptz not null default now(),
            primary key (tenant_id, approval_id),
            constraint agent_awaited_approval_of foreign key (tenant_id, thread_id)
                references agent_thread (tenant_id, id) on delete cascade
        )""")
    op.execute("create index agent_awaited_approval_fresh on agent_awaited_approval (created_at)")
    op.execute("create index agent_awaited_approval_of_thread on agent_awaited_approval (tenant_id, thread_id)")


def _crons() -> None:
    op.execute("""
        create table agent_cron (
            tenant_id uuid not null,
            id uuid not null,
            assistant_id uuid not null,
            thread_id uuid,
            schedule text not null,
            timezone text,
            end_at timestamptz,
            next_at timestamptz,
            is_enabled boolean not null default true,
            on_run_completed text not null default 'delete',
            payload jsonb not null default '{}',
            metadata jsonb not null default '{}',
            caller jsonb not null,
            created_by text,
            created_at timestamptz not null default now(),
            updated_at timestamptz not null default now(),
            primary key (tenant_id, id),
            constraint agent_cron_on_thread foreign key (tenant_id, thread_id)
                references agent_thread (tenant_id, id) on delete cascade,
            constraint agent_cron_completion_known check (on_run_completed in ('keep', 'delete'))
        )""")
    op.execute("create index agent_cron_newest on agent_cron (tenant_id, created_at, id)")
    op.execute("create index agent_cron_due on agent_cron (next_at) where is_enabled and next_at is not null")


def _store() -> None:
    op.execute("""
        create table agent_store_item (
            tenant_id uuid not null,
            namespace text[] not null,
            key text not null,
            value jsonb not null,
            ttl_minutes real,
            expires_at timestamptz,
            created_at timestamptz not null default now(),
            updated_at timestamptz not null default now(),
            primary key (tenant_id, namespace, key)
        )""")
    op.execute("create index agent_store_item_value on agent_store_item using gin (value jsonb_path_ops)")
    op.execute("create index agent_store_item_expiring on agent_store_item (expires_at) where expires_at is not null")


def _checkpoints() -> None:
    """The shape of LangGraph's own Postgres saver, and in each row the tenant and the run that wrote it."""
    op.execute("""
        create table checkpoints (
            tenant_id uuid not null,
            thread_id text not null,
            checkpoint_ns text not null default '',
            checkpoint_id text not null,
            parent_checkpoint_id text,
            type text,
            checkpoint jsonb not null,
            metadata jsonb not null default '{}',
            run_id text,
            attempt integer,
            primary key (tenant_id, thread_id, checkpoint_ns, checkpoint_id)
        )""")
    op.execute("create index checkpoints_of_run on checkpoints (tenant_id, run_id) where run_id is not null")
    op.execute("""
        create table checkpoint_blobs (
            tenant_id uuid not null,
            thread_id text not null,
            checkpoint_ns text not null default '',
            channel text not null,
            version text not null,
            type text not null,
            blob bytea,
            primary key (tenant_id, thread_id, checkpoint_ns, channel, version)
        )""")
    op.execute("""
        create table checkpoint_writes (
            tenant_id uuid not null,
            thread_id text not null,
            checkpoint_ns text not null default '',
            checkpoint_id text not null,
            task_id text not null,
            idx integer not null,
            channel text not null,
            type text,
            blob bytea not null,
            task_path text not null default '',
            run_id text,
            attempt integer,
            primary key (tenant_id, thread_id, checkpoint_ns, checkpoint_id, task_id, idx)
        )""")
    op.execute("""
        create index checkpoint_writes_of_run on checkpoint_writes (tenant_id, run_id) where run_id is not null""")


def _opened() -> None:
    """System transactions find what is due in whatever tenant; the work itself is done as that tenant."""
    for table in (
        "agent_assistant",
        "agent_assistant_version",
        "agent_thread",
        "agent_run",
        "agent_awaited_approval",
        "agent_cron",
        "agent_store_item",
        "checkpoints",
        "checkpoint_blobs",
        "checkpoint_writes",
    ):
        isolate(op, table)
    allow_system(op, "agent_thread", "select")
    allow_system(op, "agent_run", "select")
    allow_system(op, "agent_cron", "select")
    allow_system(op, "agent_awaited_approval", "select")
    allow_system(op, "agent_store_item", "select, delete")
