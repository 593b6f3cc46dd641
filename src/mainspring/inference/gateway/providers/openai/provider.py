"""The OpenAI dialect as a provider: a client, the codec and the error map put together."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import numpy as np

from mainspring.inference.gateway.providers.http import ProviderClient
from mainspring.inference.gateway.providers.types import Target
from mainspring.inference.gateway.types import Embeddings
from mainspring.inference.messages import Delta, InferenceRequest, Usage

from .embeddings import decode_embeddings, encode_texts
from .requests import encode_request
from .streams import StreamReader

_TEXTS_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class OpenAiProvider:
    """Any server that speaks the OpenAI dialect."""

    name: str
    client: ProviderClient
    is_local: bool = False
    region: str | None = None

    async def stream(self, request: InferenceRequest, target: Target) -> AsyncGenerator[Delta]:
        """One attempt at a chat completion."""
        reader = StreamReader()
        body = encode_request(request, model=target.model, profile=target.profile)
        async with aclosing(self.client.events("chat/completions", body)) as events:
            async for event in events:
                for delta in reader.feed(event):
                    yield delta
        for delta in reader.end():
            yield delta

    async def embed(self, texts: Sequence[str], target: Target) -> Embeddings:
        """One attempt, in requests of at most 256 texts."""
        batches: list[Embeddings] = []
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            some = texts[start : start + _TEXTS_AT_ONCE]
            reply = await self.client.post("embeddings", encode_texts(some, model=target.model))
            batches.append(decode_embeddings(reply, expected=len(some)))
        tokens = sum(batch.usage.input_tokens for batch in batches)
        vectors = np.concatenate([batch.vectors for batch in batches])
        return Embeddings(vectors, batches[0].model, Usage(input_tokens=tokens))

    async def close(self) -> None:
        """Close idle connections."""
        await self.client.close()
