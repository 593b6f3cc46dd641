"""What table definitions have in common, and the table of the outbox.

Processes run SQL of their own and never import a table: definitions are for the migrations' tests.
"""

from sqlalchemy import Column, DateTime, Index, Integer, MetaData, Table, Text, text
from sqlalchemy.dialects import postgresql

metadata = MetaData()
"""Every room's tables are declared on it; a test compares it with the migrated schema."""

outbox_table = Table(
    "outbox",
    metadata,
    Column("id", postgresql.UUID, primary_key=True),
    Column("tenant_id", postgresql.UUID, nullable=False),
    Column("topic", Text, nullable=False),
    Column("payload", postgresql.JSONB, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Column("delivered_at", DateTime(timezone=True)),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("due_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Index("outbox_undelivered", "created_at", "id", postgresql_where=text("delivered_at is null")),
)
