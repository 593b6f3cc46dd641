"""What tests of the engine share: workers that run in the background, and pipelines to run."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest

from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId
from mainspring.foundation.valkey import Valkey
from mainspring.orchestration.pipelines import LiveEvents, Pipeline, Pipelines, Run, Worker
from mainspring.orchestration.pipelines.types import RunId


async def wait_until(claim: Callable[[], Awaitable[bool]], *, seconds: float = 10) -> None:
    """Return as soon as the claim holds; fail when it does not in time."""
    async with asyncio.timeout(seconds):
        while not await claim():  # noqa: ASYNC110 - the claim may be about another process
            await asyncio.sleep(0.01)


@dataclass(frozen=True, slots=True)
class Engine:
    """A door to runs and the means to run them."""

    database: Database
    valkey: Valkey
    pipelines: Pipelines

    @asynccontextmanager
    async def worker(
        self,
        *pipelines: Pipeline,
        concurrency: int = 8,
        lease: float = 15,
        steps: frozenset[str] | None = None,
        grace: float = 5,
    ) -> AsyncGenerator[Worker]:
        """A worker in this process, drained on exit."""
        worker = Worker(
            self.database,
            self.valkey,
            pipelines=pipelines,
            concurrency=concurrency,
            lease=timedelta(seconds=lease),
            steps=steps,
        )
        stop = asyncio.Event()
        running = asyncio.create_task(worker.run(stop, grace=timedelta(seconds=grace)))
        try:
            yield worker
        finally:
            stop.set()
            await running

    async def finished(self, tenant: TenantId, run: RunId, *, seconds: float = 10) -> Run:
        """The run, once it has ended."""
        seen: list[Run] = []

        async def has_ended() -> bool:
            seen[:] = [await self.pipelines.get_run(tenant, run)]
            return seen[0].status.is_final

        await wait_until(has_ended, seconds=seconds)
        return seen[0]

    async def list_runs(self, tenant: TenantId) -> list[RunId]:
        """Every run of the tenant, the newest first."""
        async with self.database.tenant(tenant) as transaction:
            rows = await transaction.all(
                "select id from run where tenant_id = %(tenant)s order by id desc", tenant=tenant
            )
        return [RunId(row["id"]) for row in rows]


@pytest.fixture
def engine(database: Database, valkey: Valkey) -> Engine:
    """The engine on the shared real engines."""
    return Engine(database, valkey, Pipelines(database, valkey))


@pytest.fixture
async def live(database: Database, valkey: Valkey) -> AsyncIterator[LiveEvents]:
    """The live streams, as one API process has them."""
    opened = LiveEvents(database, valkey)
    yield opened
    await opened.close()
