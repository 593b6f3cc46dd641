"""Runs Alembic from the installed package, one process at a time."""

import re
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from psycopg.sql import SQL, Identifier, Literal
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from mainspring.foundation.errors import Unavailable

_LOCK = 7_213_090_001  # any constant, the same in every process that migrates


def migrate(admin_url: str, *, login: tuple[str, str] | None = None) -> tuple[str | None, str]:
    """Bring the database to the newest revision; returns the revisions before and after.

    admin_url  a login that owns the schema and may create roles
    login      name and password of the application's login to create or refresh; None where an
               administrator made one and granted it mainspring_app
    """
    engine = create_engine(re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", admin_url), poolclass=NullPool)
    try:
        with _connect(engine) as connection:
            return _migrate(connection, admin_url, login)
    except (DBAPIError, CommandError, psycopg.Error) as failure:
        reason = str(getattr(failure, "orig", failure)).strip().splitlines()[0]
        raise Unavailable(
            f"The schema could not be brought up: {reason}. The login of MAINSPRING_DATABASE_ADMIN_URL must own the "
            "schema and may create roles; a database newer than this package needs a newer package."
        ) from None
    finally:
        engine.dispose()


def _migrate(connection: Connection, admin_url: str, login: tuple[str, str] | None) -> tuple[str | None, str]:
    connection.execute(text("select pg_advisory_lock(:key)"), {"key": _LOCK})
    connection.commit()
    before = MigrationContext.configure(connection).get_current_revision()
    after = head_revision()
    if before != after:
        configuration = _configuration()
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, "head")
    connection.commit()
    if login:
        _allow_login(admin_url, login)
    else:
        connection.exec_driver_sql("grant mainspring_app to session_user")
        connection.commit()
    connection.execute(text("select pg_advisory_unlock(:key)"), {"key": _LOCK})
    connection.commit()
    return before, after


def _connect(engine: Engine) -> Connection:
    try:
        return engine.connect()
    except OperationalError:
        # The driver's own words may hold the login; the address is enough to go and look.
        raise Unavailable(
            f"Postgres at {engine.url.host}:{engine.url.port} does not answer as {engine.url.username}: "
            "check that it runs, and MAINSPRING_DATABASE_ADMIN_URL."
        ) from None


def head_revision() -> str:
    """The newest revision that this package holds."""
    head = ScriptDirectory.from_config(_configuration()).get_current_head()
    assert head is not None
    return head


def _configuration() -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(Path(__file__).parent))
    return configuration


def _allow_login(admin_url: str, login: tuple[str, str]) -> None:
    """The password is hashed here (SCRAM), so that it reaches neither the server's log nor an error."""
    name, password = login
    with psycopg.connect(admin_url) as connection:
        verifier = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
        known = connection.execute("select 1 from pg_roles where rolname = %s", (name,)).fetchone()
        verb = SQL("alter" if known else "create")
        connection.execute(
            SQL("{} role {} login noinherit password {}").format(verb, Identifier(name), Literal(verifier))
        )
        connection.execute(SQL("grant mainspring_app to {}").format(Identifier(name)))
        # A process that was stopped in mid-transaction must not keep its row locks.
        connection.execute(
            SQL("alter role {} set idle_in_transaction_session_timeout = '15s'").format(Identifier(name))
        )
