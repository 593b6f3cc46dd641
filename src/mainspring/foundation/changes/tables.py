"""The log of changes; triggers write it, see the migration."""

from sqlalchemy import BigInteger, Column, DateTime, Table, text
from sqlalchemy.dialects.postgresql import UUID

from mainspring.foundation.tables import metadata

tenant_change_table = Table(
    "tenant_change",
    metadata,
    Column("transaction", BigInteger, primary_key=True, autoincrement=False),
    Column("tenant_id", UUID, primary_key=True),
    Column("changed_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
)
