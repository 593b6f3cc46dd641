"""The Anthropic dialect as a provider: a client, the codec and the error map put together."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from mainspring.inference.gateway.errors import InvalidRequest
from mainspring.inference.gateway.providers.http import ProviderClient
from mainspring.inference.gateway.providers.types import Target
from mainspring.inference.gateway.types import Embeddings
from mainspring.inference.messages import Delta, InferenceRequest

from .requests import encode_request
from .streams import StreamReader

VERSION = "2023-06-01"


@dataclass(frozen=True, slots=True)
class AnthropicProvider:
    """Any server that speaks the Anthropic dialect."""

    name: str
    client: ProviderClient
    is_local: bool = False
    region: str | None = None

    async def stream(self, request: InferenceRequest, target: Target) -> AsyncGenerator[Delta]:
        """One attempt at a message."""
        reader = StreamReader()
        body = encode_request(request, model=target.model, profile=target.profile)
        async with aclosing(self.client.events("messages", body)) as events:
            async for event in events:
                for delta in reader.feed(event):
                    yield delta
        for delta in reader.end():
            yield delta

    async def embed(self, texts: Sequence[str], target: Target) -> Embeddings:
        """The dialect has no embeddings: always InvalidRequest."""
        raise InvalidRequest(
            f"{target.model!r} makes no embeddings; use an embedding model such as local/minilm-l6-v2."
        )

    async def close(self) -> None:
        """Close idle connections."""
        await self.client.close()
