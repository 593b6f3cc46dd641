"""OpenAI's own client, unchanged: its errors and retries, headers, embeddings and lists."""

import asyncio
import base64
import json
import struct
from collections.abc import Iterator

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

from tests.upstream import Fault, Reply

from .rig import OPENAI_EMBEDDER, Provider, Rig

ASK: list[ChatCompletionMessageParam] = [{"role": "user", "content": "What is the notice period?"}]


@pytest.fixture
def client(rig: Rig) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=rig.v1, api_key=rig.key, max_retries=0) as opened:
        yield opened


@pytest.mark.parametrize("is_streamed", [False, True])
def test_each_refusal_is_the_exception_that_openai_has_for_it(
    client: openai.OpenAI, rig: Rig, *, is_streamed: bool
) -> None:
    model = rig.openai.model

    def ask(with_key: str, model: str = model, max_tokens: int = 5) -> openai.APIStatusError:
        asking = client.with_options(api_key=with_key)
        with pytest.raises(openai.APIStatusError) as caught:
            asking.chat.completions.create(model=model, messages=ASK, max_tokens=max_tokens, stream=is_streamed)
        assert caught.value.request_id is None or caught.value.request_id.startswith("inf_")
        return caught.value

    assert isinstance(ask("ms_not_a_key"), openai.AuthenticationError)
    assert isinstance(ask(rig.reader_key), openai.PermissionDeniedError)
    unknown = ask(rig.key, "no-such-model")
    assert isinstance(unknown, openai.NotFoundError)
    assert (unknown.code, unknown.param) == ("model_not_found", "model")
    assert isinstance(ask(rig.key, max_tokens=0), openai.BadRequestError)
    spent = ask(rig.frugal_key)
    assert isinstance(spent, openai.RateLimitError)
    assert spent.response.headers["x-should-retry"] == "false"
    assert rig.openai.upstream.requests == []


def test_a_prompt_that_is_too_long_is_said_in_openais_words(client: openai.OpenAI, rig: Rig) -> None:
    rig.fragile.script(Fault.CONTEXT_TOO_LONG)
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="fragile/long", messages=ASK)
    assert caught.value.code == "context_length_exceeded"


def test_a_provider_that_is_overloaded_is_an_internal_server_error(client: openai.OpenAI, rig: Rig) -> None:
    rig.fragile.script(Reply(fault=Fault.OVERLOADED, retry_after=90))
    with pytest.raises(openai.InternalServerError) as caught:
        client.chat.completions.create(
            model="fragile/overloaded", messages=ASK, extra_headers={"x-mainspring-timeout": "1"}
        )
    assert caught.value.status_code == 503
    assert caught.value.response.headers["retry-after"] == "90"
    assert "scripted failure" not in caught.value.message


def test_the_client_itself_tries_again_when_told_so(rig: Rig) -> None:
    rig.fragile.script(Reply(fault=Fault.RATE_LIMITED, retry_after=1), Reply(text="now"))
    with openai.OpenAI(base_url=rig.v1, api_key=rig.key, max_retries=1) as client:
        reply = client.chat.completions.create(
            model="fragile/limited", messages=ASK, extra_headers={"x-mainspring-timeout": "0.9"}
        )
    assert reply.choices[0].message.content == "now"


def test_the_client_does_not_try_again_when_it_would_be_in_vain(rig: Rig) -> None:
    with (
        openai.OpenAI(base_url=rig.v1, api_key=rig.frugal_key, max_retries=5) as client,
        pytest.raises(openai.RateLimitError) as caught,
    ):
        client.chat.completions.create(model=rig.openai.model, messages=ASK)
    assert caught.value.response.request.headers["x-stainless-retry-count"] == "0"


def test_a_limit_says_what_is_left_and_then_when_to_come_back(rig: Rig) -> None:
    with openai.OpenAI(base_url=rig.v1, api_key=rig.hurried_key, max_retries=0) as client:
        asking = client.chat.completions.with_raw_response
        first = asking.create(model=rig.openai.model, messages=ASK)
        asking.create(model=rig.openai.model, messages=ASK)
        with pytest.raises(openai.RateLimitError, match="requests") as caught:
            asking.create(model=rig.openai.model, messages=ASK)
    assert first.headers["x-ratelimit-limit-requests"] == "2"
    assert first.headers["x-ratelimit-remaining-requests"] == "1"
    assert 0 < int(caught.value.response.headers["retry-after"]) <= 60
    assert caught.value.type == "rate_limit_error"


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.ERROR_IN_STREAM])
def test_a_stream_that_breaks_ends_with_an_error(client: openai.OpenAI, rig: Rig, fault: Fault) -> None:
    rig.fragile.script(Reply(text="one two three", fault=fault, fault_after=2))
    stream = client.chat.completions.create(model=f"fragile/{fault}", messages=ASK, stream=True)
    heard: list[str] = []
    with pytest.raises(openai.APIError):
        heard.extend(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
    assert "".join(heard) == "one two "


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.ERROR_IN_STREAM])
def test_a_streamed_response_that_breaks_ends_with_an_error(client: openai.OpenAI, rig: Rig, fault: Fault) -> None:
    rig.fragile.script(Reply(text="one two three", fault=fault, fault_after=2))
    stream = client.responses.create(model=f"fragile/{fault}", input="Count.", stream=True)
    with pytest.raises(openai.APIError, match="broke"):
        list(stream)


@pytest.mark.parametrize("is_streamed", [False, True])
def test_headers_tell_which_call_it_was_and_who_served_it(
    client: openai.OpenAI, rig: Rig, *, is_streamed: bool
) -> None:
    raw = client.chat.completions.with_raw_response.create(
        model="drafts", messages=ASK, stream=is_streamed, extra_headers={"x-mainspring-feature": "help-desk"}
    )
    if is_streamed:
        list(raw.parse())
    assert raw.headers["x-mainspring-request-id"] == raw.headers["x-request-id"]
    assert raw.headers["x-mainspring-provider"] == "openai"
    assert rig.openai.model.endswith(raw.headers["x-mainspring-model"])
    assert raw.headers["x-mainspring-region"] == "eu-central-1"
    assert raw.headers["x-mainspring-cache"]
    assert ("x-mainspring-cost-micros" in raw.headers) is not is_streamed


def test_extension_headers_are_in_the_record(client: openai.OpenAI, rig: Rig) -> None:
    headers = {
        "x-mainspring-session": "chat-7",
        "x-mainspring-feature": "help-desk",
        "x-mainspring-user": "ann",
        "x-mainspring-prompt": "answer@3",
        "x-mainspring-release": "2026.11",
        "idempotency-key": "once",
        "traceparent": f"00-{'a' * 32}-{'b' * 16}-01",
    }
    reply = client.chat.completions.create(model=rig.openai.model, messages=ASK, extra_headers=headers)
    assert reply._request_id is not None  # pyright: ignore[reportPrivateUsage] - its documented name
    record = rig.record(reply._request_id)  # pyright: ignore[reportPrivateUsage]
    assert (record["session"], record["feature"], record["end_user"]) == ("chat-7", "help-desk", "ann")
    assert (record["prompt_name"], record["prompt_version"], record["release"]) == ("answer", "3", "2026.11")
    assert (record["idempotency_key"], record["trace_id"], record["parent_span_id"]) == ("once", "a" * 32, "b" * 16)
    assert (record["input_tokens"], record["output_tokens"], record["usage_source"]) == (12, 7, "provider")


def test_the_user_in_the_body_is_the_end_user(client: openai.OpenAI, rig: Rig) -> None:
    reply = client.chat.completions.create(model=rig.openai.model, messages=ASK, user="bea")
    assert rig.record(reply._request_id or "")["end_user"] == "bea"  # pyright: ignore[reportPrivateUsage]


def test_embeddings_come_as_numbers_and_as_base64(client: openai.OpenAI, rig: Rig) -> None:
    texts = ["notice period", "eggs and flour"]
    plain = client.embeddings.create(model=OPENAI_EMBEDDER, input=texts, encoding_format="float", dimensions=16)
    packed = client.embeddings.create(model=OPENAI_EMBEDDER, input=texts, dimensions=16)
    assert [len(each.embedding) for each in plain.data] == [16, 16]
    for one, other in zip(plain.data, packed.data, strict=True):
        assert one.embedding == pytest.approx(other.embedding)
    raw = client.embeddings.with_raw_response.create(model=OPENAI_EMBEDDER, input="one", encoding_format="base64")
    told = json.loads(raw.text)
    assert len(struct.unpack("<8f", base64.b64decode(told["data"][0]["embedding"]))) == 8
    assert raw.headers["x-mainspring-provider"] == "openai"
    assert rig.record(raw.headers["x-request-id"])["operation"] == "embeddings"


def test_models_are_listed_with_the_operators_aliases(client: openai.OpenAI, rig: Rig) -> None:
    names = {model.id for model in client.models.list()}
    assert {rig.openai.model, rig.anthropic.model, "drafts", "gpt-5.4-mini"} <= names
    assert client.models.retrieve("drafts").id == "drafts"
    assert client.models.retrieve(rig.anthropic.model).owned_by == "anthropic"
    assert client.models.retrieve("claude-sonnet-5-5").id == "claude-sonnet-5-5"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("no-such-model")


def test_an_address_that_is_not_served_is_said_clearly(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="/v1/moderations"):
        client.moderations.create(input="hello")


def test_what_only_openai_understands_is_refused_before_it_is_lost(client: openai.OpenAI, rig: Rig) -> None:
    sound: list[ChatCompletionMessageParam] = [
        {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}}]}
    ]
    client.chat.completions.create(model=rig.openai.model, messages=sound)
    with pytest.raises(openai.BadRequestError, match="input_audio"):
        client.chat.completions.create(model=rig.anthropic.model, messages=sound)
    with pytest.raises(openai.BadRequestError, match="web_search_options"):
        client.chat.completions.create(model=rig.anthropic.model, messages=ASK, web_search_options={})
    assert rig.anthropic.upstream.requests == []


async def test_a_hundred_calls_at_once_are_answered_apart(rig: Rig, provider: Provider) -> None:
    provider.script(*(Reply(text=f"number {number}") for number in range(100)))
    async with openai.AsyncOpenAI(base_url=rig.v1, api_key=rig.key, max_retries=0) as client:
        asked = [client.chat.completions.create(model=provider.model, messages=ASK) for _ in range(100)]
        replies = await asyncio.gather(*asked)
    assert len({reply.choices[0].message.content for reply in replies}) == 100
    assert len({reply._request_id for reply in replies}) == 100  # pyright: ignore[reportPrivateUsage]


def test_a_client_that_goes_away_ends_the_call_and_is_billed_what_it_was_sent(
    client: openai.OpenAI, rig: Rig, provider: Provider
) -> None:
    provider.script(Reply(chunks=2000, pause=0.01))
    raw = client.chat.completions.with_raw_response.create(model=provider.model, messages=ASK, stream=True)
    with raw.parse() as stream:
        for _ in range(20):
            next(stream)
    record = rig.record(raw.headers["x-request-id"])
    assert (record["status"], record["usage_source"]) == ("cancelled", "counted")
    assert 18 < record["output_tokens"] < 1000
    assert record["input_tokens"] > 0
    assert provider.last.left_early
