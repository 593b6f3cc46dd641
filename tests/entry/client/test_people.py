"""The client against the real routes of identity, on the real engines."""

import asyncio
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import uvicorn

from mainspring.application.identity import Identity, IdentitySettings, Role
from mainspring.application.identity.routes import build_router
from mainspring.application.identity.testing import CHEAP_PASSWORDS, make_key, make_member, make_tenant
from mainspring.entry.client import ApiError, MainspringClient
from mainspring.foundation.db import Database
from mainspring.foundation.http import create_app
from mainspring.foundation.valkey import Valkey


@pytest.fixture
async def client(database: Database, valkey: Valkey) -> AsyncIterator[MainspringClient]:
    """A client with an owner's key."""
    identity = Identity(database, valkey, settings=IdentitySettings(password_cost=CHEAP_PASSWORDS))
    app = create_app(identity, title="identity", version="0")
    app.include_router(build_router(identity))
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    owner = await make_member(identity, await make_tenant(identity), Role.OWNER)
    key = await make_key(identity, owner.principal)
    with MainspringClient(f"http://127.0.0.1:{listener.getsockname()[1]}", key.secret) as made:
        yield made
    server.should_exit = True
    await serving
    await identity.close()
    listener.close()


async def test_people_and_keys_through_the_client(client: MainspringClient):
    def walk() -> None:
        assert client.get_session().tenant.slug == client.get_tenant().slug
        assert client.get_session().user is None
        assert {role.role for role in client.list_roles()} == {role.value for role in Role}
        assert client.update_tenant(ai_enabled=False).ai_enabled is False

        added = [client.add_member(f"m{n}@example.com", f"Member {n}", "viewer") for n in range(3)]
        assert all(member.password for member in added)
        assert client.change_role(added[0].id, "analyst").role == "analyst"
        client.remove_member(added[1].id)
        names = [member.user.name for member in client.iter_members(page_size=1)]
        assert names == ["Owner Person", "Member 0", "Member 2"]

        created = client.create_api_key("CI", scopes=["ai.output.view"], expires_at=datetime(2999, 1, 1, tzinfo=UTC))
        assert created.secret is not None
        assert created.secret not in repr(created)
        assert created.expires_at == datetime(2999, 1, 1, tzinfo=UTC)
        client.revoke_api_key(created.id)
        client.revoke_api_key(created.id)
        listed = next(client.iter_api_keys())
        assert (listed.id, listed.secret, listed.revoked_at is None) == (created.id, None, False)

    await asyncio.to_thread(walk)


async def test_refusals_through_the_client(client: MainspringClient):
    def walk() -> list[tuple[str, int]]:
        refused: list[tuple[str, int]] = []
        for call in (
            lambda: client.remove_member("mem_00000000000000000000000000"),
            lambda: client.revoke_api_key("../../etc"),
            lambda: client.add_member("no address", "N", "viewer"),
            lambda: client.add_member("a@example.com", "N", "emperor"),
            lambda: next(client.iter_members(page_size=1_000_000)),
            lambda: client.remove_member(next(client.iter_members()).id),
            lambda: client.create_api_key("x", scopes=["fly.plane"]),
        ):
            with pytest.raises(ApiError) as error:
                call()
            refused.append((error.value.code, error.value.status))
        return refused

    assert await asyncio.to_thread(walk) == [
        ("not_found", 404),
        ("not_found", 404),
        ("invalid_input", 422),
        ("invalid_input", 422),
        ("invalid_input", 422),
        ("last_owner", 409),
        ("invalid_input", 422),
    ]
