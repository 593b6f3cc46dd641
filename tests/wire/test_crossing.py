"""A caller of one dialect over a provider of another loses nothing that both can say."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from mainspring.inference.gateway.collect import Collector
from mainspring.inference.gateway.errors import InvalidRequest
from mainspring.inference.gateway.providers import anthropic, openai, responses
from mainspring.inference.gateway.providers.dialects import Inbound, Outbound
from mainspring.inference.gateway.providers.profiles import Profile, profile_of
from mainspring.inference.gateway.providers.sse import ServerEvent
from mainspring.inference.gateway.providers.wire import Wire, to_json
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
    OpaqueDelta,
    OpaquePart,
    ReasoningDelta,
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
    system,
    user,
)

from .clients import anthropic_client, openai_client

Said = tuple[str, str | None, dict[str, Any], tuple[int, int, int]]

PLAIN = profile_of("openai", "gpt-4.1")
THINKING = profile_of("openai", "gpt-5-mini")
CLAUDE = profile_of("anthropic", "claude-sonnet-4-6")
DIALECTS: dict[str, tuple[Inbound, Outbound]] = {
    "openai": (openai.INBOUND, openai.OUTBOUND),
    "anthropic": (anthropic.INBOUND, anthropic.OUTBOUND),
    "responses": (responses.INBOUND, responses.OUTBOUND),
}
PAIRS = [(caller, provider) for caller in DIALECTS for provider in DIALECTS]
PICTURE, PAPER = Inline("aGk=", "image/png"), Inline("aGk=", "application/pdf")
WEATHER = Tool("get_weather", "Of a place.", {"type": "object", "properties": {"place": {"type": "string"}}})
CALLS = (ToolCallPart("a", "get_weather", '{"place":"Rome"}'), ToolCallPart("b", "get_weather", '{"place":"Oslo"}'))
TALK = InferenceRequest(
    messages=(
        system("Be brief."),
        Message(Role.USER, (TextPart("See:"), ImagePart(PICTURE), ImagePart(Link("https://example.com/a.png")))),
        Message(Role.ASSISTANT, (TextPart("I look."), *CALLS)),
        Message(Role.TOOL, (ToolResultPart("a", (TextPart("18 C"),)), ToolResultPart("b", (TextPart("2 C"),)))),
        Message(Role.USER, (TextPart("And this?"), FilePart(PAPER, "a.pdf"))),
    ),
    tools=(WEATHER,),
    tool_choice=ToolChoice("named", "get_weather", parallel=False),
    sampling=Sampling(0.2, 0.9),
    max_tokens=100,
    response_format=ResponseFormat("reply", {"type": "object", "properties": {}, "additionalProperties": False}),
)
DELTAS: list[Delta] = [
    Started("c1", "model-x"),
    ReasoningDelta("Hm."),
    ReasoningDelta("", "EqQBseal"),
    TextDelta("Grüße "),
    TextDelta("🖋"),
    ToolCallDelta(0, "a", "get_weather"),
    ToolCallDelta(1, "b", "get_weather", '{"place":'),
    ToolCallDelta(0, arguments='{"place":"Köln"}'),
    ToolCallDelta(1, arguments='"Rom"}'),
    UsageUpdate(Usage(30, 12, 10, 0, 4)),
    Finished(FinishReason.TOOL_CALLS),
]


def essence(request: InferenceRequest) -> dict[str, Any]:
    """What every dialect can say of a request."""
    results = [part for turn in request.messages for part in turn.parts if isinstance(part, ToolResultPart)]
    shape = request.response_format
    return {
        "turns": [(turn.role, turn.text) for turn in request.messages],
        "pictures": [part.source for turn in request.messages for part in turn.parts if isinstance(part, ImagePart)],
        "files": [
            (part.source, part.name) for turn in request.messages for part in turn.parts if isinstance(part, FilePart)
        ],
        "calls": [(call.id, call.name, call.arguments) for turn in request.messages for call in turn.tool_calls],
        "results": [(result.call_id, result.parts) for result in results],
        "tools": [(tool.name, tool.description, tool.parameters) for tool in request.tools],
        "choice": request.tool_choice,
        "sampling": (request.sampling.temperature, request.sampling.top_p),
        "limit": request.max_tokens,
        "schema": shape.schema if shape else None,
    }


def cross(wire: Wire, caller: str, provider: str, *, model: str = "m", profile: Profile = PLAIN) -> Wire:
    """What the provider is sent for what the caller sent."""
    request = DIALECTS[caller][0].decode_request(wire)
    return DIALECTS[provider][1].encode_request(request, model=model, profile=profile, stream=False)


def ask(dialect: str, **more: Any) -> Wire:
    messages: list[Any] = [{"role": "user", "content": "Hi"}]
    match dialect:
        case "responses":
            return {"input": "Hi", **more}
        case "anthropic":
            return {"messages": messages, "max_tokens": 4000, **more}
        case _:
            return {"messages": messages, "max_completion_tokens": 4000, **more}


@pytest.mark.parametrize(("caller", "provider"), PAIRS)
def test_a_request_keeps_its_essence(caller: str, provider: str) -> None:
    wire = DIALECTS[caller][1].encode_request(TALK, model="m", profile=PLAIN, stream=False)
    sent = cross(wire, caller, provider)
    assert essence(DIALECTS[provider][0].decode_request(sent)) == essence(TALK)


@pytest.mark.parametrize(
    ("caller", "asked", "provider", "model", "profile", "sent"),
    [
        ("openai", {"reasoning_effort": "high"}, "anthropic", "claude-opus-5", CLAUDE,
         {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}),
        ("openai", {"reasoning_effort": "low"}, "anthropic", "claude-sonnet-4-5", CLAUDE,
         {"thinking": {"type": "enabled", "budget_tokens": 2000}}),
        ("openai", {"reasoning_effort": "none"}, "anthropic", "claude-opus-5", CLAUDE, {}),
        ("openai", {"reasoning_effort": "high"}, "anthropic", "claude-3-5-haiku-latest", CLAUDE, {}),
        ("responses", {"reasoning": {"effort": "medium", "summary": "auto"}}, "anthropic", "claude-opus-5", CLAUDE,
         {"thinking": {"type": "adaptive", "display": "summarized"}, "output_config": {"effort": "medium"}}),
        ("responses", {"reasoning": {"effort": "medium"}}, "openai", "gpt-5", THINKING, {"reasoning_effort": "medium"}),
        ("openai", {"reasoning_effort": "medium"}, "responses", "gpt-5", THINKING, {"reasoning": {"effort": "medium"}}),
        ("anthropic", {"thinking": {"type": "enabled", "budget_tokens": 2048}}, "openai", "gpt-5", THINKING,
         {"reasoning_effort": "low"}),
        ("anthropic", {"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}}, "responses", "gpt-5",
         THINKING, {"reasoning": {"effort": "max"}}),
        ("anthropic", {"thinking": {"type": "enabled", "budget_tokens": 9000}}, "openai", "gpt-4.1", PLAIN, {}),
        ("openai", {"user": "u"}, "anthropic", "m", CLAUDE, {"metadata": {"user_id": "u"}}),
        ("openai", {"safety_identifier": "s", "user": "u"}, "anthropic", "m", CLAUDE, {"metadata": {"user_id": "s"}}),
        ("anthropic", {"metadata": {"user_id": "u"}}, "openai", "m", PLAIN, {"safety_identifier": "u"}),
        ("anthropic", {"metadata": {"user_id": "u"}}, "openai", "m", Profile(), {"user": "u"}),
        ("anthropic", {"metadata": {"user_id": "u"}}, "responses", "m", PLAIN, {"safety_identifier": "u"}),
        ("anthropic", {"service_tier": "standard_only"}, "openai", "m", PLAIN, {"service_tier": "default"}),
        ("openai", {"service_tier": "default"}, "anthropic", "m", CLAUDE, {"service_tier": "standard_only"}),
        ("openai", {"service_tier": "flex"}, "anthropic", "m", CLAUDE, {}),
        ("openai", {"service_tier": "flex"}, "responses", "m", PLAIN, {"service_tier": "flex"}),
        ("openai", {"response_format": {"type": "json_object"}}, "responses", "m", PLAIN,
         {"text": {"format": {"type": "json_object"}}}),
        ("openai", {"response_format": {"type": "json_object"}}, "anthropic", "m", CLAUDE,
         {"system": "Reply with one JSON object only, without any other text."}),
        ("responses", {"text": {"format": {"type": "json_object"}}}, "openai", "m", PLAIN,
         {"response_format": {"type": "json_object"}}),
        ("openai", {"logprobs": True, "top_logprobs": 3}, "responses", "m", PLAIN,
         {"include": ["message.output_text.logprobs"], "top_logprobs": 3}),
        ("responses", {"include": ["message.output_text.logprobs"], "top_logprobs": 3}, "openai", "m", PLAIN,
         {"logprobs": True, "top_logprobs": 3}),
        ("responses", {"text": {"verbosity": "low"}}, "openai", "m", PLAIN, {"verbosity": "low"}),
        ("openai", {"metadata": {"a": "b"}, "prompt_cache_key": "k"}, "responses", "m", PLAIN,
         {"metadata": {"a": "b"}, "prompt_cache_key": "k"}),
        ("openai", {"stop": "END"}, "anthropic", "m", CLAUDE, {"stop_sequences": ["END"]}),
        ("anthropic", {"stop_sequences": ["END"]}, "openai", "m", PLAIN, {"stop": ["END"]}),
        ("openai", {"seed": 7}, "anthropic", "m", CLAUDE, {}),
        ("anthropic", {"output_format": {"type": "json_schema", "schema": {"type": "object"}}}, "anthropic", "m",
         CLAUDE,
         {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}}),
    ],
)  # fmt: skip
def test_a_wish_is_said_in_the_providers_words(
    caller: str, asked: Wire, provider: str, model: str, profile: Profile, sent: Wire
) -> None:
    whole = cross(ask(caller, **asked), caller, provider, model=model, profile=profile)
    plain = cross(ask(caller), caller, provider, model=model, profile=profile)
    assert {name: value for name, value in whole.items() if plain.get(name) != value} == sent


def test_thought_is_not_asked_for_where_it_would_be_refused() -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    forced = ask("openai", reasoning_effort="high", tools=[tool], tool_choice="required", temperature=0.2)
    sent = cross(forced, "openai", "anthropic", model="claude-opus-5", profile=CLAUDE)
    assert ("thinking" in sent, sent["temperature"]) == (False, 0.2)
    free = ask("openai", reasoning_effort="high", temperature=0.2)
    sent = cross(free, "openai", "anthropic", model="claude-opus-5", profile=CLAUDE)
    assert ("thinking" in sent, "temperature" in sent) == (True, False)


@pytest.mark.parametrize("strict", [True, False])
def test_strict_tools_stay_strict(strict: bool) -> None:
    chat = ask("openai", tools=[{"type": "function", "function": {"name": "f", "parameters": {}, "strict": strict}}])
    assert cross(chat, "openai", "anthropic")["tools"][0]["strict"] is strict
    assert cross(chat, "openai", "responses")["tools"][0]["strict"] is strict
    claude = ask("anthropic", tools=[{"name": "f", "input_schema": {"type": "object"}, "strict": strict}])
    assert cross(claude, "anthropic", "openai")["tools"][0]["function"]["strict"] is strict


def test_a_tool_of_one_provider_is_refused_by_another_and_kept_by_its_own() -> None:
    search = {"type": "web_search_20250305", "name": "web_search", "max_uses": 3}
    wire = ask("anthropic", tools=[search, {"type": "custom", "name": "f", "input_schema": {"type": "object"}}])
    assert cross(wire, "anthropic", "anthropic")["tools"][0] == search
    assert cross(wire, "anthropic", "anthropic")["tools"][1]["input_schema"] == {"type": "object"}
    with pytest.raises(InvalidRequest, match="web_search"):
        cross(wire, "anthropic", "openai")
    custom = {"type": "custom", "custom": {"name": "shell", "format": {"type": "text"}}}
    assert cross(ask("openai", tools=[custom]), "openai", "openai")["tools"] == [custom]


def test_pictures_that_tools_gave_are_shown_by_the_user_where_tools_have_only_words() -> None:
    result = ToolResultPart("a", (TextPart("A chart:"), ImagePart(PICTURE)))
    turns = (user("?"), Message(Role.ASSISTANT, CALLS[:1]), Message(Role.TOOL, (result,)))
    wire = anthropic.encode_request(InferenceRequest(turns, tools=(WEATHER,)), model="m", profile=CLAUDE)
    tool, shown = cross(wire, "anthropic", "openai")["messages"][-2:]
    assert (tool["role"], tool["content"]) == ("tool", "A chart:")
    assert shown["role"] == "user"
    assert shown["content"][1] == {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}
    output = cross(wire, "anthropic", "responses")["input"][-1]["output"]
    assert [part["type"] for part in output] == ["input_text", "input_image"]


def test_cache_marks_stay_in_their_dialect() -> None:
    mark = {"cache_control": {"type": "ephemeral"}}
    wire = ask("anthropic", system=[{"type": "text", "text": "Be brief.", **mark}])
    assert cross(wire, "anthropic", "anthropic")["system"][0]["cache_control"] == mark["cache_control"]
    for other in ("openai", "responses"):
        assert b"cache_control" not in to_json(cross(wire, "anthropic", other))


def test_system_messages_between_turns_stay_there_for_their_own_dialect() -> None:
    turns = [{"role": "user", "content": "Hi"}, {"role": "system", "content": "Be brief."}]
    wire = {"messages": turns, "max_tokens": 9}
    assert [turn["role"] for turn in cross(wire, "anthropic", "anthropic")["messages"]] == ["user", "system"]
    assert cross(wire, "anthropic", "openai")["messages"][1] == {"role": "system", "content": "Be brief."}


def test_a_beginning_put_into_the_models_mouth_comes_last_everywhere() -> None:
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "{"}]
    for provider, field in (("anthropic", "messages"), ("openai", "messages"), ("responses", "input")):
        assert cross({"messages": turns, "max_tokens": 9}, "anthropic", provider)[field][-1]["role"] == "assistant"


def test_a_plain_text_file_crosses() -> None:
    source = {"type": "text", "media_type": "text/plain", "data": "Grüße"}
    wire = {"messages": [{"role": "user", "content": [{"type": "document", "source": source}]}], "max_tokens": 9}
    assert cross(wire, "anthropic", "anthropic")["messages"][0]["content"][0]["source"] == source
    file = cross(wire, "anthropic", "openai")["messages"][0]["content"][0]["file"]
    assert file["file_data"].startswith("data:text/plain;base64,")


def test_several_choices_are_refused_rather_than_lost() -> None:
    with pytest.raises(InvalidRequest, match="n is 2"):
        openai.decode_request(ask("openai", n=2))
    assert "n" not in cross(ask("openai", n=1), "openai", "openai")


def test_sealed_thought_goes_through_a_chat_caller_and_back() -> None:
    reply = openai.encode_completion(gather(DELTAS), created=5)
    turns = [{"role": "user", "content": "?"}, reply["choices"][0]["message"]]
    results = [{"role": "tool", "tool_call_id": name, "content": "18 C"} for name in ("a", "b")]
    sent = cross({"messages": [*turns, *results]}, "openai", "anthropic")
    assert sent["messages"][1]["content"][0] == {"type": "thinking", "thinking": "Hm.", "signature": "EqQBseal"}


@pytest.mark.parametrize("caller", ["openai", "responses"])
def test_thought_that_is_hidden_goes_through_a_caller_and_back(caller: str) -> None:
    block = {"type": "redacted_thinking", "data": "secret"}
    deltas = [DELTAS[0], OpaqueDelta(Extra("anthropic", block)), *DELTAS[4:]]
    reply = DIALECTS[caller][0].encode_completion(gather(deltas), 5)
    said = reply["output"] if caller == "responses" else [reply["choices"][0]["message"]]
    wire = {"input": said} if caller == "responses" else {"messages": said}
    assert cross(wire, caller, "anthropic")["messages"][0]["content"][0] == block


@pytest.mark.parametrize(
    ("caller", "field"), [("openai", "functions"), ("openai", "web_search_options"), ("responses", "prompt")]
)
def test_what_only_one_dialect_has_is_refused_rather_than_lost(caller: str, field: str) -> None:
    wire = ask(caller, **{field: [{"name": "f"}]})
    assert field in cross(wire, caller, caller)
    with pytest.raises(InvalidRequest, match=field):
        cross(wire, caller, "anthropic")


def gather(deltas: list[Delta]) -> Completion:
    collector = Collector()
    for delta in deltas:
        collector.add(delta)
    return collector.completion()


def stream_through(provider: str, caller: str) -> bytes:
    """The stream a caller gets from a provider that streams DELTAS."""
    source, target = DIALECTS[provider][0].writer(5, True), DIALECTS[caller][0].writer(5, True)
    framer, reader = DIALECTS[provider][1].framer(), DIALECTS[provider][1].reader()
    deltas = [read for delta in DELTAS for event in framer.feed(source.write(delta)) for read in reader.feed(event)]
    return b"".join(target.write(delta) for delta in [*deltas, *reader.end()])


def of_chat(reply: bytes, kind: str) -> Said:
    client, _ = openai_client(reply, kind=kind)
    if kind == "application/json":
        whole = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}])
    else:
        with client.chat.completions.stream(model="m", messages=[{"role": "user", "content": "Hi"}]) as events:
            whole = events.get_final_completion()
    message, usage = whole.choices[0].message, whole.usage
    assert usage is not None
    assert usage.prompt_tokens_details is not None
    calls = {
        call.id: json.loads(call.function.arguments) for call in message.tool_calls or [] if call.type == "function"
    }
    thought: Any = (message.model_extra or {}).get("reasoning_content")
    counts = (usage.prompt_tokens, usage.completion_tokens, usage.prompt_tokens_details.cached_tokens or 0)
    assert whole.choices[0].finish_reason == "tool_calls"
    return message.content or "", thought, calls, counts


def of_messages(reply: bytes, kind: str) -> Said:
    client, _ = anthropic_client(reply, kind=kind)
    if kind == "application/json":
        whole = client.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": "Hi"}])
    else:
        with client.messages.stream(model="m", max_tokens=9, messages=[{"role": "user", "content": "Hi"}]) as events:
            whole = events.get_final_message()
    calls = {block.id: block.input for block in whole.content if block.type == "tool_use"}
    text = "".join(block.text for block in whole.content if block.type == "text")
    thought = next((block.thinking for block in whole.content if block.type == "thinking"), None)
    cached = whole.usage.cache_read_input_tokens or 0
    assert whole.stop_reason == "tool_use"
    return text, thought, calls, (whole.usage.input_tokens + cached, whole.usage.output_tokens, cached)


def of_responses(reply: bytes, kind: str) -> Said:
    client, _ = openai_client(reply, kind=kind)
    if kind == "application/json":
        whole = client.responses.create(model="m", input="Hi")
    else:
        with client.responses.stream(model="m", input="Hi") as events:
            whole = events.get_final_response()
    calls = {item.call_id: json.loads(item.arguments) for item in whole.output if item.type == "function_call"}
    thought = next((item.summary[0].text for item in whole.output if item.type == "reasoning"), None)
    usage = whole.usage
    assert usage is not None
    assert whole.status == "completed"
    counts = (usage.input_tokens, usage.output_tokens, usage.input_tokens_details.cached_tokens)
    return whole.output_text, thought, calls, counts


CLIENTS: dict[str, Callable[[bytes, str], Said]] = {
    "openai": of_chat,
    "anthropic": of_messages,
    "responses": of_responses,
}


EXPECTED: Said = ("Grüße 🖋", "Hm.", {"a": {"place": "Köln"}, "b": {"place": "Rom"}}, (30, 12, 10))


@pytest.mark.parametrize(("caller", "provider"), PAIRS)
def test_a_streamed_reply_reaches_the_vendors_client_whole(caller: str, provider: str) -> None:
    assert CLIENTS[caller](stream_through(provider, caller), "text/event-stream") == EXPECTED


@pytest.mark.parametrize(("caller", "provider"), PAIRS)
def test_a_full_reply_reaches_the_vendors_client_whole(caller: str, provider: str) -> None:
    wire = DIALECTS[provider][0].encode_completion(gather(DELTAS), 5)
    reply = DIALECTS[caller][0].encode_completion(DIALECTS[provider][1].decode_completion(wire), 5)
    assert CLIENTS[caller](to_json(reply), "application/json") == EXPECTED


@pytest.mark.parametrize("caller", ["openai", "responses"])
@pytest.mark.parametrize("provider", ["openai", "responses"])
def test_log_probabilities_are_passed_on_between_openais_dialects(caller: str, provider: str) -> None:
    odds = [{"token": "Hi", "logprob": -0.5, "bytes": [72, 105], "top_logprobs": []}]
    beside = OpaqueDelta(Extra("openai", {"choice": {"logprobs": {"content": odds}}}))
    deltas: list[Delta] = [DELTAS[0], TextDelta("Hi"), beside, Finished(FinishReason.STOP)]
    wire = DIALECTS[provider][0].encode_completion(gather(deltas), 5)
    reply = DIALECTS[caller][0].encode_completion(DIALECTS[provider][1].decode_completion(wire), 5)
    if caller == "openai":
        assert reply["choices"][0]["logprobs"]["content"] == odds
    else:
        assert reply["output"][0]["content"][0]["logprobs"] == odds


def test_a_caller_that_asks_for_no_counts_gets_none() -> None:
    silent = openai.INBOUND.writer(5, False)
    assert b'"usage"' not in b"".join(silent.write(delta) for delta in DELTAS)
    assert openai.INBOUND.wants_usage({"stream_options": {"include_usage": True}})
    assert not openai.INBOUND.wants_usage({"stream": True})
    assert anthropic.INBOUND.wants_usage({})


@pytest.mark.parametrize(
    ("dialect", "wire", "user_"),
    [
        ("openai", {"user": "u"}, "u"),
        ("openai", {"safety_identifier": "s", "user": "u"}, "s"),
        ("responses", {"safety_identifier": "s"}, "s"),
        ("anthropic", {"metadata": {"user_id": "u"}}, "u"),
        ("anthropic", {"metadata": "u"}, None),
        ("openai", {"user": 7}, None),
    ],
)
def test_the_end_user_is_read_from_the_body(dialect: str, wire: Wire, user_: str | None) -> None:
    assert DIALECTS[dialect][0].end_user(wire) == user_


@pytest.mark.parametrize("role", [Role.USER, Role.TOOL])
def test_what_a_user_or_a_tool_says_in_another_dialect_only_is_refused(role: Role) -> None:
    part = OpaquePart(Extra("anthropic", {"type": "search_result"}))
    parts = (part,) if role is Role.USER else (ToolResultPart("call_1", (part,)),)
    with pytest.raises(InvalidRequest, match="search_result"):
        openai.OUTBOUND.encode_request(
            InferenceRequest((Message(role, parts),)), model="m", profile=PLAIN, stream=False
        )


def test_a_file_without_a_name_is_given_one() -> None:
    part = FilePart(Inline("aGk=", "application/pdf"))
    wire = openai.OUTBOUND.encode_request(
        InferenceRequest((Message(Role.USER, (part,)),)), model="m", profile=PLAIN, stream=False
    )
    assert wire["messages"][0]["content"][0]["file"]["filename"] == "document.pdf"


def test_the_opening_of_a_stream_counts_no_output() -> None:
    """Anthropic's first event holds a placeholder; a call that is cut off must not be billed by it."""
    reader = anthropic.OUTBOUND.reader()
    opening = {"id": "msg_1", "model": "m", "usage": {"input_tokens": 12, "output_tokens": 1}}
    event = ServerEvent("message_start", to_json({"type": "message_start", "message": opening}))
    assert reader.feed(event) == [Started("msg_1", "m"), UsageUpdate(Usage(input_tokens=12))]
