"""Approximate indexes come and go by themselves, whatever is killed on the way."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import psycopg
from psycopg import AsyncConnection

from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId
from mainspring.orchestration.knowledge.homes import Homes
from mainspring.orchestration.knowledge.promotion import Kept, Promotions
from mainspring.orchestration.knowledge.retrieval import store as searching
from mainspring.orchestration.knowledge.retrieval.types import Filters
from mainspring.orchestration.knowledge.types import Reader

from .conftest import SMALL, Shelf, count_indexes, draw_vectors

MakeShelf = Callable[[], Awaitable[Shelf]]


async def test_a_large_tenant_is_promoted_and_a_small_one_is_not(
    database: Database, homes: Homes, make_shelf: MakeShelf, admin: AsyncConnection
):
    large, small = await make_shelf(), await make_shelf()
    await large.fill(600)
    await small.fill(200)
    await Promotions(database, homes, SMALL).keep()
    assert await large.is_promoted()
    assert not await small.is_promoted()
    assert await count_indexes(admin, large.index_name) == 1
    assert await count_indexes(admin, small.index_name) == 0


async def test_the_statement_of_searches_can_walk_the_graph(
    database: Database, homes: Homes, shelf: Shelf, admin: AsyncConnection
):
    await shelf.fill(3_000)
    await Promotions(database, homes, SMALL).keep()
    await admin.execute("analyze chunk_vector")
    (vector,) = draw_vectors(1)
    for is_whole in (True, False):
        scope = searching.Scope(shelf.index, Reader(shelf.tenant, None), Filters(), is_whole=is_whole)
        async with homes.reading(shelf.tenant) as transaction:
            # So few chunks are compared as quickly; whether the graph fits the statement is what is asked here.
            await transaction.first("select set_config('enable_sort', 'off', true)")
            plan = await transaction.planned(
                "explain " + searching.APPROXIMATE[384].of(scope), **scope.parameters(), vector=vector, limit=10
            )
        assert shelf.index_name in "\n".join(row["QUERY PLAN"] for row in plan)


async def test_recall_is_written_down_each_time(database: Database, homes: Homes, shelf: Shelf):
    await shelf.fill(600)
    promotions = Promotions(database, homes, SMALL)
    await promotions.keep()
    await promotions.keep()
    async with database.tenant(shelf.tenant) as transaction:
        rows = await transaction.all(
            "select recall, queries from knowledge_recall where index_id = %(i)s", i=shelf.index
        )
    assert [row["queries"] for row in rows] == [SMALL.queries, SMALL.queries]
    assert all(0.95 <= row["recall"] <= 1 for row in rows)


async def test_a_tenant_that_shrank_is_demoted_and_its_index_dropped(
    database: Database, homes: Homes, shelf: Shelf, admin: AsyncConnection
):
    documents = await shelf.fill(800)
    promotions = Promotions(database, homes, SMALL)
    await promotions.keep()
    await shelf.delete(documents[:1])  # 600 are left: above where it is taken away
    await promotions.keep()
    assert await shelf.is_promoted()
    await shelf.delete(documents[1:3])
    await promotions.keep()
    assert not await shelf.is_promoted()
    assert await count_indexes(admin, shelf.index_name) == 0


async def test_a_graph_that_finds_too_little_is_taken_away_and_not_built_again_the_same_day(
    database: Database, homes: Homes, shelf: Shelf, admin: AsyncConnection
):
    await shelf.fill(600)
    await Promotions(database, homes, SMALL).keep()
    strict = Promotions(database, homes, replace(SMALL, least_recall=1.01))
    assert (await strict.keep()).demoted >= 1
    assert not await shelf.is_promoted()
    assert (await strict.keep()).measured == 0
    assert await count_indexes(admin, shelf.index_name) == 0


async def test_a_graph_that_never_found_enough_is_never_used(
    database: Database, homes: Homes, shelf: Shelf, admin: AsyncConnection
):
    await shelf.fill(600)
    assert (await Promotions(database, homes, replace(SMALL, least_recall=1.01)).keep()).refused == 1
    assert not await shelf.is_promoted()
    assert await count_indexes(admin, shelf.index_name) == 0


async def test_writes_go_on_while_an_index_is_built(
    database: Database, homes: Homes, shelf: Shelf, admin: AsyncConnection
):
    await shelf.fill(600)
    async with _open_writer(database, shelf) as writer:
        keeping = asyncio.create_task(Promotions(database, homes, SMALL).keep())
        await _wait_for_build(admin)
        await shelf.fill(100)  # would wait for ever behind an ordinary build
        assert not keeping.done()
        await writer.commit()
    assert (await keeping).promoted == 1


async def test_what_a_killed_build_left_is_cleared_away_and_built_again(
    database: Database, homes: Homes, shelf: Shelf, admin: AsyncConnection
):
    await shelf.fill(600)
    promotions = Promotions(database, homes, SMALL)
    async with _open_writer(database, shelf) as writer:
        keeping = asyncio.create_task(promotions.keep())
        builder = await _wait_for_build(admin)
        await admin.execute("select pg_terminate_backend(%s)", (builder,))
        await asyncio.wait([keeping])
        await writer.commit()
    assert isinstance(keeping.exception(), psycopg.OperationalError)
    assert await count_indexes(admin, shelf.index_name) == 1  # half an index, which nobody uses
    assert not await shelf.is_promoted()
    kept = await promotions.keep()
    assert (kept.dropped, kept.promoted) == (1, 1)
    assert await shelf.is_promoted()


async def test_only_one_worker_at_a_time_is_at_it(
    database: Database, homes: Homes, shelf: Shelf, admin: AsyncConnection
):
    await shelf.fill(600)
    async with _open_writer(database, shelf) as writer:
        keeping = asyncio.create_task(Promotions(database, homes, SMALL).keep())
        await _wait_for_build(admin)
        assert await Promotions(database, homes, SMALL).keep() == Kept()
        await writer.commit()
    assert (await keeping).promoted == 1


async def test_a_build_is_given_up_when_the_worker_stops_and_made_good_later(
    database: Database, homes: Homes, shelf: Shelf, admin: AsyncConnection
):
    await shelf.fill(600)
    promotions, stop = Promotions(database, homes, SMALL), asyncio.Event()
    async with _open_writer(database, shelf) as writer:
        keeping = asyncio.create_task(promotions.keep_unless(stop))
        await _wait_for_build(admin)
        stop.set()
        assert await keeping == Kept()  # while the writer still holds up the build
        await writer.commit()
    assert (await promotions.keep_unless(asyncio.Event())).promoted == 1


async def test_the_index_of_a_retired_version_is_dropped(
    database: Database, homes: Homes, shelf: Shelf, admin: AsyncConnection
):
    await shelf.fill(600)
    promotions = Promotions(database, homes, SMALL)
    await promotions.keep()
    async with database.tenant(shelf.tenant) as transaction:
        await transaction.run("update knowledge_index set status = 'retired' where id = %(i)s", i=shelf.index)
    await promotions.keep()
    assert not await shelf.is_promoted()
    assert await count_indexes(admin, shelf.index_name) == 0


async def test_the_index_of_a_deleted_version_is_dropped(
    database: Database, homes: Homes, shelf: Shelf, admin: AsyncConnection
):
    await shelf.fill(600)
    promotions = Promotions(database, homes, SMALL)
    await promotions.keep()
    async with database.tenant(shelf.tenant) as transaction:
        await transaction.run("delete from knowledge_index where id = %(i)s", i=shelf.index)
    await promotions.keep()
    assert await count_indexes(admin, shelf.index_name) == 0


async def test_the_index_of_a_tenant_that_moved_away_is_dropped(
    database: Database, homes: Homes, shelf: Shelf, admin: AsyncConnection
):
    await shelf.fill(600)
    promotions = Promotions(database, homes, SMALL)
    await promotions.keep()
    async with database.system() as transaction:
        await transaction.run(
            "insert into knowledge_home (tenant_id, tier, database_name) values (%(tenant)s, 'database', 'away')",
            tenant=shelf.tenant,
        )
    await promotions.keep()
    assert await count_indexes(admin, shelf.index_name) == 0
    async with database.system() as transaction:
        await transaction.run("delete from knowledge_home where tenant_id = %(tenant)s", tenant=shelf.tenant)


async def test_an_index_that_somebody_dropped_is_built_again_and_not_believed_in_meanwhile(
    database: Database, homes: Homes, shelf: Shelf, admin: AsyncConnection
):
    await shelf.fill(600)
    promotions = Promotions(database, homes, SMALL)
    await promotions.keep()
    await admin.execute(f"drop index {shelf.index_name}".encode())
    await promotions.keep()
    assert await shelf.is_promoted()
    assert await count_indexes(admin, shelf.index_name) == 1


class _open_writer:  # noqa: N801 - reads as the context that it is
    """A transaction that has written to the shelf's partition and stays open: a build waits for it to end."""

    def __init__(self, database: Database, shelf: Shelf) -> None:
        self._entered = asyncio.Event()
        self._commit = asyncio.Event()
        self._database, self._shelf = database, shelf

    async def __aenter__(self) -> "_open_writer":
        self._task = asyncio.create_task(self._hold())
        await self._entered.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.commit()

    async def commit(self) -> None:
        self._commit.set()
        await self._task

    async def _hold(self) -> None:
        tenant = TenantId(self._shelf.tenant)
        async with self._database.tenant(tenant) as transaction:
            await transaction.run(
                "delete from chunk_vector where tenant_id = %(tenant)s and ordinal = 3 and index_id = %(index)s",
                tenant=tenant,
                index=self._shelf.index,
            )
            self._entered.set()
            await self._commit.wait()


async def _wait_for_build(admin: AsyncConnection) -> int:
    """The process that waits in the midst of building an index."""
    async with asyncio.timeout(20):
        while True:
            cursor = await admin.execute(
                "select pid from pg_stat_activity where wait_event_type = 'Lock' and query like 'create index concurr%'"
            )
            if row := await cursor.fetchone():
                return row[0]
            await asyncio.sleep(0.02)
