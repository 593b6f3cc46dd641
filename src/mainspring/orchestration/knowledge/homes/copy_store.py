"""Rows from one place to another, by COPY into a temporary table and from there into the tenant's.

COPY cannot write into a table with row-level security, and the tenant's role can make no temporary table; so the
system's role receives the rows, and the tenant's role inserts them, which its policies check one by one. What was
copied is compared, by count and checksum, before it is committed.
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from psycopg import sql

from mainspring.foundation.errors import Conflict

from .changes_store import Changes
from .layout import LAYOUT, MADE_ANEW, Follow, KnowledgeTable, following
from .session import Session


@dataclass(frozen=True, slots=True)
class Column:
    """A column to copy; `source` is what is selected for it."""

    name: sql.Identifier
    type: sql.SQL
    source: sql.Composable


_NOTHING = sql.SQL("")


class Copier:
    """Copies parts of one tenant's knowledge from a source to a target."""

    def __init__(self, source: Session, target: Session) -> None:
        self._source = source
        self._target = self.target = target
        with source.transaction():
            self._columns = {moved.name: _columns(source, moved) for moved in LAYOUT}
        self._tables = [moved for moved in LAYOUT if self._columns[moved.name]]
        with target.transaction(), target.as_system():
            for moved in self._tables:
                _make_incoming(target, moved, self._columns[moved.name])

    def clear(self, documents: int) -> bool:
        """Delete some of what the target holds of the tenant; False when nothing was left."""
        with self._target.transaction():
            return delete_some(self._target, self._tables, documents)

    def iter_documents(self, batch: int) -> Iterator[list[UUID]]:
        """Ids of the documents that the source has now and the target has not; later ones are noted as changes."""
        with self._source.transaction():
            newest = self._source.all("select id from document where tenant_id = %(tenant)s order by id desc limit 1")
        last: UUID | None = None
        while newest:
            with self._source.transaction():
                rows = self._source.all(
                    """select id from document
                        where tenant_id = %(tenant)s and (%(last)s::uuid is null or id > %(last)s) and id <= %(newest)s
                        order by id limit %(batch)s""",
                    last=last,
                    newest=newest[0]["id"],
                    batch=batch,
                )
            if not rows:
                return
            last = rows[-1]["id"]
            arrived = self._list_arrived([row["id"] for row in rows])
            yield [row["id"] for row in rows if row["id"] not in arrived]

    def copy_documents(self, documents: Sequence[UUID]) -> None:
        """Make these documents in the target what they are in the source, also when that is gone."""
        ids = list(documents)
        tables = [moved for moved in self._tables if moved.follow == Follow.DOCUMENT]
        with self._source.transaction(is_snapshot=True), self._target.transaction():
            self._mirror_indexes()
            self._receive(tables, ids)
            self._target.run("delete from document where tenant_id = %(tenant)s and id = any(%(ids)s)", ids=ids)
            # A name that another document has now: the one that had it before is gone, or is noted as changed.
            self._target.run(
                """delete from document old using pg_temp.incoming_document new
                    where old.tenant_id = %(tenant)s and old.source = new.source
                      and old.external_id = new.external_id and old.id <> new.id"""
            )
            self._insert(tables)
            self._compare(tables, ids)

    def copy_whole(self) -> None:
        """Make the small tables in the target what they are in the source."""
        tables = [moved for moved in self._tables if moved.follow == Follow.WHOLE]
        with self._source.transaction(is_snapshot=True), self._target.transaction():
            self._mirror_indexes()
            self._receive(tables)
            for moved in tables:
                self._target.run(
                    sql.SQL("delete from {} where tenant_id = %(tenant)s").format(sql.Identifier(moved.name))
                )
            self._insert(tables)
            self._compare(tables)

    def copy_terms(self, terms: Sequence[tuple[UUID, int]] | None = None) -> None:
        """Make the counts of these terms, or of all, what they are in the source."""
        (moved,) = following(Follow.TERM)
        indexes = None if terms is None else [index for index, _ in terms]
        numbers = None if terms is None else [term for _, term in terms]
        with self._source.transaction(is_snapshot=True), self._target.transaction():
            self._mirror_indexes()
            with self._receiving([moved]):
                self._pipe(moved, _SELECT_TERMS, indexes=indexes, terms=numbers)
            self._target.run(
                """delete from term_count where tenant_id = %(tenant)s and (%(indexes)s::uuid[] is null
                      or (index_id, term) in (select * from unnest(%(indexes)s::uuid[], %(terms)s::integer[])))""",
                indexes=indexes,
                terms=numbers,
            )
            self._insert([moved])

    def copy_changes(self, changes: Changes, batch: int) -> None:
        """Copy again all that the notes name."""
        if changes.is_index_touched or changes.is_whole_touched:
            self.copy_whole()
        for start in range(0, len(changes.documents), batch):
            self.copy_documents(changes.documents[start : start + batch])
        if changes.terms:
            self.copy_terms(changes.terms)

    def count(self) -> dict[str, tuple[int, int]]:
        """Rows by table, in the source and in the target; only equal while nobody writes."""
        with self._source.transaction(), self._target.transaction():
            return {moved.name: (_count(self._source, moved), _count(self._target, moved)) for moved in self._tables}

    def compare_all(self) -> dict[str, int]:
        """Rows by table, after every checksum was found equal; inside a snapshot of each side."""
        return self._compare(self._tables)

    def _list_arrived(self, documents: Sequence[UUID]) -> set[UUID]:
        with self._target.transaction():
            rows = self._target.all(
                "select id from document where tenant_id = %(tenant)s and id = any(%(ids)s)", ids=list(documents)
            )
        return {row["id"] for row in rows}

    def _mirror_indexes(self) -> None:
        """The index versions as they are in the source; rows that stay are not replaced, as all hangs on them."""
        (moved,) = following(Follow.INDEX)
        self._receive([moved])
        self._target.run(
            """delete from knowledge_index where tenant_id = %(tenant)s
                  and id not in (select id from pg_temp.incoming_knowledge_index)"""
        )
        # Only one may be active, and one be building: nobody is, for a moment that nobody sees.
        self._target.run(
            """update knowledge_index set status = 'retired' where tenant_id = %(tenant)s
                  and exists (select from pg_temp.incoming_knowledge_index new
                               where new.id = knowledge_index.id and new.status <> knowledge_index.status)"""
        )
        names = [column.name for column in self._columns[moved.name]]
        self._insert(
            [moved],
            sql.SQL(" on conflict (tenant_id, id) do update set {}").format(
                sql.SQL(", ").join(sql.SQL("{} = excluded.{}").format(name, name) for name in names)
            ),
        )

    def _receive(self, tables: Sequence[KnowledgeTable], documents: Sequence[UUID] | None = None) -> None:
        with self._receiving(tables):
            for moved in tables:
                self._pipe(moved, _select_rows(moved, documents), documents=documents)

    @contextmanager
    def _receiving(self, tables: Sequence[KnowledgeTable]) -> Generator[None]:
        """Empty temporary tables, and the role that may fill them."""
        with self._target.as_system():
            names = sql.SQL(", ").join(sql.SQL("pg_temp.{}").format(_incoming(moved)) for moved in tables)
            self._target.connection.execute(sql.SQL("truncate {}").format(names))
            yield

    def _pipe(self, moved: KnowledgeTable, where: sql.Composable, **parameters: object) -> None:
        columns = self._columns[moved.name]
        outgoing = sql.SQL("copy (select {} from {} where {}) to stdout (format binary)").format(
            sql.SQL(", ").join(column.source for column in columns), sql.Identifier(moved.name), where
        )
        incoming = sql.SQL("copy pg_temp.{} from stdin (format binary)").format(_incoming(moved))
        values = {"tenant": self._source.tenant, **parameters}
        with (
            self._source.connection.cursor() as reading,
            self._target.connection.cursor() as writing,
            reading.copy(outgoing, values) as rows,
            writing.copy(incoming) as received,
        ):
            for block in rows:
                received.write(block)

    def _insert(self, tables: Sequence[KnowledgeTable], rest: sql.Composable = _NOTHING) -> None:
        """In one message: a copy of few rows is mostly waiting for answers."""
        statements: list[sql.Composable] = []
        for moved in tables:
            names = sql.SQL(", ").join(column.name for column in self._columns[moved.name])
            statement = sql.SQL("insert into {} ({}) overriding system value select {} from pg_temp.{}").format(
                sql.Identifier(moved.name), names, names, _incoming(moved)
            )
            statements.append(statement + rest)
        self._target.connection.execute(sql.SQL("; ").join(statements))

    def _compare(self, tables: Sequence[KnowledgeTable], documents: Sequence[UUID] | None = None) -> dict[str, int]:
        """Rows by table; Conflict when a count or a checksum differs."""
        sent, arrived = (self._sums(side, tables, documents) for side in (self._source, self._target))
        if sent != arrived:
            wrong = {name: (sent[name], arrived[name]) for name in sent if sent[name] != arrived[name]}
            raise Conflict(f"What arrived differs from what was sent, as (rows, checksum): {wrong}. Run it again.")
        return {name: rows for name, (rows, _) in sent.items()}

    def _sums(
        self, side: Session, tables: Sequence[KnowledgeTable], documents: Sequence[UUID] | None
    ) -> dict[str, tuple[int, int]]:
        """By table: rows, and the sum of a 64-bit hash of each."""
        parts = [
            sql.SQL(
                """select {} as name, count(*) as rows,
                          coalesce(sum(hashtextextended(each::text, 0)::numeric), 0)::text as checksum
                     from (select {} from {} where {}) each"""
            ).format(
                sql.Literal(moved.name),
                sql.SQL(", ").join(column.source for column in self._columns[moved.name]),
                sql.Identifier(moved.name),
                _select_rows(moved, documents),
            )
            for moved in tables
        ]
        rows = side.all(sql.SQL(" union all ").join(parts), documents=None if documents is None else list(documents))
        return {row["name"]: (row["rows"], int(row["checksum"])) for row in rows}


_SELECT_TERMS = sql.SQL(
    """tenant_id = %(tenant)s and (%(indexes)s::uuid[] is null
       or (index_id, term) in (select * from unnest(%(indexes)s::uuid[], %(terms)s::integer[])))"""
)


def delete_some(session: Session, tables: Sequence[KnowledgeTable], documents: int) -> bool:
    """Delete up to so many documents with all that hangs on them, then, when there are none, the rest."""
    deleted = session.run(
        """delete from document where tenant_id = %(tenant)s and id in
           (select id from document where tenant_id = %(tenant)s order by id limit %(documents)s)""",
        documents=documents,
    )
    if deleted:
        return True
    for moved in reversed(tables):
        deleted += session.run(
            sql.SQL("delete from {} where tenant_id = %(tenant)s").format(sql.Identifier(moved.name))
        )
    return deleted > 0


def list_present(session: Session) -> list[KnowledgeTable]:
    """The tables of the layout that the session's place has."""
    return [moved for moved in LAYOUT if _columns(session, moved)]


def holds_any(session: Session) -> bool:
    """Whether the place holds a row of the tenant."""
    return any(
        session.all(
            sql.SQL("select 1 as one from {} where tenant_id = %(tenant)s limit 1").format(sql.Identifier(moved.name))
        )
        for moved in list_present(session)
    )


def _select_rows(moved: KnowledgeTable, documents: Sequence[UUID] | None) -> sql.Composable:
    """Which rows: the tenant's, or those of these documents; by the key's first columns, whatever is known of sizes."""
    where = sql.SQL("tenant_id = %(tenant)s")
    if documents is None or moved.document is None:
        return where
    if moved.is_in_index:
        where += sql.SQL(" and index_id = any(array(select id from knowledge_index where tenant_id = %(tenant)s))")
    return where + sql.SQL(" and {} = any(%(documents)s::uuid[])").format(sql.Identifier(moved.document))


def _incoming(moved: KnowledgeTable) -> sql.Identifier:
    return sql.Identifier(f"incoming_{moved.name}")


def _columns(session: Session, moved: KnowledgeTable) -> list[Column]:
    rows = session.all(
        """select a.attname as name, format_type(a.atttypid, a.atttypmod) as type from pg_attribute a
            where a.attrelid = to_regclass(%(table)s) and a.attnum > 0 and not a.attisdropped
              and a.attgenerated = '' order by a.attnum""",
        table=moved.name,
    )
    empty = MADE_ANEW.get(moved.name, ())
    return [
        Column(
            sql.Identifier(row["name"]),
            sql.SQL(row["type"]),
            sql.SQL("null::{}").format(sql.SQL(row["type"])) if row["name"] in empty else sql.Identifier(row["name"]),
        )
        for row in rows
    ]


def _make_incoming(target: Session, moved: KnowledgeTable, columns: Sequence[Column]) -> None:
    target.connection.execute(
        sql.SQL("create temp table {} ({})").format(
            _incoming(moved), sql.SQL(", ").join(sql.SQL("{} {}").format(each.name, each.type) for each in columns)
        )
    )
    target.connection.execute(sql.SQL("grant select on pg_temp.{} to mainspring_tenant").format(_incoming(moved)))


def _count(session: Session, moved: KnowledgeTable) -> int:
    rows = session.all(
        sql.SQL("select count(*) as rows from {} where tenant_id = %(tenant)s").format(sql.Identifier(moved.name))
    )
    return rows[0]["rows"]
