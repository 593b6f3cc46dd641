"""A real identity on the real engines, a clock that tests can turn, and a browser for its routes."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from mainspring.application.identity import Identity, IdentitySettings, Role, Tenant
from mainspring.application.identity.routes import build_router
from mainspring.application.identity.testing import CHEAP_PASSWORDS, Person, make_member, make_tenant
from mainspring.foundation.clock import now
from mainspring.foundation.db import Database
from mainspring.foundation.http import create_app
from mainspring.foundation.ids import new_id
from mainspring.foundation.valkey import Valkey


class TurnableClock:
    """The real time, plus what a test has turned it on by."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def __call__(self):
        return now() + self._ahead

    def turn(self, by: timedelta) -> None:
        self._ahead += by


@pytest.fixture
def clock() -> TurnableClock:
    return TurnableClock()


@pytest.fixture
async def identity(database: Database, valkey: Valkey, clock: TurnableClock) -> AsyncIterator[Identity]:
    made = Identity(database, valkey, settings=IdentitySettings(password_cost=CHEAP_PASSWORDS), clock=clock)
    yield made
    await made.close()


@pytest.fixture
async def home(identity: Identity) -> Tenant:
    return await make_tenant(identity)


@pytest.fixture
async def elsewhere(identity: Identity) -> Tenant:
    return await make_tenant(identity, "Elsewhere Ltd")


@pytest.fixture
async def owner(identity: Identity, home: Tenant) -> Person:
    return await make_member(identity, home, Role.OWNER)


@pytest.fixture
async def browser(identity: Identity) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the routes, from an address of its own."""
    app = create_app(identity, title="identity", version="0")
    app.include_router(build_router(identity, allowed_origins=["https://console.example.com"]))
    transport = httpx.ASGITransport(app, client=(str(new_id()), 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://mainspring.test") as client:
        yield client
