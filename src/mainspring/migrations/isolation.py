"""Row-level security for a table, in one call: no tenant table is created without it.

Two roles run the application's SQL. `mainspring_tenant` sees the rows of the tenant named in the
transaction's `mainspring.tenant`; without one it sees none. `mainspring_system` sees only tables
that were opened to it here. Neither owns a table, and FORCE binds even an owner.
"""

from typing import Protocol

CURRENT_TENANT = "nullif(current_setting('mainspring.tenant', true), '')::uuid"


class Executes(Protocol):
    """What is needed of Alembic's `op`."""

    def execute(self, sqltext: str) -> None:
        """Run one statement."""
        ...


def isolate(op: Executes, table: str) -> None:
    """Confine every row of `table` to its `tenant_id`, and let tenant transactions use it."""
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"alter table {table} force row level security")
    op.execute(
        f"create policy tenant_isolation on {table} for all to mainspring_tenant "
        f"using (tenant_id = {CURRENT_TENANT}) with check (tenant_id = {CURRENT_TENANT})"
    )
    op.execute(f"grant select, insert, update, delete on {table} to mainspring_tenant")


def allow_system(op: Executes, table: str, privileges: str) -> None:
    """Open an isolated table to system transactions, across tenants, for these privileges only."""
    op.execute(f"create policy system_access on {table} for all to mainspring_system using (true) with check (true)")
    op.execute(f"grant {privileges} on {table} to mainspring_system")
