"""The scripted upstream does what its script says, so that a test built on it proves what it claims."""

import asyncio
import base64
import json
import struct
import sys
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.upstream import Fault, Received, Reply, Tokens, ToolCall, Upstream

CHAT: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
STREAMED: dict[str, Any] = {**CHAT, "stream": True, "stream_options": {"include_usage": True}}
MESSAGE: dict[str, Any] = {**CHAT, "max_tokens": 5}
ANSWER: dict[str, Any] = {"model": "m", "input": "hi"}
PERSON: dict[str, Any] = {
    "type": "object",
    "required": ["name", "age", "kind", "tags", "home"],
    "properties": {
        "name": {"type": "string"},
        "age": {"type": "integer", "minimum": 18},
        "kind": {"enum": ["a", "b"]},
        "tags": {"type": "array", "items": {"type": "string"}},
        "home": {"$ref": "#/$defs/home"},
        "note": {"type": "string"},
    },
    "$defs": {"home": {"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}}},
}


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    async with Upstream(label="eu") as opened:
        yield opened


@pytest.fixture
async def client(upstream: Upstream) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=upstream.root, timeout=5, trust_env=False) as opened:
        yield opened


async def ask(client: httpx.AsyncClient, body: dict[str, Any] = CHAT, path: str = "chat/completions") -> httpx.Response:
    return await client.post(f"/v1/{path}", json=body)


def data_lines(text: str) -> list[Any]:
    found = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
    return [json.loads(line) for line in found if line != "[DONE]"]


async def read_until_it_ends(client: httpx.AsyncClient, body: dict[str, Any] = STREAMED) -> tuple[bytes, str]:
    """What came, and the name of the error that ended it (empty when it ended well)."""
    came = b""
    try:
        async with client.stream("POST", "/v1/chat/completions", json=body) as response:
            async for part in response.aiter_raw():
                came += part
    except httpx.TransportError as broken:
        return came, type(broken).__name__
    return came, ""


async def wait_in_vain(client: httpx.AsyncClient, upstream: Upstream, body: dict[str, Any]) -> bytes:
    """What came before nothing more does; the upstream is then left, and must notice."""
    came = bytearray()

    async def read() -> None:
        async with client.stream("POST", "/v1/chat/completions", json=body) as response:
            async for part in response.aiter_raw():
                came.extend(part)

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(read(), 0.15)
    await upstream.until(lambda each: each.hang_ups == 1)
    return bytes(came)


async def test_it_answers_in_order_and_then_by_default(upstream: Upstream, client: httpx.AsyncClient) -> None:
    upstream.script(Reply(text="one"), Reply(text="two"))
    upstream.default = Reply(text="always")
    said = [(await ask(client)).json()["choices"][0]["message"]["content"] for _ in range(4)]
    assert said == ["one", "two", "always", "always"]
    assert upstream.unplayed == 0


async def test_it_remembers_what_it_was_sent(upstream: Upstream, client: httpx.AsyncClient) -> None:
    await client.post("/v1/chat/completions?version=1", json=CHAT, headers={"X-Thing": "yes"})
    await ask(client)
    first, second = upstream.requests
    assert (first.label, first.method, first.path) == ("eu", "POST", "/v1/chat/completions?version=1")
    assert first.headers["x-thing"] == "yes"
    assert first.wire == CHAT
    assert first.is_answered
    assert first.connection == second.connection == upstream.connections == 1
    assert upstream.bytes_received > len(first.body) * 2


async def test_it_reads_bodies_that_come_in_chunks(upstream: Upstream, client: httpx.AsyncClient) -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield json.dumps(CHAT).encode()[:10]
        yield json.dumps(CHAT).encode()[10:]

    assert (await client.post("/v1/chat/completions", content=parts())).status_code == 200
    assert upstream.requests[0].wire == CHAT


async def test_the_default_may_depend_on_the_request(upstream: Upstream, client: httpx.AsyncClient) -> None:
    def by_model(received: Received) -> Reply | Fault:
        return Fault.OVERLOADED if received.model == "busy" else Reply(text="free")

    upstream.default = by_model
    assert (await ask(client)).status_code == 200
    assert (await ask(client, {**CHAT, "model": "busy"})).status_code == 529


async def test_a_streamed_chat_has_pieces_usage_and_an_end(upstream: Upstream, client: httpx.AsyncClient) -> None:
    upstream.script(Reply(text="a b c", usage=Tokens(input=9, output=3, cached=4)))
    text = (await ask(client, STREAMED)).text
    events = data_lines(text)
    assert [event["choices"][0]["delta"].get("content") for event in events[:-1]] == ["", "a ", "b ", "c", None]
    assert events[-1]["usage"]["prompt_tokens_details"] == {"cached_tokens": 4}
    assert text.endswith("data: [DONE]\n\n")
    assert upstream.requests[0].pieces_sent == 3


@pytest.mark.parametrize("reply", [Reply(usage=None), Reply(chunks=2)])
async def test_usage_comes_only_when_there_is_some_and_it_was_asked_for(
    upstream: Upstream, client: httpx.AsyncClient, reply: Reply
) -> None:
    upstream.script(reply)
    body = STREAMED if reply.usage is None else {**CHAT, "stream": True}
    assert '"usage"' not in (await ask(client, body)).text


async def test_it_streams_as_many_chunks_as_told_with_pauses(upstream: Upstream, client: httpx.AsyncClient) -> None:
    upstream.script(Reply(text="tok", chunks=5, pause=0.01, delay=0.02))
    began = asyncio.get_running_loop().time()
    text = (await ask(client, STREAMED)).text
    assert asyncio.get_running_loop().time() - began >= 0.06
    assert text.count('"content":"tok "') == 5


async def test_tool_calls_come_whole_and_in_parts(upstream: Upstream, client: httpx.AsyncClient) -> None:
    calls = (ToolCall("find", '{"id":1}', "call_a"), ToolCall("find", '{"id":2}', "call_b"))
    upstream.default = Reply(tool_calls=calls)
    choice = (await ask(client)).json()["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    assert [call["function"]["arguments"] for call in choice["message"]["tool_calls"]] == ['{"id":1}', '{"id":2}']
    joined = {0: "", 1: ""}
    for event in data_lines((await ask(client, STREAMED)).text):
        for choice in event["choices"]:
            for call in choice["delta"].get("tool_calls", []):
                joined[call["index"]] += call["function"]["arguments"]
    assert joined == {0: '{"id":1}', 1: '{"id":2}'}
    blocks = (await ask(client, MESSAGE, "messages")).json()["content"]
    assert [block["input"] for block in blocks] == [{"id": 1}, {"id": 2}]
    items = (await ask(client, ANSWER, "responses")).json()["output"]
    assert [item["call_id"] for item in items] == ["call_a", "call_b"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (
            "chat/completions",
            {**CHAT, "response_format": {"type": "json_schema", "json_schema": {"name": "p", "schema": PERSON}}},
        ),
        ("responses", {**ANSWER, "text": {"format": {"type": "json_schema", "name": "p", "schema": PERSON}}}),
        ("messages", {**MESSAGE, "output_config": {"format": {"type": "json_schema", "schema": PERSON}}}),
        (
            "messages",
            {
                **MESSAGE,
                "tools": [{"name": "p", "input_schema": PERSON}],
                "tool_choice": {"type": "tool", "name": "p"},
            },
        ),
    ],
)
async def test_it_can_follow_a_schema_or_violate_it(
    upstream: Upstream, client: httpx.AsyncClient, path: str, body: dict[str, Any]
) -> None:
    def said(response: httpx.Response) -> Any:
        wire = response.json()
        match path, wire:
            case "chat/completions", {"choices": [{"message": {"content": content}}]}:
                return json.loads(content)
            case "responses", {"output": [{"content": [{"text": text}]}]}:
                return json.loads(text)
            case _, {"content": [{"type": "tool_use", "input": value}]}:
                return value
            case _:
                return json.loads(wire["content"][0]["text"])

    upstream.script(Reply(data="follow"), Reply(data="violate"))
    good = {"name": "text", "age": 18, "kind": "a", "tags": ["text"], "home": {"city": "text"}}
    assert said(await ask(client, body, path)) == good
    del good["name"]
    assert said(await ask(client, body, path)) == good


async def test_a_streamed_message_tells_its_story_in_anthropics_events(
    upstream: Upstream, client: httpx.AsyncClient
) -> None:
    upstream.script(Reply(text="a b", reasoning="hm"))
    events = data_lines((await ask(client, {**MESSAGE, "stream": True}, "messages")).text)
    block = ["content_block_start", "content_block_delta", "content_block_delta", "content_block_stop"]
    expected = ["message_start", "ping", *block, *block, "message_delta", "message_stop"]
    assert [event["type"] for event in events] == expected
    assert events[-2]["usage"]["output_tokens"] == 7
    counted = await ask(client, MESSAGE, "messages/count_tokens")
    assert counted.json()["input_tokens"] > 0


async def test_a_streamed_response_numbers_its_events(upstream: Upstream, client: httpx.AsyncClient) -> None:
    upstream.script(Reply(text="a b"))
    events = data_lines((await ask(client, {**ANSWER, "stream": True}, "responses")).text)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert [event["delta"] for event in events if event["type"] == "response.output_text.delta"] == ["a ", "b"]
    assert events[-1]["response"]["output"][0]["content"][0]["text"] == "a b"


async def test_embeddings_depend_on_the_text_alone(client: httpx.AsyncClient) -> None:
    first = (await ask(client, {"model": "e", "input": ["x", "y"]}, "embeddings")).json()["data"]
    again = await ask(client, {"model": "e", "input": "x", "encoding_format": "base64"}, "embeddings")
    packed = base64.b64decode(again.json()["data"][0]["embedding"])
    assert struct.unpack("<8f", packed) == pytest.approx(first[0]["embedding"], abs=1e-6)
    assert first[0]["embedding"] != first[1]["embedding"]


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        (Fault.RATE_LIMITED, 429, "rate_limit_error"),
        (Fault.SERVER_ERROR, 500, "api_error"),
        (Fault.UNAVAILABLE, 503, "api_error"),
        (Fault.OVERLOADED, 529, "overloaded_error"),
        (Fault.UNAUTHORIZED, 401, "authentication_error"),
        (Fault.CONTEXT_TOO_LONG, 400, "invalid_request_error"),
    ],
)
async def test_error_statuses_speak_the_callers_dialect(
    upstream: Upstream, client: httpx.AsyncClient, fault: Fault, status: int, kind: str
) -> None:
    upstream.script(fault, Reply(fault=fault, retry_after="Sun, 06 Nov 1994 08:49:37 GMT"))
    as_openai, as_anthropic = await ask(client), await ask(client, MESSAGE, "messages")
    assert (as_openai.status_code, as_anthropic.status_code) == (status, status)
    assert "message" in as_openai.json()["error"]
    assert as_anthropic.json()["error"]["type"] == kind
    waits = (as_openai.headers.get("retry-after"), as_anthropic.headers.get("retry-after"))
    says_when = status in (429, 503, 529)
    assert waits == (("1", "Sun, 06 Nov 1994 08:49:37 GMT") if says_when else (None, None))


async def test_refused_connections_are_refused_by_the_system(upstream: Upstream, client: httpx.AsyncClient) -> None:
    await ask(client)
    port = upstream.port
    async with upstream.refusing():
        with pytest.raises(httpx.ConnectError):
            await ask(client)
    assert (await ask(client)).status_code == 200
    assert (upstream.port, len(upstream.requests)) == (port, 2)


async def test_hang_says_nothing(upstream: Upstream, client: httpx.AsyncClient) -> None:
    upstream.script(Fault.HANG)
    with pytest.raises(httpx.ReadTimeout):
        await client.post("/v1/chat/completions", json=CHAT, timeout=0.1)
    await upstream.until(lambda each: each.hang_ups == 1)
    assert upstream.requests[0].left_early


@pytest.mark.parametrize("body", [CHAT, STREAMED])
async def test_hang_after_headers_sends_them_and_stops(
    upstream: Upstream, client: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    upstream.script(Fault.HANG_AFTER_HEADERS)
    async with client.stream("POST", "/v1/chat/completions", json=body) as response:
        assert response.status_code == 200
    await upstream.until(lambda each: each.hang_ups == 1)
    assert upstream.requests[0].pieces_sent == 0


@pytest.mark.parametrize("body", [CHAT, STREAMED])
async def test_a_stall_stops_midway(upstream: Upstream, client: httpx.AsyncClient, body: dict[str, Any]) -> None:
    upstream.script(Reply(text="a b c", fault=Fault.STALL, fault_after=2))
    came = await wait_in_vain(client, upstream, body)
    assert b'"a ' in came if body is CHAT else (b'"b "' in came and b'"c"' not in came)
    assert upstream.requests[0].left_early


async def test_a_reset_comes_instead_of_an_answer(upstream: Upstream, client: httpx.AsyncClient) -> None:
    upstream.script(Fault.RESET)
    with pytest.raises(httpx.ReadError):
        await ask(client)
    assert upstream.hang_ups == 0


@pytest.mark.parametrize("body", [CHAT, STREAMED])
async def test_a_reset_midway_follows_what_was_sent(
    upstream: Upstream, client: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    upstream.script(Fault.RESET_MIDWAY)
    came, broken = await read_until_it_ends(client, body)
    assert (bool(came), broken) == (True, "ReadError")


@pytest.mark.parametrize("body", [CHAT, STREAMED])
async def test_a_cut_ends_too_early_for_http(
    upstream: Upstream, client: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    upstream.script(Fault.CUT)
    came, broken = await read_until_it_ends(client, body)
    assert (bool(came), broken) == (True, "RemoteProtocolError")


@pytest.mark.parametrize(
    ("path", "body", "end"),
    [
        ("chat/completions", STREAMED, "[DONE]"),
        ("messages", {**MESSAGE, "stream": True}, "message_stop"),
        ("responses", {**ANSWER, "stream": True}, "response.completed"),
    ],
)
async def test_a_stream_can_lack_its_last_event(
    upstream: Upstream, client: httpx.AsyncClient, path: str, body: dict[str, Any], end: str
) -> None:
    upstream.script(Fault.NO_END)
    without, whole = (await ask(client, body, path)).text, (await ask(client, body, path)).text
    assert end not in without
    assert end in whole
    assert whole.startswith(without)


async def test_garbage_is_not_http(upstream: Upstream, client: httpx.AsyncClient) -> None:
    upstream.script(Fault.GARBAGE)
    with pytest.raises(httpx.RemoteProtocolError):
        await ask(client)


@pytest.mark.parametrize("body", [CHAT, STREAMED])
async def test_a_garbage_body_is_http_and_nothing_else(
    upstream: Upstream, client: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    upstream.script(Fault.GARBAGE_BODY)
    response = await ask(client, body)
    assert (response.status_code, len(response.content)) == (200, 400)
    assert b"{" not in response.content[:1]
    assert not data_lines(response.content.decode("latin-1"))


async def test_html_comes_with_status_200(upstream: Upstream, client: httpx.AsyncClient) -> None:
    upstream.script(Fault.HTML)
    response = await ask(client, STREAMED)
    assert (response.status_code, response.headers["content-type"]) == (200, "text/html")


async def test_an_error_can_come_inside_a_stream(upstream: Upstream, client: httpx.AsyncClient) -> None:
    upstream.default = Reply(text="a b", fault=Fault.ERROR_IN_STREAM)
    last = data_lines((await ask(client, STREAMED)).text)[-1]
    assert last["error"]["type"] == "server_error"
    anthropic = (await ask(client, {**MESSAGE, "stream": True}, "messages")).text
    assert "event: error\n" in anthropic
    assert "message_stop" not in anthropic
    whole = await ask(client)
    assert (whole.status_code, "error" in whole.json()) == (200, True)


@pytest.mark.parametrize(
    ("path", "body", "where"),
    [
        ("chat/completions", CHAT, "choices"),
        ("messages", MESSAGE, "content"),
        ("responses", ANSWER, "output"),
        ("embeddings", ANSWER, "data"),
    ],
)
async def test_an_answer_can_be_empty(
    upstream: Upstream, client: httpx.AsyncClient, path: str, body: dict[str, Any], where: str
) -> None:
    upstream.default = Reply(fault=Fault.EMPTY_CHOICES)
    assert (await ask(client, body, path)).json()[where] == []
    if path != "embeddings":
        streamed = await ask(client, {**body, "stream": True}, path)
        assert not any(word in streamed.text for word in ('"content":"', '"delta":"', "content_block"))


@pytest.mark.parametrize("body", [CHAT, STREAMED])
async def test_json_can_stop_in_its_middle(upstream: Upstream, client: httpx.AsyncClient, body: dict[str, Any]) -> None:
    upstream.script(Fault.TRUNCATED_JSON)
    response = await ask(client, body)
    with pytest.raises(json.JSONDecodeError):
        _ = data_lines(response.text) if body is STREAMED else response.json()


@pytest.mark.parametrize("body", [CHAT, STREAMED])
async def test_a_drip_is_the_right_answer_byte_by_byte(
    upstream: Upstream, client: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    upstream.script(Reply(fault=Fault.DRIP, chunks=2), Reply(chunks=2))
    async with client.stream("POST", "/v1/chat/completions", json=body) as response:
        parts = [part async for part in response.aiter_raw()]
    assert b"".join(parts) == (await ask(client, body)).content
    assert len(parts) > 20


async def test_a_length_can_promise_too_much_or_too_little(upstream: Upstream, client: httpx.AsyncClient) -> None:
    upstream.script(Fault.LENGTH_TOO_LONG, Fault.LENGTH_TOO_SHORT)
    with pytest.raises(httpx.RemoteProtocolError):
        await ask(client)
    with pytest.raises(json.JSONDecodeError):
        (await ask(client)).json()


async def test_a_header_can_go_on_for_ever(upstream: Upstream) -> None:
    upstream.script(Fault.ENDLESS_HEADER)
    reader, writer = await asyncio.open_connection("127.0.0.1", upstream.port)
    writer.write(b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: 0\r\n\r\n")
    came = await reader.readexactly(2_000_000)
    writer.close()
    assert b"\r\n\r\n" not in came
    await upstream.until(lambda each: each.hang_ups == 1)


async def test_a_kept_connection_can_be_closed_without_a_word(upstream: Upstream, client: httpx.AsyncClient) -> None:
    upstream.script(Fault.CLOSED_IDLE)
    first = await ask(client)
    assert (first.status_code, "connection" in first.headers) == (200, False)
    assert (await ask(client)).status_code == 200
    assert [request.connection for request in upstream.requests] == [1, 2]


async def test_a_share_of_the_calls_fails_and_the_same_ones_each_time() -> None:
    async def outcomes(seed: int) -> list[int]:
        async with (
            Upstream(fail_share=0.4, fail_faults=[Fault.SERVER_ERROR], seed=seed) as upstream,
            httpx.AsyncClient(base_url=upstream.root, trust_env=False) as client,
        ):
            return [(await ask(client)).status_code for _ in range(200)]

    first, again, other = await outcomes(1), await outcomes(1), await outcomes(2)
    assert first == again != other
    assert 0.3 < first.count(500) / 200 < 0.5


async def test_it_runs_as_a_process_that_can_be_told_and_asked() -> None:
    command = (sys.executable, "-m", "tests.upstream", "--label", "us", "--text", "from afar")
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        port = json.loads(await process.stdout.readline())["port"]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            await client.post("/__upstream", json={"script": ["overloaded"]})
            statuses = [(await ask(client)).status_code for _ in range(2)]
            told = (await client.get("/__upstream")).json()
    finally:
        process.terminate()
        ended = await process.wait()
    assert (statuses, ended) == ([529, 200], 0)
    assert [request["label"] for request in told["requests"]] == ["us", "us"]
