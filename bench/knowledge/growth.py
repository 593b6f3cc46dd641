"""What grows with ten thousand tenants: planning, the memory of a connection, the catalogue."""

from dataclasses import dataclass
from uuid import uuid4

import psycopg

from .asking import EXACT, Questions
from .rig import Rig, timed

_PARTIALS = (0, 8, 32, 128)
_DIRECTION = "[" + ",".join(["0.05"] * 384) + "]"


@dataclass(frozen=True, slots=True)
class Growth:
    """One line: so many of something, and what that does.

    planning_ms    median over some statements, after the first
    first_ms       the first statement of a new connection, which reads the catalogue
    memory_kb      that a connection holds after it
    catalogue_mb   by which the catalogue grew
    """

    what: str
    planning_ms: float
    first_ms: float
    memory_kb: float
    catalogue_mb: float = 0
    seconds: float = 0


def measure_growth(questions: Questions, partitions: int) -> list[Growth]:
    """Partial indexes on one partition, then list partitions, in steps."""
    return [*_partial_indexes(questions), *_list_partitions(questions.rig, partitions)]


def _partial_indexes(questions: Questions) -> list[Growth]:
    """Of the partition where a small tenant lives; the graphs are empty, for what is measured is their number."""
    rig = questions.rig
    place = questions.places[-1]
    holding = questions.corpus.holdings[place]
    partition = rig.partition_of("chunk_vector", holding)
    grown: list[Growth] = []
    made = 0
    for wanted in _PARTIALS:
        seconds = 0.0
        for _ in range(made, wanted):
            seconds += rig.run(
                f"create index on {partition} using hnsw ((embedding::halfvec(384)) halfvec_cosine_ops) "
                f"where tenant_id = '{uuid4()}' and index_id = '{uuid4()}'"
            )
        made = wanted
        grown.append(_look(rig, f"{wanted} partial graphs on a partition", "chunk_vector", holding.tenant, seconds))
    for (name,) in rig.admin.execute(
        "select indexrelid::regclass::text from pg_index where indrelid = to_regclass(%s) and indpred is not null",
        (partition,),
    ).fetchall():
        rig.run(f"drop index {name}")
    return grown


def _list_partitions(rig: Rig, count: int) -> list[Growth]:
    """As many empty list partitions, each with its two indexes."""
    rig.run("create table many (tenant_id uuid, index_id uuid, embedding halfvec) partition by list (tenant_id)")
    rig.run("create index on many (tenant_id, index_id)")
    rig.run("grant select on many to mainspring_tenant")
    grown: list[Growth] = []
    before, made, tenant = _catalogue(rig), 0, uuid4()
    for wanted in (count // 10, count // 3, count):
        seconds = 0.0
        for _ in range(made, wanted):
            tenant = uuid4()
            seconds += rig.run(f"create table many_{tenant.hex} partition of many for values in ('{tenant}')")
        made = wanted
        size = (_catalogue(rig) - before) / 1e6
        look = _look(rig, f"{wanted:,} list partitions", "many", tenant, seconds)
        grown.append(Growth(look.what, look.planning_ms, look.first_ms, look.memory_kb, size, seconds))
    names = [row[0] for row in rig.admin.execute("select relname from pg_class where relname ~ '^many_[0-9a-f]{32}$'")]
    for first in range(0, len(names), 200):
        rig.run("drop table " + ", ".join(names[first : first + 200]))
    rig.run("drop table many")
    return grown


def _look(rig: Rig, what: str, table: str, tenant: object, seconds: float) -> Growth:
    with psycopg.connect(rig.urls.database_admin_url, autocommit=True, prepare_threshold=None) as connection:
        before = _memory(connection)
        first, _ = timed(lambda: _plan(connection, table, tenant))
        after = _memory(connection)
        planning = sorted(_plan(connection, table, tenant) for _ in range(15))[7]
    return Growth(what, planning, first * 1_000, (after - before) / 1_000, seconds=seconds)


def _plan(connection: psycopg.Connection[tuple[object, ...]], table: str, tenant: object) -> float:
    """Milliseconds that planning took, as Postgres says."""
    with connection.transaction():
        connection.execute(
            "select set_config('role', 'mainspring_tenant', true), set_config('mainspring.tenant', %s, true)",
            (str(tenant),),
        )
        rows = connection.execute(
            f"explain (summary) select index_id from {table} where tenant_id = %(tenant)s "
            f"order by {EXACT} limit 100".encode(),
            {"tenant": tenant, "vector": _DIRECTION},
        ).fetchall()
    line = next(str(row[0]) for row in rows if str(row[0]).startswith("Planning Time"))
    return float(line.split()[2])


def _memory(connection: psycopg.Connection[tuple[object, ...]]) -> float:
    row = connection.execute("select sum(total_bytes) from pg_backend_memory_contexts").fetchone()
    return float(str(row[0])) if row else 0.0


def _catalogue(rig: Rig) -> int:
    """Without what dropped tables left in it."""
    rig.run("vacuum full pg_class, pg_attribute, pg_index, pg_depend, pg_type, pg_constraint, pg_statistic")
    return int(
        rig.value(
            "select sum(pg_total_relation_size(oid)) from pg_class "
            "where relnamespace = 'pg_catalog'::regnamespace and relkind = 'r'"
        )
    )
