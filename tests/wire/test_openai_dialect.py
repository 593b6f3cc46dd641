"""The OpenAI dialect on the wire: what we send, what we read, and that nothing is lost between."""

from typing import Any

import pytest
from inline_snapshot import snapshot

from mainspring.inference.gateway.collect import Collector
from mainspring.inference.gateway.errors import (
    ContentRefused,
    ContextTooLong,
    InvalidOutput,
    InvalidRequest,
    ModelError,
    Overloaded,
    RateLimited,
    StreamBroken,
    TimedOut,
    Unauthorized,
)
from mainspring.inference.gateway.providers.openai import (
    StreamReader,
    StreamWriter,
    decode_completion,
    decode_embeddings,
    decode_request,
    encode_completion,
    encode_embeddings,
    encode_request,
    failure_of,
)
from mainspring.inference.gateway.providers.profiles import Profile, profile_of
from mainspring.inference.gateway.providers.sse import SseParser
from mainspring.inference.gateway.providers.wire import read_object, to_json
from mainspring.inference.messages import (
    Completion,
    Delta,
    Extra,
    FilePart,
    Finished,
    FinishReason,
    ImagePart,
    InferenceRequest,
    Inline,
    Link,
    Message,
    OpaquePart,
    ReasoningDelta,
    ReasoningPart,
    ResponseFormat,
    Role,
    Sampling,
    Started,
    TextDelta,
    TextPart,
    Tool,
    ToolCallDelta,
    ToolCallPart,
    ToolChoice,
    ToolResultPart,
    Usage,
    UsageUpdate,
    assistant,
    system,
    user,
)

WEATHER = Tool(
    "get_weather", "The weather of a place.", {"type": "object", "properties": {"place": {"type": "string"}}}
)
TOOL_TALK = InferenceRequest(
    messages=(
        system("Be brief."),
        user("Weather in Paris and Rome?"),
        Message(
            Role.ASSISTANT,
            (
                ReasoningPart("Two places."),
                ToolCallPart("call_1", "get_weather", '{"place":"Paris"}'),
                ToolCallPart("call_2", "get_weather", '{"place":"Rome"}'),
            ),
        ),
        Message(
            Role.TOOL,
            (
                ToolResultPart("call_1", (TextPart("18 C"),)),
                ToolResultPart("call_2", (TextPart("25 C"),)),
            ),
        ),
    ),
    model="openai/gpt-5-mini",
    tools=(WEATHER,),
    tool_choice=ToolChoice("named", "get_weather", parallel=True),
    sampling=Sampling(temperature=0.2, top_p=0.9, seed=7, stop=("END",)),
    max_tokens=100,
)


def chunk(delta: dict[str, Any], reason: str | None = None, **more: Any) -> dict[str, Any]:
    choices = [{"index": 0, "delta": delta, "finish_reason": reason}]
    return {"id": "c1", "object": "chat.completion.chunk", "created": 5, "model": "gpt-x", "choices": choices, **more}


def call(index: int, arguments: str, id_: str | None = None) -> dict[str, Any]:
    named = {"id": id_, "type": "function"} if id_ else {}
    name = {"name": "get_weather"} if id_ else {}
    return {"index": index, **named, "function": {**name, "arguments": arguments}}


USAGE = {
    "prompt_tokens": 30,
    "completion_tokens": 12,
    "total_tokens": 42,
    "prompt_tokens_details": {"cached_tokens": 10},
    "completion_tokens_details": {"reasoning_tokens": 4},
}
CHUNKS = [
    chunk({"role": "assistant", "content": ""}, system_fingerprint="fp"),
    chunk({"reasoning_content": "Hm."}),
    chunk({"content": "Grüße 🖋"}),
    chunk({"tool_calls": [call(0, "", "a")]}),
    chunk({"tool_calls": [call(1, '{"place":', "b")]}),
    chunk({"tool_calls": [call(0, '{"place":"Köln"}'), call(1, '"Rom"}')]}),
    chunk({}, "tool_calls"),
    {**chunk({}), "choices": [], "usage": USAGE},
]
STREAM = b"".join(b"data: " + to_json(each) + b"\n\n" for each in CHUNKS) + b"data: [DONE]\n\n"
STREAMED = Completion(
    message=Message(
        Role.ASSISTANT,
        (
            ReasoningPart("Hm."),
            TextPart("Grüße 🖋"),
            ToolCallPart("a", "get_weather", '{"place":"Köln"}'),
            ToolCallPart("b", "get_weather", '{"place":"Rom"}'),
        ),
    ),
    finish_reason=FinishReason.TOOL_CALLS,
    usage=Usage(30, 12, 10, 0, 4),
    model="gpt-x",
    id="c1",
    extra=Extra("openai", {"system_fingerprint": "fp"}),
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
    assert encode_request(TOOL_TALK, model="gpt-4o", profile=profile_of("openai", "gpt-4o")) == snapshot(
        {
            "model": "gpt-4o",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "Weather in Paris and Rome?"},
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {
                            "id": "call_1",
                            "type": "function",
                            "function": {"name": "get_weather", "arguments": '{"place":"Paris"}'},
                        },
                        {
                            "id": "call_2",
                            "type": "function",
                            "function": {"name": "get_weather", "arguments": '{"place":"Rome"}'},
                        },
                    ],
                },
                {"role": "tool", "tool_call_id": "call_1", "content": "18 C"},
                {"role": "tool", "tool_call_id": "call_2", "content": "25 C"},
            ],
            "stream": True,
            "stream_options": {"include_usage": True},
            "tools": [
                {
                    "type": "function",
                    "function": {
                        "name": "get_weather",
                        "description": "The weather of a place.",
                        "parameters": {"type": "object", "properties": {"place": {"type": "string"}}},
                    },
                }
            ],
            "tool_choice": {"type": "function", "function": {"name": "get_weather"}},
            "parallel_tool_calls": True,
            "temperature": 0.2,
            "top_p": 0.9,
            "seed": 7,
            "stop": ["END"],
            "max_completion_tokens": 100,
        }
    )


def test_a_request_with_tools_comes_back_as_it_was() -> None:
    wire = encode_request(TOOL_TALK, model="openai/gpt-5-mini", profile=profile_of("compatible", "x"), stream=False)
    again = decode_request(wire)
    assert again.messages == TOOL_TALK.messages
    assert (again.tools, again.tool_choice, again.sampling) == (
        TOOL_TALK.tools,
        TOOL_TALK.tool_choice,
        TOOL_TALK.sampling,
    )
    assert (again.model, again.max_tokens) == (TOOL_TALK.model, TOOL_TALK.max_tokens)


def test_a_reasoning_model_is_not_sent_what_it_refuses() -> None:
    wire = encode_request(TOOL_TALK, model="gpt-5-mini", profile=profile_of("openai", "gpt-5-mini"))
    assert "temperature" not in wire
    assert "top_p" not in wire
    assert wire["max_completion_tokens"] == 100
    assert "reasoning_content" not in wire["messages"][2]


def test_a_schema_goes_out_strict() -> None:
    shape = ResponseFormat("Reply", {"type": "object", "properties": {}, "additionalProperties": False})
    request = InferenceRequest((user("Hi"),), response_format=shape)
    wire = encode_request(request, model="m", profile=Profile())
    assert wire["response_format"] == snapshot(
        {
            "type": "json_schema",
            "json_schema": {
                "name": "Reply",
                "strict": True,
                "schema": {"type": "object", "properties": {}, "additionalProperties": False},
            },
        }
    )
    assert decode_request(wire).response_format == shape


def test_pictures_and_files_go_inline_or_by_link() -> None:
    parts = (
        TextPart("See"),
        ImagePart(Link("https://example.com/a.png"), Extra("openai", {"image_url": {"detail": "high"}})),
        ImagePart(Inline("aGk=", "image/png")),
        FilePart(Inline("aGk=", "application/pdf"), "a.pdf"),
    )
    wire = encode_request(InferenceRequest((Message(Role.USER, parts),)), model="m", profile=Profile())
    assert wire["messages"][0]["content"] == snapshot(
        [
            {"type": "text", "text": "See"},
            {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "high"}},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}},
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,aGk="}},
        ]
    )
    assert decode_request(wire).messages[0].parts == parts


def test_a_file_by_link_is_refused_rather_than_dropped() -> None:
    request = InferenceRequest((Message(Role.USER, (FilePart(Link("https://example.com/a.pdf")),)),))
    with pytest.raises(InvalidRequest, match="inline"):
        encode_request(request, model="m", profile=Profile())


def test_fields_without_a_word_here_survive_the_way_through() -> None:
    wire: dict[str, Any] = {
        "model": "m",
        "logit_bias": {"5": -1},
        "response_format": {"type": "json_object"},
        "messages": [
            {"role": "developer", "content": "Be brief.", "cache": True},
            {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "x"}}]},
            {
                "role": "assistant",
                "content": None,
                "audio": {"id": "a"},
                "tool_calls": [{"id": "1", "type": "custom", "custom": {"name": "x"}}],
            },
        ],
        "tools": [{"type": "function", "function": {"name": "f", "description": "", "parameters": {}, "strict": True}}],
    }
    again = encode_request(decode_request(wire), model="m", profile=Profile(), stream=False)
    assert again["logit_bias"] == wire["logit_bias"]
    assert again["response_format"] == wire["response_format"]
    assert again["messages"][:2] == wire["messages"][:2]
    assert again["messages"][2] == wire["messages"][2]
    assert again["tools"] == wire["tools"]


def test_fields_of_another_dialect_stay_behind() -> None:
    foreign = Extra("anthropic", {"cache_control": {"type": "ephemeral"}})
    parts = (TextPart("Hi", foreign), OpaquePart(Extra("anthropic", {"type": "server_tool_use"})))
    request = InferenceRequest((Message(Role.ASSISTANT, parts, extra=foreign),), extra=foreign)
    wire = encode_request(request, model="m", profile=Profile(), stream=False)
    assert wire == {"model": "m", "messages": [{"role": "assistant", "content": [{"type": "text", "text": "Hi"}]}]}


@pytest.mark.parametrize(
    "wire",
    [
        {},
        {"messages": []},
        {"messages": [{"role": "wizard", "content": "x"}]},
        {"messages": [{"role": "user", "content": [{}]}]},
        {"messages": [{"role": "user", "content": "x"}], "tools": [{"type": "function"}]},
        {"messages": [{"role": "user", "content": "x"}], "tool_choice": "perhaps"},
    ],
)
def test_a_body_that_means_nothing_is_refused(wire: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        decode_request(wire)


def test_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="surrogate"):
        to_json({"text": "\ud83d"})


def test_a_stream_with_parallel_tools_cut_at_any_byte_gives_the_same_reply() -> None:
    for cut in range(len(STREAM) + 1):
        assert gather(read(STREAM[:cut], STREAM[cut:])) == STREAMED, f"cut at byte {cut}"


def test_a_stream_is_read_into_deltas() -> None:
    assert read(STREAM) == snapshot(
        [
            Started(id="c1", model="gpt-x"),
            ReasoningDelta(text="Hm."),
            TextDelta(text="Grüße 🖋"),
            ToolCallDelta(index=0, id="a", name="get_weather"),
            ToolCallDelta(index=1, id="b", name="get_weather", arguments='{"place":'),
            ToolCallDelta(index=0, arguments='{"place":"Köln"}'),
            ToolCallDelta(index=1, arguments='"Rom"}'),
            UsageUpdate(usage=Usage(input_tokens=30, output_tokens=12, cached_tokens=10, reasoning_tokens=4)),
            Finished(
                reason=FinishReason.TOOL_CALLS, extra=Extra(dialect="openai", fields={"system_fingerprint": "fp"})
            ),
        ]
    )


def test_a_stream_is_written_and_read_again() -> None:
    writer = StreamWriter(created=5)
    written = b"".join(writer.write(delta) for delta in read(STREAM))
    assert written.endswith(b"data: [DONE]\n\n")
    again = gather(read(written))
    assert (again.message, again.usage, again.finish_reason) == (
        STREAMED.message,
        STREAMED.usage,
        STREAMED.finish_reason,
    )


def test_unknown_fields_of_a_chunk_reach_the_other_side() -> None:
    odd = {**CHUNKS[2], "choices": [{"index": 0, "delta": {"annotations": [1]}, "logprobs": {"a": 1}}]}
    stream = b"data: " + to_json(odd) + b"\n\ndata: " + to_json(CHUNKS[6]) + b"\n\n"
    writer = StreamWriter(created=5)
    written = b"".join(writer.write(delta) for delta in read(stream))
    events = [read_object(event.data) or {} for event in SseParser().feed(written)]
    (found,) = [choice for event in events for choice in event.get("choices", []) if choice.get("logprobs")]
    assert found["delta"] == {"annotations": [1]}


def test_a_stream_without_done_but_with_a_reason_is_whole() -> None:
    assert gather(read(STREAM.removesuffix(b"data: [DONE]\n\n"))) == STREAMED


def test_a_stream_that_stops_before_its_reason_is_broken() -> None:
    with pytest.raises(StreamBroken):
        read(STREAM[: STREAM.index(b'"finish_reason":"tool_calls"')])


def test_an_error_inside_a_stream_is_mapped() -> None:
    with pytest.raises(Overloaded) as raised:
        read(b'data: {"error":{"type":"server_error","message":"secret detail"}}\n\n')
    assert "secret" not in raised.value.detail
    assert raised.value.vendor_text == "secret detail"


def test_a_refusal_is_told_by_its_own_field() -> None:
    deltas = read(b"data: " + to_json(chunk({"refusal": "No."}, "stop")) + b"\n\n")
    assert deltas[1:] == [TextDelta("No."), Finished(FinishReason.REFUSED)]


def test_a_full_reply_is_read_and_written() -> None:
    wire: dict[str, Any] = {
        "id": "c1",
        "object": "chat.completion",
        "created": 5,
        "model": "gpt-x",
        "service_tier": "default",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hi", "annotations": [{"type": "x"}]},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 9,
            "completion_tokens": 2,
            "total_tokens": 11,
            "prompt_tokens_details": {"cached_tokens": 4},
            "completion_tokens_details": {"reasoning_tokens": 1},
        },
    }
    completion = decode_completion(wire)
    assert completion == Completion(
        message=Message(Role.ASSISTANT, (TextPart("Hi"),), extra=Extra("openai", {"annotations": [{"type": "x"}]})),
        finish_reason=FinishReason.STOP,
        usage=Usage(input_tokens=9, output_tokens=2, cached_tokens=4, reasoning_tokens=1),
        model="gpt-x",
        id="c1",
        extra=Extra("openai", {"service_tier": "default"}),
    )
    assert encode_completion(completion, created=5) == wire


def test_a_reply_without_a_choice_is_invalid() -> None:
    with pytest.raises(InvalidOutput):
        decode_completion({"choices": []})


@pytest.mark.parametrize(
    ("status", "error", "expected"),
    [
        (400, {"code": "context_length_exceeded"}, ContextTooLong),
        (400, {"type": "exceed_context_size_error", "code": 400}, ContextTooLong),
        (400, {"message": "This model's maximum context length is 4096 tokens", "code": 400}, ContextTooLong),
        (400, {"code": "content_policy_violation"}, ContentRefused),
        (400, {"type": "invalid_request_error"}, InvalidRequest),
        (401, {"code": "invalid_api_key"}, Unauthorized),
        (403, {}, Unauthorized),
        (404, {"code": "model_not_found"}, InvalidRequest),
        (408, {}, TimedOut),
        (429, {"code": "rate_limit_exceeded"}, RateLimited),
        (429, {"code": "insufficient_quota"}, Unauthorized),
        (500, {"type": "server_error"}, Overloaded),
        (503, {}, Overloaded),
        (504, {}, TimedOut),
    ],
)
def test_failures_become_a_small_closed_set(status: int, error: dict[str, Any], expected: type[ModelError]) -> None:
    body = to_json({"error": {"message": "vendor words", **error}})
    failure = failure_of(status, {"retry-after": "7"}, body)
    assert type(failure) is expected
    assert failure.retry_after_seconds == 7
    assert "vendor" not in failure.detail


def test_a_failure_that_is_no_json_is_mapped_by_its_status() -> None:
    failure = failure_of(502, {}, b"<html>\xff bad gateway</html>")
    assert isinstance(failure, Overloaded)
    assert "bad gateway" in (failure.vendor_text or "")


def test_embeddings_are_read_in_order_whatever_their_form() -> None:
    wire = {"model": "e", "data": [{"index": 1, "embedding": [0.0, 1.0]}, {"index": 0, "embedding": "AACAPwAAAAA="}]}
    embeddings = decode_embeddings(wire, expected=2)
    assert embeddings.vectors.tolist() == [[1.0, 0.0], [0.0, 1.0]]
    again = decode_embeddings(encode_embeddings(embeddings, as_base64=True), expected=2)
    assert again.vectors.tolist() == embeddings.vectors.tolist()


@pytest.mark.parametrize(
    "wire",
    [
        {},
        {"data": []},
        {"data": [{"index": 0, "embedding": "***"}]},
        {"data": [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [1.0, 2.0]}]},
        {"data": [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [1.0]}]},
    ],
)
def test_embeddings_that_cannot_be_trusted_are_refused(wire: dict[str, Any]) -> None:
    with pytest.raises(InvalidOutput):
        decode_embeddings(wire, expected=1)


def test_earlier_answers_go_out_as_plain_text() -> None:
    request = InferenceRequest((user("Hi"), assistant("Hello"), user("Bye")))
    wire = encode_request(request, model="m", profile=Profile(), stream=False)
    assert [message["content"] for message in wire["messages"]] == ["Hi", "Hello", "Bye"]
