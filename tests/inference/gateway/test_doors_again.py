"""Replies given again at the doors: identical calls, calls of the same meaning, and the same idempotency key."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from mainspring.foundation.engines import EngineUrls
from mainspring.inference.gateway.policy import CachePolicy, TenantPolicy
from tests.upstream import Fault, Reply, Tokens, ToolCall

from .doors import Member, Place, ask, events, open_place, said
from .running import until

ALL = TenantPolicy(cache=CachePolicy(exact="all"))
SOLO = TenantPolicy(cache=CachePolicy(exact="deterministic"))
DESK = TenantPolicy(cache=CachePolicy(semantic_features=("desk",), shadow_share=0))
SHADOWED = TenantPolicy(cache=CachePolicy(semantic_features=("desk",), shadow_share=1))


@pytest.fixture(scope="module")
async def place(engines: EngineUrls, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    async with open_place(engines, tmp_path_factory.mktemp("doors")) as opened:
        yield opened


def cache(response: httpx.Response) -> str:
    return response.headers["x-mainspring-cache"]


async def test_an_identical_call_is_answered_from_the_cache_free_of_charge(place: Place) -> None:
    member, model = await place.member(ALL), place.model()
    place.script(model, Reply("Thirty days."))
    first, again = await place.chat(member, ask(model)), await place.chat(member, ask(model))
    assert (cache(first), cache(again)) == ("miss", "exact")
    assert said(first) == said(again) == "Thirty days."
    assert again.headers["x-mainspring-cost-micros"] == "0"
    assert int(first.headers["x-mainspring-cost-micros"]) > 0
    assert len(place.asked(model)) == 1
    rows = await place.records(member, 2)
    assert [(row["cache_status"], row["cost_micros"] == 0, row["attempts"]) for row in rows] == [
        ("miss", False, 1),
        ("exact", True, 0),
    ]
    assert rows[1]["output_tokens"] == rows[0]["output_tokens"] == 7
    assert rows[1]["model_served"] == rows[0]["model_served"]


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/responses"])
@pytest.mark.parametrize("provider", ["acme", "clau"])
async def test_a_whole_reply_is_streamed_again_in_the_callers_dialect(place: Place, path: str, provider: str) -> None:
    member, model = await place.member(ALL), place.model(provider)
    place.script(model, Reply("One two three four five six seven."))
    body: dict[str, Any] = ask(model)
    if path == "/v1/responses":
        body = {"model": model, "input": "What is the notice period?"}
    first = await place.post(path, member, body)
    again = await place.post(path, member, {**body, "stream": True})
    back = await place.post(path, member, body)
    assert [cache(each) for each in (first, again, back)] == ["miss", "exact", "exact"]
    assert said(first) == said(again) == said(back) == "One two three four five six seven."
    assert len(events(again)) > 3
    assert len(place.asked(model)) == 1


@pytest.mark.parametrize("provider", ["acme", "clau"])
async def test_a_streamed_reply_is_given_whole_again_with_its_tool_calls(place: Place, provider: str) -> None:
    member, model = await place.member(ALL), place.model(provider)
    place.script(model, Reply(tool_calls=(ToolCall("look", '{"at": 3}'),)))
    tools = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]
    first = await place.chat(member, ask(model, tools=tools, stream=True))
    again = await place.chat(member, ask(model, tools=tools))
    assert (cache(first), cache(again)) == ("miss", "exact")
    message = again.json()["choices"][0]["message"]
    assert said(first) == ""
    assert message["tool_calls"][0]["function"] == {"name": "look", "arguments": '{"at": 3}'}
    assert again.json()["usage"]["completion_tokens"] == 7


async def test_only_deterministic_calls_share_replies_where_the_policy_says_so(place: Place) -> None:
    member, model = await place.member(SOLO), place.model()
    calls = [ask(model), ask(model), ask(model, temperature=0), ask(model, temperature=0), ask(model, seed=4)]
    assert [cache(await place.chat(member, call)) for call in calls] == ["none", "none", "miss", "exact", "miss"]


async def test_headers_refresh_and_switch_off_the_cache(place: Place) -> None:
    member, model = await place.member(ALL), place.model()
    place.script(model, Reply("Old."), Reply("New."), Reply("Apart."))
    wishes = ["on", "refresh", "on", "off", "exact"]
    told = [await place.chat(member, ask(model), x_mainspring_cache=wish) for wish in wishes]
    assert [cache(each) for each in told] == ["miss", "miss", "exact", "none", "exact"]
    assert [said(each) for each in told] == ["Old.", "New.", "New.", "Apart.", "New."]
    wrong = await place.chat(member, ask(model), x_mainspring_cache="maybe")
    assert wrong.status_code == 400
    assert "maybe" in wrong.json()["error"]["message"]


async def test_nothing_is_shared_between_tenants_features_or_prompts(place: Place) -> None:
    model = place.model()
    member, other = await place.member(ALL), await place.member(ALL)
    first = await place.chat(member, ask(model))
    told = [
        await place.chat(other, ask(model)),
        await place.chat(member, ask(model), x_mainspring_feature="desk"),
        await place.chat(member, ask(model), x_mainspring_prompt="p@1"),
        await place.chat(member, ask(model), x_mainspring_prompt="p@2"),
    ]
    assert {cache(each) for each in (first, *told)} == {"miss"}


async def test_a_purge_takes_effect_at_once(place: Place) -> None:
    member, model = await place.member(ALL), place.model()
    await place.chat(member, ask(model), x_mainspring_feature="desk")
    await place.chat(member, ask(model))
    assert place.gateway.again is not None
    await place.gateway.again.exact.purge(member.tenant, "desk")
    assert cache(await place.chat(member, ask(model), x_mainspring_feature="desk")) == "miss"
    assert cache(await place.chat(member, ask(model))) == "exact"
    await place.gateway.again.exact.purge(member.tenant)
    assert cache(await place.chat(member, ask(model))) == "miss"


async def test_several_choices_are_never_given_again(place: Place) -> None:
    member, model = await place.member(ALL), place.model()
    told = [await place.chat(member, ask(model, n=2)) for _ in range(2)]
    assert [cache(each) for each in told] == ["miss", "miss"]


async def test_what_the_cache_cannot_read_is_passed_on_as_without_it(place: Place) -> None:
    member, model = await place.member(ALL), place.model()
    told = [await place.chat(member, {**ask(model), "messages": "odd"}, idempotency_key="k") for _ in range(2)]
    assert [(each.status_code, cache(each)) for each in told] == [(200, "miss")] * 2
    assert len(place.asked(model)) == 2


async def teach(place: Place, member: Member, body: dict[str, Any], times: int) -> list[str]:
    """Ask until the entry has learned; each answer is learned from before the next call."""
    statuses: list[str] = []
    for number in range(times):
        statuses.append(cache(await place.chat(member, body, x_mainspring_feature="desk")))
        if statuses[-1] == "semantic":
            break
        await until(lambda number=number: has_learned(place, member, number))
    return statuses


async def has_learned(place: Place, member: Member, observations: int) -> bool:
    async with place.database.tenant(member.tenant) as transaction:
        row = await transaction.first("select max(jsonb_array_length(observations)) as seen from semantic_entry")
    return bool(row and row["seen"] is not None and row["seen"] >= observations)


async def test_a_call_of_the_same_meaning_is_answered_once_the_entry_has_learned(place: Place) -> None:
    member, model = await place.member(DESK), place.model()
    statuses = await teach(place, member, ask(model), 12)
    assert statuses[0] == "miss"
    assert statuses[-1] == "semantic"
    asked = len(place.asked(model))
    streamed = await place.chat(member, ask(model, stream=True), x_mainspring_feature="desk")
    assert (cache(streamed), said(streamed)) == ("semantic", "This is a scripted reply.")
    assert len(place.asked(model)) == asked
    for wish in ("exact", "refresh", "off"):
        told = await place.chat(member, ask(model), x_mainspring_feature="desk", x_mainspring_cache=wish)
        assert cache(told) != "semantic"
    assert cache(await place.chat(member, ask(model))) == "none"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_shadowed_hit_asks_the_model_without_keeping_the_caller_waiting(place: Place, stream: bool) -> None:
    member, model = await place.member(SHADOWED), place.model()
    await teach(place, member, ask(model), 12)
    asked = len(place.asked(model))
    place.script(model, Reply("This is a scripted reply.", delay=0.5))
    async with httpx.AsyncClient(trust_env=False) as caller:
        headers = {"x-api-key": member.key, "x-mainspring-feature": "desk"}
        url = f"{place.url}/v1/chat/completions"
        async with asyncio.timeout(0.45):
            hit = await caller.post(url, json=ask(model, stream=stream), headers=headers)
            await caller.get(f"{place.url}/healthz")
    assert cache(hit) == "semantic"

    async def is_counted() -> bool:
        async with place.database.tenant(member.tenant) as transaction:
            row = await transaction.one(
                "select sum(shadowed)::int as shadowed, sum(wrong)::int as wrong from semantic_entry"
            )
        return row == {"shadowed": 2, "wrong": 0}

    await until(is_counted)
    assert len(place.asked(model)) > asked

    async def are_recorded() -> bool:
        rows = [row for row in await place.stored(member) if row["cache_status"] == "shadow"]
        return [row["status"] for row in rows] == ["ok", "ok"]

    await until(are_recorded)


async def test_a_repeated_idempotency_key_is_answered_without_asking_again(place: Place) -> None:
    member, model = await place.member(), place.model()
    place.script(model, Reply("Once.", finish="length"))
    first = await place.chat(member, ask(model), idempotency_key="k1")
    again = await place.chat(member, ask(model), idempotency_key="k1")
    assert (cache(first), cache(again)) == ("miss", "repeated")
    assert said(first) == said(again) == "Once."
    assert again.json()["choices"][0]["finish_reason"] == "length"
    assert len(place.asked(model)) == 1
    other = [
        await place.chat(member, ask(model), idempotency_key="k2"),
        await place.chat(member, ask(model, "Another"), idempotency_key="k1"),
        await place.chat(await place.member(), ask(model), idempotency_key="k1"),
        await place.post("/v1/messages", member, ask(model), idempotency_key="k1"),
    ]
    assert {cache(each) for each in other} == {"miss"}
    rows = await place.records(member, 5)
    assert [row["idempotency_key"] for row in rows] == ["k1", "k1", "k2", "k1", "k1"]
    assert rows[1]["cost_micros"] == 0


@pytest.mark.parametrize("provider", ["acme", "clau"])
async def test_a_repeated_stream_comes_as_a_stream(place: Place, provider: str) -> None:
    member, model = await place.member(), place.model(provider)
    told = [await place.post("/v1/messages", member, ask(model, stream=True), idempotency_key="s") for _ in range(2)]
    assert [cache(each) for each in told] == ["miss", "repeated"]
    assert said(told[0]) == said(told[1]) == "This is a scripted reply."
    assert len(place.asked(model)) == 1


async def test_twenty_calls_with_one_key_ask_the_model_once(place: Place) -> None:
    member, model = await place.member(), place.model()
    place.script(model, Reply("Once.", delay=0.2))
    told = await asyncio.gather(*(place.chat(member, ask(model), idempotency_key="k") for _ in range(20)))
    outcomes = [cache(each) if each.status_code == 200 else each.status_code for each in told]
    assert outcomes.count("miss") == 1
    assert set(outcomes) <= {"miss", "repeated", 409}  # who comes when the first is done is given its answer
    assert len(place.asked(model)) == 1
    assert cache(await place.chat(member, ask(model), idempotency_key="k")) == "repeated"


async def test_a_call_with_the_key_of_one_that_runs_is_refused(place: Place) -> None:
    member, model = await place.member(), place.model()
    place.script(model, Reply("Once.", delay=0.5))
    running = asyncio.create_task(place.chat(member, ask(model), idempotency_key="k"))
    await until(lambda: is_asked(place, model, 1))
    refused = await place.chat(member, ask(model), idempotency_key="k")
    assert refused.status_code == 409
    assert "Idempotency-Key" in refused.json()["error"]["message"]
    assert refused.headers["retry-after"] == "1"
    assert said(await running) == "Once."
    rows = await place.records(member, 2)
    assert [(row["status"], row["error_code"]) for row in rows] == [("ok", None), ("error", "conflict")]
    assert rows[1]["cost_micros"] == 0


async def test_a_key_may_be_used_again_at_once_after_a_failure_or_a_hang_up(place: Place) -> None:
    member, model = await place.member(), place.model()
    place.script(model, Fault.CONTEXT_TOO_LONG, Reply(fault=Fault.HANG), Reply("Well."))
    assert (await place.chat(member, ask(model), idempotency_key="k")).status_code >= 400
    leaving = asyncio.create_task(place.chat(member, ask(model), idempotency_key="k"))
    await until(lambda: is_asked(place, model, 2))
    leaving.cancel()
    await until(lambda: is_left(place))

    async def is_answered() -> bool:
        return (await place.chat(member, ask(model), idempotency_key="k")).status_code == 200

    await until(is_answered)


async def is_asked(place: Place, model: str, times: int) -> bool:
    return len(place.asked(model)) == times


async def is_left(place: Place) -> bool:
    return place.acme.upstream.hang_ups > 0


async def test_a_reply_that_is_kept_names_no_one_elses_counts(place: Place) -> None:
    member, model = await place.member(ALL), place.model("clau")
    place.script(model, Reply("Counted.", usage=Tokens(input=40, output=9)))
    await place.post("/v1/messages", member, ask(model))
    again = await place.post("/v1/messages", member, ask(model))
    assert again.json()["usage"]["input_tokens"] == 40
    assert again.json()["usage"]["output_tokens"] == 9
