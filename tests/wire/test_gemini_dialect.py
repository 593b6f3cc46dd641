"""Requests of the Gemini dialect: what we send, what we read, and that nothing is lost between."""

from typing import Any

import pytest
from inline_snapshot import snapshot

from mainspring.inference.gateway.errors import (
    InvalidRequest,
)
from mainspring.inference.gateway.providers import anthropic
from mainspring.inference.gateway.providers.gemini import (
    OUTBOUND,
    decode_completion,
    decode_request,
    encode_request,
)
from mainspring.inference.gateway.providers.profiles import Profile, profile_of
from mainspring.inference.gateway.providers.wire import to_json
from mainspring.inference.messages import (
    Extra,
    FilePart,
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
    system,
    user,
)

from .test_gemini_replies import STREAM, gather, read, response

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
                ReasoningPart("Two places.", "gemini:c2VhbA=="),
                ToolCallPart("fc1", "get_weather", '{"place":"Paris"}'),
                ToolCallPart("fc2", "get_weather", '{"place":"Rome"}'),
            ),
        ),
        Message(
            Role.TOOL,
            (
                ToolResultPart("fc1", (TextPart("18 C"),)),
                ToolResultPart("fc2", (TextPart("no such place"),), is_error=True),
            ),
        ),
        user("And now?"),
    ),
    tools=(WEATHER,),
    tool_choice=ToolChoice("required"),
    sampling=Sampling(temperature=0.2, top_p=0.9, seed=7, stop=("END",)),
    max_tokens=100,
)
FLASH = profile_of("gemini", "gemini-3.8-flash")


def body(request: InferenceRequest, model: str = "gemini-3.8-flash", profile: Profile = FLASH) -> dict[str, Any]:
    return encode_request(request, model=model, profile=profile)


def test_a_request_with_tools_is_written() -> None:
    assert body(TALK) == snapshot(
        {
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
            "contents": [
                {"role": "user", "parts": [{"text": "Weather in Paris and Rome?"}]},
                {
                    "role": "model",
                    "parts": [
                        {"text": "Two places.", "thought": True},
                        {
                            "functionCall": {"id": "fc1", "name": "get_weather", "args": {"place": "Paris"}},
                            "thoughtSignature": "c2VhbA==",
                        },
                        {"functionCall": {"id": "fc2", "name": "get_weather", "args": {"place": "Rome"}}},
                    ],
                },
                {
                    "role": "user",
                    "parts": [
                        {"functionResponse": {"id": "fc1", "name": "get_weather", "response": {"output": "18 C"}}},
                        {
                            "functionResponse": {
                                "id": "fc2",
                                "name": "get_weather",
                                "response": {"error": "no such place"},
                            }
                        },
                    ],
                },
                {"role": "user", "parts": [{"text": "And now?"}]},
            ],
            "tools": [
                {
                    "functionDeclarations": [
                        {
                            "name": "get_weather",
                            "description": "The weather of a place.",
                            "parametersJsonSchema": {"type": "object", "properties": {"place": {"type": "string"}}},
                        }
                    ]
                }
            ],
            "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
            "generationConfig": {
                "temperature": 0.2,
                "topP": 0.9,
                "seed": 7,
                "stopSequences": ["END"],
                "maxOutputTokens": 100,
            },
        }
    )


def test_a_request_with_tools_comes_back_as_it_was() -> None:
    assert decode_request(body(TALK)) == TALK


def test_the_address_says_the_model_and_whether_it_streams() -> None:
    assert OUTBOUND.path("gemini-3.8-flash", False) == "/models/gemini-3.8-flash:generateContent"
    assert OUTBOUND.path("gemini-3.8-flash", True) == "/models/gemini-3.8-flash:streamGenerateContent?alt=sse"
    assert OUTBOUND.path("a/../b?c", False) == "/models/a%2F..%2Fb%3Fc:generateContent"


@pytest.mark.parametrize(
    ("choice", "config"),
    [
        (ToolChoice("auto"), {"mode": "AUTO"}),
        (ToolChoice("required"), {"mode": "ANY"}),
        (ToolChoice("none"), {"mode": "NONE"}),
        (ToolChoice("named", "get_weather"), {"mode": "ANY", "allowedFunctionNames": ["get_weather"]}),
    ],
)
def test_a_choice_of_tools_has_a_mode(choice: ToolChoice, config: dict[str, Any]) -> None:
    wire = body(InferenceRequest((user("Hi"),), tools=(WEATHER,), tool_choice=choice))
    assert wire["toolConfig"] == {"functionCallingConfig": config}
    assert decode_request(wire).tool_choice == choice


def test_a_schema_is_enforced_or_at_least_shown() -> None:
    shape = ResponseFormat("reply", {"type": "object", "properties": {}, "additionalProperties": False})
    request = InferenceRequest((user("Hi"),), response_format=shape)
    wire = body(request)
    assert wire["generationConfig"] == snapshot(
        {
            "responseMimeType": "application/json",
            "responseJsonSchema": {"type": "object", "properties": {}, "additionalProperties": False},
        }
    )
    assert decode_request(wire).response_format == shape
    for shown in (
        body(request, profile=Profile(json_schema=False)),
        body(InferenceRequest((user("Hi"),), tools=(WEATHER,), response_format=shape), model="gemini-2.5-flash"),
    ):
        assert "generationConfig" not in shown
        assert '"additionalProperties":false' in shown["systemInstruction"]["parts"][0]["text"]


def test_pictures_and_files_go_inline_by_link_or_by_name() -> None:
    parts = (
        TextPart("See"),
        ImagePart(Inline("aGk=", "image/png"), Extra("gemini", {"mediaResolution": {"level": "HIGH"}})),
        FilePart(Inline("aGk=", "application/pdf")),
        ImagePart(Link("https://example.com/a.PNG?x=1")),
        FilePart(Link("gs://bucket/a.pdf")),
        FilePart(Link("https://example.com/watch")),
        FilePart(Stored("files/abc")),
        FilePart(Link("gs://bucket/film"), extra=Extra("gemini", {"fileData": {"mimeType": "video/mp4"}})),
    )
    wire = body(InferenceRequest((Message(Role.USER, parts),)))
    assert wire["contents"][0]["parts"] == snapshot(
        [
            {"text": "See"},
            {"inlineData": {"mimeType": "image/png", "data": "aGk="}, "mediaResolution": {"level": "HIGH"}},
            {"inlineData": {"mimeType": "application/pdf", "data": "aGk="}},
            {"fileData": {"mimeType": "image/png", "fileUri": "https://example.com/a.PNG?x=1"}},
            {"fileData": {"mimeType": "application/pdf", "fileUri": "gs://bucket/a.pdf"}},
            {"fileData": {"fileUri": "https://example.com/watch"}},
            {"fileData": {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/abc"}},
            {"fileData": {"fileUri": "gs://bucket/film", "mimeType": "video/mp4"}},
        ]
    )
    assert decode_request(wire).messages[0].parts == parts


def test_a_file_of_another_provider_is_refused_rather_than_dropped() -> None:
    request = InferenceRequest((Message(Role.USER, (FilePart(Stored("file-123")),)),))
    with pytest.raises(InvalidRequest, match="another provider"):
        body(request)


def test_fields_without_a_word_here_survive_the_way_through() -> None:
    wire: dict[str, Any] = {
        "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_ONLY_HIGH"}],
        "cachedContent": "cachedContents/1",
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "generationConfig": {"temperature": 1, "topK": 40, "thinkingConfig": {"includeThoughts": True}},
        "toolConfig": {
            "functionCallingConfig": {"mode": "VALIDATED", "allowedFunctionNames": ["f", "g"]},
            "retrievalConfig": {"languageCode": "de"},
        },
        "tools": [
            {
                "functionDeclarations": [
                    {"name": "f", "description": "F", "parameters": {"type": "OBJECT"}, "behavior": "BLOCKING"},
                    {"name": "g", "description": "", "response": {"type": "STRING"}},
                ]
            },
            {"googleSearch": {}},
            {"codeExecution": {}},
        ],
        "contents": [
            {
                "role": "user",
                "parts": [
                    {"text": "Look", "partMetadata": {"a": 1}},
                    {"inlineData": {"mimeType": "audio/wav", "data": "aGk=", "displayName": "a.wav"}},
                    {"fileData": {"fileUri": "gs://b/f.mp4", "mimeType": "video/mp4"}, "videoMetadata": {"fps": 2}},
                    {"partOfTomorrow": {"x": 1}},
                ],
            },
            {
                "role": "model",
                "parts": [
                    {"text": "Hm", "thought": True},
                    {"executableCode": {"language": "PYTHON", "code": "1"}, "thoughtSignature": "eA=="},
                    {"text": "So", "thoughtSignature": "eQ=="},
                    {"functionCall": {"name": "f", "args": {"a": 1}}, "thoughtSignature": "eg=="},
                    {"functionCall": {"id": "2", "name": "f", "args": {}, "new": 1}},
                ],
            },
            {
                "role": "user",
                "parts": [
                    {"functionResponse": {"name": "f", "response": {"degrees": 18}, "scheduling": "SILENT"}},
                    {
                        "functionResponse": {
                            "id": "2",
                            "name": "f",
                            "response": {"output": "see"},
                            "parts": [{"inlineData": {"mimeType": "image/png", "data": "aGk="}}],
                        }
                    },
                ],
            },
            {"role": "model", "parts": [{"text": "Done"}, {"text": "", "thoughtSignature": "ZQ=="}]},
        ],
    }
    assert body(decode_request(wire)) == wire


def test_fields_of_another_dialect_stay_behind() -> None:
    foreign = Extra("anthropic", {"cache_control": {"type": "ephemeral"}})
    parts = (TextPart("Hi", foreign), OpaquePart(Extra("anthropic", {"type": "server_tool_use"})))
    request = InferenceRequest((user("Hi"), Message(Role.ASSISTANT, parts, extra=foreign)), extra=foreign)
    assert body(request)["contents"][1] == {"role": "model", "parts": [{"text": "Hi"}]}


def test_a_tool_that_another_provider_runs_is_refused() -> None:
    tool = Tool("web_search", "", {}, Extra("anthropic", {"type": "web_search_20250305"}))
    with pytest.raises(InvalidRequest, match="web_search"):
        body(InferenceRequest((user("Hi"),), tools=(tool,)))


def test_a_wish_to_think_harder_crosses_from_the_other_dialects() -> None:
    hard = InferenceRequest((user("Hi"),), extra=Extra("openai", {"reasoning_effort": "high"}))
    assert body(hard)["generationConfig"] == {"thinkingConfig": {"thinkingLevel": "HIGH"}}
    budget = Extra("anthropic", {"thinking": {"type": "enabled", "budget_tokens": 3000}})
    assert body(InferenceRequest((user("Hi"),), extra=budget), model="gemini-2.5-pro")["generationConfig"] == {
        "thinkingConfig": {"thinkingBudget": 3000, "includeThoughts": True}
    }
    assert "generationConfig" not in body(hard, model="gemini-2.0-flash")
    some_json = Extra("openai", {"response_format": {"type": "json_object"}})
    assert body(InferenceRequest((user("Hi"),), extra=some_json))["generationConfig"] == {
        "responseMimeType": "application/json"
    }


def test_results_stand_together_in_the_order_of_their_calls() -> None:
    calls = (ToolCallPart("a", "f", "{}"), ToolCallPart("b", "f", "{}"))
    request = InferenceRequest(
        (
            Message(Role.ASSISTANT, calls),
            Message(Role.TOOL, (ToolResultPart("b", (TextPart("2"),)),)),
            Message(Role.TOOL, (ToolResultPart("a", (TextPart("1"),)),)),
        )
    )
    (_, results) = body(request)["contents"]
    answers = [part["functionResponse"]["response"]["output"] for part in results["parts"]]
    assert answers == ["1", "2"]


def test_a_result_without_an_id_is_matched_by_name_and_place() -> None:
    wire = {
        "contents": [
            {"role": "model", "parts": [{"functionCall": {"name": name}} for name in ("f", "g", "f")]},
            {
                "role": "user",
                "parts": [{"functionResponse": {"name": n, "response": {"output": o}}} for n, o in ("f1", "f2", "g3")],
            },
        ]
    }
    calls, results = decode_request(wire).messages
    answers = {part.call_id: part.parts for part in results.parts if isinstance(part, ToolResultPart)}
    assert [answers[call.id] for call in calls.tool_calls] == [(TextPart("1"),), (TextPart("3"),), (TextPart("2"),)]


def test_a_result_that_nothing_asked_for_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="'x'"):
        body(InferenceRequest((Message(Role.TOOL, (ToolResultPart("x", ()),)),)))


def test_an_id_made_up_here_is_not_sent_to_the_provider() -> None:
    reply = decode_completion(response({"functionCall": {"name": "f", "args": {}}}, reason="STOP"))
    (call,) = reply.tool_calls
    assert len(call.id) <= 40
    result = Message(Role.TOOL, (ToolResultPart(call.id, (TextPart("ok"),)),))
    asked, answered = body(InferenceRequest((reply.message, result)))["contents"]
    assert "id" not in asked["parts"][0]["functionCall"]
    assert answered["parts"][0]["functionResponse"] == {"name": "f", "response": {"output": "ok"}}


def test_replies_without_an_id_give_their_calls_ids_that_do_not_change() -> None:
    wire = response({"functionCall": {"name": "f", "args": {"a": 1}}}, reason="STOP", responseId=None)
    other = response({"functionCall": {"name": "f", "args": {"a": 2}}}, reason="STOP", responseId=None)
    first, again, second = (decode_completion(each).tool_calls[0].id for each in (wire, wire, other))
    assert first == again != second
    (streamed,) = gather(read(b"data: " + to_json(wire) + b"\n\n")).tool_calls
    assert streamed.id == first


def test_a_seal_comes_back_through_callers_of_the_anthropic_dialect() -> None:
    told = anthropic.encode_completion(gather(read(STREAM)))
    turn = {"role": "assistant", "content": told["content"]}
    asked = anthropic.decode_request({"max_tokens": 9, "messages": [{"role": "user", "content": "?"}, turn]})
    sent = body(asked)["contents"][1]["parts"]
    (signed,) = [part for part in sent if part.get("functionCall", {}).get("args") == {"place": "Köln"}]
    assert signed["thoughtSignature"] == "c2VhbA=="
    to_claude = anthropic.encode_request(asked, model="claude-sonnet-4-5", profile=Profile())
    assert "thinking" not in [block["type"] for block in to_claude["messages"][1]["content"]]


def test_a_call_whose_seal_was_lost_or_is_anothers_bears_the_agreed_word() -> None:
    thought = ReasoningPart("Hm", "claude seal")
    turn = Message(Role.ASSISTANT, (thought, ToolCallPart("a", "f", "{}"), ToolCallPart("b", "f", "{}")))
    (content,) = body(InferenceRequest((turn,)))["contents"]
    signatures = [part.get("thoughtSignature") for part in content["parts"]]
    assert signatures == [None, "skip_thought_signature_validator", None]
    assert decode_request({"contents": [content]}).messages[0].parts[0] == ReasoningPart("Hm")


@pytest.mark.parametrize(
    "wire",
    [
        {},
        {"contents": []},
        {"contents": [{"role": "wizard", "parts": []}]},
        {"contents": [{"parts": [{"functionResponse": {"name": "f", "response": {}}}]}]},
        {"contents": [{"parts": [{"text": "x"}]}], "tools": [{"functionDeclarations": [{}]}]},
        {"contents": [{"parts": [{"text": "x"}]}], "toolConfig": {"functionCallingConfig": 1}},
        {"contents": [{"parts": [{"text": "x"}]}], "generationConfig": {"temperature": "hot"}},
        {"contents": [{"parts": [{"text": "x"}]}], "generationConfig": {"maxOutputTokens": 1.5}},
    ],
)
def test_a_body_that_means_nothing_is_refused(wire: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        decode_request(wire)
