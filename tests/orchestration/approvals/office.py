"""Who takes part in an approval: people with their roles, keys and agents of theirs, and a question for them."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from mainspring.application.identity import Identity, IdentitySettings, Role
from mainspring.application.identity import routes as identity_routes
from mainspring.application.identity.testing import CHEAP_PASSWORDS, Person, make_key, make_member, make_tenant
from mainspring.application.identity.types import Tenant
from mainspring.foundation.db import Database
from mainspring.foundation.http import create_app
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.principal import Principal, PrincipalKind
from mainspring.foundation.valkey import Valkey
from mainspring.orchestration.approvals import Approval, Approvals, Proposal, Verdict
from mainspring.orchestration.approvals.routes import build_router
from mainspring.orchestration.pipelines import Pipelines

REVIEWERS = ("role:reviewer",)
PAYMENT = Proposal(
    action="payments.send",
    arguments={"to": "Fabrikam", "amount_cents": 125_000},
    output="Invoice 17, due in March",
    title="Pay Fabrikam 1,250.00",
    shown="Pay **Fabrikam** 1,250.00 for invoice 17.",
    roles=REVIEWERS,
    expires=timedelta(days=30),
)


@dataclass(frozen=True, slots=True)
class Office:
    """A tenant, its people, and what they are asked."""

    identity: Identity
    tenant_row: Tenant
    approvals: Approvals

    @property
    def tenant(self) -> TenantId:
        return self.tenant_row.id

    async def person(self, role: Role = Role.REVIEWER) -> Person:
        """Another person, signed in, with what a browser sends."""
        return await make_member(self.identity, self.tenant_row, role)

    async def member(self, role: Role = Role.REVIEWER) -> Principal:
        """Another person, as a room sees them."""
        return (await self.person(role)).principal

    async def members(self, *roles: Role) -> list[Principal]:
        """One more person of each role."""
        return [await self.member(role) for role in roles]

    async def key_of(self, person: Principal, scopes: Sequence[str] | None = None) -> Principal:
        """The person's API key, as it comes in."""
        made = await make_key(self.identity, person, scopes=scopes)
        return await self.identity.authenticate(bearer=made.secret, cookie=None, csrf=None, unsafe=True)

    @asynccontextmanager
    async def browser(self, person: Person) -> AsyncGenerator[httpx.AsyncClient]:
        """The API as the person's browser calls it."""
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(self._app()),
            base_url="http://approvals.test",
            cookies=person.cookies,
            headers=person.headers,
        ) as client:
            yield client

    @asynccontextmanager
    async def served(self) -> AsyncGenerator[str]:
        """The address of an API that serves identity and approvals."""
        server = uvicorn.Server(uvicorn.Config(self._app(), port=0, log_config=None, lifespan="off"))
        serving = asyncio.create_task(server.serve())
        try:
            async with asyncio.timeout(10):
                while not server.started:  # noqa: ASYNC110 - uvicorn tells nobody
                    await asyncio.sleep(0.01)
            yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving

    def _app(self) -> FastAPI:
        app = create_app(self.identity, title="Approvals", version="1")
        app.include_router(identity_routes.build_router(self.identity))
        app.include_router(build_router(self.approvals))
        return app

    async def ask(
        self,
        proposal: Proposal = PAYMENT,
        *,
        by: Principal | None = None,
        editor: Principal | None = None,
        key: str | None = None,
    ) -> Approval:
        """The proposal, asked for the work of `by`."""
        return await self.approvals.ask(
            self.tenant,
            proposal,
            key=key or str(new_id()),
            initiator=by.hands if by else frozenset(),
            editor=editor.hands if editor else frozenset(),
        )

    async def approve(self, principal: Principal, approval: Approval) -> Approval:
        """The person's yes to what is asked now."""
        return await self.approvals.decide(principal, approval.id, Verdict.APPROVE, digest=approval.digest)


def agent_of(person: Principal, name: str = "amender") -> Principal:
    """An agent that acts for a person: with their rights and subjects, by their hand and its own."""
    return replace(person, kind=PrincipalKind.AGENT, name=name, hands=person.hands | {f"agent:{name}"})


@pytest.fixture
def approvals(database: Database, valkey: Valkey) -> Approvals:
    """The door, on real engines."""
    return Approvals(database, Pipelines(database, valkey))


@pytest.fixture
async def identity(database: Database, valkey: Valkey) -> AsyncIterator[Identity]:
    """Identity with passwords that tests can pay."""
    opened = Identity(database, valkey, settings=IdentitySettings(password_cost=CHEAP_PASSWORDS))
    yield opened
    await opened.close()


@pytest.fixture
async def office(identity: Identity, approvals: Approvals) -> Office:
    """A tenant of its own."""
    return Office(identity, await make_tenant(identity), approvals)


@pytest.fixture
async def other_office(identity: Identity, approvals: Approvals) -> Office:
    """Another tenant."""
    return Office(identity, await make_tenant(identity), approvals)
