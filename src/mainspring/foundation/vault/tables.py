"""The wrapped data keys of tenants; row-level security is in the migration."""

from sqlalchemy import Column, DateTime, Integer, LargeBinary, Table, text
from sqlalchemy.dialects.postgresql import UUID

from mainspring.foundation.tables import metadata

tenant_data_key_table = Table(
    "tenant_data_key",
    metadata,
    Column("tenant_id", UUID, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
)
