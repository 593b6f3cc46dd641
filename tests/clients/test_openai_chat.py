"""OpenAI's own client, unchanged: chat completions over a provider of each dialect."""

import json
from collections.abc import Iterator
from typing import Any, Literal

import openai
import pydantic
import pytest
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam

from tests.upstream import Reply, Tokens, ToolCall

from .rig import PIXEL, Provider, Rig

ASK: list[ChatCompletionMessageParam] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "What is the notice period?"},
]
WEATHER: ChatCompletionToolParam = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
TWO_CALLS = Reply(
    tool_calls=(ToolCall("weather", '{"city":"Oslo"}', "call_a"), ToolCall("weather", '{"city":"Rome"}', "call_b"))
)


class Term(pydantic.BaseModel):
    party: str
    days: int
    kind: Literal["notice", "payment"]


@pytest.fixture
def client(rig: Rig) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=rig.v1, api_key=rig.key, max_retries=0) as opened:
        yield opened


def test_a_reply_comes_with_its_usage(client: openai.OpenAI, provider: Provider) -> None:
    provider.script(Reply(text="Thirty days.", usage=Tokens(input=20, output=4, cached=8)))
    reply = client.chat.completions.create(model=provider.model, messages=ASK, max_completion_tokens=50)
    assert reply.choices[0].message.content == "Thirty days."
    assert reply.choices[0].finish_reason == "stop"
    assert reply.usage is not None
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens, reply.usage.total_tokens) == (20, 4, 24)
    assert reply.usage.prompt_tokens_details is not None
    assert reply.usage.prompt_tokens_details.cached_tokens == 8
    assert "Be brief." in json.dumps(provider.asked)


async def test_the_asynchronous_client_works_as_well(rig: Rig, provider: Provider) -> None:
    provider.script(Reply(text="one"), Reply(text="two words"))
    async with openai.AsyncOpenAI(base_url=rig.v1, api_key=rig.key) as client:
        reply = await client.chat.completions.create(model=provider.model, messages=ASK)
        stream = await client.chat.completions.create(model=provider.model, messages=ASK, stream=True)
        words = [chunk.choices[0].delta.content async for chunk in stream if chunk.choices]
    assert reply.choices[0].message.content == "one"
    assert "".join(word or "" for word in words) == "two words"


@pytest.mark.parametrize("asks_for_usage", [True, False])
def test_a_stream_tells_usage_only_when_asked(
    client: openai.OpenAI, provider: Provider, *, asks_for_usage: bool
) -> None:
    provider.script(Reply(text="a b c", usage=Tokens(input=9, output=3)))
    more: dict[str, Any] = {"stream_options": {"include_usage": True}} if asks_for_usage else {}
    chunks = list(client.chat.completions.create(model=provider.model, messages=ASK, stream=True, **more))
    said = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
    assert "".join(word or "" for word in said) == "a b c"
    assert sum(bool(word) for word in said) == 3
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    told = [chunk.usage for chunk in chunks if chunk.usage]
    assert [(each.prompt_tokens, each.completion_tokens) for each in told] == ([(9, 3)] if asks_for_usage else [])


def test_parallel_tool_calls_go_there_and_their_results_back(client: openai.OpenAI, provider: Provider) -> None:
    provider.script(TWO_CALLS, Reply(text="Cold and warm."))
    first = client.chat.completions.create(
        model=provider.model, messages=ASK, tools=[WEATHER], parallel_tool_calls=True, tool_choice="required"
    )
    assert first.choices[0].finish_reason == "tool_calls"
    calls = first.choices[0].message.tool_calls or []
    assert [(call.id, json.loads(call.function.arguments)["city"]) for call in calls if call.type == "function"] == [
        ("call_a", "Oslo"),
        ("call_b", "Rome"),
    ]
    turn: Any = first.choices[0].message
    results: list[ChatCompletionMessageParam] = [
        {"role": "tool", "tool_call_id": call.id, "content": f"result of {call.id}"} for call in calls
    ]
    last = client.chat.completions.create(model=provider.model, messages=[*ASK, turn, *results], tools=[WEATHER])
    assert last.choices[0].message.content == "Cold and warm."
    sent = json.dumps(provider.asked)
    assert all(word in sent for word in ("call_a", "call_b", "result of call_a", "result of call_b", "Oslo", "Rome"))


def test_tool_calls_are_put_together_from_a_stream(client: openai.OpenAI, provider: Provider) -> None:
    provider.script(TWO_CALLS)
    with client.chat.completions.stream(model=provider.model, messages=ASK, tools=[WEATHER]) as stream:
        done = [event for event in stream if event.type == "tool_calls.function.arguments.done"]
        final = stream.get_final_completion()
    assert [(event.index, event.name, event.arguments) for event in done] == [
        (0, "weather", '{"city":"Oslo"}'),
        (1, "weather", '{"city":"Rome"}'),
    ]
    calls = final.choices[0].message.tool_calls or []
    assert [(call.id, call.function.arguments) for call in calls] == [
        ("call_a", '{"city":"Oslo"}'),
        ("call_b", '{"city":"Rome"}'),
    ]


def test_the_stream_helper_gathers_the_text(client: openai.OpenAI, provider: Provider) -> None:
    provider.script(Reply(text="one two three"))
    with client.chat.completions.stream(
        model=provider.model, messages=ASK, stream_options={"include_usage": True}
    ) as stream:
        pieces = [event.delta for event in stream if event.type == "content.delta"]
        final = stream.get_final_completion()
    assert "".join(pieces) == final.choices[0].message.content == "one two three"
    assert final.usage is not None
    assert final.usage.completion_tokens == 7


def test_parse_gives_an_object_of_the_callers_class(client: openai.OpenAI, provider: Provider) -> None:
    provider.script(Reply(data="follow"))
    reply = client.chat.completions.parse(model=provider.model, messages=ASK, response_format=Term)
    assert reply.choices[0].message.parsed == Term(party="text", days=1, kind="notice")


def test_parse_works_in_a_stream(client: openai.OpenAI, provider: Provider) -> None:
    provider.script(Reply(data="follow"))
    with client.chat.completions.stream(model=provider.model, messages=ASK, response_format=Term) as stream:
        final = stream.get_final_completion()
    assert final.choices[0].message.parsed == Term(party="text", days=1, kind="notice")


def test_a_json_schema_reaches_the_provider(client: openai.OpenAI, provider: Provider) -> None:
    provider.script(Reply(data="follow"))
    schema: dict[str, object] = {
        "type": "object",
        "properties": {"days": {"type": "integer"}},
        "required": ["days"],
        "additionalProperties": False,
    }
    reply = client.chat.completions.create(
        model=provider.model,
        messages=ASK,
        response_format={"type": "json_schema", "json_schema": {"name": "term", "schema": schema, "strict": True}},
    )
    assert json.loads(reply.choices[0].message.content or "") == {"days": 1}


def test_images_reach_the_provider(client: openai.OpenAI, provider: Provider) -> None:
    url = f"data:image/png;base64,{PIXEL}"
    messages: list[ChatCompletionMessageParam] = [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": url, "detail": "low"}},
            ],
        }
    ]
    client.chat.completions.create(model=provider.model, messages=messages)
    assert PIXEL in json.dumps(provider.asked)


def test_files_reach_the_provider(client: openai.OpenAI, provider: Provider) -> None:
    data = f"data:application/pdf;base64,{PIXEL}"
    messages: list[ChatCompletionMessageParam] = [
        {
            "role": "user",
            "content": [
                {"type": "file", "file": {"filename": "contract.pdf", "file_data": data}},
                {"type": "text", "text": "Summarise."},
            ],
        }
    ]
    client.chat.completions.create(model=provider.model, messages=messages)
    sent = json.dumps(provider.asked)
    assert PIXEL in sent
    assert "contract.pdf" in sent


def test_logprobs_are_passed_on(client: openai.OpenAI, rig: Rig) -> None:
    token = {"token": "yes", "bytes": [121, 101, 115], "logprob": -0.1, "top_logprobs": []}
    choice: dict[str, Any] = {"index": 0, "finish_reason": "stop", "logprobs": {"content": [token], "refusal": None}}
    rig.openai.script(Reply(extra={"choices": [{**choice, "message": {"role": "assistant", "content": "yes"}}]}))
    reply = client.chat.completions.create(model=rig.openai.model, messages=ASK, logprobs=True, top_logprobs=2)
    assert reply.choices[0].logprobs is not None
    assert [each.logprob for each in reply.choices[0].logprobs.content or []] == [-0.1]
    assert rig.openai.asked["top_logprobs"] == 2


def test_reasoning_is_passed_on_beside_the_text(client: openai.OpenAI, provider: Provider) -> None:
    provider.script(Reply(text="Thirty.", reasoning="Clause 9 says so."), Reply(text="Ten.", reasoning="Clause 2."))
    whole = client.chat.completions.create(model=provider.model, messages=ASK, reasoning_effort="low")
    assert (whole.choices[0].message.model_extra or {})["reasoning_content"] == "Clause 9 says so."
    stream = client.chat.completions.create(model=provider.model, messages=ASK, reasoning_effort="low", stream=True)
    deltas = [chunk.choices[0].delta.model_extra or {} for chunk in stream if chunk.choices]
    assert "".join(delta.get("reasoning_content") or "" for delta in deltas) == "Clause 2."


def test_a_reply_that_was_cut_says_so(client: openai.OpenAI, provider: Provider) -> None:
    provider.script(Reply(text="Thirty", finish="length"))
    reply = client.chat.completions.create(model=provider.model, messages=ASK, max_tokens=1)
    assert reply.choices[0].finish_reason == "length"
