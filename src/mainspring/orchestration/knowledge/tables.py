"""The room's tables as the migration makes them; row-level security and partitions are in the migration."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import UUID

from mainspring.foundation.tables import metadata
from mainspring.foundation.vectors import HalfVector

document_table = Table(
    "document",
    metadata,
    Column("tenant_id", UUID, nullable=False),
    Column("id", UUID, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("original_key", Text, nullable=False),
    Column("parsed_key", Text),
    Column("parser_version", Text),
    Column("pages", Integer),
    Column("language", Text),
    Column("title", Text),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    PrimaryKeyConstraint("tenant_id", "id", name="document_key"),
    UniqueConstraint("tenant_id", "sha256", name="document_once_per_tenant"),
    CheckConstraint("(parsed_key is null) = (parser_version is null)", name="document_parsed_whole"),
)

chunk_table = Table(
    "chunk",
    metadata,
    Column("tenant_id", UUID, nullable=False),
    Column("document_id", UUID, nullable=False),
    Column("index", Integer, nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("number", Text),
    Column("heading_path", ARRAY(Text), nullable=False),
    Column("page", Integer),
    Column("text", Text, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("chunker_version", Text, nullable=False),
    Column("embedding", HalfVector(384)),
    Column("embedding_model", Text),
    PrimaryKeyConstraint("tenant_id", "document_id", "index", name="chunk_key"),
    ForeignKeyConstraint(
        ["tenant_id", "document_id"],
        ["document.tenant_id", "document.id"],
        name="chunk_of_document",
        ondelete="CASCADE",
    ),
    CheckConstraint('0 <= start and start < "end"', name="chunk_span"),
    CheckConstraint("(embedding is null) = (embedding_model is null)", name="chunk_vector_has_model"),
    Index("chunk_by_tenant", "tenant_id"),
    postgresql_partition_by="HASH (tenant_id)",
)
