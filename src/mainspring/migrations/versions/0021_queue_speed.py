"""Changes of a run's status touch no index: what the sweep looks for is in columns that nearly all runs leave alone.

An index whose condition names `status` has every change of it written to all indexes of the table, even for rows
that the index does not hold. The marks are computed, so code of the version before keeps them as well.
"""

from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("""
        alter table run
            add column overdue_at timestamptz generated always as
                (case when finished_at is null then deadline end) stored,
            add column is_owing boolean generated always as (owes_parent and finished_at is not null) stored,
            add column is_orphaning boolean generated always as
                (has_children and status in ('compensating', 'failed', 'cancelled')) stored""")
    op.execute("drop index run_deadline, run_owing, run_orphaning")
    op.execute("create index run_overdue on run (overdue_at) where overdue_at is not null")
    op.execute("create index run_owing on run (id) where is_owing")
    op.execute("create index run_orphaning on run (id) where is_orphaning")
    # Room on each page for the two changes that a run goes through at least.
    op.execute("alter table run set (fillfactor = 60)")
