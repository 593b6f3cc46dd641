"""OpenAI's own client, unchanged: the Responses API, without kept state, over a provider of each dialect."""

import json
from collections.abc import Iterator
from typing import Any

import openai
import pydantic
import pytest
from openai.types.responses import FunctionToolParam, ResponseInputParam

from tests.upstream import Reply, Tokens, ToolCall

from .rig import PIXEL, Provider, Rig

WEATHER: FunctionToolParam = {
    "type": "function",
    "name": "weather",
    "description": "The weather in a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}
TWO_CALLS = Reply(
    tool_calls=(ToolCall("weather", '{"city":"Oslo"}', "call_a"), ToolCall("weather", '{"city":"Rome"}', "call_b"))
)


class Term(pydantic.BaseModel):
    party: str
    days: int


@pytest.fixture
def client(rig: Rig) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=rig.v1, api_key=rig.key, max_retries=0) as opened:
        yield opened


def test_a_response_comes_with_its_text_and_usage(client: openai.OpenAI, provider: Provider) -> None:
    provider.script(Reply(text="Thirty days.", usage=Tokens(input=20, output=4, cached=8)))
    reply = client.responses.create(
        model=provider.model, instructions="Be brief.", input="The notice period?", max_output_tokens=50, store=False
    )
    assert reply.output_text == "Thirty days."
    assert reply.status == "completed"
    assert reply.usage is not None
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (20, 4)
    assert reply.usage.input_tokens_details.cached_tokens == 8
    assert "Be brief." in json.dumps(provider.asked)


def test_a_streamed_response_has_its_events_in_order(client: openai.OpenAI, provider: Provider) -> None:
    provider.script(Reply(text="one two three"))
    events = list(client.responses.create(model=provider.model, input="Count.", stream=True))
    kinds = [event.type for event in events]
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.completed"
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == "one two three"
    assert [event.sequence_number for event in events] == list(range(len(events)))


def test_the_stream_helper_gathers_a_response(client: openai.OpenAI, provider: Provider) -> None:
    provider.script(Reply(text="one two", usage=Tokens(input=9, output=2)))
    with client.responses.stream(model=provider.model, input="Count.") as stream:
        pieces = [event.delta for event in stream if event.type == "response.output_text.delta"]
        final = stream.get_final_response()
    assert "".join(pieces) == final.output_text == "one two"
    assert final.usage is not None
    assert final.usage.output_tokens == 2


async def test_the_asynchronous_client_streams_as_well(rig: Rig, provider: Provider) -> None:
    provider.script(Reply(text="one two"))
    async with openai.AsyncOpenAI(base_url=rig.v1, api_key=rig.key) as client:
        stream = await client.responses.create(model=provider.model, input="Count.", stream=True)
        pieces = [event.delta async for event in stream if event.type == "response.output_text.delta"]
    assert "".join(pieces) == "one two"


@pytest.mark.parametrize("is_streamed", [False, True])
def test_tool_calls_go_there_and_their_outputs_back(
    client: openai.OpenAI, provider: Provider, *, is_streamed: bool
) -> None:
    provider.script(TWO_CALLS, Reply(text="Cold and warm."))
    question: ResponseInputParam = [{"role": "user", "content": "The weather in Oslo and Rome?"}]
    if is_streamed:
        with client.responses.stream(model=provider.model, input=question, tools=[WEATHER]) as stream:
            first: Any = stream.get_final_response()
    else:
        first = client.responses.create(model=provider.model, input=question, tools=[WEATHER], store=False)
    calls = [item for item in first.output if item.type == "function_call"]
    assert [(call.call_id, call.name, json.loads(call.arguments)) for call in calls] == [
        ("call_a", "weather", {"city": "Oslo"}),
        ("call_b", "weather", {"city": "Rome"}),
    ]
    outputs: ResponseInputParam = [
        {"type": "function_call_output", "call_id": call.call_id, "output": f"result of {call.call_id}"}
        for call in calls
    ]
    last = client.responses.create(
        model=provider.model, input=[*question, *first.output, *outputs], tools=[WEATHER], store=False
    )
    assert last.output_text == "Cold and warm."
    sent = json.dumps(provider.asked)
    assert all(word in sent for word in ("result of call_a", "result of call_b", "Oslo", "Rome"))


def test_parse_gives_an_object_of_the_callers_class(client: openai.OpenAI, provider: Provider) -> None:
    provider.script(Reply(data="follow"), Reply(data="follow"))
    reply = client.responses.parse(model=provider.model, input="The term?", text_format=Term)
    assert reply.output_parsed == Term(party="text", days=1)
    with client.responses.stream(model=provider.model, input="The term?", text_format=Term) as stream:
        assert stream.get_final_response().output_parsed == Term(party="text", days=1)


def test_images_and_files_reach_the_provider(client: openai.OpenAI, provider: Provider) -> None:
    client.responses.create(
        model=provider.model,
        input=[
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "Compare."},
                    {"type": "input_image", "image_url": f"data:image/png;base64,{PIXEL}", "detail": "auto"},
                    {
                        "type": "input_file",
                        "filename": "contract.pdf",
                        "file_data": f"data:application/pdf;base64,{PIXEL}",
                    },
                ],
            }
        ],
    )
    sent = json.dumps(provider.asked)
    assert sent.count(PIXEL) == 2
    assert "contract.pdf" in sent


def test_reasoning_is_an_item_of_its_own(client: openai.OpenAI, provider: Provider) -> None:
    provider.script(Reply(text="Thirty.", reasoning="Clause 9 says so."))
    reply = client.responses.create(model=provider.model, input="Why?", reasoning={"effort": "low", "summary": "auto"})
    assert [item.type for item in reply.output] == ["reasoning", "message"]
    assert "Clause 9 says so." in reply.output[0].model_dump_json()


def test_a_response_that_was_cut_is_incomplete(client: openai.OpenAI, provider: Provider) -> None:
    provider.script(Reply(text="Thirty", finish="length"))
    reply = client.responses.create(model=provider.model, input="Why?", max_output_tokens=1)
    assert reply.status == "incomplete"
    assert reply.incomplete_details is not None
    assert reply.incomplete_details.reason == "max_output_tokens"


def test_kept_state_is_refused_clearly(client: openai.OpenAI, provider: Provider) -> None:
    with pytest.raises(openai.BadRequestError, match="previous_response_id"):
        client.responses.create(model=provider.model, input="And then?", previous_response_id="resp_1")
