"""What the doors tell: models, counts, vectors, routes before a call, and headers after it; and pinning."""

import base64
import struct
from collections.abc import AsyncIterator
from typing import Any

import pytest

from mainspring.foundation.engines import EngineUrls
from mainspring.foundation.ids import new_id, show_id
from mainspring.inference.gateway.policy import Limit, RoutingPolicy, TenantPolicy
from tests.upstream import Fault, Reply, Tokens

from .doors import EITHER, FIRST, FLOATING, GONE, OLD, PINNED, SECOND, Place, ask, open_place
from .running import INPUT_MICROS, OUTPUT_MICROS

PINS = TenantPolicy(require_pinned=True)


@pytest.fixture(scope="module")
async def place(engines: EngineUrls, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    async with open_place(engines, tmp_path_factory.mktemp("doors")) as opened:
        yield opened


async def test_models_and_aliases_are_listed_in_openais_words(place: Place) -> None:
    told = (await place.get("/v1/models", await place.member())).json()
    assert told["object"] == "list"
    names = [card["id"] for card in told["data"]]
    assert {FIRST, SECOND, EITHER, "drafts", PINNED, OLD, "acme/embed"} <= set(names)
    assert GONE not in names
    assert len(names) == len(set(names))
    assert all(card["object"] == "model" and card["owned_by"] for card in told["data"])


async def test_models_are_listed_in_pages_in_anthropics_words(place: Place) -> None:
    member = await place.member(TenantPolicy(allow=("m1*",), residency="eu"))
    seen: list[str] = []
    after = ""
    for _ in range(20):
        query = f"?limit=3{f'&after_id={after}' if after else ''}"
        told = (await place.get(f"/v1/models{query}", member, anthropic_version="2023-06-01")).json()
        seen += [card["id"] for card in told["data"]]
        if not told["has_more"]:
            break
        after = told["last_id"]
    assert sorted(seen) == sorted(f"{by}/m1{number}" for by in ("acme", "clau") for number in ["", *range(10)])


async def test_a_tenant_sees_only_what_it_may_call(place: Place) -> None:
    member = await place.member(TenantPolicy(allow=("clau/*",)))
    told = (await place.get("/v1/models", member)).json()
    assert {card["id"].partition("/")[0] for card in told["data"]} <= {"clau", EITHER}
    assert EITHER in {card["id"] for card in told["data"]}
    for name in (FIRST, "drafts"):
        assert (await place.get(f"/v1/models/{name}", member)).status_code == 404


@pytest.mark.parametrize("name", [FIRST, "acme%2Ffirst", "drafts", EITHER])
async def test_one_model_is_told_by_name_or_alias_in_both_dialects(place: Place, name: str) -> None:
    member = await place.member()
    openai = (await place.get(f"/v1/models/{name}", member)).json()
    assert (openai["id"], openai["object"]) == (name.replace("%2F", "/"), "model")
    anthropic = (await place.get(f"/v1/models/{name}", member, anthropic_version="2023-06-01")).json()
    assert (anthropic["id"], anthropic["type"]) == (name.replace("%2F", "/"), "model")


async def test_an_unknown_model_is_not_found(place: Place) -> None:
    told = await place.get("/v1/models/nobody/knows", await place.member())
    assert told.status_code == 404
    assert "nobody/knows" in told.json()["error"]["message"]


async def test_lists_need_a_key(place: Place) -> None:
    assert (await place.client.get(f"{place.url}/v1/models")).status_code == 401
    wrong = await place.client.get(f"{place.url}/v1/models", headers={"x-api-key": "ms_wrong"})
    assert wrong.status_code == 401


async def test_tokens_are_counted_without_asking_anybody(place: Place) -> None:
    member, model = await place.member(), place.model()
    path = "/v1/messages/count_tokens"
    short = await place.post(path, member, ask(model, "Hi."))
    long = await place.post(path, member, ask(model, "A much longer question. " * 50))
    assert 0 < short.json()["input_tokens"] < long.json()["input_tokens"] < 2_000
    assert any("estimate" in value for value in short.headers.values())
    assert place.asked(model) == []
    wrong = await place.post(path, member, {"model": model, "messages": "no"})
    assert wrong.status_code == 400
    assert wrong.json()["type"] == "error"


async def test_vectors_come_as_numbers_or_base64(place: Place) -> None:
    member = await place.member()
    texts = ["one", "two"]
    told = await place.post("/v1/embeddings", member, {"model": "acme/embed", "input": texts})
    wire = told.json()
    assert told.headers["x-mainspring-provider"] == "acme"
    assert [item["index"] for item in wire["data"]] == [0, 1]
    assert [len(item["embedding"]) for item in wire["data"]] == [8, 8]
    body = {"model": "acme/embed", "input": texts, "encoding_format": "base64"}
    packed = (await place.post("/v1/embeddings", member, body)).json()
    for item, plain in zip(packed["data"], wire["data"], strict=True):
        numbers = struct.unpack("<8f", base64.b64decode(item["embedding"]))
        assert numbers == pytest.approx(plain["embedding"], abs=1e-6)
    row = await place.record(member, told)
    assert (row["operation"], row["input_tokens"], row["output_tokens"]) == ("embeddings", 12, 0)


async def test_vectors_are_shortened_when_asked(place: Place) -> None:
    member = await place.member()
    body = {"model": "acme/embed", "input": "one", "dimensions": 4}
    wire = (await place.post("/v1/embeddings", member, body)).json()
    assert len(wire["data"][0]["embedding"]) == 4
    assert place.asked("acme/embed")[-1].wire["dimensions"] == 4


@pytest.mark.parametrize("body", [{"model": "acme/embed"}, {"model": "acme/embed", "input": 7}, {"input": "x"}])
async def test_a_call_for_vectors_that_is_none_is_refused(place: Place, body: dict[str, Any]) -> None:
    told = await place.post("/v1/embeddings", await place.member(), body)
    assert told.status_code in (400, 422), told.text
    assert told.json()["error"]["message"]


async def test_a_route_is_explained_without_a_call(place: Place) -> None:
    member = await place.member(TenantPolicy(routing=RoutingPolicy(prefer=("clau",)), residency="eu"))
    told = await place.post("/v1/route:explain", member, ask(EITHER))
    assert told.status_code == 200, told.text
    wire = told.json()
    assert {each["model"] for each in wire["candidates"]} == {FIRST, SECOND}
    assert [each["rank"] for each in wire["candidates"]] == [1, 2]
    assert all(each["why"] and each["regions"]["processing"] == "eu-central-1" for each in wire["candidates"])
    assert all(each["estimate_micros"] > 0 for each in wire["candidates"])
    assert place.asked(FIRST) == []
    assert await place.stored(member) == []


async def test_an_explanation_says_why_nothing_fits(place: Place) -> None:
    member = await place.member(TenantPolicy(residency="us"))
    wire = (await place.post("/v1/route:explain", member, ask(FIRST))).json()
    assert wire["candidates"] == []
    assert "us" in str(wire["rejected"])
    assert wire["refusal"]
    told = await place.chat(member, ask(FIRST))
    assert told.status_code >= 400
    assert told.json()["error"]["code"] == wire["refusal"][0]


async def test_extension_headers_reach_the_record(place: Place) -> None:
    member, model, run = await place.member(), place.model(), new_id()
    trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    told = await place.chat(
        member,
        ask(model),
        x_mainspring_session="s1",
        x_mainspring_feature="desk",
        x_mainspring_user="u1",
        x_mainspring_prompt="summary@7",
        x_mainspring_release="r9",
        x_mainspring_run=show_id("run", run),
        x_mainspring_step="write",
        traceparent=f"00-{trace}-{parent}-01",
    )
    row = await place.record(member, told)
    assert [row[name] for name in ("session", "feature", "end_user", "release", "step", "run_id")] == [
        *("s1", "desk", "u1", "r9", "write"),
        run,
    ]
    assert (row["prompt_name"], row["prompt_version"]) == ("summary", "7")
    assert (row["trace_id"], row["parent_span_id"]) == (trace, parent)
    assert len(row["span_id"]) == 16
    assert place.asked(model)[0].headers["traceparent"].startswith(f"00-{trace}-")


@pytest.mark.parametrize(
    ("path", "more"),
    [("/v1/chat/completions", {"user": "u2"}), ("/v1/messages", {"metadata": {"user_id": "u2"}})],
)
async def test_the_end_user_may_be_named_in_the_body(place: Place, path: str, more: dict[str, Any]) -> None:
    member, model = await place.member(), place.model()
    told = await place.post(path, member, ask(model, **more))
    assert (await place.record(member, told))["end_user"] == "u2"


@pytest.mark.parametrize(
    ("name", "value"),
    [("x_mainspring_run", "run_no"), ("x_mainspring_timeout", "soon"), ("x_mainspring_session", "s" * 201)],
)
async def test_a_header_that_cannot_be_read_is_refused(place: Place, name: str, value: str) -> None:
    member, model = await place.member(), place.model()
    told = await place.chat(member, ask(model), **{name: value})
    assert told.status_code in (400, 422), told.text
    assert name.replace("_", "-") in told.json()["error"]["message"]
    assert place.asked(model) == []


@pytest.mark.parametrize("trace", ["", "00-xyz", f"00-{'0' * 32}-00f067aa0ba902b7-01", f"00-{'a' * 32}-{'0' * 16}-01"])
async def test_what_is_no_trace_is_left_out(place: Place, trace: str) -> None:
    member, model = await place.member(), place.model()
    row = await place.record(member, await place.chat(member, ask(model), traceparent=trace))
    assert (row["trace_id"], row["parent_span_id"]) == (None, None)


@pytest.mark.parametrize("provider", ["acme", "clau"])
async def test_an_answer_tells_who_served_it_where_and_at_what_cost(place: Place, provider: str) -> None:
    member, model = await place.member(), place.model(provider)
    place.script(model, Reply(usage=Tokens(input=1_000, output=500)))
    told = await place.chat(member, ask(model))
    cost = (1_000 * INPUT_MICROS + 500 * OUTPUT_MICROS) // 1_000_000
    shown = told.headers
    assert shown["x-mainspring-cost-micros"] == str(cost)
    assert shown["x-mainspring-provider"] == provider
    assert shown["x-mainspring-region"] == "eu-central-1"
    assert shown["x-mainspring-cache"] == "none"
    assert shown["x-mainspring-model"].endswith(model.partition("/")[2])
    assert shown["x-request-id"] == shown["request-id"] == shown["x-mainspring-request-id"]
    row = await place.record(member, told)
    assert (row["cost_micros"], row["provider"], row["region"]) == (cost, provider, "eu-central-1")
    streamed = await place.chat(member, ask(model, stream=True))
    assert "x-mainspring-cost-micros" not in streamed.headers
    assert streamed.headers["x-mainspring-provider"] == provider


async def test_limits_are_told_before_they_are_reached(place: Place) -> None:
    limit = Limit(scope="key", requests_per_minute=4, tokens_per_minute=1_000, soft_percent=50)
    member, model = await place.member(TenantPolicy(limits=(limit,))), place.model()
    told = [await place.chat(member, ask(model)) for _ in range(5)]
    assert [each.status_code for each in told] == [200, 200, 200, 200, 429]
    assert told[0].headers["x-ratelimit-limit-requests"] == "4"
    assert int(told[0].headers["x-ratelimit-remaining-requests"]) > int(
        told[2].headers["x-ratelimit-remaining-requests"]
    )
    assert "x-mainspring-limit-warning" not in told[0].headers
    assert "requests" in told[3].headers["x-mainspring-limit-warning"]
    refused = told[4]
    assert int(refused.headers["retry-after"]) >= 1
    assert "4" in refused.json()["error"]["message"]


async def test_a_tenant_that_demands_pinning_is_shown_what_to_pin(place: Place) -> None:
    member = await place.member(PINS)
    assert (await place.chat(member, ask(PINNED))).status_code == 200
    for name in (FLOATING, "drafts", EITHER, "auto"):
        told = await place.chat(member, ask(name))
        assert told.status_code in (400, 404, 422), (name, told.text)
        assert "acme/" in told.json()["error"]["message"] or name == "auto", (name, told.text)
    assert place.asked(FLOATING) == []
    free = await place.member()
    assert (await place.chat(free, ask(FLOATING))).status_code == 200


@pytest.mark.parametrize("stream", [False, True])
async def test_a_deprecated_model_is_served_with_a_warning(place: Place, stream: bool) -> None:
    told = await place.chat(await place.member(), ask(OLD, stream=stream))
    warning = told.headers["x-mainspring-warning"]
    assert "deprecated" in warning
    assert "2099-01-01" in warning
    assert "acme/m0" in warning


async def test_a_retired_model_is_refused_with_its_successor(place: Place) -> None:
    told = await place.chat(await place.member(), ask(GONE))
    assert told.status_code in (400, 404, 410, 422)
    assert "acme/m0" in told.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
async def test_a_call_that_fails_tells_which_it_was(place: Place, path: str) -> None:
    member, model = await place.member(), place.model()
    place.script(model, Fault.CONTEXT_TOO_LONG)
    told = await place.post(path, member, ask(model))
    assert told.status_code >= 400
    row = await place.record(member, told)
    assert (row["status"], row["error_code"]) == ("error", "model_context_too_long")
    assert told.headers["x-request-id"] == told.headers["request-id"] == told.headers["x-mainspring-request-id"]
