"""The Bedrock dialect on the wire: what we send, what we read, and that nothing is lost between."""

from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from inline_snapshot import snapshot

from mainspring.inference.gateway.errors import (
    InvalidRequest,
)
from mainspring.inference.gateway.providers import anthropic, openai
from mainspring.inference.gateway.providers.bedrock import (
    REPLY_TOOL,
    decode_request,
    encode_request,
)
from mainspring.inference.gateway.providers.profiles import Profile, profile_of
from mainspring.inference.messages import (
    Extra,
    FilePart,
    ImagePart,
    InferenceRequest,
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
    ToolCallPart,
    ToolChoice,
    ToolResultPart,
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
                ToolCallPart("tooluse_1", "get_weather", '{"place":"Paris"}'),
                ToolCallPart("tooluse_2", "get_weather", '{"place":"Rome"}'),
            ),
        ),
        Message(
            Role.TOOL,
            (
                ToolResultPart("tooluse_1", (TextPart("18 C"),)),
                ToolResultPart("tooluse_2", (TextPart("no such place"),), is_error=True),
            ),
        ),
        user("And now?"),
    ),
    model="anthropic.claude-sonnet-4-5-20250929-v1:0",
    tools=(WEATHER,),
    tool_choice=ToolChoice("required"),
    sampling=Sampling(temperature=0.2, top_p=0.9, stop=("END",)),
    max_tokens=100,
)
MODEL = "anthropic.claude-sonnet-4-5-20250929-v1:0"
SONNET = profile_of("bedrock", MODEL)
SHAPE = ResponseFormat("reply", {"type": "object", "properties": {}, "additionalProperties": False})
BY_TOOL = Profile(tools=True)


def test_a_request_with_tools_is_written() -> None:
    assert encode_request(TALK, model=MODEL, profile=SONNET) == snapshot(
        {
            "messages": [
                {"role": "user", "content": [{"text": "Weather in Paris and Rome?"}]},
                {
                    "role": "assistant",
                    "content": [
                        {"reasoningContent": {"reasoningText": {"text": "Two places.", "signature": "seal"}}},
                        {"text": "I look."},
                        {"toolUse": {"toolUseId": "tooluse_1", "name": "get_weather", "input": {"place": "Paris"}}},
                        {"toolUse": {"toolUseId": "tooluse_2", "name": "get_weather", "input": {"place": "Rome"}}},
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        {"toolResult": {"toolUseId": "tooluse_1", "content": [{"text": "18 C"}]}},
                        {
                            "toolResult": {
                                "toolUseId": "tooluse_2",
                                "content": [{"text": "no such place"}],
                                "status": "error",
                            }
                        },
                        {"text": "And now?"},
                    ],
                },
            ],
            "system": [{"text": "Be brief."}],
            "inferenceConfig": {"maxTokens": 100, "temperature": 0.2, "topP": 0.9, "stopSequences": ["END"]},
            "toolConfig": {
                "tools": [
                    {
                        "toolSpec": {
                            "name": "get_weather",
                            "description": "The weather of a place.",
                            "inputSchema": {"json": {"type": "object", "properties": {"place": {"type": "string"}}}},
                        }
                    }
                ],
                "toolChoice": {"any": {}},
            },
        }
    )


def test_a_request_with_tools_comes_back_as_it_was() -> None:
    assert decode_request(encode_request(TALK, model=MODEL, profile=SONNET, stream=False), model=MODEL) == TALK


@pytest.mark.parametrize("dialect", [openai, anthropic])
def test_a_request_crosses_from_the_other_dialects(dialect: Any) -> None:
    wire = dialect.encode_request(TALK, model="x", profile=Profile(), stream=False)
    crossed = encode_request(dialect.decode_request(wire), model="x", profile=SONNET)
    roles = [(turn["role"], [next(iter(block)) for block in turn["content"]]) for turn in crossed["messages"]]
    thought = ["reasoningContent"] if dialect is anthropic else []
    assert roles == [
        ("user", ["text"]),
        ("assistant", [*thought, "text", "toolUse", "toolUse"]),
        ("user", ["toolResult", "toolResult", "text"]),
    ]


@pytest.mark.parametrize(
    ("choice", "written"),
    [
        (ToolChoice("auto"), {"auto": {}}),
        (ToolChoice("required"), {"any": {}}),
        (ToolChoice("named", "get_weather"), {"tool": {"name": "get_weather"}}),
    ],
)
def test_a_choice_of_tools_goes_both_ways(choice: ToolChoice, written: dict[str, Any]) -> None:
    wire = encode_request(
        InferenceRequest((user("Hi"),), tools=(WEATHER,), tool_choice=choice), model="m", profile=SONNET
    )
    assert wire["toolConfig"]["toolChoice"] == written
    assert decode_request(wire).tool_choice == choice


def test_tools_that_may_not_be_used_are_left_out_unless_earlier_calls_need_them() -> None:
    unused = InferenceRequest((user("Hi"),), tools=(WEATHER,), tool_choice=ToolChoice("none"))
    assert "toolConfig" not in encode_request(unused, model="m", profile=SONNET)
    after_calls = InferenceRequest(TALK.messages, tools=(WEATHER,), tool_choice=ToolChoice("none"))
    config = encode_request(after_calls, model="m", profile=SONNET)["toolConfig"]
    assert [tool["toolSpec"]["name"] for tool in config["tools"]] == ["get_weather"]
    assert "toolChoice" not in config


def test_tools_called_before_are_declared_when_no_tool_is_offered() -> None:
    assert encode_request(InferenceRequest(TALK.messages), model="m", profile=SONNET)["toolConfig"] == {
        "tools": [{"toolSpec": {"name": "get_weather", "inputSchema": {"json": {"type": "object", "properties": {}}}}}]
    }


def test_a_schema_is_enforced_by_the_provider_where_it_can() -> None:
    request = InferenceRequest((user("Hi"),), response_format=SHAPE)
    wire = encode_request(request, model=MODEL, profile=SONNET)
    assert wire["outputConfig"] == snapshot(
        {
            "textFormat": {
                "type": "json_schema",
                "structure": {
                    "jsonSchema": {
                        "name": "reply",
                        "schema": '{"type":"object","properties":{},"additionalProperties":false}',
                    }
                },
            }
        }
    )
    assert decode_request(wire).response_format == SHAPE


def test_a_schema_is_else_enforced_by_a_tool_beside_the_callers_own() -> None:
    alone = encode_request(InferenceRequest((user("Hi"),), response_format=SHAPE), model="m", profile=BY_TOOL)
    assert alone["toolConfig"]["toolChoice"] == {"any": {}}
    assert [tool["toolSpec"]["name"] for tool in alone["toolConfig"]["tools"]] == [REPLY_TOOL]
    assert alone["toolConfig"]["tools"][0]["toolSpec"]["inputSchema"] == {"json": SHAPE.schema}
    beside = encode_request(
        InferenceRequest((user("Hi"),), tools=(WEATHER,), response_format=SHAPE), model="m", profile=BY_TOOL
    )
    assert beside["toolConfig"]["toolChoice"] == {"any": {}}
    assert [tool["toolSpec"]["name"] for tool in beside["toolConfig"]["tools"]] == ["get_weather", REPLY_TOOL]
    never = InferenceRequest(TALK.messages, tools=(WEATHER,), tool_choice=ToolChoice("none"), response_format=SHAPE)
    choice = encode_request(never, model="m", profile=BY_TOOL)["toolConfig"]["toolChoice"]
    assert choice == {"tool": {"name": REPLY_TOOL}}


def test_a_schema_is_at_least_shown() -> None:
    request = InferenceRequest((user("Hi"),), response_format=SHAPE)
    assert '"additionalProperties":false' in encode_request(request, model="m", profile=Profile())["system"][0]["text"]
    thinks = Extra("bedrock", {"additionalModelRequestFields": {"thinking": {"type": "enabled"}}})
    thinking = InferenceRequest((user("Hi"),), response_format=SHAPE, extra=thinks)
    wire = encode_request(thinking, model="m", profile=BY_TOOL)
    assert "toolConfig" not in wire
    assert '"additionalProperties":false' in wire["system"][0]["text"]


def test_pictures_and_documents_go_inline_or_from_s3() -> None:
    parts = (
        ImagePart(Inline("aGk=", "image/png")),
        ImagePart(Inline("aGk=", "image/jpeg")),
        ImagePart(Link("s3://bucket/a.jpg"), Extra("bedrock", {"format": "jpeg"})),
        FilePart(
            Link("s3://bucket/b"),
            "b",
            Extra(
                "bedrock",
                {"format": "md", "source": {"s3Location": {"uri": "s3://bucket/b", "bucketOwner": "123456789012"}}},
            ),
        ),
        FilePart(Inline("aGk=", "application/pdf"), "Lease (2)", Extra("bedrock", {"citations": {"enabled": True}})),
    )
    wire = encode_request(InferenceRequest((Message(Role.USER, parts),)), model="m", profile=SONNET)
    assert wire["messages"][0]["content"] == snapshot(
        [
            {"image": {"format": "png", "source": {"bytes": "aGk="}}},
            {"image": {"format": "jpeg", "source": {"bytes": "aGk="}}},
            {"image": {"format": "jpeg", "source": {"s3Location": {"uri": "s3://bucket/a.jpg"}}}},
            {
                "document": {
                    "format": "md",
                    "name": "b",
                    "source": {"s3Location": {"uri": "s3://bucket/b", "bucketOwner": "123456789012"}},
                }
            },
            {
                "document": {
                    "format": "pdf",
                    "name": "Lease (2)",
                    "source": {"bytes": "aGk="},
                    "citations": {"enabled": True},
                }
            },
        ]
    )
    assert decode_request(wire).messages[0].parts == parts


@pytest.mark.parametrize(
    ("given", "sent"),
    [("lease.pdf", "lease"), ("../a_b  c.pdf", "a b c"), ("Mietvertrag für Köln.pdf", "Mietvertrag f r K ln")],
)
def test_a_documents_name_keeps_what_the_dialect_allows(given: str, sent: str) -> None:
    part = FilePart(Inline("aGk=", "application/pdf"), given)
    wire = encode_request(InferenceRequest((Message(Role.USER, (part,)),)), model="m", profile=SONNET)
    assert wire["messages"][0]["content"][0]["document"]["name"] == sent


def test_documents_without_names_get_different_ones_that_stay() -> None:
    parts = (FilePart(Inline("aGk=", "text/plain")), FilePart(Inline("aGkh", "text/plain"), "…"))
    names = [
        [block["document"]["name"] for block in wire["messages"][0]["content"]]
        for wire in [encode_request(InferenceRequest((Message(Role.USER, parts),)), model="m", profile=SONNET)] * 2
    ]
    assert names[0] == names[1]
    assert len(set(names[0])) == 2


@pytest.mark.parametrize(
    "part",
    [
        ImagePart(Link("https://example.com/a.png")),
        ImagePart(Stored("file_1")),
        ImagePart(Inline("aGk=", "image/tiff")),
        ImagePart(Link("s3://bucket/a")),
        FilePart(Inline("aGk=", "application/zip"), "a.zip"),
    ],
)
def test_what_the_dialect_cannot_carry_is_refused_by_name(part: ImagePart | FilePart) -> None:
    with pytest.raises(InvalidRequest):
        encode_request(InferenceRequest((Message(Role.USER, (part,)),)), model="m", profile=SONNET)


RICH: dict[str, Any] = {
    "system": [{"text": "Be brief."}, {"cachePoint": {"type": "default", "ttl": "1h"}}],
    "messages": [
        {
            "role": "user",
            "content": [
                {"guardContent": {"text": {"text": "x", "qualifiers": ["query"]}}},
                {"video": {"format": "mp4", "source": {"s3Location": {"uri": "s3://bucket/v.mp4"}}}},
                {"document": {"name": "notes", "source": {"text": "plain"}}},
                {"cachePoint": {"type": "default"}},
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"reasoningContent": {"redactedContent": "c2VjcmV0"}},
                {"citationsContent": {"content": [{"text": "So."}], "citations": [{"title": "notes"}]}},
                {"toolUse": {"toolUseId": "t", "name": "f", "input": {"a": [1]}}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "toolResult": {
                        "toolUseId": "t",
                        "content": [
                            {"json": {"rows": [1, None]}},
                            {"image": {"format": "png", "source": {"bytes": "aGk="}}},
                            {"searchResult": {"source": "s", "title": "t", "content": [{"text": "x"}]}},
                        ],
                    }
                }
            ],
        },
    ],
    "inferenceConfig": {"maxTokens": 10},
    "toolConfig": {
        "tools": [
            {"toolSpec": {"name": "f", "strict": True, "inputSchema": {"json": {"type": "object"}}}},
            {"cachePoint": {"type": "default"}},
            {"systemTool": {"name": "nova_grounding"}},
        ]
    },
    "additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 1024}},
    "additionalModelResponseFieldPaths": ["/stop_sequence"],
    "guardrailConfig": {"guardrailIdentifier": "g", "guardrailVersion": "1", "trace": "enabled"},
    "requestMetadata": {"team": "a"},
    "performanceConfig": {"latency": "optimized"},
    "serviceTier": {"type": "flex"},
    "outputConfig": {"effort": "low"},
}


def test_fields_without_a_word_here_survive_the_way_through() -> None:
    assert encode_request(decode_request(RICH), model="m", profile=SONNET) == RICH


def test_json_results_and_cited_words_are_text_to_other_dialects() -> None:
    request = decode_request(RICH)
    result = request.messages[3].parts[0]
    assert isinstance(result, ToolResultPart)
    assert result.parts[0] == TextPart('{"rows":[1,null]}', Extra("bedrock", {"json": True}))
    assert request.messages[2].text == "So."


def test_blank_text_and_unsealed_thought_are_left_out() -> None:
    turn = Message(Role.ASSISTANT, (ReasoningPart("unsealed"), TextPart(" \n"), TextPart("Hi")))
    request = InferenceRequest((user("?"), turn))
    assert encode_request(request, model="m", profile=SONNET)["messages"][1]["content"] == [{"text": "Hi"}]
    kept = encode_request(request, model="m", profile=Profile(accepts_reasoning=True))["messages"][1]["content"]
    assert kept[0] == {"reasoningContent": {"reasoningText": {"text": "unsealed"}}}


@pytest.mark.parametrize(
    "wire",
    [
        {},
        {"messages": []},
        {"messages": [{"role": "robot", "content": []}]},
        {"messages": [{"role": "user", "content": [{}]}]},
        {"messages": [{"role": "user", "content": [{"text": "x"}]}], "toolConfig": {"tools": [{"toolSpec": {}}]}},
        {"messages": [{"role": "user", "content": [{"text": "x"}]}], "toolConfig": {"toolChoice": {"perhaps": {}}}},
        {
            "messages": [{"role": "user", "content": [{"text": "x"}]}],
            "outputConfig": {"textFormat": {"structure": {"jsonSchema": {"schema": "no json"}}}},
        },
    ],
)
def test_a_body_that_means_nothing_is_refused(wire: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        decode_request(wire)


def test_how_hard_to_think_is_said_in_the_words_of_the_models_maker() -> None:
    wire = {"messages": [{"role": "user", "content": "Hi"}], "reasoning_effort": "high", "temperature": 0.5}
    request = openai.decode_request(wire)
    claude = encode_request(request, model=f"eu.{MODEL}", profile=SONNET)
    assert claude["additionalModelRequestFields"] == {"thinking": {"type": "enabled", "budget_tokens": 16384}}
    assert "inferenceConfig" not in claude
    oss = encode_request(request, model="openai.gpt-oss-120b-1:0", profile=Profile())
    assert oss["additionalModelRequestFields"] == {"reasoning_effort": "high"}
    assert "additionalModelRequestFields" not in encode_request(request, model="amazon.nova-pro-v1:0", profile=SONNET)


def test_one_call_at_a_time_is_said_to_the_models_that_hear_it() -> None:
    request = InferenceRequest((user("Hi"),), tools=(WEATHER,), tool_choice=ToolChoice("auto", parallel=False))
    claude = encode_request(request, model=MODEL, profile=SONNET)
    assert claude["additionalModelRequestFields"] == {
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": True}
    }
    assert "toolChoice" not in claude["toolConfig"]
    nova = encode_request(request, model="amazon.nova-pro-v1:0", profile=BY_TOOL)
    assert "additionalModelRequestFields" not in nova
    assert nova["toolConfig"]["toolChoice"] == {"auto": {}}


def test_marks_for_the_cache_cross_from_the_anthropic_dialect() -> None:
    mark = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    wire = {
        "max_tokens": 9,
        "system": [{"type": "text", "text": "Be brief.", **mark}],
        "tools": [{"name": "f", "input_schema": {"type": "object"}, "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Hi", **mark}, {"type": "text", "text": "?"}]}
        ],
    }
    request = anthropic.decode_request(wire)
    sent = encode_request(request, model=MODEL, profile=SONNET)
    point = {"cachePoint": {"type": "default", "ttl": "1h"}}
    assert sent["system"] == [{"text": "Be brief."}, point]
    assert sent["messages"][0]["content"] == [{"text": "Hi"}, point, {"text": "?"}]
    assert sent["toolConfig"]["tools"][1:] == [{"cachePoint": {"type": "default"}}]
    assert "cachePoint" not in str(
        encode_request(request, model="meta.llama4-scout-17b-instruct-v1:0", profile=BY_TOOL)
    )


def test_thought_sealed_by_other_providers_stays_behind() -> None:
    thoughts = tuple(ReasoningPart("x", signature) for signature in ("gemini:abc", "gAAAAabc", "seal"))
    request = InferenceRequest((user("?"), Message(Role.ASSISTANT, (*thoughts, TextPart("Hi")))))
    sent = encode_request(request, model="m", profile=SONNET)["messages"][1]["content"]
    assert sent == [{"reasoningContent": {"reasoningText": {"text": "x", "signature": "seal"}}}, {"text": "Hi"}]


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    "body",
    [
        encode_request(TALK, model=MODEL, profile=SONNET),
        encode_request(InferenceRequest(TALK.messages), model=MODEL, profile=SONNET),
        encode_request(InferenceRequest((user("Hi"),), response_format=SHAPE), model=MODEL, profile=SONNET),
        encode_request(InferenceRequest((user("Hi"),), response_format=SHAPE), model="m", profile=BY_TOOL),
        encode_request(decode_request(RICH), model="m", profile=SONNET),
    ],
)
def test_what_is_sent_fits_the_vendors_own_description_of_its_service(body: dict[str, Any], stream: bool) -> None:
    """botocore carries the shapes of the service; its validator finds unknown, missing and misshapen fields."""
    described = Loader().load_service_model("bedrock-runtime", "service-2")
    operation = ServiceModel(described).operation_model("ConverseStream" if stream else "Converse")
    report = ParamValidator().validate({"modelId": MODEL, **body}, operation.input_shape)
    assert not report.has_errors(), report.generate_report()
