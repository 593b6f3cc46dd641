"""A caller of the gateway in either dialect: what it sends, and what it was told, read as plainly as clients do."""

import json
import socket
import struct
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from .running import Case, Dialect, House, Member, RunningGateway

_PATHS: dict[Dialect, str] = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages"}


@dataclass(slots=True)
class Told:
    """What came back.

    text       of the reply, as far as it came
    error      the error object, of the answer or in its stream
    is_whole   a reply that ended well: a body, or a stream with its proper end
    is_cut     the connection broke before HTTP's end of the answer
    """

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""
    text: str = ""
    error: dict[str, Any] | None = None
    is_whole: bool = False
    is_cut: bool = False

    @property
    def id(self) -> str:
        """Of the call, and of its record; empty where no answer came."""
        return self.headers.get("x-mainspring-request-id", "")


@dataclass(frozen=True, slots=True)
class Ask:
    """A call: in which dialect, streamed or not, with how much time, through which gateway."""

    dialect: Dialect = "openai"
    stream: bool = False
    timeout: float | None = None
    max_tokens: int = 50
    prompt: str = "What is the notice period?"
    gateway: RunningGateway | None = None

    def body(self, model: str) -> bytes:
        """The body."""
        messages = [{"role": "user", "content": self.prompt}]
        wire = {"model": model, "messages": messages, "max_tokens": self.max_tokens, "stream": self.stream}
        return json.dumps(wire).encode()


async def ask(house: House, member: Member, case: Case | str, how: Ask = Ask()) -> Told:
    """Call a model and take what comes, whatever comes."""
    told = Told()
    try:
        async with asking(house, member, case, how) as response:
            told.status, told.headers = response.status_code, response.headers
            async for piece in response.aiter_raw():
                told.body += piece
    except httpx.TransportError:
        told.is_cut = True
    _read(told, how)
    return told


@asynccontextmanager
async def asking(house: House, member: Member, case: Case | str, how: Ask) -> AsyncGenerator[httpx.Response]:
    """The answer while it comes; leaving the block hangs up."""
    name = case if isinstance(case, str) else case.name
    headers = {"x-api-key": member.key, "content-type": "application/json"}
    if how.timeout is not None:
        headers["x-mainspring-timeout"] = str(how.timeout)
    url = f"{(how.gateway or house.gateway).url}{_PATHS[how.dialect]}"
    async with house.client.stream("POST", url, content=how.body(name), headers=headers) as response:
        yield response


def hang_up(response: httpx.Response) -> None:
    """Let the connection end by RST when it is closed: the other side knows at once that nobody is there."""
    held: socket.socket = response.extensions["network_stream"].get_extra_info("socket")
    held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _read(told: Told, how: Ask) -> None:
    if told.headers.get("content-type", "").startswith("text/event-stream"):
        _read_stream(told, how.dialect)
    elif told.body:
        wire = json.loads(told.body)
        told.error = wire.get("error")
        told.is_whole = told.status == 200 and not told.error and not told.is_cut
        if told.is_whole:
            told.text = _text_of(wire, how.dialect)


def _text_of(wire: dict[str, Any], dialect: Dialect) -> str:
    if dialect == "openai":
        return wire["choices"][0]["message"]["content"]
    return "".join(block.get("text", "") for block in wire["content"])


def _read_stream(told: Told, dialect: Dialect) -> None:
    """Each event must be JSON or the end's mark: what a client would choke on fails here."""
    for event in told.body.split(b"\n\n")[:-1]:
        fields = dict(line.split(b": ", 1) for line in event.split(b"\n") if not line.startswith(b":"))
        data = fields.get(b"data")
        if data is None:
            continue
        assert not told.is_whole, f"an event after the end: {event!r}"
        if data == b"[DONE]":
            told.is_whole = not told.error
            continue
        wire = json.loads(data)
        _read_event(told, wire, dialect)
    told.is_whole = told.is_whole and not told.is_cut


def _read_event(told: Told, wire: dict[str, Any], dialect: Dialect) -> None:
    if wire.get("error"):
        told.error = wire["error"]
    elif dialect == "openai":
        told.text += "".join(choice["delta"].get("content") or "" for choice in wire.get("choices", []))
    elif wire["type"] == "content_block_delta":
        told.text += wire["delta"].get("text", "")
    elif wire["type"] == "message_stop":
        told.is_whole = True
