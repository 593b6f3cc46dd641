"""Replies of the Gemini dialect, streamed and whole, its failures and its embeddings."""

from typing import Any

import numpy as np
import pytest

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
from mainspring.inference.gateway.providers import openai
from mainspring.inference.gateway.providers.gemini import (
    StreamReader,
    StreamWriter,
    decode_completion,
    decode_embeddings,
    embeddings_path,
    encode_completion,
    encode_embeddings,
    encode_texts,
    failure_of,
)
from mainspring.inference.gateway.providers.sse import SseParser
from mainspring.inference.gateway.providers.wire import to_json
from mainspring.inference.messages import (
    Completion,
    Delta,
    Extra,
    FinishReason,
    ImagePart,
    Inline,
    Message,
    OpaquePart,
    ReasoningPart,
    Role,
    TextPart,
    ToolCallPart,
    Usage,
)


def response(*parts: dict[str, Any], reason: str | None = None, **more: Any) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": list(parts)}, "index": 0}
    if reason:
        candidate["finishReason"] = reason
    return {"candidates": [candidate], "modelVersion": "gemini-x-001", "responseId": "r1", **more}


EVENTS: list[dict[str, Any]] = [
    response({"text": "Hm.", "thought": True}, usageMetadata={"promptTokenCount": 20, "totalTokenCount": 20}),
    response({"text": "Grüße "}),
    response({"text": "🖋"}),
    response({"executableCode": {"language": "PYTHON", "code": "1+1"}}),
    response(
        {
            "functionCall": {"id": "fc1", "name": "get_weather", "args": {"place": "Köln"}},
            "thoughtSignature": "c2VhbA==",
        },
        {"functionCall": {"name": "get_weather", "args": {}}},
    ),
    response({"text": "", "thoughtSignature": "bGFzdA=="}),
    response(
        reason="STOP",
        usageMetadata={
            "promptTokenCount": 20,
            "candidatesTokenCount": 30,
            "thoughtsTokenCount": 12,
            "cachedContentTokenCount": 8,
            "toolUsePromptTokenCount": 5,
            "totalTokenCount": 67,
        },
    ),
]
STREAM = b"".join(b"data: " + to_json(each) + b"\r\n\r\n" for each in EVENTS)
STREAMED = Completion(
    message=Message(
        Role.ASSISTANT,
        (
            ReasoningPart("Hm."),
            TextPart("Grüße 🖋"),
            OpaquePart(Extra("gemini", {"executableCode": {"language": "PYTHON", "code": "1+1"}})),
            ReasoningPart("", "gemini:c2VhbA=="),
            ToolCallPart("fc1", "get_weather", '{"place":"Köln"}'),
            ToolCallPart("gemini-call-r1-1", "get_weather", "{}"),
            ReasoningPart("", "gemini:bGFzdA=="),
        ),
    ),
    finish_reason=FinishReason.TOOL_CALLS,
    usage=Usage(25, 42, cached_tokens=8, reasoning_tokens=12, extra=Extra("gemini", {"toolUsePromptTokenCount": 5})),
    model="gemini-x-001",
    id="r1",
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


def test_a_full_reply_is_read_and_written() -> None:
    wire: dict[str, Any] = {
        "candidates": [
            {
                "content": {
                    "role": "model",
                    "parts": [
                        {"text": "Hm", "thought": True},
                        {"text": "Hi", "thoughtSignature": "c2VhbA=="},
                        {"inlineData": {"mimeType": "image/png", "data": "aGk="}},
                        {"functionCall": {"id": "1", "name": "f", "args": {"a": [1, None]}}},
                    ],
                },
                "finishReason": "STOP",
                "index": 0,
                "safetyRatings": [{"category": "HARM_CATEGORY_HARASSMENT", "probability": "NEGLIGIBLE"}],
                "avgLogprobs": -0.5,
            }
        ],
        "usageMetadata": {
            "promptTokenCount": 9,
            "candidatesTokenCount": 2,
            "thoughtsTokenCount": 3,
            "cachedContentTokenCount": 4,
            "totalTokenCount": 14,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 9}],
        },
        "modelVersion": "gemini-x-001",
        "responseId": "r1",
        "createTime": "2026-01-01T00:00:00Z",
    }
    completion = decode_completion(wire)
    assert completion.message.parts == (
        ReasoningPart("Hm", "gemini:c2VhbA=="),
        TextPart("Hi"),
        ImagePart(Inline("aGk=", "image/png")),
        ToolCallPart("1", "f", '{"a":[1,null]}'),
    )
    assert completion.finish_reason is FinishReason.TOOL_CALLS
    details = Extra("gemini", {"promptTokensDetails": [{"modality": "TEXT", "tokenCount": 9}]})
    assert completion.usage == Usage(9, 5, cached_tokens=4, reasoning_tokens=3, extra=details)
    assert encode_completion(completion) == wire


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("STOP", FinishReason.STOP),
        ("MAX_TOKENS", FinishReason.LENGTH),
        ("SAFETY", FinishReason.FILTERED),
        ("RECITATION", FinishReason.FILTERED),
        ("PROHIBITED_CONTENT", FinishReason.FILTERED),
        ("LANGUAGE", FinishReason.OTHER),
        ("MALFORMED_FUNCTION_CALL", FinishReason.OTHER),
        ("REASON_OF_TOMORROW", FinishReason.OTHER),
    ],
)
def test_each_reason_has_a_meaning_and_is_kept(reason: str, expected: FinishReason) -> None:
    counts = {"promptTokenCount": 1, "candidatesTokenCount": 1}
    wire = response({"text": "x"}, reason=reason, usageMetadata=counts)
    completion = decode_completion(wire)
    assert completion.finish_reason is expected
    assert encode_completion(completion)["candidates"][0]["finishReason"] == reason
    assert gather(read(b"data: " + to_json(wire) + b"\n\n")) == completion


def test_a_blocked_prompt_is_a_refusal() -> None:
    wire = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": 5}}
    with pytest.raises(ContentRefused) as raised:
        decode_completion(wire)
    assert raised.value.vendor_text == "PROHIBITED_CONTENT"
    with pytest.raises(ContentRefused):
        read(b"data: " + to_json(wire) + b"\n\n")


@pytest.mark.parametrize(
    "wire",
    [{}, {"candidates": []}, {"candidates": [{"content": {}, "finishReason": "MALFORMED_FUNCTION_CALL"}]}],
)
def test_a_reply_without_content_is_invalid(wire: dict[str, Any]) -> None:
    with pytest.raises(InvalidOutput):
        decode_completion(wire)


def test_a_call_that_could_not_be_read_breaks_a_stream_without_content() -> None:
    wire = {"candidates": [{"finishReason": "MALFORMED_FUNCTION_CALL", "finishMessage": "vendor words"}]}
    with pytest.raises(InvalidOutput) as raised:
        read(b"data: " + to_json(wire) + b"\n\n")
    assert "vendor words" in (raised.value.vendor_text or "")
    assert "vendor" not in raised.value.detail


def test_a_reply_cut_off_in_thought_is_whole_but_empty() -> None:
    completion = decode_completion({"candidates": [{"content": {"role": "model"}, "finishReason": "MAX_TOKENS"}]})
    assert (completion.message.parts, completion.finish_reason) == ((), FinishReason.LENGTH)


def test_a_stream_cut_at_any_byte_gives_the_same_reply() -> None:
    for cut in range(len(STREAM) + 1):
        assert gather(read(STREAM[:cut], STREAM[cut:])) == STREAMED, f"cut at byte {cut}"


def test_a_stream_is_written_and_read_again() -> None:
    writer = StreamWriter()
    written = b"".join(writer.write(delta) for delta in read(STREAM))
    assert gather(read(written)) == STREAMED


def test_a_stream_crosses_to_the_other_dialects() -> None:
    ours = openai.StreamWriter(created=5)
    written = b"".join(ours.write(delta) for delta in read(STREAM))
    reader, deltas = openai.StreamReader(), list[Delta]()
    for event in SseParser().feed(written):
        deltas += reader.feed(event)
    crossed = gather([*deltas, *reader.end()])
    assert (crossed.text, crossed.tool_calls) == (STREAMED.text, STREAMED.tool_calls)
    assert crossed.usage.input_tokens == 25


def test_a_stream_of_tool_calls_in_pieces_is_written_whole() -> None:
    chunks = [
        {"index": 0, "id": "a", "function": {"name": "f", "arguments": ""}},
        {"index": 1, "id": "b", "function": {"name": "g", "arguments": '{"x":'}},
        {"index": 0, "function": {"arguments": '{"y":2}'}},
        {"index": 1, "function": {"arguments": "1}"}},
    ]
    reader, writer = openai.StreamReader(), StreamWriter()
    stream = b"".join(
        b"data: " + to_json({"choices": [{"index": 0, "delta": {"tool_calls": [chunk]}}]}) + b"\n\n" for chunk in chunks
    )
    stream += b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}\n\n'
    deltas = [delta for event in SseParser().feed(stream) for delta in reader.feed(event)]
    written = b"".join(writer.write(delta) for delta in [*deltas, *reader.end()])
    assert gather(read(written)).tool_calls == (ToolCallPart("a", "f", '{"y":2}'), ToolCallPart("b", "g", '{"x":1}'))


def test_a_stream_that_stops_before_its_reason_is_broken() -> None:
    with pytest.raises(StreamBroken):
        read(STREAM[: STREAM.rindex(b"data: ")])


def test_a_call_in_pieces_is_not_taken_for_a_whole_one() -> None:
    piece = response({"functionCall": {"name": "f", "partialArgs": [{"jsonPath": "$.a"}], "willContinue": True}})
    with pytest.raises(StreamBroken, match="pieces"):
        read(b"data: " + to_json(piece) + b"\n\n")


def test_an_error_inside_a_stream_is_mapped() -> None:
    error = {"error": {"code": 503, "status": "UNAVAILABLE", "message": "secret detail"}}
    with pytest.raises(Overloaded) as raised:
        read(b"data: " + to_json(error) + b"\n\n")
    assert "secret" not in raised.value.detail
    assert raised.value.vendor_text == "secret detail"


def test_a_stream_that_fails_says_so_where_it_stands() -> None:
    writer, failure = StreamWriter(), Overloaded("Try again shortly.")
    written = b"".join(writer.write(delta) for delta in read(STREAM)[:3]) + writer.fail(failure)
    with pytest.raises(Overloaded) as raised:
        read(written)
    assert raised.value.vendor_text == "Try again shortly."


TOO_LONG = "The input token count (1091639) exceeds the maximum number of tokens allowed (1048576)."


@pytest.mark.parametrize(
    ("code", "error", "expected"),
    [
        (400, {"status": "INVALID_ARGUMENT"}, InvalidRequest),
        (400, {"status": "INVALID_ARGUMENT", "message": TOO_LONG}, ContextTooLong),
        (400, {"status": "INVALID_ARGUMENT", "details": [{"reason": "API_KEY_INVALID"}]}, Unauthorized),
        (400, {"status": "FAILED_PRECONDITION"}, Unauthorized),
        (401, {"status": "UNAUTHENTICATED"}, Unauthorized),
        (403, {"status": "PERMISSION_DENIED"}, Unauthorized),
        (404, {"status": "NOT_FOUND"}, InvalidRequest),
        (429, {"status": "RESOURCE_EXHAUSTED"}, RateLimited),
        (499, {"status": "CANCELLED"}, Overloaded),
        (500, {"status": "INTERNAL"}, Overloaded),
        (503, {"status": "UNAVAILABLE"}, Overloaded),
        (504, {"status": "DEADLINE_EXCEEDED"}, TimedOut),
    ],
)
def test_failures_become_a_small_closed_set(code: int, error: dict[str, Any], expected: type[ModelError]) -> None:
    failure = failure_of(code, {}, to_json({"error": {"code": code, "message": "vendor words", **error}}))
    assert type(failure) is expected
    assert "vendor" not in failure.detail
    assert failure.vendor_text == error.get("message", "vendor words")


def test_how_long_to_wait_stands_in_the_body_even_inside_a_list() -> None:
    help_ = {"@type": "type.googleapis.com/google.rpc.Help", "links": []}
    for delay, seconds in (("45.837906927s", 45.837906927), ("0s", 0.0), ("-3s", None), ("nans", None), (None, None)):
        retry = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}
        error = {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "details": [help_, retry]}}
        for wire in (error, [error]):
            assert failure_of(429, {}, to_json(wire)).retry_after_seconds == seconds


def test_a_failure_that_is_no_json_is_mapped_by_its_status() -> None:
    failure = failure_of(502, {"retry-after": "7"}, b"<html>\xff bad gateway</html>")
    assert isinstance(failure, Overloaded)
    assert failure.retry_after_seconds == 7
    assert "bad gateway" in (failure.vendor_text or "")


def test_embeddings_come_back_with_unit_length() -> None:
    assert embeddings_path("gemini-embedding-001") == "/models/gemini-embedding-001:batchEmbedContents"
    assert encode_texts(["a", "b"], model="e") == {
        "requests": [
            {"model": "models/e", "content": {"parts": [{"text": "a"}]}},
            {"model": "models/e", "content": {"parts": [{"text": "b"}]}},
        ]
    }
    wire = {"embeddings": [{"values": [3, 4]}, {"values": [0.0, 0.5]}], "usageMetadata": {"promptTokenCount": 6}}
    embeddings = decode_embeddings(wire, model="e", expected=2)
    assert np.allclose(embeddings.vectors, [[0.6, 0.8], [0.0, 1.0]])
    assert (embeddings.model, embeddings.usage.input_tokens) == ("e", 6)
    again = decode_embeddings(encode_embeddings(embeddings), model="e", expected=2)
    assert np.allclose(again.vectors, embeddings.vectors)


@pytest.mark.parametrize(
    "wire",
    [
        {},
        {"embeddings": []},
        {"embeddings": [{"values": ["x"]}]},
        {"embeddings": [{"values": 1.0}]},
        {"embeddings": [{"values": [[1.0]]}]},
        {"embeddings": [{"values": []}]},
        {"embeddings": [{"values": [0.0, 0.0]}]},
        {"embeddings": [{"values": [1e200, 1e200]}]},
        {"embeddings": [{"values": [1.0]}, {"values": [1.0, 2.0]}]},
        {"embeddings": [{"values": [1.0]}, {"values": [1.0]}]},
    ],
)
def test_embeddings_that_cannot_be_trusted_are_refused(wire: dict[str, Any]) -> None:
    with pytest.raises(InvalidOutput):
        decode_embeddings(wire, model="e", expected=1)
