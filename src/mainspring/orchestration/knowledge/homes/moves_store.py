"""What a move asks of the database besides rows: who moves, where a tenant is at home, whose transactions are open."""

from datetime import datetime, timedelta

import psycopg

from mainspring.foundation.db import Row
from mainspring.foundation.ids import TenantId

from .clone_store import Admin
from .places import Place

Login = psycopg.Connection[Row]

_AS_SYSTEM = "select set_config('role', 'mainspring_system', true)"


def try_alone(connection: Login, tenant: TenantId) -> bool:
    """Whether this connection is the only one that moves the tenant, until it closes."""
    row = connection.execute(
        "select pg_try_advisory_lock(hashtextextended(%s::text, 5)) as is_held", (tenant,)
    ).fetchone()
    return row is not None and row["is_held"]


def find_home(connection: Login, tenant: TenantId) -> Row | None:
    """The tenant's row."""
    with connection.transaction():
        connection.execute(_AS_SYSTEM)
        return connection.execute(
            """select tenant_id, tier, schema_name, database_name, status, moved_at from knowledge_home
                where tenant_id = %s""",
            (tenant,),
        ).fetchone()


def list_settled(connection: Login, before: datetime) -> list[Row]:
    """Tenants that moved before this and move no more."""
    with connection.transaction():
        connection.execute(_AS_SYSTEM)
        return connection.execute(
            """select tenant_id, tier, schema_name, database_name, status from knowledge_home
                where status = 'settled' and moved_at <= %s order by tenant_id""",
            (before,),
        ).fetchall()


def note_bound(connection: Login, tenant: TenantId, home: Place, target: Place) -> None:
    """Say that the tenant is on its way; its home stays what it is, the other columns name where it goes."""
    with connection.transaction():
        connection.execute(_AS_SYSTEM)
        connection.execute(
            """insert into knowledge_home (tenant_id, tier, schema_name, database_name, status)
               values (%(tenant)s, %(tier)s, %(schema)s, %(database)s, 'moving')
               on conflict (tenant_id) do update set schema_name = excluded.schema_name,
                   database_name = excluded.database_name, status = 'moving'""",
            {
                "tenant": tenant,
                "tier": home.tier.value,
                "schema": home.schema or target.schema,
                "database": home.database or target.database,
            },
        )


def lock_writers_out(connection: Login, tenant: TenantId, patience: timedelta) -> None:
    """Inside a transaction: wait for the writers that are at it, let no other begin; raises LockNotAvailable."""
    connection.execute(_AS_SYSTEM)
    connection.execute("select set_config('lock_timeout', %s, true)", (f"{int(patience.total_seconds() * 1000)}ms",))
    connection.execute("set local idle_in_transaction_session_timeout = 0")
    connection.execute("select pg_advisory_xact_lock(hashtextextended(%s::text, 4))", (tenant,))


def settle(connection: Login, tenant: TenantId, place: Place) -> None:
    """Inside the transaction that locks the writers out: this is home from its commit on."""
    connection.execute(
        """update knowledge_home set tier = %s, schema_name = %s, database_name = %s, status = 'settled',
                  moved_at = now() where tenant_id = %s""",
        (place.tier.value, place.schema, place.database, tenant),
    )


def list_open_transactions(connection: Admin) -> set[str]:
    """Transactions of others in this database, whoever they are."""
    rows = connection.execute(
        """select l.virtualxid from pg_locks l join pg_stat_activity a on a.pid = l.pid
            where l.locktype = 'virtualxid' and l.mode = 'ExclusiveLock' and l.granted
              and a.datname = current_database() and l.pid <> pg_backend_pid()"""
    )
    return {row[0] for row in rows}


def list_triggers(connection: Admin, tenant: TenantId) -> list[tuple[str, str]]:
    """Schema and table wherever a move of the tenant still notes changes."""
    rows = connection.execute(
        """select distinct n.nspname, c.relname from pg_trigger t
             join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
            where starts_with(t.tgname, %s) and t.tgparentid = 0 order by 1, 2""",
        (f"knowledge_move_{tenant.hex}_",),
    )
    return [(row[0], row[1]) for row in rows]
