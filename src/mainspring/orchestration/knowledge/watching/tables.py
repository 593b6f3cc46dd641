"""What the watch writes, and golden questions; row-level security is in the migration."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from mainspring.foundation.tables import metadata

_EMPTY = text("'{}'")


def _time(name: str, *, is_set: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=not is_set)


canary_table = Table(
    "embedding_canary",
    metadata,
    Column("model", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("day", Date, nullable=False),
    Column("is_done", Boolean, nullable=False, server_default=text("false")),
    _time("claimed_at", is_set=True),
    Column("vectors", LargeBinary),
    Column("figures", JSONB, nullable=False, server_default=_EMPTY),
    PrimaryKeyConstraint("model", "version", "day", name="embedding_canary_key"),
)

check_table = Table(
    "knowledge_check",
    metadata,
    Column("tenant_id", UUID, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("status", Text, nullable=False, server_default=text("'running'")),
    _time("claimed_at", is_set=True),
    Column("figures", JSONB, nullable=False, server_default=_EMPTY),
    Column("ranks", JSONB),
    PrimaryKeyConstraint("tenant_id", "kind", "subject", "day", name="knowledge_check_key"),
    CheckConstraint("status in ('running', 'learning', 'normal', 'moved')", name="knowledge_check_status_known"),
)

alert_table = Table(
    "knowledge_alert",
    metadata,
    Column("tenant_id", UUID, nullable=False),
    Column("id", UUID, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("opened_on", Date, nullable=False),
    _time("opened_at", is_set=True),
    Column("moved", JSONB, nullable=False),
    _time("acknowledged_at"),
    Column("acknowledged_by", Text),
    _time("resolved_at"),
    PrimaryKeyConstraint("tenant_id", "id", name="knowledge_alert_key"),
    Index(
        "knowledge_alert_unresolved",
        "tenant_id",
        "kind",
        "subject",
        unique=True,
        postgresql_where=text("resolved_at is null"),
    ),
)

golden_table = Table(
    "golden_question",
    metadata,
    Column("tenant_id", UUID, nullable=False),
    Column("id", UUID, nullable=False),
    Column("question", Text, nullable=False),
    Column("document_id", UUID, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("start", Integer),
    Column("end", Integer),
    Column("created_by", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    PrimaryKeyConstraint("tenant_id", "id", name="golden_question_key"),
    CheckConstraint(
        '(start is null) = ("end" is null) and (start is null or (0 <= start and start < "end"))',
        name="golden_question_span",
    ),
)
