"""What a tenant decides at the doors: its own keys, durability, payloads, AI; and its records with what was said."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from mainspring.foundation.engines import EngineUrls
from mainspring.foundation.http import create_app
from mainspring.foundation.ids import TenantId, new_id, show_id
from mainspring.foundation.principal import Principal, PrincipalKind
from mainspring.inference.gateway import CallContext, KeptReplies, ProviderKeys, Records
from mainspring.inference.gateway.engine.tenants import PAYLOAD_KIND
from mainspring.inference.gateway.policy import CachePolicy, Limit, TenantPolicy
from mainspring.inference.gateway.routes import build_cache_router, build_router
from mainspring.inference.messages import InferenceRequest, user
from tests.upstream import Fault, Reply, ToolCall

from .doors import Member, Place, ask, open_place, said
from .running import until

OWN = "sk-the-tenants-own-key-1234"
BUDGET = TenantPolicy(limits=(Limit(scope="tenant", budget_per_month_micros=10_000_000),))


@pytest.fixture(scope="module")
async def place(engines: EngineUrls, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    async with open_place(engines, tmp_path_factory.mktemp("doors")) as opened:
        yield opened


class OnePrincipal:
    """An authenticator that knows one caller."""

    def __init__(self, principal: Principal) -> None:
        self.principal = principal

    async def authenticate(
        self, *, bearer: str | None, cookie: str | None, csrf: str | None, unsafe: bool
    ) -> Principal:
        return self.principal


def person(tenant: TenantId, *permissions: str) -> Principal:
    return Principal(tenant, PrincipalKind.USER, "Ada", frozenset(permissions))


def api(place: Place, principal: Principal) -> httpx.AsyncClient:
    """The control plane as one caller sees it."""
    app = create_app(OnePrincipal(principal), title="t", version="0")
    app.include_router(build_router(Records(place.database, place.vault)))
    app.include_router(build_cache_router(KeptReplies(place.database, place.valkey)))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t")


async def shown(place: Place, member: Member, response: httpx.Response) -> dict[str, Any]:
    """The record of a call as people read it."""
    await place.record(member, response)
    async with api(place, person(member.tenant, "ai.output.view")) as client:
        told = await client.get(f"/v1/records/{response.headers['x-mainspring-request-id']}")
    assert told.status_code == 200, told.text
    return told.json()


async def own_key(place: Place, provider: str, *, member: Member | None = None) -> Member:
    """A tenant that brings its own key."""
    member = member or await place.member(BUDGET)
    keys = ProviderKeys(place.database, place.valkey, place.vault, providers=("acme", "clau"))
    await keys.put(person(member.tenant, "gateway.manage"), provider, OWN)
    await place.reload(member.tenant)
    return member


@pytest.mark.parametrize(("provider", "header"), [("acme", "authorization"), ("clau", "x-api-key")])
@pytest.mark.parametrize("stream", [False, True])
async def test_the_tenants_own_key_is_what_the_provider_gets(
    place: Place, provider: str, header: str, stream: bool
) -> None:
    member, model = await own_key(place, provider), place.model(provider)
    told = await place.chat(member, ask(model, stream=stream))
    assert told.status_code == 200
    assert place.asked(model)[0].headers[header].removeprefix("Bearer ") == OWN
    row = await place.record(member, told)
    assert row["own_key"] is True
    assert row["cost_micros"] > 0
    assert await place.spent(member) == 0
    other = await place.member(BUDGET)
    told = await place.chat(other, ask(model))
    assert place.asked(model)[1].headers[header].removeprefix("Bearer ") == "sk-ours"
    assert (await place.record(other, told))["own_key"] is False
    assert await place.spent(other) > 0


async def test_calls_with_an_own_key_leave_the_budget_alone(place: Place) -> None:
    tight = TenantPolicy(limits=(Limit(scope="tenant", budget_per_month_micros=700),))
    paying, own = await place.member(tight), await own_key(place, "acme", member=await place.member(tight))
    model = place.model()
    assert [(await place.chat(paying, ask(model))).status_code for _ in range(3)] == [200, 200, 429]
    assert [(await place.chat(own, ask(model))).status_code for _ in range(5)] == [200] * 5


async def test_a_key_that_cannot_be_read_is_said_so_and_ours_is_not_used(place: Place) -> None:
    member, model = await own_key(place, "acme"), place.model()
    async with place.database.tenant(member.tenant) as transaction:
        await transaction.run("update provider_key set sealed = decode('00112233', 'hex')")
    await place.reload(member.tenant)
    for stream in (False, True):
        told = await place.chat(member, ask(model, stream=stream))
        assert told.status_code >= 400
        error = told.json()["error"]
        assert "acme" in error["message"]
        assert "PUT /v1/gateway/provider-keys/acme" in error["message"]
        assert OWN not in told.text
    assert place.asked(model) == []
    other = place.model("clau")
    assert (await place.chat(member, ask(other))).status_code == 200


@pytest.mark.parametrize("stream", [False, True])
async def test_a_committed_record_is_in_the_database_before_the_answer_ends(place: Place, stream: bool) -> None:
    member, model = await place.member(TenantPolicy(durability="committed")), place.model()
    told = await place.chat(member, ask(model, stream=stream))
    rows = await place.stored(member)
    assert [show_id("inf", row["id"]) for row in rows] == [told.headers["x-mainspring-request-id"]]
    assert rows[0]["status"] == "ok"


async def test_nobody_is_called_while_ai_is_off(place: Place) -> None:
    member, model = await place.member(), place.model()
    async with place.database.tenant(member.tenant) as transaction:
        await transaction.run("update tenant set ai_enabled = false where id = %(tenant)s", tenant=member.tenant)
    await place.reload(member.tenant)
    for path, body in (
        ("/v1/chat/completions", ask(model)),
        ("/v1/messages", ask(model, stream=True)),
        ("/v1/responses", {"model": model, "input": "Hi."}),
        ("/v1/embeddings", {"model": "acme/embed", "input": "Hi."}),
    ):
        told = await place.post(path, member, body)
        assert told.status_code == 403, told.text
        assert "AI is switched off" in told.json()["error"]["message"]
    assert place.asked(model) == []
    assert place.asked("acme/embed") == []


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/responses"])
@pytest.mark.parametrize("provider", ["acme", "clau"])
@pytest.mark.parametrize("stream", [False, True])
async def test_what_was_said_is_recorded_sealed_and_shown_as_one_message(
    place: Place, path: str, provider: str, stream: bool
) -> None:
    member, model = await place.member(), place.model(provider)
    place.script(model, Reply("It ends in thirty days."))
    secret = "The clause about Ada."
    body = {"model": model, "input": secret} if path == "/v1/responses" else ask(model, secret)
    told = await place.post(path, member, {**body, "stream": stream})
    assert said(told) == "It ends in thirty days."
    row = await place.record(member, told)
    assert secret.encode() not in row["input"]
    assert b"thirty" not in row["output"]
    record = await shown(place, member, told)
    assert record["id"] == told.headers["x-mainspring-request-id"]
    assert record["dialect"] == {"/v1/chat/completions": "openai", "/v1/messages": "anthropic"}.get(path, "responses")
    assert record["input"] == {**body, "stream": stream}
    message = record["output"]["message"]
    assert message["role"] == "assistant"
    assert [(part["type"], part["text"]) for part in message["parts"]] == [("text", "It ends in thirty days.")]
    assert (record["output"]["body"] is None) is stream
    assert (record["provider"], record["cost_micros"], record["stream"]) == (provider, row["cost_micros"], stream)


async def test_tool_calls_and_broken_streams_are_shown_as_far_as_they_came(place: Place) -> None:
    member, model = await place.member(), place.model()
    tools = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]
    place.script(model, Reply(tool_calls=(ToolCall("look", '{"at": 3}'),)))
    told = await place.chat(member, ask(model, tools=tools, stream=True))
    (part,) = (await shown(place, member, told))["output"]["message"]["parts"]
    assert (part["type"], part["name"], part["arguments"]) == ("tool_call", "look", '{"at": 3}')
    place.script(model, Reply("one two three", fault=Fault.RESET_MIDWAY, fault_after=2))
    record = await shown(place, member, await place.chat(member, ask(model, stream=True)))
    assert record["status"] == "broken"
    assert record["output"]["message"]["parts"][0]["text"].startswith("one")


async def test_a_workers_call_is_shown_in_the_normal_form(place: Place) -> None:
    member, model = await place.member(), place.model()
    request = InferenceRequest((user("How long?"),), model=model)
    await place.gateway.complete(request, context=CallContext(member.tenant, feature="work"))
    (row,) = await place.records(member, 1)
    async with api(place, person(member.tenant, "ai.output.view")) as client:
        record = (await client.get(f"/v1/records/{show_id('inf', row['id'])}")).json()
    assert record["dialect"] is None
    assert record["input"]["messages"][0]["parts"][0]["text"] == "How long?"
    assert record["output"]["message"]["parts"][0]["text"] == "This is a scripted reply."


async def test_a_record_whose_contents_are_gone_or_were_never_kept_is_shown_without(place: Place) -> None:
    kept, dropping = await place.member(), await place.member(TenantPolicy(payloads="drop"))
    model = place.model()
    told = await place.chat(kept, ask(model))
    await place.record(kept, told)
    async with place.database.tenant(kept.tenant) as transaction:
        await transaction.run("delete from inference_payload")
    dropped = await place.chat(dropping, ask(model))
    for member, response in ((kept, told), (dropping, dropped)):
        record = await shown(place, member, response)
        assert (record["input"], record["output"], record["status"]) == (None, None, "ok")


async def test_a_record_is_not_found_by_another_tenant_nor_without_permission(place: Place) -> None:
    member, other = await place.member(), await place.member()
    told = await place.chat(member, ask(place.model()))
    await place.record(member, told)
    identifier = told.headers["x-mainspring-request-id"]
    asked = [
        (person(other.tenant, "ai.output.view"), identifier, 404),
        (person(member.tenant, "ai.output.view"), show_id("inf", new_id()), 404),
        (person(member.tenant, "ai.output.view"), "inf_nonsense", 404),
        (person(member.tenant, "gateway.view"), identifier, 403),
    ]
    for principal, name, status in asked:
        async with api(place, principal) as client:
            assert (await client.get(f"/v1/records/{name}")).status_code == status


async def test_a_payload_is_bound_to_its_record(place: Place) -> None:
    member = await place.member()
    told = [await place.chat(member, ask(place.model(), text)) for text in ("One.", "Two.")]
    rows = [await place.record(member, each) for each in told]
    vault = await place.vault.open_tenant(member.tenant)
    opened = [json.loads(vault.unseal(PAYLOAD_KIND, row["id"], row["input"])) for row in rows]
    assert [each["messages"][0]["content"] for each in opened] == ["One.", "Two."]
    async with place.database.tenant(member.tenant) as transaction:
        await transaction.run(
            "update inference_payload set input = %(content)s where record_id = %(id)s",
            content=rows[0]["input"],
            id=rows[1]["id"],
        )
    async with api(place, person(member.tenant, "ai.output.view")) as client:
        swapped = await client.get(f"/v1/records/{told[1].headers['x-mainspring-request-id']}")
    assert swapped.status_code == 200
    assert swapped.json()["input"] is None
    assert "was changed, or was sealed for something else" in swapped.json()["trouble"]


async def test_kept_replies_are_forgotten_over_http(place: Place) -> None:
    policy = TenantPolicy(cache=CachePolicy(exact="all", semantic_features=("desk",), shadow_share=0))
    member, model = await place.member(policy), place.model()

    async def status(**headers: str) -> str:
        return (await place.chat(member, ask(model), **headers)).headers["x-mainspring-cache"]

    assert [await status(), await status(x_mainspring_feature="desk")] == ["miss", "miss"]
    assert [await status(), await status(x_mainspring_feature="desk")] == ["exact", "exact"]
    manager = person(member.tenant, "gateway.manage", "gateway.view")
    async with api(place, manager) as client:

        async def is_learned() -> bool:
            return bool((await client.get("/v1/gateway/cache")).json()["items"])

        await until(is_learned)
        figures = (await client.get("/v1/gateway/cache")).json()
        assert figures == {"items": [{"feature": "desk", "hits": 0, "shadowed": 0, "wrong": 0}]}
        purged = await client.post("/v1/gateway/cache:purge", json={"feature": "desk"})
        assert (purged.status_code, purged.json()) == (200, {"semantic_entries": 1})
        assert [await status(), await status(x_mainspring_feature="desk")] == ["exact", "miss"]
        assert (await client.post("/v1/gateway/cache:purge", json={})).status_code == 200
        assert await status() == "miss"
    async with place.database.tenant(member.tenant) as transaction:
        events = await transaction.all("select payload from outbox where topic = 'gateway_replies.purged' order by id")
    assert [event["payload"]["feature"] for event in events] == ["desk", None]


async def test_only_who_manages_the_gateway_may_forget(place: Place) -> None:
    member = await place.member()
    async with api(place, person(member.tenant, "gateway.view")) as client:
        assert (await client.post("/v1/gateway/cache:purge", json={})).status_code == 403
        assert (await client.get("/v1/gateway/cache")).status_code == 200
    async with api(place, person(member.tenant, "gateway.manage")) as client:
        assert (await client.get("/v1/gateway/cache")).status_code == 403


async def test_a_hundred_calls_of_both_kinds_of_durability_lose_no_record(place: Place) -> None:
    model = place.model()
    for durability in ("spooled", "committed"):
        member = await place.member(TenantPolicy(durability=durability))
        told = await asyncio.gather(*(place.chat(member, ask(model, stream=bool(n % 2))) for n in range(50)))
        rows = await place.records(member, 50)
        assert {show_id("inf", row["id"]) for row in rows} == {each.headers["x-mainspring-request-id"] for each in told}
