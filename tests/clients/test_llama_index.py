"""LlamaIndex, unchanged: OpenAILike over a provider of each dialect."""

import json
from typing import Any

import pydantic
import pytest

from tests.upstream import Reply, ToolCall

from .packages import package
from .rig import Provider, Rig

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


@pytest.fixture(scope="module")
def llms() -> Any:
    """LlamaIndex's words for messages."""
    return package("llama_index.core.llms")


@pytest.fixture
def model(rig: Rig, provider: Provider) -> Any:
    """As its documentation says for a server that speaks OpenAI's dialect."""
    return package("llama_index.llms.openai_like").OpenAILike(
        model=provider.model,
        api_base=rig.v1,
        api_key=rig.key,
        is_chat_model=True,
        is_function_calling_model=True,
        context_window=128_000,
    )


def test_chat_and_complete_give_text(model: Any, llms: Any, provider: Provider) -> None:
    provider.script(Reply(text="Thirty days."), Reply(text="Ten."))
    reply = model.chat([llms.ChatMessage(role="user", content="The notice period?")])
    assert reply.message.content == "Thirty days."
    assert model.complete("The payment term?").text == "Ten."


async def test_streams_come_in_pieces(model: Any, llms: Any, provider: Provider) -> None:
    provider.script(Reply(text="one two three"), Reply(text="one two"))
    question = [llms.ChatMessage(role="user", content="Count.")]
    assert "".join(chunk.delta for chunk in model.stream_chat(question)) == "one two three"
    assert "".join([chunk.delta async for chunk in await model.astream_chat(question)]) == "one two"


def test_tools_are_called(model: Any, provider: Provider) -> None:
    calls = (ToolCall("weather", '{"city":"Oslo"}', "call_a"), ToolCall("weather", '{"city":"Rome"}', "call_b"))
    provider.script(Reply(tool_calls=calls))
    tool = package("llama_index.core.tools").FunctionTool.from_defaults(weather)
    reply = model.chat_with_tools([tool], user_msg="The weather?", allow_parallel_tool_calls=True)
    asked = model.get_tool_calls_from_response(reply)
    assert [(call.tool_id, call.tool_kwargs) for call in asked] == [
        ("call_a", {"city": "Oslo"}),
        ("call_b", {"city": "Rome"}),
    ]
    assert "weather" in json.dumps(provider.asked)


def test_a_structured_model_gives_an_object(model: Any, llms: Any, provider: Provider) -> None:
    provider.script(Reply(tool_calls=(ToolCall("Term", '{"party":"Acme","days":30}'),)))
    asking = model.as_structured_llm(Term)
    reply = asking.chat([llms.ChatMessage(role="user", content="The term?")])
    assert reply.raw == Term(party="Acme", days=30)
