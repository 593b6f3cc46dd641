"""A real identity on the real engines, a clock that tests can turn, and a browser for its routes."""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI

from mainspring.application.identity import Identity, IdentitySettings, Role, Tenant
from mainspring.application.identity.routes import build_router
from mainspring.application.identity.testing import CHEAP_PASSWORDS, Person, make_member, make_tenant
from mainspring.foundation.clock import now
from mainspring.foundation.db import Database
from mainspring.foundation.engines import EngineUrls
from mainspring.foundation.http import create_app
from mainspring.foundation.ids import new_id
from mainspring.foundation.valkey import open_valkey


class TurnableClock:
    """The real time, plus what a test has turned it on by."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        return now() + self._ahead

    def turn(self, by: timedelta) -> None:
        self._ahead += by

    def reset(self) -> None:
        self._ahead = timedelta()


@pytest.fixture(scope="session")
def shared_clock() -> TurnableClock:
    return TurnableClock()


@pytest.fixture
def clock(shared_clock: TurnableClock) -> Iterator[TurnableClock]:
    """The clock of `identity`, right again after the test."""
    yield shared_clock
    shared_clock.reset()


@pytest.fixture(scope="session")
async def identity(database: Database, engines: EngineUrls, shared_clock: TurnableClock) -> AsyncIterator[Identity]:
    """One identity for all tests: they keep apart by tenant, as its users do."""
    valkey = open_valkey(engines.valkey_url)
    made = Identity(database, valkey, settings=IdentitySettings(password_cost=CHEAP_PASSWORDS), clock=shared_clock)
    yield made
    await made.close()
    await valkey.aclose()


@pytest.fixture(scope="session")
def app(identity: Identity) -> FastAPI:
    app = create_app(identity, title="identity", version="0")
    app.include_router(build_router(identity, allowed_origins=["https://console.example.com"]))
    return app


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
async def browser(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the routes, from an address of its own."""
    transport = httpx.ASGITransport(app, client=(str(new_id()), 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://mainspring.test") as client:
        yield client
