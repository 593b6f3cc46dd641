"""SQL of the log of changes."""

from datetime import timedelta

from mainspring.foundation.db import SystemTransaction
from mainspring.foundation.ids import TenantId


async def find_horizon(transaction: SystemTransaction) -> int:
    """The oldest transaction that may still commit: all before it have ended, and are seen from now on."""
    row = await transaction.one("select pg_snapshot_xmin(pg_current_snapshot())::text::bigint as horizon")
    return int(row["horizon"])


async def find_changes(transaction: SystemTransaction, *, since: int) -> tuple[int, frozenset[tuple[int, TenantId]]]:
    """The horizon now, and the committed transactions from `since` on, each with a tenant it changed.

    Both in one statement, hence from one snapshot: what it does not show is at or after the new horizon.
    """
    rows = await transaction.all(
        """
        select horizon, c.transaction, c.tenant_id
          from (select pg_snapshot_xmin(pg_current_snapshot())::text::bigint as horizon) now
          left join tenant_change c on c.transaction >= %(since)s""",
        since=since,
    )
    found = ((int(row["transaction"]), TenantId(row["tenant_id"])) for row in rows if row["tenant_id"] is not None)
    return int(rows[0]["horizon"]), frozenset(found)


async def forget_changes(transaction: SystemTransaction, older_than: timedelta) -> int:
    """Delete what everyone has seen by now; returns how many rows."""
    return await transaction.run("delete from tenant_change where changed_at < now() - %(age)s", age=older_than)
