"""The tables of identity, as the migration makes them; row-level security is in the migration."""

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import UUID

from mainspring.foundation.tables import metadata


def _tenant_column() -> Column[object]:
    return Column("tenant_id", UUID, ForeignKey("tenant.id", ondelete="CASCADE"), nullable=False)


def _created_at() -> Column[object]:
    return Column("created_at", DateTime(timezone=True), nullable=False, server_default=text("now()"))


tenant_table = Table(
    "tenant",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("slug", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("ai_enabled", Boolean, nullable=False, server_default=text("true")),
    _created_at(),
    UniqueConstraint("slug", name="tenant_slug_unique"),
)

user_account_table = Table(
    "user_account",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("email", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("password_hash", Text),
    _created_at(),
    Index("user_account_email_unique", text("lower(email)"), unique=True),
)

membership_table = Table(
    "membership",
    metadata,
    _tenant_column(),
    Column("id", UUID, nullable=False),
    Column("user_id", UUID, ForeignKey("user_account.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("password_hash", Text),
    _created_at(),
    PrimaryKeyConstraint("tenant_id", "id"),
    UniqueConstraint("tenant_id", "user_id", name="membership_once"),
    CheckConstraint("role in ('owner', 'admin', 'reviewer', 'analyst', 'viewer')", name="membership_role_known"),
    Index("membership_user", "user_id"),
)

team_table = Table(
    "team",
    metadata,
    _tenant_column(),
    Column("id", UUID, nullable=False),
    Column("name", Text, nullable=False),
    _created_at(),
    PrimaryKeyConstraint("tenant_id", "id"),
    Index("team_name_unique", "tenant_id", text("lower(name)"), unique=True),
)

team_member_table = Table(
    "team_member",
    metadata,
    Column("tenant_id", UUID, nullable=False),
    Column("member_id", UUID, nullable=False),
    Column("team_id", UUID, nullable=False),
    _created_at(),
    PrimaryKeyConstraint("tenant_id", "member_id", "team_id"),
    ForeignKeyConstraint(["tenant_id", "member_id"], ["membership.tenant_id", "membership.id"], ondelete="CASCADE"),
    ForeignKeyConstraint(["tenant_id", "team_id"], ["team.tenant_id", "team.id"], ondelete="CASCADE"),
    Index("team_member_by_team", "tenant_id", "team_id", "member_id"),
)

api_key_table = Table(
    "api_key",
    metadata,
    _tenant_column(),
    Column("id", UUID, nullable=False),
    Column("name", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("created_by", UUID, ForeignKey("user_account.id")),
    Column("parent_id", UUID),
    _created_at(),
    Column("expires_at", DateTime(timezone=True)),
    Column("revoked_at", DateTime(timezone=True)),
    Column("last_used_at", DateTime(timezone=True)),
    PrimaryKeyConstraint("tenant_id", "id"),
    UniqueConstraint("prefix", name="api_key_prefix_unique"),
    ForeignKeyConstraint(["tenant_id", "parent_id"], ["api_key.tenant_id", "api_key.id"]),
    Index("api_key_secret", "secret_hash", unique=True),
)

session_table = Table(
    "session",
    metadata,
    _tenant_column(),
    Column("id", UUID, nullable=False),
    Column("token_hash", LargeBinary, nullable=False),
    Column("user_id", UUID, ForeignKey("user_account.id"), nullable=False),
    _created_at(),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("revoked_at", DateTime(timezone=True)),
    PrimaryKeyConstraint("tenant_id", "id"),
    UniqueConstraint("token_hash", name="session_token_unique"),
    Index("session_of_user", "tenant_id", "user_id"),
)
