"""Records are read page by page, by their own tenant, with the permission for it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from mainspring.foundation.db import Database
from mainspring.foundation.errors import Forbidden, NotFound
from mainspring.foundation.http import create_app
from mainspring.foundation.ids import TenantId, new_id, show_id
from mainspring.foundation.pagination import PageRequest
from mainspring.foundation.principal import Principal, PrincipalKind
from mainspring.inference.gateway import CallContext, Operation, Records, RecordStatus, purge_payloads
from mainspring.inference.gateway.draft import Draft
from mainspring.inference.gateway.routes import build_router
from mainspring.inference.gateway.spool import Entry, SpooledCall
from mainspring.inference.gateway.store import insert_calls

RUN = new_id()


def reader(tenant: TenantId, *permissions: str) -> Principal:
    return Principal(tenant, PrincipalKind.USER, "reader", frozenset(permissions))


class OnePrincipal:
    """An authenticator that knows one caller."""

    def __init__(self, principal: Principal) -> None:
        self.principal = principal

    async def authenticate(
        self, *, bearer: str | None, cookie: str | None, csrf: str | None, unsafe: bool
    ) -> Principal:
        return self.principal


async def store_calls(database: Database, tenant: TenantId, count: int, *, at: datetime | None = None) -> None:
    made = at or datetime.now(UTC)
    calls: list[SpooledCall] = []
    for number in range(count):
        context = CallContext(tenant, "tester", run=RUN if number % 2 else None)
        draft = Draft(new_id(), made.timestamp(), context, Operation.CHAT, model_asked=f"local/{number}")
        draft.provider, draft.status = "local", RecordStatus.OK
        calls.append(SpooledCall(Entry(True, draft.id.bytes, tenant.bytes, draft.line()), b"{}", None, None))
    async with database.raw() as connection:
        await insert_calls(connection, calls)


@pytest.fixture
async def api(database: Database, tenant: TenantId) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(OnePrincipal(reader(tenant, "ai.output.view")), title="test", version="0")
    app.include_router(build_router(Records(database)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


async def test_every_record_is_met_once_going_through_the_pages(
    database: Database, tenant: TenantId, other_tenant: TenantId, api: httpx.AsyncClient
) -> None:
    await store_calls(database, tenant, 5)
    await store_calls(database, other_tenant, 3)
    seen: list[str] = []
    cursor = None
    while True:
        page = (await api.get("/v1/records", params={"limit": 2, **({"cursor": cursor} if cursor else {})})).json()
        seen += [item["id"] for item in page["items"]]
        if not (cursor := page["next_cursor"]):
            break
    assert len(seen) == len(set(seen)) == 5
    assert all(id_.startswith("inf_") for id_ in seen)


async def test_records_of_one_run_are_found(database: Database, tenant: TenantId, api: httpx.AsyncClient) -> None:
    await store_calls(database, tenant, 4)
    page = (await api.get("/v1/records", params={"run": show_id("run", RUN)})).json()
    assert {item["run"] for item in page["items"]} == {show_id("run", RUN)}
    assert len(page["items"]) == 2
    assert page["items"][0]["at"].endswith("Z")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"limit": "1000000"}, 422),
        ({"limit": "0"}, 422),
        ({"cursor": "junk"}, 422),
        ({"run": "junk"}, 404),
        ({"run": "ctr_00000000000000000000000000"}, 404),
    ],
)
async def test_a_question_that_cannot_be_answered_is_refused(
    query: dict[str, str], status: int, api: httpx.AsyncClient
) -> None:
    answer = await api.get("/v1/records", params=query)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_records_need_the_permission(database: Database, tenant: TenantId) -> None:
    with pytest.raises(Forbidden):
        await Records(database).list_records(reader(tenant, "audit.read"), page=PageRequest())


async def test_a_cursor_of_another_list_is_not_found(database: Database, tenant: TenantId) -> None:
    page = PageRequest(after=("ctr_00000000000000000000000000",))
    with pytest.raises(NotFound):
        await Records(database).list_records(reader(tenant, "ai.output.view"), page=page)


async def test_old_payloads_go_and_records_stay(database: Database, tenant: TenantId) -> None:
    old = datetime.now(UTC) - timedelta(days=3650)
    await store_calls(database, tenant, 3, at=old)
    await store_calls(database, tenant, 1)
    assert await purge_payloads(database, before=old + timedelta(days=1)) == 3
    async with database.tenant(tenant) as transaction:
        assert len(await transaction.all("select 1 from inference_payload")) == 1
        assert len(await transaction.all("select 1 from inference_record")) == 4


async def test_the_other_tenant_sees_nothing(database: Database, tenant: TenantId, other_tenant: TenantId) -> None:
    await store_calls(database, tenant, 2)
    page = await Records(database).list_records(reader(other_tenant, "ai.output.view"), page=PageRequest())
    assert page.items == ()
