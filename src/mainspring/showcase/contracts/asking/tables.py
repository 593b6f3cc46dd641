"""The table of amendments; every row belongs to a tenant and goes with its contract."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from mainspring.foundation.tables import metadata

amendment_table = Table(
    "amendment",
    metadata,
    Column("tenant_id", Uuid),
    Column("id", Uuid),
    Column("contract_id", Uuid, nullable=False),
    Column("key", Text, nullable=False),
    Column("clause", Text),
    Column("page", Integer),
    Column("start_at", Integer, nullable=False),
    Column("end_at", Integer, nullable=False),
    Column("old_text", Text, nullable=False),
    Column("new_text", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("drafted_by", Text, nullable=False),
    Column("run_id", Uuid),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    PrimaryKeyConstraint("tenant_id", "id"),
    UniqueConstraint("tenant_id", "contract_id", "id"),
    UniqueConstraint("tenant_id", "key"),
    ForeignKeyConstraint(["tenant_id", "contract_id"], ["contract.tenant_id", "contract.id"], ondelete="cascade"),
    CheckConstraint("start_at >= 0 and start_at < end_at"),
)
