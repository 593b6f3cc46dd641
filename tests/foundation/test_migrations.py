"""The schema that the migrations build is the one that the rooms declare."""

import importlib
import pkgutil
import warnings

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

import mainspring
from mainspring.foundation.engines import EngineUrls
from mainspring.foundation.tables import metadata


def _declare_every_table() -> None:
    for module in pkgutil.walk_packages(mainspring.__path__, "mainspring."):
        if module.name.endswith((".tables", ".outbox")):
            importlib.import_module(module.name)


def _is_ours(thing: object, name: str | None, kind: str, is_reflected: bool, compared: object) -> bool:
    """Partitions are made by the migration and declared nowhere; the version table is Alembic's own."""
    return not (kind == "table" and is_reflected and (name == "alembic_version" or name not in metadata.tables))


def test_migrations_and_declared_tables_agree(engines: EngineUrls):
    _declare_every_table()
    engine = create_engine(engines.database_admin_url.replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.connect() as connection, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Alembic cannot reflect expression indexes and says so
        context = MigrationContext.configure(connection, opts={"include_object": _is_ours, "compare_type": False})
        differences = compare_metadata(context, metadata)
    engine.dispose()
    assert differences == []
    assert len(metadata.tables) > 15
