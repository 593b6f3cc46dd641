"""Receivers, and a clean desk: what a test leaves undelivered is forgotten, so that no other test sends it."""

from collections.abc import AsyncIterator

import pytest

from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId

from .receiver import Receiver, receiving
from .scenes import Post, gate, post_office


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A web server that takes webhooks."""
    async with receiving() as running:
        yield running


@pytest.fixture(autouse=True)
async def _tidy(database: Database) -> AsyncIterator[None]:
    yield
    async with database.system() as transaction:
        await transaction.run("delete from delivery_endpoint")
        await transaction.run("delete from delivery_trigger")


@pytest.fixture
def post(database: Database, tenant: TenantId, receiver: Receiver) -> Post:
    """A post office that reaches the receiver."""
    return post_office(database, tenant, gate(receiver.port))
