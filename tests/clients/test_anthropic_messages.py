"""Anthropic's own client, unchanged: messages over a provider of each dialect."""

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import pydantic
import pytest
from anthropic.types import MessageParam, ToolParam

from tests.upstream import Reply, Tokens, ToolCall

from .rig import PIXEL, Provider, Rig

ASK: list[MessageParam] = [{"role": "user", "content": "What is the notice period?"}]
WEATHER: ToolParam = {
    "name": "weather",
    "description": "The weather in a city.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
TWO_CALLS = Reply(
    tool_calls=(ToolCall("weather", '{"city":"Oslo"}', "call_a"), ToolCall("weather", '{"city":"Rome"}', "call_b"))
)


class Term(pydantic.BaseModel):
    party: str
    days: int


@pytest.fixture
def client(rig: Rig) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=rig.url, api_key=rig.key, max_retries=0) as opened:
        yield opened


def test_a_message_comes_with_its_usage(client: anthropic.Anthropic, provider: Provider) -> None:
    provider.script(Reply(text="Thirty days.", usage=Tokens(input=20, output=4, cached=8)))
    reply = client.messages.create(model=provider.model, system="Be brief.", messages=ASK, max_tokens=50)
    assert reply.content[0].type == "text"
    assert reply.content[0].text == "Thirty days."
    assert reply.stop_reason == "end_turn"
    usage = reply.usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens) == (12, 8, 4)
    assert "Be brief." in json.dumps(provider.asked)


async def test_the_asynchronous_client_works_as_well(rig: Rig, provider: Provider) -> None:
    provider.script(Reply(text="one"), Reply(text="two words"))
    async with anthropic.AsyncAnthropic(base_url=rig.url, api_key=rig.key) as client:
        reply = await client.messages.create(model=provider.model, messages=ASK, max_tokens=50)
        async with client.messages.stream(model=provider.model, messages=ASK, max_tokens=50) as stream:
            words = [word async for word in stream.text_stream]
    assert reply.content[0].type == "text"
    assert reply.content[0].text == "one"
    assert "".join(words) == "two words"


def test_the_key_may_come_as_a_bearer_token(rig: Rig, provider: Provider) -> None:
    with anthropic.Anthropic(base_url=rig.url, auth_token=rig.key, max_retries=0) as client:
        assert client.messages.create(model=provider.model, messages=ASK, max_tokens=50).type == "message"


def test_raw_events_come_in_order(client: anthropic.Anthropic, provider: Provider) -> None:
    provider.script(Reply(text="a b", usage=Tokens(input=9, output=2)))
    events = list(client.messages.create(model=provider.model, messages=ASK, max_tokens=50, stream=True))
    kinds = [event.type for event in events if event.type != "content_block_delta"]
    assert kinds == [
        "message_start",
        "content_block_start",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert [event.usage.output_tokens for event in events if event.type == "message_delta"] == [2]


def test_the_stream_helper_gathers_the_message(client: anthropic.Anthropic, provider: Provider) -> None:
    provider.script(Reply(text="one two three", usage=Tokens(input=9, output=3)))
    with client.messages.stream(model=provider.model, messages=ASK, max_tokens=50) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert text == "one two three" == stream.get_final_text()
    assert final.stop_reason == "end_turn"
    assert final.usage.output_tokens == 3


@pytest.mark.parametrize("is_streamed", [False, True])
def test_parallel_tool_calls_go_there_and_their_results_back(
    client: anthropic.Anthropic, provider: Provider, *, is_streamed: bool
) -> None:
    provider.script(TWO_CALLS, Reply(text="Cold and warm."))
    more: dict[str, Any] = {"tools": [WEATHER], "tool_choice": {"type": "any"}, "max_tokens": 50}
    if is_streamed:
        with client.messages.stream(model=provider.model, messages=ASK, **more) as stream:
            first: Any = stream.get_final_message()
    else:
        first = client.messages.create(model=provider.model, messages=ASK, **more)
    assert first.stop_reason == "tool_use"
    calls = [block for block in first.content if block.type == "tool_use"]
    assert [(call.id, call.name, call.input) for call in calls] == [
        ("call_a", "weather", {"city": "Oslo"}),
        ("call_b", "weather", {"city": "Rome"}),
    ]
    results: list[Any] = [
        {"type": "tool_result", "tool_use_id": "call_a", "content": "2 degrees"},
        {"type": "tool_result", "tool_use_id": "call_b", "content": [{"type": "text", "text": "30 degrees"}]},
    ]
    turns: list[MessageParam] = [
        *ASK,
        {"role": "assistant", "content": first.content},
        {"role": "user", "content": results},
    ]
    last = client.messages.create(model=provider.model, messages=turns, tools=[WEATHER], max_tokens=50)
    assert last.content[0].type == "text"
    sent = json.dumps(provider.asked)
    assert all(word in sent for word in ("call_a", "call_b", "2 degrees", "30 degrees", "Oslo", "Rome"))


def test_parse_gives_an_object_of_the_callers_class(client: anthropic.Anthropic, provider: Provider) -> None:
    provider.script(Reply(data="follow"))
    reply = client.messages.parse(model=provider.model, messages=ASK, max_tokens=50, output_format=Term)
    assert reply.parsed_output == Term(party="text", days=1)


def test_images_and_documents_reach_the_provider(client: anthropic.Anthropic, provider: Provider) -> None:
    picture: Any = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
    source = {"type": "base64", "media_type": "application/pdf", "data": PIXEL}
    document: Any = {"type": "document", "source": source, "title": "contract.pdf"}
    content: Any = [picture, document, {"type": "text", "text": "Compare."}]
    client.messages.create(model=provider.model, messages=[{"role": "user", "content": content}], max_tokens=50)
    sent = json.dumps(provider.asked)
    assert sent.count(PIXEL) == 2
    assert "contract.pdf" in sent


@pytest.mark.parametrize("is_streamed", [False, True])
def test_thinking_comes_before_the_text_and_may_be_sent_back(
    client: anthropic.Anthropic, rig: Rig, *, is_streamed: bool
) -> None:
    provider = rig.anthropic
    provider.script(Reply(text="Thirty.", reasoning="Clause 9 says so."), Reply(text="Yes."))
    more: dict[str, Any] = {"max_tokens": 2000, "thinking": {"type": "enabled", "budget_tokens": 1024}}
    if is_streamed:
        with client.messages.stream(model=provider.model, messages=ASK, **more) as stream:
            first: Any = stream.get_final_message()
    else:
        first = client.messages.create(model=provider.model, messages=ASK, **more)
    assert [block.type for block in first.content] == ["thinking", "text"]
    assert first.content[0].thinking == "Clause 9 says so."
    assert first.content[0].signature == "c2NyaXB0ZWQ="
    turns: list[MessageParam] = [
        *ASK,
        {"role": "assistant", "content": first.content},
        {"role": "user", "content": "Sure?"},
    ]
    client.messages.create(model=provider.model, messages=turns, **more)
    assert provider.asked["messages"][1]["content"][0]["signature"] == "c2NyaXB0ZWQ="
    assert provider.asked["thinking"]["budget_tokens"] == 1024


def test_reasoning_of_another_dialect_is_thinking_here(client: anthropic.Anthropic, rig: Rig) -> None:
    rig.openai.script(Reply(text="Thirty.", reasoning="Clause 9."), Reply(text="Thirty.", reasoning="Clause 9."))
    more: dict[str, Any] = {"max_tokens": 2000, "thinking": {"type": "enabled", "budget_tokens": 1024}}
    whole: Any = client.messages.create(model=rig.openai.model, messages=ASK, **more)
    with client.messages.stream(model=rig.openai.model, messages=ASK, **more) as stream:
        streamed: Any = stream.get_final_message()
    for message in (whole, streamed):
        assert [block.type for block in message.content] == ["thinking", "text"]
        assert message.content[0].thinking == "Clause 9."


def test_tokens_are_counted_without_asking_a_model(client: anthropic.Anthropic, provider: Provider) -> None:
    short = client.messages.count_tokens(model=provider.model, messages=ASK)
    long = client.messages.count_tokens(
        model=provider.model, system="Be brief. " * 50, messages=ASK, tools=[WEATHER], tool_choice={"type": "auto"}
    )
    assert 0 < short.input_tokens < 50 < long.input_tokens
    assert provider.upstream.requests == []


def test_models_are_listed_page_by_page(client: anthropic.Anthropic, rig: Rig) -> None:
    pages = list(client.models.list(limit=3).iter_pages())
    names = [model.id for page in pages for model in page.data]
    assert len(pages) > 1
    assert len(names) == len(set(names))
    assert {rig.openai.model, rig.anthropic.model, "drafts"} <= set(names)
    assert client.models.retrieve(rig.anthropic.model).id == rig.anthropic.model
    with pytest.raises(anthropic.NotFoundError):
        client.models.retrieve("no-such-model")
