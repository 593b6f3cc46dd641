"""The tables of approvals, as migration 0014 makes them; its triggers and row-level security are there."""

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from mainspring.foundation.tables import metadata


def _instant(name: str, *, nullable: bool = True) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


def _subjects(name: str, *, is_empty_by_default: bool = False) -> Column[object]:
    return Column(name, ARRAY(Text), nullable=False, server_default=text("'{}'") if is_empty_by_default else None)


approval_table = Table(
    "approval",
    metadata,
    Column("tenant_id", UUID, nullable=False),
    Column("id", UUID, nullable=False),
    Column("key", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("shown", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("shown_digest", Text, nullable=False),
    Column("revision", Integer, nullable=False, server_default=text("1")),
    Column("state", Text, nullable=False, server_default=text("'pending'")),
    _subjects("assigned"),
    Column("four_eyes", Boolean, nullable=False),
    _subjects("initiator"),
    _subjects("editor"),
    Column("run_id", UUID),
    Column("signal", Text),
    _instant("asked_at", nullable=False),
    _instant("expires_at", nullable=False),
    _instant("escalate_at"),
    _subjects("escalate_to", is_empty_by_default=True),
    _instant("escalated_at"),
    Column("verdict", Text),
    Column("reason", Text),
    Column("decided_digest", Text),
    Column("decided_by", Text),
    Column("decided_hands", ARRAY(Text)),
    _instant("decided_at"),
    Column("consumed_by", Text),
    _instant("consumed_at"),
    _instant("closed_at"),
    Column("replaced_by", UUID),
    PrimaryKeyConstraint("tenant_id", "id"),
    CheckConstraint("octet_length(content) <= 262144", name="approval_content_bounded"),
    CheckConstraint("digest = encode(sha256(convert_to(content, 'UTF8')), 'hex')", name="approval_digest_of_content"),
    CheckConstraint("decided_digest = digest", name="approval_decided_as_shown"),
    CheckConstraint(
        "not four_eyes or decided_hands is null or (cardinality(decided_hands) > 0 "
        "and not decided_hands && initiator and not decided_hands && editor)",
        name="approval_four_eyes",
    ),
    CheckConstraint("(closed_at is not null) = (state in ('expired', 'withdrawn'))", name="approval_closed_undecided"),
    CheckConstraint("(consumed_at is not null) = (state = 'consumed')", name="approval_consumed_once"),
    Index("approval_by_key", "tenant_id", "key", unique=True, postgresql_where=text("replaced_by is null")),
    Index("approval_by_state", "tenant_id", "state", "id"),
    Index("approval_of_run", "tenant_id", "run_id", "id", postgresql_where=text("run_id is not null")),
    Index("approval_expiring", "expires_at", postgresql_where=text("state = 'pending'")),
    Index(
        "approval_escalating",
        "escalate_at",
        postgresql_where=text("state = 'pending' and escalate_at is not null and escalated_at is null"),
    ),
)

approval_history_table = Table(
    "approval_history",
    metadata,
    Column("tenant_id", UUID, nullable=False),
    Column("approval_id", UUID, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("event", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("digest", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("by_subject", Text),
    Column("by_name", Text),
    Column("hands", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("reason", Text),
    Column("facts", JSONB, nullable=False, server_default=text("'{}'")),
    _instant("at", nullable=False),
    PrimaryKeyConstraint("tenant_id", "approval_id", "seq"),
    ForeignKeyConstraint(["tenant_id", "approval_id"], ["approval.tenant_id", "approval.id"]),
)
