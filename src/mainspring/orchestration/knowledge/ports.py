"""What knowledge needs from others: vectors of texts, caches that forget, and what the words of a trade mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from mainspring.foundation.ids import TenantId
from mainspring.orchestration.pipelines.types import StepRun


class Embedder(Protocol):
    """Makes vectors of texts, by a named model and no other."""

    async def embed(
        self, tenant: TenantId, texts: Sequence[str], *, model: str, run: StepRun | None = None
    ) -> Sequence[Sequence[float]]:
        """One vector for each text, in order, each of `dimensions(model)` numbers.

        run      the step on whose behalf it is done, for the record of the call
        raises   what the model's provider raises (retryable errors say so); OtherModelServed
        """
        ...

    def dimensions(self, model: str) -> int:
        """How many numbers a vector of the model has; InvalidInput when no such model makes vectors."""
        ...


class Caches(Protocol):
    """Whatever keeps words of documents outside of knowledge's own rows and blobs."""

    async def forget(self, tenant: TenantId) -> None:
        """Forget everything kept for the tenant that may quote a document; repeating it is fine."""
        ...


@dataclass(frozen=True, slots=True)
class Concept:
    """A label of places that a question means.

    strength   how surely, 0 to 1; 1 when the question names it
    """

    label: str
    strength: float


class Concepts(Protocol):
    """Which labels a question means. Products that label places answer; search then ranks those places too."""

    async def named_in(self, tenant: TenantId, question: str) -> Sequence[Concept]:
        """The labels, surest first; mostly none. Asked in every search, so it answers in milliseconds."""
        ...
