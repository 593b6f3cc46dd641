"""An API with everything that operating adds, over the real engines, and callers of it."""

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass

import httpx
import pytest

from mainspring.foundation.http import create_app
from mainspring.foundation.ids import TenantId, show_id
from mainspring.foundation.principal import Principal
from mainspring.orchestration.pipelines import LiveEvents, Pipeline, Run
from mainspring.orchestration.pipelines import routes as run_routes
from mainspring.orchestration.pipelines.operating import Declared, Operating, build_operating, build_router
from mainspring.orchestration.pipelines.operating.run_routes import OPERATE, READ
from tests.orchestration.pipelines.conftest import Engine
from tests.orchestration.pipelines.test_routes import Doorman, key

from .pipelines import STARTABLE, every_pipeline


class Closed:
    """The subject `doc_secret` is closed to everybody without the permission `secrets`."""

    async def closed_to(self, principal: Principal, subjects: Collection[str]) -> Collection[str]:
        return () if "secrets" in principal.permissions else {each for each in subjects if each == "doc_secret"}


@dataclass(frozen=True, slots=True)
class Desk:
    """The services, an API over them, and the pipelines that they know."""

    operating: Operating
    client: httpx.AsyncClient
    pipelines: tuple[Pipeline, ...]

    async def get(self, tenant: TenantId, path: str, *permissions: str, **parameters: object) -> httpx.Response:
        """Ask as somebody who may read."""
        headers = key(tenant, *(permissions or (READ,)))
        return await self.client.get(f"/v1{path}", headers=headers, params=parameters)  # pyright: ignore[reportArgumentType]

    async def post(
        self, tenant: TenantId, path: str, body: object = None, *permissions: str, **headers: str
    ) -> httpx.Response:
        """Do something as somebody who may operate."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {**key(tenant, *(permissions or (OPERATE,))), **named}
        return await self.client.post(f"/v1{path}", headers=sent, json=body)

    async def send(self, method: str, tenant: TenantId, path: str, body: object = None) -> httpx.Response:
        """Do something by another method."""
        return await self.client.request(method, f"/v1{path}", headers=key(tenant, OPERATE), json=body)


def path_of(run: Run) -> str:
    """Where the run is, below /v1."""
    return f"/runs/{show_id('run', run.id)}"


@pytest.fixture
async def desk(engine: Engine, live: LiveEvents) -> AsyncIterator[Desk]:
    """The API in this process."""
    pipelines = every_pipeline()
    privacy = Closed()
    operating = build_operating(
        engine.database, engine.pipelines, Declared(pipelines, startable=STARTABLE), privacy=privacy
    )
    app = create_app(Doorman(), title="Test", version="0")
    app.include_router(build_router(operating))
    app.include_router(run_routes.build_router(engine.pipelines, live, privacy=privacy))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", timeout=30) as client:
        yield Desk(operating, client, pipelines)
