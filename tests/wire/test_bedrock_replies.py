"""What Bedrock answers on the wire: replies, streams in frames and failures, read and written."""

import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from zlib import crc32

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given, settings
from hypothesis import strategies as st

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
from mainspring.inference.gateway.providers import anthropic, openai
from mainspring.inference.gateway.providers.bedrock import (
    OUTBOUND,
    REPLY_TOOL,
    EventStreamFramer,
    StreamWriter,
    decode_completion,
    decode_request,
    encode_completion,
    encode_event,
    encode_exception,
    encode_frame,
    encode_request,
    failure_of,
)
from mainspring.inference.gateway.providers.sse import ServerEvent, SseParser
from mainspring.inference.gateway.providers.wire import to_json
from mainspring.inference.messages import (
    Completion,
    Delta,
    Extra,
    FinishReason,
    Message,
    OpaquePart,
    ReasoningPart,
    Role,
    TextPart,
    ToolCallPart,
    Usage,
)

from .test_bedrock_dialect import RICH, SONNET
from .test_strange_wires import spoil

EVENTS: list[tuple[str, dict[str, Any]]] = [
    ("messageStart", {"role": "assistant", "p": "abcd"}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "Hm."}}, "p": "a"}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"signature": "seal"}}}),
    ("contentBlockStop", {"contentBlockIndex": 0}),
    ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"reasoningContent": {"redactedContent": "c2Vj"}}}),
    ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"reasoningContent": {"redactedContent": "cmV0"}}}),
    ("contentBlockStop", {"contentBlockIndex": 1}),
    ("contentBlockDelta", {"contentBlockIndex": 2, "delta": {"text": "Grüße 🖋"}}),
    ("contentBlockDelta", {"contentBlockIndex": 2, "delta": {"growthOfTomorrow": {}}}),
    ("contentBlockStop", {"contentBlockIndex": 2}),
    (
        "contentBlockStart",
        {
            "contentBlockIndex": 3,
            "start": {"toolUse": {"toolUseId": "srv_1", "name": "nova_grounding", "type": "server_tool_use"}},
        },
    ),
    ("contentBlockDelta", {"contentBlockIndex": 3, "delta": {"toolUse": {"input": '{"query":'}}}),
    ("contentBlockDelta", {"contentBlockIndex": 3, "delta": {"toolUse": {"input": '"law"}'}}}),
    ("contentBlockStop", {"contentBlockIndex": 3}),
    ("contentBlockStart", {"contentBlockIndex": 4, "start": {"toolUse": {"toolUseId": "t_1", "name": "get_weather"}}}),
    ("contentBlockDelta", {"contentBlockIndex": 4, "delta": {"toolUse": {"input": ""}}}),
    ("contentBlockDelta", {"contentBlockIndex": 4, "delta": {"toolUse": {"input": '{"place":"K'}}}),
    ("contentBlockDelta", {"contentBlockIndex": 4, "delta": {"toolUse": {"input": 'öln"}'}}}),
    ("contentBlockStop", {"contentBlockIndex": 4}),
    ("contentBlockStart", {"contentBlockIndex": 5, "start": {"toolUse": {"toolUseId": "t_2", "name": "get_weather"}}}),
    ("contentBlockDelta", {"contentBlockIndex": 5, "delta": {"toolUse": {"input": "{}"}}}),
    ("contentBlockStop", {"contentBlockIndex": 5}),
    ("eventOfTomorrow", {"x": 1}),
    ("messageStop", {"stopReason": "tool_use", "p": "abc"}),
    (
        "metadata",
        {
            "usage": {
                "inputTokens": 20,
                "outputTokens": 42,
                "totalTokens": 73,
                "cacheReadInputTokens": 8,
                "cacheWriteInputTokens": 3,
            },
            "metrics": {"latencyMs": 1275},
            "p": "abcdef",
        },
    ),
]
STREAM = b"".join(encode_event(type_, to_json(wire)) for type_, wire in EVENTS)
SERVER_CALL = {"toolUseId": "srv_1", "name": "nova_grounding", "type": "server_tool_use", "input": {"query": "law"}}
STREAMED = Completion(
    message=Message(
        Role.ASSISTANT,
        (
            ReasoningPart("Hm.", "seal"),
            OpaquePart(Extra("bedrock", {"reasoningContent": {"redactedContent": "c2VjcmV0"}})),
            TextPart("Grüße 🖋"),
            OpaquePart(Extra("bedrock", {"toolUse": SERVER_CALL})),
            ToolCallPart("t_1", "get_weather", '{"place":"Köln"}'),
            ToolCallPart("t_2", "get_weather", "{}"),
        ),
    ),
    finish_reason=FinishReason.TOOL_CALLS,
    usage=Usage(input_tokens=31, output_tokens=42, cached_tokens=8, cache_write_tokens=3),
    model="",
    id="",
    extra=Extra("bedrock", {"metrics": {"latencyMs": 1275}}),
)


def read(*pieces: bytes) -> list[Delta]:
    framer, reader = OUTBOUND.framer(), OUTBOUND.reader()
    deltas = [delta for piece in pieces for event in framer.feed(piece) for delta in reader.feed(event)]
    return [*deltas, *reader.end()]


def gather(deltas: list[Delta]) -> Completion:
    collector = Collector()
    for delta in deltas:
        collector.add(delta)
    return collector.completion()


def events(*some: tuple[str, dict[str, Any]]) -> bytes:
    return b"".join(encode_event(type_, to_json(wire)) for type_, wire in some)


def test_a_stream_is_read_into_a_reply() -> None:
    assert gather(read(STREAM)) == STREAMED


def test_a_stream_cut_at_any_byte_gives_the_same_events() -> None:
    whole = EventStreamFramer().feed(STREAM)
    assert [event.type for event in whole] == [type_ for type_, _ in EVENTS]
    for cut in range(len(STREAM) + 1):
        framer = EventStreamFramer()
        assert framer.feed(STREAM[:cut]) + framer.feed(STREAM[cut:]) == whole, f"cut at byte {cut}"
    framer = EventStreamFramer()
    assert [event for byte in STREAM for event in framer.feed(bytes([byte]))] == whole


def test_frames_are_those_of_the_vendors_own_reader() -> None:
    theirs = EventStreamBuffer()
    theirs.add_data(STREAM)
    read_by_both = [(message.headers[":event-type"], message.payload) for message in theirs]
    assert read_by_both == [(event.type, event.data) for event in EventStreamFramer().feed(STREAM)]


def test_the_published_frame_without_headers_is_read() -> None:
    published = bytes.fromhex("0000001d00000000fd528c5a7b27666f6f273a27626172277dc3653936")
    assert EventStreamFramer().feed(published) == [ServerEvent("message", b"{'foo':'bar'}")]
    assert encode_frame({}, b"{'foo':'bar'}") == published


def frame(headers: bytes, payload: bytes) -> bytes:
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    prelude += struct.pack(">I", crc32(prelude))
    return prelude + headers + payload + struct.pack(">I", crc32(prelude + headers + payload))


def test_headers_of_every_kind_are_passed_over() -> None:
    values = [
        *(b"\x00", b"\x01", b"\x02\x7f", b"\x03\x00\x01", b"\x04\x00\x00\x00\x01"),
        *(b"\x05" + bytes(8), b"\x06\x00\x03abc", b"\x07\x00\x02hi", b"\x08" + bytes(8), b"\x09" + bytes(16)),
    ]
    headers = b"".join(b"\x02h" + str(place).encode() + value for place, value in enumerate(values))
    headers += b"\x0b:event-type\x07\x00\x08metadata"
    assert EventStreamFramer().feed(frame(headers, b"{}")) == [ServerEvent("metadata", b"{}")]


WHOLE = encode_event("messageStart", b'{"role":"assistant"}')


@pytest.mark.parametrize(
    "data",
    [
        *(WHOLE[:place] + bytes([WHOLE[place] ^ 1]) + WHOLE[place + 1 :] for place in range(len(WHOLE))),
        struct.pack(">II", 2**31, 0) + struct.pack(">I", crc32(struct.pack(">II", 2**31, 0))),
        struct.pack(">II", 8, 0) + struct.pack(">I", crc32(struct.pack(">II", 8, 0))),
        struct.pack(">II", 32, 17) + struct.pack(">I", crc32(struct.pack(">II", 32, 17))),
        frame(b"\x01a\x0a", b"{}"),
        frame(b"\x09a\x07", b"{}"),
        frame(b"\x01a\x07\x00\x09short", b"{}"),
        frame(b"\x01\xff\x07\x00\x01a", b"{}"),
    ],
    ids=lambda data: data.hex()[-16:],
)
def test_a_frame_that_is_not_what_it_says_breaks_the_stream(data: bytes) -> None:
    with pytest.raises(StreamBroken):
        EventStreamFramer().feed(data)


@given(st.binary(max_size=200))
def test_any_bytes_are_frames_or_break_the_stream(data: bytes) -> None:
    framer = EventStreamFramer()
    try:
        framer.feed(WHOLE + data)
    except StreamBroken:
        return
    assert len(data) < 12 or framer.feed(b"") == []


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        (encode_exception("throttlingException", "slow down"), RateLimited),
        (encode_exception("serviceUnavailableException", "later"), Overloaded),
        (encode_exception("internalServerException", "oh"), Overloaded),
        (encode_exception("modelStreamErrorException", "oh"), Overloaded),
        (encode_exception("validationException", "Input is too long for requested model."), ContextTooLong),
        (encode_exception("validationException", "vendor words"), InvalidRequest),
        (encode_exception("exceptionOfTomorrowException", "?"), Overloaded),
        (
            encode_frame(
                {":message-type": "error", ":error-code": "ThrottlingException", ":error-message": "vendor words"}, b""
            ),
            RateLimited,
        ),
    ],
)
def test_an_exception_inside_a_stream_is_mapped(broken: bytes, expected: type[ModelError]) -> None:
    with pytest.raises(ModelError) as raised:
        read(WHOLE + broken)
    assert type(raised.value) is expected
    assert "vendor" not in raised.value.detail
    assert raised.value.vendor_text


def test_the_models_own_status_decides_when_it_fails_inside_a_stream() -> None:
    told = to_json({"message": "x", "originalStatusCode": 429, "originalMessage": "y"})
    headers = {":message-type": "exception", ":exception-type": "modelStreamErrorException"}
    with pytest.raises(RateLimited):
        read(WHOLE + encode_frame(headers, told))


def test_a_stream_that_stops_before_its_reason_is_broken() -> None:
    with pytest.raises(StreamBroken):
        read(STREAM[: STREAM.index(b"messageStop") - 40])


@pytest.mark.parametrize(
    "data", [b"[]", b"nonsense", b'{"contentBlockIndex":"x","delta":{}}', b'{"delta":{"text":"x"}}']
)
def test_an_event_of_another_shape_breaks_the_stream(data: bytes) -> None:
    with pytest.raises(StreamBroken):
        read(encode_event("contentBlockDelta", data))


def test_a_stream_is_written_and_read_again() -> None:
    writer = StreamWriter()
    again = gather(read(b"".join(writer.write(delta) for delta in read(STREAM))))
    kept = [part for part in STREAMED.message.parts if part != OpaquePart(Extra("bedrock", {"toolUse": SERVER_CALL}))]
    assert (list(again.message.parts), again.usage, again.finish_reason) == (
        kept,
        STREAMED.usage,
        STREAMED.finish_reason,
    )
    assert again.extra == STREAMED.extra


@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
def test_a_stream_crosses_to_the_other_dialects(dialect: str) -> None:
    writer = openai.StreamWriter(created=5) if dialect == "openai" else anthropic.StreamWriter()
    reader = openai.StreamReader() if dialect == "openai" else anthropic.StreamReader()
    written = b"".join(writer.write(delta) for delta in read(STREAM))
    deltas = [delta for event in SseParser().feed(written) for delta in reader.feed(event)]
    crossed = gather([*deltas, *reader.end()])
    assert (crossed.text, crossed.tool_calls, crossed.finish_reason) == (
        "Grüße 🖋",
        STREAMED.tool_calls,
        FinishReason.TOOL_CALLS,
    )


def test_blocks_that_come_whole_are_gathered() -> None:
    started = {"toolUseId": "srv_1", "type": "nova_code_interpreter_result", "status": "success"}
    reply = gather(
        read(
            events(
                ("contentBlockStart", {"contentBlockIndex": 0, "start": {"toolResult": started}}),
                ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"toolResult": [{"text": "1"}]}}),
                ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"toolResult": [{"json": {"a": 1}}]}}),
                ("contentBlockStop", {"contentBlockIndex": 0}),
                ("contentBlockStart", {"contentBlockIndex": 1, "start": {"image": {"format": "png"}}}),
                ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"image": {"source": {"bytes": "aGk="}}}}),
                ("contentBlockStop", {"contentBlockIndex": 1}),
                ("contentBlockDelta", {"contentBlockIndex": 2, "delta": {"text": "So."}}),
                ("contentBlockDelta", {"contentBlockIndex": 2, "delta": {"citation": {"title": "notes"}}}),
                ("messageStop", {"stopReason": "guardrail_intervened", "additionalModelResponseFields": {"a": 1}}),
            )
        )
    )
    assert reply.message.parts[:2] == (
        OpaquePart(Extra("bedrock", {"toolResult": {**started, "content": [{"text": "1"}, {"json": {"a": 1}}]}})),
        OpaquePart(Extra("bedrock", {"image": {"format": "png", "source": {"bytes": "aGk="}}})),
    )
    assert reply.finish_reason is FinishReason.FILTERED
    assert reply.extra is not None
    assert reply.extra.fields == {
        "citations": [{"title": "notes"}],
        "additionalModelResponseFields": {"a": 1},
        "stopReason": "guardrail_intervened",
    }


REPLY: dict[str, Any] = {
    "output": {
        "message": {
            "role": "assistant",
            "content": [
                {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "seal"}}},
                {"reasoningContent": {"redactedContent": "c2VjcmV0"}},
                {"text": "Hi"},
                {"toolUse": {"toolUseId": "t_1", "name": "f", "input": {"a": [1]}}},
                {"toolUse": {"toolUseId": "t_2", "name": "g", "input": {}}},
            ],
        }
    },
    "stopReason": "tool_use",
    "usage": {
        "inputTokens": 5,
        "outputTokens": 2,
        "totalTokens": 11,
        "cacheReadInputTokens": 3,
        "cacheWriteInputTokens": 1,
        "cacheDetails": [{"ttl": "1h", "inputTokens": 1}],
    },
    "metrics": {"latencyMs": 1551},
    "additionalModelResponseFields": {"stop_sequence": None},
    "trace": {"promptRouter": {"invokedModelId": "arn:aws:bedrock:us-east-1::foundation-model/m"}},
    "serviceTier": {"type": "default"},
}


def through_a_request(wire: Any) -> object:
    return encode_request(decode_request(wire), model="m", profile=SONNET)


def through_a_reply(wire: Any) -> object:
    return encode_completion(decode_completion(wire))


def through_a_stream(wire: Any) -> object:
    return read(b"".join(encode_event(str(type_), to_json(each)) for type_, each in wire.items()))


def through_a_failure(wire: Any) -> object:
    return failure_of(400, {}, to_json(wire))


@pytest.mark.parametrize(
    ("read_wire", "wire"),
    [
        (through_a_request, RICH),
        (through_a_reply, REPLY),
        (through_a_stream, dict(EVENTS)),
        (through_a_failure, {"__type": "x", "message": "y", "originalStatusCode": 400}),
    ],
)
@given(seed=st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_one_strange_value_anywhere_is_read_or_refused(
    read_wire: Callable[[Any], object], wire: Any, seed: int
) -> None:
    with suppress(ModelError):
        assert read_wire(spoil(wire, seed)) is not None


def test_a_full_reply_is_read_and_written() -> None:
    completion = decode_completion(REPLY)
    assert (completion.text, completion.finish_reason) == ("Hi", FinishReason.TOOL_CALLS)
    assert [call.name for call in completion.tool_calls] == ["f", "g"]
    assert completion.model == "arn:aws:bedrock:us-east-1::foundation-model/m"
    usage = completion.usage
    assert (usage.input_tokens, usage.output_tokens, usage.cached_tokens, usage.cache_write_tokens) == (9, 2, 3, 1)
    assert encode_completion(completion) == REPLY


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("end_turn", FinishReason.STOP),
        ("stop_sequence", FinishReason.STOP),
        ("max_tokens", FinishReason.LENGTH),
        ("model_context_window_exceeded", FinishReason.LENGTH),
        ("tool_use", FinishReason.TOOL_CALLS),
        ("guardrail_intervened", FinishReason.FILTERED),
        ("content_filtered", FinishReason.FILTERED),
        ("malformed_model_output", FinishReason.OTHER),
        ("malformed_tool_use", FinishReason.OTHER),
        ("reason_of_tomorrow", FinishReason.OTHER),
    ],
)
def test_every_reason_has_a_word_and_comes_back(reason: str, expected: FinishReason) -> None:
    completion = decode_completion({**REPLY, "stopReason": reason})
    assert completion.finish_reason is expected
    assert encode_completion(completion)["stopReason"] == reason


@pytest.mark.parametrize("wire", [{}, {"output": {}}, {"output": {"message": {"content": "x"}}}, {"output": 1}])
def test_a_reply_without_a_message_is_refused(wire: dict[str, Any]) -> None:
    with pytest.raises(InvalidOutput):
        decode_completion(wire)


@pytest.mark.parametrize(
    ("status", "name", "message", "expected"),
    [
        (400, "ValidationException", "Malformed input request", InvalidRequest),
        (400, "ValidationException", "Input is too long for requested model.", ContextTooLong),
        (400, "ValidationException", "prompt is too long: 210000 tokens > 200000 maximum", ContextTooLong),
        (400, "ValidationException", "This request has been blocked by our content filters.", ContentRefused),
        (400, "ServiceQuotaExceededException", "their words", RateLimited),
        (403, "AccessDeniedException", "their words", Unauthorized),
        (403, "UnrecognizedClientException", "The security token included in the request is invalid.", Unauthorized),
        (403, "ExpiredTokenException", "their words", Unauthorized),
        (403, "InvalidSignatureException", "their words", Unauthorized),
        (404, "ResourceNotFoundException", "their words", InvalidRequest),
        (408, "ModelTimeoutException", "their words", TimedOut),
        (424, "ModelErrorException", "their words", Overloaded),
        (429, "ThrottlingException", "Too many tokens, please wait before trying again.", RateLimited),
        (429, "ModelNotReadyException", "their words", Overloaded),
        (500, "InternalServerException", "their words", Overloaded),
        (503, "ServiceUnavailableException", "their words", Overloaded),
        (502, "", "<html>", Overloaded),
    ],
)
def test_failures_become_a_small_closed_set(status: int, name: str, message: str, expected: type[ModelError]) -> None:
    link = {"x-amzn-errortype": f"{name}:http://internal.amazon.com/coral/com.amazon.bedrock/"} if name else {}
    by_header = failure_of(status, {**link, "retry-after": "3"}, to_json({"message": message}))
    by_body = failure_of(status, {}, to_json({"__type": f"com.amazon.coral.service#{name}", "Message": message}))
    assert type(by_header) is type(by_body) is expected
    assert by_header.retry_after_seconds == 3
    assert message in str(by_header.vendor_text)
    assert message not in by_header.detail


def test_the_models_own_status_decides_when_the_model_fails() -> None:
    for original, expected in ((400, InvalidRequest), (429, RateLimited), (500, Overloaded)):
        told = {"__type": "ModelErrorException", "message": "m", "originalStatusCode": original}
        assert type(failure_of(424, {}, to_json(told))) is expected
    assert type(failure_of(400, {}, b"not json")) is InvalidRequest


def test_a_reply_given_by_the_forced_tool_is_text_to_the_caller() -> None:
    call = {"toolUse": {"toolUseId": "t", "name": REPLY_TOOL, "input": {"a": 1}}}
    full = decode_completion(
        {"output": {"message": {"role": "assistant", "content": [call]}}, "stopReason": "tool_use"}
    )
    streamed = gather(
        read(
            events(
                ("messageStart", {"role": "assistant"}),
                ("contentBlockStart", {"contentBlockIndex": 0, "start": {"toolUse": {**call["toolUse"]}}}),
                ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"toolUse": {"input": '{"a":'}}}),
                ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"toolUse": {"input": "1}"}}}),
                ("contentBlockStop", {"contentBlockIndex": 0}),
                ("messageStop", {"stopReason": "tool_use"}),
            )
        )
    )
    for reply in (full, streamed):
        assert (reply.text, reply.tool_calls, reply.finish_reason) == ('{"a":1}', (), FinishReason.STOP)
