"""Anthropic's own client, unchanged: its errors, retries and headers."""

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import pytest
from anthropic.types import MessageParam

from tests.upstream import Fault, Reply, ToolCall

from .rig import Provider, Rig

ASK: list[MessageParam] = [{"role": "user", "content": "What is the notice period?"}]


@pytest.fixture
def client(rig: Rig) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=rig.url, api_key=rig.key, max_retries=0) as opened:
        yield opened


@pytest.mark.parametrize("is_streamed", [False, True])
def test_each_refusal_is_the_exception_that_anthropic_has_for_it(
    client: anthropic.Anthropic, rig: Rig, *, is_streamed: bool
) -> None:
    model = rig.anthropic.model

    def ask(with_key: str, model: str = model, max_tokens: int = 5) -> anthropic.APIStatusError:
        asking = client.with_options(api_key=with_key)
        with pytest.raises(anthropic.APIStatusError) as caught:
            asking.messages.create(model=model, messages=ASK, max_tokens=max_tokens, stream=is_streamed)
        return caught.value

    assert isinstance(ask("ms_not_a_key"), anthropic.AuthenticationError)
    assert isinstance(ask(rig.reader_key), anthropic.PermissionDeniedError)
    assert isinstance(ask(rig.key, "no-such-model"), anthropic.NotFoundError)
    assert isinstance(ask(rig.key, max_tokens=0), anthropic.BadRequestError)
    assert isinstance(ask(rig.frugal_key), anthropic.RateLimitError)
    assert rig.anthropic.upstream.requests == []


def test_a_prompt_that_is_too_long_is_said_in_anthropics_words(client: anthropic.Anthropic, rig: Rig) -> None:
    rig.fragile.script(Fault.CONTEXT_TOO_LONG)
    with pytest.raises(anthropic.BadRequestError, match="prompt is too long"):
        client.messages.create(model="fragile/long", messages=ASK, max_tokens=5)


def test_a_provider_that_is_overloaded_is_overloaded_here(client: anthropic.Anthropic, rig: Rig) -> None:
    rig.fragile.script(Reply(fault=Fault.UNAVAILABLE, retry_after=90))
    with pytest.raises(anthropic.APIStatusError) as caught:
        client.messages.create(
            model="fragile/unavailable", messages=ASK, max_tokens=5, extra_headers={"x-mainspring-timeout": "1"}
        )
    assert caught.value.status_code == 529
    assert caught.value.response.headers["retry-after"] == "90"


def test_the_client_itself_tries_again_when_told_so(rig: Rig) -> None:
    rig.fragile.script(Reply(fault=Fault.RATE_LIMITED, retry_after=1), Reply(text="now"))
    with anthropic.Anthropic(base_url=rig.url, api_key=rig.key, max_retries=1) as client:
        reply = client.messages.create(
            model="fragile/hurried", messages=ASK, max_tokens=5, extra_headers={"x-mainspring-timeout": "0.9"}
        )
    assert reply.content[0].type == "text"
    assert reply.content[0].text == "now"


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.ERROR_IN_STREAM])
def test_a_stream_that_breaks_ends_with_an_error(client: anthropic.Anthropic, rig: Rig, fault: Fault) -> None:
    rig.fragile.script(Reply(text="one two three", fault=fault, fault_after=2))
    heard: list[str] = []
    with (
        client.messages.stream(model=f"fragile/{fault}-messages", messages=ASK, max_tokens=5) as stream,
        pytest.raises(anthropic.APIStatusError),
    ):
        heard.extend(stream.text_stream)
    assert "".join(heard).startswith("one ")


def test_headers_tell_which_call_it_was_and_who_served_it(client: anthropic.Anthropic, rig: Rig) -> None:
    raw = client.messages.with_raw_response.create(
        model="claude-sonnet-5-5",
        messages=ASK,
        max_tokens=5,
        metadata={"user_id": "ann"},
        extra_headers={"x-mainspring-feature": "help-desk", "anthropic-beta": "context-1m-2025-08-07"},
    )
    message = raw.parse()
    assert message._request_id == raw.headers["x-mainspring-request-id"]  # pyright: ignore[reportPrivateUsage] - its documented name
    assert raw.headers["x-mainspring-provider"] == "anthropic"
    assert raw.headers["x-mainspring-region"] == "eu-central-1"
    assert int(raw.headers["x-mainspring-cost-micros"]) > 0
    record = rig.record(raw.headers["x-request-id"])
    assert (record["end_user"], record["feature"]) == ("ann", "help-desk")
    assert rig.anthropic.last.headers["anthropic-beta"] == "context-1m-2025-08-07"


def test_beta_features_reach_their_provider(client: anthropic.Anthropic, rig: Rig) -> None:
    reply = client.beta.messages.create(
        model=rig.anthropic.model, messages=[{"role": "user", "content": "hi"}], max_tokens=5, betas=["a-beta"]
    )
    assert reply.stop_reason == "end_turn"
    assert rig.anthropic.last.headers["anthropic-beta"] == "a-beta"


def test_the_tool_runner_runs_the_callers_functions(client: anthropic.Anthropic, provider: Provider) -> None:
    @anthropic.beta_tool
    def weather(city: str) -> str:
        """The weather in a city."""
        return f"result for {city}"

    provider.script(Reply(tool_calls=(ToolCall("weather", '{"city":"Oslo"}'),)), Reply(text="Cold."))
    last = client.beta.messages.tool_runner(
        model=provider.model, messages=[{"role": "user", "content": "Oslo?"}], max_tokens=50, tools=[weather]
    ).until_done()
    assert last.content[0].type == "text"
    assert last.content[0].text == "Cold."
    assert "result for Oslo" in json.dumps(provider.asked)


def test_what_only_anthropic_understands_is_refused_before_it_is_lost(client: anthropic.Anthropic, rig: Rig) -> None:
    found: Any = {"type": "search_result", "source": "x", "title": "x", "content": [{"type": "text", "text": "x"}]}
    with pytest.raises(anthropic.BadRequestError, match="search_result"):
        client.messages.create(model=rig.openai.model, messages=[{"role": "user", "content": [found]}], max_tokens=50)
    with pytest.raises(anthropic.BadRequestError, match="web_search"):
        client.messages.create(
            model=rig.openai.model,
            messages=ASK,
            max_tokens=50,
            tools=[{"type": "web_search_20250305", "name": "web_search"}],
        )
