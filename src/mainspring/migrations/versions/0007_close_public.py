"""Take from everybody what Postgres gives to everybody: temporary tables and functions, and large objects.

Both are room for one tenant's data outside row-level security.
"""

from alembic import op

revision = "0007"
down_revision = "0006"

_LARGE_OBJECTS = (
    "lo_creat(integer)",
    "lo_create(oid)",
    "lo_from_bytea(oid, bytea)",
    "lo_open(oid, integer)",
    "lo_put(oid, bigint, bytea)",
    "lo_get(oid)",
    "lo_get(oid, bigint, integer)",
)


def upgrade() -> None:
    op.execute("do $$ begin execute format('revoke temporary on database %I from public', current_database()); end $$")
    for function in _LARGE_OBJECTS:
        op.execute(f"revoke execute on function pg_catalog.{function} from public")
