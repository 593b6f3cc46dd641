"""What the watch over recall writes; row-level security is in the migration."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Integer,
    PrimaryKeyConstraint,
    Table,
    text,
)
from sqlalchemy.dialects.postgresql import REAL, UUID

from mainspring.foundation.tables import metadata

recall_table = Table(
    "knowledge_recall",
    metadata,
    Column("tenant_id", UUID, nullable=False),
    Column("index_id", UUID, nullable=False),
    Column("measured_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Column("recall", REAL, nullable=False),
    Column("queries", Integer, nullable=False),
    Column("exact_ms", REAL, nullable=False),
    Column("approximate_ms", REAL, nullable=False),
    PrimaryKeyConstraint("tenant_id", "index_id", "measured_at", name="knowledge_recall_key"),
    ForeignKeyConstraint(
        ["tenant_id", "index_id"],
        ["knowledge_index.tenant_id", "knowledge_index.id"],
        name="knowledge_recall_index",
        ondelete="CASCADE",
    ),
    CheckConstraint("recall between 0 and 1", name="knowledge_recall_share"),
)
