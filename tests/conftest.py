"""Real engines for every test: one throwaway Postgres and Valkey for the whole run, a fresh tenant for each test."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from mainspring.foundation.db import Database
from mainspring.foundation.engines import EmbeddedEngines, EngineUrls
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.objects import ObjectStore
from mainspring.foundation.valkey import Valkey, open_valkey
from mainspring.migrations import migrate
from tests.scene import Scene, set_scene
from tests.stack import RunningStack, run_stack


@pytest.fixture(scope="session")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineUrls]:
    """Embedded engines with a migrated schema; fsync is off, all else is as in production."""
    embedded = EmbeddedEngines(tmp_path_factory.mktemp("engines"), is_durable=False)
    try:
        urls = embedded.start()
        migrate(urls.database_admin_url, login=urls.login)
        yield urls
    finally:
        embedded.stop()


@pytest.fixture(scope="session")
async def database(engines: EngineUrls) -> AsyncIterator[Database]:
    """The application's handle, as its unprivileged login."""
    opened = await Database.open(engines.database_url)
    yield opened
    await opened.close()


@pytest.fixture
async def valkey(engines: EngineUrls) -> AsyncIterator[Valkey]:
    """A client of the real server; tests keep apart by tenant."""
    client = open_valkey(engines.valkey_url)
    yield client
    await client.aclose()


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    """An object store in a folder of this test."""
    return ObjectStore.open(f"file://{tmp_path / 'objects'}")


@pytest.fixture
async def tenant(database: Database) -> TenantId:
    """A fresh tenant."""
    return await _new_tenant(database)


@pytest.fixture
async def other_tenant(database: Database) -> TenantId:
    """Another one, to prove that it sees nothing."""
    return await _new_tenant(database)


async def _new_tenant(database: Database) -> TenantId:
    return TenantId(new_id())


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """Every process of `mainspring serve`, shared by the tests that need a whole system."""
    with run_stack(tmp_path_factory.mktemp("stack"), rehearses=True) as running:
        yield running


@pytest.fixture(scope="session")
def scene(stack: RunningStack) -> Scene:
    """Two tenants, members of each role, and an analysed contract."""
    return set_scene(stack)
