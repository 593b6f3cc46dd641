"""Postgres behind two doors: a transaction for one tenant, or one for the platform itself.

There is no other way to run SQL. `tenant(id)` switches to a role that row-level
security confines to that tenant; `system()` switches to a role that sees only the
tables whose migrations say so (credentials, the work queue, the outbox). The login
role itself may read nothing, so forgetting a door fails instead of leaking.

A transaction is short: `forbid_open_transaction` is called before every wait on a
model, a tool or another host, and raises when one is open in the same task.
"""

import select
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from datetime import timedelta
from typing import Any, LiteralString, Self
from uuid import UUID

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from mainspring.foundation.errors import Unavailable
from mainspring.foundation.ids import TenantId

Row = dict[str, Any]

DatabaseGone = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, Unavailable)
"""What a lost or restarting Postgres looks like; loops that must survive it catch these."""

_is_open: ContextVar[bool] = ContextVar("transaction_is_open", default=False)


def forbid_open_transaction(waiting_for: str) -> None:
    """Raise when this task holds a transaction open: locks must not outlive a wait on others."""
    if _is_open.get():
        raise RuntimeError(f"a transaction is open while waiting for {waiting_for}; commit first")


class _Transaction:
    def __init__(self, connection: AsyncConnection[Row]) -> None:
        self._connection = connection

    async def all(self, sql: LiteralString, **parameters: object) -> list[Row]:
        """Every row of the answer."""
        cursor = await self._connection.execute(sql, parameters)
        return await cursor.fetchall()

    async def planned(self, sql: LiteralString, **parameters: object) -> list[Row]:
        """Every row, by a plan made for these very values: one for any values uses no index of a single tenant."""
        cursor = await self._connection.execute(sql, parameters, prepare=False)
        return await cursor.fetchall()

    async def first(self, sql: LiteralString, **parameters: object) -> Row | None:
        """The first row, or None."""
        cursor = await self._connection.execute(sql, parameters)
        return await cursor.fetchone()

    async def one(self, sql: LiteralString, **parameters: object) -> Row:
        """The first row; LookupError when there is none."""
        row = await self.first(sql, **parameters)
        if row is None:
            raise LookupError("the query returned no row")
        return row

    async def run(self, sql: LiteralString, **parameters: object) -> int:
        """Execute and return how many rows were touched."""
        return (await self._connection.execute(sql, parameters)).rowcount

    async def many(self, sql: LiteralString, rows: Sequence[Mapping[str, object]]) -> None:
        """Execute once per row, in one round trip."""
        async with self._connection.cursor() as cursor:
            await cursor.executemany(sql, rows)


class TenantTransaction(_Transaction):
    """A transaction that sees and writes the rows of `tenant` only."""

    def __init__(self, connection: AsyncConnection[Row], tenant: TenantId) -> None:
        super().__init__(connection)
        self.tenant = tenant


class SystemTransaction(_Transaction):
    """A transaction of the platform: what the system role was granted, across tenants."""


# Each transaction begins with these and `begin` in one round trip.
_TENANT = "set local role mainspring_tenant; set local mainspring.tenant = '{}'"
_SYSTEM = "set local role mainspring_system"
_PLANNED_ONCE = "; set local plan_cache_mode = force_generic_plan; set local enable_seqscan = off"
_SHIFTED = "; set local mainspring.clock_shift = '{} seconds'"
_ENTER_SYSTEM = "select set_config('role', 'mainspring_system', true)"
# A build that waits for old transactions gives up after a minute, and one whose client died ends within seconds.
_ENTER_KEEPER = """select set_config('role', 'mainspring_keeper', false), set_config('lock_timeout', '60s', false),
                          set_config('client_connection_check_interval', '5s', false)"""


async def _check(connection: AsyncConnection[Row]) -> None:
    """Raise for a connection that has ended. An idle one has nothing to read: if there is, look what."""
    line = select.poll()
    line.register(connection.fileno(), select.POLLIN)
    if line.poll(0):
        await connection.execute("")


@contextmanager
def system_apart(connection: psycopg.Connection[Row]) -> Generator[None]:
    """A system transaction on a connection of `Database.connect_apart`; the role ends with it, as poolers need."""
    with connection.transaction():
        connection.execute(_ENTER_SYSTEM)
        yield


class Database:
    """A pool of connections and the two doors to it."""

    def __init__(
        self,
        pool: AsyncConnectionPool[AsyncConnection[Row]],
        *,
        clock_shift: Callable[[], timedelta] | None = None,
    ) -> None:
        self._pool = pool
        self._clock_shift = clock_shift

    @classmethod
    async def open(cls, url: str, *, connections: int = 10, clock_shift: Callable[[], timedelta] | None = None) -> Self:
        """Open a pool; it connects in the background and reconnects by itself.

        clock_shift  for rehearsals: how far ahead `mainspring_now()` is, asked at the start of each transaction.
                     What people wait for goes by it; leases do not
        """
        pool = AsyncConnectionPool(
            url,
            connection_class=AsyncConnection[Row],
            kwargs={"row_factory": dict_row, "connect_timeout": 5, "autocommit": True},  # `_begin` begins
            min_size=1,
            max_size=connections,
            timeout=10,
            check=_check,
            open=False,
        )
        await pool.open()
        return cls(pool, clock_shift=clock_shift)

    async def ping(self) -> None:
        """Raise one of `DatabaseGone` unless the database answers now."""
        async with self.system() as transaction:
            await transaction.one("select 1 as answer")

    async def close(self) -> None:
        """Return every connection; open transactions are rolled back."""
        await self._pool.close()

    def connect_apart(self) -> psycopg.Connection[Row]:
        """A blocking connection outside the pool, for a thread that must go on while the event loop is busy.

        Use it through `system_apart`, which enters the system role for one transaction.
        """
        return psycopg.Connection[Row].connect(str(self._pool.conninfo), row_factory=dict_row, connect_timeout=5)

    @asynccontextmanager
    async def tenant(self, tenant: TenantId) -> AsyncGenerator[TenantTransaction]:
        """A transaction confined to one tenant; commits on exit, rolls back on an exception."""
        async with self._begin(_TENANT.format(UUID(int=tenant.int))) as connection:
            yield TenantTransaction(connection, tenant)

    @asynccontextmanager
    async def system(self, *, plans_once: bool = False) -> AsyncGenerator[SystemTransaction]:
        """A transaction of the platform itself; commits on exit, rolls back on an exception.

        plans_once  its statements are planned once per connection, and by index: for those that are run all the time
        """
        async with self._begin(_SYSTEM + _PLANNED_ONCE * plans_once) as connection:
            yield SystemTransaction(connection)

    @asynccontextmanager
    async def raw(self) -> AsyncGenerator[AsyncConnection[Row]]:
        """The psycopg connection of a system transaction, for COPY."""
        async with self._begin(_SYSTEM) as connection:
            yield connection

    @asynccontextmanager
    async def keeper(self) -> AsyncGenerator[AsyncConnection[Row]]:
        """A connection of its own, with no transaction open, as the role that may index vectors and read none.

        For indexes that are built and dropped while the platform runs; whatever else the tables hold is out of reach.
        """
        forbid_open_transaction("an index to be built")
        async with await AsyncConnection[Row].connect(
            str(self._pool.conninfo), row_factory=dict_row, connect_timeout=5, autocommit=True
        ) as connection:
            await connection.execute(_ENTER_KEEPER)
            yield connection

    @asynccontextmanager
    async def _begin(self, entry: str) -> AsyncGenerator[AsyncConnection[Row]]:
        """A transaction that `entry` has been run in; what is in there is written here, or a UUID or a number."""
        if _is_open.get():
            raise RuntimeError("a transaction is open already; pass it on instead of opening a second one")
        shift = _SHIFTED.format(self._clock_shift().total_seconds()) if self._clock_shift is not None else ""
        try:
            async with self._pool.connection() as connection:
                token = _is_open.set(True)
                try:
                    await connection.execute(f"begin; {entry}{shift}".encode(), prepare=False)
                    yield connection
                finally:
                    _is_open.reset(token)
        except PoolTimeout as away:
            raise Unavailable(
                "The database gave no connection within 10 s; try again shortly.", retry_after_seconds=2
            ) from away
