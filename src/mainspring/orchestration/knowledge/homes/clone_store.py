"""A schema with the tables of knowledge as `public` has them: columns, keys, indexes, policies and grants.

The catalogue is read, so a table cannot be forgotten here that a migration changed. Partitioned tables become plain
ones: one tenant is one partition. Runs as the login that owns the schema, in one transaction: whole, or not at all.
"""

from typing import LiteralString, cast

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from .layout import LAYOUT

Admin = psycopg.Connection[TupleRow]

_ROLES = ("mainspring_tenant", "mainspring_system")


def clone_tables(connection: Admin, schema: str) -> None:
    """Make the schema and those tables that it lacks."""
    name = sql.Identifier(schema)
    connection.execute(sql.SQL("create schema if not exists {}").format(name))
    connection.execute(sql.SQL("grant usage on schema {} to mainspring_tenant, mainspring_system").format(name))
    missing = [table for table in list_tables(connection) if not _is_there(connection, schema, table)]
    for table in missing:
        _clone_columns(connection, schema, table)
    for kinds in (("p", "u"), ("f",)):
        for table in missing:
            _clone_constraints(connection, schema, table, kinds)
    for table in missing:
        _clone_indexes(connection, schema, table)
        _clone_isolation(connection, schema, table)
        _clone_keeper(connection, schema, table)


def drop_schema(connection: Admin, schema: str) -> None:
    """Drop a tenant's schema with all that is in it."""
    connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema)))


def analyze(connection: Admin, schema: str | None) -> None:
    """Tell the planner how large the tables are."""
    for table in list_tables(connection):
        connection.execute(sql.SQL("analyze {}").format(sql.Identifier(schema or "public", table)))


def list_tables(connection: Admin) -> list[str]:
    """The tables that move and that this database has, in the order of their keys."""
    return [moved.name for moved in LAYOUT if _is_there(connection, "public", moved.name)]


def list_schemas(connection: Admin, prefix: str) -> list[str]:
    """The schemas of tenants."""
    rows = connection.execute(
        "select nspname from pg_namespace where starts_with(nspname, %s) order by nspname", (prefix,)
    )
    return [row[0] for row in rows]


def find_differences(connection: Admin, schema: str) -> list[str]:
    """What a tenant's schema has otherwise than `public`: a migration that did not reach it."""
    expected, found = _describe(connection, "public"), _describe(connection, schema)
    return sorted({f"lacks {line}" for line in expected - found} | {f"has {line}" for line in found - expected})


def as_sql(text: str) -> sql.SQL:
    """Text that the catalogue or this package wrote; never a caller's."""
    return sql.SQL(cast(LiteralString, text))


def _is_there(connection: Admin, schema: str, table: str) -> bool:
    row = connection.execute("select to_regclass(format('%%I.%%I', %s::text, %s::text))", (schema, table)).fetchone()
    return row is not None and row[0] is not None


def _pattern(connection: Admin, table: str) -> str:
    """The table itself, or its first partition: what concerns rows is set there, as is who may index them."""
    row = connection.execute(
        """select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
            where i.inhparent = to_regclass(%s) and c.relkind in ('r', 'p') order by 1 limit 1""",
        (f"public.{table}",),
    ).fetchone()
    return row[0] if row else table


def _clone_columns(connection: Admin, schema: str, table: str) -> None:
    pattern = _pattern(connection, table)
    connection.execute(
        sql.SQL(
            "create table {} (like {} including defaults including constraints including identity "
            "including generated including storage including compression including comments)"
        ).format(sql.Identifier(schema, table), sql.Identifier("public", pattern))
    )


def _clone_constraints(connection: Admin, schema: str, table: str, kinds: tuple[str, ...]) -> None:
    """Keys under their own names, on which `on conflict` and errors rely."""
    _look_from(connection, "public")
    rows = connection.execute(
        """select conname, pg_get_constraintdef(oid) from pg_constraint
            where conrelid = to_regclass(%s) and contype = any(%s) order by conname""",
        (f"public.{table}", list(kinds)),
    ).fetchall()
    _look_from(connection, schema)
    for name, definition in rows:
        connection.execute(
            sql.SQL("alter table {} add constraint {} {}").format(
                sql.Identifier(schema, table), sql.Identifier(name), as_sql(definition)
            )
        )
    _look_from(connection, "public")


def _clone_indexes(connection: Admin, schema: str, table: str) -> None:
    _look_from(connection, "public")
    rows = connection.execute(
        """select pg_get_indexdef(indexrelid, 0, true) from pg_index
            where indrelid = to_regclass(%s)
              and not exists (select from pg_constraint where conindid = indexrelid and contype in ('p', 'u'))""",
        (f"public.{table}",),
    ).fetchall()
    _look_from(connection, schema)
    for (definition,) in rows:
        connection.execute(definition.encode())
    _look_from(connection, "public")


def _clone_isolation(connection: Admin, schema: str, table: str) -> None:
    target = sql.Identifier(schema, table)
    connection.execute(sql.SQL("alter table {} enable row level security").format(target))
    connection.execute(sql.SQL("alter table {} force row level security").format(target))
    policies = connection.execute(
        """select policyname, roles::text[], cmd, coalesce(qual, 'true'), coalesce(with_check, qual) from pg_policies
            where schemaname = 'public' and tablename = %s""",
        (table,),
    ).fetchall()
    for name, roles, command, using, check in policies:
        connection.execute(
            sql.SQL("create policy {} on {} for {} to {} using ({}) with check ({})").format(
                sql.Identifier(name),
                target,
                as_sql(command),
                sql.SQL(", ").join(map(sql.Identifier, roles)),
                as_sql(using),
                as_sql(check),
            )
        )
    for role, privilege in _grants(connection, table):
        connection.execute(sql.SQL("grant {} on {} to {}").format(as_sql(privilege), target, sql.Identifier(role)))


def _clone_keeper(connection: Admin, schema: str, table: str) -> None:
    """Who may build indexes on the rows owns the table, as it owns the partitions of `public`.

    What a foreign key deletes along is deleted in the owner's name, so the owner keeps that right; of its own it
    sees and deletes nothing, because row-level security is forced and no policy is for it.
    """
    row = connection.execute(
        """select r.rolname from pg_class c join pg_roles r on r.oid = c.relowner
             join pg_class p on p.oid = to_regclass(%s)
            where c.oid = to_regclass(%s) and c.relowner <> p.relowner""",
        (f"public.{table}", f"public.{_pattern(connection, table)}"),
    ).fetchone()
    if row is None:
        return
    keeper, target = sql.Identifier(row[0]), sql.Identifier(schema, table)
    connection.execute(sql.SQL("grant usage, create on schema {} to {}").format(sql.Identifier(schema), keeper))
    connection.execute(sql.SQL("alter table {} owner to {}").format(target, keeper))
    connection.execute(sql.SQL("revoke all on {} from {}").format(target, keeper))
    connection.execute(sql.SQL("grant select, delete on {} to {}").format(target, keeper))


def _grants(connection: Admin, table: str) -> list[tuple[str, str]]:
    rows = connection.execute(
        """select role.rolname, entry.privilege_type
             from pg_class c, aclexplode(c.relacl) entry join pg_roles role on role.oid = entry.grantee
            where c.oid = to_regclass(%s) and role.rolname = any(%s)""",
        (f"public.{table}", list(_ROLES)),
    )
    return [(row[0], row[1]) for row in rows]


def _describe(connection: Admin, schema: str) -> set[str]:
    """Columns, constraints, indexes and policies of the tables that move, each as a line."""
    _look_from(connection, schema)
    rows = connection.execute(
        """
        select format('column %%s.%%s %%s%%s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
                      case when a.attnotnull then ' not null' else '' end)
          from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
         where c.relnamespace = to_regnamespace(%(schema)s) and c.relname = any(%(tables)s)
        union all
        select format('constraint %%s.%%s %%s', c.relname, k.conname, pg_get_constraintdef(k.oid))
          from pg_class c join pg_constraint k on k.conrelid = c.oid and k.contype in ('c', 'f', 'p', 'u')
         where c.relnamespace = to_regnamespace(%(schema)s) and c.relname = any(%(tables)s)
        union all
        select format('index %%s.%%s', c.relname, i.relname)
          from pg_class c join pg_index x on x.indrelid = c.oid join pg_class i on i.oid = x.indexrelid
                 and not starts_with(i.relname, 'chunk_vector_near_') -- approximate ones, of single tenants
         where c.relnamespace = to_regnamespace(%(schema)s) and c.relname = any(%(tables)s)
        union all
        select format('policy %%s.%%s %%s %%s', p.tablename, p.policyname, p.roles, p.qual)
          from pg_policies p where p.schemaname = %(schema)s and p.tablename = any(%(tables)s)""",
        {"schema": schema, "tables": [moved.name for moved in LAYOUT]},
    ).fetchall()
    _look_from(connection, "public")
    return {row[0] for row in rows}


def _look_from(connection: Admin, schema: str) -> None:
    """Names of tables are read and written relative to this schema."""
    path = "public, pg_temp" if schema == "public" else f'"{schema}", public, pg_temp'
    connection.execute("select set_config('search_path', %s, false)", (path,))
