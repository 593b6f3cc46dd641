"""The responses dialect on the wire, read by OpenAI's own client and by our own reader."""

from collections.abc import Iterable
from typing import Any

import openai as sdk
import pytest
from inline_snapshot import snapshot
from openai.types.responses import Response
from pydantic import BaseModel

from mainspring.inference.gateway.collect import Collector
from mainspring.inference.gateway.errors import InvalidRequest, Overloaded, RateLimited, StreamBroken
from mainspring.inference.gateway.providers import anthropic, openai
from mainspring.inference.gateway.providers.profiles import Profile, profile_of
from mainspring.inference.gateway.providers.responses import (
    INBOUND,
    StreamReader,
    StreamWriter,
    decode_completion,
    decode_request,
    encode_completion,
    encode_request,
    error_event,
)
from mainspring.inference.gateway.providers.sse import SseParser
from mainspring.inference.gateway.providers.wire import Wire, read_object, to_json
from mainspring.inference.messages import (
    Completion,
    Delta,
    Extra,
    FilePart,
    Finished,
    FinishReason,
    ImagePart,
    Inline,
    Link,
    Message,
    OpaqueDelta,
    ReasoningDelta,
    ReasoningPart,
    ResponseFormat,
    Role,
    Sampling,
    Started,
    Stored,
    TextDelta,
    TextPart,
    Tool,
    ToolCallDelta,
    ToolCallPart,
    ToolChoice,
    ToolResultPart,
    Usage,
    UsageUpdate,
)

from .clients import openai_client

GPT = profile_of("openai", "gpt-5-mini")
SEAL = "gAAAAABsealed"
LOGPROB = {"token": "Hi", "logprob": -0.5, "bytes": [72, 105], "top_logprobs": []}
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
DELTAS: list[Delta] = [
    Started("c1", "gpt-x-1"),
    ReasoningDelta("Hm. "),
    ReasoningDelta("Two."),
    ReasoningDelta("", SEAL),
    TextDelta("Grüße "),
    OpaqueDelta(Extra("openai", {"choice": {"logprobs": {"content": [LOGPROB]}}})),
    TextDelta("🖋"),
    ToolCallDelta(0, "a", "get_weather"),
    ToolCallDelta(1, "b", "get_weather", '{"place":'),
    ToolCallDelta(0, arguments='{"place":"Köln"}'),
    ToolCallDelta(1, arguments='"Rom"}'),
    UsageUpdate(Usage(30, 12, 10, 0, 4)),
    Finished(FinishReason.TOOL_CALLS),
]


class Answer(BaseModel):
    """What a caller wants parsed."""

    city: str


def written(deltas: Iterable[Delta]) -> bytes:
    writer = StreamWriter(created=5)
    return b"".join(writer.write(delta) for delta in deltas)


def gather(deltas: Iterable[Delta]) -> Completion:
    collector = Collector()
    for delta in deltas:
        collector.add(delta)
    return collector.completion()


def read(stream: bytes) -> list[Delta]:
    reader, deltas = StreamReader(), list[Delta]()
    for event in SseParser().feed(stream):
        deltas += reader.feed(event)
    return [*deltas, *reader.end()]


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


def test_a_reply_is_accepted_by_the_vendors_client() -> None:
    reply = encode_completion(gather(DELTAS), 5)
    caller, sent = openai_client(to_json(reply))
    response = caller.responses.create(model="m", input="Hi")
    assert Response.model_validate(reply).id == response.id == "resp_c1"
    assert response.output_text == "Grüße 🖋"
    assert [item.type for item in response.output] == ["reasoning", "message", "function_call", "function_call"]
    assert response.usage is not None
    assert response.usage.input_tokens_details.cached_tokens == 10
    assert response.usage.output_tokens_details.reasoning_tokens == 4
    assert sent.bodies[0] == {"model": "m", "input": "Hi"}


def test_a_reply_can_be_sent_back_as_input() -> None:
    completion = gather(DELTAS)
    output = encode_completion(completion, 5)["output"]
    (turn,) = decode_request({"input": output}).messages
    assert Message(turn.role, turn.parts).text == completion.text
    assert turn.tool_calls == tuple(
        ToolCallPart(call.id, call.name, call.arguments, Extra("responses", {"id": f"fc_c1_{place}"}))
        for place, call in enumerate(completion.tool_calls, start=2)
    )
    assert isinstance(turn.parts[0], ReasoningPart)
    assert (turn.parts[0].text, turn.parts[0].signature) == ("Hm. Two.", SEAL)


def test_a_reply_says_the_callers_settings_again() -> None:
    reply = encode_completion(gather(DELTAS), 5, TALK)
    assert (reply["metadata"], reply["temperature"], reply["store"]) == ({"matter": "17"}, 0.2, False)
    assert Response.model_validate(reply).tools[0].type == "function"


@pytest.mark.parametrize(
    ("reason", "status", "why"),
    [
        (FinishReason.STOP, "completed", None),
        (FinishReason.LENGTH, "incomplete", {"reason": "max_output_tokens"}),
        (FinishReason.FILTERED, "incomplete", {"reason": "content_filter"}),
    ],
)
def test_a_reply_tells_why_it_ended(reason: FinishReason, status: str, why: Wire | None) -> None:
    deltas = [Started("c", "m"), TextDelta("Hi"), Finished(reason)]
    reply = encode_completion(gather(deltas), 5)
    assert (reply["status"], reply["incomplete_details"]) == (status, why)
    assert read_object(SseParser().feed(written(deltas))[-1].data)["type"] == f"response.{status}"  # pyright: ignore[reportOptionalSubscript]


def test_a_refusal_is_a_part_of_its_own() -> None:
    reply = encode_completion(gather([Started("c", "m"), TextDelta("No."), Finished(FinishReason.REFUSED)]), 5)
    assert reply["output"][0]["content"] == [{"type": "refusal", "refusal": "No."}]
    assert decode_completion(reply).finish_reason is FinishReason.REFUSED


def test_a_stream_has_every_event_of_the_dialect_in_order() -> None:
    events = [read_object(event.data) or {} for event in SseParser().feed(written(DELTAS))]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert [event["type"].removeprefix("response.") for event in events] == snapshot(
        [
            "created",
            "in_progress",
            "output_item.added",
            "reasoning_summary_part.added",
            "reasoning_summary_text.delta",
            "reasoning_summary_text.delta",
            "reasoning_summary_text.done",
            "reasoning_summary_part.done",
            "output_item.done",
            "output_item.added",
            "content_part.added",
            "output_text.delta",
            "output_text.delta",
            "output_text.done",
            "content_part.done",
            "output_item.done",
            "output_item.added",
            "output_item.added",
            "function_call_arguments.delta",
            "function_call_arguments.delta",
            "function_call_arguments.delta",
            "function_call_arguments.done",
            "output_item.done",
            "function_call_arguments.done",
            "output_item.done",
            "completed",
        ]
    )


def test_a_stream_is_accepted_by_the_vendors_client() -> None:
    caller, _ = openai_client(written(DELTAS), kind="text/event-stream")
    with caller.responses.stream(model="m", input="Hi") as stream:
        words = [event.delta for event in stream if event.type == "response.output_text.delta"]
        response = stream.get_final_response()
    assert words == ["Grüße ", "🖋"]
    assert response.output_text == "Grüße 🖋"
    calls = [item for item in response.output if item.type == "function_call"]
    assert [call.arguments for call in calls] == ['{"place":"Köln"}', '{"place":"Rom"}']
    said = next(item for item in response.output if item.type == "message")
    assert said.content[0].type == "output_text"
    assert said.content[0].logprobs is not None
    assert said.content[0].logprobs[0].logprob == -0.5


def test_the_events_of_a_plain_stream_are_of_the_vendors_types() -> None:
    caller, _ = openai_client(written(DELTAS), kind="text/event-stream")
    kinds = {type(event).__name__ for event in caller.responses.create(model="m", input="Hi", stream=True)}
    assert {"ResponseCreatedEvent", "ResponseCompletedEvent", "ResponseReasoningSummaryTextDeltaEvent"} <= kinds


def test_a_parsed_reply_is_a_value_for_the_caller() -> None:
    deltas: list[Delta] = [Started("c", "m"), TextDelta('{"city":"Köln"}'), Finished(FinishReason.STOP)]
    caller, sent = openai_client(to_json(encode_completion(gather(deltas), 5)))
    assert caller.responses.parse(model="m", input="Hi", text_format=Answer).output_parsed == Answer(city="Köln")
    asked = decode_request(sent.bodies[0]).response_format
    assert asked is not None
    assert asked.schema["properties"]["city"]["type"] == "string"


def test_a_stream_is_written_and_read_again() -> None:
    expected, again = gather(DELTAS), gather(read(written(DELTAS)))
    assert again.text == expected.text
    assert again.tool_calls == expected.tool_calls
    assert again.usage == expected.usage
    assert again.finish_reason is FinishReason.TOOL_CALLS
    assert again.message.parts[0] == ReasoningPart("Hm. Two.", SEAL)


def test_a_full_reply_is_written_and_read_again() -> None:
    expected = gather(DELTAS)
    again = decode_completion(encode_completion(expected, 5))
    assert (again.text, again.usage, again.finish_reason) == (expected.text, expected.usage, expected.finish_reason)
    chat = openai.encode_completion(again, created=5)
    assert chat["choices"][0]["logprobs"] == {"content": [LOGPROB]}


def test_a_stream_cut_short_is_broken() -> None:
    stream = written(DELTAS)
    with pytest.raises(StreamBroken):
        read(stream[: stream.index(b"event: response.completed")])


def test_a_failure_amid_a_stream_keeps_what_was_said() -> None:
    writer = StreamWriter(created=5)
    stream = b"".join(writer.write(delta) for delta in DELTAS[:6])
    stream += writer.fail(Overloaded("The model's provider is overloaded."))
    caller, _ = openai_client(stream, kind="text/event-stream")
    last = list(caller.responses.create(model="m", input="Hi", stream=True))[-1]
    assert last.type == "response.failed"
    assert last.response.error is not None
    assert last.response.error.code == "server_error"
    assert last.response.output_text == "Grüße "
    with pytest.raises(Overloaded):
        read(stream)


def test_a_failure_that_no_writer_wrote_is_raised_by_the_vendors_client() -> None:
    caller, _ = openai_client(error_event(RateLimited("Too fast.")), kind="text/event-stream")
    with pytest.raises(sdk.APIError, match="Too fast"):
        list(caller.responses.create(model="m", input="Hi", stream=True))


def test_another_providers_seal_is_not_sent_to_this_one() -> None:
    sealed: list[Any] = [{"type": "reasoning", "summary": [], "encrypted_content": "EqQBsealed"}]
    request = decode_request({"input": [*sealed, {"role": "user", "content": "x"}]})
    assert [item["type"] for item in encode_request(request, model="m", profile=GPT)["input"]] == ["message"]
    claude = anthropic.encode_request(request, model="m", profile=Profile())
    assert claude["messages"][0]["content"][0]["signature"] == "EqQBsealed"
