"""A gateway over a scripted provider, with real records in a real Postgres."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Protocol

import pytest

from mainspring.foundation.db import Database, Row
from mainspring.foundation.ids import TenantId
from mainspring.inference.gateway import CallContext, Gateway
from mainspring.inference.gateway.testing import Script, ScriptedProvider, SwitchBoard, scripted_gateway

Records = Callable[[int], Awaitable[list[Row]]]


class OpenGateway(Protocol):
    """Opens a gateway over a script; it is closed after the test."""

    async def __call__(self, script: Script, switch: SwitchBoard | None = None) -> tuple[Gateway, ScriptedProvider]: ...


@pytest.fixture
async def open_gateway(database: Database, tmp_path: Path) -> AsyncIterator[OpenGateway]:
    async with AsyncExitStack() as stack:

        async def open_(script: Script, switch: SwitchBoard | None = None) -> tuple[Gateway, ScriptedProvider]:
            provider = await stack.enter_async_context(ScriptedProvider(script))
            gateway = await scripted_gateway(provider, database, tmp_path, switch=switch)
            stack.push_async_callback(gateway.close)
            return gateway, provider

        yield open_


@pytest.fixture
def context(tenant: TenantId) -> CallContext:
    return CallContext(tenant, principal="tester", feature="tests", step="speak", prompt_name="p", prompt_version="1")


@pytest.fixture
def records(database: Database, tenant: TenantId) -> Records:
    """The tenant's records with their payloads, oldest first, once there are `count` of them."""

    async def read(count: int) -> list[Row]:
        rows: list[Row] = []

        async def are_there() -> bool:
            async with database.tenant(tenant) as transaction:
                rows[:] = await transaction.all(
                    """select r.*, p.input, p.output from inference_record r
                         left join inference_payload p on p.record_id = r.id order by r.id"""
                )
            return len(rows) >= count

        await wait_until(are_there)
        return rows

    return read


async def wait_until(claim: Callable[[], Awaitable[bool]]) -> None:
    """Return as soon as the claim holds; fail when it does not within 10 seconds."""
    async with asyncio.timeout(10):
        while not await claim():  # noqa: ASYNC110 - the claim is about another process or server
            await asyncio.sleep(0.02)
