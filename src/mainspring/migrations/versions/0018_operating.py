"""What an engineer who is paged needs: decisions about many runs at once, what schedules did, and lists that find.

The indexes of `run` serve lists by pipeline and by error; failed runs alone are in the second.
"""

from alembic import op

from mainspring.migrations.isolation import allow_system, isolate

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    _bulk_actions()
    _firings()
    op.execute("create index run_of_pipeline on run (tenant_id, pipeline, id)")
    op.execute("create index run_failed_of on run (tenant_id, error_code, id) where error_code is not null")


def _bulk_actions() -> None:
    """`place` is the id that what is still to be done lies below; `asker` the rights of who asked, as they were."""
    op.execute("""
        create table bulk_action (
            id uuid primary key,
            tenant_id uuid not null,
            kind text not null,
            terms jsonb not null,
            asker jsonb not null,
            place uuid not null,
            done integer not null default 0,
            skipped integer not null default 0,
            reason text,
            last_problem text,
            claimed_until timestamptz,
            asked_by text not null,
            asked_at timestamptz not null default now(),
            finished_at timestamptz,
            constraint bulk_action_kind_known check (kind in ('replay', 'discard', 'cancel')),
            constraint bulk_action_discards_for_a_reason check (kind <> 'discard' or reason is not null)
        )""")
    op.execute("create index bulk_action_newest on bulk_action (tenant_id, id)")
    op.execute("create index bulk_action_unfinished on bulk_action (id) where finished_at is null")
    isolate(op, "bulk_action")
    allow_system(op, "bulk_action", "select, delete")


def _firings() -> None:
    """The last firing of each schedule; the schedule itself says when the next is due."""
    op.execute("""
        create table schedule_firing (
            schedule_id uuid primary key references schedule (id) on delete cascade,
            tenant_id uuid not null,
            fired_at timestamptz not null,
            run_id uuid,
            problem text
        )""")
    isolate(op, "schedule_firing")
