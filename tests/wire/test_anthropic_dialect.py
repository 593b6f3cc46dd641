"""The Anthropic dialect on the wire: what we send, what we read, and that nothing is lost between."""

from typing import Any

import pytest
from inline_snapshot import snapshot

from mainspring.inference.gateway.collect import Collector
from mainspring.inference.gateway.errors import (
    ContextTooLong,
    InvalidRequest,
    ModelError,
    Overloaded,
    RateLimited,
    StreamBroken,
    TimedOut,
    Unauthorized,
)
from mainspring.inference.gateway.providers import openai
from mainspring.inference.gateway.providers.anthropic import (
    StreamReader,
    StreamWriter,
    decode_completion,
    decode_request,
    encode_completion,
    encode_request,
    failure_of,
)
from mainspring.inference.gateway.providers.profiles import Profile, profile_of
from mainspring.inference.gateway.providers.sse import SseParser
from mainspring.inference.gateway.providers.wire import to_json
from mainspring.inference.messages import (
    Completion,
    Delta,
    Extra,
    FilePart,
    FinishReason,
    ImagePart,
    InferenceRequest,
    Inline,
    Link,
    Message,
    OpaquePart,
    ReasoningPart,
    ResponseFormat,
    Role,
    Sampling,
    Stored,
    TextPart,
    Tool,
    ToolCallPart,
    ToolChoice,
    ToolResultPart,
    Usage,
    system,
    user,
)

WEATHER = Tool(
    "get_weather", "The weather of a place.", {"type": "object", "properties": {"place": {"type": "string"}}}
)
TALK = InferenceRequest(
    messages=(
        system("Be brief."),
        user("Weather in Paris and Rome?"),
        Message(
            Role.ASSISTANT,
            (
                ReasoningPart("Two places.", "seal"),
                TextPart("I look."),
                ToolCallPart("toolu_1", "get_weather", '{"place":"Paris"}'),
                ToolCallPart("toolu_2", "get_weather", '{"place":"Rome"}'),
            ),
        ),
        Message(
            Role.TOOL,
            (
                ToolResultPart("toolu_1", (TextPart("18 C"),)),
                ToolResultPart("toolu_2", (TextPart("no such place"),), is_error=True),
            ),
        ),
        user("And now?"),
    ),
    model="claude-sonnet-4-5",
    tools=(WEATHER,),
    tool_choice=ToolChoice("required", parallel=False),
    sampling=Sampling(temperature=0.2, stop=("END",)),
    max_tokens=100,
)
SONNET = profile_of("anthropic", "claude-sonnet-4-5")

EVENTS: list[dict[str, Any]] = [
    {
        "type": "message_start",
        "message": {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-x-1",
            "content": [],
            "usage": {"input_tokens": 20, "cache_read_input_tokens": 8, "output_tokens": 1},
        },
    },
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}},
    {"type": "ping"},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm."}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "seal"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Grüße 🖋"}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "of_tomorrow", "text": "?"}},
    {"type": "content_block_stop", "index": 1},
    {
        "type": "content_block_start",
        "index": 2,
        "content_block": {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {}},
    },
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": '{"query":'}},
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": '"law"}'}},
    {"type": "content_block_stop", "index": 2},
    {
        "type": "content_block_start",
        "index": 3,
        "content_block": {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {}},
    },
    {"type": "content_block_delta", "index": 3, "delta": {"type": "input_json_delta", "partial_json": ""}},
    {"type": "content_block_delta", "index": 3, "delta": {"type": "input_json_delta", "partial_json": '{"place":"K'}},
    {"type": "content_block_delta", "index": 3, "delta": {"type": "input_json_delta", "partial_json": 'öln"}'}},
    {"type": "content_block_stop", "index": 3},
    {
        "type": "content_block_start",
        "index": 4,
        "content_block": {"type": "tool_use", "id": "toolu_2", "name": "get_weather", "input": {}},
    },
    {"type": "content_block_delta", "index": 4, "delta": {"type": "input_json_delta", "partial_json": "{}"}},
    {"type": "content_block_stop", "index": 4},
    {"type": "event_of_tomorrow"},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "tool_use", "stop_sequence": None},
        "usage": {"output_tokens": 42},
    },
    {"type": "message_stop"},
]
STREAM = b"".join(b"event: " + each["type"].encode() + b"\ndata: " + to_json(each) + b"\n\n" for each in EVENTS)
STREAMED = Completion(
    message=Message(
        Role.ASSISTANT,
        (
            ReasoningPart("Hm.", "seal"),
            TextPart("Grüße 🖋"),
            OpaquePart(
                Extra(
                    "anthropic",
                    {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {"query": "law"}},
                )
            ),
            ToolCallPart("toolu_1", "get_weather", '{"place":"Köln"}'),
            ToolCallPart("toolu_2", "get_weather", "{}"),
        ),
    ),
    finish_reason=FinishReason.TOOL_CALLS,
    usage=Usage(input_tokens=28, output_tokens=42, cached_tokens=8),
    model="claude-x-1",
    id="msg_1",
)


def read(*pieces: bytes) -> list[Delta]:
    parser, reader = SseParser(), StreamReader()
    deltas = [delta for piece in pieces for event in parser.feed(piece) for delta in reader.feed(event)]
    return [*deltas, *reader.end()]


def gather(deltas: list[Delta]) -> Completion:
    collector = Collector()
    for delta in deltas:
        collector.add(delta)
    return collector.completion()


def test_a_request_with_tools_is_written() -> None:
    assert encode_request(TALK, model="claude-sonnet-4-5", profile=SONNET) == snapshot(
        {
            "model": "claude-sonnet-4-5",
            "max_tokens": 100,
            "system": "Be brief.",
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "Weather in Paris and Rome?"}]},
                {
                    "role": "assistant",
                    "content": [
                        {"type": "thinking", "thinking": "Two places.", "signature": "seal"},
                        {"type": "text", "text": "I look."},
                        {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"place": "Paris"}},
                        {"type": "tool_use", "id": "toolu_2", "name": "get_weather", "input": {"place": "Rome"}},
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "tool_result",
                            "tool_use_id": "toolu_1",
                            "content": [{"type": "text", "text": "18 C"}],
                        },
                        {
                            "type": "tool_result",
                            "tool_use_id": "toolu_2",
                            "content": [{"type": "text", "text": "no such place"}],
                            "is_error": True,
                        },
                        {"type": "text", "text": "And now?"},
                    ],
                },
            ],
            "stream": True,
            "tools": [
                {
                    "name": "get_weather",
                    "description": "The weather of a place.",
                    "input_schema": {"type": "object", "properties": {"place": {"type": "string"}}},
                }
            ],
            "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
            "temperature": 0.2,
            "stop_sequences": ["END"],
        }
    )


def test_a_request_with_tools_comes_back_as_it_was() -> None:
    assert decode_request(encode_request(TALK, model="claude-sonnet-4-5", profile=SONNET, stream=False)) == TALK


def test_a_request_crosses_from_one_dialect_to_the_other() -> None:
    wire = openai.encode_request(TALK, model="x", profile=Profile(), stream=False)
    crossed = encode_request(openai.decode_request(wire), model="x", profile=SONNET, stream=False)
    roles = [(turn["role"], [block["type"] for block in turn["content"]]) for turn in crossed["messages"]]
    assert roles == [
        ("user", ["text"]),
        ("assistant", ["text", "tool_use", "tool_use"]),
        ("user", ["tool_result", "tool_result", "text"]),
    ]


def test_a_limit_is_always_sent() -> None:
    request = InferenceRequest((user("Hi"),))
    assert encode_request(request, model="m", profile=SONNET)["max_tokens"] == 64000
    assert encode_request(request, model="m", profile=Profile())["max_tokens"] == 4096


def test_a_schema_is_enforced_or_at_least_shown() -> None:
    shape = ResponseFormat("reply", {"type": "object", "properties": {}, "additionalProperties": False})
    request = InferenceRequest((user("Hi"),), response_format=shape)
    wire = encode_request(request, model="m", profile=SONNET)
    assert wire["output_config"] == snapshot(
        {
            "format": {
                "type": "json_schema",
                "schema": {"type": "object", "properties": {}, "additionalProperties": False},
            }
        }
    )
    assert decode_request(wire).response_format == shape
    shown = encode_request(request, model="m", profile=Profile(json_schema=False))
    assert "output_config" not in shown
    assert '"additionalProperties":false' in shown["system"]


def test_pictures_and_files_go_inline_by_link_or_by_id() -> None:
    parts = (
        ImagePart(Link("https://example.com/a.png")),
        ImagePart(Inline("aGk=", "image/png")),
        FilePart(Inline("aGk=", "application/pdf"), "a.pdf", Extra("anthropic", {"citations": {"enabled": True}})),
        FilePart(Stored("file_1")),
    )
    wire = encode_request(InferenceRequest((Message(Role.USER, parts),)), model="m", profile=SONNET)
    assert wire["messages"][0]["content"] == snapshot(
        [
            {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}},
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "aGk="},
                "title": "a.pdf",
                "citations": {"enabled": True},
            },
            {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
        ]
    )
    assert decode_request(wire).messages[0].parts == parts


def test_fields_without_a_word_here_survive_the_way_through() -> None:
    wire: dict[str, Any] = {
        "model": "m",
        "max_tokens": 10,
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "metadata": {"user_id": "u"},
        "output_config": {"effort": "low"},
        "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": [{"type": "search_result", "source": "x", "title": "y", "content": []}]},
            {"role": "assistant", "content": [{"type": "redacted_thinking", "data": "abc"}]},
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "1",
                        "content": [{"type": "text", "text": "ok"}],
                        "cache_control": {"type": "ephemeral"},
                    }
                ],
            },
        ],
        "tools": [{"type": "web_search_20250305", "name": "web_search", "max_uses": 3}],
    }
    assert encode_request(decode_request(wire), model="m", profile=SONNET, stream=False) == wire


def test_what_the_dialect_refuses_is_left_out() -> None:
    unsealed = Message(Role.ASSISTANT, (ReasoningPart("unsealed"), TextPart(""), TextPart("Hi")))
    wire = encode_request(InferenceRequest((user("?"), unsealed)), model="m", profile=SONNET)
    assert wire["messages"][1]["content"] == [{"type": "text", "text": "Hi"}]


@pytest.mark.parametrize(
    "wire",
    [
        {},
        {"messages": []},
        {"messages": [{"role": "wizard", "content": "x"}]},
        {"messages": [{"role": "user", "content": [{}]}]},
        {"messages": [{"role": "user", "content": "x"}], "tools": [{}]},
        {"messages": [{"role": "user", "content": "x"}], "tool_choice": {"type": "perhaps"}},
    ],
)
def test_a_body_that_means_nothing_is_refused(wire: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        decode_request(wire)


def test_a_stream_cut_at_any_byte_gives_the_same_reply() -> None:
    for cut in range(len(STREAM) + 1):
        assert gather(read(STREAM[:cut], STREAM[cut:])) == STREAMED, f"cut at byte {cut}"


def test_a_stream_is_written_and_read_again() -> None:
    writer = StreamWriter()
    written = b"".join(writer.write(delta) for delta in read(STREAM))
    again = gather(read(written))
    assert (again.message, again.usage, again.id, again.model) == (
        STREAMED.message,
        STREAMED.usage,
        STREAMED.id,
        STREAMED.model,
    )


def test_a_stream_crosses_from_one_dialect_to_the_other() -> None:
    writer = openai.StreamWriter(created=5)
    written = b"".join(writer.write(delta) for delta in read(STREAM))
    reader, deltas = openai.StreamReader(), list[Delta]()
    for event in SseParser().feed(written):
        deltas += reader.feed(event)
    crossed = gather([*deltas, *reader.end()])
    assert crossed.text == "Grüße 🖋"
    assert crossed.tool_calls == STREAMED.tool_calls
    assert crossed.usage == STREAMED.usage


def test_a_written_stream_has_the_shape_the_dialect_wants() -> None:
    writer = StreamWriter()
    written = b"".join(writer.write(delta) for delta in read(STREAM))
    types = [event.type for event in SseParser().feed(written)]
    assert types[0] == "message_start"
    assert types[-2:] == ["message_delta", "message_stop"]
    assert types.count("content_block_start") == types.count("content_block_stop") == 5


def test_a_stream_that_stops_before_its_reason_is_broken() -> None:
    with pytest.raises(StreamBroken):
        read(STREAM[: STREAM.index(b"event: message_delta")])


def test_an_error_inside_a_stream_is_mapped() -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "vendor words"}}
    with pytest.raises(Overloaded) as raised:
        read(b"event: error\ndata: " + to_json(error) + b"\n\n")
    assert "vendor" not in raised.value.detail


def test_a_full_reply_is_read_and_written() -> None:
    wire: dict[str, Any] = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-x-1",
        "content": [
            {"type": "text", "text": "Hi", "citations": [{"type": "char_location"}]},
            {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": [1]}},
        ],
        "stop_reason": "stop_sequence",
        "stop_sequence": "END",
        "container": {"id": "c"},
        "usage": {
            "input_tokens": 5,
            "output_tokens": 2,
            "cache_read_input_tokens": 3,
            "cache_creation_input_tokens": 1,
        },
    }
    completion = decode_completion(wire)
    assert (completion.finish_reason, completion.text) == (FinishReason.STOP, "Hi")
    assert completion.usage == Usage(input_tokens=9, output_tokens=2, cached_tokens=3, cache_write_tokens=1)
    assert encode_completion(completion) == wire


@pytest.mark.parametrize(
    ("status", "error", "expected"),
    [
        (400, {"type": "invalid_request_error"}, InvalidRequest),
        (400, {"type": "invalid_request_error", "message": "prompt is too long: 210000 tokens"}, ContextTooLong),
        (401, {"type": "authentication_error"}, Unauthorized),
        (403, {"type": "permission_error"}, Unauthorized),
        (404, {"type": "not_found_error"}, InvalidRequest),
        (413, {"type": "request_too_large"}, ContextTooLong),
        (429, {"type": "rate_limit_error"}, RateLimited),
        (500, {"type": "api_error"}, Overloaded),
        (504, {"type": "timeout_error"}, TimedOut),
        (529, {"type": "overloaded_error"}, Overloaded),
    ],
)
def test_failures_become_a_small_closed_set(status: int, error: dict[str, Any], expected: type[ModelError]) -> None:
    failure = failure_of(status, {"retry-after": "3"}, to_json({"type": "error", "error": {"message": "m", **error}}))
    assert type(failure) is expected
    assert failure.retry_after_seconds == 3
