"""The vendors' own clients over a model that truly generates: the small one that is bundled."""

from typing import Literal

import anthropic
import numpy as np
import openai
import pydantic
import pytest
from anthropic.types import MessageParam

from .rig import LOCAL_EMBEDDER, LOCAL_MODEL, Rig


class Person(pydantic.BaseModel):
    age: Literal[20, 30, 40]
    is_adult: bool


def test_a_chat_is_answered_and_counted(rig: Rig) -> None:
    with openai.OpenAI(base_url=rig.v1, api_key=rig.key) as client:
        raw = client.chat.completions.with_raw_response.create(
            model=LOCAL_MODEL, messages=[{"role": "user", "content": "Say hello."}], max_tokens=8, temperature=0
        )
    reply = raw.parse()
    assert reply.choices[0].message.content
    assert reply.usage is not None
    assert 0 < reply.usage.completion_tokens <= 8
    assert raw.headers["x-mainspring-provider"] == "local"
    assert raw.headers["x-mainspring-cost-micros"] == "0"


def test_a_stream_brings_the_same_words_as_the_whole(rig: Rig) -> None:
    with openai.OpenAI(base_url=rig.v1, api_key=rig.key) as client:
        whole = client.chat.completions.create(
            model=LOCAL_MODEL, messages=[{"role": "user", "content": "Say hello."}], max_tokens=8, temperature=0
        )
        stream = client.chat.completions.create(
            model=LOCAL_MODEL,
            messages=[{"role": "user", "content": "Say hello."}],
            max_tokens=8,
            temperature=0,
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = list(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == (
        whole.choices[0].message.content
    )
    assert [chunk.usage.completion_tokens for chunk in chunks if chunk.usage] == [
        whole.usage.completion_tokens if whole.usage else None
    ]


def test_the_grammar_makes_the_reply_fit_the_callers_class(rig: Rig) -> None:
    with openai.OpenAI(base_url=rig.v1, api_key=rig.key) as client:
        reply = client.chat.completions.parse(
            model=LOCAL_MODEL,
            messages=[{"role": "user", "content": "Invent a person."}],
            response_format=Person,
            max_tokens=60,
            temperature=1.5,
        )
        answer = client.responses.parse(model=LOCAL_MODEL, input="Invent a person.", text_format=Person)
    assert reply.choices[0].message.parsed is not None
    assert answer.output_parsed is not None


def test_anthropics_client_gets_words_and_objects(rig: Rig) -> None:
    with anthropic.Anthropic(base_url=rig.url, api_key=rig.key) as client:
        with client.messages.stream(
            model=LOCAL_MODEL, messages=[{"role": "user", "content": "Say hello."}], max_tokens=8
        ) as stream:
            text = "".join(stream.text_stream)
            final = stream.get_final_message()
        parsed = client.messages.parse(
            model=LOCAL_MODEL,
            messages=[{"role": "user", "content": "Invent a person."}],
            max_tokens=60,
            output_format=Person,
        )
    assert text
    assert 0 < final.usage.output_tokens <= 8
    assert parsed.parsed_output is not None


def test_texts_that_mean_the_same_are_close(rig: Rig) -> None:
    texts = ["Either party may end this agreement.", "This contract can be terminated.", "Two eggs and flour."]
    with openai.OpenAI(base_url=rig.v1, api_key=rig.key) as client:
        reply = client.embeddings.create(model=LOCAL_EMBEDDER, input=texts)
    vectors = np.array([each.embedding for each in reply.data])
    likeness = vectors @ vectors.T
    assert likeness[0, 1] > 0.5 > likeness[0, 2]
    assert reply.usage.prompt_tokens > 10


def test_the_record_holds_what_was_asked_and_said(rig: Rig) -> None:
    with openai.OpenAI(base_url=rig.v1, api_key=rig.key) as client:
        reply = client.chat.completions.create(
            model=LOCAL_MODEL, messages=[{"role": "user", "content": "Say hello."}], max_tokens=8
        )
    record = rig.record(reply._request_id or "")  # pyright: ignore[reportPrivateUsage] - its documented name
    assert record["model_asked"] == LOCAL_MODEL
    assert reply.usage is not None
    assert record["output_tokens"] == reply.usage.completion_tokens
    assert record["status"] == "ok"


def test_what_the_model_cannot_do_is_refused_as_the_callers_mistake(rig: Rig) -> None:
    parameters: dict[str, object] = {"type": "object", "properties": {}}
    long: MessageParam = {"role": "user", "content": "word " * 20_000}
    with (
        openai.OpenAI(base_url=rig.v1, api_key=rig.key) as client,
        pytest.raises(openai.BadRequestError, match="calls no tools") as caught,
    ):
        client.chat.completions.create(
            model=LOCAL_MODEL,
            messages=[{"role": "user", "content": "Hello."}],
            tools=[{"type": "function", "function": {"name": "weather", "parameters": parameters}}],
        )
    assert caught.value.code == "no_route"
    with (
        anthropic.Anthropic(base_url=rig.url, api_key=rig.key) as client,
        pytest.raises(anthropic.BadRequestError, match="tokens of context"),
    ):
        client.messages.create(model=LOCAL_MODEL, messages=[long], max_tokens=5)
