"""The room's tables as migrations 0017 and 0022 make them; row-level security is in the migration."""

from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from mainspring.foundation.tables import metadata

_NOW = text("now()")
_ZERO = text("0")


def _time(name: str, *, is_set: bool = False, is_needed: bool = False) -> Column[Any]:
    default = _NOW if is_set else None
    return Column(name, DateTime(timezone=True), nullable=not (is_set or is_needed), server_default=default)


def _text(name: str, *, default: str | None = None, is_needed: bool = True) -> Column[Any]:
    return Column(name, Text, nullable=not is_needed, server_default=None if default is None else text(f"'{default}'"))


def _keys() -> tuple[Column[Any], ...]:
    return Column("tenant_id", UUID, nullable=False), Column("id", UUID, nullable=False)


delivery_endpoint_table = Table(
    "delivery_endpoint",
    metadata,
    *_keys(),
    _text("kind"),
    _text("url"),
    _text("address", default=""),
    _text("format"),
    Column("topics", ARRAY(Text), nullable=False),
    _text("description", default=""),
    _text("state", default="on"),
    _text("state_reason", is_needed=False),
    Column("failures", Integer, nullable=False, server_default=_ZERO),
    _time("failing_since"),
    _text("last_failure", is_needed=False),
    _time("last_failure_at"),
    _time("last_success_at"),
    _text("created_by"),
    _time("created_at", is_set=True),
    PrimaryKeyConstraint("tenant_id", "id", name="delivery_endpoint_key"),
    CheckConstraint("kind in ('webhook', 'nats', 'sqs', 'rabbitmq')", name="delivery_endpoint_kind"),
    CheckConstraint(
        "format in ('standard-webhooks', 'cloudevents', 'cloudevents-binary', 'plain')",
        name="delivery_endpoint_format",
    ),
    CheckConstraint("state in ('on', 'off', 'failed', 'gone')", name="delivery_endpoint_state"),
)

delivery_secret_table = Table(
    "delivery_secret",
    metadata,
    *_keys(),
    Column("endpoint_id", UUID, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    _time("created_at", is_set=True),
    _time("expires_at"),
    PrimaryKeyConstraint("tenant_id", "id", name="delivery_secret_key"),
    ForeignKeyConstraint(
        ["tenant_id", "endpoint_id"],
        ["delivery_endpoint.tenant_id", "delivery_endpoint.id"],
        name="delivery_secret_endpoint",
        ondelete="cascade",
    ),
    Index("delivery_secret_of", "tenant_id", "endpoint_id"),
)

delivery_event_table = Table(
    "delivery_event",
    metadata,
    *_keys(),
    _text("topic"),
    Column("payload", JSONB, nullable=False),
    _time("occurred_at", is_needed=True),
    PrimaryKeyConstraint("tenant_id", "id", name="delivery_event_key"),
)

delivery_table = Table(
    "delivery",
    metadata,
    *_keys(),
    Column("endpoint_id", UUID, nullable=False),
    Column("event_id", UUID, nullable=False),
    _text("url", is_needed=False),
    _text("state"),
    Column("attempts", Integer, nullable=False, server_default=_ZERO),
    Column("tries", Integer, nullable=False, server_default=_ZERO),
    _time("due_at", is_needed=True),
    Column("token", UUID),
    _time("lease_until"),
    _time("created_at", is_set=True),
    _time("finished_at"),
    PrimaryKeyConstraint("tenant_id", "id", name="delivery_key"),
    UniqueConstraint("tenant_id", "endpoint_id", "event_id", name="delivery_once"),
    ForeignKeyConstraint(
        ["tenant_id", "endpoint_id"],
        ["delivery_endpoint.tenant_id", "delivery_endpoint.id"],
        name="delivery_endpoint_of",
        ondelete="cascade",
    ),
    ForeignKeyConstraint(
        ["tenant_id", "event_id"],
        ["delivery_event.tenant_id", "delivery_event.id"],
        name="delivery_event_of",
        ondelete="cascade",
    ),
    CheckConstraint("state in ('pending', 'held', 'delivered', 'failed')", name="delivery_state"),
    CheckConstraint("(token is null) = (lease_until is null)", name="delivery_leased"),
    CheckConstraint("(finished_at is not null) = (state in ('delivered', 'failed'))", name="delivery_ended"),
    Index("delivery_due", "due_at", postgresql_where=text("state = 'pending'")),
    Index("delivery_under_way", "tenant_id", "endpoint_id", "lease_until", postgresql_where=text("token is not null")),
    Index("delivery_newest", "tenant_id", "endpoint_id", "id"),
    Index("delivery_by_event", "tenant_id", "event_id"),
)

delivery_attempt_table = Table(
    "delivery_attempt",
    metadata,
    Column("tenant_id", UUID, nullable=False),
    Column("delivery_id", UUID, nullable=False),
    Column("number", Integer, nullable=False),
    Column("endpoint_id", UUID, nullable=False),
    _time("at", is_set=True),
    Column("succeeded", Boolean, nullable=False),
    Column("status", Integer),
    _text("error", is_needed=False),
    _text("response", is_needed=False),
    Column("milliseconds", Integer, nullable=False),
    PrimaryKeyConstraint("tenant_id", "delivery_id", "number", name="delivery_attempt_key"),
    ForeignKeyConstraint(
        ["tenant_id", "delivery_id"],
        ["delivery.tenant_id", "delivery.id"],
        name="delivery_attempt_of",
        ondelete="cascade",
    ),
    Index("delivery_attempt_recent", "tenant_id", "endpoint_id", "at"),
)

delivery_subscription_table = Table(
    "delivery_subscription",
    metadata,
    *_keys(),
    _text("type"),
    _text("source", is_needed=False),
    _text("pipeline"),
    _text("created_by"),
    _time("created_at", is_set=True),
    PrimaryKeyConstraint("tenant_id", "id", name="delivery_subscription_key"),
    UniqueConstraint(
        "tenant_id",
        "type",
        "source",
        "pipeline",
        name="delivery_subscription_once",
        postgresql_nulls_not_distinct=True,
    ),
)

delivery_trigger_table = Table(
    "delivery_trigger",
    metadata,
    *_keys(),
    _text("kind"),
    _text("url"),
    _text("address"),
    _text("pipeline"),
    _text("description", default=""),
    Column("sealed", LargeBinary),
    Column("is_on", Boolean, nullable=False, server_default=text("true")),
    _text("trouble", is_needed=False),
    Column("taken", BigInteger, nullable=False, server_default=_ZERO),
    Column("refused", BigInteger, nullable=False, server_default=_ZERO),
    _time("last_message_at"),
    Column("holder", UUID),
    _time("lease_until"),
    _text("created_by"),
    _time("created_at", is_set=True),
    PrimaryKeyConstraint("tenant_id", "id", name="delivery_trigger_key"),
    CheckConstraint("kind in ('nats', 'sqs', 'rabbitmq')", name="delivery_trigger_kind"),
    CheckConstraint("(holder is null) = (lease_until is null)", name="delivery_trigger_held"),
)

delivery_refusal_table = Table(
    "delivery_refusal",
    metadata,
    *_keys(),
    Column("trigger_id", UUID, nullable=False),
    _text("message"),
    _text("reason"),
    _text("excerpt"),
    _time("at", is_set=True),
    PrimaryKeyConstraint("tenant_id", "id", name="delivery_refusal_key"),
    ForeignKeyConstraint(
        ["tenant_id", "trigger_id"],
        ["delivery_trigger.tenant_id", "delivery_trigger.id"],
        name="delivery_refusal_of",
        ondelete="cascade",
    ),
    Index("delivery_refusal_newest", "tenant_id", "trigger_id", "id"),
)
