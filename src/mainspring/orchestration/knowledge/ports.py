"""What knowledge needs from others: vectors of texts, and caches that forget."""

from collections.abc import Sequence
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
