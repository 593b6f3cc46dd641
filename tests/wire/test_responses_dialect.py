"""Requests of the responses dialect: what callers send, and what its providers are sent."""

from typing import Any

import pytest
from inline_snapshot import snapshot

from mainspring.inference.gateway.errors import InvalidRequest
from mainspring.inference.gateway.providers import anthropic, openai
from mainspring.inference.gateway.providers.profiles import Profile, profile_of
from mainspring.inference.gateway.providers.responses import (
    INBOUND,
    decode_request,
    encode_request,
)
from mainspring.inference.gateway.providers.wire import Wire
from mainspring.inference.messages import (
    Extra,
    FilePart,
    ImagePart,
    Inline,
    Link,
    Message,
    ReasoningPart,
    ResponseFormat,
    Role,
    Sampling,
    Stored,
    TextPart,
    Tool,
    ToolChoice,
    ToolResultPart,
)

GPT = profile_of("openai", "gpt-5-mini")
SEAL = "gAAAAABsealed"
TALK: Wire = {
    "model": "openai/gpt-5-mini",
    "instructions": "Be brief.",
    "input": [
        {"role": "user", "content": "Weather in Paris and Rome?"},
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "Two."}],
            "encrypted_content": SEAL,
        },
        {
            "type": "message",
            "role": "assistant",
            "id": "msg_1",
            "status": "completed",
            "content": [{"type": "output_text", "text": "I look.", "annotations": []}],
        },
        {"type": "function_call", "call_id": "a", "name": "get_weather", "arguments": '{"place":"Paris"}'},
        {"type": "function_call", "call_id": "b", "name": "get_weather", "arguments": '{"place":"Rome"}'},
        {"type": "function_call_output", "call_id": "a", "output": "18 C"},
        {
            "type": "function_call_output",
            "call_id": "b",
            "output": [
                {"type": "input_text", "text": "See:"},
                {"type": "input_image", "image_url": "data:image/png;base64,aGk=", "detail": "low"},
            ],
        },
        {"role": "developer", "content": "Use Celsius."},
        {"role": "user", "content": "And now?"},
        {"role": "user", "content": "Well?"},
    ],
    "tools": [{"type": "function", "name": "get_weather", "parameters": {"type": "object"}, "strict": True}],
    "tool_choice": {"type": "function", "name": "get_weather"},
    "parallel_tool_calls": False,
    "temperature": 0.2,
    "top_p": 0.9,
    "max_output_tokens": 100,
    "store": True,
    "metadata": {"matter": "17"},
    "reasoning": {"effort": "low", "summary": "auto"},
}


def test_a_talk_with_parallel_tools_is_read_into_turns() -> None:
    request = decode_request(TALK)
    assert [(turn.role, [part.type for part in turn.parts]) for turn in request.messages] == [
        (Role.SYSTEM, ["text"]),
        (Role.USER, ["text"]),
        (Role.ASSISTANT, ["reasoning", "text", "tool_call", "tool_call"]),
        (Role.TOOL, ["tool_result", "tool_result"]),
        (Role.SYSTEM, ["text"]),
        (Role.USER, ["text"]),
        (Role.USER, ["text"]),
    ]
    assert request.messages[2].parts[0] == ReasoningPart("Two.", SEAL, Extra("responses", {"id": "rs_1"}))
    picture = ImagePart(Inline("aGk=", "image/png"), Extra("responses", {"detail": "low"}))
    assert request.messages[3].parts[1] == ToolResultPart("b", (TextPart("See:"), picture))
    assert request.tools == (Tool("get_weather", "", {"type": "object"}, Extra("responses", {"strict": True})),)
    assert request.tool_choice == ToolChoice("named", "get_weather", parallel=False)
    assert (request.sampling, request.max_tokens) == (Sampling(0.2, 0.9), 100)


def test_a_text_is_a_message_of_the_user() -> None:
    request = decode_request({"model": "m", "input": "Hi"})
    assert request.messages == (Message(Role.USER, (TextPart("Hi"),)),)


def test_pictures_and_files_are_read_in_each_form() -> None:
    content = [
        {"type": "input_image", "image_url": "https://example.com/a.png", "detail": "high"},
        {"type": "input_image", "file_id": "file_1"},
        {"type": "input_file", "file_url": "https://example.com/a.pdf"},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,aGk="},
        {"type": "input_file", "file_id": "file_2"},
    ]
    request = decode_request({"input": [{"role": "user", "content": content}]})
    assert request.messages[0].parts == (
        ImagePart(Link("https://example.com/a.png"), Extra("responses", {"detail": "high"})),
        ImagePart(Stored("file_1")),
        FilePart(Link("https://example.com/a.pdf")),
        FilePart(Inline("aGk=", "application/pdf"), "a.pdf"),
        FilePart(Stored("file_2")),
    )


@pytest.mark.parametrize(
    ("field", "value", "hint"),
    [
        ("previous_response_id", "resp_1", "in `input`"),
        ("conversation", "conv_1", "in `input`"),
        ("background", True, "stream"),
    ],
)
def test_what_needs_a_memory_is_refused_with_what_to_send_instead(field: str, value: object, hint: str) -> None:
    with pytest.raises(InvalidRequest, match=f"{field} needs a memory") as raised:
        decode_request({"input": "Hi", field: value})
    assert hint in raised.value.detail
    assert INBOUND.encode_error(raised.value)["error"]["param"] == field


def test_a_stored_item_cannot_be_referred_to() -> None:
    with pytest.raises(InvalidRequest, match="stored item"):
        decode_request({"input": [{"type": "item_reference", "id": "msg_1"}]})


@pytest.mark.parametrize(
    "wire",
    [
        {},
        {"input": []},
        {"input": [{}]},
        {"input": [{"role": "wizard", "content": "x"}]},
        {"input": [{"role": "user", "content": [{}]}]},
        {"input": [{"type": "function_call"}]},
        {"input": "x", "tools": [{}]},
        {"input": "x", "tools": [{"type": "function"}]},
        {"input": "x", "tool_choice": "perhaps"},
    ],
)
def test_a_body_that_means_nothing_is_refused(wire: Wire) -> None:
    with pytest.raises(InvalidRequest):
        decode_request(wire)


def test_a_tool_that_the_provider_runs_goes_to_its_own_dialect_only() -> None:
    request = decode_request({"input": "x", "tools": [{"type": "web_search", "search_context_size": "low"}]})
    assert encode_request(request, model="m", profile=GPT)["tools"] == [
        {"type": "web_search", "search_context_size": "low"}
    ]
    for dialect in (openai, anthropic):
        with pytest.raises(InvalidRequest, match="web_search"):
            dialect.encode_request(request, model="m", profile=GPT)


def test_allowed_tools_are_the_only_ones_offered() -> None:
    functions = [{"type": "function", "name": name, "parameters": {}} for name in ("a", "b", "c")]
    choice = {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "b"}]}
    request = decode_request({"input": "x", "tools": functions, "tool_choice": choice})
    assert [tool.name for tool in request.tools] == ["b"]
    assert request.tool_choice == ToolChoice("required")


def test_a_request_is_written_for_a_provider_of_the_dialect_and_nothing_is_stored() -> None:
    wire = encode_request(decode_request(TALK), model="gpt-5-mini", profile=GPT, stream=False)
    assert wire == snapshot(
        {
            "model": "gpt-5-mini",
            "instructions": "Be brief.",
            "input": [
                {
                    "type": "message",
                    "role": "user",
                    "content": [{"type": "input_text", "text": "Weather in Paris and Rome?"}],
                },
                {
                    "type": "reasoning",
                    "summary": [{"type": "summary_text", "text": "Two."}],
                    "encrypted_content": "gAAAAABsealed",
                    "id": "rs_1",
                },
                {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "I look."}]},
                {"type": "function_call", "call_id": "a", "name": "get_weather", "arguments": '{"place":"Paris"}'},
                {"type": "function_call", "call_id": "b", "name": "get_weather", "arguments": '{"place":"Rome"}'},
                {"type": "function_call_output", "call_id": "a", "output": "18 C"},
                {
                    "type": "function_call_output",
                    "call_id": "b",
                    "output": [
                        {"type": "input_text", "text": "See:"},
                        {"type": "input_image", "image_url": "data:image/png;base64,aGk=", "detail": "low"},
                    ],
                },
                {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Use Celsius."}]},
                {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "And now?"}]},
                {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Well?"}]},
            ],
            "store": False,
            "tools": [
                {
                    "type": "function",
                    "name": "get_weather",
                    "description": "",
                    "parameters": {"type": "object"},
                    "strict": True,
                }
            ],
            "tool_choice": {"type": "function", "name": "get_weather"},
            "parallel_tool_calls": False,
            "max_output_tokens": 100,
            "include": ["reasoning.encrypted_content"],
            "metadata": {"matter": "17"},
            "reasoning": {"effort": "low", "summary": "auto"},
        }
    )


def test_a_chat_caller_reaches_a_provider_of_this_dialect() -> None:
    chat: Wire = {
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
        "reasoning_effort": "high",
        "verbosity": "low",
        "user": "u1",
        "response_format": {"type": "json_object"},
        "logprobs": True,
        "top_logprobs": 2,
    }
    wire = encode_request(openai.decode_request(chat), model="gpt-5-mini", profile=GPT, stream=False)
    assert wire == snapshot(
        {
            "model": "gpt-5-mini",
            "instructions": "Be brief.",
            "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}],
            "store": False,
            "include": ["reasoning.encrypted_content", "message.output_text.logprobs"],
            "reasoning": {"effort": "high"},
            "text": {"verbosity": "low", "format": {"type": "json_object"}},
            "top_logprobs": 2,
            "safety_identifier": "u1",
        }
    )


def test_a_provider_without_stop_sequences_is_not_asked_for_them_silently() -> None:
    request = openai.decode_request({"messages": [{"role": "user", "content": "Hi"}], "stop": "END"})
    with pytest.raises(InvalidRequest, match="stop"):
        encode_request(request, model="m", profile=GPT)


def test_a_schema_is_read_and_written() -> None:
    shape = {"type": "json_schema", "name": "Answer", "schema": {"type": "object"}, "strict": True}
    request = decode_request({"input": "x", "text": {"format": shape, "verbosity": "low"}})
    assert request.response_format == ResponseFormat("Answer", {"type": "object"})
    assert encode_request(request, model="m", profile=GPT)["text"] == {"format": shape, "verbosity": "low"}
    assert openai.encode_request(request, model="m", profile=GPT)["verbosity"] == "low"


def test_another_providers_seal_is_not_sent_to_this_one() -> None:
    sealed: list[Any] = [{"type": "reasoning", "summary": [], "encrypted_content": "EqQBsealed"}]
    request = decode_request({"input": [*sealed, {"role": "user", "content": "x"}]})
    assert [item["type"] for item in encode_request(request, model="m", profile=GPT)["input"]] == ["message"]
    claude = anthropic.encode_request(request, model="m", profile=Profile())
    assert claude["messages"][0]["content"][0]["signature"] == "EqQBsealed"
