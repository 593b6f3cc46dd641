"""The room's tables as the migrations make them; row-level security and partitions are in the migrations."""

from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, REAL, UUID

from mainspring.foundation.tables import metadata
from mainspring.foundation.vectors import HalfVector, SparseVector

_NOW = text("now()")
_EMPTY = text("'{}'")


def _time(name: str, *, is_set: bool = False) -> Column[Any]:
    return Column(name, DateTime(timezone=True), nullable=not is_set, server_default=_NOW if is_set else None)


settings_table = Table(
    "knowledge_settings",
    metadata,
    Column("tenant_id", UUID, nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("note", Text),
    Column("created_by", Text, nullable=False),
    _time("created_at", is_set=True),
    PrimaryKeyConstraint("tenant_id", "version", name="knowledge_settings_key"),
    CheckConstraint("version > 0", name="knowledge_settings_version"),
)

source_table = Table(
    "knowledge_source",
    metadata,
    Column("tenant_id", UUID, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("config", JSONB, nullable=False, server_default=_EMPTY),
    Column("secret", LargeBinary),
    Column("document_type", Text),
    Column("readers", ARRAY(Text)),
    Column("is_paused", Boolean, nullable=False, server_default=text("false")),
    Column("every_seconds", Integer),
    _time("due_at"),
    Column("cursor", JSONB),
    Column("run_id", UUID),
    _time("synced_at"),
    Column("error_code", Text),
    Column("error_detail", Text),
    Column("created_by", Text, nullable=False),
    _time("created_at", is_set=True),
    PrimaryKeyConstraint("tenant_id", "name", name="knowledge_source_key"),
    CheckConstraint("every_seconds >= 60", name="knowledge_source_interval"),
    Index("knowledge_source_due", "due_at", postgresql_where=text("due_at is not null")),
)

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
    _time("created_at", is_set=True),
    Column("source", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("uri", Text),
    Column("document_type", Text, nullable=False),
    Column("metadata", JSONB, nullable=False, server_default=_EMPTY),
    Column("readers", ARRAY(Text)),
    Column("revision", Integer, nullable=False, server_default=text("1")),
    Column("status", Text, nullable=False, server_default=text("'pending'")),
    Column("error_code", Text),
    Column("error_detail", Text),
    Column("run_id", UUID),
    _time("updated_at", is_set=True),
    Column("changed", BigInteger, Identity(always=True), nullable=False),
    PrimaryKeyConstraint("tenant_id", "id", name="document_key"),
    UniqueConstraint("tenant_id", "source", "external_id", name="document_once_per_source"),
    CheckConstraint("(parsed_key is null) = (parser_version is null)", name="document_parsed_whole"),
    CheckConstraint("status in ('pending', 'indexed', 'failed')", name="document_status_known"),
    CheckConstraint("(status = 'failed') = (error_code is not null)", name="document_failed_has_error"),
    CheckConstraint("revision > 0", name="document_revision_positive"),
    Index("document_newest", "tenant_id", "id"),
    Index("document_by_hash", "tenant_id", "sha256"),
    Index("document_pending", "updated_at", postgresql_where=text("status = 'pending'")),
)

tombstone_table = Table(
    "document_tombstone",
    metadata,
    Column("tenant_id", UUID, nullable=False),
    Column("document_id", UUID, nullable=False),
    _time("deleted_at", is_set=True),
    PrimaryKeyConstraint("tenant_id", "document_id", name="document_tombstone_key"),
)

index_table = Table(
    "knowledge_index",
    metadata,
    Column("tenant_id", UUID, nullable=False),
    Column("id", UUID, nullable=False),
    Column("number", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("embedding_model", Text, nullable=False),
    Column("dimensions", Integer, nullable=False),
    Column("settings_version", Integer, nullable=False),
    Column("comparison", JSONB),
    Column("error_code", Text),
    Column("error_detail", Text),
    _time("created_at", is_set=True),
    _time("activated_at"),
    _time("retired_at"),
    _time("promoted_at"),
    PrimaryKeyConstraint("tenant_id", "id", name="knowledge_index_key"),
    UniqueConstraint("tenant_id", "number", name="knowledge_index_numbered"),
    CheckConstraint("status in ('building', 'active', 'retired')", name="knowledge_index_status_known"),
    Index("knowledge_index_active", "tenant_id", unique=True, postgresql_where=text("status = 'active'")),
    Index("knowledge_index_building", "tenant_id", unique=True, postgresql_where=text("status = 'building'")),
)

indexed_document_table = Table(
    "indexed_document",
    metadata,
    Column("tenant_id", UUID, nullable=False),
    Column("index_id", UUID, nullable=False),
    Column("document_id", UUID, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("chunks", Integer, nullable=False),
    Column("tokens", Integer, nullable=False),
    Column("terms", ARRAY(Integer), nullable=False),
    Column("term_chunks", ARRAY(Integer), nullable=False),
    _time("indexed_at", is_set=True),
    PrimaryKeyConstraint("tenant_id", "index_id", "document_id", name="indexed_document_key"),
    ForeignKeyConstraint(
        ["tenant_id", "index_id"],
        ["knowledge_index.tenant_id", "knowledge_index.id"],
        name="indexed_document_index",
        ondelete="CASCADE",
    ),
    ForeignKeyConstraint(
        ["tenant_id", "document_id"],
        ["document.tenant_id", "document.id"],
        name="indexed_document_document",
        ondelete="CASCADE",
    ),
    CheckConstraint("cardinality(terms) = cardinality(term_chunks)", name="indexed_document_terms"),
    Index("indexed_document_by_document", "tenant_id", "document_id"),
)

embedding_draft_table = Table(
    "embedding_draft",
    metadata,
    Column("tenant_id", UUID, nullable=False),
    Column("document_id", UUID, nullable=False),
    Column("model", Text, nullable=False),
    Column("content_hash", LargeBinary, nullable=False),
    Column("embedding", HalfVector(), nullable=False),
    _time("created_at", is_set=True),
    PrimaryKeyConstraint("tenant_id", "document_id", "model", "content_hash", name="embedding_draft_key"),
    ForeignKeyConstraint(
        ["tenant_id", "document_id"],
        ["document.tenant_id", "document.id"],
        name="embedding_draft_document",
        ondelete="CASCADE",
    ),
)


def _of_a_document(table: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["tenant_id", "index_id", "document_id"],
        ["indexed_document.tenant_id", "indexed_document.index_id", "indexed_document.document_id"],
        name=f"{table}_of_document",
        ondelete="CASCADE",
    )


def _place_in_index() -> tuple[Column[Any], ...]:
    ids = tuple(Column(name, UUID, nullable=False) for name in ("tenant_id", "index_id", "document_id"))
    return (*ids, Column("ordinal", Integer, nullable=False))


def _chunk_key(table: str) -> PrimaryKeyConstraint:
    return PrimaryKeyConstraint("tenant_id", "index_id", "document_id", "ordinal", name=f"{table}_key")


chunk_table = Table(
    "chunk",
    metadata,
    *_place_in_index(),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("number", Text),
    Column("heading_path", ARRAY(Text), nullable=False),
    Column("page", Integer),
    Column("attributes", JSONB, nullable=False, server_default=_EMPTY),
    Column("tokens", Integer, nullable=False),
    Column("text", Text, nullable=False),
    _chunk_key("chunk"),
    _of_a_document("chunk"),
    CheckConstraint('0 <= start and start < "end"', name="chunk_span"),
    postgresql_partition_by="HASH (tenant_id)",
)

chunk_vector_table = Table(
    "chunk_vector",
    metadata,
    *_place_in_index(),
    Column("content_hash", LargeBinary, nullable=False),
    Column("embedding", HalfVector(), nullable=False),
    _chunk_key("chunk_vector"),
    _of_a_document("chunk_vector"),
    Index("chunk_vector_by_hash", "tenant_id", "content_hash"),
    postgresql_partition_by="HASH (tenant_id)",
)

chunk_terms_table = Table(
    "chunk_terms",
    metadata,
    *_place_in_index(),
    Column("terms", SparseVector(), nullable=False),
    _chunk_key("chunk_terms"),
    _of_a_document("chunk_terms"),
    postgresql_partition_by="HASH (tenant_id)",
)

term_count_table = Table(
    "term_count",
    metadata,
    Column("tenant_id", UUID, nullable=False),
    Column("index_id", UUID, nullable=False),
    Column("term", Integer, nullable=False),
    Column("chunks", Integer, nullable=False),
    PrimaryKeyConstraint("tenant_id", "index_id", "term", name="term_count_key"),
    ForeignKeyConstraint(
        ["tenant_id", "index_id"],
        ["knowledge_index.tenant_id", "knowledge_index.id"],
        name="term_count_of_index",
        ondelete="CASCADE",
    ),
    postgresql_partition_by="HASH (tenant_id)",
)

label_table = Table(
    "document_label",
    metadata,
    Column("tenant_id", UUID, nullable=False),
    Column("document_id", UUID, nullable=False),
    Column("label", Text, nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("score", REAL, nullable=False),
    PrimaryKeyConstraint("tenant_id", "document_id", "label", "start", "end", name="document_label_key"),
    ForeignKeyConstraint(
        ["tenant_id", "document_id"],
        ["document.tenant_id", "document.id"],
        name="document_label_document",
        ondelete="CASCADE",
    ),
    CheckConstraint('0 <= start and start < "end"', name="document_label_span"),
    CheckConstraint("score between 0 and 1", name="document_label_score"),
    Index("document_label_by_label", "tenant_id", "label"),
)

home_table = Table(
    "knowledge_home",
    metadata,
    Column("tenant_id", UUID, nullable=False),
    Column("tier", Text, nullable=False),
    Column("schema_name", Text),
    Column("database_name", Text),
    Column("status", Text, nullable=False, server_default=text("'settled'")),
    _time("moved_at", is_set=True),
    PrimaryKeyConstraint("tenant_id", name="knowledge_home_key"),
    CheckConstraint("tier in ('shared', 'schema', 'database')", name="knowledge_home_tier_known"),
    CheckConstraint("status in ('settled', 'moving')", name="knowledge_home_status_known"),
)
