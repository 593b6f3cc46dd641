"""What the gateway sees of a provider: a stream of deltas, or embeddings, or a ModelError."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

from mainspring.inference.gateway.types import Embeddings
from mainspring.inference.messages import Delta, InferenceRequest

from .profiles import Profile


@dataclass(frozen=True, slots=True)
class Target:
    """The model of a call in its provider's own words, and what is known of it."""

    model: str
    profile: Profile


class Provider(Protocol):
    """One vendor's API.

    name       `openai`, `anthropic`, `local`
    region     where it runs, when known
    is_local   it runs on this platform's machines: no data leaves, and it costs nothing by the token
    """

    @property
    def name(self) -> str: ...
    @property
    def region(self) -> str | None: ...
    @property
    def is_local(self) -> bool: ...

    def stream(self, request: InferenceRequest, target: Target) -> AsyncGenerator[Delta]:
        """One attempt; ends with Finished or raises ModelError. Closing the generator closes the call."""
        ...

    async def embed(self, texts: Sequence[str], target: Target) -> Embeddings:
        """One attempt at embedding all texts."""
        ...

    async def close(self) -> None:
        """Close idle connections."""
        ...
