"""Routing that learns, wired in: outcomes in, calls out, and an embedder that may fail without anybody noticing."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import httpx
import msgspec
import pytest

from mainspring.foundation.db import Database, Row
from mainspring.foundation.http import create_app
from mainspring.foundation.ids import TenantId, new_id, show_id
from mainspring.foundation.principal import Principal, PrincipalKind
from mainspring.foundation.vault import TenantVault
from mainspring.inference.gateway import CallContext, Gateway, GatewaySettings
from mainspring.inference.gateway.build import build_engine
from mainspring.inference.gateway.engine.learning import find_question
from mainspring.inference.gateway.engine.orders import NormalOrder, demand_of
from mainspring.inference.gateway.engine.tenants import unsealed
from mainspring.inference.gateway.errors import AiDisabled
from mainspring.inference.gateway.flight import Call
from mainspring.inference.gateway.policies import Configuration
from mainspring.inference.gateway.policy import CachePolicy, Price, RoutingPolicy, TenantPolicy
from mainspring.inference.gateway.ports import TenantFacts
from mainspring.inference.gateway.providers.wire import to_json
from mainspring.inference.gateway.routes import build_outcome_router
from mainspring.inference.gateway.routing import Reason
from mainspring.inference.gateway.routing.outcomes import Outcomes
from mainspring.inference.gateway.snapshot import TenantSnapshot
from mainspring.inference.gateway.testing import ScriptedProvider, SwitchBoard, scripted_embeddings
from mainspring.inference.gateway.types import Operation
from mainspring.inference.messages import InferenceRequest, Message, Role, TextPart, ToolResultPart, user
from tests.upstream import Fault, Upstream

from .conftest import Records, wait_until
from .test_records import OnePrincipal

MODELS = """
aliases = { pair = ["ours/small", "ours/big"], old = "ours/old" }

[[endpoints]]
name = "ours"
provider = "ours"
url = "{url}"

[[models]]
name = "ours/old"
deprecated_on = 2020-01-01
retires_on = 2999-12-31
replacement = "ours/big"
"""
PRICES = {
    "ours/small": Price(input_micros=1_000_000, output_micros=1_000_000),
    "ours/big": Price(input_micros=9_000_000, output_micros=9_000_000),
}
LEARNS = TenantPolicy(prices=PRICES, routing=RoutingPolicy(learned=True))
QUESTION = "What is the notice period?"
ASKED = InferenceRequest((user(QUESTION),), model="pair")


@dataclass(slots=True)
class Site:
    """A gateway over one provider of two models, with an embedder of its own."""

    gateway: Gateway
    models: Upstream
    embedder: ScriptedProvider | Upstream

    @property
    def embedded(self) -> int:
        """How many questions were embedded."""
        return len(self.embedder.requests)

    async def seed(self, database: Database, tenant: TenantId, **scores: float) -> None:
        """Thirty outcomes of each model for the question, loaded."""
        assert self.gateway.engine.learning
        outcomes = self.gateway.engine.learning.outcomes
        vector = scripted_embeddings([QUESTION]).vectors[0].tolist()
        for model, score in scores.items():
            for _ in range(30):
                await outcomes.record_outcome(tenant, new_id(), model=f"ours/{model}", embedding=vector, score=score)
        outcomes.predictor(tenant)
        assert await outcomes.refresh() == 1


class OpenSite(Protocol):
    async def __call__(self, policy: TenantPolicy, embedder: Upstream | None = None) -> Site: ...


@pytest.fixture
async def open_site(database: Database, tmp_path: Path) -> AsyncIterator[OpenSite]:
    async with AsyncExitStack() as stack:

        async def open_(policy: TenantPolicy, embedder: Upstream | None = None) -> Site:
            models = await stack.enter_async_context(Upstream("models"))
            vectors = await stack.enter_async_context(embedder or ScriptedProvider())
            (tmp_path / "models.toml").write_text(MODELS.replace("{url}", models.url), encoding="utf-8")
            settings = GatewaySettings(tmp_path, models_url=vectors.url, gateway_file=tmp_path / "models.toml")
            gateway = Gateway(build_engine(settings, database, SwitchBoard(policy)))
            stack.push_async_callback(gateway.close)
            return Site(gateway, models, vectors)

        yield open_


async def chat_records(records: Records, count: int) -> list[Row]:
    """Those of chat calls, once there are so many."""
    found: list[Row] = []

    async def are_there() -> bool:
        found[:] = [row for row in await records(1) if row["operation"] == "chat"]
        return len(found) >= count

    await wait_until(are_there)
    return found


async def test_a_call_goes_to_the_cheapest_model_that_did_well_and_the_record_says_so(
    open_site: OpenSite, database: Database, context: CallContext, records: Records
) -> None:
    site = await open_site(LEARNS)
    await site.seed(database, context.tenant, small=0.1, big=0.9)
    await site.gateway.complete(ASKED, context=context)
    assert site.models.requests[-1].model == "big"
    (record,) = await chat_records(records, 1)
    assert record["route_reason"] == "learned"


async def test_explaining_a_call_shows_what_was_learned(
    open_site: OpenSite, database: Database, context: CallContext
) -> None:
    site = await open_site(LEARNS)
    await site.seed(database, context.tenant, small=0.1, big=0.9)
    explanation = await site.gateway.engine.explain(call_of(ASKED, context))
    assert explanation.reason is Reason.LEARNED
    first = explanation.candidates[0]
    assert first.model == "ours/big"
    assert first.prediction is not None
    assert first.prediction.seen == 30
    assert site.models.requests == []


async def test_outcomes_are_loaded_in_the_background_once_a_tenant_asks(
    open_site: OpenSite, database: Database, context: CallContext
) -> None:
    seeding, site = await open_site(LEARNS), await open_site(LEARNS)
    await seeding.seed(database, context.tenant, small=0.1, big=0.9)
    await site.gateway.complete(ASKED, context=context)
    assert (site.embedded, site.models.requests[-1].model) == (0, "small"), "nothing is known of the tenant yet"
    learning = site.gateway.engine.learning
    assert learning

    async def is_loaded() -> bool:
        return learning.outcomes.predictor(context.tenant) is not None

    await wait_until(is_loaded)
    await site.gateway.complete(ASKED, context=context)
    assert (site.embedded, site.models.requests[-1].model) == (1, "big")


@pytest.mark.parametrize("fault", [Fault.HANG, Fault.UNAUTHORIZED, Fault.GARBAGE_BODY])
async def test_a_call_is_answered_without_learning_when_the_embedder_fails_and_the_next_does_not_wait(
    open_site: OpenSite, database: Database, context: CallContext, fault: Fault
) -> None:
    site = await open_site(LEARNS, Upstream("embedder", default=fault))
    await site.seed(database, context.tenant, small=0.1, big=0.9)
    async with asyncio.timeout(5):
        for _ in range(3):
            await site.gateway.complete(ASKED, context=context)
    assert [each.model for each in site.models.requests] == ["small"] * 3
    assert site.embedded == 1


@pytest.mark.parametrize(
    ("policy", "model"), [(TenantPolicy(prices=PRICES), "pair"), (LEARNS, "ours/big")], ids=["not asked for", "named"]
)
async def test_nothing_is_embedded_for_who_does_not_learn_or_names_one_model(
    open_site: OpenSite, database: Database, context: CallContext, policy: TenantPolicy, model: str
) -> None:
    site = await open_site(policy)
    await site.seed(database, context.tenant, small=0.1, big=0.9)
    await site.gateway.complete(InferenceRequest((user(QUESTION),), model=model), context=context)
    assert site.embedded == 0


async def test_outcomes_of_who_asks_no_more_leave_the_memory(database: Database, tenant: TenantId) -> None:
    now = [0.0]
    outcomes = Outcomes(database, lambda: now[0])
    outcomes.predictor(tenant)
    assert await outcomes.refresh() == 1
    now[0] = 500.0
    outcomes.predictor(tenant)
    now[0] = 1000.0
    await outcomes.refresh()
    assert outcomes.held == (tenant,)
    now[0] = 1101.0
    await outcomes.refresh()
    assert outcomes.held == ()


# --- tasks ---


@pytest.mark.parametrize(
    ("asked", "task", "first"),
    [
        ("auto", "drafting", "small"),
        ("auto", "reading", "gone"),
        ("auto", "thinking", None),
        ("auto", None, None),
        ("ours/big", "drafting", "big"),
    ],
)
async def test_an_auto_call_goes_to_the_model_of_its_task_first(
    open_site: OpenSite, context: CallContext, asked: str, task: str | None, first: str | None
) -> None:
    tasks = {"drafting": "ours/small", "reading": "ours/gone", "writing": "nobody/x"}
    site = await open_site(TenantPolicy(routing=RoutingPolicy(tasks=tasks, quality="economy")))
    call = call_of(InferenceRequest((user(QUESTION),), model=asked), context, task=task)
    flight = await site.gateway.engine.admit(call)
    flight.fail_with(AiDisabled("not sent"))
    explained = await site.gateway.engine.explain(call)
    assert [each.name for each in flight.candidates] == [each.name for each in explained.candidates]
    assert flight.draft.route_reason == explained.reason
    assert (flight.draft.route_reason == "task") == (first is not None and asked == "auto")
    if first:
        assert flight.candidates[0].wire_model == first


async def test_a_task_whose_model_nobody_has_is_left_to_auto_and_logged(
    open_site: OpenSite, context: CallContext, caplog: pytest.LogCaptureFixture
) -> None:
    site = await open_site(TenantPolicy(routing=RoutingPolicy(tasks={"x": "nobody/y"}, quality="economy")))
    request = InferenceRequest((user(QUESTION),), model="auto")
    with caplog.at_level(logging.WARNING):
        explained = await site.gateway.engine.explain(call_of(request, context, task="x"))
    assert explained.reason is not None
    assert explained.reason is not Reason.TASK
    assert "task_model_unknown" in caplog.text


# --- outcomes by the API ---


def caller(tenant: TenantId, *permissions: str) -> Principal:
    return Principal(tenant, PrincipalKind.API_KEY, "caller", frozenset(permissions))


@asynccontextmanager
async def api_of(site: Site, principal: Principal) -> AsyncGenerator[httpx.AsyncClient]:
    app = create_app(OnePrincipal(principal), title="test", version="0")
    app.include_router(build_outcome_router(site.gateway))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


async def send(site: Site, principal: Principal, record: str, score: float) -> int:
    async with api_of(site, principal) as api:
        return (await api.post(f"/v1/records/{record}/outcome", json={"score": score})).status_code


async def outcomes_of(database: Database, tenant: TenantId) -> list[tuple[object, str, float]]:
    async with database.tenant(tenant) as transaction:
        rows = await transaction.all("select id, model, score from route_outcome order by id")
    return [(row["id"], row["model"], round(row["score"], 3)) for row in rows]


async def test_an_outcome_is_kept_once_for_a_call_with_the_model_that_answered_and_the_last_score(
    open_site: OpenSite, database: Database, context: CallContext, records: Records
) -> None:
    site = await open_site(LEARNS)
    await site.gateway.complete(ASKED, context=context)
    (record,) = await chat_records(records, 1)
    name, who = show_id("inf", record["id"]), caller(context.tenant, "ai.model.call")
    assert await send(site, who, name, 0.25) == 204
    assert await outcomes_of(database, context.tenant) == [(record["id"], "ours/small", 0.25)]
    assert await send(site, who, name, 1.0) == 204
    assert await outcomes_of(database, context.tenant) == [(record["id"], "ours/small", 1.0)]


async def test_outcomes_need_a_call_of_ones_own_a_score_in_range_and_the_permission(
    open_site: OpenSite, context: CallContext, other_tenant: TenantId, records: Records
) -> None:
    site = await open_site(LEARNS)
    await site.gateway.complete(ASKED, context=context)
    (record,) = await chat_records(records, 1)
    name, who = show_id("inf", record["id"]), caller(context.tenant, "ai.model.call")
    assert await send(site, caller(other_tenant, "ai.model.call"), name, 1.0) == 404
    assert await send(site, who, show_id("inf", new_id()), 1.0) == 404
    assert await send(site, who, "junk", 1.0) == 404
    assert await send(site, who, name, 1.1) == 422
    assert await send(site, caller(context.tenant, "ai.output.view"), name, 1.0) == 403
    assert await send(site, who, name, 1.0) == 204


async def test_a_call_whose_question_is_not_kept_takes_no_outcome(
    open_site: OpenSite, context: CallContext, records: Records
) -> None:
    site = await open_site(TenantPolicy(payloads="drop", cache=CachePolicy()))
    await site.gateway.complete(ASKED, context=context)
    (record,) = await chat_records(records, 1)
    who = caller(context.tenant, "ai.model.call")
    assert await send(site, who, show_id("inf", record["id"]), 1.0) == 409


def test_what_was_recorded_sealed_is_read_with_the_tenants_vault(tenant: TenantId) -> None:
    call, vault = new_id(), TenantVault(tenant, {1: bytes(32)})
    snapshot = TenantSnapshot(TenantFacts(tenant, is_ai_enabled=True), Configuration())
    snapshot.keep_vault(vault)
    assert unsealed(snapshot, call, vault.seal("inference_payload", call, b"said")) == b"said"


@pytest.mark.parametrize(
    ("payload", "question"),
    [
        ({"messages": [{"role": "user", "content": "one"}, {"role": "assistant", "content": "two"}]}, "one"),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "three"}, {"type": "image_url"}]}]},
            "three",
        ),
        ({"input": "four"}, "four"),
        ({"input": [{"role": "user", "content": [{"type": "input_text", "text": "five"}]}]}, "five"),
        (
            {
                "messages": [
                    {"role": "user", "content": "six"},
                    {"role": "user", "content": [{"type": "tool_result", "content": "seven"}]},
                ]
            },
            "six",
        ),
        ({"messages": []}, None),
        ({"omitted": "too large"}, None),
        (["no", "object"], None),
    ],
)
def test_the_question_is_the_last_words_of_the_user_in_any_dialect(payload: object, question: str | None) -> None:
    assert find_question(to_json(payload)) == question


def test_the_question_of_a_worker_is_found_in_the_normal_form() -> None:
    results = Message(Role.TOOL, (ToolResultPart("1", (TextPart("result"),)),))
    assert find_question(to_json(InferenceRequest((user("eight"), results)))) == "eight"


# --- deprecated models ---


async def test_a_deprecated_model_is_logged_once_an_hour_for_each_tenant_and_name(
    open_site: OpenSite, context: CallContext, other_tenant: TenantId, caplog: pytest.LogCaptureFixture
) -> None:
    site = await open_site(TenantPolicy())
    engine, now = site.gateway.engine, [1_795_000_000.0]
    engine.clock = lambda: now[0]

    async def ask(tenant: TenantId, model: str) -> None:
        request = InferenceRequest((user(QUESTION),), model=model)
        await site.gateway.complete(request, context=CallContext(tenant))

    def logged() -> list[dict[str, object]]:
        return [vars(each)["facts"] for each in caplog.records if each.message == "model_deprecated"]

    with caplog.at_level(logging.WARNING):
        for tenant, model in [(context.tenant, "old"), (context.tenant, "old"), (context.tenant, "ours/big")]:
            await ask(tenant, model)
        expected = {"model": "ours/old", "retires_on": "2999-12-31", "replacement": "ours/big"}
        assert logged() == [{"tenant": str(context.tenant), **expected}]
        await ask(context.tenant, "ours/old")
        await ask(other_tenant, "old")
        assert len(logged()) == 3
        now[0] += 3601
        await ask(context.tenant, "old")
        assert len(logged()) == 4


def call_of(request: InferenceRequest, context: CallContext, *, task: str | None = None) -> Call:
    demand = msgspec.structs.replace(demand_of(request), task=task)
    return Call(context, Operation.CHAT, request.model, NormalOrder(request), demand, payload=to_json(request))
