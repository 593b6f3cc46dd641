"""LangChain, unchanged: its chat models of both dialects over a provider of each."""

import json
from functools import reduce
from operator import add
from typing import Any

import pydantic
import pytest

from tests.upstream import Reply, Tokens, ToolCall

from .packages import package
from .rig import OPENAI_EMBEDDER, PIXEL, Provider, Rig

langchain_openai = package("langchain_openai")
langchain_anthropic = package("langchain_anthropic")
messages = package("langchain_core.messages")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of the packages; they are not ours to mend
]


class Term(pydantic.BaseModel):
    """A term of a contract."""

    party: str
    days: int


def weather(city: str) -> str:
    """The weather in a city."""
    return f"result for {city}"


@pytest.fixture(params=["ChatOpenAI", "ChatOpenAI with responses", "ChatAnthropic"])
def model(rig: Rig, provider: Provider, request: pytest.FixtureRequest) -> Any:
    """A chat model of each of LangChain's classes in turn."""
    match request.param:
        case "ChatOpenAI":
            return langchain_openai.ChatOpenAI(
                model=provider.model, base_url=rig.v1, api_key=rig.key, stream_usage=True
            )
        case "ChatOpenAI with responses":
            return langchain_openai.ChatOpenAI(
                model=provider.model, base_url=rig.v1, api_key=rig.key, use_responses_api=True
            )
        case _:
            return langchain_anthropic.ChatAnthropic(model=provider.model, base_url=rig.url, api_key=rig.key)


def test_invoke_gives_text_and_usage(model: Any, provider: Provider) -> None:
    provider.script(Reply(text="Thirty days.", usage=Tokens(input=20, output=4)))
    reply = model.invoke([messages.SystemMessage("Be brief."), messages.HumanMessage("The notice period?")])
    assert reply.text == "Thirty days."
    assert (reply.usage_metadata["input_tokens"], reply.usage_metadata["output_tokens"]) == (20, 4)
    assert "Be brief." in json.dumps(provider.asked)


def test_stream_gives_pieces_and_usage(model: Any, provider: Provider) -> None:
    provider.script(Reply(text="one two three", usage=Tokens(input=20, output=4)))
    chunks = list(model.stream("Count."))
    assert "".join(chunk.text for chunk in chunks) == "one two three"
    assert sum(bool(chunk.text) for chunk in chunks) == 3
    assert sum((chunk.usage_metadata or {}).get("output_tokens", 0) for chunk in chunks) == 4


async def test_asynchronous_calls_work_as_well(model: Any, provider: Provider) -> None:
    provider.script(Reply(text="one"), Reply(text="two words"))
    assert (await model.ainvoke("Say one.")).text == "one"
    assert "".join([chunk.text async for chunk in model.astream("Say two words.")]) == "two words"


@pytest.mark.parametrize("is_streamed", [False, True])
def test_bound_tools_are_called_and_answered(model: Any, provider: Provider, *, is_streamed: bool) -> None:
    calls = (ToolCall("weather", '{"city":"Oslo"}', "call_a"), ToolCall("weather", '{"city":"Rome"}', "call_b"))
    provider.script(Reply(tool_calls=calls), Reply(text="Cold and warm."))
    bound, question = model.bind_tools([weather]), messages.HumanMessage("The weather in Oslo and Rome?")
    first = reduce(add, bound.stream([question])) if is_streamed else bound.invoke([question])
    assert [(call["name"], call["args"]) for call in first.tool_calls] == [
        ("weather", {"city": "Oslo"}),
        ("weather", {"city": "Rome"}),
    ]
    results = [messages.ToolMessage(weather(**call["args"]), tool_call_id=call["id"]) for call in first.tool_calls]
    assert bound.invoke([question, first, *results]).text == "Cold and warm."
    sent = json.dumps(provider.asked)
    assert all(word in sent for word in ("result for Oslo", "result for Rome", "weather"))


def test_structured_output_is_an_object_of_the_callers_class(model: Any, provider: Provider) -> None:
    provider.script(Reply(data="follow"))
    asking = model.with_structured_output(Term)
    assert asking.invoke("The term?") == Term(party="text", days=1)


@pytest.mark.parametrize("is_streamed", [False, True])
def test_structured_output_by_a_tool_works_as_well(model: Any, provider: Provider, *, is_streamed: bool) -> None:
    provider.script(Reply(tool_calls=(ToolCall("Term", '{"party":"Acme","days":30}'),)))
    asking = model.with_structured_output(Term, method="function_calling")
    found = list(asking.stream("The term?"))[-1] if is_streamed else asking.invoke("The term?")
    assert found == Term(party="Acme", days=30)


def test_images_reach_the_provider(model: Any, provider: Provider) -> None:
    picture = {"type": "image", "base64": PIXEL, "mime_type": "image/png"}
    model.invoke([messages.HumanMessage([{"type": "text", "text": "What is this?"}, picture])])
    assert PIXEL in json.dumps(provider.asked)


def test_embeddings_are_vectors_of_the_texts(rig: Rig) -> None:
    embedder = langchain_openai.OpenAIEmbeddings(
        model=OPENAI_EMBEDDER, base_url=rig.v1, api_key=rig.key, check_embedding_ctx_length=False
    )
    assert [len(vector) for vector in embedder.embed_documents(["one", "two"])] == [8, 8]
