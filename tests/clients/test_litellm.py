"""LiteLLM as a client, unchanged: `completion` with our address, in both dialects, over a provider of each."""

import json
from typing import Any

import pytest

from tests.upstream import Reply, Tokens, ToolCall

from .packages import package
from .rig import OPENAI_EMBEDDER, Provider, Rig

WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
ASK = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "The notice period?"}]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # of the package; they are not ours to mend
]


@pytest.fixture(scope="module")
def litellm() -> Any:
    """The package; it would fetch its list of prices at import."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
        return package("litellm")


@pytest.fixture(params=["openai", "anthropic"])
def where(rig: Rig, provider: Provider, request: pytest.FixtureRequest) -> dict[str, Any]:
    """The arguments that lead to the gateway; the first part of the model says how LiteLLM speaks."""
    base = rig.v1 if request.param == "openai" else rig.url
    return {"model": f"{request.param}/{provider.model}", "api_base": base, "api_key": rig.key, "num_retries": 0}


def test_a_completion_has_text_and_usage(litellm: Any, where: dict[str, Any], provider: Provider) -> None:
    provider.script(Reply(text="Thirty days.", usage=Tokens(input=20, output=4)))
    reply = litellm.completion(messages=ASK, max_tokens=50, **where)
    assert reply.choices[0].message.content == "Thirty days."
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (20, 4)
    assert "Be brief." in json.dumps(provider.asked)


def test_a_stream_comes_in_pieces(litellm: Any, where: dict[str, Any], provider: Provider) -> None:
    provider.script(Reply(text="one two three"))
    stream = litellm.completion(messages=ASK, stream=True, stream_options={"include_usage": True}, **where)
    chunks = list(stream)
    said = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(said) == "one two three"
    assert sum(bool(each) for each in said) == 3


async def test_asynchronous_calls_work_as_well(litellm: Any, where: dict[str, Any], provider: Provider) -> None:
    provider.script(Reply(text="one"))
    assert (await litellm.acompletion(messages=ASK, **where)).choices[0].message.content == "one"


@pytest.mark.parametrize("is_streamed", [False, True])
def test_tools_are_called_and_answered(
    litellm: Any, where: dict[str, Any], provider: Provider, *, is_streamed: bool
) -> None:
    calls = (ToolCall("weather", '{"city":"Oslo"}', "call_a"), ToolCall("weather", '{"city":"Rome"}', "call_b"))
    provider.script(Reply(tool_calls=calls), Reply(text="Cold and warm."))
    first = litellm.completion(messages=ASK, tools=[WEATHER], tool_choice="auto", stream=is_streamed, **where)
    if is_streamed:
        first = litellm.stream_chunk_builder(list(first))
    message = first.choices[0].message
    assert [json.loads(call.function.arguments)["city"] for call in message.tool_calls] == ["Oslo", "Rome"]
    results = [
        {"role": "tool", "tool_call_id": call.id, "content": f"result of {call.id}"} for call in message.tool_calls
    ]
    last = litellm.completion(messages=[*ASK, message.model_dump(), *results], tools=[WEATHER], **where)
    assert last.choices[0].message.content == "Cold and warm."
    assert "result of call_b" in json.dumps(provider.asked)


def test_responses_work_as_well(litellm: Any, rig: Rig, provider: Provider) -> None:
    where = {"model": f"openai/{provider.model}", "api_base": rig.v1, "api_key": rig.key}
    provider.script(Reply(text="one"), Reply(text="two words"))
    assert litellm.responses(input="Say one.", **where).output[0].content[0].text == "one"
    events = list(litellm.responses(input="Say two words.", stream=True, **where))
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == "two words"


def test_a_schema_is_followed(litellm: Any, where: dict[str, Any], provider: Provider) -> None:
    provider.script(Reply(data="follow"))
    schema = {"type": "object", "properties": {"days": {"type": "integer"}}, "required": ["days"]}
    wanted = {"type": "json_schema", "json_schema": {"name": "term", "schema": schema}}
    reply = litellm.completion(messages=ASK, response_format=wanted, **where)
    assert json.loads(reply.choices[0].message.content) == {"days": 1}


def test_refusals_are_litellms_own_exceptions(litellm: Any, where: dict[str, Any], rig: Rig) -> None:
    with pytest.raises(litellm.AuthenticationError):
        litellm.completion(messages=ASK, **{**where, "api_key": "ms_not_a_key"})
    with pytest.raises(litellm.RateLimitError):
        litellm.completion(messages=ASK, **{**where, "api_key": rig.frugal_key})


def test_embeddings_are_vectors_of_the_texts(litellm: Any, rig: Rig) -> None:
    reply = litellm.embedding(model=f"openai/{OPENAI_EMBEDDER}", input=["one", "two"], api_base=rig.v1, api_key=rig.key)
    assert [len(each["embedding"]) for each in reply.data] == [8, 8]
