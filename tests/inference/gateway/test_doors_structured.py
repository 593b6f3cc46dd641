"""Replies with a schema at the doors: given as they are where they fit, mended where not, and honestly refused."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest

from mainspring.foundation.engines import EngineUrls
from mainspring.inference.gateway.policy import CachePolicy, Limit, TenantPolicy
from tests.upstream import Fault, Reply, ToolCall

from .doors import EITHER, FIRST, SECOND, Place, ask, events, open_place, said

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"months": {"type": "integer"}, "party": {"type": "string"}},
    "required": ["months", "party"],
    "additionalProperties": False,
}
FIT, UNFIT, PROSE = '{"months": 3, "party": "Acme"}', '{"months": 3}', "Three months."


@pytest.fixture(scope="module")
async def place(engines: EngineUrls, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    async with open_place(engines, tmp_path_factory.mktemp("doors")) as opened:
        yield opened


def shaped(model: str, schema: dict[str, Any] = SCHEMA, **more: Any) -> dict[str, Any]:
    """A call of chat completions whose reply must fit."""
    return ask(
        model, response_format={"type": "json_schema", "json_schema": {"name": "term", "schema": schema}}, **more
    )


def shaped_message(model: str, **more: Any) -> dict[str, Any]:
    """The same as Anthropic's clients ask."""
    return ask(model, output_config={"format": {"type": "json_schema", "schema": SCHEMA}}, **more)


def shaped_response(model: str, **more: Any) -> dict[str, Any]:
    """The same as a response."""
    wanted = {"type": "json_schema", "name": "term", "schema": SCHEMA}
    return {"model": model, "input": "How long?", "text": {"format": wanted}, **more}


CALLS = {
    "/v1/chat/completions": shaped,
    "/v1/messages": shaped_message,
    "/v1/responses": shaped_response,
}


@pytest.mark.parametrize("path", CALLS)
@pytest.mark.parametrize("provider", ["acme", "clau"])
async def test_a_reply_that_fits_is_given_as_it_is(place: Place, path: str, provider: str) -> None:
    member, model = await place.member(), place.model(provider)
    place.script(model, Reply(FIT))
    told = await place.post(path, member, CALLS[path](model))
    assert said(told) == FIT
    assert len(place.asked(model)) == 1
    assert (await place.record(member, told))["structured"] == "valid"


@pytest.mark.parametrize("path", CALLS)
@pytest.mark.parametrize("provider", ["acme", "clau"])
async def test_a_reply_that_does_not_fit_is_repaired_by_a_turn_that_names_what_is_wrong(
    place: Place, path: str, provider: str
) -> None:
    member, model = await place.member(), place.model(provider)
    place.script(model, Reply(UNFIT), Reply(FIT))
    told = await place.post(path, member, CALLS[path](model))
    assert said(told) == FIT
    first, repair = place.asked(model)
    assert "party" in repair.wire["messages"][-1]["content"] if provider == "acme" else repair.body
    assert len(repair.wire["messages"]) == len(first.wire["messages"]) + 2
    rows = await place.records(member, 2)
    assert [row["structured"] for row in rows] == ["invalid", "repaired"]
    assert (await place.record(member, told))["id"] == rows[1]["id"]
    assert int(told.headers["x-mainspring-cost-micros"]) == sum(row["cost_micros"] for row in rows) > 0


async def test_a_better_model_is_asked_when_the_repair_does_not_fit(place: Place) -> None:
    member = await place.member()
    place.script(FIRST, Reply(PROSE), Reply(UNFIT))
    place.script(SECOND, Reply(FIT))
    told = await place.chat(member, shaped(EITHER))
    assert said(told) == FIT
    assert told.headers["x-mainspring-provider"] == "clau"
    rows = await place.records(member, 3)
    assert [(row["provider"], row["structured"]) for row in rows] == [
        ("acme", "invalid"),
        ("acme", "invalid"),
        ("clau", "repaired"),
    ]


async def test_a_failing_repair_ends_only_its_own_step(place: Place) -> None:
    member = await place.member()
    place.script(FIRST, Reply(PROSE), Fault.CONTEXT_TOO_LONG)
    place.script(SECOND, Reply(FIT))
    assert said(await place.chat(member, shaped(EITHER))) == FIT


@pytest.mark.parametrize("path", CALLS)
async def test_the_best_attempt_comes_with_the_error_when_nothing_fits(place: Place, path: str) -> None:
    member, model = await place.member(), place.model()
    place.script(model, Reply(UNFIT), Reply(PROSE))
    told = await place.post(path, member, CALLS[path](model))
    assert told.status_code == 502
    error = told.json()["error"]
    assert error["best_attempt"] == UNFIT
    assert "party" in error["message"]
    assert "2 attempts" in error["message"]


async def test_a_limit_that_forbids_the_repair_leaves_the_best_attempt(place: Place) -> None:
    member = await place.member(TenantPolicy(limits=(Limit(scope="tenant", requests_per_minute=1),)))
    model = place.model()
    place.script(model, Reply(UNFIT))
    told = await place.chat(member, shaped(model))
    assert told.status_code == 502
    assert told.json()["error"]["best_attempt"] == UNFIT
    assert len(place.asked(model)) == 1


async def test_a_schema_that_cannot_be_used_is_refused_before_anything_is_asked(place: Place) -> None:
    member, model = await place.member(), place.model()
    for stream in (False, True):
        told = await place.chat(member, shaped(model, {"type": "nonsense"}, stream=stream))
        assert told.status_code in (400, 422), told.text
        assert "schema" in told.json()["error"]["message"]
    assert place.asked(model) == []


async def test_tool_calls_and_refusals_are_no_misfits(place: Place) -> None:
    member, model = await place.member(), place.model()
    tools = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]
    place.script(model, Reply(tool_calls=(ToolCall("look"),)), Reply(tool_calls=(ToolCall("look"),)))
    told = [await place.chat(member, shaped(model, tools=tools, stream=stream)) for stream in (False, True)]
    assert [each.status_code for each in told] == [200, 200]
    assert [(await place.record(member, each))["structured"] for each in told] == [None, None]


@pytest.mark.parametrize("path", CALLS)
@pytest.mark.parametrize("way", ["", "incremental", "end"])
async def test_a_stream_that_fits_ends_well(place: Place, path: str, way: str) -> None:
    member, model = await place.member(), place.model()
    place.script(model, Reply(FIT))
    told = await place.post(path, member, CALLS[path](model, stream=True), x_mainspring_validate=way)
    assert said(told) == FIT
    assert errors_in(told) == []
    assert (await place.record(member, told))["structured"] == "valid"


@pytest.mark.parametrize("path", CALLS)
@pytest.mark.parametrize("provider", ["acme", "clau"])
async def test_a_stream_that_does_not_fit_ends_with_an_error_after_all_of_it(
    place: Place, path: str, provider: str
) -> None:
    member, model = await place.member(), place.model(provider)
    place.script(model, Reply('{"months": "three", "party": "Acme"}'))
    told = await place.post(path, member, CALLS[path](model, stream=True))
    assert said(told) == '{"months": "three", "party": "Acme"}'
    assert "months" in message_of_error(told)
    row = await place.record(member, told)
    assert (row["structured"], row["error_code"], row["output_tokens"] > 0) == ("invalid", "model_invalid_output", True)


@pytest.mark.parametrize("provider", ["acme", "clau"])
async def test_a_stream_ends_at_the_first_piece_that_cannot_fit_when_asked(place: Place, provider: str) -> None:
    member, model = await place.member(), place.model(provider)
    place.script(model, Reply('{"months": "three" , "party": "Acme"}'))
    told = await place.chat(member, shaped(model, stream=True), x_mainspring_validate="incremental")
    assert said(told) == '{"months": '
    assert "months" in message_of_error(told)
    row = await place.record(member, told)
    assert (row["structured"], row["error_code"]) == ("invalid", "model_invalid_output")


async def test_a_stream_whose_first_word_cannot_fit_is_still_an_honest_answer(place: Place) -> None:
    member, model = await place.member(), place.model()
    place.script(model, Reply("Surely not."))
    told = await place.chat(member, shaped(model, stream=True), x_mainspring_validate="incremental")
    assert said(told) == ""
    assert "schema" in message_of_error(told)


async def test_an_unknown_way_of_validating_is_refused(place: Place) -> None:
    member, model = await place.member(), place.model()
    told = await place.chat(member, shaped(model, stream=True), x_mainspring_validate="sometimes")
    assert told.status_code in (400, 422)
    assert "sometimes" in told.json()["error"]["message"]
    assert place.asked(model) == []


async def test_a_stream_that_breaks_is_not_counted_as_a_misfit(place: Place) -> None:
    member, model = await place.member(), place.model()
    place.script(model, Reply(FIT, fault=Fault.RESET_MIDWAY, fault_after=2))
    told = await place.chat(member, shaped(model, stream=True))
    assert message_of_error(told)
    row = await place.record(member, told)
    assert (row["structured"], row["status"]) == (None, "broken")


async def test_what_was_repaired_is_what_is_kept(place: Place) -> None:
    member, model = await place.member(TenantPolicy(cache=CachePolicy(exact="all"))), place.model()
    place.script(model, Reply(UNFIT), Reply(FIT))
    first, again = await place.chat(member, shaped(model)), await place.chat(member, shaped(model))
    assert said(first) == said(again) == FIT
    assert again.headers["x-mainspring-cache"] == "exact"


async def test_a_stream_that_did_not_fit_is_not_kept(place: Place) -> None:
    member, model = await place.member(TenantPolicy(cache=CachePolicy(exact="all"))), place.model()
    place.script(model, Reply(UNFIT), Reply(FIT))
    assert message_of_error(await place.chat(member, shaped(model, stream=True)))
    told = await place.chat(member, shaped(model, stream=True))
    assert (said(told), told.headers["x-mainspring-cache"]) == (FIT, "miss")


def errors_in(response: httpx.Response) -> list[dict[str, Any]]:
    """The error events of a stream."""
    assert response.status_code == 200, response.text
    failed = ("error", "response.failed")
    return [event for event in events(response) if event.get("error") or event.get("type") in failed]


def message_of_error(response: httpx.Response) -> str:
    """What the error of a stream says; responses tell it as the last state, then as the error that clients raise."""
    errors = errors_in(response)
    assert len(errors) == 1 + (errors[0].get("type") == "response.failed"), response.text
    return msgspec.json.encode(errors[0]).decode()
