"""Tables of the inference records. Payloads are apart: they are large, and kept for a shorter time."""

from sqlalchemy import (
    REAL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from mainspring.foundation.tables import metadata
from mainspring.foundation.vectors import HalfVector

inference_record_table = Table(
    "inference_record",
    metadata,
    Column("tenant_id", UUID, primary_key=True),
    Column("id", UUID, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("operation", Text, nullable=False),
    Column("model_asked", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("principal", Text, nullable=False),
    Column("run_id", UUID),
    Column("step", Text),
    Column("session", Text),
    Column("feature", Text),
    Column("trace_id", Text),
    Column("span_id", Text),
    Column("parent_span_id", Text),
    Column("prompt_name", Text),
    Column("prompt_version", Text),
    Column("idempotency_key", Text),
    Column("model_served", Text),
    Column("region", Text),
    Column("route_reason", Text, nullable=False),
    Column("cache_status", Text, nullable=False),
    Column("input_tokens", Integer, nullable=False),
    Column("cached_tokens", Integer, nullable=False),
    Column("output_tokens", Integer, nullable=False),
    Column("reasoning_tokens", Integer, nullable=False),
    Column("cost_micros", BigInteger),
    Column("currency", Text),
    Column("price_version", Text),
    Column("latency_ms", Integer),
    Column("ttft_ms", Integer),
    Column("status", Text, nullable=False),
    Column("error_code", Text),
    Column("finish_reason", Text),
    Column("stream", Boolean, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("key_id", UUID),
    Column("end_user", Text),
    Column("residency", Text),
    Column("release", Text),
    Column("cache_write_tokens", Integer, nullable=False),
    Column("usage_source", Text, nullable=False),
    Column("structured", Text),
    Column("own_key", Boolean, nullable=False),
    Index("inference_record_run", "tenant_id", "run_id", "id", postgresql_where=text("run_id is not null")),
)

inference_payload_table = Table(
    "inference_payload",
    metadata,
    Column("tenant_id", UUID, primary_key=True),
    Column("record_id", UUID, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("input", LargeBinary),
    Column("output", LargeBinary),
    Column("dialect", Text),
    Index("inference_payload_age", "at"),
)

gateway_policy_table = Table(
    "gateway_policy",
    metadata,
    Column("tenant_id", UUID, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("document", JSONB, nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("updated_by", Text, nullable=False),
)

provider_key_table = Table(
    "provider_key",
    metadata,
    Column("tenant_id", UUID, primary_key=True),
    Column("provider", Text, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("last_four", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("created_by", Text, nullable=False),
)

gateway_spend_table = Table(
    "gateway_spend",
    metadata,
    Column("tenant_id", UUID, primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("spent_on", Date, primary_key=True),
    Column("cost_micros", BigInteger, nullable=False),
    Column("tokens", BigInteger, nullable=False),
    Column("calls", BigInteger, nullable=False),
)

semantic_entry_table = Table(
    "semantic_entry",
    metadata,
    Column("tenant_id", UUID, primary_key=True),
    Column("id", UUID, primary_key=True),
    Column("context", LargeBinary, nullable=False),
    Column("feature", Text, nullable=False),
    Column("embedding", HalfVector(384), nullable=False),
    Column("reply", LargeBinary, nullable=False),
    Column("observations", JSONB, nullable=False),
    Column("hits", Integer, nullable=False),
    Column("shadowed", Integer, nullable=False),
    Column("wrong", Integer, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Index("semantic_entry_context", "tenant_id", "context"),
    Index("semantic_entry_age", "expires_at"),
)

route_outcome_table = Table(
    "route_outcome",
    metadata,
    Column("tenant_id", UUID, primary_key=True),
    Column("id", UUID, primary_key=True),
    Column("model", Text, nullable=False),
    Column("embedding", HalfVector(384), nullable=False),
    Column("score", REAL, CheckConstraint("score between 0 and 1"), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
)
