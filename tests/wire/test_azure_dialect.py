"""Azure OpenAI on the wire: addresses, the content filter's results and errors, and the rest as OpenAI has it."""

from typing import Any

import pytest

from mainspring.inference.gateway.collect import Collector
from mainspring.inference.gateway.errors import (
    ContentRefused,
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
from mainspring.inference.gateway.providers.azure import (
    OUTBOUND,
    azure_path,
    base_url,
    failure_of,
    key_header,
    outbound_of,
    served_region,
)
from mainspring.inference.gateway.providers.profiles import profile_of
from mainspring.inference.gateway.providers.wire import to_json
from mainspring.inference.messages import (
    Completion,
    Delta,
    Finished,
    FinishReason,
    InferenceRequest,
    OpaqueDelta,
    Started,
    TextDelta,
    TextPart,
    Tool,
    ToolCallPart,
    Usage,
    user,
)

SAFE = {name: {"filtered": False, "severity": "safe"} for name in ("hate", "self_harm", "sexual", "violence")}
PROMPT: list[dict[str, Any]] = [
    {"prompt_index": 0, "content_filter_results": {**SAFE, "jailbreak": {"filtered": False, "detected": False}}}
]
HEAD: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion.chunk",
    "created": 5,
    "model": "gpt-5-mini-2025-08-07",
    "system_fingerprint": "fp_1",
}


def chunk(delta: dict[str, Any] | None, **choice: Any) -> dict[str, Any]:
    """A chunk as Azure sends it; without a delta, those of the asynchronous filter."""
    said = {} if delta is None else {"delta": delta, "logprobs": None}
    return {**HEAD, "choices": [{"index": 0, "finish_reason": None, **said, **choice}]}


def call(index: int, arguments: str, **begun: Any) -> dict[str, Any]:
    function = {"arguments": arguments, **({"name": "get_weather"} if begun else {})}
    return {"tool_calls": [{"index": index, "function": function, **begun}]}


FILTERS_ONLY = {"id": "", "object": "", "created": 0, "model": "", "choices": [], "prompt_filter_results": PROMPT}
CHUNKS: list[dict[str, Any]] = [
    FILTERS_ONLY,
    chunk({"role": "assistant", "content": "", "refusal": None}, content_filter_results={}),
    chunk({"content": "Grüße"}, content_filter_results=SAFE),
    chunk({"content": " 🖋"}, content_filter_results={**SAFE, "violence": {"filtered": False, "severity": "low"}}),
    chunk(call(0, "", id="call_1", type="function")),
    chunk(call(0, '{"place":"Köln"}')),
    chunk(call(1, "{}", id="call_2", type="function")),
    chunk({}, finish_reason="tool_calls", content_filter_results={}),
    {
        **FILTERS_ONLY,
        "prompt_filter_results": None,
        "choices": [
            {"index": 0, "finish_reason": None, "content_filter_offsets": {"check_offset": 44, "end_offset": 198}}
        ],
    },
    {
        **HEAD,
        "choices": [],
        "usage": {"prompt_tokens": 20, "completion_tokens": 9, "prompt_tokens_details": {"cached_tokens": 8}},
    },
]
FOUND = {**SAFE, "violence": {"filtered": False, "severity": "low"}}


def stream_of(*chunks: dict[str, Any]) -> bytes:
    return b"".join(b"data: " + to_json(each) + b"\n\n" for each in chunks) + b"data: [DONE]\n\n"


def read(*pieces: bytes) -> list[Delta]:
    framer, reader = OUTBOUND.framer(), OUTBOUND.reader()
    deltas = [delta for piece in pieces for event in framer.feed(piece) for delta in reader.feed(event)]
    return [*deltas, *reader.end()]


def gather(deltas: list[Delta]) -> Completion:
    collector = Collector()
    for delta in deltas:
        collector.add(delta)
    return collector.completion()


def test_the_v1_api_is_asked_like_openai_with_a_deployment_for_a_model() -> None:
    assert base_url("contoso") + OUTBOUND.path("my-gpt", True) == (
        "https://contoso.openai.azure.com/openai/v1/chat/completions"
    )
    body = OUTBOUND.encode_request(
        InferenceRequest((user("Hi"),), max_tokens=9),
        model="my-gpt",
        profile=profile_of("azure", "my-gpt"),
        stream=True,
    )
    assert body == {
        "model": "my-gpt",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_completion_tokens": 9,
    }


def test_the_older_api_has_the_deployment_and_a_version_in_its_address() -> None:
    older = outbound_of("2024-10-21")
    assert base_url("contoso", "2024-10-21") + older.path("my gpt/4", False) == (
        "https://contoso.openai.azure.com/openai/deployments/my%20gpt%2F4/chat/completions?api-version=2024-10-21"
    )
    assert azure_path("e", "embeddings", api_version="2024-10-21") == (
        "/openai/deployments/e/embeddings?api-version=2024-10-21"
    )
    assert azure_path("e", "embeddings") == "/embeddings"


def test_the_key_has_a_header_of_its_own() -> None:
    assert key_header("k") == {"api-key": "k"}


@pytest.mark.parametrize(
    ("headers", "region"),
    [({"x-ms-region": "Sweden Central"}, "swedencentral"), ({"x-ms-region": "eastus2"}, "eastus2"), ({}, None)],
)
def test_the_answer_says_which_region_gave_it(headers: dict[str, str], region: str | None) -> None:
    assert served_region(headers) == region


def test_a_stream_starts_with_its_id_and_not_with_the_filters_results() -> None:
    deltas = read(stream_of(*CHUNKS))
    assert deltas[0] == Started("chatcmpl-1", "gpt-5-mini-2025-08-07")
    assert sum(isinstance(delta, Started) for delta in deltas) == 1


def test_the_filters_results_are_told_once_and_do_not_cut_the_text() -> None:
    deltas = read(stream_of(*CHUNKS))
    told = [delta.extra.fields for delta in deltas if isinstance(delta, OpaqueDelta)]
    offsets = {"check_offset": 44, "end_offset": 198}
    assert told == [{"choice": {"content_filter_results": FOUND, "content_filter_offsets": offsets}}]
    assert isinstance(deltas[-2], OpaqueDelta)
    last = deltas[-1]
    assert isinstance(last, Finished)
    assert last.extra is not None
    assert last.extra.fields["prompt_filter_results"] == PROMPT
    reply = gather(deltas)
    assert reply.message.parts[:3] == (
        TextPart("Grüße 🖋"),
        ToolCallPart("call_1", "get_weather", '{"place":"Köln"}'),
        ToolCallPart("call_2", "get_weather", "{}"),
    )
    assert reply.usage == Usage(input_tokens=20, output_tokens=9, cached_tokens=8)
    assert reply.finish_reason is FinishReason.TOOL_CALLS


def test_a_stream_cut_at_any_byte_gives_the_same_reply() -> None:
    stream = stream_of(*CHUNKS)
    whole = gather(read(stream))
    for cut in range(len(stream) + 1):
        assert gather(read(stream[:cut], stream[cut:])) == whole, f"cut at byte {cut}"


def test_callers_of_openai_see_what_the_filter_found_streamed_or_not() -> None:
    deltas = read(stream_of(*CHUNKS))
    wire = openai.encode_completion(gather(deltas), created=5)
    assert wire["choices"][0]["message"]["content"] == "Grüße 🖋"
    assert wire["choices"][0]["content_filter_results"] == FOUND
    assert wire["prompt_filter_results"] == PROMPT
    writer = openai.StreamWriter(created=5)
    written = b"".join(writer.write(delta) for delta in deltas)
    assert b'"content_filter_results":{"hate"' in written
    assert b'"prompt_filter_results":[' in written


def test_what_was_once_filtered_stays_filtered() -> None:
    stopped = {**SAFE, "hate": {"filtered": True, "severity": "high"}}
    deltas = read(
        stream_of(
            chunk({"content": "x"}, content_filter_results=stopped),
            chunk({}, finish_reason="content_filter", content_filter_results=SAFE),
        )
    )
    told = [delta.extra.fields for delta in deltas if isinstance(delta, OpaqueDelta)]
    assert told == [{"choice": {"content_filter_results": stopped}}]
    assert gather(deltas).finish_reason is FinishReason.FILTERED


def test_what_is_not_the_filters_stays_in_its_place() -> None:
    tokens = {"content": [{"token": "x", "logprob": -0.1}]}
    deltas = read(stream_of(chunk({"content": "x"}, logprobs=tokens), chunk({}, finish_reason="stop")))
    assert [type(delta) for delta in deltas] == [Started, TextDelta, OpaqueDelta, Finished]


def test_a_full_reply_keeps_the_filters_results() -> None:
    wire: dict[str, Any] = {
        "id": "chatcmpl-1",
        "model": "gpt-5-mini-2025-08-07",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": "Hi"},
                "content_filter_results": SAFE,
            }
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1},
        "prompt_filter_results": PROMPT,
    }
    completion = OUTBOUND.decode_completion(wire)
    again = openai.encode_completion(completion, created=5)
    assert completion.text == "Hi"
    assert again["prompt_filter_results"] == PROMPT
    assert again["choices"][0]["content_filter_results"] == SAFE


@pytest.mark.parametrize(
    "data", [b"data: nonsense\n\n", b"data: []\n\n", b'data: {"id":"x","choices":[{"delta":5}]}\n\n']
)
def test_a_chunk_of_another_shape_breaks_the_stream(data: bytes) -> None:
    with pytest.raises(StreamBroken):
        read(data)


def test_a_stream_that_stops_before_its_reason_is_broken() -> None:
    with pytest.raises(StreamBroken):
        read(stream_of(*CHUNKS[:5]))


def test_an_error_inside_a_stream_is_mapped() -> None:
    for error, expected in (
        ({"code": "content_filter", "message": "m"}, ContentRefused),
        ({"code": "500"}, Overloaded),
    ):
        with pytest.raises(expected):
            read(stream_of(FILTERS_ONLY, {"error": error}))


def stopped_by(outer: str | None, **inner: Any) -> dict[str, Any]:
    return {"message": "The response was filtered.", "code": outer, "status": 400, "innererror": inner}


@pytest.mark.parametrize(
    ("status", "error", "expected"),
    [
        (400, stopped_by("content_filter", code="ResponsibleAIPolicyViolation"), ContentRefused),
        (400, stopped_by(None, code="ResponsibleAIPolicyViolation"), ContentRefused),
        (400, {"code": "content_filter", "message": "their words"}, ContentRefused),
        (400, stopped_by("BadRequest", code="Other"), InvalidRequest),
        (400, {"code": "context_length_exceeded", "message": "their words"}, ContextTooLong),
        (401, {"code": "401", "message": "Access denied due to invalid subscription key."}, Unauthorized),
        (401, {"code": "PermissionDenied", "message": "their words"}, Unauthorized),
        (404, {"code": "DeploymentNotFound", "message": "their words"}, InvalidRequest),
        (408, {"code": "Timeout", "message": "their words"}, TimedOut),
        (429, {"code": "429", "message": "their words"}, RateLimited),
        (429, {"code": "RateLimitReached", "message": "their words"}, RateLimited),
        (500, {"code": "InternalServerError", "message": "their words"}, Overloaded),
        (503, {"code": "ServiceUnavailable", "message": "their words"}, Overloaded),
    ],
)
def test_failures_become_a_small_closed_set(status: int, error: dict[str, Any], expected: type[ModelError]) -> None:
    failure = failure_of(status, {}, to_json({"error": error}))
    assert type(failure) is expected
    assert str(error["message"]) not in failure.detail


def test_the_record_names_the_filter_that_stopped_a_prompt() -> None:
    results = {**SAFE, "jailbreak": {"filtered": True, "detected": True}}
    error = stopped_by("content_filter", code="ResponsibleAIPolicyViolation", content_filter_result=results)
    failure = failure_of(400, {}, to_json({"error": error}))
    assert failure.vendor_text == "The response was filtered. [jailbreak]"


@pytest.mark.parametrize(
    ("headers", "message", "seconds"),
    [
        ({"retry-after-ms": "2500", "retry-after": "3"}, "x", 2.5),
        ({"retry-after": "6"}, "x", 6),
        ({}, "You exceeded the rate limit. Please retry after 26 seconds. Please contact us.", 26),
        ({}, "Please retry after a while.", None),
        ({}, "x", None),
    ],
)
def test_a_limit_says_when_to_come_back(headers: dict[str, str], message: str, seconds: float | None) -> None:
    failure = failure_of(429, headers, to_json({"error": {"code": "429", "message": message}}))
    assert failure.retry_after_seconds == seconds


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error":"x"}', b'{"error":{"innererror":5}}'])
def test_a_failure_of_any_shape_is_mapped(body: bytes) -> None:
    assert type(failure_of(500, {}, body)) is Overloaded


def test_tools_are_offered_as_openai_has_them() -> None:
    request = InferenceRequest((user("Hi"),), tools=(Tool("f", "", {"type": "object"}),))
    profile = profile_of("azure", "gpt-5-mini")
    mine = OUTBOUND.encode_request(request, model="gpt-5-mini", profile=profile, stream=False)
    assert mine == openai.encode_request(request, model="gpt-5-mini", profile=profile, stream=False)
