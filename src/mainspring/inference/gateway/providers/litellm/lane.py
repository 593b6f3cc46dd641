"""The way to a provider through `litellm`: bodies of the OpenAI dialect in, bytes of the OpenAI dialect out."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol

from mainspring.inference.gateway.errors import ModelError, Overloaded, StreamBroken, TimedOut
from mainspring.inference.gateway.providers import openai
from mainspring.inference.gateway.providers.dialects import Outbound
from mainspring.inference.gateway.providers.wire import Wire, read_object, to_json
from mainspring.inference.gateway.upstream import Exchange

from .arguments import chat_arguments, embedding_arguments, model_name
from .connection import FedConnection
from .failures import failure_from
from .loading import Library

_LEAST_SECONDS = 0.001


class Due(Protocol):
    """When an answer must have begun, on the loop's clock, and how long it may be silent after that."""

    @property
    def first_byte_by(self) -> float: ...

    @property
    def idle_seconds(self) -> float: ...


@dataclass(slots=True, eq=False)
class LiteLlmLane:
    """The way to one endpoint with one key; the same methods as an HTTP lane's. No `url` is the provider's own."""

    package: Library
    provider: str
    url: str | None = None
    key: str | None = field(default=None, repr=False)
    outbound: Outbound = openai.OUTBOUND
    _providers: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        """Read once which providers the library knows by name."""
        self._providers = frozenset(str(getattr(each, "value", each)) for each in self.package.provider_list)

    async def ask(self, path: str, body: bytes, *, more: bytes = b"", deadlines: Due) -> bytes:
        """A whole reply; raises ModelError. `more`, headers for a provider of our own dialects, stays behind."""
        wire = read_object(body) or {}
        if path.endswith("/embeddings"):
            call = self.package.aembedding(**embedding_arguments(wire), **self._place(wire, deadlines))
        else:
            call = self.package.acompletion(**chat_arguments(wire), **self._place(wire, deadlines))
        reply = await _begun(call, deadlines)
        return to_json(reply.model_dump(exclude_none=True))

    async def open(self, path: str, body: bytes, *, more: bytes = b"", deadlines: Due) -> Exchange:
        """A streamed reply that the provider has begun; raises ModelError."""
        wire = read_object(body) or {}
        call = self.package.acompletion(**chat_arguments(wire), **self._place(wire, deadlines))
        events = _events(await _begun(call, deadlines))
        return Exchange(FedConnection(events, idle_seconds=deadlines.idle_seconds))

    def _place(self, wire: Wire, deadlines: Due) -> dict[str, Any]:
        """Where the call goes and for how long; the library itself tries once only."""
        left = max(deadlines.first_byte_by - asyncio.get_running_loop().time(), _LEAST_SECONDS)
        return {
            "model": model_name(self.provider, str(wire.get("model", "")), self._providers),
            "api_key": self.key,
            "api_base": self.url,
            "timeout": max(left, deadlines.idle_seconds) + 1,  # ours comes first, and is told as such
            "max_retries": 0,
            "num_retries": 0,
        }


async def _begun(call: Coroutine[Any, Any, Any], deadlines: Due) -> Any:
    try:
        async with asyncio.timeout_at(deadlines.first_byte_by):
            return await call
    except TimeoutError:
        raise TimedOut("The model's provider did not answer in time; try again.") from None
    except ModelError:
        raise
    except Exception as failure:  # noqa: BLE001 - others' code in our process, for any of a hundred providers
        raise failure_from(failure) from None


async def _events(chunks: AsyncIterator[Any]) -> AsyncGenerator[bytes]:
    """The chunks as server-sent events, to the dialect's last one; raises Overloaded, StreamBroken."""
    has_content = is_broken = False
    try:
        async for chunk in chunks:
            wire: Wire = chunk.model_dump(exclude_none=True)
            has_content = has_content or _has_content(wire)
            is_broken = _is_made_up(chunks, wire)
            if is_broken:
                break
            yield b"data: %b\n\n" % to_json(_plain(wire))
    finally:
        close = getattr(chunks, "aclose", None)
        if close:
            await close()
    if not has_content:
        raise Overloaded("The model's provider sent a stream without a reply; try again.")
    if is_broken:
        raise StreamBroken("The model's reply broke off before its end; what came is incomplete. Ask again.")
    yield b"data: [DONE]\n\n"


def _is_made_up(chunks: object, wire: Wire) -> bool:
    """Whether this is an end that the provider never sent: the library ends every stream with a reason."""
    if getattr(chunks, "received_finish_reason", "unknown") is not None:
        return False
    return any(choice.get("finish_reason") for choice in wire.get("choices") or ())


def _has_content(wire: Wire) -> bool:
    deltas: list[Wire] = [choice.get("delta") or {} for choice in wire.get("choices") or ()]
    return any(value for delta in deltas for name, value in delta.items() if name != "role")


def _plain(wire: Wire) -> Wire:
    """A chunk of counts as OpenAI sends it, without a choice."""
    choices: list[Wire] = wire.get("choices") or []
    is_bare = not any(choice.get("delta") or choice.get("finish_reason") for choice in choices)
    return {**wire, "choices": []} if wire.get("usage") and is_bare else wire
