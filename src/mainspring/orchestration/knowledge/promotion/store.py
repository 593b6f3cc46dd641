"""All SQL of promotion: counting, the indexes themselves, and what they are measured by.

An approximate index belongs to one index version of one tenant and is named after it, so nothing has to be written
down beside the catalogue. It is built on the partition that holds the tenant, without stopping writes.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import LiteralString
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier, Literal

from mainspring.foundation.db import Row, SystemTransaction, TenantTransaction

from .types import Built, Held, Recall

_PREFIX = "chunk_vector_near_"
_LOCK = 7_213_090_010  # any constant, the same in every worker
_LINKS, _BREADTH = 16, 128  # of the graph: m and ef_construction


async def try_lock(keeper: AsyncConnection[Row]) -> bool:
    """Whether this connection is now the only one that builds and drops, until it closes.

    A build whose worker died holds the lock for as long as it goes on; so who has the lock knows that nothing is
    being built, and that an index that is not valid never will be.
    """
    row = await (await keeper.execute("select pg_try_advisory_lock(%s) as is_ours", (_LOCK,))).fetchone()
    return row is not None and bool(row["is_ours"])


async def list_large(transaction: SystemTransaction, at_least: int) -> list[Row]:
    """Index versions of this many chunks or more, and those that searches take to be promoted."""
    return await transaction.all(
        """select i.tenant_id, i.id, i.status, i.dimensions, i.promoted_at is not null as is_promoted,
                  coalesce(sum(d.chunks), 0)::bigint as chunks
             from knowledge_index as i
             left join indexed_document as d on d.tenant_id = i.tenant_id and d.index_id = i.id
            group by i.tenant_id, i.id
           having coalesce(sum(d.chunks), 0) >= %(least)s or i.promoted_at is not null""",
        least=at_least,
    )


async def list_built(keeper: AsyncConnection[Row]) -> list[Built]:
    """Every approximate index in this database, in whatever schema, finished or not."""
    cursor = await keeper.execute(
        """select c.relname, n.nspname, i.indisvalid
             from pg_class as c join pg_index as i on i.indexrelid = c.oid
             join pg_namespace as n on n.oid = c.relnamespace
            where starts_with(c.relname, %s) and c.relowner = 'mainspring_keeper'::regrole order by c.relname""",
        (_PREFIX,),
    )
    return [
        Built(row["relname"], row["nspname"], UUID(row["relname"].removeprefix(_PREFIX)), row["indisvalid"])
        for row in await cursor.fetchall()
    ]


async def find_table(transaction: TenantTransaction, index: UUID) -> Row | None:
    """Schema and name of the table that holds the vectors of an index; None while it holds none."""
    rows = await transaction.planned(
        """select n.nspname, c.relname, c.relowner = 'mainspring_keeper'::regrole as is_ours
             from (select tableoid from chunk_vector where tenant_id = %(tenant)s and index_id = %(index)s limit 1) as v
             join pg_class as c on c.oid = v.tableoid join pg_namespace as n on n.oid = c.relnamespace""",
        tenant=transaction.tenant,
        index=index,
    )
    return rows[0] if rows else None


async def build(keeper: AsyncConnection[Row], held: Held, *, schema: str, table: str, megabytes: int) -> None:
    """Build the approximate index of one index version, while others write.

    One process: several would share memory in /dev/shm, which containers keep small. A value that is a constant in
    the index and in the search is what lets Postgres see that the one serves the other.
    """
    await keeper.execute("select set_config('maintenance_work_mem', %s, false)", (f"{megabytes}MB",))
    await keeper.execute("select set_config('max_parallel_maintenance_workers', '0', false)")
    await keeper.execute(
        SQL(
            "create index concurrently {name} on {table} using hnsw ((embedding::halfvec({size})) halfvec_cosine_ops) "
            "with (m = {links}, ef_construction = {breadth}) where tenant_id = {tenant} and index_id = {index}"
        ).format(
            name=Identifier(_PREFIX + held.index.hex),
            table=Identifier(schema, table),
            size=Literal(held.dimensions),
            links=Literal(_LINKS),
            breadth=Literal(_BREADTH),
            tenant=Literal(held.tenant),
            index=Literal(held.index),
        )
    )


async def drop(keeper: AsyncConnection[Row], schema: str, name: str) -> None:
    """Drop an index, while others search and write."""
    await keeper.execute(SQL("drop index concurrently if exists {}").format(Identifier(schema, name)))


async def mark(transaction: TenantTransaction, index: UUID, *, is_promoted: bool) -> None:
    """Say whether searches use the approximate index; since when, if so."""
    await transaction.run(
        """update knowledge_index
              set promoted_at = case when %(is_promoted)s then coalesce(promoted_at, now()) end
            where tenant_id = %(tenant)s and id = %(index)s""",
        tenant=transaction.tenant,
        index=index,
        is_promoted=is_promoted,
    )


async def sample(transaction: TenantTransaction, index: UUID, count: int) -> list[Row]:
    """Vectors drawn at random, as text, with the chunks that they are of."""
    return await transaction.planned(
        """select k.document_id, k.ordinal, k.embedding::text as vector
             from (select document_id, ordinal from chunk_vector
                    where tenant_id = %(tenant)s and index_id = %(index)s order by random() limit %(count)s) as drawn
             join chunk_vector as k using (document_id, ordinal)
            where k.tenant_id = %(tenant)s and k.index_id = %(index)s""",
        tenant=transaction.tenant,
        index=index,
        count=count,
    )


async def note_recall(transaction: TenantTransaction, index: UUID, recall: Recall, *, keep: timedelta) -> None:
    """Write down what was measured, and let go of what is older than `keep`; nothing where the index is gone."""
    await transaction.run(
        """insert into knowledge_recall (tenant_id, index_id, recall, queries, exact_ms, approximate_ms)
           select tenant_id, id, %(recall)s, %(queries)s, %(exact)s, %(approximate)s
             from knowledge_index where tenant_id = %(tenant)s and id = %(index)s""",
        tenant=transaction.tenant,
        index=index,
        recall=recall.share,
        queries=recall.queries,
        exact=recall.exact_ms,
        approximate=recall.approximate_ms,
    )
    await transaction.run(
        "delete from knowledge_recall where tenant_id = %(tenant)s and measured_at < now() - %(keep)s",
        tenant=transaction.tenant,
        keep=keep,
    )


_LATEST: LiteralString = """
select recall, measured_at, queries, exact_ms, approximate_ms from knowledge_recall
 where tenant_id = %(tenant)s and index_id = %(index)s and measured_at > now() - %(within)s
 order by measured_at desc limit %(limit)s"""


async def list_recalls(
    transaction: TenantTransaction, index: UUID, *, within: timedelta, limit: int = 1_000
) -> Sequence[Row]:
    """What was measured of an index, newest first."""
    return await transaction.all(_LATEST, tenant=transaction.tenant, index=index, within=within, limit=limit)
