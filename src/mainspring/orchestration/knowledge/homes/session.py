"""A blocking connection of the application's own login, bound to one tenant at one place.

A move reads and writes rows as the tenant does, under row-level security: the login that owns the schema makes tables
and triggers, and touches no row. So a move cannot carry anybody else's rows along, whatever is wrong with it.
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from mainspring.foundation.db import Row
from mainspring.foundation.ids import TenantId

from .places import Place

_ENTER = """select set_config('role', 'mainspring_tenant', true),
                   set_config('mainspring.tenant', %(tenant)s::text, true),
                   set_config('search_path', %(path)s, true), set_config('TimeZone', 'UTC', true)"""
_AS_SYSTEM = "select set_config('role', 'mainspring_system', true)"
_AS_TENANT = "select set_config('role', 'mainspring_tenant', true)"


class Session:
    """Statements of one tenant at one place; each runs inside a `transaction`."""

    def __init__(self, connection: psycopg.Connection[Row], tenant: TenantId, place: Place) -> None:
        self.connection = connection
        self.tenant = tenant
        self.place = place

    @classmethod
    @contextmanager
    def open(cls, url: str, tenant: TenantId, place: Place) -> Generator["Session"]:
        """Connect, and disconnect at the end. Statements are planned each time: the tables' names change meaning."""
        with psycopg.Connection[Row].connect(
            url, row_factory=dict_row, connect_timeout=5, prepare_threshold=None, autocommit=True
        ) as connection:
            yield cls(connection, tenant, place)

    @contextmanager
    def transaction(self, *, is_snapshot: bool = False) -> Generator[None]:
        """A transaction confined to the tenant; with `is_snapshot` all its statements see the same moment."""
        with self.connection.transaction():
            if is_snapshot:
                self.connection.execute("set transaction isolation level repeatable read")
                # The other side of a copy may take long; the login's own limit is for processes that hang.
                self.connection.execute("set local idle_in_transaction_session_timeout = 0")
            self.connection.execute(_ENTER, {"tenant": self.tenant, "path": self.place.search_path})
            yield

    @contextmanager
    def as_system(self) -> Generator[None]:
        """Inside a transaction: the role that may make temporary tables, for COPY into them."""
        self.connection.execute(_AS_SYSTEM)
        yield
        self.connection.execute(_AS_TENANT)

    def all(self, statement: LiteralString | sql.Composed, **parameters: object) -> list[Row]:
        """Every row; `%(tenant)s` is the session's tenant."""
        return self.connection.execute(statement, {"tenant": self.tenant, **parameters}).fetchall()

    def run(self, statement: LiteralString | sql.Composed, **parameters: object) -> int:
        """How many rows were touched."""
        return self.connection.execute(statement, {"tenant": self.tenant, **parameters}).rowcount
