"""The room's tables as the migration makes them; the triggers that guard transitions live there."""

from sqlalchemy import (
    ARRAY,
    REAL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
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


def _known_instant(name: str) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=False, server_default=text("now()"))


def _flag(name: str) -> Column[object]:
    return Column(name, Boolean, nullable=False, server_default=text("false"))


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
    Column("origin", postgresql.UUID, nullable=False),
    Column("retry_of", postgresql.UUID),
    Column("replay_of", postgresql.UUID),
    Column("parent_run", postgresql.UUID, ForeignKey("run.id", ondelete="CASCADE")),
    Column("parent_step", Text),
    Column("parent_map_key", Text),
    _flag("owes_parent"),
    _flag("has_children"),
    _flag("fans_out"),
    Column("initiator", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("initiated_by", Text),
    Column("cost_micros", BigInteger, nullable=False, server_default=text("0")),
    Column("cost_ceiling_micros", BigInteger),
    Column("ending", Text),
    Column(
        "overdue_at",
        DateTime(timezone=True),
        Computed("case when finished_at is null then deadline end", persisted=True),
    ),
    Column("is_owing", Boolean, Computed("owes_parent and finished_at is not null", persisted=True)),
    Column(
        "is_orphaning",
        Boolean,
        Computed("has_children and status in ('compensating', 'failed', 'cancelled')", persisted=True),
    ),
    CheckConstraint(
        "status in ('queued', 'running', 'compensating', 'succeeded', 'failed', 'cancelled')", name="run_status_known"
    ),
    CheckConstraint(
        "(finished_at is not null) = (status in ('succeeded', 'failed', 'cancelled'))", name="run_final_has_end"
    ),
    UniqueConstraint("tenant_id", "idempotency_key", name="run_idempotency"),
    Index("run_newest", "tenant_id", "id"),
    Index("run_by_subject", "tenant_id", "subject", "id", postgresql_where=text("subject is not null")),
    Index("run_overdue", "overdue_at", postgresql_where=text("overdue_at is not null")),
    Index("run_children", "parent_run", postgresql_where=text("parent_run is not null")),
    Index("run_owing", "id", postgresql_where=text("is_owing")),
    Index("run_orphaning", "id", postgresql_where=text("is_orphaning")),
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
    Column("alone", postgresql.UUID, comment="the token under which it ran with no other step beside it"),
    _instant("lease_until"),
    _instant("due_at"),
    Column("output", postgresql.JSONB),
    Column("input", postgresql.JSONB),
    Column("error_code", Text),
    Column("error_detail", Text),
    Column("error_trace", Text),
    _instant("started_at"),
    _instant("finished_at"),
    Column("role", Text, nullable=False, server_default=text("'work'")),
    Column("origin", postgresql.UUID),
    Column("item", postgresql.JSONB),
    Column("tolerance", REAL, nullable=False, server_default=text("0")),
    Column("items", Integer),
    Column("items_left", Integer),
    Column("items_failed", Integer),
    Column("undo_lane", Text),
    _instant("wake_at"),
    Column("awaited", Text),
    Column("fallback", postgresql.JSONB),
    CheckConstraint(
        "status in ('waiting', 'ready', 'running', 'suspended', 'gathering', 'succeeded', 'failed', 'cancelled')",
        name="step_status_known",
    ),
    CheckConstraint("role in ('work', 'compensation')", name="step_role_known"),
    CheckConstraint("(status = 'suspended') = (awaited is not null)", name="step_suspended_awaits"),
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
    Index("step_wake", "wake_at", postgresql_where=text("status = 'suspended' and wake_at is not null")),
    Index("step_awaiting", "run_id", "awaited", postgresql_where=text("status = 'suspended'")),
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

signal_table = Table(
    "signal",
    metadata,
    Column("run_id", postgresql.UUID, ForeignKey("run.id", ondelete="CASCADE"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("tenant_id", postgresql.UUID, nullable=False),
    Column("payload", postgresql.JSONB, nullable=False),
    _known_instant("received_at"),
)

pipeline_version_table = Table(
    "pipeline_version",
    metadata,
    Column("name", Text),
    Column("version", Integer),
    Column("step", Text),
    Column("input_schema", postgresql.JSONB, nullable=False),
    Column("output_schema", postgresql.JSONB, nullable=False),
    Column("fingerprint", Text, nullable=False),
    _known_instant("registered_at"),
    PrimaryKeyConstraint("name", "version", "step"),
)

hold_table = Table(
    "hold",
    metadata,
    Column("id", postgresql.UUID, primary_key=True),
    Column("tenant_id", postgresql.UUID),
    Column("pipeline", Text),
    Column("step", Text),
    Column("kind", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("held_by", Text, nullable=False),
    _known_instant("held_at"),
    CheckConstraint("kind in ('pause', 'drain')", name="hold_kind_known"),
    UniqueConstraint("tenant_id", "pipeline", "step", "kind", name="hold_once", postgresql_nulls_not_distinct=True),
)

tenant_share_table = Table(
    "tenant_share",
    metadata,
    Column("tenant_id", postgresql.UUID, primary_key=True),
    Column("weight", Integer, nullable=False, server_default=text("1")),
    Column("max_running", Integer),
    CheckConstraint("weight between 1 and 100", name="tenant_share_weight"),
)

dead_letter_table = Table(
    "dead_letter",
    metadata,
    Column("id", postgresql.UUID, primary_key=True),
    Column("tenant_id", postgresql.UUID, nullable=False),
    Column("run_id", postgresql.UUID, ForeignKey("run.id", ondelete="CASCADE"), nullable=False),
    Column("step", Text, nullable=False),
    Column("map_key", Text, nullable=False, server_default=text("''")),
    Column("pipeline", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("error_code", Text, nullable=False),
    Column("error_detail", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    _known_instant("failed_at"),
    Column("state", Text, nullable=False, server_default=text("'open'")),
    Column("reason", Text),
    Column("decided_by", Text),
    _instant("decided_at"),
    Column("replayed_as", postgresql.UUID),
    CheckConstraint("state in ('open', 'replayed', 'discarded')", name="dead_letter_state_known"),
    UniqueConstraint("run_id", "step", "map_key", name="dead_letter_once"),
    Index("dead_letter_newest", "tenant_id", "state", "id"),
    Index("dead_letter_alike", "tenant_id", "fingerprint", "state", "id"),
)

schedule_table = Table(
    "schedule",
    metadata,
    Column("id", postgresql.UUID, primary_key=True),
    Column("tenant_id", postgresql.UUID, nullable=False),
    Column("name", Text, nullable=False),
    Column("pipeline", Text, nullable=False),
    Column("input", postgresql.JSONB, nullable=False),
    Column("cron", Text, nullable=False),
    Column("timezone", Text, nullable=False, server_default=text("'UTC'")),
    _instant("next_at"),
    _flag("is_paused"),
    Column("initiator", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("created_by", Text, nullable=False),
    _known_instant("created_at"),
    UniqueConstraint("tenant_id", "name", name="schedule_name"),
    Index("schedule_due", "next_at", postgresql_where=text("not is_paused and next_at is not null")),
)
