"""The test product behind the real thing: engines, identity, a worker, and the API on a free port.

    python -m tests.orchestration.agents.server.serve       prints the URL to give to LangGraph's client tests

Those tests send no credentials, so requests without any are given the key of the tenant made for them.
"""

import asyncio
import socket
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from mainspring.application.identity import ROLE_PERMISSIONS, Identity, Role, operator
from mainspring.foundation.db import Database
from mainspring.foundation.engines import EmbeddedEngines, EngineUrls
from mainspring.foundation.http import create_app
from mainspring.foundation.ids import TenantId, new_id
from mainspring.foundation.valkey import open_valkey
from mainspring.migrations import migrate
from mainspring.orchestration.agents.server import AgentServer, build_agent_server
from mainspring.orchestration.agents.server.routes import build_router
from mainspring.orchestration.agents.server.words import PREFIX
from mainspring.orchestration.delivery import Direct
from mainspring.orchestration.pipelines import LiveEvents
from tests.orchestration.agents.acting import House, open_house
from tests.orchestration.delivery.scenes import Post, gate, post_office

from .graphs import AGENTS


@dataclass(frozen=True, slots=True)
class Served:
    """A running agent server; `key` makes keys of new tenants, or of a known one. `hooks` sends webhooks of runs."""

    url: str
    identity: Identity
    house: House
    server: AgentServer
    hooks: Post

    async def key(self, role: Role = Role.ADMIN, tenant: TenantId | None = None) -> str:
        """An API key with what the role holds."""
        if tenant is None:
            name = f"tenant-{new_id().hex[-12:]}"
            tenant = (await self.identity.create_tenant(name, name)).id
        made = await self.identity.keys.create(operator(tenant), name=role, scopes=ROLE_PERMISSIONS[role])
        return made.secret


class GiveKey:
    """Adds a key to requests that come without credentials."""

    def __init__(self, app: ASGIApp, key: str) -> None:
        self._app = app
        self._key = key.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in {"http", "websocket"}:
            names = {name for name, _ in scope["headers"]}
            if not names & {b"authorization", b"x-api-key"}:
                scope = {**scope, "headers": [*scope["headers"], (b"x-api-key", self._key)]}
        await self._app(scope, receive, send)


@asynccontextmanager
async def serve(urls: EngineUrls, *, is_open: bool = False, port: int = 0) -> AsyncGenerator[Served]:
    """The server and a worker in this process, until the block ends. `is_open` gives a key to who has none."""
    database, valkey = await Database.open(urls.database_url), open_valkey(urls.valkey_url)
    identity, live = Identity(database, valkey), LiveEvents(database, valkey)
    house = open_house(database, valkey, *AGENTS)
    hooks = post_office(database, TenantId(new_id()), gate(*range(1024, 65536)))
    posts = Direct(database, hooks.vault, lambda new: hooks.transport.check(new.url))
    server = build_agent_server(database, valkey, live, house.runtime, posts=posts)
    app: FastAPI = create_app(identity, title="Agents", version="0")
    app.include_router(build_router(server))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", port))
        served = Served(f"http://127.0.0.1:{listening.getsockname()[1]}{PREFIX}", identity, house, server, hooks)
        wrapped = GiveKey(app, await served.key()) if is_open else app
        try:
            async with house.worker(), _listening(wrapped, listening, server, live):
                yield served
        finally:
            await identity.close()
            await valkey.aclose()
            await database.close()


@asynccontextmanager
async def _listening(
    app: ASGIApp, listening: socket.socket, server: AgentServer, live: LiveEvents
) -> AsyncGenerator[None]:
    config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=2, lifespan="off")
    uvicorn_server = uvicorn.Server(config)
    running = asyncio.create_task(uvicorn_server.serve(sockets=[listening]))
    try:
        async with asyncio.timeout(10):
            while not uvicorn_server.started:  # noqa: ASYNC110 - uvicorn has no event for it
                await asyncio.sleep(0.01)
        yield
    finally:
        await server.close()
        await live.close()
        uvicorn_server.should_exit = True
        await running


async def _serve_until_stopped(folder: Path) -> None:
    engines = EmbeddedEngines(folder, is_durable=False)
    try:
        urls = engines.start()
        migrate(urls.database_admin_url, login=urls.login)
        async with serve(urls, is_open=True) as served:
            sys.stdout.write(f"{served.url}\n")
            sys.stdout.flush()
            await asyncio.to_thread(sys.stdin.read)
    finally:
        engines.stop()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as data:
        asyncio.run(_serve_until_stopped(Path(data)))
