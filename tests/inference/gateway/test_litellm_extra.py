"""The optional extra for providers that we do not speak: what a call through it may say, and how it ends.

What runs the package itself runs where it is installed (`make test-clients` has it); the rest always.
"""

import asyncio
import importlib.util
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest

from mainspring.foundation.db import Database
from mainspring.foundation.errors import InvalidInput
from mainspring.foundation.ids import TenantId
from mainspring.inference.gateway import CallContext, Gateway, GatewaySettings
from mainspring.inference.gateway.build import build_engine
from mainspring.inference.gateway.engine.lanes import Deadlines, Way
from mainspring.inference.gateway.errors import (
    ContextTooLong,
    InvalidRequest,
    ModelError,
    Overloaded,
    RateLimited,
    StreamBroken,
    TimedOut,
    Unauthorized,
)
from mainspring.inference.gateway.policy import DEFAULT_POLICY, Price, TenantPolicy
from mainspring.inference.gateway.providers.litellm import LiteLlmLane
from mainspring.inference.gateway.providers.litellm.arguments import chat_arguments, model_name
from mainspring.inference.gateway.providers.litellm.failures import failure_from
from mainspring.inference.gateway.providers.wire import Wire, to_json
from mainspring.inference.gateway.routing import NoPermittedRoute
from mainspring.inference.gateway.testing import SwitchBoard
from mainspring.inference.gateway.upstream import UpstreamGone
from mainspring.inference.messages import Delta, Finished, InferenceRequest, TextDelta, user
from tests.upstream import Fault, Reply, Tokens, ToolCall, Upstream

from .conftest import Records, wait_until

is_installed = importlib.util.find_spec("litellm") is not None
with_package = [
    pytest.mark.skipif(not is_installed, reason="litellm is not installed; `make test-clients` runs this with it"),
    pytest.mark.filterwarnings("ignore"),  # of the package; they are not ours to mend
]
ASK: Wire = {"messages": [{"role": "user", "content": "hi"}]}
MODELS = """
aliases = {{ either = ["far/m1", "near/m1"] }}

[[endpoints]]
name = "far"
provider = "far"
dialect = "litellm"
url = "{far}"
api_key_env = "SCRIPTED_KEY"
region = "us-east-1"
models = {{ "far/m1" = "openai/m1" }}

[[endpoints]]
name = "near"
provider = "near"
url = "{near}"
region = "eu-central-1"

[[models]]
name = "far/m1"
price = {{ input_micros = 1000000, output_micros = 1000000 }}
"""


# --- without the package ---


@pytest.fixture
def _absent(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if it had never been installed."""
    monkeypatch.setitem(sys.modules, "litellm", None)


@pytest.mark.usefixtures("_absent")
async def test_an_endpoint_that_needs_the_absent_package_is_refused_at_the_start_with_what_to_install(
    database: Database, tmp_path: Path
) -> None:
    (tmp_path / "models.toml").write_text(
        '[[endpoints]]\nname = "cohere"\nprovider = "cohere"\ndialect = "litellm"\n', encoding="utf-8"
    )
    with pytest.raises(InvalidInput, match=r'"cohere|cohere.*pip install "mainspring\[litellm\]"'):
        build_engine(GatewaySettings(tmp_path, gateway_file=tmp_path / "models.toml"), database, SwitchBoard())


@pytest.mark.usefixtures("_absent")
async def test_nobody_else_needs_the_package(database: Database, tmp_path: Path) -> None:
    engine = build_engine(GatewaySettings(tmp_path, models_url="http://127.0.0.1:1/v1"), database, SwitchBoard())
    await engine.close()
    assert sys.modules["litellm"] is None


# --- what is passed on ---


@pytest.mark.parametrize(
    "field",
    [
        {"api_base": "http://10.0.0.1"},
        {"base_url": "http://10.0.0.1"},
        {"api_key": "sk-other"},
        {"fallbacks": ["openai/other"]},
        {"mock_response": "made up"},
        {"custom_llm_provider": "openai"},
        {"extra_headers": {"host": "other"}},
        {"model_list": []},
        {"tools": [{"type": "mcp", "server_url": "http://10.0.0.1"}]},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://10.0.0.1/a"}}]}]},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "http://10.0.0.1/a"}]}]},
        {"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "http://10.0.0.1/a"}}]}]},
        {"messages": [{"role": "user", "content": [{"type": "video_url", "video_url": {"url": "http://10.0.0.1/a"}}]}]},
    ],
    ids=lambda field: str(field)[:60],
)
def test_a_caller_can_neither_turn_a_call_elsewhere_nor_have_an_address_fetched(field: Wire) -> None:
    with pytest.raises(InvalidRequest):
        chat_arguments({"model": "m1", **ASK, **field})


def test_what_is_a_calls_own_is_passed_and_the_rest_of_a_message_left_out() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    wire: Wire = {
        "model": "m1",
        "metadata": {"a": "b"},
        "stop": None,
        "temperature": 0.5,
        "tools": [{"type": "function", "function": {"name": "f"}}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}, image], "images": ["http://x"]}],
    }
    assert chat_arguments(wire) == {
        "temperature": 0.5,
        "tools": wire["tools"],
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}, image]}],
    }


def test_a_model_is_named_as_the_package_wants_it() -> None:
    known = frozenset(("cohere", "huggingface", "cohere_chat"))
    assert model_name("cohere", "command-a", known) == "cohere/command-a"
    assert model_name("cohere", "cohere_chat/command-a", known) == "cohere_chat/command-a"
    assert model_name("huggingface", "meta/llama", known) == "huggingface/meta/llama"


# --- what comes back ---


class Chunk:
    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    def model_dump(self, **_: object) -> Wire:
        return self.wire


class Chunks:
    """A stream of the package: it goes on where `go` lets it, and notes that it was closed."""

    def __init__(self, chunks: list[Wire | Exception], *, reason: str | None = "stop") -> None:
        self.received_finish_reason = reason
        self.chunks = chunks
        self.taken = 0
        self.is_closed = False

    def __aiter__(self) -> AsyncIterator[Chunk]:
        return self

    async def __anext__(self) -> Chunk:
        if self.taken == len(self.chunks):
            raise StopAsyncIteration
        chunk = self.chunks[self.taken]
        self.taken += 1
        await asyncio.sleep(0)
        if isinstance(chunk, Exception):
            raise chunk
        if not chunk:
            await asyncio.Event().wait()
        return Chunk(chunk)

    async def aclose(self) -> None:
        self.is_closed = True


@dataclass
class Package:
    """The package as far as it is used."""

    answer: Any
    provider_list: tuple[str, ...] = ("openai",)
    suppress_debug_info: bool = True
    telemetry: bool = False

    async def acompletion(self, **arguments: Any) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def aembedding(self, **arguments: Any) -> Any:
        return self.answer

    async def close_litellm_async_clients(self) -> None: ...


def piece(text: str | None, **more: Any) -> Wire:
    return {"choices": [{"index": 0, "delta": {"content": text} if text is not None else {}, **more}]}


def due(seconds: float = 5.0, idle: float = 5.0) -> Deadlines:
    return Deadlines(asyncio.get_running_loop().time() + seconds, idle)


def lane_to(answer: object) -> LiteLlmLane:
    return LiteLlmLane(Package(answer), "far")


async def drained(lane: Way, deadlines: Deadlines | None = None) -> bytes:
    connection = await lane.open("/chat/completions", to_json({"model": "m", **ASK}), deadlines=deadlines or due())
    async with aclosing(connection.parts()) as parts:
        return b"".join([part async for part in parts])


async def test_a_stream_becomes_events_with_the_counts_as_openai_sends_them() -> None:
    chunks = Chunks([piece("a"), piece(None, finish_reason="stop"), {**piece(None), "usage": {"total_tokens": 3}}])
    assert await drained(lane_to(chunks)) == (
        b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'
        b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
        b'data: {"choices":[],"usage":{"total_tokens":3}}\n\n'
        b"data: [DONE]\n\n"
    )
    assert chunks.is_closed


async def test_an_end_that_the_provider_never_sent_is_a_broken_stream() -> None:
    chunks = Chunks([piece("a"), piece(None, finish_reason="stop")], reason=None)
    with pytest.raises(StreamBroken):
        await drained(lane_to(chunks))


async def test_a_stream_without_a_reply_is_a_failure_that_can_be_tried_elsewhere() -> None:
    with pytest.raises(Overloaded):
        await drained(lane_to(Chunks([piece(None, finish_reason="stop")])))


async def test_a_stream_that_falls_silent_is_given_up() -> None:
    chunks = Chunks([piece("a"), {}])
    with pytest.raises(UpstreamGone) as gone:
        await drained(lane_to(chunks), due(idle=0.05))
    assert gone.value.is_timeout
    assert chunks.is_closed


async def test_a_receiver_that_is_slower_holds_the_provider_back() -> None:
    chunks = Chunks([piece(str(number)) for number in range(1000)])
    connection = await lane_to(chunks).open("/chat/completions", to_json({"model": "m", **ASK}), deadlines=due())
    connection.hold_back()
    for _ in range(50):
        await asyncio.sleep(0)
    assert chunks.taken <= 2
    connection.go_on()
    async with aclosing(connection.parts()) as parts:
        whole = b"".join([part async for part in parts])
    assert whole.endswith(b"data: [DONE]\n\n")
    assert chunks.taken == 1000


async def test_hanging_up_closes_the_providers_stream() -> None:
    chunks = Chunks([piece("a"), {}])
    connection = await lane_to(chunks).open("/chat/completions", to_json({"model": "m", **ASK}), deadlines=due())
    await connection.until(lambda data: True)
    connection.abort()

    async def is_closed() -> bool:
        return chunks.is_closed

    await wait_until(is_closed)


class RateLimitError(Exception):
    status_code = 429
    litellm_response_headers = {"Retry-After": "7"}  # noqa: RUF012 - as the package has it


class ContextWindowExceededError(Exception):
    status_code = 400


class Strange(Exception):
    status_code = None


@pytest.mark.parametrize(
    ("raised", "meant"),
    [
        (RateLimitError(), RateLimited),
        (ContextWindowExceededError(), ContextTooLong),
        (Strange(), Overloaded),
        (KeyError("choices"), Overloaded),
        (InvalidRequest("ours"), InvalidRequest),
    ],
)
async def test_whatever_the_package_raises_is_one_of_the_closed_set(raised: Exception, meant: type[ModelError]) -> None:
    for call in ("ask", "open"):
        with pytest.raises(meant):
            await getattr(lane_to(raised), call)("/chat/completions", to_json({"model": "m", **ASK}), deadlines=due())


def test_what_the_provider_asked_to_wait_is_kept() -> None:
    assert failure_from(RateLimitError()).retry_after_seconds == 7.0


# --- with the package, over a provider of the OpenAI dialect ---


class OpenFar(Protocol):
    async def __call__(self, policy: TenantPolicy = ...) -> tuple[Gateway, Upstream, Upstream]: ...


@pytest.fixture
async def open_far(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[OpenFar]:
    monkeypatch.setenv("SCRIPTED_KEY", "sk-scripted")
    async with AsyncExitStack() as stack:

        async def open_(policy: TenantPolicy = DEFAULT_POLICY) -> tuple[Gateway, Upstream, Upstream]:
            far, near = [await stack.enter_async_context(Upstream(label)) for label in ("far", "near")]
            (tmp_path / "models.toml").write_text(MODELS.format(far=far.url, near=near.url), encoding="utf-8")
            settings = GatewaySettings(tmp_path, gateway_file=tmp_path / "models.toml")
            gateway = Gateway(build_engine(settings, database, SwitchBoard(policy)))
            stack.push_async_callback(gateway.close)
            return gateway, far, near

        yield open_


def request(model: str = "far/m1") -> InferenceRequest:
    return InferenceRequest((user("What is the notice period?"),), model=model, max_tokens=50)


class TestWithThePackage:
    pytestmark = with_package

    async def test_a_whole_reply_and_a_streamed_one_are_recorded_and_priced(
        self, open_far: OpenFar, context: CallContext, records: Records
    ) -> None:
        gateway, far, _ = await open_far()
        far.script(*[Reply(text="Thirty days.", usage=Tokens(input=20, output=4))] * 2)
        assert (await gateway.complete(request(), context=context)).text == "Thirty days."
        deltas: list[Delta] = []
        async with aclosing(gateway.stream(request(), context=context)) as stream:
            deltas += [delta async for delta in stream]
        assert "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)) == "Thirty days."
        assert isinstance(deltas[-1], Finished)
        for row in await records(2):
            shown = (row["provider"], row["region"], row["status"], row["input_tokens"], row["output_tokens"])
            assert shown == ("far", "us-east-1", "ok", 20, 4)
            assert row["cost_micros"] == 24
        assert far.requests[0].wire["max_tokens"] == 50
        assert far.requests[0].model == "m1"

    async def test_tool_calls_come_through(self, open_far: OpenFar, context: CallContext) -> None:
        gateway, far, _ = await open_far()
        far.script(Reply(text="", tool_calls=(ToolCall("weather", '{"city":"Oslo"}'),)))
        completion = await gateway.complete(request(), context=context)
        assert [(each.name, each.arguments) for each in completion.message.tool_calls] == [
            ("weather", '{"city":"Oslo"}')
        ]

    @pytest.mark.parametrize(
        "fault", [Fault.RATE_LIMITED, Fault.SERVER_ERROR, Fault.RESET, Fault.HTML, Fault.UNAUTHORIZED]
    )
    async def test_a_call_fails_over_to_an_endpoint_of_our_own_before_its_first_token(
        self, open_far: OpenFar, context: CallContext, records: Records, fault: Fault
    ) -> None:
        gateway, far, near = await open_far()
        far.script(fault)
        near.script(Reply(text="From near."))
        assert (await gateway.complete(request("either"), context=context)).text == "From near."
        assert (len(far.requests), len(near.requests)) == (1, 1)
        (row,) = await records(1)
        assert (row["provider"], row["attempts"], row["status"]) == ("near", 2, "ok")

    async def test_a_stream_that_breaks_after_its_first_token_says_so_and_is_not_tried_again(
        self, open_far: OpenFar, context: CallContext, records: Records
    ) -> None:
        gateway, far, near = await open_far()
        far.script(Reply(text="one two three four", fault=Fault.CUT, fault_after=3, pause=0.05))
        with pytest.raises(StreamBroken):
            await gateway.complete(request("either"), context=context)
        assert near.requests == []
        (row,) = await records(1)
        assert (row["status"], row["error_code"]) == ("broken", "model_stream_broken")

    async def test_residency_keeps_every_byte_from_an_endpoint_outside(
        self, open_far: OpenFar, context: CallContext
    ) -> None:
        gateway, far, near = await open_far(
            TenantPolicy(residency="eu", prices={"near/m1": Price(input_micros=1, output_micros=1)})
        )
        near.script(Fault.SERVER_ERROR, Reply(text="From near."))
        assert (await gateway.complete(request("either"), context=context)).text == "From near."
        with pytest.raises(NoPermittedRoute):
            await gateway.complete(request(), context=context)
        assert far.bytes_received == 0

    async def test_hanging_up_hangs_up_on_the_provider(
        self, open_far: OpenFar, context: CallContext, records: Records
    ) -> None:
        gateway, far, _ = await open_far()
        far.script(Reply(chunks=500, pause=0.02))
        async with aclosing(gateway.stream(request(), context=context)) as stream:
            async for delta in stream:
                if isinstance(delta, TextDelta):
                    break
        await far.until(lambda upstream: upstream.hang_ups == 1)
        (row,) = await records(1)
        assert row["status"] == "cancelled"

    @pytest.mark.parametrize(
        ("fault", "meant"),
        [
            (Fault.RATE_LIMITED, RateLimited),
            (Fault.OVERLOADED, Overloaded),
            (Fault.UNAUTHORIZED, Unauthorized),
            (Fault.CONTEXT_TOO_LONG, ContextTooLong),
            (Fault.HANG, TimedOut),
            (Fault.TRUNCATED_JSON, Overloaded),
        ],
    )
    async def test_failures_are_those_of_the_closed_set(
        self, open_far: OpenFar, tenant: TenantId, fault: Fault, meant: type[ModelError]
    ) -> None:
        gateway, far, _ = await open_far()
        far.script(fault)
        lane = gateway.engine.lanes.lane(gateway.engine.resolve("far/m1", DEFAULT_POLICY).deployments[0].endpoint, None)
        with pytest.raises(meant) as failed:
            await lane.ask("/chat/completions", to_json({"model": "openai/m1", **ASK}), deadlines=due(0.5))
        assert failed.value.retry_after_seconds == (1.0 if fault in (Fault.RATE_LIMITED, Fault.OVERLOADED) else None)
