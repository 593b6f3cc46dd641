"""Replies of the responses dialect, read by OpenAI's own client and by our own reader."""

from collections.abc import Iterable

import openai as sdk
import pytest
from inline_snapshot import snapshot
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import BaseModel

from mainspring.inference.gateway.collect import Collector
from mainspring.inference.gateway.errors import Overloaded, RateLimited, StreamBroken
from mainspring.inference.gateway.providers import openai
from mainspring.inference.gateway.providers.responses import (
    StreamReader,
    StreamWriter,
    decode_completion,
    decode_request,
    encode_completion,
    error_event,
)
from mainspring.inference.gateway.providers.sse import SseParser
from mainspring.inference.gateway.providers.wire import Wire, read_object, to_json
from mainspring.inference.messages import (
    Completion,
    Delta,
    Extra,
    Finished,
    FinishReason,
    Message,
    OpaqueDelta,
    ReasoningDelta,
    ReasoningPart,
    Started,
    TextDelta,
    ToolCallDelta,
    Usage,
    UsageUpdate,
)

from .clients import openai_client

SEAL = "gAAAABsealed"
LOGPROB = {"token": "Hi", "logprob": -0.5, "bytes": [72, 105], "top_logprobs": []}
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


def test_a_reply_is_accepted_by_the_vendors_client() -> None:
    reply = encode_completion(gather(DELTAS), 5)
    caller, sent = openai_client(to_json(reply))
    response = caller.responses.create(model="m", input="Hi")
    assert Response.model_validate(reply).id == response.id == "c1"
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
    assert turn.tool_calls == completion.tool_calls
    assert isinstance(turn.parts[0], ReasoningPart)
    assert (turn.parts[0].text, turn.parts[0].signature) == ("Hm. Two.", SEAL)


SETTINGS: Wire = {
    "metadata": {"matter": "17"},
    "temperature": 0.2,
    "store": True,
    "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": True}],
}


def test_a_reply_says_the_callers_settings_again() -> None:
    reply = encode_completion(gather(DELTAS), 5, SETTINGS)
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
    seen: list[ResponseStreamEvent] = []
    with pytest.raises(sdk.APIError, match="overloaded"):
        seen.extend(caller.responses.create(model="m", input="Hi", stream=True))
    last = seen[-1]
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
