"""Every way of keeping tenants' vectors that was weighed, built and asked in turn.

    exact        hash partitions, every vector of the tenant compared
    promoted     the same, with a partial HNSW for each large tenant, as the platform's own duty builds them
    partition    HNSW over each hash partition, iterative relaxed scans
    list         a list partition for each tenant
    schema       a schema for each tenant
    global       one HNSW over all tenants

What would not fit into the time is measured on less; `scale` says on what.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from uuid import UUID, uuid4

from mainspring.foundation.db import Database
from mainspring.migrations.isolation import isolate
from mainspring.orchestration.knowledge.homes import Homes
from mainspring.orchestration.knowledge.homes.clone_store import clone_tables, drop_schema
from mainspring.orchestration.knowledge.promotion import Kept, Policy, Promotions

from .asking import APPROXIMATE, ITERATIVE, PROMOTED, Questions, Way
from .corpus import Corpus, Holding
from .loading import VECTOR_COLUMNS, copy_rows
from .rig import Rig, Timing, timed
from .rows import document_id, vector_rows

_NEWCOMER = 2_000
"""Chunks of the tenant that is added and deleted, to see what that costs; fewer where all is smaller."""

_SCHEMAS = 100
_LATE = 10_000_000  # the number of the first document that comes after all others
_MEGABYTE = 1_000_000
_BUILD_MEMORY = "set maintenance_work_mem = '1GB'; set max_parallel_maintenance_workers = 1"


@dataclass(frozen=True, slots=True)
class Option:
    """What was measured of one way.

    build_seconds   of what it needs beside the rows
    megabytes       of the rows with all indexes on them, for `scale`
    create_ms       what a new tenant costs before its first row
    rows_per_second the newcomer's rows, by COPY
    delete_ms       to delete the newcomer with its rows
    """

    name: str
    scale: str
    timings: Mapping[str, Timing] = field(default_factory=dict[str, Timing])
    build_seconds: float = 0
    megabytes: float = 0
    create_ms: float = 0
    rows_per_second: float = 0
    delete_ms: float = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What adding and deleting a tenant cost."""

    rows_per_second: float
    delete_ms: float


def measure_exact(questions: Questions) -> Option:
    """What is there after loading."""
    rig = questions.rig
    newcomer = add_and_delete(questions, "chunk_vector")
    return _with(
        Option("exact", "all", questions.ask_all(lambda _: Way("chunk_vector"))), newcomer,
        megabytes=_megabytes(rig, "chunk_vector"),
    )  # fmt: skip


def measure_promoted(questions: Questions) -> Option:
    """By the platform's own duty, with its own thresholds."""
    rig = questions.rig
    # At a smaller scale the border is lower, so that something is promoted.
    border = min(Policy().promote_at, questions.corpus.chunks // 10)
    policy = replace(Policy(), promote_at=border, demote_below=border // 2)
    seconds, kept = timed(lambda: asyncio.run(promote(rig.urls.database_url, policy)))
    rows = rig.admin.execute("select tenant_id from knowledge_index where promoted_at is not null").fetchall()
    promoted = {row[0] for row in rows}
    near = Way("chunk_vector", APPROXIMATE, PROMOTED)
    holdings = questions.corpus.holdings
    timings = questions.ask_all(lambda place: near if holdings[place].tenant in promoted else Way("chunk_vector"))
    size = rig.value(
        "select coalesce(sum(pg_relation_size(oid)), 0) from pg_class where relname like 'chunk_vector_near%'"
    )
    grown = _insert_rate(questions, "chunk_vector", replace(holdings[0], chunks=_newcomer_chunks(questions) // 4))
    newcomer = add_and_delete(questions, "chunk_vector")
    note = (
        f"{kept.promoted} tenants promoted, {kept.refused} refused; their graphs {int(size) / _MEGABYTE:,.0f} MB; "
        f"the build time holds the check of recall; inserting into a promoted tenant: {grown:,.0f} rows/s"
    )
    option = Option("promoted", "all", timings, build_seconds=seconds, note=note)
    return _with(option, newcomer, megabytes=_megabytes(rig, "chunk_vector"))


async def promote(url: str, policy: Policy) -> Kept:
    """One round of the duty."""
    database = await Database.open(url)
    try:
        return await Promotions(database, Homes(database), policy).keep()
    finally:
        await database.close()


def drop_promoted(rig: Rig) -> None:
    """Leave the tables as they were before."""
    for (name,) in rig.admin.execute("select relname from pg_class where relname like 'chunk_vector_near%'").fetchall():
        rig.run(f"drop index {name}")
    rig.run("update knowledge_index set promoted_at = null")


@dataclass(frozen=True, slots=True)
class Part:
    """Some whole hash partitions: as much as there is time to build graphs over."""

    partitions: tuple[str, ...]
    places: frozenset[int]
    chunks: int


def pick_part(rig: Rig, corpus: Corpus, chunks: int) -> Part:
    """The second largest tenant's partition and others, up to about `chunks`."""
    rows = rig.admin.execute(
        "select tenant_id, tableoid::regclass::text, count(*) from chunk_vector group by 1, 2"
    ).fetchall()
    where, sizes = {row[0]: row[1] for row in rows}, dict[str, int]()
    for _, partition, count in rows:
        sizes[partition] = sizes.get(partition, 0) + count
    first = where[corpus.holdings[1].tenant]
    chosen, total = [first], sizes[first]
    for partition in sorted(sizes, key=sizes.__getitem__):
        if partition != first and total + sizes[partition] <= chunks:
            chosen.append(partition)
            total += sizes[partition]
    places = frozenset(place for place, held in enumerate(corpus.holdings) if where.get(held.tenant) in chosen)
    return Part(tuple(chosen), places, total)


def measure_partition_graphs(questions: Questions, part: Part) -> Option:
    """A graph over all tenants of a partition; the scan goes on until enough rows are the tenant's."""
    rig = questions.rig
    rig.run(_BUILD_MEMORY)
    seconds = sum(
        rig.run(
            f"create index whole_{number} on {partition} using hnsw ((embedding::halfvec(384)) halfvec_cosine_ops) "
            "with (m = 16, ef_construction = 64)"
        )
        for number, partition in enumerate(part.partitions)
    )
    way = Way("chunk_vector", APPROXIMATE, ITERATIVE)
    timings = questions.ask_all(lambda _: way)
    size = sum(int(rig.value(f"select pg_total_relation_size('{each}')")) for each in part.partitions)
    newcomer = add_and_delete(questions, "chunk_vector", among=part)
    for number in range(len(part.partitions)):
        rig.run(f"drop index whole_{number}")
    option = Option("partition", f"{len(part.partitions)} of 16 partitions, {part.chunks:,}", timings, seconds)
    return _with(option, newcomer, megabytes=size / _MEGABYTE)


def measure_global_graph(questions: Questions, part: Part) -> Iterable[Option]:
    """One graph over the same rows; with and without going on when the filter leaves too few."""
    rig = questions.rig
    _make_table(rig, "whole_vector", "")
    for partition in part.partitions:
        rig.run(f"insert into whole_vector ({VECTOR_COLUMNS}) select {VECTOR_COLUMNS} from {partition}")
    rig.run("create index on whole_vector (tenant_id, index_id, document_id, ordinal)")
    rig.run("vacuum (analyze) whole_vector")
    rig.run(_BUILD_MEMORY)
    seconds = rig.run(
        "create index on whole_vector using hnsw ((embedding::halfvec(384)) halfvec_cosine_ops) "
        "with (m = 16, ef_construction = 64)"
    )
    # Left to itself the planner takes the tenant's rows by the other index, which is the exact search.
    forced = {"enable_sort": "off", "enable_bitmapscan": "off", "enable_seqscan": "off"}
    plain = Way("whole_vector", APPROXIMATE, {"hnsw.ef_search": "400", **forced})
    first = questions.ask_all(lambda _: plain)
    second = questions.ask_all(lambda _: replace(plain, settings={**ITERATIVE, **forced}))
    size, newcomer = _megabytes(rig, "whole_vector"), add_and_delete(questions, "whole_vector")
    scale = f"{part.chunks:,}"
    yield _with(Option("global", scale, first, seconds), newcomer, megabytes=size)
    yield _with(Option("global, iterative", scale, second, seconds), newcomer, megabytes=size)
    rig.run("drop table whole_vector")


def measure_list_partitions(questions: Questions) -> Option:
    """A partition for every tenant; only those that are asked hold rows."""
    rig, corpus = questions.rig, questions.corpus
    _make_table(rig, "listed_vector", "partition by list (tenant_id)")
    seconds = sum(_add_list_partition(rig, holding.tenant) for holding in corpus.holdings)
    for place in questions.places:
        _copy_tenant(rig, corpus.holdings[place], "listed_vector")
    rig.run("analyze listed_vector")
    timings = questions.ask_all(lambda _: Way("listed_vector"))
    newcomer = uuid4()
    create = 1_000 * _add_list_partition(rig, newcomer)
    rate = _insert_rate(questions, "listed_vector", Holding(newcomer, uuid4(), _newcomer_chunks(questions)), keep=True)
    delete = 1_000 * rig.run(f"drop table listed_vector_{newcomer.hex}")
    size = _megabytes(rig, "listed_vector")
    _drop_list_partitions(rig)
    return Option(
        "list", f"{len(corpus.holdings):,} partitions, rows of {len(questions.places)} tenants", timings, seconds, size,
        create, rate, delete, note=f"{seconds / len(corpus.holdings) * 1_000:.1f} ms for each partition",
    )  # fmt: skip


def measure_schemas(questions: Questions, schemas: int = _SCHEMAS) -> Option:
    """A schema with every knowledge table for each tenant, made as a move makes them."""
    rig, corpus = questions.rig, questions.corpus
    before = _catalogue(rig)
    chosen = [each.places[0] for each in questions.classes]
    names = {place: f"own_{place}" for place in (*chosen, *range(10_000, 10_000 + schemas - len(chosen)))}
    seconds, _ = timed(lambda: [_clone(rig, name) for name in names.values()])
    per_tenant = (_catalogue(rig) - before) / len(names)
    for place in chosen:
        _copy_tenant(rig, corpus.holdings[place], f"{names[place]}.chunk_vector")
        rig.run(f"analyze {names[place]}.chunk_vector")
    asked = questions.among(frozenset(chosen), 1)
    timings = asked.ask_all(lambda place: Way(f"{names[place]}.chunk_vector"))
    migration = sum(rig.run(f"alter table {name}.document add column later integer") for name in names.values())
    create = 1_000 * timed(partial(_clone, rig, "newcomer"))[0]
    holding = Holding(uuid4(), uuid4(), _newcomer_chunks(questions))
    rate = _insert_rate(questions, "newcomer.chunk_vector", holding, keep=True)
    delete = 1_000 * timed(partial(drop_schema, rig.admin, "newcomer"))[0]
    for name in names.values():
        drop_schema(rig.admin, name)
    note = (
        f"catalogue {per_tenant / 1_000:,.0f} kB for each tenant; adding a column takes "
        f"{migration / len(names) * 1_000:.1f} ms for each"
    )
    return Option("schema", f"{len(names)} schemas", timings, seconds, 0, create, rate, delete, note)


def add_and_delete(questions: Questions, table: str, among: Part | None = None) -> Newcomer:
    """A tenant comes with its rows and goes, in a shared table; what it leaves for vacuum is vacuumed, unmeasured."""
    rig = questions.rig
    newcomer = Holding(_id_in(rig, among) if among else uuid4(), uuid4(), _newcomer_chunks(questions))
    rate = _insert_rate(questions, table, newcomer, keep=True)
    delete = 1_000 * rig.run(f"delete from {table} where tenant_id = %s", (newcomer.tenant,))
    rig.run(f"vacuum {table}")
    return Newcomer(rate, delete)


def _newcomer_chunks(questions: Questions) -> int:
    return min(_NEWCOMER, questions.corpus.chunks // 50)


def _id_in(rig: Rig, part: Part) -> UUID:
    """An identifier that falls into one of the partitions."""
    while True:
        drawn = uuid4()
        remainder = int(part.partitions[0].rpartition("_p")[2])
        if rig.value("select satisfies_hash_partition('chunk_vector'::regclass, 16, %s, %s::uuid)", (remainder, drawn)):
            return drawn


def _insert_rate(questions: Questions, table: str, holding: Holding, *, keep: bool = False) -> float:
    """Rows per second by COPY; they are deleted again unless they are to be kept."""
    corpus = Corpus((holding,), questions.corpus.real, seed=uuid4().int % 1_000_000, first_document=_LATE)
    rows = [vector_rows(corpus, batch) for batch in corpus.arrive()]
    rig = questions.rig
    seconds, _ = timed(lambda: copy_rows(rig, table, VECTOR_COLUMNS, rows))
    if not keep:
        rig.run(f"delete from {table} where tenant_id = %s and document_id >= %s", (holding.tenant, document_id(_LATE)))
    return holding.chunks / seconds


def _with(option: Option, newcomer: Newcomer, *, megabytes: float) -> Option:
    return replace(option, megabytes=megabytes, rows_per_second=newcomer.rows_per_second, delete_ms=newcomer.delete_ms)


class _Owner:
    """The owner's connection as migrations see one."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig

    def execute(self, sqltext: str) -> None:
        self._rig.run(sqltext)


def _make_table(rig: Rig, table: str, partitioning: str) -> None:
    rig.run(
        f"create table {table} (tenant_id uuid not null, index_id uuid not null, document_id uuid not null, "
        f"ordinal integer not null, content_hash bytea not null, embedding halfvec not null) {partitioning}"
    )
    if not partitioning:
        rig.run(f"alter table {table} alter column embedding set storage plain")
    isolate(_Owner(rig), table)


def _add_list_partition(rig: Rig, tenant: UUID) -> float:
    name = f"listed_vector_{tenant.hex}"
    return (
        rig.run(f"create table {name} partition of listed_vector for values in ('{tenant}')")
        + rig.run(f"alter table {name} alter column embedding set storage plain")
        + rig.run(f"alter table {name} add primary key (tenant_id, index_id, document_id, ordinal)")
        + rig.run(f"create index on {name} (tenant_id, content_hash)")
    )


def _drop_list_partitions(rig: Rig) -> None:
    """Some hundred at a time: one statement may not lock more than there are locks."""
    names = [
        row[0]
        for row in rig.admin.execute("select relname from pg_class where relname ~ '^listed_vector_[0-9a-f]{32}$'")
    ]
    for first in range(0, len(names), 200):
        rig.run("drop table " + ", ".join(names[first : first + 200]))
    rig.run("drop table listed_vector")


def _copy_tenant(rig: Rig, holding: Holding, table: str) -> None:
    rig.run("set session_replication_role = replica")
    rig.run(
        f"insert into {table} ({VECTOR_COLUMNS}) select {VECTOR_COLUMNS} from chunk_vector where tenant_id = %s",
        (holding.tenant,),
    )
    rig.run("set session_replication_role = origin")


def _clone(rig: Rig, name: str) -> None:
    with rig.admin.transaction():
        clone_tables(rig.admin, name)


def _catalogue(rig: Rig) -> int:
    return int(
        rig.value(
            "select sum(pg_total_relation_size(oid)) from pg_class "
            "where relnamespace = 'pg_catalog'::regnamespace and relkind = 'r'"
        )
    )


def _megabytes(rig: Rig, table: str) -> float:
    """With all indexes; of every partition where there are some."""
    size = rig.value(
        "select pg_total_relation_size(%s::regclass) + coalesce(sum(pg_total_relation_size(inhrelid)), 0) "
        "from pg_inherits where inhparent = %s::regclass",
        (table, table),
    )
    return float(size) / _MEGABYTE
