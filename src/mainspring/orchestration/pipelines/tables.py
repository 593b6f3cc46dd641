"""The room's tables as the migration makes them; the triggers that guard transitions live there."""

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects import postgresql

from mainspring.foundation.tables import metadata


def _instant(name: str) -> Column[object]:
    return Column(name, DateTime(timezone=True))


run_table = Table(
    "run",
    metadata,
    Column("id", postgresql.UUID, primary_key=True),
    Column("tenant_id", postgresql.UUID, nullable=False),
    Column("pipeline", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("subject", Text),
    Column("input", postgresql.JSONB, nullable=False),
    Column("priority", SmallInteger, nullable=False, server_default=text("0")),
    _instant("deadline"),
    Column("idempotency_key", Text),
    Column("event_seq", Integer, nullable=False, server_default=text("0")),
    Column("error_code", Text),
    Column("error_detail", Text),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    _instant("started_at"),
    _instant("finished_at"),
    CheckConstraint("status in ('queued', 'running', 'succeeded', 'failed', 'cancelled')", name="run_status_known"),
    CheckConstraint(
        "(finished_at is not null) = (status in ('succeeded', 'failed', 'cancelled'))", name="run_final_has_end"
    ),
    UniqueConstraint("tenant_id", "idempotency_key", name="run_idempotency"),
    Index("run_newest", "tenant_id", "id"),
    Index("run_by_subject", "tenant_id", "subject", "id", postgresql_where=text("subject is not null")),
    Index(
        "run_deadline",
        "deadline",
        postgresql_where=text("deadline is not null and status in ('queued', 'running')"),
    ),
)

step_table = Table(
    "step",
    metadata,
    Column("run_id", postgresql.UUID, ForeignKey("run.id", ondelete="CASCADE"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("map_key", Text, primary_key=True, server_default=text("''")),
    Column("tenant_id", postgresql.UUID, nullable=False),
    Column("position", SmallInteger, nullable=False),
    Column("title", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("after", ARRAY(Text), nullable=False),
    Column("status", Text, nullable=False),
    Column("priority", SmallInteger, nullable=False, server_default=text("0")),
    Column("attempt", Integer, nullable=False, server_default=text("0")),
    Column("failures", Integer, nullable=False, server_default=text("0")),
    Column("losses", Integer, nullable=False, server_default=text("0")),
    Column("token", postgresql.UUID),
    _instant("lease_until"),
    _instant("due_at"),
    Column("output", postgresql.JSONB),
    Column("input", postgresql.JSONB),
    Column("error_code", Text),
    Column("error_detail", Text),
    Column("error_trace", Text),
    _instant("started_at"),
    _instant("finished_at"),
    CheckConstraint(
        "status in ('waiting', 'ready', 'running', 'succeeded', 'failed', 'cancelled')", name="step_status_known"
    ),
    CheckConstraint(
        "(status = 'running') = (token is not null and lease_until is not null)", name="step_running_is_leased"
    ),
    CheckConstraint("due_at is null or status = 'waiting'", name="step_due_is_waiting"),
    CheckConstraint("(status = 'succeeded') = (output is not null)", name="step_output_is_success"),
    Index(
        "step_ready", "lane", "tenant_id", text("priority desc"), "run_id", postgresql_where=text("status = 'ready'")
    ),
    Index("step_leased", "lane", "lease_until", postgresql_where=text("status = 'running'")),
    Index("step_due", "due_at", postgresql_where=text("status = 'waiting' and due_at is not null")),
)

run_event_table = Table(
    "run_event",
    metadata,
    Column("run_id", postgresql.UUID, ForeignKey("run.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("tenant_id", postgresql.UUID, nullable=False),
    Column("type", Text, nullable=False),
    Column("facts", postgresql.JSONB, nullable=False),
    Column("key", Text),
    Column("at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    CheckConstraint("seq > 0", name="run_event_seq_positive"),
    Index("run_event_once", "run_id", "key", unique=True, postgresql_where=text("key is not null")),
)
