"""Fakes of the gateway, for tests of any room: a provider that follows a script, and an AI switch.

`ScriptedProvider` is a real HTTP server on a free loopback port that speaks the OpenAI dialect, so
that a test exercises the true client, codec, retries and records. It is no model: it says only
what it was told to say, and it says that it is scripted (`model` is `scripted`).

    async with ScriptedProvider([ScriptedReply("yes")]) as provider:
        gateway = await scripted_gateway(provider, database, tmp_path)
"""

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import numpy as np

from mainspring.foundation.db import Database
from mainspring.foundation.ids import TenantId
from mainspring.inference.messages import (
    Delta,
    Finished,
    FinishReason,
    InferenceRequest,
    Started,
    TextDelta,
    ToolCallDelta,
    ToolCallPart,
    Usage,
    UsageUpdate,
)

from .build import build_engine
from .collect import Collector
from .policies import Configuration
from .policy import DEFAULT_POLICY, TenantPolicy
from .ports import TenantFacts
from .providers.openai import StreamWriter, decode_request, encode_completion, encode_embeddings
from .providers.wire import Wire, read_object, to_json
from .service import Gateway
from .snapshot import TenantSnapshot
from .types import Embeddings, GatewaySettings, RetryPolicy

MODEL = "scripted"
_USAGE = Usage(input_tokens=7, output_tokens=5)
_NO_WAIT = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class ScriptedReply:
    """What the provider does with one call.

    text           sent word by word, then `tool_calls`
    status         of 400 and more sends `error` as the error object, with `headers`
    delay          seconds before anything is sent; `pause` after each piece
    break_after    cut the connection after this many pieces; 0 cuts it before the first
    error_after    send `error` inside the stream after this many pieces
    """

    text: str = ""
    tool_calls: tuple[ToolCallPart, ...] = ()
    finish_reason: FinishReason = FinishReason.STOP
    usage: Usage = _USAGE
    status: int = 200
    error: Mapping[str, Any] = field(default_factory=dict[str, Any])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    delay: float = 0.0
    pause: float = 0.0
    break_after: int | None = None
    error_after: int | None = None

    def deltas(self) -> list[Delta]:
        """The reply as a stream."""
        words = [TextDelta(word) for word in self.text.replace(" ", " \0").split("\0") if word]
        calls = [ToolCallDelta(index, call.id, call.name, call.arguments) for index, call in enumerate(self.tool_calls)]
        reason = FinishReason.TOOL_CALLS if calls else self.finish_reason
        return [Started("scripted-1", MODEL), *words, *calls, UsageUpdate(self.usage), Finished(reason)]


Script = Sequence[ScriptedReply] | Callable[[InferenceRequest], ScriptedReply]
"""Replies in order, the last one repeated; or a function of the request."""


class ScriptedProvider:
    """The server: `url` is its base, `requests` the bodies it got, `hang_ups` how many callers went away early."""

    def __init__(self, script: Script = (ScriptedReply("This is a scripted reply."),)) -> None:
        self._script = script
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self.requests: list[Wire] = []
        self.hang_ups = 0
        self.url = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()
        self.url = f"http://{host}:{port}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.wait_closed()

    async def was_asked(self) -> bool:
        """Whether any call has come; for `wait_until`."""
        return bool(self.requests)

    async def was_left(self) -> bool:
        """Whether any caller went away before its answer was complete; for `wait_until`."""
        return self.hang_ups > 0

    def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            path, body = await _read_request(reader)
            answer = asyncio.create_task(self._answer(path, body, writer))
            gone = asyncio.create_task(reader.read(1))
            await asyncio.wait({answer, gone}, return_when=asyncio.FIRST_COMPLETED)
            self.hang_ups += not answer.done()
            for task in (answer, gone):
                task.cancel()
            await asyncio.gather(answer, gone, return_exceptions=True)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.hang_ups += 1
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer(self, path: str, body: Wire, writer: asyncio.StreamWriter) -> None:
        self.requests.append(body)
        if path.endswith("/embeddings"):
            await _send(writer, encode_embeddings(scripted_embeddings(body["input"]), as_base64=True))
            return
        reply = self._choose(decode_request(body))
        await asyncio.sleep(reply.delay)
        if reply.status >= 400:
            await _send(writer, {"error": dict(reply.error)}, reply.status, reply.headers)
        elif body.get("stream"):
            await _stream(writer, reply)
        else:
            collector = Collector()
            for delta in reply.deltas():
                collector.add(delta)
            await _send(writer, encode_completion(collector.completion(), created=0))

    def _choose(self, request: InferenceRequest) -> ScriptedReply:
        if callable(self._script):
            return self._script(request)
        return self._script[min(len(self.requests), len(self._script)) - 1]


def scripted_embeddings(texts: Sequence[str]) -> Embeddings:
    """Unit vectors that depend on nothing but the text; unlike texts are about orthogonal."""
    rows = [np.frombuffer(hashlib.shake_256(text.encode()).digest(384), dtype=np.int8) for text in texts]
    vectors = np.stack(rows).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Embeddings(vectors, MODEL, Usage(input_tokens=sum(len(text.split()) for text in texts)))


class SwitchBoard:
    """Every tenant there may be, with one policy for all: AI is on for all but those in `off`."""

    def __init__(self, policy: TenantPolicy = DEFAULT_POLICY) -> None:
        self.off: set[TenantId] = set()
        self.policy = policy

    async def is_enabled(self, tenant: TenantId) -> bool:
        """Whether the tenant is not in `off`."""
        return tenant not in self.off

    def find(self, tenant: TenantId) -> TenantSnapshot | None:
        """The tenant as it stands."""
        return TenantSnapshot(TenantFacts(tenant, tenant not in self.off), Configuration(policy=self.policy))

    async def get(self, tenant: TenantId) -> TenantSnapshot:
        """The tenant as it stands."""
        return TenantSnapshot(TenantFacts(tenant, tenant not in self.off), Configuration(policy=self.policy))


async def scripted_gateway(
    provider: ScriptedProvider,
    database: Database,
    data_dir: Path,
    *,
    switch: SwitchBoard | None = None,
) -> Gateway:
    """A gateway whose `local/...` and `openai/...` models are the script; `openai/scripted` is the capable one.

    Nothing is limited and what is said is recorded in clear. Close it at the end of the test. It
    retries at once, at most three times.
    """
    settings = GatewaySettings(
        data_dir=data_dir,
        models_url=provider.url,
        openai_base_url=provider.url,
        capable_model=f"openai/{MODEL}",
        retry=RetryPolicy(attempts=3, first_wait=_NO_WAIT),
    )
    return Gateway(build_engine(settings, database, switch or SwitchBoard()))


async def _read_request(reader: asyncio.StreamReader) -> tuple[str, Wire]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    lines = head.split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return lines[0].split(" ")[1], read_object(body) or {}


async def _send(
    writer: asyncio.StreamWriter, wire: Wire, status: int = 200, headers: Mapping[str, str] | None = None
) -> None:
    body = to_json(wire)
    fields = {"content-type": "application/json", "content-length": str(len(body)), **(headers or {})}
    writer.write(_head(status, fields) + body)
    await writer.drain()


async def _stream(writer: asyncio.StreamWriter, reply: ScriptedReply) -> None:
    writer.write(_head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"}))
    codec, pieces = StreamWriter(created=0), 0
    for delta in reply.deltas():
        if isinstance(delta, TextDelta | ToolCallDelta):
            pieces += 1
        if reply.break_after is not None and pieces > reply.break_after:
            writer.transport.abort()
            return
        if reply.error_after is not None and pieces > reply.error_after:
            _write_chunk(writer, b"data: " + to_json({"error": dict(reply.error)}) + b"\n\n")
            break
        _write_chunk(writer, codec.write(delta))
        await writer.drain()
        if isinstance(delta, TextDelta | ToolCallDelta):
            await asyncio.sleep(reply.pause)
    writer.write(b"0\r\n\r\n")
    await writer.drain()


def _write_chunk(writer: asyncio.StreamWriter, data: bytes) -> None:
    if data:
        writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")


def _head(status: int, fields: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Scripted", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "connection: close", "", ""]).encode("latin-1")
