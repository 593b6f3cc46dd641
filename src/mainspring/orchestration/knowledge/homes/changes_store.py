"""What changes while a tenant moves, noted by triggers that are there for that time only.

Every row that a writer touches leaves a note in the same transaction, so a note is committed if and only if its
change is. Notes are taken away by number after what they name was copied, never by comparing numbers: one that was
drawn earlier may be committed later.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from psycopg import sql

from mainspring.foundation.ids import TenantId

from .clone_store import Admin, as_sql
from .layout import Follow, KnowledgeTable
from .session import Session

_NOTES = """
create table knowledge_change (
    tenant_id uuid not null,
    number bigint generated always as identity,
    follow text not null,
    document_id uuid,
    index_id uuid,
    term integer,
    constraint knowledge_change_key primary key (tenant_id, number)
)"""

_OWNERS = """
do $$ begin
    create policy owner_notes on knowledge_change for insert to current_user with check (true);
    if to_regrole('mainspring_keeper') is not null then
        create policy keeper_notes on knowledge_change for insert to mainspring_keeper with check (true);
        grant insert on knowledge_change to mainspring_keeper;
    end if;
end $$"""

# A partitioned table's trigger runs on its partitions, so what is followed comes as an argument.
_FUNCTION = """
create or replace function {name}() returns trigger language plpgsql as $$
declare touched record;
begin
    if tg_op = 'INSERT' then touched := new; else touched := old; end if;
    insert into public.knowledge_change (tenant_id, follow, document_id, index_id, term)
    values (touched.tenant_id, tg_argv[0], {document}, {index}, {term});
    return null;
end $$"""


@dataclass(frozen=True, slots=True)
class Changes:
    """Notes read together: their numbers, and what has to be copied again."""

    numbers: Sequence[int]
    documents: Sequence[UUID]
    terms: Sequence[tuple[UUID, int]]
    is_index_touched: bool
    is_whole_touched: bool


def prepare_notes(connection: Admin) -> None:
    """The table of notes and the triggers' functions, in the database that a tenant leaves."""
    row = connection.execute("select to_regclass('public.knowledge_change')").fetchone()
    if row is None or row[0] is None:
        from mainspring.migrations.isolation import isolate  # brings Alembic along, which only a move needs

        connection.execute(_NOTES)
        isolate(_Runs(connection), "knowledge_change")
        # What a foreign key deletes along is noted in the name of the tables' owners, who may do nothing else here.
        connection.execute(_OWNERS)
    for name, document, index, term in (
        ("knowledge_note_document", "touched.id", "null", "null"),
        ("knowledge_note_part", "touched.document_id", "null", "null"),
        ("knowledge_note_term", "null", "touched.index_id", "touched.term"),
        ("knowledge_note_whole", "null", "null", "null"),
    ):
        function = _FUNCTION.format(name=f"public.{name}", document=document, index=index, term=term)
        connection.execute(function.encode())
        connection.execute(f"revoke execute on function public.{name}() from public".encode())


def add_triggers(connection: Admin, schema: str | None, moved: KnowledgeTable, tenant: TenantId) -> None:
    """Note every change of the tenant's rows in one table from now on; waits for those who are writing to it."""
    table = sql.Identifier(schema or "public", moved.name)
    for suffix, events, row in (("in", "insert", "new"), ("out", "update or delete", "old")):
        connection.execute(
            sql.SQL(
                "create or replace trigger {} after {} on {} for each row when ({}.tenant_id = {}) "
                "execute function public.{}({})"
            ).format(
                sql.Identifier(_trigger(tenant, suffix)),
                as_sql(events),
                table,
                as_sql(row),
                sql.Literal(str(tenant)),
                sql.Identifier(_function(moved)),
                sql.Literal(moved.follow.value),
            )
        )


def drop_triggers(connection: Admin, schema: str | None, moved: KnowledgeTable, tenant: TenantId) -> None:
    """Stop noting."""
    for suffix in ("in", "out"):
        connection.execute(
            sql.SQL("drop trigger if exists {} on {}").format(
                sql.Identifier(_trigger(tenant, suffix)), sql.Identifier(schema or "public", moved.name)
            )
        )


def read_changes(session: Session, limit: int) -> Changes:
    """The next notes; what they name is not read here."""
    rows = session.all(
        """select number, follow, document_id, index_id, term from public.knowledge_change
            where tenant_id = %(tenant)s order by number limit %(limit)s""",
        limit=limit,
    )
    follows = {row["follow"] for row in rows}
    return Changes(
        numbers=[row["number"] for row in rows],
        documents=sorted({row["document_id"] for row in rows if row["document_id"] is not None}),
        terms=sorted({(row["index_id"], row["term"]) for row in rows if row["term"] is not None}),
        is_index_touched=Follow.INDEX in follows,
        is_whole_touched=Follow.WHOLE in follows,
    )


def forget_changes(session: Session, numbers: Sequence[int] | None = None) -> None:
    """Take these notes away; all of the tenant's where none are named."""
    session.run(
        """delete from public.knowledge_change where tenant_id = %(tenant)s
              and (%(numbers)s::bigint[] is null or number = any(%(numbers)s::bigint[]))""",
        numbers=None if numbers is None else list(numbers),
    )


def _trigger(tenant: TenantId, suffix: str) -> str:
    return f"knowledge_move_{tenant.hex}_{suffix}"


def _function(moved: KnowledgeTable) -> str:
    if moved.follow == Follow.DOCUMENT:
        return "knowledge_note_document" if moved.document == "id" else "knowledge_note_part"
    return "knowledge_note_term" if moved.follow == Follow.TERM else "knowledge_note_whole"


class _Runs:
    """What `isolate` needs of Alembic's `op`."""

    def __init__(self, connection: Admin) -> None:
        self._connection = connection

    def execute(self, sqltext: str) -> None:
        """Run one statement."""
        self._connection.execute(sqltext.encode())
