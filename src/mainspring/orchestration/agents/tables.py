"""The room's tables as migration 0016 makes them; the trigger that guards a run's ends lives there.

A thread's id is chosen by clients, so the key of every table begins with the tenant: what one tenant
calls a thread says nothing about another's.
"""

from sqlalchemy import (
    ARRAY,
    REAL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects import postgresql

from mainspring.foundation.tables import metadata


def _key(name: str) -> Column[object]:
    return Column(name, postgresql.UUID, primary_key=True)


def _id(name: str) -> Column[object]:
    return Column(name, postgresql.UUID, nullable=False)


def _text(name: str, default: str | None = None) -> Column[str]:
    return Column(name, Text, nullable=False, server_default=None if default is None else text(f"'{default}'"))


def _texts(name: str, default: str = "{}") -> Column[object]:
    return Column(name, ARRAY(Text), nullable=False, server_default=text(f"'{default}'"))


def _object(name: str) -> Column[object]:
    return Column(name, postgresql.JSONB, nullable=False, server_default=text("'{}'"))


def _flag(name: str, default: str = "false") -> Column[bool]:
    return Column(name, Boolean, nullable=False, server_default=text(default))


def _now(name: str) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=False, server_default=text("now()"))


def _instant(name: str) -> Column[object]:
    return Column(name, DateTime(timezone=True))


def _of_thread(name: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["tenant_id", "thread_id"], ["agent_thread.tenant_id", "agent_thread.id"], name=name, ondelete="CASCADE"
    )


assistant_table = Table(
    "agent_assistant",
    metadata,
    _key("tenant_id"),
    _key("id"),
    _text("graph"),
    _text("name"),
    Column("description", Text),
    Column("version", Integer, nullable=False, server_default=text("1")),
    _object("config"),
    _object("context"),
    _object("metadata"),
    _now("created_at"),
    _now("updated_at"),
    Index("agent_assistant_newest", "tenant_id", "created_at", "id"),
)

assistant_version_table = Table(
    "agent_assistant_version",
    metadata,
    _key("tenant_id"),
    _key("assistant_id"),
    Column("version", Integer, primary_key=True),
    _text("graph"),
    _text("name"),
    Column("description", Text),
    _object("config"),
    _object("context"),
    _object("metadata"),
    _now("created_at"),
    ForeignKeyConstraint(
        ["tenant_id", "assistant_id"],
        ["agent_assistant.tenant_id", "agent_assistant.id"],
        name="agent_assistant_version_of",
        ondelete="CASCADE",
    ),
)

thread_table = Table(
    "agent_thread",
    metadata,
    _key("tenant_id"),
    _key("id"),
    Column("graph", Text),
    _text("status", "idle"),
    _object("metadata"),
    _object("config"),
    Column("values", postgresql.JSONB),
    _object("interrupts"),
    Column("error", postgresql.JSONB),
    _flag("is_stateless"),
    Column("last_ordinal", BigInteger, nullable=False, server_default=text("0")),
    Column("created_by", Text),
    Column("ttl_minutes", REAL),
    _text("ttl_strategy", "delete"),
    _instant("expires_at"),
    _now("created_at"),
    _now("updated_at"),
    _now("state_updated_at"),
    Column("owner", Text),
    CheckConstraint("status in ('idle', 'busy', 'interrupted', 'error')", name="agent_thread_status_known"),
    CheckConstraint("ttl_strategy in ('delete', 'keep_latest')", name="agent_thread_ttl_known"),
    Index("agent_thread_newest", "tenant_id", "updated_at", "id"),
    Index(
        "agent_thread_metadata",
        "metadata",
        postgresql_using="gin",
        postgresql_ops={"metadata": "jsonb_path_ops"},
    ),
    Index("agent_thread_expiring", "expires_at", postgresql_where=text("expires_at is not null")),
)

run_table = Table(
    "agent_run",
    metadata,
    _key("tenant_id"),
    _key("id"),
    _id("thread_id"),
    Column("ordinal", BigInteger, nullable=False),
    _id("assistant_id"),
    _text("graph"),
    _text("status", "pending"),
    _text("multitask", "enqueue"),
    Column("input", postgresql.JSONB),
    Column("command", postgresql.JSONB),
    Column("checkpoint", postgresql.JSONB),
    _object("config"),
    _object("context"),
    _object("metadata"),
    _object("kwargs"),
    Column("caller", postgresql.JSONB, nullable=False),
    _texts("stream_modes", "{values}"),
    _flag("stream_subgraphs"),
    _texts("interrupt_before"),
    _texts("interrupt_after"),
    _text("durability", "async"),
    _text("on_completion", "keep"),
    Column("webhook", Text),
    _instant("due_at"),
    Column("key", Text),
    Column("pipeline_run", postgresql.UUID),
    Column("attempt", Integer, nullable=False, server_default=text("0")),
    _flag("is_stopping"),
    _flag("is_open"),
    Column("cancel_reason", Text),
    Column("error_code", Text),
    Column("error_detail", Text),
    _now("created_at"),
    _now("updated_at"),
    _instant("started_at"),
    _instant("finished_at"),
    _of_thread("agent_run_of"),
    CheckConstraint(
        "status in ('pending', 'running', 'success', 'error', 'timeout', 'interrupted')", name="agent_run_status_known"
    ),
    CheckConstraint("multitask in ('reject', 'enqueue', 'interrupt', 'rollback')", name="agent_run_multitask_known"),
    CheckConstraint("durability in ('sync', 'async', 'exit')", name="agent_run_durability_known"),
    CheckConstraint("on_completion in ('keep', 'delete')", name="agent_run_completion_known"),
    CheckConstraint("status <> 'running' or pipeline_run is not null", name="agent_run_running_is_led"),
    CheckConstraint(
        "(finished_at is not null) = (status in ('success', 'error', 'timeout', 'interrupted'))",
        name="agent_run_final_has_end",
    ),
    UniqueConstraint("tenant_id", "key", name="agent_run_key"),
    Index("agent_run_of_thread", "tenant_id", "thread_id", "id"),
    Index(
        "agent_run_one_running",
        "tenant_id",
        "thread_id",
        unique=True,
        postgresql_where=text("status in ('pending', 'running') and pipeline_run is not null"),
    ),
    Index("agent_run_waiting", "due_at", "id", postgresql_where=text("status = 'pending' and pipeline_run is null")),
    Index("agent_run_unfinished", "pipeline_run", postgresql_where=text("status in ('pending', 'running')")),
    Index("agent_run_stopping", "id", postgresql_where=text("is_stopping")),
    Index("agent_run_open", "tenant_id", "thread_id", postgresql_where=text("is_open")),
)

awaited_approval_table = Table(
    "agent_awaited_approval",
    metadata,
    _key("tenant_id"),
    _key("approval_id"),
    _id("thread_id"),
    _id("run_id"),
    _text("interrupt_id"),
    _now("created_at"),
    _of_thread("agent_awaited_approval_of"),
    Index("agent_awaited_approval_fresh", "created_at"),
    Index("agent_awaited_approval_of_thread", "tenant_id", "thread_id"),
)

cron_table = Table(
    "agent_cron",
    metadata,
    _key("tenant_id"),
    _key("id"),
    _id("assistant_id"),
    Column("thread_id", postgresql.UUID),
    _text("schedule"),
    Column("timezone", Text),
    _instant("end_at"),
    _instant("next_at"),
    _flag("is_enabled", "true"),
    _text("on_run_completed", "delete"),
    _object("payload"),
    _object("metadata"),
    Column("caller", postgresql.JSONB, nullable=False),
    Column("created_by", Text),
    _now("created_at"),
    _now("updated_at"),
    _of_thread("agent_cron_on_thread"),
    CheckConstraint("on_run_completed in ('keep', 'delete')", name="agent_cron_completion_known"),
    Index("agent_cron_newest", "tenant_id", "created_at", "id"),
    Index("agent_cron_due", "next_at", postgresql_where=text("is_enabled and next_at is not null")),
)

store_item_table = Table(
    "agent_store_item",
    metadata,
    _key("tenant_id"),
    Column("namespace", ARRAY(Text), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", postgresql.JSONB, nullable=False),
    Column("ttl_minutes", REAL),
    _instant("expires_at"),
    _now("created_at"),
    _now("updated_at"),
    Index("agent_store_item_value", "value", postgresql_using="gin", postgresql_ops={"value": "jsonb_path_ops"}),
    Index("agent_store_item_expiring", "expires_at", postgresql_where=text("expires_at is not null")),
)


def _named(name: str, default: str | None = None) -> Column[str]:
    return Column(name, Text, primary_key=True, server_default=None if default is None else text(f"'{default}'"))


checkpoints_table = Table(
    "checkpoints",
    metadata,
    _key("tenant_id"),
    _named("thread_id"),
    _named("checkpoint_ns", ""),
    _named("checkpoint_id"),
    Column("parent_checkpoint_id", Text),
    Column("type", Text),
    Column("checkpoint", postgresql.JSONB, nullable=False),
    _object("metadata"),
    Column("run_id", Text),
    Column("attempt", Integer),
    Index("checkpoints_of_run", "tenant_id", "run_id", postgresql_where=text("run_id is not null")),
)

checkpoint_blobs_table = Table(
    "checkpoint_blobs",
    metadata,
    _key("tenant_id"),
    _named("thread_id"),
    _named("checkpoint_ns", ""),
    _named("channel"),
    _named("version"),
    _text("type"),
    Column("blob", LargeBinary),
)

checkpoint_writes_table = Table(
    "checkpoint_writes",
    metadata,
    _key("tenant_id"),
    _named("thread_id"),
    _named("checkpoint_ns", ""),
    _named("checkpoint_id"),
    _named("task_id"),
    Column("idx", Integer, primary_key=True),
    _text("channel"),
    Column("type", Text),
    Column("blob", LargeBinary, nullable=False),
    _text("task_path", ""),
    Column("run_id", Text),
    Column("attempt", Integer),
    Index("checkpoint_writes_of_run", "tenant_id", "run_id", postgresql_where=text("run_id is not null")),
)
