"""Every event and reply we write has the exact shape that the vendors' published types prescribe."""

from typing import Any

import pytest
from anthropic.types import Message as AnthropicMessage
from anthropic.types import RawMessageStreamEvent
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from mainspring.inference.gateway.collect import Collector
from mainspring.inference.gateway.errors import Overloaded
from mainspring.inference.gateway.providers import anthropic, openai, responses
from mainspring.inference.gateway.providers.dialects import Inbound
from mainspring.inference.gateway.providers.sse import SseParser
from mainspring.inference.gateway.providers.wire import read_object
from mainspring.inference.messages import (
    Completion,
    Delta,
    Extra,
    Finished,
    FinishReason,
    OpaqueDelta,
    ReasoningDelta,
    Started,
    TextDelta,
    ToolCallDelta,
    Usage,
    UsageUpdate,
)

LOGPROB = {"token": "Hi", "logprob": -0.5, "bytes": [72, 105], "top_logprobs": []}
TYPES: list[tuple[Inbound, TypeAdapter[Any], TypeAdapter[Any]]] = [
    (openai.INBOUND, TypeAdapter(ChatCompletion), TypeAdapter(ChatCompletionChunk)),
    (anthropic.INBOUND, TypeAdapter(AnthropicMessage), TypeAdapter(RawMessageStreamEvent)),
    (responses.INBOUND, TypeAdapter(Response), TypeAdapter(ResponseStreamEvent)),
]
START, COUNT = Started("c1", "model-x"), UsageUpdate(Usage(30, 12, 10, 2, 4))
SEAL = ReasoningDelta("", "seal")
HIDDEN = OpaqueDelta(Extra("anthropic", {"type": "redacted_thinking", "data": "x"}))
CALL = ToolCallDelta(0, "a", "get_weather", "{}")
REPLIES: list[list[Delta]] = [
    [START, TextDelta("Hi"), COUNT, Finished(FinishReason.STOP)],
    [START, TextDelta("Hi"), COUNT, Finished(FinishReason.LENGTH)],
    [START, TextDelta("No."), COUNT, Finished(FinishReason.REFUSED)],
    [START, COUNT, Finished(FinishReason.FILTERED)],
    [
        START,
        ReasoningDelta("Hm."),
        ReasoningDelta("", "seal"),
        TextDelta("Hi"),
        CALL,
        Finished(FinishReason.TOOL_CALLS),
    ],
    [START, HIDDEN, SEAL, CALL, ToolCallDelta(1, "b", "f", ""), COUNT, Finished(FinishReason.TOOL_CALLS)],
    [
        START,
        TextDelta("Hi"),
        OpaqueDelta(Extra("openai", {"choice": {"logprobs": {"content": [LOGPROB], "refusal": None}}})),
        COUNT,
        Finished(FinishReason.STOP),
    ],
    [START, CALL, TextDelta("Then."), COUNT, Finished(FinishReason.TOOL_CALLS)],
]


def gather(deltas: list[Delta]) -> Completion:
    collector = Collector()
    for delta in deltas:
        collector.add(delta)
    return collector.completion()


@pytest.mark.parametrize("deltas", REPLIES)
@pytest.mark.parametrize(("inbound", "reply", "event"), TYPES, ids=[each[0].name for each in TYPES])
def test_replies_and_events_have_the_vendors_shape(
    inbound: Inbound, reply: TypeAdapter[Any], event: TypeAdapter[Any], deltas: list[Delta]
) -> None:
    reply.validate_python(inbound.encode_completion(gather(deltas), 5))
    writer = inbound.writer(5, True)
    written = SseParser().feed(b"".join(writer.write(delta) for delta in deltas))
    assert len(written) >= 3
    for each in written:
        if each.data != b"[DONE]":
            event.validate_python(read_object(each.data))


def test_a_failed_response_has_the_vendors_shape() -> None:
    writer = responses.INBOUND.writer(5, True)
    failed = b"".join(writer.write(delta) for delta in REPLIES[0][:2]) + writer.fail(Overloaded("Busy."))
    for each in SseParser().feed(failed + responses.error_event(Overloaded("Busy."))):
        TYPES[2][2].validate_python(read_object(each.data))
