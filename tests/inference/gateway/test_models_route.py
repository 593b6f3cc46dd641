"""The list of models over HTTP: through the tenant's policy, with prices, places and what becomes of each."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from mainspring.foundation.db import Database
from mainspring.foundation.http import create_app
from mainspring.foundation.ids import TenantId, UserId, new_id
from mainspring.foundation.principal import Principal, PrincipalKind
from mainspring.foundation.valkey import Valkey
from mainspring.inference.gateway import Models, Policies
from mainspring.inference.gateway.models import Access, Catalogue, load_catalogue
from mainspring.inference.gateway.routes import build_models_router

ON = datetime(2026, 11, 22, 12, tzinfo=UTC)
OWN_FILE = """
[[endpoints]]
name = "acme-sweden"
provider = "acme"
url = "https://acme.example/v1"
region = "eu-north-1"

[[endpoints]]
name = "acme-ohio"
provider = "acme"
url = "https://us.acme.example/v1"
region = "us-east-2"

[[models]]
name = "acme/one-2026-01-01"
aliases = ["one"]
quality = "premium"
context_tokens = 64000
price = { input_micros = 500000, output_micros = 2000000 }

[[models]]
name = "acme/old-2024-01-01"
deprecated_on = 2026-06-01
retires_on = 2027-02-01
replacement = "acme/one-2026-01-01"

[[models]]
name = "acme/gone-2023-01-01"
retires_on = 2026-01-01

[aliases]
best = "acme/one-2026-01-01"
either = ["acme/one-2026-01-01", "acme/old-2024-01-01"]
"""

Listed = dict[str, dict[str, Any]]
Ask = Callable[..., Awaitable[httpx.Response]]
List = Callable[..., Awaitable[Listed]]


class OnePrincipal:
    """An authenticator that knows one caller."""

    def __init__(self, principal: Principal) -> None:
        self.principal = principal

    async def authenticate(
        self, *, bearer: str | None, cookie: str | None, csrf: str | None, unsafe: bool
    ) -> Principal:
        return self.principal


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    path: Path = tmp_path_factory.mktemp("models") / "models.toml"
    path.write_text(OWN_FILE, encoding="utf-8")
    return load_catalogue(Access(openai_api_key="sk-1"), path)


@pytest.fixture
async def ask(database: Database, valkey: Valkey, catalogue: Catalogue, tenant: TenantId) -> AsyncIterator[Ask]:
    """Asks for the list as a caller with these permissions, under a policy if one is given."""
    policies = Policies(database, valkey)
    router = build_models_router(Models(policies, catalogue, clock=lambda: ON))
    async with AsyncExitStack() as stack:

        async def ask_(*permissions: str, policy: object = None) -> httpx.Response:
            held = frozenset(permissions or ("gateway.view", "gateway.manage"))
            principal = Principal(tenant, PrincipalKind.USER, "Ada", held, user=UserId(new_id()))
            if policy is not None:
                await policies.replace(principal, policy, over=(await policies.get(principal)).version)
            app = create_app(OnePrincipal(principal), title="t", version="0")
            app.include_router(router)
            transport = httpx.ASGITransport(app)
            client = await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://t"))
            return await client.get("/v1/gateway/models")

        yield ask_


@pytest.fixture
def listed(ask: Ask) -> List:
    """The models by name."""

    async def list_(policy: object = None) -> Listed:
        answer = await ask(policy=policy)
        assert answer.status_code == 200, answer.text
        return {item["name"]: item for item in answer.json()["items"]}

    return list_


async def test_a_model_is_shown_with_names_price_and_places(listed: List):
    one = (await listed())["acme/one-2026-01-01"]
    assert one["aliases"] == ["one", "best"]
    assert (one["kind"], one["quality"], one["is_pinned"], one["lifecycle"]) == ("chat", "premium", True, "active")
    assert (one["providers"], one["context_tokens"], one["is_admitted"]) == (["acme"], 64000, True)
    assert one["price"] == {
        "version": "operator",
        "source": "operator",
        "input_micros": 500_000,
        "output_micros": 2_000_000,
        "cached_input_micros": 500_000,
        "varies": False,
    }
    assert [(each["name"], each["regions"]["processing"]) for each in one["endpoints"]] == [
        ("acme-sweden", "eu-north-1"),
        ("acme-ohio", "us-east-2"),
    ]
    assert one["warnings"] == []


async def test_a_deprecated_model_says_until_when_and_what_comes_after_and_a_retired_one_is_gone(listed: List):
    models = await listed()
    old = models["acme/old-2024-01-01"]
    assert (old["lifecycle"], old["deprecated_on"], old["retires_on"]) == ("deprecated", "2026-06-01", "2027-02-01")
    assert old["replacement"] == "acme/one-2026-01-01"
    assert (
        old["warnings"][0] == "acme has deprecated it and ends it on 2027-02-01. Ask for acme/one-2026-01-01 instead."
    )
    assert "acme/gone-2023-01-01" not in models


async def test_an_unknown_price_is_said_with_what_follows_from_it(listed: List):
    old = (await listed())["acme/old-2024-01-01"]
    assert old["price"] is None
    assert [text for text in old["warnings"] if "acme-ohio is not known" in text]


async def test_prices_of_vendors_name_the_data_that_they_come_from(listed: List):
    price = (await listed())["openai/gpt-5-mini-2025-08-07"]["price"]
    assert (price["source"], price["version"].split()[0]) == ("list", "genai-prices")
    assert (price["input_micros"], price["output_micros"]) == (250_000, 2_000_000)


async def test_the_tenants_own_price_is_shown_as_such(listed: List):
    own = {"input_micros": 7, "output_micros": 9, "cached_input_micros": 3}
    price = (await listed({"prices": {"one": own}}))["acme/one-2026-01-01"]["price"]
    assert price == {"version": "tenant", "source": "tenant", "varies": False, **own}


async def test_what_residency_rules_out_is_listed_and_marked(listed: List):
    models = await listed({"residency": "EU"})
    one, other = models["acme/one-2026-01-01"], models["openai/gpt-5-mini-2025-08-07"]
    assert (one["is_admitted"], [each["is_admitted"] for each in one["endpoints"]]) == (True, [True, False])
    assert (other["is_admitted"], [each["is_admitted"] for each in other["endpoints"]]) == (False, [False])
    assert "within EU" in other["warnings"][0]


async def test_the_price_is_that_of_the_endpoint_that_may_be_called(listed: List):
    own = {"acme-ohio/one-2026-01-01": {"input_micros": 1, "output_micros": 1}}
    assert (await listed({"prices": own, "residency": "us"}))["acme/one-2026-01-01"]["price"]["source"] == "tenant"
    assert (await listed({"prices": own, "residency": "eu"}))["acme/one-2026-01-01"]["price"]["source"] == "operator"


async def test_only_allowed_and_pinned_models_are_listed(listed: List):
    assert {name.partition("/")[0] for name in await listed({"allow": ["acme/*"]})} == {"acme"}
    assert await listed({"allow": ["nobody/*"]}) == {}
    pinned = await listed({"require_pinned": True})
    assert pinned
    assert all(each["is_pinned"] for each in pinned.values())


async def test_who_may_not_see_the_gateway_is_refused(ask: Ask):
    answer = await ask("ai.model.call")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
