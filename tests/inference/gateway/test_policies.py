"""Policies and provider keys over HTTP: who may, what is refused and how it is said, and what never shows."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime

import httpx
import psycopg
import pytest

from mainspring.foundation.db import Database, Row
from mainspring.foundation.engines import EngineUrls
from mainspring.foundation.http import create_app
from mainspring.foundation.ids import TenantId, UserId, new_id, show_id
from mainspring.foundation.principal import Principal, PrincipalKind
from mainspring.foundation.valkey import Valkey
from mainspring.foundation.vault import LocalKeyWrapper, Vault
from mainspring.inference.gateway.policies import InvalidPolicy, Policies, ProviderKeys, Spending, read_policy
from mainspring.inference.gateway.policy import DEFAULT_POLICY, TenantPolicy
from mainspring.inference.gateway.routes import build_settings_router

KEY = "sk-proj-0123456789abcdefWXYZ"
POLICY = "/v1/gateway/policy"
KEYS = "/v1/gateway/provider-keys"
USER = UserId(new_id())
WHOLE = {
    "allow": ["openai/*", "local/*"],
    "residency": "eu",
    "limits": [{"scope": "key", "requests_per_minute": 60, "budget_per_month_micros": 5_000_000}],
    "cache": {"exact": "deterministic"},
    "routing": {"prefer": ["openai"], "weights": {"azure-eu": 0.5}},
    "prices": {"openai/gpt-5": {"input_micros": 1_250_000, "output_micros": 10_000_000}},
}

Client = Callable[..., Awaitable[httpx.AsyncClient]]
Events = Callable[[], Awaitable[list[Row]]]


class OnePrincipal:
    """An authenticator that knows one caller."""

    def __init__(self, principal: Principal) -> None:
        self.principal = principal

    async def authenticate(
        self, *, bearer: str | None, cookie: str | None, csrf: str | None, unsafe: bool
    ) -> Principal:
        return self.principal


def caller(tenant: TenantId, *permissions: str) -> Principal:
    held = frozenset(permissions or ("gateway.view", "gateway.manage"))
    return Principal(tenant, PrincipalKind.USER, "Ada", held, user=USER)


@pytest.fixture
async def client_of(database: Database, valkey: Valkey) -> AsyncIterator[Client]:
    """Opens a client as a caller of a tenant, with all permissions of the gateway or those named."""
    vault = Vault(database, LocalKeyWrapper([bytes(range(32))]))
    keys = ProviderKeys(database, valkey, vault, providers=["openai", "anthropic"])
    router = build_settings_router(Policies(database, valkey), keys, Spending(database))
    async with AsyncExitStack() as stack:

        async def open_(tenant: TenantId, *permissions: str) -> httpx.AsyncClient:
            app = create_app(OnePrincipal(caller(tenant, *permissions)), title="t", version="0")
            app.include_router(router)
            transport = httpx.ASGITransport(app)
            return await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://t"))

        yield open_


@pytest.fixture
async def client(client_of: Client, tenant: TenantId) -> httpx.AsyncClient:
    return await client_of(tenant)


@pytest.fixture
def events(database: Database, tenant: TenantId) -> Events:
    """What was announced about the tenant, oldest first."""

    async def read() -> list[Row]:
        async with database.tenant(tenant) as transaction:
            return await transaction.all("select topic, payload from outbox order by id")

    return read


async def test_a_tenant_that_never_changed_its_policy_has_the_defaults_at_version_0(client: httpx.AsyncClient):
    answer = await client.get(POLICY)
    assert answer.json() == {"version": 0, "policy": {}, "updated_at": None, "updated_by": None}
    assert answer.headers["etag"] == '"0"'
    assert read_policy({}) == DEFAULT_POLICY == TenantPolicy()


async def test_a_policy_is_replaced_as_a_whole_and_read_back_as_it_was_sent(client: httpx.AsyncClient, events: Events):
    stored = await client.put(POLICY, json={"policy": WHOLE, "version": 0})
    assert (stored.status_code, stored.headers["etag"]) == (200, '"1"')
    again = (await client.get(POLICY)).json()
    assert again == stored.json()
    assert again["policy"] == WHOLE
    assert again["updated_by"] == show_id("usr", USER)
    second = await client.put(POLICY, json={"policy": {"residency": "us"}}, headers={"if-match": '"1"'})
    assert second.json()["policy"] == {"residency": "us"}
    assert [(row["topic"], row["payload"]["version"]) for row in await events()] == [
        ("gateway_policy.changed", 1),
        ("gateway_policy.changed", 2),
    ]
    last = (await events())[-1]["payload"]
    assert last["by"] == show_id("usr", USER)
    assert set(last["changed"]) == {"allow", "residency", "limits", "cache", "routing", "prices"}


async def test_of_two_who_change_the_same_version_the_second_is_told(client: httpx.AsyncClient, events: Events):
    await client.put(POLICY, json={"policy": {"residency": "eu"}, "version": 0})
    for headers, version in (({"if-match": '"0"'}, None), ({}, 0), ({"if-match": 'W/"7"'}, 1)):
        late = await client.put(POLICY, json={"policy": {"residency": "us"}, "version": version}, headers=headers)
        assert (late.status_code, late.json()["code"]) == (409, "policy_stale")
        assert "at version 1" in late.json()["detail"]
    assert (await client.get(POLICY)).json()["policy"] == {"residency": "eu"}
    assert len(await events()) == 1


async def test_of_many_who_change_it_at_the_same_moment_one_succeeds(client: httpx.AsyncClient, events: Events):
    for version in (0, 1):
        sent = [{"policy": {"hedge_ms": number + 1}, "version": version} for number in range(8)]
        answers = await asyncio.gather(*(client.put(POLICY, json=body) for body in sent))
        assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
        assert {answer.json().get("version", version + 1) for answer in answers} == {version + 1}
        refused = [answer.json()["detail"] for answer in answers if answer.status_code == 409]
        assert all(f"is at version {version + 1} and not {version}" in detail for detail in refused)
    assert len(await events()) == 2


@pytest.mark.parametrize("if_match", ["", "*", '"x"', "-1", '"1", "2"', "9" * 30, "²"])
async def test_a_version_that_is_none_is_refused(client: httpx.AsyncClient, if_match: str):
    headers = {"if-match": if_match.encode()}
    answer = await client.put(POLICY, json={"policy": {}}, headers=headers)  # pyright: ignore[reportArgumentType]
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")


async def test_a_change_without_a_version_is_refused(client: httpx.AsyncClient):
    answer = await client.put(POLICY, json={"policy": {}})
    assert answer.status_code == 422
    assert "If-Match" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("document", "place", "said"),
    [
        ({"limits": [{"scope": "key"}, {"scope": "key", "concurrency": 0}]}, "policy.limits[1].concurrency", "is 0"),
        ({"limits": [{"scope": "planet"}]}, "policy.limits[0].scope", '"planet": it must be one of feature, key'),
        ({"limits": [{"scope": "key", "rpm": 5}]}, "policy.limits[0]", "unknown field `rpm`"),
        ({"limits": [{"scope": "key"}] * 65}, "policy.limits", "length <= 64"),
        ({"limits": [{"scope": "key", "calls_per_day": 2**53}]}, "policy.limits[0].calls_per_day", "9,007,199,254"),
        ({"retry_share": 1.5}, "policy.retry_share", "is 1.5: Expected `float` <= 1.0"),
        ({"durability": "never"}, "policy.durability", "committed, spooled"),
        ({"allow": ["openai/*", ""]}, "policy.allow[1]", "length >= 1"),
        ({"cache": {"ttl_seconds": "long"}}, "policy.cache.ttl_seconds", "got `str`"),
        ({"routing": {"weights": {"a": 1, "b": -2}}}, "policy.routing.weights['b']", "is -2"),
        (
            {"prices": {"m": {"input_micros": 1, "output_micros": 1}, "n": {"input_micros": -1, "output_micros": 1}}},
            "policy.prices['n'].input_micros",
            "is -1",
        ),
        ({"prices": {"m": {"input_micros": 1}}}, "policy.prices['m']", "`output_micros`"),
        ({"residency": "e\0u"}, "policy", "NUL"),
        ({"allow": ["x" * 190] * 2000}, "policy", "the limit is 256,000"),
        ({"resideny": "eu"}, "policy", "unknown field `resideny`"),
    ],
)
async def test_what_is_no_policy_is_refused_by_its_field_value_and_limit(
    client: httpx.AsyncClient, document: dict[str, object], place: str, said: str
):
    answer = await client.put(POLICY, json={"policy": document, "version": 0})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "invalid_policy")
    assert problem["errors"][0]["field"] == place
    assert said in problem["detail"]
    assert (await client.get(POLICY)).json()["version"] == 0


@pytest.mark.parametrize("number", ["1e400", "-1e400", "NaN", "Infinity"])
async def test_numbers_that_json_does_not_have_are_refused(client: httpx.AsyncClient, number: str):
    body = f'{{"version": 0, "policy": {{"routing": {{"weights": {{"a": {number}}}}}}}}}'
    answer = await client.put(POLICY, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert (await client.get(POLICY)).json()["version"] == 0


def test_a_document_that_is_no_json_is_refused_in_process_too():
    for document in ({"allow": ["\ud800"]}, {"limits": object()}, None, [], "eu"):
        with pytest.raises(InvalidPolicy):
            read_policy(document)


async def test_the_api_describes_every_field_of_a_policy(client: httpx.AsyncClient):
    described = (await client.get("/openapi.json")).json()["components"]["schemas"]["PolicyRequest"]
    policy = described["properties"]["policy"]
    assert set(policy["properties"]) == set(TenantPolicy.__struct_fields__)
    assert policy["properties"]["limits"]["items"]["properties"]["scope"]["enum"]
    assert "$ref" not in str(policy)


async def test_one_without_the_permission_is_told_which_one(client_of: Client, tenant: TenantId):
    viewer = await client_of(tenant, "gateway.view")
    stranger = await client_of(tenant, "ai.output.view")
    for client, method, path, body, permission in (
        (viewer, "PUT", POLICY, {"policy": {}, "version": 0}, "gateway.manage"),
        (viewer, "PUT", f"{KEYS}/openai", {"key": KEY}, "gateway.manage"),
        (viewer, "DELETE", f"{KEYS}/openai", None, "gateway.manage"),
        (stranger, "GET", POLICY, None, "gateway.view"),
        (stranger, "GET", KEYS, None, "gateway.view"),
        (stranger, "GET", "/v1/gateway/spend", None, "gateway.view"),
    ):
        answer = await client.request(method, path, json=body)
        assert answer.status_code == 403
        assert permission in answer.json()["detail"]


async def test_a_provider_key_goes_in_and_only_its_last_four_come_out(
    client: httpx.AsyncClient, database: Database, tenant: TenantId, events: Events
):
    answer = await client.put(f"{KEYS}/openai", json={"key": KEY})
    shown = answer.json()
    assert (shown["provider"], shown["last_four"], shown["state"]) == ("openai", "WXYZ", "ok")
    assert shown["created_by"] == show_id("usr", USER)
    listed = await client.get(KEYS)
    assert listed.json()["items"] == [shown]
    async with database.tenant(tenant) as transaction:
        row = await transaction.one("select * from provider_key")
    everything = f"{answer.text} {listed.text} {row} {await events()}"
    assert KEY not in everything
    assert KEY[4:20] not in everything
    assert [event["payload"]["is_replaced"] for event in await events()] == [False]


async def test_a_key_is_replaced_and_deleted(client: httpx.AsyncClient, events: Events):
    await client.put(f"{KEYS}/openai", json={"key": KEY})
    replaced = await client.put(f"{KEYS}/openai", json={"key": "other-key-01234567-ABCD"})
    assert replaced.json()["last_four"] == "ABCD"
    assert (await client.delete(f"{KEYS}/openai")).status_code == 204
    assert (await client.get(KEYS)).json() == {"items": []}
    assert (await client.delete(f"{KEYS}/openai")).status_code == 404
    assert [event["topic"] for event in await events()] == [
        "provider_key.stored",
        "provider_key.stored",
        "provider_key.deleted",
    ]


@pytest.mark.parametrize(
    "key",
    ["", "short", "x" * 8_193, "sk-with blank", "sk-line\nend-1234", "sk-nul\0-123456", "sk-ünï-123456", " " + KEY],
)
async def test_what_cannot_be_a_key_is_refused_without_repeating_it(client: httpx.AsyncClient, key: str):
    answer = await client.put(f"{KEYS}/openai", json={"key": key})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
    assert len(key) < 5 or key not in answer.text
    assert (await client.get(KEYS)).json() == {"items": []}


@pytest.mark.parametrize("body", [{"key": 5}, {"key": {"secret": KEY}}, {"key": KEY, "other": KEY}, {}, [KEY]])
async def test_a_body_of_the_wrong_shape_is_refused_without_repeating_it(client: httpx.AsyncClient, body: object):
    answer = await client.put(f"{KEYS}/openai", json=body)
    assert answer.status_code == 422
    assert KEY not in answer.text


@pytest.mark.parametrize("length", [8, 12, 15, 16, 40])
async def test_a_short_key_shows_at_most_a_quarter_of_itself(client: httpx.AsyncClient, length: int):
    shown = (await client.put(f"{KEYS}/openai", json={"key": "k" * length})).json()["last_four"]
    assert len(shown) == min(4, length // 4)


async def test_an_unknown_provider_is_refused_with_those_that_are_known(client: httpx.AsyncClient):
    answer = await client.put(f"{KEYS}/opnai", json={"key": KEY})
    assert answer.status_code == 422
    assert "anthropic, openai" in answer.json()["detail"]
    assert (await client.delete(f"{KEYS}/%00")).status_code == 404


async def test_another_tenants_policy_keys_and_spend_do_not_exist(
    client_of: Client, database: Database, tenant: TenantId, other_tenant: TenantId
):
    mine, theirs = await client_of(tenant), await client_of(other_tenant)
    await mine.put(POLICY, json={"policy": WHOLE, "version": 0})
    await mine.put(f"{KEYS}/openai", json={"key": KEY})
    await spend(database, tenant, datetime.now(UTC).date())
    assert (await theirs.get(POLICY)).json()["version"] == 0
    assert (await theirs.get(KEYS)).json() == {"items": []}
    assert (await theirs.delete(f"{KEYS}/openai")).status_code == 404
    assert (await theirs.get("/v1/gateway/spend")).json() == {"items": [], "next_cursor": None}
    assert (await mine.get(KEYS)).json()["items"][0]["state"] == "ok"


@pytest.mark.parametrize("damage", ["changed", "moved", "data key gone"])
async def test_a_key_that_cannot_be_opened_says_so_and_leaves_the_others_alone(
    database: Database, valkey: Valkey, engines: EngineUrls, tenant: TenantId, damage: str
):
    writer = ProviderKeys(database, valkey, Vault(database, LocalKeyWrapper([bytes(range(32))])))
    for provider in ("openai", "anthropic"):
        await writer.put(caller(tenant), provider, KEY)
    statements = {
        "changed": "update provider_key set sealed = set_byte(sealed, 40, 255 - get_byte(sealed, 40))"
        " where provider = 'openai' and tenant_id = %s",
        "moved": "update provider_key k set sealed = o.sealed from provider_key o where k.provider = 'openai'"
        " and o.provider = 'anthropic' and o.tenant_id = k.tenant_id and k.tenant_id = %s",
        "data key gone": "delete from tenant_data_key where tenant_id = %s",
    }
    with psycopg.connect(engines.database_admin_url) as admin:
        admin.execute(statements[damage].encode(), (tenant,))
    keys = ProviderKeys(database, valkey, Vault(database, LocalKeyWrapper([bytes(range(32))])))
    found = {fact.provider: fact for fact in await keys.list(caller(tenant))}
    trouble = found["openai"].trouble
    assert trouble is not None
    assert "store it again with PUT /v1/gateway/provider-keys/openai" in trouble
    assert KEY not in trouble
    assert (found["anthropic"].trouble is None) is (damage != "data key gone")
    mended = await keys.put(caller(tenant), "openai", KEY)
    assert mended.trouble is None
    assert {fact.provider: fact.trouble for fact in await keys.list(caller(tenant))}["openai"] is None


async def spend(database: Database, tenant: TenantId, day: date, *, scope: str = "tenant", value: str = "*") -> None:
    async with database.tenant(tenant) as transaction:
        await transaction.run(
            "insert into gateway_spend values (%(t)s, %(s)s, %(v)s, %(d)s, 1500, 20, 3)",
            t=tenant,
            s=scope,
            v=value,
            d=day,
        )


async def test_spend_is_read_by_day_newest_first_page_by_page(
    client: httpx.AsyncClient, database: Database, tenant: TenantId
):
    for day in (1, 2, 3):
        for scope, value in (("key", "b"), ("key", "a"), ("tenant", "*")):
            await spend(database, tenant, date(2026, 3, day), scope=scope, value=value)
    path, seen = "/v1/gateway/spend?from=2026-03-01&to=2026-03-02&limit=2", list[tuple[str, str, str]]()
    cursor = None
    while True:
        page = (await client.get(path + (f"&cursor={cursor}" if cursor else ""))).json()
        seen += [(item["spent_on"], item["scope"], item["value"]) for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    wanted = [("key", "a"), ("key", "b"), ("tenant", "*")]
    assert seen == [("2026-03-02", *each) for each in wanted] + [("2026-03-01", *each) for each in wanted]
    only = (await client.get("/v1/gateway/spend?from=2026-03-01&to=2026-03-31&scope=tenant")).json()["items"]
    assert only[0] == {
        "spent_on": "2026-03-03",
        "scope": "tenant",
        "value": "*",
        "cost_micros": 1500,
        "tokens": 20,
        "calls": 3,
    }
    assert len(only) == 3


@pytest.mark.parametrize(
    "query",
    [
        "from=2026-03-02&to=2026-03-01",
        "from=2020-01-01&to=2026-01-01",
        "from=soon",
        "scope=planet",
        "limit=0",
        "cursor=x",
        "cursor=WyJhIiwgImIiLCAiYyJd",
        "to=0001-01-01",
        "from=9999-12-31",
    ],
)
async def test_spend_out_of_range_is_refused_or_empty_but_never_a_crash(client: httpx.AsyncClient, query: str):
    answer = await client.get(f"/v1/gateway/spend?{query}")
    assert answer.status_code == 422 or (query.startswith("to=") and answer.status_code == 200)
    assert answer.status_code == 200 or answer.json()["code"] == "invalid_input"
