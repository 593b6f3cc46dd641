"""The tables of contract intelligence; every row belongs to a tenant."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from mainspring.foundation.tables import metadata

_NOW = text("now()")


def _stamp(name: str) -> "Column[datetime]":
    return Column(name, DateTime(timezone=True), nullable=False, server_default=_NOW)


contract_table = Table(
    "contract",
    metadata,
    Column("tenant_id", Uuid),
    Column("id", Uuid),
    Column("document_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("pages", Integer),
    Column("language", Text),
    Column("title", Text),
    Column("playbook", Text, nullable=False),
    Column("run_id", Uuid),
    Column("run_status", Text, nullable=False, server_default=text("'queued'")),
    Column("created_by", Text, nullable=False),
    _stamp("created_at"),
    PrimaryKeyConstraint("tenant_id", "id"),
    UniqueConstraint("tenant_id", "sha256"),
)
Index("contract_newest", contract_table.c.tenant_id, contract_table.c.created_at.desc(), contract_table.c.id.desc())

finding_table = Table(
    "finding",
    metadata,
    Column("tenant_id", Uuid),
    Column("id", Uuid),
    Column("contract_id", Uuid, nullable=False),
    Column("run_id", Uuid, nullable=False),
    Column("place", Integer, nullable=False),
    Column("rule", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("category", Text),
    Column("citations", JSONB, nullable=False),
    Column("suggestion", Text),
    Column("method", Text, nullable=False),
    Column("confidence", Double, nullable=False),
    Column("decision", Text, nullable=False, server_default=text("'open'")),
    Column("decided_by", Text),
    Column("decided_at", DateTime(timezone=True)),
    Column("reason", Text),
    Column("edited", JSONB),
    PrimaryKeyConstraint("tenant_id", "id"),
    UniqueConstraint("tenant_id", "run_id", "place"),
    ForeignKeyConstraint(["tenant_id", "contract_id"], ["contract.tenant_id", "contract.id"], ondelete="cascade"),
    CheckConstraint("severity in ('critical', 'high', 'medium', 'low', 'info')"),
    CheckConstraint("decision in ('open', 'accepted', 'dismissed', 'edited')"),
    Index("finding_of_contract", "tenant_id", "contract_id", "run_id", "place"),
)

feedback_table = Table(
    "finding_feedback",
    metadata,
    Column("tenant_id", Uuid),
    Column("id", Uuid),
    Column("finding_id", Uuid, nullable=False),
    Column("run_id", Uuid, nullable=False),
    Column("trace_id", Text),
    Column("record_id", Uuid),
    Column("decision", Text, nullable=False),
    Column("reason", Text),
    Column("edited", JSONB),
    Column("given_by", Text, nullable=False),
    _stamp("given_at"),
    PrimaryKeyConstraint("tenant_id", "id"),
    ForeignKeyConstraint(["tenant_id", "finding_id"], ["finding.tenant_id", "finding.id"], ondelete="cascade"),
    Index("feedback_of_finding", "tenant_id", "finding_id"),
)

report_table = Table(
    "report",
    metadata,
    Column("tenant_id", Uuid),
    Column("run_id", Uuid),
    Column("contract_id", Uuid, nullable=False),
    Column("body", JSONB, nullable=False),
    _stamp("created_at"),
    PrimaryKeyConstraint("tenant_id", "run_id"),
    ForeignKeyConstraint(["tenant_id", "contract_id"], ["contract.tenant_id", "contract.id"], ondelete="cascade"),
)

Index("report_of_contract", report_table.c.tenant_id, report_table.c.contract_id, report_table.c.run_id.desc())

playbook_table = Table(
    "playbook",
    metadata,
    Column("tenant_id", Uuid),
    Column("name", Text),
    Column("version", Integer),
    Column("yaml", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("rules", Integer, nullable=False),
    Column("created_by", Text, nullable=False),
    _stamp("created_at"),
    PrimaryKeyConstraint("tenant_id", "name", "version"),
)

playbook_default_table = Table(
    "playbook_default",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
)
