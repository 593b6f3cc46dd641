"""The tables of operating as migration 0018 makes them, and the indexes it puts on runs."""

from sqlalchemy import CheckConstraint, Column, DateTime, ForeignKey, Index, Integer, Table, Text, text
from sqlalchemy.dialects import postgresql

from mainspring.foundation.tables import metadata
from mainspring.orchestration.pipelines.tables import run_table


def _instant(name: str) -> Column[object]:
    return Column(name, DateTime(timezone=True))


bulk_action_table = Table(
    "bulk_action",
    metadata,
    Column("id", postgresql.UUID, primary_key=True),
    Column("tenant_id", postgresql.UUID, nullable=False),
    Column("kind", Text, nullable=False),
    Column("terms", postgresql.JSONB, nullable=False),
    Column("asker", postgresql.JSONB, nullable=False),
    Column("place", postgresql.UUID, nullable=False),
    Column("done", Integer, nullable=False, server_default=text("0")),
    Column("skipped", Integer, nullable=False, server_default=text("0")),
    Column("reason", Text),
    Column("last_problem", Text),
    _instant("claimed_until"),
    Column("asked_by", Text, nullable=False),
    Column("asked_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    _instant("finished_at"),
    CheckConstraint("kind in ('replay', 'discard', 'cancel')", name="bulk_action_kind_known"),
    CheckConstraint("kind <> 'discard' or reason is not null", name="bulk_action_discards_for_a_reason"),
    Index("bulk_action_newest", "tenant_id", "id"),
    Index("bulk_action_unfinished", "id", postgresql_where=text("finished_at is null")),
)

schedule_firing_table = Table(
    "schedule_firing",
    metadata,
    Column("schedule_id", postgresql.UUID, ForeignKey("schedule.id", ondelete="CASCADE"), primary_key=True),
    Column("tenant_id", postgresql.UUID, nullable=False),
    Column("fired_at", DateTime(timezone=True), nullable=False),
    Column("run_id", postgresql.UUID),
    Column("problem", Text),
)

Index("run_of_pipeline", run_table.c.tenant_id, run_table.c.pipeline, run_table.c.id)
Index(
    "run_failed_of",
    run_table.c.tenant_id,
    run_table.c.error_code,
    run_table.c.id,
    postgresql_where=text("error_code is not null"),
)
