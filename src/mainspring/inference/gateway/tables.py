"""Tables of the inference records. Payloads are apart: they are large, and kept for a shorter time."""

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Index, Integer, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import UUID

from mainspring.foundation.db import metadata

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
    Index("inference_record_run", "tenant_id", "run_id", "id"),
)

inference_payload_table = Table(
    "inference_payload",
    metadata,
    Column("tenant_id", UUID, primary_key=True),
    Column("record_id", UUID, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("input", LargeBinary),
    Column("output", LargeBinary),
    Index("inference_payload_age", "at"),
)
